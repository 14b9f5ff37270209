/** The listener of one broker. */
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import type { BrokerInfo } from '../base/brokers.ts'
import type { NetworkServer, NetworkSocket } from '../base/network.ts'
import { ClientConnection } from './connection.ts'
import type { ServerContext } from './server-context.ts'
import type { ListenerTls } from './tls.ts'

export class Listener {
  readonly #info: BrokerInfo
  readonly #context: ServerContext
  readonly #tls: ListenerTls | null
  readonly #connections = new Set<ClientConnection>()
  // Raw sockets, too: a client that never finishes its TLS handshake is not among the connections.
  readonly #sockets = new Set<NetworkSocket>()
  #server: NetworkServer | null = null

  constructor(info: BrokerInfo, context: ServerContext, tls: ListenerTls | null) {
    this.#info = info
    this.#context = context
    this.#tls = tls
  }

  /** Starts to listen, unless it does already. Port 0 takes a free port, which the broker keeps from then on. */
  async open(): Promise<void> {
    if (this.#server !== null) return
    const tls = this.#tls
    const onSocket = (socket: NetworkSocket, name: string | null = null): void => {
      const connection = new ClientConnection(socket, name, this.#info, this.#context)
      this.#connections.add(connection)
      socket.once('close', () => this.#connections.delete(connection))
    }
    const onTlsSocket = (socket: TLSSocket, { nameOf }: ListenerTls): void => {
      try {
        onSocket(socket, nameOf(socket))
      } catch {
        socket.destroy()
      }
    }
    const server =
      tls === null
        ? this.#context.networkOf(this.#info.id).createServer(socket => onSocket(socket))
        : createTlsServer(tls.options, socket => onTlsSocket(socket, tls))
    this.#server = server
    server.on('connection', (socket: NetworkSocket) => {
      this.#sockets.add(socket)
      if (this.#context.isBackground) socket.unref?.()
      socket.once('close', () => this.#sockets.delete(socket))
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.#info.port, this.#info.host, () => {
        server.off('error', reject)
        resolve()
      })
    })
    if (this.#context.isBackground) server.unref?.()
    const address = server.address()
    if (address !== null && typeof address === 'object') this.#info.port = address.port
  }

  /** Open connections, those still in their TLS handshake included. */
  get connections(): number {
    return this.#sockets.size
  }

  dropConnections(): void {
    for (const connection of this.#connections) connection.destroy()
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Refuses new connections; existing ones stay. */
  refuse(): void {
    this.#server?.close()
    this.#server = null
  }

  /** Refuses new connections and cuts the existing ones. */
  async close(): Promise<void> {
    const server = this.#server
    this.#server = null
    this.dropConnections()
    if (server !== null) await new Promise<void>(resolve => server.close(() => resolve()))
  }
}
