/** One listener of one broker. */
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import type { BrokerInfo, Endpoint } from '../base/brokers.ts'
import type { NetworkServer, NetworkSocket } from '../base/network.ts'
import type { ListenerLogIn } from '../security/log-in.ts'
import { ClientConnection } from './connection.ts'
import type { ServerContext } from './server-context.ts'
import type { ListenerTls } from './tls.ts'

export class Listener {
  readonly #info: BrokerInfo
  readonly #endpoint: Endpoint
  readonly #logIn: ListenerLogIn
  readonly #context: ServerContext
  readonly #tls: ListenerTls | null
  readonly #connections = new Set<ClientConnection>()
  // Raw sockets, too: a client that never finishes its TLS handshake is not among the connections.
  readonly #sockets = new Set<NetworkSocket>()
  #server: NetworkServer | null = null

  /** @param tls null: without TLS */
  constructor(info: BrokerInfo, logIn: ListenerLogIn, context: ServerContext, tls: ListenerTls | null) {
    this.#info = info
    this.#endpoint = info.endpoints[logIn.index] as Endpoint // every broker has all listeners
    this.#logIn = logIn
    this.#context = context
    this.#tls = tls
  }

  /** Starts to listen, unless it does already. Port 0 takes a free port, which the listener keeps from then on. */
  async open(): Promise<void> {
    if (this.#server !== null) return
    const tls = this.#tls
    const onSocket = (socket: NetworkSocket, name: string | null = null): void => {
      const connection = new ClientConnection(socket, name, this.#info, this.#logIn, this.#context)
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
      server.listen(this.#endpoint.port, this.#endpoint.host, () => {
        server.off('error', reject)
        resolve()
      })
    })
    if (this.#context.isBackground) server.unref?.()
    const address = server.address()
    if (address !== null && typeof address === 'object') this.#endpoint.port = address.port
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
