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
import { Patience } from './patience.ts'
import { actionFor } from './retry.ts'
import { pauseBeforeRetry } from './rounds.ts'

/** Who a request is for. */
export type Target =
  | { readonly to: 'any' }
  | { readonly to: 'node'; readonly id: number }
  | { readonly to: 'controller' }
  | { readonly to: 'leader'; readonly topic: string; readonly partition: number }
  | { readonly to: 'coordinator'; readonly type: CoordinatorType; readonly key: string }

export interface ClusterRequestOptions<Res> {
  /** For all tries together. */
  readonly deadline: Deadline
  readonly signal?: AbortSignal | undefined
  /**
   * Somebody waits for this one call: gives up within seconds when it looks as if the configuration were wrong, instead of
   * waiting until it has been put right. Calls of administrators always do.
   */
  readonly impatient?: boolean | undefined
  readonly lane?: LaneName
  /** Limit of each try, in ms; `socket.timeout.ms` by default. */
  readonly timeoutMs?: number
  readonly minVersion?: number
  readonly maxVersion?: number
  /** Reads the code that decides whether to try again; without it every answer is final. */
  readonly errorOf?: (response: Decoded<Res>) => number
}

// Any broker can tell, and asking two of them does no harm.
const hedged: ReadonlySet<number> = new Set([Metadata.key, FindCoordinator.key, DescribeCluster.key])
// So long a broker may take to tell before another is asked beside it; less while nothing is known of the cluster yet, when
// it may be none.
const SILENT_MS = 2000
const SILENT_AT_FIRST_MS = 500

/** The way to every broker: finds the one that a request is for, tries again where that may help, and gives up in time. */
export class Cluster {
  readonly metadata: MetadataCache
  readonly #context: ClientContext
  readonly #brokers: BrokerSet
  readonly #coordinators: CoordinatorFinder
  readonly #surrendered = new WeakSet<KafkaError>()
  #closed = false

  constructor(context: ClientContext) {
    this.#context = context
    this.#brokers = new BrokerSet(context, () => this.metadata.requestRefresh('a broker went away'))
    this.metadata = new MetadataCache(context, async (body, { deadline, signal, impatient }) => {
      try {
        const options = { deadline, signal, impatient, minVersion: 4 }
        const answer = await this.request({ to: 'any' }, Metadata, body, options)
        this.#brokers.told(null)
        return answer
      } catch (error) {
        if (error instanceof KafkaError) this.#brokers.told(error)
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

  /** Begins to connect, in the background and for ever. */
  start(): void {
    this.metadata.start()
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Why no broker has told about the cluster, ever or since the last that did; null if nothing is known to be wrong. */
  get trouble(): KafkaError | null {
    return this.#brokers.trouble
  }

  /** Why somebody who waits may have waited in vain: that, or why one of the brokers cannot be reached; null likewise. */
  get obstacle(): KafkaError | null {
    return this.trouble ?? this.brokers().find(({ isFailing }) => isFailing)?.lastFailure ?? null
  }

  /** That no broker has been reached since one was lost, or ever. */
  get isCutOff(): boolean {
    return this.trouble !== null && !this.allBrokers().some(({ isUp }) => isUp)
  }

  broker(id: number): Broker | undefined {
    return this.#brokers.node(id)
  }

  /** The brokers that the cluster has named. */
  brokers(): Broker[] {
    return this.#brokers.nodes()
  }

  /** Those and the bootstrap addresses in use, for statistics. */
  allBrokers(): Broker[] {
    return this.#brokers.all()
  }

  /** See CoordinatorFinder.find. */
  coordinator(type: CoordinatorType, key: string, deadline: Deadline, signal?: AbortSignal): Promise<Broker> {
    return this.#coordinators.find(type, key, { deadline, signal })
  }

  forgetCoordinator(type: CoordinatorType, key: string, reason: string): void {
    this.#coordinators.forget(type, key, reason)
  }

  /** Used from the next authentication on; brokers that could not be reached so far are tried at once. */
  setSaslCredentials(username: string, password: string): void {
    this.#brokers.setCredentials({ username, password })
  }

  /** @throws KafkaError ERR__INVALID_ARG for a token that cannot be used, ERR__STATE without `sasl.mechanisms=OAUTHBEARER` */
  setOAuthBearerToken(token: OAuthBearerToken): void {
    this.#tokens().set(token)
  }

  /** @throws KafkaError ERR__STATE without `sasl.mechanisms=OAUTHBEARER` */
  setOAuthBearerTokenFailure(message: string): void {
    this.#tokens().fail(message)
  }

  /**
   * Sends to the right broker and tries again, with `retry.backoff.ms` to `retry.backoff.max.ms` in between,
   * what the table in retry.ts calls worth it. An answer with a final code is returned, not thrown.
   * Rejects with KafkaError: ERR__TIMED_OUT at the deadline with the last reason as its cause (or that reason
   * itself for ERR__AUTHENTICATION, and for what an impatient call does not wait for), ERR__UNSUPPORTED_FEATURE, ERR__DESTROY; or with the signal's reason.
   */
  async request<Req, Res>(
    target: Target,
    api: Api<Req, Res>,
    body: Req | ((version: number) => Req),
    options: ClusterRequestOptions<Res>,
  ): Promise<Decoded<Res>> {
    const { kind } = this.#context
    const { signal } = options
    const patience = kind === 'admin' || options.impatient === true ? new Patience() : null
    let last: KafkaError | null = null
    let avoid: readonly Broker[] = []
    for (let attempt = 1; ; attempt++) {
      this.#check(signal)
      const response: Decoded<Res> | Failure = await this.#try(target, api, body, options, avoid)
      if (!(response instanceof Failure)) {
        const code = options.errorOf?.(response) ?? ErrorCode.ERR_NO_ERROR
        const action = actionFor(code)
        if (action === 'none' || action === 'fail') return response
        last = new KafkaError(code, `${api.name} was answered with a passing error`)
        this.#prepareRetry(target, action, `${api.name}: ${last.name}`)
        // The answer itself tells more than a time-out would.
        if (!(await pauseBeforeRetry(this.#context, attempt, options))) return response
        continue
      }
      const { error, asked }: Failure = response
      const action = actionFor(error.code)
      if (action === 'fail' || this.#closed) throw error
      // Others wait until it has been put right; a person at a call had better know.
      if (patience !== null && this.#isHopeless(error, patience)) throw this.#givenUp(error)
      last = error
      avoid = asked
      this.#prepareRetry(target, action, error.message)
      if (!(await pauseBeforeRetry(this.#context, attempt, options))) throw this.#outOfTime(api.name, last)
    }
  }

  /** Ends everything: pending requests reject with ERR__DESTROY, sockets and timers are gone afterwards. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.metadata.close()
    this.#brokers.close(new RequestError(ErrorCode.ERR__DESTROY, `${this.#context.name} is closed`, true))
    this.#context.events.close()
  }

  async #try<Req, Res>(
    target: Target,
    api: Api<Req, Res>,
    body: Req | ((version: number) => Req),
    options: ClusterRequestOptions<Res>,
    avoid: readonly Broker[],
  ): Promise<Decoded<Res> | Failure> {
    const { deadline, signal, lane, minVersion, maxVersion } = options
    const asked: Broker[] = []
    const ask = async (broker: Broker): Promise<Decoded<Res>> => {
      const perTry = options.timeoutMs ?? this.#context.settings['socket.timeout.ms']
      const timeoutMs = Math.min(perTry, deadline.left())
      // One that is sent too late would only take its connection with it.
      if (timeoutMs <= 0) throw new KafkaError(ErrorCode.ERR__TIMED_OUT, `no time was left to ask ${broker.name}`)
      asked.push(broker)
      return broker.request(api, body, {
        timeoutMs,
        signal,
        ...(lane === undefined ? {} : { lane }),
        ...(minVersion === undefined ? {} : { minVersion }),
        ...(maxVersion === undefined ? {} : { maxVersion }),
      })
    }
    try {
      if (target.to === 'any' && hedged.has(api.key)) return await this.#askAny(ask, deadline, signal, avoid)
      return await ask(await this.#route(target, options, avoid))
    } catch (error) {
      if (error instanceof KafkaError) return new Failure(error, asked)
      throw error
    }
  }

  /** Asks a broker that can be reached, and another beside it whenever those asked have kept silent for a while. */
  async #askAny<Res>(
    ask: (broker: Broker) => Promise<Decoded<Res>>,
    deadline: Deadline,
    signal: AbortSignal | undefined,
    avoid: readonly Broker[],
  ): Promise<Decoded<Res>> {
    const silentMs = this.metadata.snapshot.brokers.size === 0 ? SILENT_AT_FIRST_MS : SILENT_MS
    const silent = new Set<Broker>()
    const over = new AbortController()
    // It is only called when there is a signal.
    const stopListening = onAbort(signal, () => over.abort(abortReason(signal as AbortSignal)))
    const begin = async (): Promise<Decoded<Res>> => {
      const broker = await this.#brokers.reachable(avoid, deadline, over.signal, silent)
      silent.add(broker)
      try {
        return await ask(broker)
      } catch (error) {
        silent.delete(broker)
        // A failure is judged by who asks: not while another may answer, but without waiting for one to connect to.
        if (silent.size === 0) over.abort(error)
        throw error
      }
    }
    try {
      return await firstOf(this.#context.clock, silentMs, (number, failed) => {
        if (failed || this.#closed || over.signal.aborted) return null
        // While a broker to ask is being looked for, all are connected to anyway.
        if (number > 0 && (silent.size === 0 || number >= this.#brokers.all().length)) return null
        return begin()
      })
    } finally {
      stopListening()
      over.abort()
    }
  }

  async #route(
    target: Target,
    { deadline, signal, impatient }: Pick<ClusterRequestOptions<unknown>, 'deadline' | 'signal' | 'impatient'>,
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
        const snapshot = await this.metadata.refresh([], { deadline, signal, impatient })
        return this.#node(snapshot.controllerId, 'the controller')
      }
      case 'leader': {
        const { topic, partition } = target
        const known = this.metadata.snapshot.topics.get(topic)?.partitions[partition]
        if (known !== undefined && known.leader >= 0)
          return this.#node(known.leader, `the leader of ${topic} [${partition}]`)
        const snapshot = await this.metadata.refresh([topic], { deadline, signal, impatient, allowAutoCreate: false })
        const found = snapshot.topics.get(topic)
        if (found !== undefined && actionFor(found.errorCode) === 'fail') {
          throw new KafkaError(found.errorCode, `topic ${topic} cannot be used`)
        }
        const leader = found?.partitions[partition]?.leader ?? -1
        return this.#node(leader, `the leader of ${topic} [${partition}]`)
      }
      case 'coordinator':
        return this.#coordinators.find(target.type, target.key, { deadline, signal, impatient })
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

  #isHopeless(error: KafkaError, patience: Patience): boolean {
    if (this.#surrendered.has(error)) return true
    const hasWorked = this.metadata.snapshot.brokers.size > 0
    return patience.isOver(error, this.#brokers.refusal !== null, hasWorked, this.#context.clock.now())
  }

  #givenUp(last: KafkaError): KafkaError {
    // A request that this one needed has been given up already.
    if (this.#surrendered.has(last)) return last
    // That one broker does not accept the credentials says more than that another cannot be reached.
    const { refusal } = this.#brokers
    const cause = last.code === ErrorCode.ERR__AUTHENTICATION ? last : (refusal ?? last)
    const error = new KafkaError(cause.code, cause.message, { cause })
    this.#surrendered.add(error)
    return error
  }

  // That no broker accepts the credentials says more than that time is over.
  #outOfTime(api: string, last: KafkaError): KafkaError {
    if (last.code === ErrorCode.ERR__AUTHENTICATION || this.#brokers.refusal !== null) return this.#givenUp(last)
    const message = `${api} got no usable answer in time; last: ${last.message}`
    return new KafkaError(ErrorCode.ERR__TIMED_OUT, message, { cause: last })
  }

  #tokens(): TokenSource {
    const { tokens } = this.#brokers
    if (tokens !== null) return tokens
    throw new KafkaError(ErrorCode.ERR__STATE, 'tokens are for sasl.mechanisms=OAUTHBEARER, which is not set')
  }

  #check(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted()
    if (this.#closed) throw new KafkaError(ErrorCode.ERR__DESTROY, `${this.#context.name} is closed`)
  }
}

class Failure {
  readonly error: KafkaError
  /** Empty when none could be reached. */
  readonly asked: readonly Broker[]

  constructor(error: KafkaError, asked: readonly Broker[]) {
    this.error = error
    this.asked = asked
  }
}
