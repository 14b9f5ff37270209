import { ErrorCode } from '@ottla/protocol'
import { Deadline } from '../base/clock.ts'
import { resolveWait } from '../base/wait.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { createContext, type ClientContext } from '../cluster/context.ts'
import { AuthenticatedClient } from '../cluster/authenticated-client.ts'
import { clientHandle, transactionalReads, type ClientHandle, type TransactionalReader } from '../cluster/handle.ts'
import { clientInsight, type ClientInsight } from '../cluster/insight.ts'
import { getMetadata, offsetsForTimes, queryOptions, queryWatermarkOffsets } from '../cluster/queries.ts'
import { resolveConfig, type ConsumerConfig, type ConsumerSettings } from '../config/resolve.ts'
import { KafkaError } from '../errors.ts'
import type { Untyped, ValueBeside } from '../topics.ts'
import {
  OFFSET_INVALID,
  type ConsumedMessage,
  type ConsumerEvent,
  type ConsumerGroupMetadata,
  type ConsumerIterator,
  type Event,
  type Metadata,
  type RebalanceEvent,
  type RebalanceProtocol,
  type TopicPartition,
  type TopicPartitionOffset,
  type WaitOptions,
} from '../types.ts'
import { behind, checkOffsets, checkPartitions, checkTimes, invalid, noGroup } from './arguments.ts'
import type { FetchQueue } from './fetch/fetch-queue.ts'
import type { Group } from './group/group.ts'
import { Subscription, type TopicsToSubscribe } from './group/subscription.ts'
import { consumerLag, type PartitionLag } from './lag.ts'
import { fetchCommitted } from './offsets/committed-offsets.ts'
import type { Committer } from './offsets/committer.ts'
import { strategiesFor, type ConsumerListener, type ConsumerOptions, type TopicConsumerArguments } from './options.ts'
import type { Ownership } from './ownership.ts'
import type { Assignment } from './partition/assignment.ts'
import { ConsumerParts } from './parts.ts'
import type { RunningJobs } from './read/running-jobs.ts'
import { Closing } from './read/closing.ts'
import { outlived } from './read/decoding.ts'
import { requireRecoverable } from './read/fatal.ts'
import { BatchIterator, MessageIterator, type BatchOptions } from './read/iterators.ts'
import type { ConsumedBatch } from './read/message-batch.ts'
import type { Reader } from './read/reader.ts'
import type { ConsumedStream } from './run/cursor-stream.ts'
import type { BatchRunOptions, RunOptions } from './run/options.ts'
import type { PartitionStreamsOptions } from './run/partition-streams.ts'
import { TransactionReader } from './transaction-reader.ts'

/**
 * Called when partitions are assigned to the consumer, revoked or lost. It runs inside `poll`, `readMessage`, an
 * iterator, `unsubscribe` or `close`, one call at a time, and is awaited. If it does not call `assign` or `unassign`
 * itself, the client does so afterwards, even when it throws (which is logged).
 * @since 0.1.0
 */
export type RebalanceCallback<K = Buffer, V = ValueBeside<K, Buffer>> = (
  event: RebalanceEvent,
  consumer: Consumer<K, V>,
) => void | Promise<void>

const NO_LIMIT = -1

/**
 * Reads messages, alone (`assign`) or as a member of a group (`subscribe`). Connects in the background and recovers
 * from everything but a fatal error. One call of `poll`, `readMessage` or an iterator at a time.
 * @since 0.1.0
 */
export class Consumer<K = Buffer, V = ValueBeside<K, Buffer>>
  extends AuthenticatedClient
  implements AsyncDisposable, AsyncIterable<ConsumedMessage<K, V>>
{
  readonly #context: ClientContext
  readonly #settings: ConsumerSettings
  readonly #parts: ConsumerParts<K, V>
  readonly #cluster: Cluster
  readonly #queue: FetchQueue
  readonly #assignment: Assignment
  readonly #reader: Reader<K, V>
  readonly #group: Group | null
  readonly #committer: Committer | null
  readonly #ownership: Ownership
  readonly #runningJobs: RunningJobs
  readonly #closing: Closing
  #disconnected = false

  /**
   * Connects in the background.
   * @throws KafkaError ERR__INVALID_ARG for a configuration that cannot work
   */
  constructor(config: ConsumerConfig, options?: ConsumerOptions<K, V>, ...untyped: Untyped<K, V>)
  /** Typed topics: `new Consumer<Topics>(config, { topics: { orders: { key: string, value: json<Order>() } } })`. */
  constructor(config: ConsumerConfig, ...options: TopicConsumerArguments<K, V>)
  constructor(config: ConsumerConfig, options: ConsumerOptions<unknown, unknown> = {}) {
    super()
    const resolved = resolveConfig('consumer', config)
    const { settings } = resolved
    const strategies = strategiesFor(settings['partition.assignment.strategy'], options)
    const context = createContext('consumer', resolved, options)
    this.#context = context
    this.#settings = settings
    this.#closing = new Closing(context, {
      unfinished: 'closed before the partitions were given up and the group was left in order',
      begin: () => {
        this.#committer?.stop()
        parts.mailbox.interrupt()
      },
      leave: deadline => this.#leave(deadline),
      end: async () => {
        this.#disconnected = true
        await parts.stop()
        parts.mailbox.wake()
      },
    })
    const parts = new ConsumerParts<K, V>(context, strategies, options, {
      isClosing: () => this.closed,
      closedError: () => this.#closing.error(),
      closesAt: () => this.#closing.deadline,
      requireOpen: () => this.#requireOpen(),
    })
    this.#parts = parts
    this.#cluster = parts.cluster
    this.#queue = parts.queue
    this.#assignment = parts.assignment
    this.#reader = parts.reader
    this.#group = parts.group
    this.#committer = parts.committer
    this.#ownership = parts.ownership
    this.#runningJobs = parts.runningJobs
    parts.start()
  }

  /**
   * Joins the group for these topics. `^...` and RegExp are patterns, which also match topics that are created later.
   * Replaces an earlier subscription.
   * @throws KafkaError ERR__UNKNOWN_GROUP without `group.id`, ERR__INVALID_ARG, ERR__STATE when closed, ERR__FATAL after a
   *   fatal error
   */
  subscribe(topics: TopicsToSubscribe<K, V>, rebalance?: RebalanceCallback<K, V>): void {
    this.#requireOpen()
    const group = this.#requireGroup('subscribe')
    requireRecoverable(this.#parts.mailbox.fatal)
    const subscription = new Subscription(topics)
    if (subscription.isEmpty) throw invalid('subscribe takes at least one topic; unsubscribe() ends a subscription')
    group.subscribe(subscription, rebalance === undefined ? null : event => rebalance(event, this))
    this.#parts.topics.check()
  }

  /** The subscribed topics; patterns as they were given. */
  subscription(): string[] {
    return [...(this.#group?.subscription?.terms ?? [])]
  }

  /** Commits stored offsets (`enable.auto.commit`), gives up all partitions and leaves the group. */
  unsubscribe(): Promise<void> {
    return this.#runningJobs.trackWaiters(async () => {
      if (this.#isShut) await this.#closing.refuse()
      await this.#group?.unsubscribe(Deadline.after(this.#context.clock, this.#settings['socket.timeout.ms']))
    })
  }

  /**
   * Consumes exactly these partitions, each from its offset; OFFSET_INVALID and OFFSET_STORED stand for the
   * committed one. Gives up the previous assignment and commits its stored offsets. Under COOPERATIVE and CONSUMER it
   * adds the partitions inside a rebalance callback; outside one it rejects with KafkaError ERR__STATE.
   */
  assign(partitions: readonly TopicPartitionOffset[]): Promise<void> {
    return this.#runningJobs.trackWaiters(async () => {
      if (this.#isShut) await this.#closing.refuse()
      requireRecoverable(this.#parts.mailbox.fatal)
      checkOffsets(partitions, 'assign')
      const called = this.#group?.calledWith('assign') ?? null
      if (called === null) await this.#ownership.replace(partitions, false)
      else await this.#ownership.addMissing(partitions)
    })
  }

  /**
   * Gives up all partitions and commits their stored offsets. Under COOPERATIVE and CONSUMER it gives up the event's
   * partitions inside a rebalance callback; outside one it rejects with KafkaError ERR__STATE.
   */
  unassign(): Promise<void> {
    return this.#runningJobs.trackWaiters(async () => {
      if (this.#isShut) await this.#closing.refuse()
      const called = this.#group?.calledWith('unassign') ?? null
      if (called === null) await this.#ownership.replace([], this.assignmentLost())
      else await this.#ownership.releasePartitions(called, this.assignmentLost())
    })
  }

  /** Consumes these partitions as well. Rejects with KafkaError ERR__INVALID_ARG for one that is already assigned. */
  incrementalAssign(partitions: readonly TopicPartitionOffset[]): Promise<void> {
    return this.#runningJobs.trackWaiters(async () => {
      if (this.#isShut) await this.#closing.refuse()
      checkOffsets(partitions, 'incrementalAssign')
      await this.#ownership.addNew(partitions, () => this.#group?.touched())
    })
  }

  /** Gives up some of the partitions. Rejects with KafkaError ERR__INVALID_ARG for one that is not assigned. */
  incrementalUnassign(partitions: readonly TopicPartition[]): Promise<void> {
    return this.#runningJobs.trackWaiters(async () => {
      if (this.#isShut) await this.#closing.refuse()
      await this.#ownership.releaseNamed(partitions, this.assignmentLost(), () => this.#group?.touched())
    })
  }

  /** The assigned partitions. */
  assignment(): TopicPartition[] {
    return this.#assignment.partitions()
  }

  /** Whether the partitions may already belong to another member: true inside the callback of a `lost` event. */
  assignmentLost(): boolean {
    return this.#group?.isLost ?? false
  }

  /**
   * How the group revokes partitions: EAGER all at once; COOPERATIVE and CONSUMER (`group.protocol`) only those that
   * move to another member. NONE without a subscription.
   */
  rebalanceProtocol(): RebalanceProtocol {
    const group = this.#group
    return group === null || group.subscription === null ? 'NONE' : group.protocol
  }

  /**
   * The next message or event; null after the timeout, or when the consumer is closed meanwhile. Runs rebalance
   * callbacks. Stores the offset of a message as it delivers it (`enable.auto.offset.store`).
   * Rejects with KafkaError ERR__STATE while another call is pending or when closed, or with the signal's reason.
   * @param wait timeout in ms (-1, the default: none), or `{ timeoutMs, signal }`
   */
  poll(wait?: WaitOptions): Promise<ConsumerEvent<K, V> | null> {
    return this.#reader.poll(resolveWait(wait, NO_LIMIT))
  }

  /**
   * The next message; skips events, which only listeners get. Rejects with KafkaError:
   * - ERR__TIMED_OUT;
   * - ERR__DESTROY when closed meanwhile, ERR__STATE as poll;
   * - what the application has to know: a group without authorization, topics that may not be read or do not exist when
   *   there is no other to read, ERR__AUTO_OFFSET_RESET, ERR__MAX_POLL_EXCEEDED, deserialization errors, fatal errors.
   *   After any but a fatal one, call it again to carry on; a fatal one comes again.
   */
  readMessage(wait?: WaitOptions): Promise<ConsumedMessage<K, V>> {
    return this.#reader.readMessage(resolveWait(wait, NO_LIMIT))
  }

  /**
   * All messages from now on. Asking for the next message stores the offset behind the previous one; leaving the loop
   * does not store the last one. Ends when the consumer is closed; throws what readMessage rejects with.
   */
  [Symbol.asyncIterator](): ConsumerIterator<ConsumedMessage<K, V>> {
    this.#requireOpen()
    return new MessageIterator(this.#reader, this.#queue)
  }

  /** Messages in batches of one partition: the fastest way to read. Stores offsets as the iterator does, per batch. */
  batches(options: BatchOptions = {}): ConsumerIterator<ConsumedBatch<K, V>> {
    this.#requireOpen()
    return new BatchIterator(this.#reader, this.#queue, options)
  }

  /**
   * Processes many messages at once, or batches of many partitions, and commits each partition up to its first
   * unfinished message. Resolves when its signal is aborted or the consumer is closed, after the running handlers.
   * Rejects with the error of a message or batch that failed for good, KafkaError ERR__INVALID_ARG or ERR__STATE, or a
   * fatal error.
   */
  run(options: RunOptions<K, V> | BatchRunOptions<K, V>): Promise<void> {
    return this.#parts.runs.run(options)
  }

  /**
   * A stream for each partition, from its first message until the partition is revoked or this iterator ends. Stores
   * offsets as an iterator does.
   */
  partitions(options: PartitionStreamsOptions = {}): ConsumerIterator<ConsumedStream<K, V>> {
    return this.#parts.runs.partitions(options)
  }

  /** Calls the listener with every event of this type, polled or not. What it throws is logged. */
  on<T extends ConsumerEvent['type']>(type: T, listener: ConsumerListener<K, V, T>): this {
    // Both are the event of type T; the compiler cannot see that.
    this.#context.events.on(type, listener as unknown as (event: Event) => void)
    return this
  }

  /** Removes a listener that `on` added. */
  off<T extends ConsumerEvent['type']>(type: T, listener: ConsumerListener<K, V, T>): this {
    // As in `on`.
    this.#context.events.off(type, listener as unknown as (event: Event) => void)
    return this
  }

  /**
   * Commits these offsets, or the stored ones of the assignment. Resolves with errors per partition. Rejects with
   * KafkaError when none could be committed: the broker's code, ERR__NO_OFFSET when no stored offset is left to commit,
   * ERR__UNKNOWN_GROUP without `group.id`, ERR__TIMED_OUT.
   */
  async commit(offsets?: readonly TopicPartitionOffset[]): Promise<TopicPartitionOffset[]> {
    if (this.#isShut) await this.#closing.refuse()
    const committer = this.#committer
    if (committer === null) throw noGroup('commit')
    if (offsets !== undefined) checkOffsets(offsets, 'commit')
    const given = committer.toCommit(offsets)
    if (given.length === 0) throw new KafkaError(ErrorCode.ERR__NO_OFFSET, 'there is no stored offset to commit')
    return committer.commit(given, Deadline.after(this.#context.clock, this.#settings['socket.timeout.ms']))
  }

  /** Commits the offset behind a message. */
  commitMessage(message: TopicPartition & { readonly offset: number }): Promise<TopicPartitionOffset[]> {
    return this.commit([behind(message)])
  }

  /**
   * Stores offsets for the next commit. The result of a partition that is not assigned has an ERR__STATE error.
   * @throws KafkaError ERR__INVALID_ARG unless `enable.auto.offset.store` is false
   */
  storeOffsets(offsets: readonly TopicPartitionOffset[]): TopicPartitionOffset[] {
    this.#requireOpen()
    checkOffsets(offsets, 'storeOffsets')
    if (this.#settings['enable.auto.offset.store']) {
      throw invalid('storeOffsets needs enable.auto.offset.store=false: the client stores offsets itself')
    }
    return this.#assignment.store(offsets)
  }

  /**
   * Stores the offset behind a message. The result has an ERR__STATE error if the message is of an earlier assignment,
   * or was delivered before the position moved (a seek, a reset).
   */
  storeMessage(message: TopicPartition & { readonly offset: number }): TopicPartitionOffset[] {
    const error = outlived(message)
    return error === null ? this.storeOffsets([behind(message)]) : [{ ...behind(message), error }]
  }

  /**
   * The committed offsets of these partitions, or of the assignment; OFFSET_INVALID where there is none.
   * Rejects with KafkaError ERR__UNKNOWN_GROUP, ERR__TIMED_OUT or the group's error.
   */
  async committed(partitions?: readonly TopicPartition[], wait?: WaitOptions): Promise<TopicPartitionOffset[]> {
    if (this.#isShut) await this.#closing.refuse()
    const groupId = this.#settings['group.id']
    if (groupId === undefined) throw noGroup('committed')
    const asked = partitions ?? this.assignment()
    checkPartitions(asked, 'committed')
    if (asked.length === 0) return []
    const requireStable = this.#settings['isolation.level'] === 'read_committed'
    return fetchCommitted(this.#cluster, groupId, asked, { ...queryOptions(this.#context, wait), requireStable })
  }

  /**
   * How far this consumer is behind in each of its partitions, in messages and in time; 0 when everything that can be read
   * has been read and committed. Asks the leaders and the coordinator.
   * Rejects with KafkaError ERR__TIMED_OUT or the group's error.
   */
  async lag(wait?: WaitOptions): Promise<PartitionLag[]> {
    if (this.#isShut) await this.#closing.refuse()
    return consumerLag(this.#parts, queryOptions(this.#context, wait))
  }

  /** The offset of the next message to deliver; OFFSET_INVALID until it is known. */
  position(partitions: readonly TopicPartition[] = this.assignment()): TopicPartitionOffset[] {
    checkPartitions(partitions, 'position')
    return this.#assignment.positions(partitions)
  }

  /** Moves to these offsets, logical ones included, and drops what was fetched before. Errors are per partition. */
  async seek(partitions: readonly TopicPartitionOffset[]): Promise<TopicPartitionOffset[]> {
    if (this.#isShut) await this.#closing.refuse()
    checkOffsets(partitions, 'seek')
    return Promise.resolve(this.#ownership.seek(partitions))
  }

  /**
   * Delivers nothing of these partitions until `resume`, or until they are assigned again. In `run` and `partitions()`
   * no further message of them is started; a running handler finishes its message, retries included.
   * @throws KafkaError ERR__STATE for a partition that is not assigned
   */
  pause(partitions: readonly TopicPartition[]): void {
    this.#requireOpen()
    this.#ownership.pause(partitions)
  }

  /**
   * Carries on where `pause` stopped, with the first message that was not started.
   * @throws KafkaError ERR__STATE for a partition that is not assigned
   */
  resume(partitions: readonly TopicPartition[]): void {
    this.#requireOpen()
    this.#ownership.resume(partitions)
  }

  /**
   * The first offset and the high watermark as of the last fetch, without a request; OFFSET_INVALID before the first.
   */
  getWatermarkOffsets(topic: string, partition: number): { low: number; high: number } {
    const known = this.#assignment.get(topic, partition)?.fetching
    return { low: known?.low ?? OFFSET_INVALID, high: known?.high ?? OFFSET_INVALID }
  }

  /** The first offset and the high watermark, as the leader says now. */
  async queryWatermarkOffsets(
    topic: string,
    partition: number,
    wait?: WaitOptions,
  ): Promise<{ low: number; high: number }> {
    if (this.#isShut) await this.#closing.refuse()
    checkPartitions([{ topic, partition }], 'queryWatermarkOffsets')
    return queryWatermarkOffsets(this.#cluster, this.#context, topic, partition, queryOptions(this.#context, wait))
  }

  /** The first offset at or after each time (`offset` is ms since the epoch); OFFSET_END where there is none. */
  async offsetsForTimes(times: readonly TopicPartitionOffset[], wait?: WaitOptions): Promise<TopicPartitionOffset[]> {
    if (this.#isShut) await this.#closing.refuse()
    checkTimes(times, 'offsetsForTimes')
    return offsetsForTimes(this.#cluster, this.#context, times, queryOptions(this.#context, wait))
  }

  /** Brokers and topics: all topics, or the one named. */
  async getMetadata(
    options: { topic?: string; allTopics?: boolean; timeoutMs?: number; signal?: AbortSignal } = {},
  ): Promise<Metadata> {
    if (this.#isShut) await this.#closing.refuse()
    return getMetadata(this.#cluster, options, queryOptions(this.#context, options))
  }

  /**
   * This consumer's identity within its group, for a transaction.
   * @throws KafkaError ERR__UNKNOWN_GROUP without `group.id`
   */
  groupMetadata(): ConsumerGroupMetadata {
    return this.#requireGroup('groupMetadata').metadata()
  }

  /** The id by which the coordinator knows this consumer; empty until it does. */
  get memberId(): string {
    return this.#group?.memberId ?? ''
  }

  /** Whether `close` has been called. */
  get closed(): boolean {
    return this.#closing.isBegun
  }

  /**
   * Runs the rebalance callback for what is assigned, commits stored offsets (`enable.auto.commit`), leaves the
   * group and disconnects. Always resolves, at the latest after the timeout (30,000 ms by default) or when the signal
   * is aborted. A pending `poll` returns null, a pending `readMessage` rejects with ERR__DESTROY, iterators end.
   */
  close(wait?: WaitOptions): Promise<void> {
    const closing = this.#closing.close(wait)
    return this.#runningJobs.trackWaiters(() => closing, true)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** @internal what an AdminClient made from this consumer shares */
  get [clientHandle](): ClientHandle {
    return { context: this.#context, cluster: this.#cluster }
  }

  /** @internal */
  get [clientInsight](): ClientInsight {
    return this.#parts.insight.client
  }

  /** @internal what Producer.transactional reads with */
  [transactionalReads](options: BatchOptions): TransactionalReader<ConsumedBatch<K, V>> {
    this.#requireOpen()
    const group = this.#requireGroup('transactional')
    const parts = [this.#context, this.#reader, this.#queue, this.#parts.mailbox, this.#ownership] as const
    return new TransactionReader(options, () => group.metadata(), ...parts)
  }

  async #leave(deadline: Deadline): Promise<void> {
    await this.#group?.close(deadline)
    await this.#ownership.releaseAll(deadline)
    await this.#group?.leaveAtLast(deadline)
  }

  #requireGroup(call: string): Group {
    if (this.#group === null) throw noGroup(call)
    return this.#group
  }

  /** Takes no calls. A callback that runs while the consumer is being closed may still commit and unassign. */
  get #isShut(): boolean {
    return this.closed && (this.#disconnected || this.#group?.hasCallbacks !== true)
  }

  #requireOpen(): void {
    if (this.#isShut) throw this.#closing.error()
  }
}
