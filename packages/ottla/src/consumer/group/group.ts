/** Membership in a group: the subscription, the group protocol, and the application's rebalance callbacks. */
import { ErrorCode } from '@ottla/protocol'
import { bound } from '../../base/bound.ts'
import { Deadline } from '../../base/clock.ts'
import { within } from '../../base/wait.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import type { ClientContext } from '../../cluster/context.ts'
import { KafkaError } from '../../errors.ts'
import type { ConsumerGroupMetadata, RebalanceEvent, TopicPartition } from '../../types.ts'
import { ClassicMember } from './classic-member.ts'
import { ConsumerMember } from './consumer-member.ts'
import { newMemberId } from './member-id.ts'
import type { GroupSetup, MemberEpoch, Membership, MembershipHost, RefusedApi } from './membership.ts'
import { Parking } from './parking.ts'
import { PollWatch } from './poll-watch.ts'
import { RebalanceCalls, type Call, type Callback, type CallsHost } from './rebalance-calls.ts'
import { SubscribedTopics } from './subscribed-topics.ts'
import type { Subscription } from './subscription.ts'

/** What the group needs of its consumer. */
export interface GroupHost extends CallsHost {
  raise(error: KafkaError): void
  /** Grows with every call of the application. */
  polls(): number
  isPolling(): boolean
  /** Called before the group is left because something takes too long. */
  beforeEviction(): Promise<void>
}

export class Group {
  readonly #context: ClientContext
  readonly #cluster: Cluster
  readonly groupId: string
  readonly #host: GroupHost
  readonly #member: Membership
  readonly #calls: RebalanceCalls
  readonly #watch: PollWatch
  #subscription: Subscription | null = null
  #running: Promise<void> | null = null
  #leaveAfterCalls = false
  #wasAssigned = false
  readonly #topics: SubscribedTopics
  /** After max.poll.interval.ms: joins again only in the next poll. */
  readonly #parking: Parking

  constructor(setup: GroupSetup, host: GroupHost) {
    const { context, cluster, groupId } = setup
    this.#context = context
    this.#cluster = cluster
    this.groupId = groupId
    this.#host = host
    this.#topics = new SubscribedTopics(context, cluster.metadata)
    this.#parking = new Parking(context.clock, host.runningJobs)
    this.#member =
      context.settings['group.protocol'] === 'consumer'
        ? new ConsumerMember(context, cluster, groupId, newMemberId(context.random), this.#memberHost())
        : new ClassicMember(setup, this.#memberHost())
    this.#calls = new RebalanceCalls(context, this.#member.protocol, host)
    this.#watch = new PollWatch(context, {
      polls: () => host.polls(),
      isPolling: () => host.isPolling(),
      isCalling: () => this.#running !== null,
      workingSince: () => host.runningJobs.oldestSince,
      // With callbacks pending, too: the application does not know yet that the coordinator has ended the membership.
      isMember: () => this.#member.isMember || this.hasCallbacks,
      onExceeded: limitMs => void this.#onPollExceeded(limitMs),
    })
    host.runningJobs.onEnded = () => this.#onEnded()
  }

  get subscription(): Subscription | null {
    return this.#subscription
  }

  get memberId(): string {
    return this.#member.memberId
  }

  get joinState(): string {
    return this.#member.joinState ?? (this.#member.isMember ? 'steady' : 'init')
  }

  /** See Membership. */
  get term(): number {
    return this.#member.term
  }

  /** See Membership. */
  get generation(): number {
    return this.#member.generation
  }

  /** See Membership. */
  get isRejoining(): boolean {
    return this.#member.isRejoining
  }

  get protocol(): RebalanceEvent['protocol'] {
    return this.#member.protocol
  }

  /** The group has been left because the application took too long. */
  get isParked(): boolean {
    return this.#parking.isParked
  }

  get isLost(): boolean {
    return this.#calls.isLost
  }

  get hasCallbacks(): boolean {
    return !this.#calls.isEmpty || this.#running !== null
  }

  /**
   * The application calls `assign` or `unassign`. @returns the partitions of the running callback when the group
   * rebalances incrementally; null when it does so all at once
   * @throws KafkaError ERR__STATE outside a callback when the group rebalances incrementally
   */
  calledWith(call: 'assign' | 'unassign'): readonly TopicPartition[] | null {
    this.#calls.touched()
    if (this.#subscription === null && this.#calls.current === null) return null
    if (this.protocol === 'EAGER') return null
    if (this.#calls.current !== null) return this.#calls.current.partitions
    const other = call === 'assign' ? 'incrementalAssign' : 'incrementalUnassign'
    const why = `${call}: the group assigns partitions incrementally (${this.protocol}); use ${other}`
    throw new KafkaError(ErrorCode.ERR__STATE, why)
  }

  metadata(): ConsumerGroupMetadata {
    const { generation, memberId } = this.#member
    const groupInstanceId = this.#context.settings['group.instance.id']
    return {
      groupId: this.groupId,
      generationId: generation,
      memberId,
      ...(groupInstanceId === undefined ? {} : { groupInstanceId }),
    }
  }

  /**
   * As metadata, for a commit. An empty group accepts a commit without a generation. A consumer that has lost its
   * membership must not send one: others may have read its partitions further.
   * @throws KafkaError ERR_UNKNOWN_MEMBER_ID
   */
  committing(): ConsumerGroupMetadata {
    if (this.#member.isLosing || (this.#wasAssigned && this.#subscription !== null && this.#member.generation < 0)) {
      throw KafkaError.of(ErrorCode.ERR_UNKNOWN_MEMBER_ID, `group '${this.groupId}'`)
    }
    return this.metadata()
  }

  /** The member epoch for a request for committed offsets; null outside a group and in classic groups. */
  epoch(): MemberEpoch | null {
    const { memberId, generation, protocol } = this.#member
    return protocol === 'CONSUMER' && generation > 0 ? { memberId, memberEpoch: generation } : null
  }

  /** Joins the group, or joins again with another subscription. The callback keeps the current asynchronous context. */
  subscribe(subscription: Subscription, callback: Callback | null): void {
    const before = this.#subscription
    this.#calls.callback = callback === null ? null : bound(callback)
    this.#leaveAfterCalls = false
    if (before?.equals(subscription) === true) return
    this.#subscription = subscription
    this.#topics.replace(before, subscription)
    if (this.#member.matchesInClient(subscription)) this.#topics.wantAll()
    this.#watch.start()
    this.#member.join('subscribed')
  }

  /**
   * Gives up the partitions (with the application's callback) and leaves the group. While a callback is running it
   * resolves at once, as that callback may be the caller; the group is left after it.
   */
  async unsubscribe(deadline: Deadline): Promise<void> {
    if (this.#subscription === null) return
    if (this.#running !== null) {
      this.#leaveAfterCalls = true
      return
    }
    this.#leaveNow()
    await this.runCallbacks()
    await this.#left(deadline)
  }

  /** As unsubscribe, but waits for a running callback, unless that itself waits for this. */
  async close(deadline: Deadline): Promise<void> {
    const selfAwaited = this.#calls.selfAwaited()
    if (this.#running !== null) await Promise.race([this.#running, selfAwaited])
    this.#leaveNow()
    await Promise.race([this.runCallbacks(), selfAwaited])
    await this.#left(deadline)
  }

  /** After everything has been given up: leaves the group without the callback that itself waits for `close`. */
  async leaveAtLast(deadline: Deadline): Promise<void> {
    const { current } = this.#calls
    if (current === null) return
    this.#calls.forget()
    for (let call: Call | undefined = current; call !== undefined; call = this.#calls.take()) this.#onCalled(call)
    await this.#left(deadline)
  }

  /** No more timers. */
  stop(): void {
    this.#member.stop()
    this.#watch.stop()
    this.#parking.forget()
    this.#topics.replace(this.#subscription, null)
    this.#subscription = null
  }

  /** The application has called assign or unassign, perhaps in a callback. */
  touched(): void {
    this.#calls.touched()
  }

  /** Runs the pending callbacks one after the other. */
  runCallbacks(): Promise<void> {
    this.#parking.polled()
    // In a microtask, so that a callback finds this set.
    this.#running ??= Promise.resolve()
      .then(() => this.#runAll())
      .finally(() => {
        this.#running = null
      })
    return this.#running
  }

  /** Topics or partitions may have come or gone. */
  onMetadata(): void {
    if (this.#subscription !== null) this.#member.onMetadata()
  }

  /** The coordinator has refused a commit, or a request for committed offsets. */
  onRefused(api: RefusedApi, code: number, generation: number): void {
    this.#member.onRefused(api, code, generation)
  }

  #memberHost(): MembershipHost {
    const subscribed = (): Subscription | null => this.#subscription
    const parked = (): boolean => this.isParked
    return {
      get subscription() {
        return subscribed()
      },
      get isParked() {
        return parked()
      },
      topics: subscription => this.#topics.of(subscription),
      knowTopics: (subscription, signal) => this.#knowTopics(subscription, signal),
      watchAll: () => this.#topics.wantAll(),
      held: () => this.#calls.held(),
      makeRoom: () => this.#makeRoom(),
      call: (type, partitions) => this.#calls.add(type, partitions),
      lose: () => this.#calls.lose(),
      joinWhenPolled: join => {
        if (this.#parking.mayJoin(join)) this.#calls.addJoin(join)
      },
      raise: error => this.#host.raise(error),
    }
  }

  /** Loads metadata: of all topics for patterns, else of the names that are not known yet. */
  async #knowTopics(subscription: Subscription, signal: AbortSignal): Promise<void> {
    const { metadata } = this.#cluster
    const { clock, settings } = this.#context
    const known = metadata.snapshot.topics
    const unknown = [...subscription.names].filter(name => !known.has(name))
    const deadline = Deadline.after(clock, settings['socket.timeout.ms'])
    if (subscription.patterns.length > 0) await metadata.refresh('all', { deadline, signal })
    else if (unknown.length > 0) await metadata.refresh(unknown, { deadline, signal })
  }

  /** Gives up partitions that the application assigned itself before it subscribed. */
  async #makeRoom(): Promise<void> {
    const partitions = this.#host.partitions()
    if (partitions.length === 0) return
    if (this.#member.protocol === 'EAGER' || this.#calls.held().length === 0) {
      await this.#host.release(partitions, false)
    }
  }

  async #runAll(): Promise<void> {
    await this.#runQueue()
    if (!this.#leaveAfterCalls) return
    this.#leaveAfterCalls = false
    this.#leaveNow()
    await this.#runQueue()
    await this.#member.leaving
  }

  async #runQueue(): Promise<void> {
    for (let call = this.#calls.take(); call !== undefined; call = this.#calls.take()) {
      await this.#calls.run(call)
      this.#onCalled(call)
    }
  }

  #onCalled({ type }: Call): void {
    if (type === 'assign') {
      this.#wasAssigned = true
      this.#member.assigned()
    } else if (type !== 'rejoin') this.#member.unassigned()
  }

  /** Resolves when the leave request has been answered or given up, at the latest at the deadline. */
  async #left(deadline: Deadline): Promise<void> {
    const late = (): Error => new KafkaError(ErrorCode.ERR__TIMED_OUT, 'the leave request was not answered in time')
    await within(this.#member.leaving, this.#context.clock, deadline, late).catch((error: unknown) => {
      this.#context.logger.debug('cgrp', 'LEAVE', String(error))
    })
  }

  #leaveNow(): void {
    const subscription = this.#subscription
    if (subscription === null) return
    this.#subscription = null
    this.#wasAssigned = false
    this.#topics.replace(subscription, null)
    this.#watch.stop()
    // Partitions that the application has not got yet need not be revoked.
    this.#calls.dropAssigns()
    this.#parking.forget()
    this.#member.leave()
  }

  async #onPollExceeded(limitMs: number): Promise<void> {
    const { runningJobs } = this.#host
    const why = runningJobs.describeExceeded(limitMs)
    const leave = (): void => {
      if (this.#subscription === null) return
      const { isMember } = this.#member
      if (isMember) this.#member.evict(why)
      const outcome = isMember ? 'left the group' : 'the coordinator had ended the membership'
      this.#host.raise(new KafkaError(ErrorCode.ERR__MAX_POLL_EXCEEDED, `${why}: ${outcome}`))
    }
    if (runningJobs.isStuck) await this.#parking.park(async () => this.#host.beforeEviction(), leave)
    else this.#parking.parkNow(leave)
  }

  #onEnded(): void {
    const join = this.#parking.onEnded()
    if (join !== null) this.#calls.addJoin(join)
  }
}
