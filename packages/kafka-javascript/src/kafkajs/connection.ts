/** A client of `RdKafka` beneath one of `KafkaJS`, from `connect` to `disconnect`. */
import type { LibrdKafkaError } from '@ottla/node-rdkafka'
import type { Logger } from '../types/kafkajs/client.ts'
import { called, invalid, toKafkaJSError, wrongState } from './failures.ts'
import { logLine, ownLine, type LogLine } from './logging.ts'
import type { Settings } from './settings.ts'

/** What producers and consumers of `RdKafka` have in common. */
export interface RdKafkaClient {
  readonly name?: string
  connect(options: object, done: (error: LibrdKafkaError | null) => void): unknown
  disconnect(done: (error: LibrdKafkaError | null) => void): unknown
  setSaslCredentials(username: string, password: string): void
  on(event: string, listener: (...values: never[]) => void): unknown
}

/** init -> connecting -> connected -> disconnecting -> disconnected; connecting -> disconnected when it fails. */
type State<C> =
  | { readonly is: 'init' }
  | { readonly is: 'connecting'; readonly client: C; readonly outcome: Promise<void> }
  | { readonly is: 'connected'; readonly client: C }
  | { readonly is: 'disconnecting'; readonly client: C; readonly end: Promise<void> }
  | { readonly is: 'disconnected' }

export interface ConnectionHost<C> {
  /** `Producer` or `Consumer`, in errors and logs. */
  readonly what: string
  readonly logger: Logger
  /** Makes a client. Throws for what is configured wrong. */
  make(credentials: Readonly<Record<string, string>>): { client: C; settings: Settings }
  /** The client has connected; what this rejects with, `connect` does. */
  onConnected(client: C): Promise<void>
}

export class Connection<C extends RdKafkaClient> {
  readonly #host: ConnectionHost<C>
  #state: State<C> = { is: 'init' }
  #credentials: Readonly<Record<string, string>> = {}
  #leaving: Promise<void> | null = null

  constructor(host: ConnectionHost<C>) {
    this.#host = host
  }

  /** The client while it is connected; null otherwise. */
  get client(): C | null {
    return this.#state.is === 'connected' ? this.#state.client : null
  }

  /** Whether `connect` has been called. */
  get hasBegun(): boolean {
    return this.#state.is !== 'init'
  }

  /** As `client`, until it is disconnected: what it is told then still counts. */
  get leaving(): C | null {
    const state = this.#state
    return state.is === 'connected' || state.is === 'disconnecting' ? state.client : null
  }

  /** @throws KafkaJSError with ERR__STATE unless connected. @param call its name */
  require(call: string): C {
    const { client } = this
    if (client === null) {
      const name = `${call.charAt(0).toUpperCase()}${call.slice(1)}`
      throw wrongState(`${name} can only be called while connected: await connect() first`)
    }
    return client
  }

  /** Rejects with KafkaJSError. */
  async connect(): Promise<void> {
    if (this.#state.is !== 'init') throw wrongState('Connect has already been called: a client connects once')
    const { client, settings } = this.#made()
    this.#listen(client, settings)
    const outcome = this.#connect(client)
    this.#state = { is: 'connecting', client, outcome }
    await outcome
  }

  /**
   * Resolves when everything is closed; does nothing before `connect`.
   * @param before what comes first, while the client can still be used
   */
  async disconnect(before: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    if (this.#state.is === 'connecting') await this.#state.outcome.catch(() => undefined)
    if (this.#state.is === 'connected') await (this.#leaving ??= before())
    const state = this.#state
    if (state.is === 'disconnecting') await state.end
    if (state.is !== 'connected') return
    const { client } = state
    const end = this.#disconnect(client)
    this.#state = { is: 'disconnecting', client, end }
    await end
  }

  /** @throws KafkaJSError */
  setSaslCredentials(given: { readonly username?: string; readonly password?: string } = {}): void {
    const { username, password } = given
    if (username === undefined || password === undefined)
      throw invalid('setSaslCredentials needs { username, password }')
    const state = this.#state
    this.#credentials = { 'sasl.username': username, 'sasl.password': password }
    if (state.is === 'init' || state.is === 'disconnected') return
    this.info('Setting SASL credentials')
    state.client.setSaslCredentials(username, password)
  }

  info(message: string): void {
    this.#host.logger.info(message, ownLine(this.#name))
  }

  debug(message: string): void {
    this.#host.logger.debug(message, ownLine(this.#name))
  }

  error(message: string): void {
    this.#host.logger.error(message, ownLine(this.#name))
  }

  get #name(): string | undefined {
    const state = this.#state
    return state.is === 'init' || state.is === 'disconnected' ? undefined : state.client.name
  }

  #made(): { client: C; settings: Settings } {
    try {
      return this.#host.make(this.#credentials)
    } catch (error) {
      throw toKafkaJSError(error)
    }
  }

  #listen(client: C, { onStats }: Settings): void {
    const failed = (error: LibrdKafkaError): void => this.error(`Error: ${error.message}`)
    client.on('event.error', failed)
    client.on('event.log', (line: LogLine) => logLine(this.#host.logger, line, client.name))
    if (onStats !== null) client.on('event.stats', onStats)
  }

  async #connect(client: C): Promise<void> {
    try {
      await called<unknown>(done => client.connect({}, error => done(error, undefined)))
      await this.#host.onConnected(client)
    } catch (error) {
      this.#state = { is: 'disconnected' }
      await called<unknown>(done => client.disconnect(() => done(null, undefined)))
      throw toKafkaJSError(error)
    }
    this.#state = { is: 'connected', client }
    this.info(`${this.#host.what} connected`)
  }

  async #disconnect(client: C): Promise<void> {
    try {
      await called<unknown>(done => client.disconnect(error => done(error, undefined)))
    } finally {
      this.#host.logger.info(`${this.#host.what} disconnected`, ownLine(client.name))
      this.#state = { is: 'disconnected' }
    }
  }
}
