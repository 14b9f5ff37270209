/** Membership in a group: performs what the protocol's states ask for, and runs the program's callbacks one at a time. */
import { ErrorCode, ProtocolError, type Decoded, type JoinGroupResponse } from '@ottla/protocol'
import { backoffMs } from '../../base/backoff.ts'
import { Deadline, type Timer } from '../../base/clock.ts'
import { within } from '../../base/wait.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import type { ClientContext } from '../../cluster/context.ts'
import { KafkaError } from '../../errors.ts'
import {
  OFFSET_INVALID,
  type ConsumerGroupMetadata,
  type RebalanceEvent,
  type TopicPartition,
  type TopicPartitionOffset,
} from '../../types.ts'
import { assignors, type GroupMember } from './assignors.ts'
import { initialState, isMember, step, type ClassicAction, type ClassicEvent, type ClassicState } from './classic.ts'
import { decodeAssignment, decodeSubscription, encodeAssignment } from './member-metadata.ts'
import { GroupRequests, type MemberAssignment } from './requests.ts'
import { fingerprint, type Subscription } from './subscription.ts'

/** What the group needs of its consumer. */
export interface GroupHost {
  partitions(): TopicPartition[]
  assign(partitions: readonly TopicPartitionOffset[]): Promise<void>
  /** @param lost the partitions may be another member's already: nothing is committed */
  unassign(lost: boolean): Promise<void>
  /** Callbacks wait to be run. */
  onCallbacks(): void
  raise(error: KafkaError): void
  /** Grows with every call of the program. */
  polls(): number
  isPolling(): boolean
}

export type Callback = (event: RebalanceEvent) => void | Promise<void>

/** Something to be done inside the program's next poll. */
interface Call {
  type: 'assign' | 'revoke' | 'lost' | 'rejoin'
  readonly partitions: readonly TopicPartition[]
  /** The program has assigned or unassigned by itself. */
  touched: boolean
}

const MOST_POLL_CHECK_MS = 1_000

export class Group {
  readonly #context: ClientContext
  readonly #cluster: Cluster
  readonly #groupId: string
  readonly #requests: GroupRequests
  readonly #host: GroupHost
  #subscription: Subscription | null = null
  #callback: Callback | null = null
  #state: ClassicState = initialState
  /** Grows when what is under way is given up; an answer to an older attempt is dropped. */
  #attempt = 0
  #abort = new AbortController()
  #failures = 0
  #joinedWith: string | null = null
  #protocolName = ''
  #members: Decoded<JoinGroupResponse>['members'] = []
  #dealtOut: readonly MemberAssignment[] = []
  #assigned: readonly TopicPartition[] = []
  #lost = false

  readonly #calls: Call[] = []
  #running: Promise<void> | null = null
  /** The call that the program is in. */
  #current: Call | null = null
  /** The program's callback itself is on the stack. */
  #onStack = false
  #leaveAfterCalls = false
  /** max.poll.interval.ms has passed: joins again only in the next poll. */
  #parked = false

  #retry: Timer | null = null
  #heartbeat: Timer | null = null
  #heartbeatUnderWay = false
  #heardAt = 0
  #pollCheck: Timer | null = null
  #pollsSeen = -1
  #polledAt = 0
  #leaving: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(context: ClientContext, cluster: Cluster, groupId: string, host: GroupHost) {
    this.#context = context
    this.#cluster = cluster
    this.#groupId = groupId
    this.#requests = new GroupRequests(context, cluster, groupId)
    this.#host = host
  }

  get subscription(): Subscription | null {
    return this.#subscription
  }

  get memberId(): string {
    return this.#state.memberId
  }

  get isLost(): boolean {
    return this.#lost
  }

  get hasCallbacks(): boolean {
    return this.#calls.length > 0 || this.#running !== null
  }

  metadata(): ConsumerGroupMetadata {
    const { generation, memberId } = this.#state
    const groupInstanceId = this.#context.settings['group.instance.id']
    return {
      groupId: this.#groupId,
      generationId: generation,
      memberId,
      ...(groupInstanceId === undefined ? {} : { groupInstanceId }),
    }
  }

  /** Joins the group, or joins it again with another subscription. */
  subscribe(subscription: Subscription, callback: Callback | null): void {
    const before = this.#subscription
    this.#callback = callback
    this.#leaveAfterCalls = false
    if (before?.equals(subscription) === true) return
    this.#subscription = subscription
    const { metadata } = this.#cluster
    for (const name of subscription.names) metadata.want(name)
    if (subscription.patterns.length > 0) metadata.wantAll()
    if (before !== null) this.#unwatch(before)
    this.#polledAt = this.#context.clock.now()
    this.#dispatch({ type: 'join', reason: 'subscribed', hasPartitions: this.#hasPartitions() })
  }

  /**
   * Gives up the partitions (with the program's callback) and leaves the group. While a callback is running it
   * resolves at once and the leaving follows the callback, which may be the very caller.
   */
  async unsubscribe(deadline: Deadline): Promise<void> {
    if (this.#subscription === null) return
    if (this.#running !== null) {
      this.#leaveAfterCalls = true
      return
    }
    await this.#leave(deadline)
  }

  /** As unsubscribe, but waits for a callback that is running, unless it is the caller. */
  async close(deadline: Deadline): Promise<void> {
    if (this.#running !== null && !this.#onStack) await this.#running
    await this.#leave(deadline)
  }

  /** No more timers. */
  stop(): void {
    this.#stopped = true
    this.#abandon()
    this.#heartbeat?.cancel()
    this.#pollCheck?.cancel()
    this.#retry?.cancel()
    if (this.#subscription !== null) this.#unwatch(this.#subscription)
    this.#subscription = null
  }

  /** The program has assigned or unassigned by itself, within a callback perhaps. */
  touched(): void {
    if (this.#current !== null) this.#current.touched = true
  }

  /** Runs the callbacks that wait, one after the other. */
  runCallbacks(): Promise<void> {
    this.#parked = false
    // Later, so that a callback finds this set.
    this.#running ??= Promise.resolve()
      .then(() => this.#runAll())
      .finally(() => {
        this.#running = null
      })
    return this.#running
  }

  /** Topics or partitions have come or gone. */
  onMetadata(): void {
    const subscription = this.#subscription
    if (subscription === null || this.#joinedWith === null) return
    if (fingerprint(this.#topics(subscription), this.#cluster.metadata.snapshot) === this.#joinedWith) return
    this.#joinedWith = null
    this.#dispatch({ type: 'join', reason: 'the subscribed topics have changed', hasPartitions: this.#hasPartitions() })
  }

  /** What the coordinator says to a heartbeat or a commit. */
  onMembershipError(code: number): void {
    const hasPartitions = this.#hasPartitions()
    switch (code) {
      case ErrorCode.ERR_REBALANCE_IN_PROGRESS:
        if (this.#state.join === 'steady')
          this.#dispatch({ type: 'join', reason: 'the group is rebalancing', hasPartitions })
        return
      case ErrorCode.ERR_ILLEGAL_GENERATION:
        this.#lose('the group is at another generation', false)
        return
      case ErrorCode.ERR_UNKNOWN_MEMBER_ID:
        this.#lose('the coordinator does not know this member', true)
        return
      case ErrorCode.ERR_FENCED_INSTANCE_ID:
        this.#lose('another member took over the group.instance.id', true)
        this.#raise(code, true)
        return
      default:
    }
  }

  #hasPartitions(): boolean {
    return this.#host.partitions().length > 0
  }

  #topics(subscription: Subscription): string[] {
    const blacklist = this.#context.settings['topic.blacklist']
    return subscription.topics(this.#cluster.metadata.snapshot, topic =>
      blacklist.some(pattern => new RegExp(pattern).test(topic)),
    )
  }

  #unwatch(subscription: Subscription): void {
    const { metadata } = this.#cluster
    for (const name of subscription.names) metadata.unwant(name)
    if (subscription.patterns.length > 0) metadata.unwantAll()
  }

  #dispatch(event: ClassicEvent): void {
    const before = this.#state
    const { state, actions } = step(before, event)
    this.#state = state
    if (state.join !== before.join) {
      const why = 'reason' in event ? `: ${event.reason}` : ''
      this.#context.logger.debug(
        'cgrp',
        'CGRPJOINSTATE',
        `group '${this.#groupId}' changed join state ${before.join} -> ${state.join} (${event.type}${why})`,
      )
    }
    for (const action of actions) this.#perform(action)
  }

  #perform(action: ClassicAction): void {
    switch (action.do) {
      case 'join':
        if (this.#parked) this.#call('rejoin')
        else void this.#attemptTo(() => this.#join(), 'join-refused')
        return
      case 'join-later': {
        const { clock, settings, random } = this.#context
        const pause = backoffMs(
          ++this.#failures,
          settings['retry.backoff.ms'],
          settings['retry.backoff.max.ms'],
          random,
        )
        this.#retry?.cancel()
        this.#retry = clock.setTimer(pause, () => {
          if (this.#state.join === 'wait-join') this.#perform({ do: 'join' })
        })
        return
      }
      case 'compute':
        void this.#attemptTo(() => this.#compute(), 'sync-refused')
        return
      case 'sync':
        void this.#attemptTo(() => this.#sync(), 'sync-refused')
        return
      case 'assign':
        this.#failures = 0
        this.#startTimers()
        this.#call('assign')
        return
      case 'revoke':
        this.#call('revoke')
        return
      case 'lose':
        this.#lost = true
        this.#call('lost')
        return
      case 'leave':
        this.#leaving = this.#requests.leave(action.memberId)
        return
      case 'raise':
        this.#raise(action.code, action.fatal)
        return
      default:
        action satisfies never
    }
  }

  #raise(code: number, fatal: boolean): void {
    this.#host.raise(KafkaError.of(code, `group '${this.#groupId}'`, null, { fatal }))
  }

  #call(type: Call['type']): void {
    const partitions = type === 'assign' ? this.#assigned : this.#host.partitions()
    const last = this.#calls.at(-1)
    // Partitions that were to be revoked have been lost before the program looked.
    if (type === 'lost' && last?.type === 'revoke') last.type = 'lost'
    else if (type !== 'lost' || this.#current === null) this.#calls.push({ type, partitions, touched: false })
    this.#host.onCallbacks()
  }

  async #runAll(): Promise<void> {
    for (let call = this.#calls.shift(); call !== undefined; call = this.#calls.shift()) await this.#run(call)
    if (!this.#leaveAfterCalls) return
    this.#leaveAfterCalls = false
    this.#leaveNow()
    for (let call = this.#calls.shift(); call !== undefined; call = this.#calls.shift()) await this.#run(call)
    await this.#leaving
  }

  async #run(call: Call): Promise<void> {
    if (call.type === 'rejoin') {
      this.#perform({ do: 'join' })
      return
    }
    const { type } = call
    const partitions = call.partitions.map(({ topic, partition }) => ({ topic, partition, offset: OFFSET_INVALID }))
    const event: RebalanceEvent = { type, partitions, protocol: 'EAGER' }
    if (type === 'assign') this.#lost = false
    this.#current = call
    try {
      await this.#callProgram(event)
    } catch (error) {
      const why = error instanceof Error ? (error.stack ?? error.message) : String(error)
      this.#context.logger.error('REBALANCE', `the rebalance callback threw, the client goes on without it: ${why}`)
    }
    if (!call.touched) {
      if (type === 'assign') await this.#host.assign(partitions)
      else await this.#host.unassign(type === 'lost')
    }
    this.#current = null
    this.#context.events.emit({ type: 'rebalance', event })
    if (type === 'assign') {
      this.#dispatch({ type: 'assign-called', hasPartitions: this.#hasPartitions() })
    } else {
      this.#lost = false
      this.#dispatch({ type: 'unassign-called' })
    }
  }

  async #callProgram(event: RebalanceEvent): Promise<void> {
    if (this.#callback === null) return
    let result: void | Promise<void>
    this.#onStack = true
    try {
      result = this.#callback(event)
    } finally {
      this.#onStack = false
    }
    await result
  }

  async #leave(deadline: Deadline): Promise<void> {
    this.#leaveNow()
    if (!this.#onStack) await this.runCallbacks()
    const late = (): Error => new KafkaError(ErrorCode.ERR__TIMED_OUT, 'leaving the group takes too long')
    await within(this.#leaving, this.#context.clock, deadline, late).catch((error: unknown) => {
      this.#context.logger.debug('cgrp', 'LEAVE', String(error))
    })
  }

  // Partitions that the program has not been told of need not be taken from it.
  #leaveNow(): void {
    const subscription = this.#subscription
    if (subscription === null) return
    this.#subscription = null
    this.#joinedWith = null
    this.#unwatch(subscription)
    this.#abandon()
    const assigns = this.#calls.filter(call => call.type === 'assign' || call.type === 'rejoin')
    for (const call of assigns) this.#calls.splice(this.#calls.indexOf(call), 1)
    this.#dispatch({ type: 'leave', hasPartitions: this.#hasPartitions() })
  }

  #abandon(): void {
    this.#attempt++
    this.#abort.abort()
    this.#abort = new AbortController()
    this.#retry?.cancel()
  }

  /** Runs one step of the protocol; its outcome counts only if nothing has been given up meanwhile. */
  async #attemptTo(work: () => Promise<ClassicEvent>, refusal: 'join-refused' | 'sync-refused'): Promise<void> {
    const attempt = this.#attempt
    let event: ClassicEvent
    try {
      event = await work()
    } catch (error) {
      if (attempt !== this.#attempt || this.#stopped) return
      if (!(error instanceof KafkaError) && !(error instanceof ProtocolError)) {
        this.#context.logger.error('GROUP', error instanceof Error ? (error.stack ?? error.message) : String(error))
      } else {
        this.#context.logger.debug('cgrp', 'GROUP', error.message)
      }
      const code = error instanceof KafkaError ? error.code : ErrorCode.ERR__BAD_MSG
      event = refusal === 'join-refused' ? { type: refusal, code, memberId: '' } : { type: refusal, code }
    }
    if (attempt === this.#attempt && !this.#stopped) this.#dispatch(event)
  }

  async #join(): Promise<ClassicEvent> {
    const subscription = this.#subscription
    if (subscription === null) throw new KafkaError(ErrorCode.ERR__STATE, 'not subscribed')
    // Partitions assigned by hand before subscribing make room for the group's.
    if (this.#state.generation < 0 && this.#hasPartitions()) await this.#host.unassign(false)
    await this.#knowTopics(subscription)
    const topics = this.#topics(subscription)
    this.#joinedWith = fingerprint(topics, this.#cluster.metadata.snapshot)
    const response = await this.#requests.join(this.#state.memberId, topics, this.#abort.signal)
    const { errorCode, memberId, generationId, leader } = response
    if (errorCode !== ErrorCode.ERR_NO_ERROR) return { type: 'join-refused', code: errorCode, memberId }
    this.#protocolName = response.protocolName ?? ''
    this.#members = response.members
    return { type: 'joined', memberId, generation: generationId, isLeader: leader === memberId }
  }

  /** Patterns need all topics, names at least one look. */
  async #knowTopics(subscription: Subscription): Promise<void> {
    const { metadata } = this.#cluster
    const { clock, settings } = this.#context
    const known = metadata.snapshot.topics
    const unknown = [...subscription.names].filter(name => !known.has(name))
    const deadline = Deadline.after(clock, settings['socket.timeout.ms'])
    const signal = this.#abort.signal
    if (subscription.patterns.length > 0) await metadata.refresh('all', { deadline, signal })
    else if (unknown.length > 0) await metadata.refresh(unknown, { deadline, signal })
  }

  /** As leader: deals out the partitions. */
  async #compute(): Promise<ClassicEvent> {
    const assignor = assignors.get(this.#protocolName)
    if (assignor === undefined) {
      throw new KafkaError(ErrorCode.ERR_INCONSISTENT_GROUP_PROTOCOL, `strategy '${this.#protocolName}' is not known`)
    }
    const members: GroupMember[] = this.#members.map(({ memberId, groupInstanceId, metadata }) => ({
      memberId,
      groupInstanceId,
      topics: decodeSubscription(metadata).topics,
    }))
    const { metadata } = this.#cluster
    const topics = [...new Set(members.flatMap(member => member.topics))]
    const { clock, settings } = this.#context
    // What the others have seen may be newer than what we have.
    const snapshot = await metadata.refresh(topics, {
      deadline: Deadline.after(clock, settings['socket.timeout.ms']),
      signal: this.#abort.signal,
    })
    const counts = new Map<string, number>()
    for (const topic of topics) counts.set(topic, snapshot.topics.get(topic)?.partitions.length ?? 0)
    if (this.#subscription !== null) this.#joinedWith = fingerprint(this.#topics(this.#subscription), snapshot)
    const assignment = assignor(members, counts)
    this.#dealtOut = [...assignment].map(([memberId, partitions]) => ({
      memberId,
      assignment: encodeAssignment(partitions),
    }))
    this.#context.logger.debug(
      'assignor',
      'ASSIGN',
      `${this.#protocolName}: ${members.length} members, ${topics.length} topics`,
    )
    return { type: 'computed' }
  }

  async #sync(): Promise<ClassicEvent> {
    const assignments = this.#dealtOut
    this.#dealtOut = []
    this.#members = []
    const response = await this.#requests.sync(this.#state, this.#protocolName, assignments, this.#abort.signal)
    if (response.errorCode !== ErrorCode.ERR_NO_ERROR) return { type: 'sync-refused', code: response.errorCode }
    this.#assigned = decodeAssignment(response.assignment)
    return { type: 'synced' }
  }

  #startTimers(): void {
    const { clock, settings } = this.#context
    this.#heardAt = clock.now()
    this.#heartbeat?.cancel()
    const beat = (): void => {
      this.#heartbeat = this.#stopped ? null : clock.setTimer(settings['heartbeat.interval.ms'], beat)
      this.#beat()
    }
    this.#heartbeat = clock.setTimer(settings['heartbeat.interval.ms'], beat)
    this.#pollCheck?.cancel()
    const interval = Math.min(MOST_POLL_CHECK_MS, settings['max.poll.interval.ms'] / 10)
    const check = (): void => {
      this.#pollCheck = this.#stopped ? null : clock.setTimer(interval, check)
      this.#checkPoll()
    }
    this.#polledAt = clock.now()
    this.#pollCheck = clock.setTimer(interval, check)
  }

  #beat(): void {
    if (!isMember(this.#state)) {
      this.#heartbeat?.cancel()
      return
    }
    const { clock, settings } = this.#context
    const silence = clock.now() - this.#heardAt
    if (silence > settings['session.timeout.ms']) {
      this.#lose(`no heartbeat was answered for ${Math.round(silence)} ms (session.timeout.ms)`, true)
      return
    }
    if (!this.#heartbeatUnderWay) void this.#sendHeartbeat(settings['session.timeout.ms'] - silence)
  }

  async #sendHeartbeat(timeoutMs: number): Promise<void> {
    const { clock, logger } = this.#context
    const member = this.#state
    const sent = clock.now()
    this.#heartbeatUnderWay = true
    try {
      const code = await this.#requests.heartbeat(member, timeoutMs, this.#abort.signal)
      // An answer to an earlier membership says nothing about this one.
      if (this.#state.memberId !== member.memberId || this.#state.generation !== member.generation) return
      if (code === ErrorCode.ERR_NO_ERROR || code === ErrorCode.ERR_REBALANCE_IN_PROGRESS) this.#heardAt = sent
      if (code !== ErrorCode.ERR_NO_ERROR) {
        logger.debug('cgrp', 'HEARTBEAT', `group '${this.#groupId}': ${KafkaError.of(code, 'heartbeat').message}`)
        this.onMembershipError(code)
      }
    } catch (error) {
      if (!this.#stopped) logger.debug('cgrp', 'HEARTBEAT', error instanceof Error ? error.message : String(error))
    } finally {
      this.#heartbeatUnderWay = false
    }
  }

  #checkPoll(): void {
    const { clock, settings } = this.#context
    const now = clock.now()
    const polls = this.#host.polls()
    if (polls !== this.#pollsSeen || this.#host.isPolling() || this.#running !== null) {
      this.#pollsSeen = polls
      this.#polledAt = now
      return
    }
    const limit = settings['max.poll.interval.ms']
    if (now - this.#polledAt <= limit || !isMember(this.#state)) return
    this.#polledAt = now
    const { memberId } = this.#state
    this.#parked = true
    this.#lose(`the program has not polled for ${Math.round(limit)} ms (max.poll.interval.ms)`, true)
    this.#leaving = this.#requests.leave(memberId)
    this.#host.raise(
      new KafkaError(
        ErrorCode.ERR__MAX_POLL_EXCEEDED,
        `poll was not called for ${limit} ms (max.poll.interval.ms): left the group`,
      ),
    )
  }

  #lose(reason: string, forgetMember: boolean): void {
    if (!isMember(this.#state)) return
    this.#context.logger.warning('LOST', `group '${this.#groupId}': ${reason}: the assignment is lost`)
    this.#dispatch({ type: 'lost', forgetMember, hasPartitions: this.#hasPartitions() })
  }
}
