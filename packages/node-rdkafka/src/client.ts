/** What producers and consumers have in common: connecting, metadata, offsets, events. */
import { EventEmitter } from 'node:events'
import type { ClientOptions, Consumer, EventOf, KafkaError, Metadata as OttlaMetadata, Producer } from 'ottla'
import { answer, call, raise, timeoutAndCallback } from './translate/calling.ts'
import type { Configuration } from './translate/configuration.ts'
import { converting, disconnected, toLibrdKafkaError } from './translate/errors.ts'
import { tokenOptions } from './translate/tokens.ts'
import { toMetadata } from './translate/metadata.ts'
import { fromOffsets, toOffset } from './translate/partitions.ts'
import type { ClientMetrics, Metadata, MetadataOptions, WatermarkOffsets } from './types/client.ts'
import type { LibrdKafkaError } from './types/errors.ts'
import type { TopicPartitionOffset, TopicPartitionTime } from './types/messages.ts'

type ConnectCallback = (error: LibrdKafkaError, metadata: Metadata) => unknown
type DisconnectCallback = (error: null, metrics: ClientMetrics) => unknown

/** What a client of `ottla` can do for both. */
type AnyClient = Pick<
  Producer & Consumer,
  | 'name'
  | 'getMetadata'
  | 'queryWatermarkOffsets'
  | 'offsetsForTimes'
  | 'setOAuthBearerToken'
  | 'setOAuthBearerTokenFailure'
  | 'setSaslCredentials'
> & {
  on<T extends 'error' | 'stats' | 'throttle'>(type: T, listener: (event: EventOf<T>) => void): unknown
}

/**
 * disconnected -> connecting -> connected -> disconnecting -> disconnected; connecting -> disconnected when it fails, or
 * is given up.
 */
type State<C> =
  | { readonly is: 'disconnected' }
  | { readonly is: 'connecting'; readonly client: C; readonly outcome: Promise<Metadata> }
  | { readonly is: 'connected'; readonly client: C }
  | { readonly is: 'disconnecting'; readonly client: C; readonly end: Promise<ClientMetrics> }

const DISCONNECTED = { is: 'disconnected' } as const
const METADATA_MS = 30_000
const QUERY_MS = 1000

export abstract class BaseClient<C extends AnyClient> extends EventEmitter {
  /** As the program has given it. */
  readonly globalConfig: object
  /** As the program has given it. */
  readonly topicConfig: object
  /** The name, once connected. */
  name: string | undefined
  metrics: Partial<ClientMetrics> = {}
  lastError: LibrdKafkaError | null = null
  readonly #configuration: Configuration
  readonly #what: string
  #state: State<C> = DISCONNECTED
  #metadata: Metadata | undefined
  #token: string | null = null

  /** @param what how errors call it */
  constructor(what: string, conf: object, topicConf: object, configuration: Configuration) {
    super()
    this.#what = what
    this.globalConfig = conf
    this.topicConfig = topicConf
    this.#configuration = configuration
  }

  /** Makes the client; it connects in the background. */
  protected abstract open(configuration: Configuration, options: ClientOptions): C
  /** Never rejects. */
  protected abstract shut(client: C, timeoutMs: number | undefined): Promise<void>
  /** Whether an `error` event of the client is an `event.error`. */
  protected abstract isEvent(error: KafkaError): boolean

  connect(metadataOptions?: MetadataOptions | null, cb?: ConnectCallback): this {
    const state = this.#state
    switch (state.is) {
      case 'disconnected':
        this.#connect(metadataOptions ?? {}, cb)
        return this
      case 'connecting':
        answer(state.outcome, cb, metadata => metadata)
        return this
      case 'connected':
        setImmediate(() => call(() => cb?.(null as never, this.#metadata as Metadata)))
        return this
      case 'disconnecting':
        void state.end.then(() => this.connect(metadataOptions, cb))
        return this
      default:
        return state satisfies never
    }
  }

  disconnect(timeout?: number | DisconnectCallback | null, cb?: DisconnectCallback): this {
    const callback = typeof timeout === 'function' ? timeout : cb
    const end = this.#disconnect(typeof timeout === 'number' ? timeout : undefined)
    void end.then(metrics => call(() => callback?.(null, metrics)))
    return this
  }

  setOauthBearerToken(tokenStr: string): this {
    if (typeof tokenStr !== 'string' || tokenStr === '')
      throw new Error('OAuthBearer token is undefined/empty or not a string')
    this.#token = tokenStr
    if (this.#state.is !== 'disconnected') setToken(this.#state.client, tokenStr)
    return this
  }

  setSaslCredentials(username: string, password: string): void {
    const state = this.#state
    if (state.is !== 'disconnected') converting(() => state.client.setSaslCredentials(username, password))
  }

  getClient(): C | null {
    return this.client
  }

  connectedTime(): number {
    return this.isConnected() ? Date.now() - (this.metrics.connectionOpened ?? Date.now()) : 0
  }

  isConnected(): boolean {
    // A client that is disconnected before it has connected never was.
    return this.client !== null && this.metrics.connectionOpened !== undefined
  }

  getLastError(): LibrdKafkaError {
    // Its type does not say so: null if there was none.
    return this.lastError as LibrdKafkaError
  }

  getMetadata(metadataOptions?: MetadataOptions | null, cb?: ConnectCallback): void {
    const { client } = this
    if (client === null) {
      call(() => cb?.(disconnected(this.#what), undefined as never))
      return
    }
    answer(this.#askMetadata(client, metadataOptions ?? {}), cb, metadata => metadata)
  }

  queryWatermarkOffsets(
    topic: string,
    partition: number,
    timeout?: number | ((error: LibrdKafkaError, offsets: WatermarkOffsets) => unknown),
    cb?: (error: LibrdKafkaError, offsets: WatermarkOffsets) => unknown,
  ): void {
    const [timeoutMs, callback] = timeoutAndCallback(timeout, cb, QUERY_MS)
    this.#ask(
      client => client.queryWatermarkOffsets(topic, partition, timeoutMs === 0 ? QUERY_MS : timeoutMs),
      callback,
      ({ low, high }) => ({ lowOffset: low, highOffset: high }),
    )
  }

  offsetsForTimes(
    toppars: readonly TopicPartitionTime[],
    timeout?: number | ((error: LibrdKafkaError, offsets: TopicPartitionOffset[]) => unknown),
    cb?: (error: LibrdKafkaError, offsets: TopicPartitionOffset[]) => unknown,
  ): void {
    const [timeoutMs, callback] = timeoutAndCallback(timeout, cb, QUERY_MS)
    const times = toppars.map(toOffset)
    this.#ask(client => client.offsetsForTimes(times, timeoutMs === 0 ? QUERY_MS : timeoutMs), callback, fromOffsets)
  }

  /** The client while it is connected; null otherwise. */
  protected get client(): C | null {
    const state = this.#state
    return state.is === 'connected' || state.is === 'disconnecting' ? state.client : null
  }

  /** Whether `disconnect` has been called, and the client is not disconnected yet. */
  protected get isDisconnecting(): boolean {
    return this.#state.is === 'disconnecting'
  }

  /** @throws an error with ERR__STATE unless connected */
  protected get connected(): C {
    const { client } = this
    if (client === null) throw disconnected(this.#what)
    return client
  }

  /** Emits an event. What its listeners throw is an uncaught exception. */
  protected announce(event: string, ...values: readonly unknown[]): void {
    try {
      this.emit(event, ...values)
    } catch (error) {
      raise(error)
    }
  }

  /** Emits an `event.error`. */
  protected announceError(error: unknown): void {
    if (!this.#hasEvents) return
    this.lastError = toLibrdKafkaError(error)
    this.announce('event.error', this.lastError)
  }

  get #hasEvents(): boolean {
    return this.#configuration.callbacks.get('event_cb') !== false
  }

  #connect(options: MetadataOptions, cb: ConnectCallback | undefined): void {
    let client: C | null = null
    try {
      client = this.open(this.#configuration, {
        ...tokenOptions(this.#configuration.callbacks),
        logger: (severity, fac, message) => {
          if (this.#hasEvents) this.announce('event.log', { severity, fac, message })
        },
      })
      this.#listen(client)
    } catch (error) {
      void this.#refused(client, error, cb)
      return
    }
    const outcome = this.#askMetadata(client, options)
    this.#state = { is: 'connecting', client, outcome }
    outcome.then(
      metadata => {
        // `disconnect` was called meanwhile.
        if (this.#state.is !== 'connecting' || this.#state.client !== client) return
        this.#state = { is: 'connected', client }
        this.name = client.name
        this.metrics = { connectionOpened: Date.now() }
        this.announce('ready', { name: client.name }, metadata)
      },
      async (error: unknown) => {
        if (this.#state.is !== 'connecting' || this.#state.client !== client) return
        this.#state = DISCONNECTED
        this.announce('connection.failure', toLibrdKafkaError(error), this.metrics)
        await this.shut(client, 0)
      },
    )
    answer(outcome, cb, metadata => metadata)
  }

  /** @param client null if it could not be made */
  async #refused(client: C | null, error: unknown, cb: ConnectCallback | undefined): Promise<void> {
    if (client === null) await nextTurn()
    else await this.shut(client, 0)
    const failure = toLibrdKafkaError(error)
    this.announce('connection.failure', failure, this.metrics)
    call(() => cb?.(failure, undefined as never))
  }

  #disconnect(timeoutMs: number | undefined): Promise<ClientMetrics> {
    const state = this.#state
    if (state.is === 'disconnecting') return state.end
    const end = (state.is === 'disconnected' ? nextTurn() : this.shut(state.client, timeoutMs)).then(() => {
      // Unless the program has connected again meanwhile, which it can only if it was disconnected.
      if (this.#state.is === 'disconnecting') this.#state = DISCONNECTED
      const metrics = { ...this.metrics } as ClientMetrics // as far as it was connected
      this.metrics = {}
      this.announce('disconnected', metrics)
      return metrics
    })
    if (state.is !== 'disconnected') this.#state = { is: 'disconnecting', client: state.client, end }
    return end
  }

  #listen(client: C): void {
    if (this.#token !== null) setToken(client, this.#token)
    client.on('error', ({ error }) => {
      if (this.isEvent(error)) this.announceError(error)
    })
    if (!this.#hasEvents) return
    client.on('stats', ({ json }) => this.announce('event.stats', { message: json }))
    client.on('throttle', ({ brokerId, brokerName, throttleTimeMs }) => {
      const message = `${brokerName} throttles this client`
      const event = { message, throttleTime: throttleTimeMs, brokerName, brokerId }
      this.announce('event.event', event)
      this.announce('event.throttle', event)
    })
  }

  async #askMetadata(client: C, options: MetadataOptions): Promise<Metadata> {
    const { topic = '', allTopics = true, timeout = METADATA_MS } = options
    const asked = allTopics || topic === '' ? { allTopics } : { topic }
    const metadata: OttlaMetadata = await client.getMetadata({ ...asked, timeoutMs: timeout })
    this.#metadata = toMetadata(metadata)
    return this.#metadata
  }

  #ask<T>(
    question: (client: C) => Promise<T>,
    callback: ((error: LibrdKafkaError, value: never) => unknown) | undefined,
    toValue: (result: T) => unknown,
  ): void {
    const { client } = this
    if (client === null) call(() => callback?.(disconnected(this.#what), undefined as never))
    else answer(question(client), callback, toValue)
  }
}

/** librdkafka gets the longest lifetime, too: the program replaces its tokens itself. */
const LIFETIME_MS = 10 * 365 * 24 * 60 * 60 * 1000

export function setToken(client: Pick<AnyClient, 'setOAuthBearerToken'>, tokenValue: string): void {
  const expiration = Date.now() + LIFETIME_MS
  converting(() => client.setOAuthBearerToken({ tokenValue, expiration, principal: 'node-rdkafka' }))
}

function nextTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
