import { DescribeCluster, ErrorCode, FindCoordinator, Metadata, type Api, type Decoded } from '@ottla/protocol'
import { onAbort } from '../base/abort.ts'
import { abortReason, type Deadline } from '../base/clock.ts'
import { firstOf } from '../base/first.ts'
import { KafkaError } from '../errors.ts'
import { RequestError } from '../network/request-error.ts'
import type { TokenSource } from '../network/sasl/oauth/token-source.ts'
import type { OAuthBearerToken } from '../types.ts'
import type { Broker, LaneName } from './broker.ts'
import { BrokerSet } from './broker-set.ts'
import type { ClientContext } from './context.ts'
import { CoordinatorFinder, type CoordinatorType } from './coordinator.ts'
import { MetadataCache } from './metadata.ts'
import { FailFast } from './fail-fast.ts'
import { actionFor } from './retry.ts'
import { pauseBeforeRetry } from './rounds.ts'
import { ClientTelemetry } from './telemetry/telemetry.ts'

/** The addressee of a request. */
export type Target =
  | { readonly to: 'any' }
  | { readonly to: 'node'; readonly id: number }
  | { readonly to: 'controller' }
  | { readonly to: 'leader'; readonly topic: string; readonly partition: number }
  | { readonly to: 'coordinator'; readonly type: CoordinatorType; readonly key: string }

export interface ClusterRequestOptions<Res> {
  /** For all attempts together. */
  readonly deadline: Deadline
  readonly signal?: AbortSignal | undefined
  /**
   * A caller waits: gives up within seconds if the configuration seems to be wrong, instead of waiting until it has
   * been corrected. Always so for admin clients.
   */
  readonly failFast?: boolean | undefined
  readonly lane?: LaneName
  /** Limit of each attempt, in ms; `socket.timeout.ms` by default. */
  readonly timeoutMs?: number
  readonly minVersion?: number
  readonly maxVersion?: number
  /** Returns the code that decides whether to retry; without it every response is final. */
  readonly errorOf?: (response: Decoded<Res>) => number
}

// Any broker can answer these, and sending them to two does no harm.
const hedged: ReadonlySet<number> = new Set([Metadata.key, FindCoordinator.key, DescribeCluster.key])
// How long a broker may take to answer before another gets the request, too; shorter while nothing is known of the
// cluster, when it may not be a broker at all.
const HEDGE_MS = 2000
const FIRST_HEDGE_MS = 500

/** Routes any request to the right broker, retries where that may help, and gives up at the deadline. */
export class Cluster {
  readonly metadata: MetadataCache
  readonly telemetry: ClientTelemetry
  readonly #context: ClientContext
  readonly #brokers: BrokerSet
  readonly #coordinators: CoordinatorFinder
  readonly #givenUpErrors = new WeakSet<KafkaError>()
  #closed = false

  constructor(context: ClientContext) {
    this.#context = context
    this.#brokers = new BrokerSet(
      context,
      () => this.metadata.requestRefresh('a connection was lost'),
      broker => this.telemetry.onUp(broker),
    )
    this.telemetry = new ClientTelemetry(context, () => this.#brokers.all())
    this.metadata = new MetadataCache(context, async (body, { deadline, signal, failFast }) => {
      try {
        const options = { deadline, signal, failFast, minVersion: 4 }
        const answer = await this.request({ to: 'any' }, Metadata, body, options)
        this.#brokers.recordMetadata(null)
        return answer
      } catch (error) {
        if (error instanceof KafkaError) this.#brokers.recordMetadata(error)
        throw error
      }
    })
    this.metadata.onChange(() => {
      for (const gone of this.#brokers.update(this.metadata.snapshot.brokers)) this.#coordinators.forgetBroker(gone)
    })
    this.#coordinators = new CoordinatorFinder(context, {
      anyRequest: (body, options) => this.request({ to: 'any' }, FindCoordinator, body, options),
      ensureBroker: address => this.#brokers.ensure(address),
    })
  }

  /** Starts to connect in the background, and never stops trying. */
  start(): void {
    this.metadata.start()
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Why no broker has answered a metadata request, ever or since the last that did; null if no failure is known. */
  get metadataError(): KafkaError | null {
    return this.#brokers.metadataError
  }

  /**
   * What may keep a call from succeeding: `metadataError`, or why a broker cannot be reached; null if no failure is
   * known.
   */
  get connectionError(): KafkaError | null {
    return this.metadataError ?? this.brokers().find(({ isFailing }) => isFailing)?.lastFailure ?? null
  }

  /** Whether no broker has been reached, ever or since one was lost. */
  get isCutOff(): boolean {
    return this.metadataError !== null && !this.allBrokers().some(({ isUp }) => isUp)
  }

  broker(id: number): Broker | undefined {
    return this.#brokers.node(id)
  }

  /** The cluster's brokers. */
  brokers(): Broker[] {
    return this.#brokers.nodes()
  }

  /** The cluster's brokers and the bootstrap addresses in use, for statistics. */
  allBrokers(): Broker[] {
    return this.#brokers.all()
  }

  /** See `CoordinatorFinder.find`. */
  coordinator(type: CoordinatorType, key: string, deadline: Deadline, signal?: AbortSignal): Promise<Broker> {
    return this.#coordinators.find(type, key, { deadline, signal })
  }

  forgetCoordinator(type: CoordinatorType, key: string, reason: string): void {
    this.#coordinators.forget(type, key, reason)
  }

  /** Takes effect from the next authentication on; brokers that could not be reached are tried at once. */
  setSaslCredentials(username: string, password: string): void {
    this.#brokers.setCredentials({ username, password })
  }

  /**
   * @throws KafkaError ERR__INVALID_ARG for a token that cannot be used, ERR__STATE without
   * `sasl.mechanisms=OAUTHBEARER`
   */
  setOAuthBearerToken(token: OAuthBearerToken): void {
    this.#tokens().set(token)
  }

  /** @throws KafkaError ERR__STATE without `sasl.mechanisms=OAUTHBEARER` */
  setOAuthBearerTokenFailure(message: string): void {
    this.#tokens().fail(message)
  }

  /**
   * Sends a request to the right broker and retries the errors that the table in retry.ts lists, with backoffs from
   * `retry.backoff.ms` to `retry.backoff.max.ms`. A response with a final code is returned, not thrown.
   * Rejects with KafkaError: ERR__TIMED_OUT at the deadline, with the last error as its cause; that error itself for
   * ERR__AUTHENTICATION, and for what `failFast` does not wait for; ERR__UNSUPPORTED_FEATURE, ERR__DESTROY; or with the
   * signal's reason.
   */
  async request<Req, Res>(
    target: Target,
    api: Api<Req, Res>,
    body: Req | ((version: number) => Req),
    options: ClusterRequestOptions<Res>,
  ): Promise<Decoded<Res>> {
    const { kind } = this.#context
    const { signal } = options
    const failFast = kind === 'admin' || options.failFast === true ? new FailFast() : null
    let last: KafkaError | null = null
    let avoid: readonly Broker[] = []
    for (let attempt = 1; ; attempt++) {
      this.#check(signal)
      const response: Decoded<Res> | Failure = await this.#try(target, api, body, options, avoid)
      if (!(response instanceof Failure)) {
        const code = options.errorOf?.(response) ?? ErrorCode.ERR_NO_ERROR
        const action = actionFor(code)
        if (action === 'none' || action === 'fail') return response
        last = new KafkaError(code, `${api.name} was answered with a transient error`)
        this.#prepareRetry(target, action, `${api.name}: ${last.name}`)
        // The response itself says more than a timeout.
        if (!(await pauseBeforeRetry(this.#context, attempt, options))) return response
        continue
      }
      const { error, tried }: Failure = response
      const action = actionFor(error.code)
      if (action === 'fail' || this.#closed) throw error
      // Background work waits until the configuration has been corrected; a caller has to know.
      if (failFast !== null && this.#shouldGiveUp(error, failFast)) throw this.#givenUp(error)
      last = error
      avoid = tried
      this.#prepareRetry(target, action, error.message)
      if (!(await pauseBeforeRetry(this.#context, attempt, options))) throw this.#outOfTime(api.name, last)
    }
  }

  /** As `close`, after the last push of metrics, if brokers ask for any; that takes a second at most. */
  async end(): Promise<void> {
    const push = this.telemetry.lastPush()
    if (push !== null) await push
    this.close()
  }

  /** Ends everything: pending requests reject with ERR__DESTROY, and no sockets or timers are left. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.telemetry.close()
    this.metadata.close()
    this.#brokers.close(new RequestError(ErrorCode.ERR__DESTROY, `${this.#context.name} is closed`, true))
    this.#context.events.close()
    this.#context.logger.close()
  }

  async #try<Req, Res>(
    target: Target,
    api: Api<Req, Res>,
    body: Req | ((version: number) => Req),
    options: ClusterRequestOptions<Res>,
    avoid: readonly Broker[],
  ): Promise<Decoded<Res> | Failure> {
    const { deadline, signal, lane, minVersion, maxVersion } = options
    const tried: Broker[] = []
    const send = async (broker: Broker): Promise<Decoded<Res>> => {
      const perTry = options.timeoutMs ?? this.#context.settings['socket.timeout.ms']
      const timeoutMs = Math.min(perTry, deadline.left())
      // A request sent too late would only time out and close its connection.
      if (timeoutMs <= 0)
        throw new KafkaError(ErrorCode.ERR__TIMED_OUT, `no time was left for a request to ${broker.name}`)
      tried.push(broker)
      return broker.request(api, body, {
        timeoutMs,
        signal,
        ...(lane === undefined ? {} : { lane }),
        ...(minVersion === undefined ? {} : { minVersion }),
        ...(maxVersion === undefined ? {} : { maxVersion }),
      })
    }
    try {
      if (target.to === 'any' && hedged.has(api.key)) return await this.#hedge(send, deadline, signal, avoid)
      return await send(await this.#route(target, options, avoid))
    } catch (error) {
      if (error instanceof KafkaError) return new Failure(error, tried)
      throw error
    }
  }

  /** Sends to a reachable broker, and to another one whenever those have not answered for a while. */
  async #hedge<Res>(
    send: (broker: Broker) => Promise<Decoded<Res>>,
    deadline: Deadline,
    signal: AbortSignal | undefined,
    avoid: readonly Broker[],
  ): Promise<Decoded<Res>> {
    const hedgeMs = this.metadata.snapshot.brokers.size === 0 ? FIRST_HEDGE_MS : HEDGE_MS
    const unanswered = new Set<Broker>()
    const over = new AbortController()
    // Only called if there is a signal.
    const stopListening = onAbort(signal, () => over.abort(abortReason(signal as AbortSignal)))
    const begin = async (): Promise<Decoded<Res>> => {
      const broker = await this.#brokers.reachable(avoid, deadline, over.signal, unanswered)
      unanswered.add(broker)
      try {
        return await send(broker)
      } catch (error) {
        unanswered.delete(broker)
        // The caller judges a failure: not while another broker may answer, but without waiting for a new connection.
        if (unanswered.size === 0) over.abort(error)
        throw error
      }
    }
    try {
      return await firstOf(this.#context.clock, hedgeMs, (number, failed) => {
        if (failed || this.#closed || over.signal.aborted) return null
        // While none is reachable yet, all brokers are being connected to anyway.
        if (number > 0 && (unanswered.size === 0 || number >= this.#brokers.all().length)) return null
        return begin()
      })
    } finally {
      stopListening()
      over.abort()
    }
  }

  async #route(
    target: Target,
    { deadline, signal, failFast }: Pick<ClusterRequestOptions<unknown>, 'deadline' | 'signal' | 'failFast'>,
    avoid: readonly Broker[],
  ): Promise<Broker> {
    switch (target.to) {
      case 'any':
        return this.#brokers.reachable(avoid, deadline, signal)
      case 'node':
        return this.#node(target.id, `broker ${target.id}`)
      case 'controller': {
        const known = this.#brokers.node(this.metadata.snapshot.controllerId)
        if (known !== undefined) return known
        const snapshot = await this.metadata.refresh([], { deadline, signal, failFast })
        return this.#node(snapshot.controllerId, 'the controller')
      }
      case 'leader': {
        const { topic, partition } = target
        const known = this.metadata.snapshot.topics.get(topic)?.partitions[partition]
        if (known !== undefined && known.leader >= 0)
          return this.#node(known.leader, `the leader of ${topic} [${partition}]`)
        const snapshot = await this.metadata.refresh([topic], { deadline, signal, failFast, allowAutoCreate: false })
        const found = snapshot.topics.get(topic)
        if (found !== undefined && actionFor(found.errorCode) === 'fail') {
          throw new KafkaError(found.errorCode, `topic ${topic} cannot be used`)
        }
        const leader = found?.partitions[partition]?.leader ?? -1
        return this.#node(leader, `the leader of ${topic} [${partition}]`)
      }
      case 'coordinator':
        return this.#coordinators.find(target.type, target.key, { deadline, signal, failFast })
      default:
        return target satisfies never
    }
  }

  #node(id: number, what: string): Broker {
    const broker = this.#brokers.node(id)
    if (broker !== undefined) return broker
    const code = what.startsWith('the leader') ? ErrorCode.ERR_LEADER_NOT_AVAILABLE : ErrorCode.ERR_BROKER_NOT_AVAILABLE
    throw new KafkaError(code, `${what} is not known to the cluster at present`)
  }

  #prepareRetry(target: Target, action: ReturnType<typeof actionFor>, reason: string): void {
    if (target.to === 'coordinator') this.forgetCoordinator(target.type, target.key, reason)
    else if (action === 'refresh-metadata' && target.to !== 'any') {
      this.metadata.requestRefresh(reason, target.to === 'leader' ? [target.topic] : undefined)
    }
  }

  #shouldGiveUp(error: KafkaError, failFast: FailFast): boolean {
    if (this.#givenUpErrors.has(error)) return true
    const hasWorked = this.metadata.snapshot.brokers.size > 0
    return failFast.shouldGiveUp(error, this.#brokers.refusal !== null, hasWorked, this.#context.clock.now())
  }

  #givenUp(last: KafkaError): KafkaError {
    // A request that this one depends on was given up already.
    if (this.#givenUpErrors.has(last)) return last
    // Rejected credentials say more than that another broker cannot be reached.
    const { refusal } = this.#brokers
    const cause = last.code === ErrorCode.ERR__AUTHENTICATION ? last : (refusal ?? last)
    const error = new KafkaError(cause.code, cause.message, { cause })
    this.#givenUpErrors.add(error)
    return error
  }

  // Rejected credentials say more than a timeout.
  #outOfTime(api: string, last: KafkaError): KafkaError {
    if (last.code === ErrorCode.ERR__AUTHENTICATION || this.#brokers.refusal !== null) return this.#givenUp(last)
    const message = `${api} got no usable response in time; last error: ${last.message}`
    return new KafkaError(ErrorCode.ERR__TIMED_OUT, message, { cause: last })
  }

  #tokens(): TokenSource {
    const { tokens } = this.#brokers
    if (tokens !== null) return tokens
    throw new KafkaError(ErrorCode.ERR__STATE, 'tokens need sasl.mechanisms=OAUTHBEARER, which is not set')
  }

  #check(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted()
    if (this.#closed) throw new KafkaError(ErrorCode.ERR__DESTROY, `${this.#context.name} is closed`)
  }
}

class Failure {
  readonly error: KafkaError
  /** The brokers that got the request; empty if none could be reached. */
  readonly tried: readonly Broker[]

  constructor(error: KafkaError, tried: readonly Broker[]) {
    this.error = error
    this.tried = tried
  }
}
