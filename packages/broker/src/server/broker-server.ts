/** All listeners of one broker. */
import type { BrokerInfo } from '../base/brokers.ts'
import type { ListenerLogIn } from '../security/log-in.ts'
import { Listener } from './listener.ts'
import type { ServerContext } from './server-context.ts'
import type { ListenerTls } from './tls.ts'

/** A listener as it is set up at every broker. */
export interface ListenerSetup {
  readonly logIn: ListenerLogIn
  /** null: without TLS. */
  readonly tls: ListenerTls | null
}

export class BrokerServer {
  readonly #listeners: readonly Listener[]

  constructor(info: BrokerInfo, setups: readonly ListenerSetup[], context: ServerContext) {
    this.#listeners = setups.map(({ logIn, tls }) => new Listener(info, logIn, context, tls))
  }

  /** Opens the listeners that are not open. Rejects with Error for a port in use. */
  async open(): Promise<void> {
    for (const listener of this.#listeners) await listener.open()
  }

  /** Open connections, those still in their TLS handshake included. */
  get connections(): number {
    return this.#listeners.reduce((sum, { connections }) => sum + connections, 0)
  }

  dropConnections(): void {
    for (const listener of this.#listeners) listener.dropConnections()
  }

  /** Refuses new connections; existing ones stay. */
  refuse(): void {
    for (const listener of this.#listeners) listener.refuse()
  }

  /** Refuses new connections and cuts the existing ones. */
  async close(): Promise<void> {
    await Promise.all(this.#listeners.map(listener => listener.close()))
  }
}
