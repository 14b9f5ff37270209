import { ErrorCode } from '@ottla/protocol'
import { Deadline } from '../../base/clock.ts'
import { resolveWait } from '../../base/wait.ts'
import { Cluster } from '../../cluster/cluster.ts'
import { createContext, type ClientContext } from '../../cluster/context.ts'
import { AuthenticatedClient } from '../../cluster/authenticated-client.ts'
import { clientHandle, type ClientHandle } from '../../cluster/handle.ts'
import { clientInsight, type ClientInsight } from '../../cluster/insight.ts'
import { checkedOptions } from '../../config/constructor-options.ts'
import { checkForm, resolveConfig, type ConsumerSettings, type ShareConsumerConfig } from '../../config/resolve.ts'
import { KafkaError } from '../../errors.ts'
import type { Untyped, ValueBeside } from '../../topics.ts'
import type { ConsumerIterator, TopicPartition, WaitOptions } from '../../types.ts'
import { invalid } from '../arguments.ts'
import { ConsumedTopics } from '../group/consumed-topics.ts'
import { newMemberId } from '../group/member-id.ts'
import { PollWatch } from '../group/poll-watch.ts'
import { SubscribedTopics } from '../group/subscribed-topics.ts'
import { Subscription, type TopicsToSubscribe } from '../group/subscription.ts'
import { RunningJobs } from '../read/running-jobs.ts'
import { Closing } from '../read/closing.ts'
import { decodingOf } from '../read/decoding.ts'
import { requireRecoverable } from '../read/fatal.ts'
import { Mailbox } from '../read/mailbox.ts'
import { reportError } from '../read/reader-errors.ts'
import { underWay } from '../read/reader-slot.ts'
import { AcknowledgeResults, type AcknowledgeResult } from './acknowledge-results.ts'
import { acknowledgeTypes, type AcknowledgeType } from './acknowledgements.ts'
import type { ShareConsumerEvent, ShareListenedEvent, ShareListener } from './events.ts'
import { LockWatch } from './lock-watch.ts'
import type { ConsumedShareMessage, LockedMessage, ShareMessage } from './message.ts'
import {
  checkShareConfig,
  isImplicit,
  type ShareConsumerOptions,
  type ShareRunOptions,
  type TopicShareConsumerArguments,
} from './options.ts'
import { ShareFetcher } from './share-fetcher.ts'
import { shareInsight } from './share-insight.ts'
import { ShareMember } from './share-member.ts'
import { ShareQueue } from './share-queue.ts'
import { ShareIterator, ShareReader, requireLocked } from './share-reader.ts'
import { ShareRunner } from './share-runner.ts'
import { ShareStatistics } from './share-statistics.ts'

const NO_LIMIT = -1
// The part of the time for closing that handlers get.
const DRAIN_PART = 3 / 4
const WARN_EVERY_MS = 60_000

/**
 * A member of a share group (KIP-932). Many consumers read the same partitions; each message is locked for one of them
 * until that consumer acknowledges it. Delivery is at least once, in no order. Connects in the background and recovers
 * from everything but a fatal error. One call of `poll`, an iterator or `run` at a time.
 *
 * `share.acknowledgement.mode=implicit` (default): asking for the next message accepts the previous one, unless
 * `acknowledge` has said otherwise. `explicit`: only `acknowledge` counts; a message that is not acknowledged is
 * delivered again when its lock ends.
 * @since 0.1.0
 */
export class ShareConsumer<K = Buffer, V = ValueBeside<K, Buffer>>
  extends AuthenticatedClient
  implements AsyncDisposable, AsyncIterable<ConsumedShareMessage<K, V>>
{
  readonly #context: ClientContext
  readonly #settings: ConsumerSettings
  readonly #cluster: Cluster
  readonly #mailbox: Mailbox
  readonly #queue: ShareQueue
  readonly #reader: ShareReader<K, V>
  readonly #member: ShareMember
  readonly #fetcher: ShareFetcher
  readonly #watch: PollWatch
  readonly #topics: ConsumedTopics
  readonly #subscribed: SubscribedTopics
  readonly #statistics: ShareStatistics
  readonly #insight: ClientInsight
  readonly #results: AcknowledgeResults
  readonly #isImplicit: boolean
  readonly #locks: LockWatch
  readonly #runningJobs: RunningJobs
  #subscription: Subscription | null = null
  #isWanted = false
  #warnsExhaustedAt = -Infinity
  #run: ShareRunner<K, V> | null = null
  readonly #closing: Closing
  /** Resolves when the group has been left. */
  #left: Promise<void> = Promise.resolve()

  /**
   * Connects in the background.
   * @throws KafkaError ERR__INVALID_ARG for a configuration that cannot work or does not apply to share groups;
   *   ERR__UNKNOWN_GROUP without `group.id`
   */
  constructor(config: ShareConsumerConfig, options?: ShareConsumerOptions<K, V>, ...untyped: Untyped<K, V>)
  /** Typed topics: `new ShareConsumer<Topics>(config, { topics: { jobs: { value: json<Job>() } } })`. */
  constructor(config: ShareConsumerConfig, ...options: TopicShareConsumerArguments<K, V>)
  constructor(config: ShareConsumerConfig, options: ShareConsumerOptions<unknown, unknown> = {}) {
    super()
    checkForm(config)
    const groupId = checkShareConfig(config)
    // As under that protocol, the coordinator decides about timeouts and assignments.
    const resolved = resolveConfig('share', { ...config, 'group.protocol': 'consumer' })
    this.#isImplicit = isImplicit(resolved.settings['share.acknowledgement.mode'])
    const context = createContext('consumer', resolved, checkedOptions('ShareConsumer', options))
    const cluster = new Cluster(context)
    this.#closing = new Closing(context, {
      unfinished: 'closed before all acknowledgements were sent and the group was left in order',
      begin: () => {
        this.#mailbox.interrupt()
        this.#reader.forgetLast()
      },
      leave: deadline => this.#finish(deadline),
      end: () => this.#end(),
    })
    this.#topics = new ConsumedTopics(context, cluster, {
      cursors: [],
      subscription: () => this.#subscription,
      onRecreated: () => undefined,
    })
    this.#subscribed = new SubscribedTopics(context, cluster.metadata)
    const { raise } = this.#topics
    this.#context = context
    this.#settings = resolved.settings
    this.#cluster = cluster
    this.#results = new AcknowledgeResults(context)
    this.#mailbox = new Mailbox(context.clock)
    this.#runningJobs = new RunningJobs(context.clock, this.#settings['max.poll.interval.ms'])
    this.#queue = new ShareQueue(context.clock, this.#settings['max.poll.records'])
    this.#reader = this.#makeReader(options)
    this.#member = new ShareMember(context, cluster, groupId, newMemberId(context.random), {
      topics: () => (this.#subscription === null ? [] : this.#subscribed.of(this.#subscription)),
      onAssigned: partitions => this.#fetcher.assign(partitions),
      raise,
    })
    this.#fetcher = new ShareFetcher(context, cluster, this.#queue, {
      groupId,
      memberId: this.#member.id,
      isWanted: () => this.#isWanted && this.#member.isMember,
      isTaking: topic => this.#isWanted && this.#subscription?.includes(topic) === true,
      onMessages: () => this.#onMessages(),
      onAcknowledged: (source, types, error) => this.#results.add(source, types, error),
      raise,
    })
    this.#locks = new LockWatch(context.clock, this.#queue, {
      isProcessing: message => this.#run?.isProcessing(message) === true,
      renew: message => this.#fetcher.autoRenew(message),
      onEnded: () => this.#fetcher.kick(),
    })
    this.#watch = new PollWatch(context, {
      polls: () => this.#reader.polls,
      isPolling: () => this.#reader.isPolling,
      isCalling: () => false,
      workingSince: () => this.#runningJobs.oldestSince,
      isMember: () => this.#member.isMember,
      onExceeded: limitMs => this.#onPollExceeded(limitMs),
    })
    const member = this.#member
    this.#statistics = new ShareStatistics(context, cluster, this.#mailbox, {
      assignment: () => this.assignment(),
      get phase() {
        return member.phase
      },
    })
    const seen = [member, this.#mailbox, this.#reader, this.#runningJobs, this.#statistics] as const
    this.#insight = shareInsight(context, cluster, this, ...seen)
    context.events.subscribe(event => this.#mailbox.onEvent(event))
    cluster.metadata.onChange(() => this.#onMetadata())
    cluster.start()
  }

  /**
   * Joins the group for these topics. `^...` and RegExp are patterns, matched by the client, which also match topics
   * that are created later. Replaces an earlier subscription.
   * @throws KafkaError ERR__INVALID_ARG, ERR__STATE when closed
   */
  subscribe(topics: TopicsToSubscribe<K, V>): void {
    this.#requireOpen()
    requireRecoverable(this.#mailbox.fatal)
    const subscription = new Subscription(topics)
    if (subscription.isEmpty) throw invalid('subscribe takes at least one topic; unsubscribe() ends a subscription')
    const before = this.#subscription
    this.#subscription = subscription
    this.#subscribed.replace(before, subscription)
    if (before !== null) this.#release(({ topic }) => !subscription.includes(topic))
    if (subscription.patterns.length > 0) {
      this.#subscribed.wantAll()
      this.#cluster.metadata.requestRefresh('topics by pattern')
    }
    this.#watch.start()
    this.#topics.check()
    this.#locks.start()
    void this.#join()
  }

  /** The subscribed topics; patterns as they were given. */
  subscription(): string[] {
    return [...(this.#subscription?.terms ?? [])]
  }

  /**
   * Leaves the group. Sends pending acknowledgements and releases what was fetched ahead. Messages that were delivered
   * stay locked until they are acknowledged, their locks end, or `close`.
   */
  async unsubscribe(): Promise<void> {
    if (this.closed) await this.#closing.refuse()
    await this.#leave(Deadline.after(this.#context.clock, this.#settings['socket.timeout.ms']))
  }

  /** The partitions that this consumer reads; other members may read them, too. */
  assignment(): TopicPartition[] {
    const { topicNames } = this.#cluster.metadata.snapshot
    return this.#fetcher.assigned.flatMap(({ topicId, partition }) => {
      const topic = topicNames.get(topicId)
      return topic === undefined ? [] : [{ topic, partition }]
    })
  }

  /**
   * The next message or event; null after the timeout, or when the consumer is closed meanwhile. In implicit mode it
   * accepts the previous message. A message that cannot be deserialized is an `error` event (its raw form:
   * `error.rawMessage`); the next call releases it unless it is acknowledged.
   * Rejects with KafkaError ERR__STATE while another call is pending or when closed, or with the signal's reason.
   * @param wait timeout in ms (-1, the default: none), or `{ timeoutMs, signal }`
   */
  poll(wait?: WaitOptions): Promise<ShareConsumerEvent<K, V> | null> {
    return this.#reader.poll(resolveWait(wait, NO_LIMIT))
  }

  /**
   * All messages from now on. In implicit mode asking for the next message accepts the previous one; leaving the loop
   * does not accept the last one. Ends when the consumer is closed; throws what Consumer.readMessage rejects with.
   */
  [Symbol.asyncIterator](): ConsumerIterator<ConsumedShareMessage<K, V>> {
    this.#requireOpen()
    return new ShareIterator(this.#reader)
  }

  /**
   * Processes many messages at once and acknowledges each by its outcome. Renews the lock of a message for as long as
   * its handler runs (KIP-1222; brokers from 4.2 on). Resolves when its signal is aborted or the consumer is closed,
   * after the running handlers. Rejects with what `onError` throws, with KafkaError ERR__INVALID_ARG, with ERR__STATE
   * while there is another reader, or with a fatal error.
   */
  run(options: ShareRunOptions<K, V>): Promise<void> {
    return this.#runningJobs.trackWaiters(() => this.#runOnce(options))
  }

  async #runOnce(options: ShareRunOptions<K, V>): Promise<void> {
    if (this.closed) await this.#closing.refuse()
    const run = new ShareRunner<K, V>(
      {
        client: this.#context.client,
        clock: this.#context.clock,
        reader: this.#reader,
        runningJobs: this.#runningJobs,
        closingMs: () => (this.#closing.deadline?.left() ?? Infinity) * DRAIN_PART,
        isClosing: () => this.closed,
        wake: () => this.#mailbox.wake(),
        keepAtLeast: count => this.#queue.window.keepAtLeast(count),
        warn: error => this.#context.logger.warning('RUN', `${error.name}: ${error.message}`),
        acknowledge: (message, outcome) => {
          if (message.state === 'given') this.#settle(message, outcome)
          else if (message.state === 'over') this.#fetcher.reportTooLate(message, outcome)
        },
      },
      options,
    )
    if (this.#run !== null) throw underWay('run of this share consumer')
    this.#run = run
    try {
      await run.run()
    } finally {
      this.#run = null
    }
  }

  /**
   * Acknowledges a message: sent to the broker with the next request, or by `commit`. An `acknowledged` event reports
   * the result. `renew` restarts the lock and leaves the message with the application.
   * @throws KafkaError ERR__INVALID_ARG for anything but a message of this consumer and a known type; ERR__STATE when
   *   the message was already acknowledged or its lock was lost; ERR__UNSUPPORTED_FEATURE for `renew` with brokers
   *   before 4.2
   */
  acknowledge(message: ShareMessage<unknown, unknown>, type: AcknowledgeType = 'accept'): void {
    this.#requireOpen()
    const locked = requireLocked(message)
    checkType(type)
    const name = `${locked.source.name} at offset ${locked.offset}`
    if (locked.state === 'settled') {
      throw new KafkaError(ErrorCode.ERR__STATE, `${name} has been acknowledged already`)
    }
    if (locked.state !== 'given' || locked.lockedUntil <= this.#context.clock.now()) {
      this.#queue.end(locked)
      throw new KafkaError(ErrorCode.ERR__STATE, `the lock of ${name} was lost: the message will be delivered again`)
    }
    if (type !== 'renew') this.#settle(locked, type)
    else if (this.#fetcher.canRenew(locked) === false) {
      const why = `the lock of ${name} cannot be renewed: that needs brokers from 4.2 on`
      throw new KafkaError(ErrorCode.ERR__UNSUPPORTED_FEATURE, why)
    } else this.#fetcher.renew(locked)
  }

  /**
   * Sends all acknowledgements and waits for the answers; in implicit mode it also accepts the message delivered last.
   * Resolves with a result for each partition. Rejects with KafkaError ERR__TIMED_OUT or the signal's reason.
   * @param wait timeout in ms (`socket.timeout.ms` by default), or `{ timeoutMs, signal }`
   */
  async commit(wait?: WaitOptions): Promise<AcknowledgeResult[]> {
    if (this.closed) await this.#closing.refuse()
    const { timeoutMs, signal } = resolveWait(wait, this.#settings['socket.timeout.ms'])
    this.#reader.finishLast()
    return this.#results.during(this.#fetcher.flush(Deadline.after(this.#context.clock, timeoutMs), signal))
  }

  /** Calls the listener with every event of this type, polled or not. What it throws is logged. */
  on<T extends ShareListenedEvent['type']>(type: T, listener: ShareListener<T>): this {
    // Both are the event of type T; the compiler cannot see that.
    this.#context.events.on(type, listener)
    return this
  }

  /** Removes a listener that `on` added. */
  off<T extends ShareListenedEvent['type']>(type: T, listener: ShareListener<T>): this {
    // As in `on`.
    this.#context.events.off(type, listener)
    return this
  }

  /** The id by which the coordinator knows this consumer. */
  get memberId(): string {
    return this.#member.id
  }

  /** Whether `close` has been called. */
  get closed(): boolean {
    return this.#closing.isBegun
  }

  /**
   * Sends all acknowledgements, releases all other messages, leaves the group and disconnects. Always resolves, at the
   * latest after the timeout (30,000 ms by default) or when the signal is aborted. A pending `poll` returns null,
   * iterators end, a `run` finishes first.
   */
  close(wait?: WaitOptions): Promise<void> {
    const closing = this.#closing.close(wait)
    return this.#runningJobs.trackWaiters(() => closing)
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
    return this.#insight
  }

  async #end(): Promise<void> {
    this.#locks.stop()
    this.#watch.stop()
    this.#topics.stop()
    this.#statistics.stop()
    this.#insight.stop()
    await this.#cluster.end()
    await Promise.all([this.#fetcher.close(), this.#member.stop()])
    this.#mailbox.interrupt()
  }

  async #finish(deadline: Deadline): Promise<void> {
    if (this.#run !== null) {
      this.#run.stop()
      await this.#run.drained()
    }
    await this.#fetcher.finish(deadline)
    await this.#leave(deadline)
  }

  /** After a leave that is still in progress, unless the application has unsubscribed again by then. */
  async #join(): Promise<void> {
    await this.#left.catch(() => undefined)
    if (this.#subscription !== null) this.#member.join()
  }

  #leave(deadline: Deadline): Promise<void> {
    const subscription = this.#subscription
    if (subscription === null) return this.#left
    this.#subscription = null
    this.#subscribed.replace(subscription, null)
    this.#watch.stop()
    this.#fetcher.assign([])
    this.#releaseWaiting()
    this.#left = this.#flushAndLeave(deadline)
    return this.#left
  }

  async #flushAndLeave(deadline: Deadline): Promise<void> {
    try {
      await this.#fetcher.flush(deadline, undefined)
    } finally {
      await this.#member.leave()
    }
  }

  #makeReader(options: ShareConsumerOptions<unknown, unknown>): ShareReader<K, V> {
    const host = {
      isClosing: () => this.closed,
      closedError: () => this.#closing.error(),
      onPoll: () => this.#onPoll(),
      onTaken: () => this.#onTaken(),
      runningJobs: this.#runningJobs,
      pushed: this.#context.counters.pushed,
      onNotAcknowledged: (message: LockedMessage, isUnread: boolean) => this.#onNotAcknowledged(message, isUnread),
    }
    return new ShareReader<K, V>(this.#context, this.#queue, this.#mailbox, host, decodingOf(options))
  }

  #onPoll(): void {
    this.#member.polled()
    if (!this.#isWanted) {
      this.#isWanted = true
      this.#fetcher.kick()
    } else if (this.#queue.waiting === 0) this.#onTaken()
    this.#warnExhausted()
  }

  // No warning in a run: it acknowledges its messages itself.
  #warnExhausted(): void {
    const now = this.#context.clock.now()
    if (!this.#queue.isExhausted || this.#run !== null || now < this.#warnsExhaustedAt) return
    this.#warnsExhaustedAt = now + WARN_EVERY_MS
    const why = `${this.#queue.held} messages are waiting to be acknowledged (max.poll.records)`
    this.#context.logger.warning('SHARE', `${why}: no more are delivered until some are`)
  }

  #onTaken(): void {
    if (this.#queue.room > 0 && this.#queue.waiting * 2 <= this.#queue.window.size) this.#fetcher.kick()
  }

  /** The application asks for more: in implicit mode that accepts a message which it did not acknowledge. */
  #onNotAcknowledged(message: LockedMessage, isUnread: boolean): void {
    if (message.state === 'over' && this.#isImplicit && !isUnread) this.#fetcher.reportTooLate(message, 'accept')
    if (message.state !== 'given') return
    if (isUnread) this.#settle(message, 'release')
    else if (this.#isImplicit) this.#settle(message, 'accept')
  }

  #settle(message: LockedMessage, type: Exclude<AcknowledgeType, 'renew'>): void {
    this.#queue.settle(message)
    this.#fetcher.acknowledge(message, acknowledgeTypes[type])
  }

  #onMessages(): void {
    this.#locks.adjust()
    this.#mailbox.wake()
  }

  /** Releases what was fetched ahead for the other members, instead of renewing its locks for nothing. */
  #releaseWaiting(): void {
    this.#reader.giveBack()
    this.#release(() => true)
  }

  #release(isUnwanted: (message: LockedMessage) => boolean): void {
    for (const message of this.#queue.takeAll(isUnwanted)) {
      this.#queue.settle(message)
      this.#fetcher.autoRelease(message)
    }
  }

  #onPollExceeded(limitMs: number): void {
    this.#member.park()
    this.#isWanted = false
    this.#releaseWaiting()
    this.#run?.giveUp(limitMs)
    const why = `${this.#runningJobs.describeExceeded(limitMs)}: left the share group`
    reportError(this.#context, new KafkaError(ErrorCode.ERR__MAX_POLL_EXCEEDED, why))
  }

  #onMetadata(): void {
    this.#topics.check()
    this.#member.onMetadata()
    this.#fetcher.kick()
  }

  #requireOpen(): void {
    if (this.closed) throw this.#closing.error()
  }
}

function checkType(type: string): void {
  if (type !== 'gap' && Object.hasOwn(acknowledgeTypes, type)) return
  throw invalid(`acknowledge: '${type}' is not accept, release, reject or renew`)
}
