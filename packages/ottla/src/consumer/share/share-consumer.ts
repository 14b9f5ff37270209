import { ErrorCode } from '@ottla/protocol'
import { Deadline, type Timer } from '../../base/clock.ts'
import { resolveWait, within } from '../../base/wait.ts'
import { Cluster } from '../../cluster/cluster.ts'
import { createContext, type ClientContext } from '../../cluster/context.ts'
import { clientHandle, type ClientHandle } from '../../cluster/handle.ts'
import { checkedOptions } from '../../config/constructor-options.ts'
import { checkForm, resolveConfig, type ConsumerConfig, type ConsumerSettings } from '../../config/resolve.ts'
import { KafkaError } from '../../errors.ts'
import type { AcknowledgedEvent, Event, OAuthBearerToken, TopicPartition, WaitOptions } from '../../types.ts'
import { invalid } from '../arguments.ts'
import { AtWork } from '../at-work.ts'
import { newMemberId } from '../group/member-id.ts'
import { PollWatch } from '../group/poll-watch.ts'
import { Subscription, type SubscriptionInput } from '../group/subscription.ts'
import { Mailbox } from '../mailbox.ts'
import { decodingOf } from '../message.ts'
import { tellError } from '../reader-errors.ts'
import { TopicWatch } from '../topic-watch.ts'
import { WantedTopics } from '../wanted-topics.ts'
import { AcknowledgeResults, type AcknowledgeResult } from './acknowledge-results.ts'
import { acknowledgeTypes, type AcknowledgeType } from './acknowledgements.ts'
import type { ShareConsumerEvent } from './events.ts'
import type { LockedMessage, ShareMessage } from './message.ts'
import { checkShareConfig, isImplicit, type ShareConsumerOptions, type ShareRunOptions } from './options.ts'
import { ShareFetcher } from './share-fetcher.ts'
import { ShareInbox } from './share-inbox.ts'
import { ShareMember } from './share-member.ts'
import { ShareIterator, ShareReader, requireLocked } from './share-reader.ts'
import { ShareRun } from './share-run.ts'
import { ShareStatistics } from './share-statistics.ts'

/** Events that `on` hears. */
export type ShareListenedEvent<K = Buffer, V = Buffer> =
  Exclude<ShareConsumerEvent<K, V>, { type: 'message' }> | AcknowledgedEvent

type Listener<T extends ShareListenedEvent['type']> = (event: Extract<ShareListenedEvent, { type: T }>) => void

const DEFAULT_CLOSE_MS = 30_000
const NO_LIMIT = -1
// Of the time that there is for closing, handlers get so much.
const DRAIN_PART = 3 / 4
const WARN_EVERY_MS = 60_000

/**
 * A member of a share group (KIP-932): many consumers take messages of the same partitions, each message is locked for one
 * of them until that says what became of it. At least once, in no order. Connects in the background, and goes on by itself
 * after everything but a fatal error. One call of `poll`, an iterator or `run` at a time.
 *
 * `share.acknowledgement.mode=implicit` (default): whoever asks for the next message accepts the one before, unless
 * `acknowledge` has said otherwise. `explicit`: only `acknowledge` counts; a message that nobody says anything of is given
 * out again when its lock ends.
 * @since 0.1.0
 */
export class ShareConsumer<K = Buffer, V = Buffer> implements AsyncDisposable, AsyncIterable<ShareMessage<K, V>> {
  readonly #context: ClientContext
  readonly #settings: ConsumerSettings
  readonly #cluster: Cluster
  readonly #mailbox: Mailbox
  readonly #inbox: ShareInbox
  readonly #reader: ShareReader<K, V>
  readonly #member: ShareMember
  readonly #fetcher: ShareFetcher
  readonly #watch: PollWatch
  readonly #topics: TopicWatch
  readonly #statistics: ShareStatistics
  readonly #results: AcknowledgeResults
  readonly #isImplicit: boolean
  readonly #atWork: AtWork
  #subscription: Subscription | null = null
  #isWanted = false
  #warnsExhaustedAt = -Infinity
  #run: ShareRun<K, V> | null = null
  #locks: Timer | null = null
  #checkMs = 0
  #closing: Promise<void> | null = null
  #closesAt: Deadline | null = null
  /** Resolves when the group has been left. */
  #left: Promise<void> = Promise.resolve()
  #isClosed = false

  /**
   * Connects in the background.
   * @throws KafkaError ERR__INVALID_ARG for a configuration that cannot work, or that means nothing to a share group;
   *   ERR__UNKNOWN_GROUP without `group.id`
   */
  constructor(config: ConsumerConfig, options: ShareConsumerOptions<K, V> = {}) {
    checkForm(config)
    const groupId = checkShareConfig(config)
    // Time-outs and assignments are the coordinator's business, as under that protocol.
    const resolved = resolveConfig('consumer', { ...config, 'group.protocol': 'consumer' })
    this.#isImplicit = isImplicit(resolved.settings['share.acknowledgement.mode'])
    const context = createContext('consumer', resolved, checkedOptions('ShareConsumer', options))
    const cluster = new Cluster(context)
    const wanted = new WantedTopics(cluster.metadata, { cursors: [] }, () => this.#subscription)
    const raise = (error: KafkaError, of?: string): void => tellError(context, error, wanted, of)
    this.#context = context
    this.#settings = resolved.settings
    this.#cluster = cluster
    this.#results = new AcknowledgeResults(context)
    this.#mailbox = new Mailbox(context.clock)
    this.#atWork = new AtWork(context.clock, this.#settings['max.poll.interval.ms'])
    this.#inbox = new ShareInbox(context.clock, this.#settings['max.poll.records'])
    this.#reader = this.#makeReader(options)
    this.#member = new ShareMember(context, cluster, groupId, newMemberId(context.random), {
      topics: () => this.#subscribed(),
      onAssigned: partitions => this.#fetcher.assign(partitions),
      raise,
    })
    this.#fetcher = new ShareFetcher(context, cluster, this.#inbox, {
      groupId,
      memberId: this.#member.id,
      isWanted: () => this.#isWanted && this.#member.isMember,
      isTaking: () => this.#isWanted && this.#subscription !== null,
      onMessages: () => this.#onMessages(),
      onAcknowledged: (source, types, error) => this.#results.told(source, types, error),
      raise,
    })
    this.#watch = new PollWatch(context, {
      polls: () => this.#reader.polls,
      isPolling: () => this.#reader.isPolling,
      isCalling: () => false,
      workingSince: () => this.#atWork.oldestSince,
      isMember: () => this.#member.isMember,
      onExceeded: limitMs => this.#onPollExceeded(limitMs),
    })
    this.#topics = new TopicWatch(context, cluster, {
      namedTopics: () => wanted.named(),
      partitions: () => [],
      onAnew: () => undefined,
      reject: error => tellError(context, error),
      raise,
    })
    const member = this.#member
    this.#statistics = new ShareStatistics(context, cluster, this.#mailbox, {
      assignment: () => this.assignment(),
      get phase() {
        return member.phase
      },
    })
    context.events.subscribe(event => this.#onEvent(event))
    cluster.metadata.onChange(() => this.#onMetadata())
    cluster.start()
  }

  /**
   * Joins the group for these topics; `^...` and RegExp are patterns, matched here against topics that come later, too.
   * Replaces an earlier subscription.
   * @throws KafkaError ERR__INVALID_ARG, ERR__STATE when closed
   */
  subscribe(topics: SubscriptionInput): void {
    this.#requireOpen()
    const subscription = new Subscription(topics)
    if (subscription.isEmpty) throw invalid('subscribe takes at least one topic; unsubscribe() ends a subscription')
    const before = this.#subscription
    this.#subscription = subscription
    this.#want(subscription)
    if (before !== null) this.#unwant(before)
    this.#watch.start()
    this.#topics.look()
    this.#lookAfterLocks()
    void this.#join()
  }

  /** What was subscribed to, patterns as they were given. */
  subscription(): string[] {
    return [...(this.#subscription?.terms ?? [])]
  }

  /**
   * Leaves the group. Acknowledgements are told, and what was fetched ahead is released; what the program has stays locked
   * until it says what became of it, `close`, or the end of the lock.
   */
  async unsubscribe(): Promise<void> {
    this.#requireOpen()
    await this.#leave(Deadline.after(this.#context.clock, this.#settings['socket.timeout.ms']))
  }

  /** The partitions that the group's coordinator has this consumer take messages of; others may take of them, too. */
  assignment(): TopicPartition[] {
    const { topicNames } = this.#cluster.metadata.snapshot
    return this.#fetcher.assigned.flatMap(({ topicId, partition }) => {
      const topic = topicNames.get(topicId)
      return topic === undefined ? [] : [{ topic, partition }]
    })
  }

  /**
   * The next message or event; null when the time is over, or the consumer is closed meanwhile. In implicit mode it accepts
   * the message before. A message that cannot be deserialized is an `error` event (its raw form: `error.rawMessage`), and is
   * released by the next call unless it is acknowledged.
   * @param wait ms (-1, the default: no limit), or those with a signal
   * Rejects with KafkaError ERR__STATE while another call is under way or when closed; the signal's reason.
   */
  poll(wait?: WaitOptions): Promise<ShareConsumerEvent<K, V> | null> {
    return this.#reader.poll(resolveWait(wait, NO_LIMIT))
  }

  /**
   * All messages from now on. In implicit mode asking for the next accepts the one before; leaving the loop does not accept
   * the last one. Ends when the consumer is closed; throws what Consumer.readMessage rejects with.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<ShareMessage<K, V>, undefined> {
    this.#requireOpen()
    return new ShareIterator(this.#reader)
  }

  /**
   * Works on many messages at once, each in a lock that is renewed for as long as its handler takes (KIP-1222; by brokers
   * from 4.2 on), and acknowledges each by what became of it. Resolves when its signal is aborted or the consumer is closed,
   * after what is at work; rejects with what `onError` throws, or KafkaError ERR__INVALID_ARG, ERR__STATE while another
   * reader is there, a fatal one.
   */
  run(options: ShareRunOptions<K, V>): Promise<void> {
    return this.#atWork.waitedFor(() => this.#runOnce(options))
  }

  async #runOnce(options: ShareRunOptions<K, V>): Promise<void> {
    this.#requireOpen()
    const run = new ShareRun<K, V>(
      {
        clock: this.#context.clock,
        reader: this.#reader,
        atWork: this.#atWork,
        closingMs: () => (this.#closesAt?.left() ?? Infinity) * DRAIN_PART,
        isClosing: () => this.closed,
        wake: () => this.#mailbox.wake(),
        keep: count => this.#inbox.window.keep(count),
        warn: error => this.#context.logger.warning('RUN', `${error.name}: ${error.message}`),
        acknowledge: (message, outcome) => {
          if (message.state === 'given') this.#settle(message, outcome)
          else if (message.state === 'over') this.#fetcher.tooLate(message, outcome)
        },
      },
      options,
    )
    if (this.#run !== null)
      throw new KafkaError(ErrorCode.ERR__STATE, 'another run of this share consumer is under way')
    this.#run = run
    try {
      await run.run()
    } finally {
      this.#run = null
    }
  }

  /**
   * Says what became of a message; told to the broker with the next request, or by `commit`. The result is an `acknowledged`
   * event. `renew` makes the lock last anew and leaves the message as it is.
   * @throws KafkaError ERR__INVALID_ARG for anything else than a message of this consumer or a type, ERR__STATE when it was
   *   said before or the lock was lost, ERR__UNSUPPORTED_FEATURE for `renew` with brokers before 4.2
   */
  acknowledge(message: ShareMessage<K, V> | ShareMessage, type: AcknowledgeType = 'accept'): void {
    this.#requireOpen()
    const locked = requireLocked(message)
    checkType(type)
    const name = `${locked.source.name} at offset ${locked.offset}`
    if (locked.state === 'settled') {
      throw new KafkaError(ErrorCode.ERR__STATE, `${name} has been acknowledged already`)
    }
    if (locked.state !== 'given' || locked.lockedUntil <= this.#context.clock.now()) {
      this.#inbox.end(locked)
      throw new KafkaError(ErrorCode.ERR__STATE, `the lock of ${name} was lost: the message will be given out again`)
    }
    if (type !== 'renew') this.#settle(locked, type)
    else if (this.#fetcher.canRenew(locked) === false) {
      throw new KafkaError(ErrorCode.ERR__UNSUPPORTED_FEATURE, `${name} cannot be renewed: brokers can from 4.2 on`)
    } else this.#fetcher.renew(locked)
  }

  /**
   * Tells the brokers what became of messages, in implicit mode the last one handed out included, and waits for their
   * answers. Resolves with a result for each partition. Rejects with KafkaError ERR__TIMED_OUT; the signal's reason.
   * @param wait ms (`socket.timeout.ms` by default), or those with a signal
   */
  async commit(wait?: WaitOptions): Promise<AcknowledgeResult[]> {
    this.#requireOpen()
    const { timeoutMs, signal } = resolveWait(wait, this.#settings['socket.timeout.ms'])
    this.#reader.leaveLast()
    return this.#results.during(this.#fetcher.flush(Deadline.after(this.#context.clock, timeoutMs), signal))
  }

  /** Hears events, whether they are polled or not. A listener that throws is logged. */
  on<T extends ShareListenedEvent['type']>(type: T, listener: Listener<T>): this {
    // Both sides say the event of type T; the compiler does not see through the narrower T.
    this.#context.events.on(type, listener)
    return this
  }

  /** Ends `on` for the same listener. */
  off<T extends ShareListenedEvent['type']>(type: T, listener: Listener<T>): this {
    // As in `on`.
    this.#context.events.off(type, listener)
    return this
  }

  /** As the coordinator knows this consumer. */
  get memberId(): string {
    return this.#member.id
  }

  /** Used from the next authentication on (`sasl.username`, `sasl.password`). */
  setSaslCredentials(username: string, password: string): void {
    this.#cluster.setSaslCredentials(username, password)
  }

  /** Answers an `oauthbearer-token-refresh` event. @throws KafkaError ERR__INVALID_ARG, ERR__STATE without OAUTHBEARER */
  setOAuthBearerToken(token: OAuthBearerToken): void {
    this.#cluster.setOAuthBearerToken(token)
  }

  /** As setOAuthBearerToken: there is none; the next event comes in 10 s. */
  setOAuthBearerTokenFailure(message: string): void {
    this.#cluster.setOAuthBearerTokenFailure(message)
  }

  /** Whether `close` has been called. */
  get closed(): boolean {
    return this.#closing !== null
  }

  /**
   * Tells the brokers what became of messages, releases all others, leaves the group and disconnects. Always resolves, at
   * the latest when the time (30,000 ms by default) is over or the signal is aborted. A `poll` under way gives null,
   * iterators end, a `run` is waited for.
   */
  close(wait?: WaitOptions): Promise<void> {
    if (this.#closing === null) {
      const { timeoutMs, signal } = resolveWait(wait, DEFAULT_CLOSE_MS)
      this.#closesAt = Deadline.after(this.#context.clock, timeoutMs)
      this.#closing = this.#close(this.#closesAt, signal)
    }
    const closing = this.#closing
    return this.#atWork.waitedFor(() => closing)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** @internal what an AdminClient made from this consumer shares */
  get [clientHandle](): ClientHandle {
    return { context: this.#context, cluster: this.#cluster }
  }

  async #close(deadline: Deadline, signal: AbortSignal | undefined): Promise<void> {
    this.#mailbox.call()
    this.#reader.forgetLast()
    const late = (): KafkaError => new KafkaError(ErrorCode.ERR__TIMED_OUT, 'close ran out of time')
    try {
      await within(this.#sayGoodbye(deadline), this.#context.clock, deadline, late, signal)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      this.#context.logger.warning('CLOSE', `closed without having told the brokers everything: ${why}`)
    }
    this.#isClosed = true
    this.#locks?.cancel()
    this.#watch.stop()
    this.#topics.stop()
    this.#statistics.stop()
    this.#cluster.close()
    await Promise.all([this.#fetcher.close(), this.#member.stop()])
    this.#mailbox.call()
  }

  async #sayGoodbye(deadline: Deadline): Promise<void> {
    if (this.#run !== null) {
      this.#run.stop()
      await this.#run.drained()
    }
    await this.#fetcher.finish(deadline)
    await this.#leave(deadline)
  }

  /** Behind a leaving that is under way, unless another one follows. */
  async #join(): Promise<void> {
    await this.#left.catch(() => undefined)
    if (this.#subscription !== null) this.#member.join()
  }

  #leave(deadline: Deadline): Promise<void> {
    const subscription = this.#subscription
    if (subscription === null) return this.#left
    this.#subscription = null
    this.#unwant(subscription)
    this.#watch.stop()
    this.#fetcher.assign([])
    this.#releaseWaiting()
    this.#left = this.#tellAll(deadline)
    return this.#left
  }

  async #tellAll(deadline: Deadline): Promise<void> {
    try {
      await this.#fetcher.flush(deadline, undefined)
    } finally {
      await this.#member.leave()
    }
  }

  #makeReader(options: ShareConsumerOptions<K, V>): ShareReader<K, V> {
    const host = {
      isClosing: () => this.closed,
      closedError: () => this.#closedError(),
      onPoll: () => this.#onPoll(),
      onTaken: () => this.#onTaken(),
      atWork: this.#atWork,
      leaveBehind: (message: LockedMessage, isUnread: boolean) => this.#leaveBehind(message, isUnread),
    }
    const { clock } = this.#context
    return new ShareReader<K, V>(clock, this.#inbox, this.#mailbox, host, decodingOf(options.key, options.value))
  }

  #onPoll(): void {
    this.#member.polled()
    if (!this.#isWanted) {
      this.#isWanted = true
      this.#fetcher.kick()
    } else if (this.#inbox.waiting === 0) this.#onTaken()
    this.#warnExhausted()
  }

  // The handlers of a run, however many messages they have, acknowledge them without being told.
  #warnExhausted(): void {
    const now = this.#context.clock.now()
    if (!this.#inbox.isExhausted || this.#run !== null || now < this.#warnsExhaustedAt) return
    this.#warnsExhaustedAt = now + WARN_EVERY_MS
    const why = `${this.#inbox.held} messages wait to be acknowledged (max.poll.records): no others come before that`
    this.#context.logger.warning('SHARE', why)
  }

  #onTaken(): void {
    if (this.#inbox.room > 0 && this.#inbox.waiting * 2 <= this.#inbox.window.size) this.#fetcher.kick()
  }

  /** The program asks for more: what it has said nothing of is done, unless it has to say so itself. */
  #leaveBehind(message: LockedMessage, isUnread: boolean): void {
    if (message.state === 'over' && this.#isImplicit && !isUnread) this.#fetcher.tooLate(message, 'accept')
    if (message.state !== 'given') return
    if (isUnread) this.#settle(message, 'release')
    else if (this.#isImplicit) this.#settle(message, 'accept')
  }

  #settle(message: LockedMessage, type: Exclude<AcknowledgeType, 'renew'>): void {
    this.#inbox.settle(message)
    this.#fetcher.acknowledge(message, acknowledgeTypes[type])
  }

  #onMessages(): void {
    // Brokers have said how long locks last.
    if (this.#checkMs !== this.#inbox.checkMs) this.#lookAfterLocks()
    this.#mailbox.wake()
  }

  /** Renews locks, and gives up those that have ended. */
  #lookAfterLocks(): void {
    this.#locks?.cancel()
    this.#checkMs = this.#inbox.checkMs
    this.#locks = this.#context.clock.setTimer(this.#checkMs, () => {
      const run = this.#run
      for (const message of this.#inbox.due(each => run?.isAtWork(each) === true)) this.#fetcher.keep(message)
      if (this.#inbox.sweep() > 0) this.#fetcher.kick()
      this.#lookAfterLocks()
    })
  }

  /** What was fetched ahead is for the others: its locks would be renewed for nothing. */
  #releaseWaiting(): void {
    this.#reader.giveBack()
    for (const message of this.#inbox.takeAll()) {
      this.#inbox.settle(message)
      this.#fetcher.giveBack(message)
    }
  }

  #onPollExceeded(limitMs: number): void {
    this.#member.park()
    this.#isWanted = false
    this.#releaseWaiting()
    this.#run?.giveUp(limitMs)
    const why = `${this.#atWork.exceeded(limitMs)}: left the share group`
    tellError(this.#context, new KafkaError(ErrorCode.ERR__MAX_POLL_EXCEEDED, why))
  }

  #onEvent(event: Event): void {
    switch (event.type) {
      case 'error':
      case 'stats':
      case 'throttle':
      case 'oauthbearer-token-refresh':
        this.#mailbox.post(event)
        return
      default:
    }
  }

  #onMetadata(): void {
    this.#topics.look()
    this.#member.onMetadata()
    this.#fetcher.kick()
  }

  #subscribed(): string[] {
    const blacklist = this.#settings['topic.blacklist']
    const isBlacklisted = (topic: string): boolean => blacklist.some(pattern => new RegExp(pattern).test(topic))
    return this.#subscription?.topics(this.#cluster.metadata.snapshot, isBlacklisted) ?? []
  }

  #want(subscription: Subscription): void {
    const { metadata } = this.#cluster
    for (const name of subscription.names) metadata.want(name)
    if (subscription.patterns.length === 0) return
    metadata.wantAll()
    metadata.requestRefresh('topics by pattern')
  }

  #unwant(subscription: Subscription): void {
    const { metadata } = this.#cluster
    for (const name of subscription.names) metadata.unwant(name)
    if (subscription.patterns.length > 0) metadata.unwantAll()
  }

  #requireOpen(): void {
    if (this.#isClosed || this.closed) throw this.#closedError()
  }

  #closedError(): KafkaError {
    return new KafkaError(ErrorCode.ERR__STATE, `${this.#context.name} is closed`)
  }
}

function checkType(type: string): void {
  if (type !== 'gap' && Object.hasOwn(acknowledgeTypes, type)) return
  throw invalid(`acknowledge: '${type}' is not accept, release, reject or renew`)
}
