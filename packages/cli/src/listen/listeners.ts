/** Listeners in place of brokers: one for each of their addresses. */
import { createServer, type Server, type Socket } from 'node:net'
import type { BrokerAddress } from '@ottla/protocol'
import { hostPort } from '../terminal/host-port.ts'

export class Listeners {
  readonly #host: string
  readonly #onSocket: (socket: Socket, broker: string) => void
  readonly #servers: Server[] = []
  readonly #sockets = new Set<Socket>()
  readonly #addresses = new Map<string, Promise<BrokerAddress>>()
  #nextPort: number
  #isClosed = false

  /**
   * @param firstPort others follow; 0: free ports
   * @param onSocket called with each connection, and with the broker that it is for, `host:port`
   */
  constructor(host: string, firstPort: number, onSocket: (socket: Socket, broker: string) => void) {
    this.#host = host
    this.#nextPort = firstPort
    this.#onSocket = onSocket
  }

  /** The listener in place of a broker, which is opened if there is none. Rejects if its port is taken, and after close. */
  open(broker: string): Promise<BrokerAddress> {
    if (this.#isClosed) return Promise.reject(new Error(`nothing listens in place of ${broker} any more`))
    const opened = this.#addresses.get(broker) ?? this.#listen(broker, this.#nextPort === 0 ? 0 : this.#nextPort++)
    this.#addresses.set(broker, opened)
    return opened
  }

  /** Accepts no more connections, and cuts those there are. */
  async close(): Promise<void> {
    this.#isClosed = true
    // One that is just being opened would stay.
    await Promise.allSettled(this.#addresses.values())
    const closed = this.#servers.map(server => new Promise(resolve => server.close(resolve)))
    for (const socket of this.#sockets) socket.destroy()
    await Promise.all(closed)
  }

  #listen(broker: string, port: number): Promise<BrokerAddress> {
    const server = createServer(socket => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
      socket.setNoDelay(true)
      this.#onSocket(socket, broker)
    })
    return new Promise((resolve, reject) => {
      server.once('error', (error: Error) => {
        reject(new Error(`cannot listen on ${hostPort(this.#host, port)} in place of ${broker}: ${error.message}`))
      })
      server.listen(port, this.#host, () => {
        this.#servers.push(server)
        const at = server.address()
        resolve({ host: this.#host, port: typeof at === 'object' && at !== null ? at.port : port })
      })
    })
  }
}

/** `host:port`, `[::1]:9092`. */
export function addressFrom(text: string): BrokerAddress {
  const colon = text.lastIndexOf(':')
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) }
}
