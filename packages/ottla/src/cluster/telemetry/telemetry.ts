/**
 * Pushes metrics to brokers that ask for them (KIP-714, `enable.metrics.push`). One broker at a time says which and how
 * often. Brokers without a receiver of metrics do not offer the requests for it: then nothing happens, and no timer runs.
 */
import {
  codecById,
  encodeMetrics,
  ErrorCode,
  GetTelemetrySubscriptions,
  PushTelemetry,
  ZERO_UUID,
  type CompressionCodec,
  type Decoded,
  type GetTelemetrySubscriptionsResponse,
  type PushTelemetryRequest,
} from '@ottla/protocol'
import { Alarm } from '../../base/alarm.ts'
import type { Deadline } from '../../base/clock.ts'
import { Deferred } from '../../base/deferred.ts'
import { messageOf } from '../../base/unknown-error.ts'
import { within } from '../../base/wait.ts'
import { KafkaError } from '../../errors.ts'
import { libraryVersion } from '../../version.ts'
import type { Broker } from '../broker.ts'
import type { ClientContext } from '../context.ts'
import { adminTelemetry } from './sources.ts'
import { isRequested, MetricsCollector, type ClientMetric, type TelemetrySource } from './metrics.ts'

/**
 * - `searching`: no broker that is connected asks for metrics
 * - `subscribing`: a broker is asked what it wants
 * - `waiting`: until the next push, or until the broker is asked again
 * - `pushing`: a push is not answered yet
 * - `ended`: for good
 */
type State = 'searching' | 'subscribing' | 'waiting' | 'pushing' | 'ended'

type Subscription = Pick<
  GetTelemetrySubscriptionsResponse,
  'subscriptionId' | 'acceptedCompressionTypes' | 'telemetryMaxBytes' | 'deltaTemporality' | 'requestedMetrics'
>

// For brokers that do not say when to ask again.
const DEFAULT_INTERVAL_MS = 300_000
// How long closing waits for the last push, as in librdkafka.
const LAST_PUSH_MS = 1000

export class ClientTelemetry {
  /** What the client's kind adds. */
  source: TelemetrySource = adminTelemetry
  readonly #context: ClientContext
  readonly #brokers: () => readonly Broker[]
  readonly #collector: MetricsCollector
  readonly #alarm: Alarm
  readonly #begunMs: number
  #state: State
  /** After a failure it does not ask the next broker at once. */
  #isBackingOff = false
  #broker: Broker | null = null
  #instanceId: string = ZERO_UUID
  #subscription: Subscription | null = null
  #intervalMs = DEFAULT_INTERVAL_MS
  #lastMs: number
  /** Codecs that a broker has refused in spite of what it said. */
  readonly #refusedCodecs = new Set<number>()
  readonly #hasId = new Deferred<string>()

  /** @param brokers - all that are known */
  constructor(context: ClientContext, brokers: () => readonly Broker[]) {
    const { clock, settings } = context
    this.#context = context
    this.#brokers = brokers
    this.#collector = new MetricsCollector(context, brokers, () => this.source)
    this.#alarm = new Alarm(clock, () => this.#onAlarm())
    this.#begunMs = this.#lastMs = clock.wallTime()
    this.#state = settings['enable.metrics.push'] ? 'searching' : 'ended'
    // Nobody may wait for it.
    this.#hasId.promise.catch(() => undefined)
  }

  /** A connection came up. */
  onUp(broker: Broker): void {
    if (this.#state === 'searching' && !this.#isBackingOff && canPush(broker)) this.#subscribe(broker)
  }

  /** See `AuthenticatedClient.addMetric`. */
  add(metric: ClientMetric): () => void {
    return this.#collector.add(metric)
  }

  /** See `AuthenticatedClient.clientInstanceId`. */
  clientInstanceId(deadline: Deadline, signal: AbortSignal | undefined): Promise<string> {
    if (!this.#context.settings['enable.metrics.push']) {
      throw new KafkaError(ErrorCode.ERR__NOT_CONFIGURED, 'clientInstanceId needs enable.metrics.push')
    }
    const late = (): KafkaError => {
      const why = 'no broker has given this client an instance id: only brokers with a receiver of client metrics do'
      return new KafkaError(ErrorCode.ERR__TIMED_OUT, why)
    }
    return within(this.#hasId.promise, this.#context.clock, deadline, late, signal)
  }

  /** The last push, if there is anything to push; null if not. It never rejects and takes a second at most. */
  lastPush(): Promise<void> | null {
    const broker = this.#broker
    const subscription = this.#subscription
    // Behind one that is in flight, too: the broker answers them in order.
    const isOn = this.#state === 'waiting' || this.#state === 'pushing'
    const isDue = isOn && subscription !== null && subscription.requestedMetrics.length > 0
    this.close()
    if (!isDue || broker?.isUp !== true) return null
    const timeoutMs = LAST_PUSH_MS
    const push = this.#request(subscription, true)
    if (push === null) return null
    return broker.request(PushTelemetry, push, { timeoutMs }).then(
      () => undefined,
      (error: unknown) => this.#context.logger.debug('telemetry', 'TERM', `the last push failed: ${messageOf(error)}`),
    )
  }

  /** Nothing more is pushed. */
  close(): void {
    this.#state = 'ended'
    this.#alarm.cancel()
    this.#hasId.reject(new KafkaError(ErrorCode.ERR__DESTROY, `${this.#context.name} is closed`))
  }

  #onAlarm(): void {
    this.#isBackingOff = false
    const broker = this.#choose()
    if (broker === null) this.#search(null)
    else if (this.#subscription === null || broker !== this.#broker) this.#subscribe(broker)
    else this.#push(broker, this.#subscription)
  }

  /** The broker so far, while it is connected; another one may know nothing of this client yet. */
  #choose(): Broker | null {
    if (this.#broker?.isUp === true) return this.#broker
    const able = this.#brokers().filter(broker => broker.isUp && canPush(broker))
    return able[Math.floor(this.#context.random() * able.length)] ?? null
  }

  /** Waits until a broker comes up, or until the time has passed. */
  #search(ms: number | null): void {
    if (this.#state === 'ended') return
    this.#state = 'searching'
    this.#subscription = null
    this.#isBackingOff = ms !== null
    if (ms !== null) this.#alarm.set(this.#context.clock.now() + ms)
  }

  #subscribe(broker: Broker): void {
    const { logger, settings } = this.#context
    this.#state = 'subscribing'
    this.#broker = broker
    this.#subscription = null
    const options = { timeoutMs: settings['socket.timeout.ms'] }
    broker.request(GetTelemetrySubscriptions, { clientInstanceId: this.#instanceId }, options).then(
      response => this.#subscribed(response),
      (error: unknown) => {
        logger.debug('telemetry', 'GETSUBSCRIPTIONS', `${broker.name}: ${messageOf(error)}`)
        this.#broker = null
        this.#search(this.#intervalMs)
      },
    )
  }

  #subscribed(response: Decoded<GetTelemetrySubscriptionsResponse>): void {
    const { random, logger } = this.#context
    const { errorCode, clientInstanceId, pushIntervalMs, requestedMetrics } = response
    if (this.#state !== 'subscribing') return
    if (pushIntervalMs > 0) this.#intervalMs = pushIntervalMs
    if (errorCode !== ErrorCode.ERR_NO_ERROR) {
      const { name } = KafkaError.of(errorCode, 'GetTelemetrySubscriptions')
      logger.debug('telemetry', 'GETSUBSCRIPTIONS', `refused: ${name}`)
      if (errorCode === ErrorCode.ERR_INVALID_REQUEST) this.#giveUp(name)
      else this.#search(this.#intervalMs)
      return
    }
    this.#instanceId = clientInstanceId
    this.#hasId.resolve(clientInstanceId)
    const wanted = requestedMetrics.length === 0 ? 'nothing' : requestedMetrics.join(', ')
    logger.debug('telemetry', 'GETSUBSCRIPTIONS', `${wanted}, every ${this.#intervalMs} ms`)
    // Nothing: the broker is asked again.
    this.#subscription = requestedMetrics.length === 0 ? null : response
    // So that clients that started together do not push together.
    this.#wait(requestedMetrics.length === 0 ? this.#intervalMs : this.#intervalMs * (0.5 + random()))
  }

  #wait(ms: number): void {
    this.#state = 'waiting'
    this.#alarm.set(this.#context.clock.now() + ms)
  }

  #push(broker: Broker, subscription: Subscription): void {
    const { logger, settings } = this.#context
    const push = this.#request(subscription, false)
    if (push === null) {
      this.#wait(this.#intervalMs)
      return
    }
    this.#state = 'pushing'
    broker.request(PushTelemetry, push, { timeoutMs: settings['socket.timeout.ms'] }).then(
      ({ errorCode }) => this.#pushed(broker, push, errorCode),
      (error: unknown) => {
        logger.debug('telemetry', 'PUSH', `${broker.name}: ${messageOf(error)}`)
        this.#broker = null
        this.#search(this.#intervalMs)
      },
    )
  }

  #pushed(broker: Broker, { compressionType }: PushTelemetryRequest, errorCode: number): void {
    if (this.#state !== 'pushing') return
    const { name } = KafkaError.of(errorCode, 'PushTelemetry')
    if (errorCode !== ErrorCode.ERR_NO_ERROR) this.#context.logger.debug('telemetry', 'PUSH', `refused: ${name}`)
    switch (errorCode) {
      case ErrorCode.ERR_UNSUPPORTED_COMPRESSION_TYPE:
        this.#refusedCodecs.add(compressionType)
        this.#subscribe(broker)
        break
      case ErrorCode.ERR_UNKNOWN_SUBSCRIPTION_ID:
        this.#subscribe(broker)
        break
      case ErrorCode.ERR_INVALID_REQUEST:
      case ErrorCode.ERR_INVALID_RECORD:
        this.#giveUp(name)
        break
      default:
        this.#wait(this.#intervalMs)
    }
  }

  #giveUp(name: string): void {
    this.#context.logger.warning('TELEMETRY', `a broker refuses this client's metrics (${name}): no more are pushed`)
    this.#state = 'ended'
  }

  /** Null if it would be larger than the broker takes. */
  #request(subscription: Subscription, terminating: boolean): PushTelemetryRequest | null {
    const { clock, logger, name } = this.#context
    const { subscriptionId, telemetryMaxBytes, deltaTemporality, requestedMetrics } = subscription
    const nowMs = clock.wallTime()
    const period = { begunMs: this.#begunMs, lastMs: this.#lastMs, nowMs, isDelta: deltaTemporality }
    this.#lastMs = nowMs
    const all = this.#collector.collect(period)
    const plain = encodeMetrics({
      resource: this.source.attributes(),
      scope: { name, version: libraryVersion },
      metrics: all.filter(each => isRequested(each.name, requestedMetrics)),
    })
    const codec = this.#codec(subscription)
    // The codec's next use may overwrite what it returns.
    const metrics = codec === null ? plain : Buffer.from(codec.compress(plain))
    if (metrics.length > telemetryMaxBytes) {
      const limit = `telemetry.max.bytes of the broker is ${telemetryMaxBytes}`
      logger.warning('TELEMETRY', `metrics of ${metrics.length} bytes are not pushed: ${limit}`)
      return null
    }
    const compressionType = codec?.id ?? 0
    return { clientInstanceId: this.#instanceId, subscriptionId, terminating, compressionType, metrics }
  }

  /** The broker's first choice that can be used at once; null for none. */
  #codec({ acceptedCompressionTypes }: Subscription): CompressionCodec | null {
    for (const id of acceptedCompressionTypes) {
      if (id <= 0 || id > LAST_CODEC || this.#refusedCodecs.has(id)) continue
      const codec = codecById(id)
      const loading = codec.ready()
      if (loading === null) return codec
      // The next push has it.
      loading.catch(() => this.#refusedCodecs.add(id))
    }
    return null
  }
}

const LAST_CODEC = 4

function canPush(broker: Broker): boolean {
  return broker.version(GetTelemetrySubscriptions) !== undefined && broker.version(PushTelemetry) !== undefined
}
