/** One run of a consumer: from `run` to `stop`, with a consumer of `ottla` of its own. */
import {
  Consumer,
  ErrorCode,
  KafkaError,
  OFFSET_BEGINNING,
  OFFSET_END,
  type PartitionAssignor,
  type RebalanceEvent,
  type TopicPartition,
  type TopicPartitionOffset,
} from 'ottla'
import type { InstrumentationEmitter } from '../observe/emitter.ts'
import type { Connecting } from '../translate/connecting.ts'
import { exceeded, toFinalError, toKafkaJSError } from '../translate/errors.ts'
import type { RetryPlan } from '../translate/retry.ts'
import type { Shared } from '../translate/shared.ts'
import type { ConsumerConfig, ConsumerEvents } from '../types/consumer.ts'
import type { Logger } from '../types/logging.ts'
import type { TopicPartitions } from '../types/metadata.ts'
import type { TopicSelection } from './arguments.ts'
import { consumerProperties } from './configuration.ts'
import { Handlers } from './handlers.ts'
import type { Pauses } from './pauses.ts'
import { Progress } from './progress.ts'
import type { RunSettings } from './run-settings.ts'
import { SessionEvents } from './session-events.ts'
import type { Subscriptions } from './subscriptions.ts'

export interface SessionHost {
  readonly shared: Shared
  readonly config: ConsumerConfig
  readonly plan: RetryPlan
  readonly settings: RunSettings
  readonly emitter: InstrumentationEmitter<ConsumerEvents>
  readonly logger: Logger
  readonly subscriptions: Subscriptions
  readonly pauses: Pauses
  /** @param onLead called with the name of the one by which this member, as leader, assigns partitions */
  assignors(onLead: (name: string) => void): PartitionAssignor[]
  connecting(): Promise<Connecting>
  /** It has ended by itself. */
  onCrash(error: Error): void
}

/** Errors of the group that kafkajs gives up at: the program has to do something about them. */
const hopeless: ReadonlySet<number> = new Set([
  ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED,
  ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED,
  ErrorCode.ERR_INCONSISTENT_GROUP_PROTOCOL,
  ErrorCode.ERR_INVALID_SESSION_TIMEOUT,
  ErrorCode.ERR_GROUP_MAX_SIZE_REACHED,
])

/** Commits fail so when the group has moved on: what was not committed is read again, by whoever has the partition. */
const movedOn: ReadonlySet<number> = new Set([
  ErrorCode.ERR_REBALANCE_IN_PROGRESS,
  ErrorCode.ERR_ILLEGAL_GENERATION,
  ErrorCode.ERR_UNKNOWN_MEMBER_ID,
])

export class Session {
  readonly #host: SessionHost
  readonly #progress = new Progress()
  readonly #assignors: readonly PartitionAssignor[]
  readonly #handlers: Handlers
  readonly #events: SessionEvents
  readonly #end = new AbortController()
  /** For partitions that are not assigned yet. */
  readonly #seeks = new Map<string, TopicPartitionOffset>()
  readonly #joined: Promise<void>
  #onJoined!: () => void // set by the executor, which runs within the constructor
  #consumer: Consumer | null = null
  #running: Promise<void> = Promise.resolve()
  #stopping: Promise<void> | null = null
  #failure: Error | null = null
  readonly #unmark: () => void

  constructor(host: SessionHost) {
    const { shared, config, settings, emitter, logger } = host
    const { groupId } = config
    this.#host = host
    this.#joined = new Promise(resolve => (this.#onJoined = resolve))
    this.#events = new SessionEvents({
      emitter,
      config,
      clientId: shared.config.clientId ?? 'kafkajs',
      hasNothingToFetch: () => (this.#consumer?.assignment() ?? []).every(each => host.pauses.has(each)),
      isBusy: () => this.#handlers.isBusy,
    })
    this.#assignors = host.assignors(name => this.#events.leads(name))
    this.#handlers = new Handlers({
      groupId,
      settings,
      emitter,
      logger: logger.namespace('Runner'),
      progress: this.#progress,
      isRunning: () => this.isRunning,
      isPaused: partition => host.pauses.has(partition),
      pause: ({ topic, partition }) => {
        const selection = [{ topic, partitions: [partition] }]
        this.pause(selection)
        return () => this.resume(selection)
      },
      commit: offsets => this.#commitFor(offsets),
      alive: () => this.#events.alive(),
      crash: error => this.#fail(error),
    })
    this.#unmark = shared.committed.onMarked((group, topic, partition, offset) => {
      if (group === groupId) this.#progress.committed([{ topic, partition, offset }])
    })
  }

  get isRunning(): boolean {
    return !this.#end.signal.aborted
  }

  /** Resolves when the group has been joined, or the session has ended before. */
  async start(): Promise<void> {
    const { subscriptions, settings, plan } = this.#host
    try {
      const consumer = await this.#connect()
      if (consumer === null) return
      if (subscriptions.isEmpty) return
      consumer.subscribe(subscriptions.terms, event => this.#onRebalance(event, consumer))
      this.#running = consumer
        .run({
          batchHandler: this.#handlers.handle,
          concurrency: settings.concurrency,
          retry: { retries: plan.retries, backoffMs: plan.initialRetryTime, backoffMaxMs: plan.maxRetryTime },
          drainMs: this.#drainMs,
          commit: settings.autoCommit,
          signal: this.#end.signal,
        })
        .catch((error: unknown) => this.#fail(this.#runError(error)))
    } catch (error) {
      this.#fail(toFinalError(error, plan))
    }
    await this.#joined
  }

  /** Waits for the running handlers, commits, and leaves the group. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  seek(to: TopicPartitionOffset): void {
    const consumer = this.#consumer
    const { topic, partition, offset } = to
    if (consumer === null || !isAmong(to, consumer.assignment())) {
      this.#seeks.set(keyOf(to), to)
      return
    }
    this.#handlers.sought(to)
    this.#progress.sought(to)
    // It has moved when this returns; an error is in the result.
    const failed = ({ message }: Error): void => this.#host.logger.error(`Seek failed: ${message}`)
    consumer.seek([to]).then(([result]) => {
      if (result?.error !== undefined) failed(result.error)
    }, failed)
    if (this.#host.settings.autoCommit && offset >= 0) this.#commitSought([{ topic, partition, offset }])
  }

  pause(selections: readonly TopicSelection[]): void {
    this.#host.pauses.pause(selections)
    this.#applyPauses()
  }

  resume(selections: readonly TopicSelection[]): void {
    this.#host.pauses.resume(selections)
    this.#applyPauses()
  }

  /** The assigned partitions that are paused. */
  paused(): TopicPartitions[] {
    return this.#host.pauses.among(this.#consumer?.assignment() ?? [])
  }

  /** `commitOffsets` of the program. Rejects with kafkajs's errors. */
  async commit(offsets: readonly TopicPartitionOffset[]): Promise<void> {
    if (this.#consumer === null || !this.isRunning || offsets.length === 0) return
    try {
      await this.#consumer.commit(offsets)
      this.#handlers.hasCommitted()
    } catch (error) {
      throw toFinalError(error, this.#host.plan)
    }
  }

  async #connect(): Promise<Consumer | null> {
    const { subscriptions, settings, config } = this.#host
    const assignors = this.#assignors
    const { config: common, options } = await this.#host.connecting()
    if (!this.isRunning) return null
    const strategies = assignors.map(({ name }) => name)
    // Where they differ, an offset that is gone is taken for one before the first: nothing is left out.
    const fromBeginning = subscriptions.commonBeginning ?? true
    const properties = consumerProperties(config, settings, strategies, fromBeginning)
    const consumer = new Consumer({ ...common, ...properties }, { ...options, assignors })
    this.#consumer = consumer
    this.#events.observe(consumer)
    consumer.on('error', ({ error }) => this.#onError(error))
    consumer.on('gap', gap => this.#handlers.passed(gap))
    consumer.on('offsets-committed', ({ offsets }) => this.#progress.committed(offsets))
    if (subscriptions.isEmpty) this.#onJoined()
    return consumer
  }

  async #stop(): Promise<void> {
    this.#end.abort()
    this.#events.end()
    this.#unmark()
    this.#onJoined()
    await this.#consumer?.close(this.#drainMs)
    await this.#running
  }

  /** How long handlers may take to end. */
  get #drainMs(): number {
    const { rebalanceTimeout = DRAIN_MS } = this.#host.config
    return Math.max(rebalanceTimeout, DRAIN_MS)
  }

  async #onRebalance({ type, partitions }: RebalanceEvent, consumer: Consumer): Promise<void> {
    if (type === 'assign') {
      await this.#assign(partitions, consumer)
      return
    }
    this.#handlers.revoked(partitions)
    if (this.isRunning) this.#events.rebalancing(consumer)
    // Handlers that are running still resolve what they have; nothing of it may be committed later.
    this.#progress.forget(partitions)
  }

  async #assign(assigned: readonly TopicPartitionOffset[], consumer: Consumer): Promise<void> {
    const { subscriptions, settings, logger } = this.#host
    const wanted = assigned.filter(({ topic }) => subscriptions.includes(topic))
    if (wanted.length < assigned.length) {
      const payload = this.#events.unsubscribed(consumer, assigned, subscriptions.names)
      logger.warn('Consumer group received unsubscribed topics', payload)
    }
    const begun = await this.#beginnings(wanted, consumer)
    const sought = wanted.flatMap(each => this.#seeks.get(keyOf(each)) ?? [])
    for (const each of sought) this.#seeks.delete(keyOf(each))
    const offsets = new Map([...begun, ...sought].map(each => [keyOf(each), each.offset]))
    await consumer.assign(wanted.map(each => ({ ...each, offset: offsets.get(keyOf(each)) ?? each.offset })))
    this.#applyPauses()
    const toCommit = sought.filter(({ offset }) => offset >= 0)
    if (settings.autoCommit && toCommit.length > 0) this.#commitSought(toCommit)
    this.#events.joined(consumer, wanted, subscriptions.names, this.#assignors[0]?.name)
    this.#onJoined()
  }

  /** Where topics begin without a committed offset, if they do not all begin in the same place. */
  async #beginnings(partitions: readonly TopicPartition[], consumer: Consumer): Promise<TopicPartitionOffset[]> {
    const { subscriptions } = this.#host
    if (subscriptions.commonBeginning !== null || partitions.length === 0) return []
    const committed = await consumer.committed(partitions)
    return committed
      .filter(({ offset, error }) => offset < 0 && error === undefined)
      .map(({ topic, partition }) => {
        const offset = subscriptions.fromBeginning(topic) ? OFFSET_BEGINNING : OFFSET_END
        return { topic, partition, offset }
      })
  }

  #applyPauses(): void {
    const consumer = this.#consumer
    if (consumer === null || !this.isRunning) return
    const assigned = consumer.assignment()
    const paused = assigned.filter(each => this.#host.pauses.has(each))
    const others = assigned.filter(each => !this.#host.pauses.has(each))
    if (paused.length > 0) consumer.pause(paused)
    if (others.length > 0) consumer.resume(others)
  }

  /** As kafkajs does at once: a restart continues from there. */
  #commitSought(offsets: readonly TopicPartitionOffset[]): void {
    void this.#commitFor(offsets).catch((error: unknown) => {
      this.#host.logger.error(`Could not commit the offset of a seek: ${(error as Error).message}`)
    })
  }

  /** Commits these offsets, or what is processed. */
  async #commitFor(offsets?: readonly TopicPartitionOffset[]): Promise<void> {
    try {
      await this.#consumer?.commit(offsets)
      this.#handlers.hasCommitted()
    } catch (error) {
      const code = error instanceof KafkaError ? error.code : 0
      if (code === ErrorCode.ERR__NO_OFFSET) this.#handlers.hasCommitted()
      else if (movedOn.has(code)) this.#host.logger.debug(`Could not commit: ${(error as Error).message}`)
      else throw toKafkaJSError(error)
    }
  }

  #onError(error: KafkaError): void {
    if (hopeless.has(error.code)) this.#fail(toFinalError(error, this.#host.plan))
    // The client keeps trying; `run` must not wait for that.
    else if (error.code === ErrorCode.ERR__ALL_BROKERS_DOWN) this.#onJoined()
  }

  /** What a run has ended with: the error of a handler that has failed for good, or a fatal one of the client. */
  #runError(error: unknown): Error {
    const { plan } = this.#host
    if (error instanceof KafkaError) return toFinalError(error, plan)
    return exceeded(error instanceof Error ? error : new Error(String(error)), plan.retries, plan)
  }

  #fail(error: Error): void {
    if (this.#failure !== null || this.#stopping !== null) return
    this.#failure = error
    this.#end.abort()
    this.#onJoined()
    this.#host.onCrash(error)
  }
}

/** Handlers get this long at least before their partitions go to others, or the consumer is closed. */
const DRAIN_MS = 60_000

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}\0${partition}`
}

function isAmong(one: TopicPartition, all: readonly TopicPartition[]): boolean {
  return all.some(({ topic, partition }) => topic === one.topic && partition === one.partition)
}
