import { ErrorCode } from '@ottla/protocol'
import { Deadline } from '../base/clock.ts'
import { resolveWait, type Wait } from '../base/wait.ts'
import { Cluster } from '../cluster/cluster.ts'
import { createContext, type ClientContext, type ClientOptions } from '../cluster/context.ts'
import { clientHandle, type ClientHandle } from '../cluster/handle.ts'
import { getMetadata, offsetsForTimes, queryWatermarkOffsets, type QueryOptions } from '../cluster/queries.ts'
import { checkedOptions } from '../config/constructor-options.ts'
import { resolveConfig, type ProducerConfig } from '../config/resolve.ts'
import { KafkaError, invalidArgument } from '../errors.ts'
import { StatisticsReporter } from '../observe/statistics/reporter.ts'
import { serializerOf, type SerializerInput } from '../serdes.ts'
import type {
  Bytes,
  ConsumerGroupMetadata,
  DeliveryReport,
  EventOf,
  Metadata,
  Partitioner,
  ProducerEvent,
  ProducerMessage,
  Serializer,
  TopicPartitionOffset,
  WaitOptions,
  OAuthBearerToken,
} from '../types.ts'
import { flush } from './flush.ts'
import type { PipelineIdentity } from './idempotence/identity.ts'
import { askForId, ProducerIdentity, type AskForId } from './idempotence/producer-identity.ts'
import { Intake, type Serializers } from './intake.ts'
import { InterceptedIntake, ProducerInterceptors, type ProducerInterceptor } from './interceptors.ts'
import { Lifecycle } from './lifecycle.ts'
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

/**
 * Constructor options of a producer.
 * @since 0.1.0
 */
export interface ProducerOptions<K = Bytes, V = Bytes> extends ClientOptions {
  /** Makes bytes of a message's key; null and undefined are not handed to it. */
  readonly key?: SerializerInput<K>
  /** Makes bytes of a message's value; null and undefined are not handed to it. */
  readonly value?: SerializerInput<V>
  /** Chooses partitions, in place of the configuration's `partitioner`. */
  readonly partitioner?: Partitioner
  /** Called with every message and every report. */
  readonly interceptors?: readonly ProducerInterceptor<K, V>[]
}

type ProducerListener<T extends ProducerEvent['type']> = (event: EventOf<T>) => void

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
 * Sends messages to Kafka. What `produce` or `send` accepts gets exactly one delivery report, whatever happens.
 * Reports carry the message object's own key, value, headers and opaque: do not change a message before its report.
 * The bytes themselves are copied at once.
 *
 * Messages of one partition are sent in the order of the calls. A batch that has to go again may be overtaken by those
 * already under way: `enable.idempotence` or `max.in.flight` of 1 keeps the order in any case, and only the first keeps
 * what goes again from being written twice.
 * @since 0.1.0
 */
export class Producer<K = Bytes, V = Bytes> implements AsyncDisposable {
  readonly #context: ClientContext
  readonly #cluster: Cluster
  readonly #pipeline: Pipeline
  readonly #intake: Intake
  readonly #lifecycle: Lifecycle
  readonly #statistics: StatisticsReporter
  readonly #transactions: Transactions | null
  #onReady: (() => void) | null = null
  #closing: Promise<void> | null = null

  /**
   * Connects in the background and for ever; that no broker can be reached is told by `error` events.
   * @throws KafkaError ERR__INVALID_ARG for a configuration that cannot work
   */
  constructor(config: ProducerConfig, options: ProducerOptions<K, V> = {}) {
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
      pipelineSettings(settings, partitioner),
      this.#context,
      settings['enable.idempotence'] ? onReady => this.#makeIdentity(onReady) : null,
    )
    const serializers = {
      // Each gets what its own field of a ProducerMessage<K, V> holds.
      key: options.key === undefined ? null : (serializerOf(options.key) as Serializer<unknown>),
      value: options.value === undefined ? null : (serializerOf(options.value) as Serializer<unknown>),
    }
    this.#intake = this.#makeIntake(serializers, options.interceptors ?? [])
    this.#statistics = new StatisticsReporter(
      this.#context.clock,
      this.#context.events,
      settings['statistics.interval.ms'],
      () => producerStatistics(this.#context, this.#cluster, this.#pipeline),
    )
    this.#cluster.start()
    this.#pipeline.prepare()
  }

  /** Messages that have been accepted and not been reported yet. */
  get outstanding(): number {
    return this.#pipeline.accumulator.messages
  }

  /** Whether `close` has been called. */
  get closed(): boolean {
    return this.#lifecycle.state !== 'open'
  }

  /** The error after which nothing can be produced any more, or null. */
  get fatalError(): KafkaError | null {
    return this.#lifecycle.fatal
  }

  /** @internal what `AdminClient.from` shares */
  get [clientHandle](): ClientHandle {
    return { context: this.#context, cluster: this.#cluster }
  }

  /**
   * Enqueues a message and returns at once. Its report goes to `report`, in the AsyncLocalStorage context of this call, or
   * else to `events()`.
   * @throws KafkaError, with nothing accepted: ERR__QUEUE_FULL (`queue.buffering.max.messages`, `.kbytes`),
   *   ERR_MSG_SIZE_TOO_LARGE (`message.max.bytes`), ERR__UNKNOWN_PARTITION, ERR__INVALID_ARG (topic name, types, a
   *   serializer that returns a promise), ERR__KEY_SERIALIZATION, ERR__VALUE_SERIALIZATION, ERR__STATE (closed),
   *   ERR__FATAL; ERR__UNKNOWN_TOPIC or ERR_TOPIC_AUTHORIZATION_FAILED once the brokers have said so of the topic
   */
  produce(message: ProducerMessage<K, V>, report?: (report: DeliveryReport<K, V>) => void): void {
    if (report !== undefined && typeof report !== 'function') throw invalidArgument('report must be a function')
    // A report hands back the message's own fields, so it is one of K and V.
    this.#intake.produce(message, (report === undefined ? null : inContext(report)) as ReportSink)
  }

  /**
   * Enqueues a message, after waiting for room in the queue, and resolves with its delivery report.
   * With `ottla.linger.adaptive` it does not wait for company when no request to its broker is under way.
   * Rejects with KafkaError: what the report says, and then `error.report` is the report; or what `produce` throws. An
   * aborted signal counts until the message is accepted: rejects with the signal's reason.
   */
  send(message: ProducerMessage<K, V>, options: { readonly signal?: AbortSignal } = {}): Promise<DeliveryReport<K, V>> {
    // As in produce.
    return this.#intake.send(message, options.signal) as Promise<DeliveryReport<K, V>>
  }

  /**
   * Sends messages and resolves with their reports, in their order. Never rejects for one bad message: the error of a
   * message that was not accepted, too, stands in its report.
   */
  sendBatch(messages: Iterable<ProducerMessage<K, V>>): Promise<DeliveryReport<K, V>[]> {
    // As in produce.
    return this.#intake.sendBatch(messages) as Promise<DeliveryReport<K, V>[]>
  }

  /**
   * Every event from now on, and before those up to 10,000 delivery reports that nobody has asked for yet. Ends when
   * the producer is closed.
   */
  events(): AsyncIterable<ProducerEvent> {
    const first = this.#pipeline.delivery.takeUnclaimed().map(report => ({ type: 'delivery' as const, report }))
    // The hub carries events of every client; this stream accepts a producer's only.
    return this.#context.events.stream(first, producerEvents) as AsyncIterableIterator<ProducerEvent>
  }

  /** Calls `listener` for every event of the type. Delivery events are made only if somebody asks for them. */
  on<T extends ProducerEvent['type']>(type: T, listener: ProducerListener<T>): this {
    const { events } = this.#context
    events.on(type, listener)
    if (type !== 'delivery') return this
    const first = this.#pipeline.delivery.takeUnclaimed()
    // Not within this call: the program may still be setting up what the listener uses.
    if (first.length > 0) queueMicrotask(() => first.forEach(report => events.emit({ type: 'delivery', report })))
    return this
  }

  /** Ends what `on` began. */
  off<T extends ProducerEvent['type']>(type: T, listener: ProducerListener<T>): this {
    this.#context.events.off(type, listener)
    return this
  }

  /**
   * Sends at once what is queued (no linger) and waits for the reports.
   * @param wait - limit in ms, or with a signal; -1 (default): none
   * @returns the messages that are still outstanding: 0, at once, when all have been reported
   */
  async flush(wait?: WaitOptions): Promise<number> {
    const { timeoutMs, signal } = resolveWait(wait, -1)
    return flush(this.#pipeline, this.#context.clock, timeoutMs, signal)
  }

  /**
   * Gives up messages: reports those in the queue with ERR__PURGE_QUEUE, and those in requests under way with
   * ERR__PURGE_INFLIGHT (`possibly-persisted`). Both by default.
   */
  purge(options: { readonly queue?: boolean; readonly inFlight?: boolean } = {}): void {
    this.#pipeline.purge(options.queue ?? true, options.inFlight ?? true)
  }

  /**
   * A stream whose writes wait for room in the queue. The first message that cannot be delivered errors it; closing
   * it waits for all its reports, and leaves the producer open.
   */
  writable(): WritableStream<ProducerMessage<K, V>> {
    return writableOf(this.#intake)
  }

  /**
   * Gets the transactional id for this instance: older instances are fenced off, and what they left open is aborted.
   * To be called once, before the first transaction.
   * @param options - limit in ms, or with a signal; twice `transaction.timeout.ms` by default, -1 for none. After
   *   ERR__TIMED_OUT it goes on, and the same call waits for it again
   * Rejects with KafkaError: ERR__TIMED_OUT, ERR__NOT_CONFIGURED, ERR__STATE; within seconds ERR__AUTHENTICATION, ERR__SSL and
   * what else looks like a wrong configuration, after which it may be called again; fatal: ERR__FENCED,
   * ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, ERR_INVALID_TRANSACTION_TIMEOUT
   */
  async initTransactions(options?: WaitOptions): Promise<void> {
    await this.#require('initTransactions').initialize(this.#wait(options, 2))
  }

  /**
   * Begins a transaction: what is produced from now on is part of it. No request is made.
   * @throws KafkaError ERR__NOT_CONFIGURED, ERR__STATE (another is open, or `initTransactions` has not ended), or the
   *   fatal error
   */
  beginTransaction(): void {
    this.#require('beginTransaction').begin()
  }

  /**
   * Commits a consumer's offsets with the transaction. Give the offset after the last message that was processed, and
   * `consumer.groupMetadata()`: a consumer that is no longer a member makes it fail (KIP-447). The consumer must not
   * commit by itself (`enable.auto.commit=false`).
   * @param offsets - negative ones are left out
   * @param timeoutMs - or with a signal; `transaction.timeout.ms` by default, -1 for none
   * Rejects with KafkaError: ERR__TIMED_OUT (may be called again), ERR__INVALID_ARG, ERR__STATE; with
   * `txnRequiresAbort`: ERR_ILLEGAL_GENERATION, ERR_UNKNOWN_MEMBER_ID, ERR_FENCED_INSTANCE_ID,
   * ERR_GROUP_AUTHORIZATION_FAILED and others; fatal: ERR__FENCED
   */
  async sendOffsetsToTransaction(
    offsets: readonly TopicPartitionOffset[],
    group: ConsumerGroupMetadata,
    timeoutMs?: WaitOptions,
  ): Promise<void> {
    const transactions = this.#require('sendOffsetsToTransaction')
    checkGroup(group)
    await transactions.sendOffsets(checkOffsets(offsets), group, this.#wait(timeoutMs))
  }

  /**
   * Sends what is queued, waits for its reports, and commits the transaction.
   * @param options - limit in ms, or with a signal; `transaction.timeout.ms` by default, -1 for none. After
   *   ERR__TIMED_OUT it goes on, and the same call waits for it again
   * Rejects with KafkaError: ERR__TIMED_OUT, ERR__STATE; with `txnRequiresAbort` when it cannot be committed (messages
   * were not delivered, it took longer than `transaction.timeout.ms`); fatal: ERR__FENCED
   */
  async commitTransaction(options?: WaitOptions): Promise<void> {
    await this.#require('commitTransaction').commit(this.#wait(options))
  }

  /**
   * Aborts the transaction: what is queued is reported with ERR__PURGE_QUEUE, what is under way is waited for, and no
   * reader with `isolation.level=read_committed` will ever see any of it.
   * @param options - as of `commitTransaction`
   * Rejects with KafkaError: ERR__TIMED_OUT, ERR__STATE; fatal: ERR__FENCED
   */
  async abortTransaction(options?: WaitOptions): Promise<void> {
    await this.#require('abortTransaction').abort(this.#wait(options))
  }

  /**
   * Runs `work` as one transaction: begins, works, commits; aborts when the work throws or a message cannot be delivered.
   * Calls `initTransactions` if that has not been done. The work produces with `tx`, which is this producer; whatever it
   * does not wait for is waited for by the commit. One at a time.
   * @param options - a limit for each of init, commit and abort, in ms, or with a signal; none by default
   * Rejects with what the work threw, or as the calls that it stands for
   */
  transaction<T>(work: (tx: this) => Promise<T> | T, options?: WaitOptions): Promise<T> {
    const run = async (): Promise<T> => work(this)
    return this.#asPromise('transaction', transactions => runTransaction(transactions, run, resolveWait(options, -1)))
  }

  /**
   * Consume, transform, produce, exactly once: for each batch of `consumer` a transaction in which `work` produces with
   * `tx`, and which commits the offset behind the batch. If it has to be aborted because the partition has moved to
   * another member, or the coordinator has given it up, the batch is read again by whoever has the partition.
   * Ends when the signal is aborted, or the consumer closed.
   * @param consumer - subscribed, with `enable.auto.commit=false`
   * Rejects with what the work threw, or with what makes the transactions fail for good; the batch is not committed then
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

  /** The first offset of a partition and the one after its last, asked of its leader. */
  queryWatermarkOffsets(topic: string, partition: number, timeoutMs?: number): Promise<{ low: number; high: number }> {
    return this.#query(timeoutMs, query => queryWatermarkOffsets(this.#cluster, this.#context, topic, partition, query))
  }

  /** The first offset at or after each time; `offset` holds ms since the epoch on the way in. Errors per partition. */
  offsetsForTimes(times: readonly TopicPartitionOffset[], timeoutMs?: number): Promise<TopicPartitionOffset[]> {
    return this.#query(timeoutMs, query => offsetsForTimes(this.#cluster, this.#context, times, query))
  }

  /** Used from the next authentication on; brokers that could not be reached so far are tried at once. */
  setSaslCredentials(username: string, password: string): void {
    this.#cluster.setSaslCredentials(username, password)
  }

  /**
   * Answers an `oauthbearer-token-refresh` event: the token is used from the next authentication on.
   * @throws KafkaError ERR__INVALID_ARG for a token that cannot be used, ERR__STATE without `sasl.mechanisms=OAUTHBEARER`
   */
  setOAuthBearerToken(token: OAuthBearerToken): void {
    this.#cluster.setOAuthBearerToken(token)
  }

  /**
   * Answers an `oauthbearer-token-refresh` event: there is no token; the next event comes in 10 s.
   * @throws KafkaError ERR__STATE without `sasl.mechanisms=OAUTHBEARER`
   */
  setOAuthBearerTokenFailure(message: string): void {
    this.#cluster.setOAuthBearerTokenFailure(message)
  }

  /** Raises a fatal error, for tests of programs: `produce` throws ERR__FATAL from then on. */
  testFatalError(code: number, message: string): void {
    this.#raiseFatal(code, message)
  }

  /**
   * Flushes, then closes. What has not been delivered by the limit (default: `message.timeout.ms`), or when the signal
   * is aborted, is reported as purged. Always resolves; a second call waits for the first.
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
    this.#pipeline.close()
    this.#cluster.close()
  }

  #makeIntake(serializers: Serializers, given: readonly unknown[]): Intake {
    const args = [
      this.#pipeline,
      this.#lifecycle,
      serializers,
      this.#context.settings['ottla.linger.adaptive'],
    ] as const
    if (given.length === 0) return new Intake(...args)
    const interceptors = new ProducerInterceptors(given, this.#context.logger)
    this.#pipeline.delivery.onSettled = settled => interceptors.settled(settled)
    return new InterceptedIntake(interceptors, ...args)
  }

  #makeIdentity(onReady: () => void): PipelineIdentity {
    this.#onReady = onReady
    if (this.#transactions !== null) return this.#transactions
    const { clock, logger, settings } = this.#context
    const onFatal = (code: number, message: string): void => this.#raiseFatal(code, message)
    const ask: AskForId = () => askForId(this.#cluster, Deadline.after(clock, -1))
    return new ProducerIdentity(ask, settings['enable.gapless.guarantee'], clock, logger, { onReady, onFatal })
  }

  #makeTransactions(id: string): Transactions {
    const { clock, logger, settings } = this.#context
    const requests = new TransactionRequests(this.#cluster, clock, id, settings['transaction.timeout.ms'])
    const host: TransactionHost = {
      restrict: (reason, takesLate) => this.#lifecycle.restrict(reason, takesLate),
      flush: signal => flush(this.#pipeline, clock, -1, signal),
      giveUp: cause => {
        const text = 'the transaction has been given up while the message waited for room'
        this.#pipeline.accumulator.failAll(new KafkaError(ErrorCode.ERR__STATE, text, { cause }))
        this.#pipeline.delivery.quietly(() => this.#pipeline.purge(true, false, cause))
      },
      trouble: () => this.#cluster.obstacle,
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
    // As librdkafka: what is under way still gets its answer.
    this.#pipeline.purge(true, false, this.#lifecycle.fatal)
  }

  async #query<T>(limitMs: number | undefined, run: (query: QueryOptions) => Promise<T>): Promise<T> {
    if (this.#lifecycle.state !== 'open') throw this.#lifecycle.closedError()
    const { timeoutMs } = resolveWait(limitMs, this.#context.settings['socket.timeout.ms'])
    return run({ deadline: Deadline.after(this.#context.clock, timeoutMs), impatient: true })
  }
}
