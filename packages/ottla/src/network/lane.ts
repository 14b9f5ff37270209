import { onAbort } from '../base/abort.ts'
import { ErrorCode, type Api, type ApiFacts, type Decoded } from '@ottla/protocol'
import { backoffMs } from '../base/backoff.ts'
import { Ring } from '../base/ring.ts'
import { Deadline, abortReason, whenPassed, type Clock, type Timer } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { Logger } from '../observe/logger.ts'
import type { BrokerCounters } from '../observe/statistics/counters.ts'
import { channels } from '../observe/channels.ts'
import { Attempt, type Opened } from './attempt.ts'
import { Connection, asRequestError, type ConnectionSettings, type Endpoint } from './connection.ts'
import { commonVersion, type BrokerFeatures, type HandshakeSettings } from './handshake.ts'
import { Session } from './reauthentication.ts'
import { HungUpError, RequestError, unsent } from './request-error.ts'
import { AddressBook } from './transport.ts'
import { channelBroker } from './request-traces.ts'

// How long after its time to try again a connection that nobody has tried counts as missed, ms.
const RECENT_MS = 5000

/** The settings that all lanes of a client share. */
export interface LaneSettings {
  readonly connection: ConnectionSettings
  readonly handshake: HandshakeSettings
  /** `socket.connection.setup.timeout.ms`: covers the connection up to the end of the authentication. */
  readonly setupTimeoutMs: number
  readonly reconnectBackoffMs: number
  readonly reconnectBackoffMaxMs: number
}

export interface LaneObserver {
  onUp(features: BrokerFeatures): void
  /** A connection attempt failed, or a connection that was up is lost. */
  onDown(error: RequestError, wasUp: boolean): void
  /** A response said that the client is over its quota (KIP-124, KIP-219). */
  onThrottle(throttleTimeMs: number): void
}

export interface LaneRequestOptions {
  /** Limit for the connection and the response together, in ms. */
  readonly timeoutMs: number
  readonly noResponse?: boolean
  readonly minVersion?: number
  readonly maxVersion?: number
  /** Fails if the connection is lost on which it waits to be sent: what it says holds for that one only. */
  readonly isBound?: boolean
}

/** A caller that waits for the connection and has nothing to send yet. */
interface Waiter {
  settle(error: RequestError | null): void
}

/** A request that waits to be sent. */
interface Queued {
  readonly api: Api<unknown, unknown>
  readonly body: unknown
  readonly options: LaneRequestOptions
  readonly deadline: Deadline
  readonly resolve: (response: Decoded<unknown>) => void
  readonly reject: (error: RequestError) => void
  timer: Timer | null
  done: boolean
}

/**
 * One stream of requests to one broker: connects when there is something to send, reconnects after a loss
 * (`reconnect.backoff.ms`), and keeps requests in order meanwhile.
 */
export class Lane {
  readonly #endpoint: Endpoint
  readonly #settings: LaneSettings
  readonly #clock: Clock
  readonly #random: Random
  readonly #logger: Logger
  readonly #observer: LaneObserver
  readonly #counters: BrokerCounters | null
  readonly #addresses: AddressBook
  readonly #queue = new Ring<Queued>()
  #connection: Connection | null = null
  #features: BrokerFeatures | null = null
  #attempts = 0
  #lastFailure: RequestError | null = null
  #retryAt = 0
  #opening = false
  #hangUps = 0
  #attempt: Attempt | null = null
  readonly #waiters = new Set<Waiter>()
  /** The current attempt may have begun with outdated credentials. */
  #isOutdated = false
  /** The current attempt was given up because nobody needed it any more. */
  #isGivenUp = false
  #reconnectTimer: Timer | null = null
  #throttledUntil = 0
  #throttleTimer: Timer | null = null
  /** Null without SASL. */
  #session: Session | null = null
  #closed: RequestError | null = null
  #abort = new AbortController()

  /** @param counters - null while there are no statistics */
  constructor(
    endpoint: Endpoint,
    settings: LaneSettings,
    clock: Clock,
    random: Random,
    logger: Logger,
    observer: LaneObserver,
    counters: BrokerCounters | null = null,
  ) {
    this.#endpoint = endpoint
    this.#settings = settings
    this.#clock = clock
    this.#random = random
    this.#logger = logger
    this.#observer = observer
    this.#counters = counters
    this.#addresses = new AddressBook(endpoint.host, settings.connection.transport)
  }

  get isUp(): boolean {
    return this.#connection?.state === 'up'
  }

  /** Whether the last connection attempt failed. */
  get isFailing(): boolean {
    return this.#attempts > 0
  }

  /** As `isFailing`, and somebody needs the connection, or has tried it lately. */
  get isMissed(): boolean {
    const isRecent = this.#clock.now() < this.#retryAt + this.#settings.reconnectBackoffMaxMs + RECENT_MS
    return this.isFailing && (this.#isNeeded || this.#opening || isRecent)
  }

  /** Why the last connection attempt failed; null if it succeeded. */
  get lastFailure(): RequestError | null {
    return this.#lastFailure
  }

  /** Whether a connection attempt is in progress. */
  get isConnecting(): boolean {
    return this.#opening
  }

  /** Requests waiting for a connection, the end of throttling or a re-authentication. */
  get queued(): number {
    return this.#queue.length
  }

  /** Requests in flight. */
  get inFlight(): number {
    return this.#connection?.inFlight ?? 0
  }

  get features(): BrokerFeatures | null {
    return this.#features
  }

  /** Sends now if the connection is up, else as soon as it is. Rejects like `Broker.request`. */
  request<Req, Res>(
    api: Api<Req, Res>,
    body: Req | ((version: number) => Req),
    options: LaneRequestOptions,
  ): Promise<Decoded<Res>> {
    if (this.#closed !== null) return Promise.reject(unsent(this.#closed))
    const now = this.#clock.now()
    if (this.isUp && this.#queue.length === 0 && this.#admits(now)) {
      if (this.#counters !== null) this.#counters.queued(0)
      return this.#send(api, body, options, options.timeoutMs)
    }
    return new Promise<Decoded<Res>>((resolve, reject) => {
      // The queue holds requests of every API; each is sent with its own body.
      const queued: Queued = {
        api: api as Api<unknown, unknown>,
        body,
        options,
        deadline: Deadline.after(this.#clock, options.timeoutMs),
        resolve: resolve as (response: Decoded<unknown>) => void,
        reject,
        timer: null,
        done: false,
      }
      queued.timer = whenPassed(this.#clock, queued.deadline, () => this.#expire(queued))
      this.#queue.push(queued)
      this.#connect()
    })
  }

  /** Connects ahead of the first request. */
  preconnect(): void {
    if (this.#closed === null && !this.isUp) this.#connect()
  }

  /**
   * Connects without a request, for as long as anybody waits: the attempt is given up when the last waiter leaves.
   * Resolves once the connection is up; rejects with the next attempt's error, the error that closed the lane, or the
   * signal's reason.
   */
  waitUntilUp(signal: AbortSignal): Promise<void> {
    if (this.#closed !== null) return Promise.reject(this.#closed)
    if (signal.aborted) return Promise.reject(abortReason(signal))
    if (this.isUp) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        settle: error => {
          stopListening()
          if (error === null) resolve()
          else reject(error)
        },
      }
      const stopListening = onAbort(signal, () => {
        this.#waiters.delete(waiter)
        reject(abortReason(signal))
        if (!this.#isNeeded) this.#giveUp()
      })
      this.#waiters.add(waiter)
      this.#connect()
    })
  }

  /**
   * Ends the backoff before the next attempt: there are new credentials. A current attempt carries on, since it may be
   * waiting for them; if it fails, the next one follows at once.
   */
  retryNow(): void {
    if (this.#closed !== null || this.isUp) return
    this.#attempts = 0
    this.#retryAt = 0
    this.#isOutdated = this.#opening
    const isAwaited = this.#reconnectTimer !== null || this.#isNeeded
    this.#reconnectTimer?.cancel()
    this.#reconnectTimer = null
    if (isAwaited) this.#connect()
  }

  close(error: RequestError): void {
    if (this.#closed !== null) return
    this.#closed = error
    this.#reconnectTimer?.cancel()
    this.#throttleTimer?.cancel()
    this.#session?.end()
    this.#abort.abort(error)
    this.#failQueue(error)
    this.#settleWaiters(error)
    this.#connection?.close(error)
    this.#connection = null
  }

  #send<Req, Res>(
    api: Api<Req, Res>,
    body: Req | ((version: number) => Req),
    options: LaneRequestOptions,
    timeoutMs: number,
  ): Promise<Decoded<Res>> {
    const connection = this.#connection
    const features = this.#features
    if (connection === null || features === null) {
      return Promise.reject(
        new RequestError(ErrorCode.ERR__TRANSPORT, `${this.#endpoint.name} is not connected`, false),
      )
    }
    const version = commonVersion(api, features.apis, options.minVersion, options.maxVersion)
    if (version < 0) return Promise.reject(this.#unsupported(api, features, options))
    let message: Req
    try {
      // A request body is data; only the builder form is a function.
      message = typeof body === 'function' ? (body as (version: number) => Req)(version) : body
    } catch (error) {
      return Promise.reject(asRequestError(error, this.#endpoint.name))
    }
    const answer = connection.request(api, version, message, timeoutMs, options.noResponse)
    if (options.noResponse === true) return answer
    return answer.then(response => {
      this.#hangUps = 0
      this.#checkThrottle(response)
      return response
    })
  }

  #unsupported(api: ApiFacts, features: BrokerFeatures, options: LaneRequestOptions): RequestError {
    const range = features.apis.get(api.key)
    const theirs = range === undefined ? 'does not have it' : `has versions ${range.min} to ${range.max}`
    const from = Math.max(api.minVersion, options.minVersion ?? 0)
    const to = Math.min(api.maxVersion, options.maxVersion ?? 0x7fff)
    const message = `${api.name} (versions ${from} to ${to}) is needed, but ${this.#endpoint.name} ${theirs}`
    return new RequestError(ErrorCode.ERR__UNSUPPORTED_FEATURE, message, false)
  }

  // KIP-219: the broker has answered already; the client has to wait before its next request.
  #checkThrottle(response: unknown): void {
    const throttled = (response as { throttleTimeMs?: number } | undefined)?.throttleTimeMs ?? 0
    this.#counters?.throttled(throttled)
    if (throttled <= 0) return
    this.#observer.onThrottle(throttled)
    this.#throttledUntil = Math.max(this.#throttledUntil, this.#clock.now() + throttled)
    this.#drainLater()
  }

  // A timer may fire a little early, and a shorter throttle time does not end a longer one: check, and wait again.
  #drainLater(): void {
    this.#throttleTimer?.cancel()
    this.#throttleTimer = this.#clock.setTimer(Math.max(1, this.#throttledUntil - this.#clock.now()), () => {
      if (this.#clock.now() < this.#throttledUntil) this.#drainLater()
      else this.#drain()
    })
  }

  #expire(queued: Queued): void {
    if (queued.done) return
    queued.done = true
    queued.timer = null
    const { api, options } = queued
    const late = `${api.name} was not sent within ${Math.round(options.timeoutMs)} ms`
    const failure = this.#lastFailure
    // Why the broker cannot be reached says more than that the request timed out.
    if (failure !== null) queued.reject(new RequestError(failure.code, `${late}: ${failure.message}`, false, failure))
    else
      queued.reject(new RequestError(ErrorCode.ERR__TIMED_OUT, `${late}: ${this.#endpoint.name} was not ready`, false))
  }

  get #isNeeded(): boolean {
    return this.#queue.length > 0 || this.#waiters.size > 0
  }

  #giveUp(): void {
    this.#reconnectTimer?.cancel()
    this.#reconnectTimer = null
    if (this.#attempt === null) return
    this.#isGivenUp = true
    this.#attempt.giveUp(
      new RequestError(ErrorCode.ERR__TRANSPORT, `${this.#endpoint.name} is no longer needed`, false),
    )
  }

  #connect(): void {
    if (this.#opening || this.isUp || this.#closed !== null || this.#reconnectTimer !== null) return
    const wait = this.#retryAt - this.#clock.now()
    if (wait > 0) {
      this.#reconnectTimer = this.#clock.setTimer(wait, () => {
        this.#reconnectTimer = null
        this.#connect()
      })
      return
    }
    this.#opening = true
    this.#isOutdated = false
    this.#isGivenUp = false
    this.#counters?.connected()
    void this.#open()
  }

  async #open(): Promise<void> {
    const { setupTimeoutMs } = this.#settings
    const attempt = new Attempt(this.#clock)
    this.#attempt = attempt
    const stopListening = onAbort(this.#abort.signal, () => attempt.giveUp(this.#abort.signal.reason))
    const limit = whenPassed(this.#clock, Deadline.after(this.#clock, setupTimeoutMs), () => {
      const why = `cannot connect to ${this.#endpoint.name}: not connected within ${setupTimeoutMs} ms`
      attempt.giveUp(new RequestError(ErrorCode.ERR__TRANSPORT, why, false))
    })
    try {
      const { connection, features } = await this.#run(attempt)
      if (this.#closed !== null) {
        connection.close(this.#closed)
        return
      }
      this.#connection = connection
      this.#features = features
      this.#attempts = 0
      this.#lastFailure = null
      this.#opening = false
      this.#session = this.#begin(connection, features)
      this.#settleWaiters(null)
      this.#observer.onUp(features)
      this.#drain()
    } catch (error) {
      // Why the attempt was given up says more than the socket's error, which is only that it was destroyed.
      const failure = asRequestError(attempt.reason ?? error, this.#endpoint.name)
      this.#opening = false
      this.#connection = null
      if (this.#isGivenUp) {
        if (this.#isNeeded) this.#connect()
      } else if (this.#isOutdated) {
        // Connects even without a queued request: a waiter may need the connection.
        this.#connect()
      } else if (this.#closed === null) {
        this.#failed(failure)
      }
    } finally {
      this.#attempt = null
      limit.cancel()
      stopListening()
    }
  }

  #run(attempt: Attempt): Promise<Opened> {
    const { connection, handshake } = this.#settings
    const make = (onClosed: (error: RequestError) => void): Connection => this.#make(onClosed)
    const run = (): Promise<Opened> => attempt.run(this.#addresses, handshake, make, error => this.#lost(error))
    const { client } = connection
    if (client === undefined || !channels.connect.hasSubscribers) return run()
    return channels.connect.trace({ client, broker: channelBroker(this.#endpoint) }, run)
  }

  #make(onClosed: (error: RequestError) => void): Connection {
    const { connection } = this.#settings
    return new Connection(this.#endpoint, connection, this.#clock, this.#logger, onClosed, this.#counters)
  }

  #begin(connection: Connection, features: BrokerFeatures): Session | null {
    const { mechanism } = this.#settings.handshake
    if (mechanism === null) return null
    const observer = {
      onRenewed: (): void => this.#drain(),
      onFailed: (error: RequestError): void => {
        this.#countFailure(error)
        connection.close(error)
      },
    }
    const { handshake: settings } = this.#settings
    return new Session(connection, features, settings, mechanism, this.#clock, this.#random, this.#logger, observer)
  }

  /** Whether a connection that is up may be written to. */
  #admits(now: number): boolean {
    return now >= this.#throttledUntil && (this.#session === null || this.#session.admits(now))
  }

  #countFailure(error: RequestError): void {
    this.#attempts++
    this.#lastFailure = error
    const { reconnectBackoffMs, reconnectBackoffMaxMs } = this.#settings
    this.#retryAt =
      this.#clock.now() + backoffMs(this.#attempts, reconnectBackoffMs, reconnectBackoffMaxMs, this.#random)
  }

  #failed(error: RequestError): void {
    this.#countFailure(error)
    this.#failQueue(error)
    this.#settleWaiters(error)
    this.#observer.onDown(error, false)
  }

  #lost(error: RequestError): void {
    this.#connection = null
    this.#session?.end()
    this.#session = null
    this.#counters?.disconnected()
    if (this.#closed !== null) return
    // A connection that was never of use counts as a failed attempt.
    const wasOfUse = !(error instanceof HungUpError)
    if (!wasOfUse) {
      this.#attempts = this.#hangUps++
      this.#countFailure(error)
    }
    this.#failBound(error)
    this.#observer.onDown(error, wasOfUse)
    if (this.#queue.length > 0) this.#connect()
  }

  // They wait for the end of a throttle, or of a new login.
  #failBound(cause: RequestError): void {
    for (let left = this.#queue.length; left > 0; left--) {
      const queued = this.#queue.shift() as Queued // left is at most their number
      if (queued.options.isBound === true) this.#fail(queued, unsent(cause))
      else this.#queue.push(queued)
    }
  }

  #settleWaiters(error: RequestError | null): void {
    for (const waiter of this.#waiters) waiter.settle(error)
    this.#waiters.clear()
  }

  // The attempt's own requests may have been sent; those that wait were not.
  #failQueue(cause: RequestError): void {
    const error = unsent(cause)
    for (let queued = this.#queue.shift(); queued !== undefined; queued = this.#queue.shift()) this.#fail(queued, error)
  }

  #fail(queued: Queued, error: RequestError): void {
    queued.timer?.cancel()
    if (queued.done) return
    queued.done = true
    queued.reject(error)
  }

  #drain(): void {
    while (this.isUp && this.#queue.length > 0 && this.#admits(this.#clock.now())) {
      const queued = this.#queue.shift()
      if (queued === undefined || queued.done) continue
      queued.done = true
      queued.timer?.cancel()
      const left = Math.max(1, queued.deadline.left())
      if (this.#counters !== null) this.#counters.queued(queued.options.timeoutMs - left)
      this.#send(queued.api, queued.body, queued.options, left).then(queued.resolve, queued.reject)
    }
  }
}
