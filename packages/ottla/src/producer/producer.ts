import { ErrorCode } from '@ottla/protocol'
import { Deadline } from '../base/clock.ts'
import { rejectLater } from '../base/turn.ts'
import { resolveWait, type Wait } from '../base/wait.ts'
import { Cluster } from '../cluster/cluster.ts'
import { createContext, type ClientContext } from '../cluster/context.ts'
import { AuthenticatedClient } from '../cluster/authenticated-client.ts'
import { clientHandle, type ClientHandle } from '../cluster/handle.ts'
import { clientInsight, type ClientInsight } from '../cluster/insight.ts'
import { producerTelemetry } from '../cluster/telemetry/sources.ts'
import { getMetadata, offsetsForTimes, queryWatermarkOffsets, type QueryOptions } from '../cluster/queries.ts'
import { checkedOptions } from '../config/constructor-options.ts'
import { resolveConfig, type ProducerConfig } from '../config/resolve.ts'
import { KafkaError, invalidArgument } from '../errors.ts'
import { StatisticsReporter } from '../observe/statistics/reporter.ts'
import { takeWindow } from '../observe/statistics/window.ts'
import { serializersOf } from '../topic-serdes.ts'
import type { Untyped, ValueBeside } from '../topics.ts'
import type {
  Bytes,
  ConsumerGroupMetadata,
  Event,
  Metadata,
  ProducedMessage,
  ProducedReport,
  ProducerEvent,
  TopicPartitionOffset,
  WaitOptions,
} from '../types.ts'
import { flush, untilRead } from './flush.ts'
import type { PipelineIdentity } from './idempotence/identity.ts'
import { requestId, ProducerIdentity, type RequestId } from './idempotence/producer-identity.ts'
import type { Intake, Serializers } from './intake.ts'
import { Intakes } from './intakes.ts'
import { ProducerInterceptors } from './interceptors.ts'
import { producerInsight } from './explainer.ts'
import { Lifecycle } from './lifecycle.ts'
import type { ProducerListener, ProducerOptions, TopicProducerArguments } from './options.ts'
import { Pipeline } from './pipeline.ts'
import type { ReportSink } from './queue/entries.ts'
import { inContext } from './report/report-context.ts'
import { pipelineSettings } from './settings.ts'
import { producerStatistics } from './statistics.ts'
import { checkGroup, checkOffsets } from './transaction/arguments.ts'
import {
  checkSource,
  consumeTransformProduce,
  type TransactionalBatch,
  type TransactionalOptions,
  type TransactionalSource,
} from './transaction/consume-transform-produce.ts'
import { TransactionRequests } from './transaction/requests.ts'
import { runTransaction } from './transaction/run.ts'
import { Transactions, type TransactionHost } from './transaction/transactions.ts'
import { writableOf } from './writable.ts'

const producerEvents: ReadonlySet<ProducerEvent['type']> = new Set([
  'delivery',
  'error',
  'stats',
  'throttle',
  'log',
  'oauthbearer-token-refresh',
])

const UNLIMITED_CLOSE_MS = 300_000

/**
 * Sends messages to Kafka. Each message that `produce` or `send` accepts gets exactly one delivery report, whatever
 * happens. A report carries the message object's own key, value, headers and opaque: do not change the object before.
 * The bytes are copied at once.
 *
 * Messages of one partition are sent in the order of the calls. A retried batch may be overtaken by others in flight:
 * `enable.idempotence` or `max.in.flight=1` keeps the order in any case. Only `enable.idempotence` keeps a retried
 * batch from being written twice.
 * @since 0.1.0
 */
export class Producer<K = Bytes, V = ValueBeside<K, Bytes>> extends AuthenticatedClient implements AsyncDisposable {
  readonly #context: ClientContext
  readonly #cluster: Cluster
  readonly #pipeline: Pipeline
  readonly #intakes: Intakes
  /** The one for `produce`; looked up again with every batch. */
  #intake: Intake
  readonly #lifecycle: Lifecycle
  readonly #statistics: StatisticsReporter
  readonly #insight: ClientInsight
  readonly #transactions: Transactions | null
  #onReady: (() => void) | null = null
  #closing: Promise<void> | null = null

  /**
   * Connects in the background and never stops trying; `error` events report that no broker can be reached.
   * @throws KafkaError ERR__INVALID_ARG for a configuration that cannot work
   */
  constructor(config: ProducerConfig, options?: ProducerOptions<K, V>, ...untyped: Untyped<K, V>)
  /**
   * Typed topics: `new Producer<Topics>(config, { topics: { orders: { value: json<Order>() } } })`.
   */
  constructor(config: ProducerConfig, ...options: TopicProducerArguments<K, V>)
  constructor(config: ProducerConfig, options: ProducerOptions<unknown, unknown> = {}) {
    super()
    const resolved = resolveConfig('producer', config)
    const { settings } = resolved
    const { partitioner } = checkedOptions('Producer', options)
    if (partitioner !== undefined && typeof partitioner !== 'function')
      throw invalidArgument('partitioner must be a function')
    this.#context = createContext('producer', resolved, options)
    this.#cluster = new Cluster(this.#context)
    this.#lifecycle = new Lifecycle(this.#context.name)
    const id = settings['transactional.id']
    this.#transactions = id === undefined ? null : this.#makeTransactions(id)
    this.#pipeline = new Pipeline(
      this.#cluster,
      pipelineSettings(settings, partitioner, this.#context.codecs),
      this.#context,
      settings['enable.idempotence'] ? onReady => this.#makeIdentity(onReady) : null,
    )
    this.#intakes = this.#makeIntakes(serializersOf(options), options.interceptors ?? [])
    this.#intake = this.#intakes.current
    this.#pipeline.onBatch = () => (this.#intake = this.#intakes.next())
    this.#pipeline.delivery.onSettled = settled => this.#intakes.settled(settled)
    this.#statistics = new StatisticsReporter(
      this.#context.clock,
      this.#context.events,
      settings['statistics.interval.ms'],
      () => producerStatistics(this.#context, this.#cluster, this.#pipeline, takeWindow),
    )
    this.#insight = producerInsight({
      context: this.#context,
      cluster: this.#cluster,
      pipeline: this.#pipeline,
      lifecycle: this.#lifecycle,
      transactions: this.#transactions,
    })
    this.#cluster.telemetry.source = producerTelemetry(settings)
    this.#cluster.start()
    this.#pipeline.prepare()
  }

  /** Messages accepted whose report has not been given; within a report's callback, its message still counts. */
  get outstanding(): number {
    return this.#pipeline.accumulator.unreported
  }

  /** Whether `close` has been called. */
  get closed(): boolean {
    return this.#lifecycle.state !== 'open'
  }

  /** The fatal error that ended this producer, or null. */
  get fatalError(): KafkaError | null {
    return this.#lifecycle.fatal
  }

  /** @internal what `AdminClient.from` shares */
  get [clientHandle](): ClientHandle {
    return { context: this.#context, cluster: this.#cluster }
  }

  /** @internal */
  get [clientInsight](): ClientInsight {
    return this.#insight
  }

  /**
   * Enqueues a message and returns at once. Its report goes to `report`, in this call's AsyncLocalStorage context, or,
   * if there is none, to `events()`.
   * @throws KafkaError, with nothing accepted: ERR__QUEUE_FULL (`queue.buffering.max.messages`, `.kbytes`),
   *   ERR_MSG_SIZE_TOO_LARGE (`message.max.bytes`), ERR__UNKNOWN_PARTITION, ERR__INVALID_ARG (topic name, types, a
   *   serializer that returns a promise), ERR__KEY_SERIALIZATION, ERR__VALUE_SERIALIZATION, ERR__STATE (closed),
   *   ERR__FATAL; ERR__UNKNOWN_TOPIC or ERR_TOPIC_AUTHORIZATION_FAILED once the brokers have answered so for the topic
   */
  produce(message: ProducedMessage<K, V>, report?: (report: ProducedReport<K, V>) => void): void {
    if (report !== undefined && typeof report !== 'function') throw invalidArgument('report must be a function')
    // A report hands back the message's own fields, so it is one of K and V.
    this.#intake.produce(message, (report === undefined ? null : inContext(report)) as ReportSink)
  }

  /**
   * Enqueues a message, waiting for room in the queue, and resolves with its delivery report.
   * With `ottla.linger.adaptive` it does not linger while no request to its broker is in flight.
   * Rejects with KafkaError: the report's error, with the report in `error.report`, or an error that `produce` throws.
   * Rejects with the signal's reason if the signal aborts before the message is accepted.
   */
  send(message: ProducedMessage<K, V>, options: { readonly signal?: AbortSignal } = {}): Promise<ProducedReport<K, V>> {
    // As in produce.
    return this.#intakes.current.send(message, options.signal) as Promise<ProducedReport<K, V>>
  }

  /**
   * Sends messages and resolves with their reports, in the same order. Never rejects for one bad message: a message
   * that is not accepted gets a report with the error, too.
   */
  sendBatch(messages: Iterable<ProducedMessage<K, V>>): Promise<ProducedReport<K, V>[]> {
    // As in produce.
    return this.#intakes.current.sendBatch(messages) as Promise<ProducedReport<K, V>[]>
  }

  /**
   * Every event from now on, preceded by up to 10,000 delivery reports that nobody has asked for yet. Ends when the
   * producer is closed.
   */
  events(): AsyncIterable<ProducerEvent<K, V>> {
    const first = this.#pipeline.delivery.takeUnclaimed().map(report => ({ type: 'delivery' as const, report }))
    // The hub carries all kinds of events; this stream lets through a producer's only, whose reports are of K and V.
    return this.#context.events.stream(first, producerEvents) as AsyncIterable<ProducerEvent<K, V>>
  }

  /** Calls `listener` for every event of the type. Delivery events are made only if somebody listens. */
  on<T extends ProducerEvent['type']>(type: T, listener: ProducerListener<K, V, T>): this {
    const { events } = this.#context
    // Both are the event of type T; the compiler cannot see that.
    events.on(type, listener as unknown as (event: Event) => void)
    if (type === 'delivery') this.#pipeline.delivery.giveUnclaimed()
    return this
  }

  /** Removes a listener that `on` added. */
  off<T extends ProducerEvent['type']>(type: T, listener: ProducerListener<K, V, T>): this {
    // As in `on`.
    this.#context.events.off(type, listener as unknown as (event: Event) => void)
    return this
  }

  /**
   * Sends what is queued at once, without linger, and waits until all reports have been given. That includes the
   * messages of `send` calls that wait for room in the queue or for a serializer. Reports in a stream of `events()` have
   * been given when they have been read. The wait for its reader ends when that has not asked for an event for a second.
   * @param wait - limit in ms, or with a signal; -1 (default) for none
   * @returns how many messages have no report yet; 0 as soon as all have been reported
   */
  async flush(wait?: WaitOptions): Promise<number> {
    const { timeoutMs, signal } = resolveWait(wait, -1)
    const { clock, events } = this.#context
    const deadline = Deadline.after(clock, timeoutMs)
    const left = await flush(this.#pipeline, clock, timeoutMs, signal)
    return left > 0 ? left : untilRead(events, clock, deadline, signal)
  }

  /**
   * Discards messages: those in the queue are reported with ERR__PURGE_QUEUE, those in flight with ERR__PURGE_INFLIGHT
   * (`possibly-persisted`). Both by default. What waits for a connection is in the queue.
   */
  purge(options: { readonly queue?: boolean; readonly inFlight?: boolean } = {}): void {
    this.#pipeline.purge(options.queue ?? true, options.inFlight ?? true)
  }

  /**
   * A stream whose writes wait for room in the queue. The first message that cannot be delivered errors it. Closing it
   * waits for all its reports and leaves the producer open.
   */
  writable(): WritableStream<ProducedMessage<K, V>> {
    return writableOf(() => this.#intakes.current)
  }

  /**
   * Claims the transactional id for this instance: fences older instances and aborts the transaction they left open.
   * Call it once, before the first transaction.
   * @param options - limit in ms, or with a signal; twice `transaction.timeout.ms` by default, -1 for none. After
   *   ERR__TIMED_OUT it carries on in the background, and the same call waits for it again
   * Rejects with KafkaError: ERR__TIMED_OUT, ERR__NOT_CONFIGURED, ERR__STATE; within seconds with ERR__AUTHENTICATION,
   * ERR__SSL and other signs of a wrong configuration, after which it may be called again; fatal: ERR__FENCED,
   * ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, ERR_INVALID_TRANSACTION_TIMEOUT
   */
  initTransactions(options?: WaitOptions): Promise<void> {
    return this.#asPromise('initTransactions', transactions => transactions.initialize(this.#wait(options, 2)))
  }

  /**
   * Begins a transaction: messages produced from now on are part of it. Sends no request.
   * @throws KafkaError ERR__NOT_CONFIGURED, ERR__STATE (another is open, or `initTransactions` has not ended), or the
   *   fatal error
   */
  beginTransaction(): void {
    this.#require('beginTransaction').begin()
  }

  /**
   * Commits a consumer's offsets with the transaction. Pass the offset after the last processed message, and
   * `consumer.groupMetadata()`: it fails if the consumer is no longer a member (KIP-447). The consumer must not commit
   * by itself (`enable.auto.commit=false`).
   * @param offsets - negative offsets are skipped
   * @param timeoutMs - limit in ms, or with a signal; `transaction.timeout.ms` by default, -1 for none
   * Rejects with KafkaError: ERR__TIMED_OUT (may be called again), ERR__INVALID_ARG, ERR__STATE; with
   * `txnRequiresAbort`: ERR_ILLEGAL_GENERATION, ERR_UNKNOWN_MEMBER_ID, ERR_FENCED_INSTANCE_ID,
   * ERR_GROUP_AUTHORIZATION_FAILED and others; fatal: ERR__FENCED
   */
  sendOffsetsToTransaction(
    offsets: readonly TopicPartitionOffset[],
    group: ConsumerGroupMetadata,
    timeoutMs?: WaitOptions,
  ): Promise<void> {
    return this.#asPromise('sendOffsetsToTransaction', transactions => {
      checkGroup(group)
      return transactions.sendOffsets(checkOffsets(offsets), group, this.#wait(timeoutMs))
    })
  }

  /**
   * Sends what is queued, waits for its reports, and commits the transaction.
   * @param options - limit in ms, or with a signal; `transaction.timeout.ms` by default, -1 for none. After
   *   ERR__TIMED_OUT it carries on in the background, and the same call waits for it again
   * Rejects with KafkaError: ERR__TIMED_OUT, ERR__STATE; with `txnRequiresAbort` if it cannot be committed (a message
   * was not delivered, or it took longer than `transaction.timeout.ms`); fatal: ERR__FENCED
   */
  commitTransaction(options?: WaitOptions): Promise<void> {
    return this.#asPromise('commitTransaction', transactions => transactions.commit(this.#wait(options)))
  }

  /**
   * Aborts the transaction: queued messages are reported with ERR__PURGE_QUEUE, those in flight are waited for, and no
   * reader with `isolation.level=read_committed` ever sees any of them.
   * @param options - as for `commitTransaction`
   * Rejects with KafkaError: ERR__TIMED_OUT, ERR__STATE; fatal: ERR__FENCED
   */
  abortTransaction(options?: WaitOptions): Promise<void> {
    return this.#asPromise('abortTransaction', transactions => transactions.abort(this.#wait(options)))
  }

  /**
   * Runs `work` as one transaction: begins it, calls `work` and commits; aborts if `work` throws or a message cannot be
   * delivered. Calls `initTransactions` first if needed. `work` produces with `tx`, which is this producer; the commit
   * waits for messages that `work` does not wait for. One at a time.
   * @param options - a limit for each of init, commit and abort, in ms, or with a signal; none by default
   * Rejects with what `work` threw, or like the calls that it makes
   */
  transaction<T>(work: (tx: this) => Promise<T> | T, options?: WaitOptions): Promise<T> {
    const run = async (): Promise<T> => work(this)
    return this.#asPromise('transaction', transactions => runTransaction(transactions, run, resolveWait(options, -1)))
  }

  /**
   * Consume, transform, produce, exactly once: each batch of `consumer` gets a transaction in which `work` produces
   * with `tx`, and which commits the offset after the batch. If the transaction must be aborted because the partition
   * moved to another member or the coordinator gave it up, the batch is read again by the partition's owner.
   * Resolves when the signal aborts or the consumer is closed.
   * @param consumer - subscribed, with `enable.auto.commit=false`
   * Rejects with what `work` threw, or with the error that keeps transactions from succeeding; the batch is not
   * committed
   */
  transactional<B extends TransactionalBatch>(
    consumer: TransactionalSource<B>,
    work: (batch: B, tx: this) => Promise<void> | void,
    options: TransactionalOptions = {},
  ): Promise<void> {
    return this.#asPromise('transactional', transactions => {
      checkSource(consumer)
      const run = async (batch: B): Promise<void> => work(batch, this)
      const { logger } = this.#context
      return consumeTransformProduce(transactions, consumer, run, options, resolveWait(-1, -1), logger)
    })
  }

  /**
   * Brokers and topics: all of them, or the one named. Asking never creates a topic.
   * Rejects with KafkaError ERR__TIMED_OUT, ERR__STATE.
   */
  getMetadata(
    options: { readonly topic?: string; readonly allTopics?: boolean; readonly timeoutMs?: number } = {},
  ): Promise<Metadata> {
    return this.#query(options.timeoutMs, query => getMetadata(this.#cluster, options, query))
  }

  /** The first offset of a partition and its high watermark, as its leader reports them. */
  queryWatermarkOffsets(topic: string, partition: number, timeoutMs?: number): Promise<{ low: number; high: number }> {
    return this.#query(timeoutMs, query => queryWatermarkOffsets(this.#cluster, this.#context, topic, partition, query))
  }

  /** The first offset at or after each time, passed as `offset` in ms since the epoch. Errors per partition. */
  offsetsForTimes(times: readonly TopicPartitionOffset[], timeoutMs?: number): Promise<TopicPartitionOffset[]> {
    return this.#query(timeoutMs, query => offsetsForTimes(this.#cluster, this.#context, times, query))
  }

  /** Raises a fatal error, for tests of applications: `produce` throws ERR__FATAL from then on. */
  testFatalError(code: number, message: string): void {
    this.#raiseFatal(code, message)
  }

  /**
   * Flushes, then closes. Messages not delivered by the limit (default: `message.timeout.ms`), or when the signal
   * aborts, are reported as purged. Always resolves; a second call waits for the first.
   */
  async close(options?: WaitOptions): Promise<void> {
    if (this.#closing === null) {
      const limitMs = this.#context.settings['message.timeout.ms'] || UNLIMITED_CLOSE_MS
      this.#closing = this.#close(resolveWait(options, limitMs))
    }
    await this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close({ timeoutMs, signal }: Wait): Promise<void> {
    const { clock } = this.#context
    this.#lifecycle.enter('closing')
    await this.#transactions?.finish({ timeoutMs, signal })
    await flush(this.#pipeline, clock, timeoutMs, signal)
    this.#pipeline.accumulator.failAll(this.#lifecycle.closedError())
    this.#pipeline.purge(true, true)
    this.#lifecycle.enter('closed')
    this.#statistics.stop()
    this.#insight.stop()
    this.#pipeline.close()
    await this.#cluster.end()
  }

  #makeIntakes(serializers: Serializers, given: readonly unknown[]): Intakes {
    const { client, logger } = this.#context
    const args = [
      this.#pipeline,
      this.#lifecycle,
      serializers,
      this.#context.settings['ottla.linger.adaptive'],
    ] as const
    return new Intakes(client, given.length === 0 ? null : new ProducerInterceptors(given, logger), ...args)
  }

  #makeIdentity(onReady: () => void): PipelineIdentity {
    this.#onReady = onReady
    if (this.#transactions !== null) return this.#transactions
    const { clock, logger, settings } = this.#context
    const onFatal = (code: number, message: string): void => this.#raiseFatal(code, message)
    const request: RequestId = () => requestId(this.#cluster, Deadline.after(clock, -1))
    return new ProducerIdentity(request, settings['enable.gapless.guarantee'], clock, logger, { onReady, onFatal })
  }

  #makeTransactions(id: string): Transactions {
    const { clock, logger, settings } = this.#context
    const requests = new TransactionRequests(this.#cluster, clock, id, settings['transaction.timeout.ms'])
    const host: TransactionHost = {
      client: this.#context.client,
      restrict: (reason, acceptsPending) => this.#lifecycle.restrict(reason, acceptsPending),
      flush: signal => flush(this.#pipeline, clock, -1, signal),
      giveUp: cause => {
        const text = 'the transaction was given up while the message waited for room in the queue'
        this.#pipeline.accumulator.failAll(new KafkaError(ErrorCode.ERR__STATE, text, { cause }))
        this.#pipeline.delivery.quietly(() => this.#pipeline.purge(true, false, cause))
      },
      connectionError: () => this.#cluster.connectionError,
      onReady: () => this.#onReady?.(),
      onFatal: (code, message) => this.#raiseFatal(code, message),
    }
    return new Transactions(id, requests, host, clock, logger)
  }

  #require(call: string): Transactions {
    if (this.#lifecycle.state !== 'open') throw this.#lifecycle.closedError()
    if (this.#transactions !== null) return this.#transactions
    throw new KafkaError(ErrorCode.ERR__NOT_CONFIGURED, `${call} needs transactional.id`)
  }

  async #asPromise<T>(call: string, run: (transactions: Transactions) => Promise<T>): Promise<T> {
    if (this.#lifecycle.state !== 'open') return rejectLater(this.#lifecycle.closedError())
    return run(this.#require(call))
  }

  #wait(options: WaitOptions | undefined, times = 1): Wait {
    return resolveWait(options, this.#context.settings['transaction.timeout.ms'] * times)
  }

  #raiseFatal(code: number, message: string): void {
    if (!this.#lifecycle.kill(code, message)) return
    const text = `fatal error: ${message}`
    const error = new KafkaError(ErrorCode.ERR__FATAL, text, { fatal: true, cause: this.#lifecycle.fatal })
    this.#context.logger.error('FATAL', text)
    this.#context.events.emit({ type: 'error', error })
    this.#transactions?.kill(this.#lifecycle.fatal ?? error)
    // As in librdkafka: requests in flight still get their answers.
    this.#pipeline.purge(true, false, this.#lifecycle.fatal)
  }

  async #query<T>(limitMs: number | undefined, run: (query: QueryOptions) => Promise<T>): Promise<T> {
    if (this.#lifecycle.state !== 'open') return rejectLater(this.#lifecycle.closedError())
    const { timeoutMs } = resolveWait(limitMs, this.#context.settings['socket.timeout.ms'])
    return run({ deadline: Deadline.after(this.#context.clock, timeoutMs), failFast: true })
  }
}
