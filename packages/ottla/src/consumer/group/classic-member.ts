/** A member by the classic protocol: carries out the actions of its states. */
import { ErrorCode, ProtocolError, type Decoded, type JoinGroupResponse } from '@ottla/protocol'
import { Deadline, type Timer } from '../../base/clock.ts'
import { messageOf, stackOf } from '../../base/unknown-error.ts'
import { within } from '../../base/wait.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { retryBackoffMs } from '../../cluster/rounds.ts'
import type { ClientContext } from '../../cluster/context.ts'
import { KafkaError } from '../../errors.ts'
import { ErrorThrottle } from '../../observe/error-throttle.ts'
import type { TopicPartition } from '../../types.ts'
import type { GroupMember } from './assignors/assignor.ts'
import { computeAssignment, isCooperative, type Previous, type Strategy } from './assignors/strategies.ts'
import { initialState, isMember, step, type ClassicAction, type ClassicEvent, type ClassicState } from './classic.ts'
import { fingerprint, layoutOf } from './leader.ts'
import { decodeAssignment, decodeSubscription, encodeAssignment, encodeSubscription } from './member-metadata.ts'
import { memberAnswer } from './membership-errors.ts'
import type { GroupSetup, Membership, MembershipHost, RefusedApi } from './membership.ts'
import { without } from './partitions.ts'
import { RebalanceTimer } from './rebalance-timer.ts'
import { GroupRequests, type JoinProtocol, type MemberAssignment } from './requests.ts'
import type { Subscription } from './subscription.ts'

// One for the member id, one for the group; more than three in a row need a backoff.
const MOST_ROUNDS = 3

const nothing: Previous = { partitions: [], generationId: -1 }

export class ClassicMember implements Membership {
  readonly protocol: 'EAGER' | 'COOPERATIVE'
  readonly #context: ClientContext
  readonly #cluster: Cluster
  readonly #groupId: string
  readonly #strategies: readonly Strategy[]
  readonly #requests: GroupRequests
  readonly #host: MembershipHost
  readonly #errorThrottle: ErrorThrottle
  readonly #timer: RebalanceTimer
  #state: ClassicState
  /** Grows when requests in flight are given up; a response to an older attempt is dropped. */
  #attempt = 0
  /** Grows when the partitions are lost: nothing more is committed for them. */
  #term = 0
  #abort = new AbortController()
  #failures = 0
  /** Joins since the last assignment. */
  #rounds = 0
  #joinedWith: string | null = null
  #protocolName = ''
  #members: Decoded<JoinGroupResponse>['members'] = []
  #computed: readonly MemberAssignment[] = []
  #assigned: readonly TopicPartition[] = []
  /** The last assignment, for strategies that remember it. */
  #previous = nothing
  #retry: Timer | null = null
  #heartbeat: Timer | null = null
  #isHeartbeatInFlight = false
  /** When the last answered heartbeat was sent. */
  #answeredAt = 0
  #leaving: Promise<void> = Promise.resolve()
  #stopped = false
  #failed = false

  constructor({ context, cluster, groupId, strategies }: GroupSetup, host: MembershipHost) {
    this.#context = context
    this.#cluster = cluster
    this.#groupId = groupId
    this.#strategies = strategies
    this.#requests = new GroupRequests(context, cluster, groupId)
    this.#host = host
    this.#errorThrottle = new ErrorThrottle(context.clock)
    this.#timer = new RebalanceTimer(context.clock, context.counters.pushed.rebalanceLatency)
    this.protocol = isCooperative(strategies) ? 'COOPERATIVE' : 'EAGER'
    this.#state = initialState(isCooperative(strategies))
  }

  get memberId(): string {
    return this.#state.memberId
  }

  get generation(): number {
    return this.#state.generation
  }

  get joinState(): string {
    return this.#state.join
  }

  get term(): number {
    return this.#term
  }

  get isLosing(): boolean {
    return this.#state.isLost && this.#hasPartitions()
  }

  get isRejoining(): boolean {
    const { isCooperative, generation, join } = this.#state
    const isUnderWay = join === 'wait-join' || join === 'wait-metadata' || join === 'wait-sync'
    return isCooperative && generation >= 0 && isUnderWay && this.#hasPartitions()
  }

  get isMember(): boolean {
    if (isMember(this.#state)) return true
    // A cooperative member keeps its partitions from others while it joins again.
    return this.#state.isCooperative && this.#state.join !== 'init' && this.#hasPartitions()
  }

  get leaving(): Promise<void> {
    return this.#leaving
  }

  matchesInClient({ patterns }: Subscription): boolean {
    return patterns.length > 0
  }

  join(reason: string): void {
    this.#dispatch({
      type: 'join',
      reason,
      hasPartitions: this.#hasPartitions(),
      hasForeign: this.#foreign().length > 0,
    })
  }

  onMetadata(): void {
    const { subscription } = this.#host
    if (subscription === null || this.#joinedWith === null) return
    const now = fingerprint(this.#host.topics(subscription), this.#cluster.metadata.snapshot)
    if (now === this.#joinedWith) return
    this.#joinedWith = null
    this.join('the subscribed topics have changed')
  }

  onRefused(api: RefusedApi, code: number, generation: number): void {
    // A response to an earlier membership says nothing about this one.
    if (generation !== this.#state.generation || this.#failed) return
    const answer = memberAnswer(api, code)
    switch (answer) {
      case 'rejoin':
        if (this.#state.join === 'steady') this.join('the group is rebalancing')
        return
      case 'lost-generation':
        // All have joined: the response to its own JoinGroup brings the new generation.
        if (this.#state.join === 'wait-join') return
        this.#lose('the group has moved on to another generation', false)
        return
      case 'lost-membership':
        this.#lose('the coordinator does not know this member', true)
        return
      case 'fatal':
        // A commit from outside the group concerns only its caller.
        if (!this.isMember) return
        this.#failed = true
        this.#lose(KafkaError.of(code, `group '${this.#groupId}'`).message, true)
        this.#raise(code, true)
        return
      case 'report':
        this.#raise(code, false)
        return
      case 'retry':
      case 'find-coordinator':
      case 'take-member-id':
      case 'refresh-epoch':
      case 'match-in-client':
      case 'new-session':
      case 'caller':
      case 'done':
        return
      default:
        answer satisfies never
    }
  }

  assigned(): void {
    const hasForeign = this.#foreign().length > 0
    this.#dispatch({ type: 'assign-called', hasPartitions: this.#hasPartitions(), hasForeign })
  }

  unassigned(): void {
    this.#dispatch({ type: 'unassign-called', hasPartitions: this.#hasPartitions() })
  }

  evict(reason: string): void {
    const { memberId } = this.#state
    this.#lose(reason, true)
    this.#leaving = this.#requests.leave(memberId)
  }

  leave(): void {
    this.#joinedWith = null
    this.#abandon()
    this.#dispatch({ type: 'leave', hasPartitions: this.#hasPartitions() })
  }

  stop(): void {
    this.#stopped = true
    this.#abandon()
    this.#heartbeat?.cancel()
  }

  #hasPartitions(): boolean {
    return this.#host.held().length > 0
  }

  /** Partitions of topics that the application no longer subscribes to. @param topics to which it does */
  #foreign(topics = this.#topics()): TopicPartition[] {
    if (topics === null || this.protocol === 'EAGER') return []
    const subscribed = new Set(topics)
    return this.#host.held().filter(({ topic }) => !subscribed.has(topic))
  }

  #topics(): readonly string[] | null {
    const { subscription } = this.#host
    return subscription === null ? null : this.#host.topics(subscription)
  }

  #dispatch(event: ClassicEvent): void {
    const before = this.#state
    const { state, actions } = step(before, event)
    this.#state = state
    if (state.join !== before.join) {
      this.#timer.moved(state.join === 'init' ? 'out' : state.join === 'steady' ? 'settled' : 'moving')
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
        if (this.#failed) return
        if (this.#host.isParked) this.#host.joinWhenPolled(() => this.#perform(action))
        else if (this.#rounds >= MOST_ROUNDS) this.#joinLater()
        else this.#joinNow()
        return
      case 'join-later':
        this.#joinLater()
        return
      case 'compute':
        void this.#attemptTo(() => this.#compute(), 'sync-refused')
        return
      case 'sync':
        void this.#attemptTo(() => this.#sync(), 'sync-refused')
        return
      case 'abandon':
        this.#abandon()
        return
      case 'assign':
        this.#host.call('assign', this.#isEager() ? this.#assigned : without(this.#assigned, this.#host.held()))
        return
      case 'revoke':
        this.#host.call('revoke', this.#revoked(action.what))
        return
      case 'lose':
        this.#term++
        this.#previous = nothing
        this.#host.lose()
        return
      case 'leave':
        this.#previous = nothing
        this.#leaving = this.#requests.leave(action.memberId)
        return
      case 'raise':
        if (action.fatal) this.#failed = true
        this.#raise(action.code, action.fatal)
        return
      default:
        action satisfies never
    }
  }

  #isEager(): boolean {
    return this.protocol === 'EAGER'
  }

  #revoked(what: 'all' | 'revoked' | 'foreign'): TopicPartition[] {
    switch (what) {
      case 'all':
        return this.#host.held()
      case 'revoked':
        return without(this.#host.held(), this.#assigned)
      case 'foreign':
        return this.#foreign()
      default:
        return what satisfies never
    }
  }

  #joinLater(): void {
    const backoff = retryBackoffMs(this.#context, ++this.#failures)
    this.#retry?.cancel()
    this.#retry = this.#context.clock.setTimer(backoff, () => {
      if (this.#state.join !== 'wait-join') return
      this.#rounds = 0
      this.#perform({ do: 'join' })
    })
  }

  #joinNow(): void {
    this.#rounds++
    void this.#attemptTo(() => this.#join(), 'join-refused')
  }

  #raise(code: number, fatal: boolean): void {
    const error = KafkaError.of(code, `group '${this.#groupId}'`, null, { fatal })
    if (fatal || this.#errorThrottle.shouldReport('group', error)) this.#host.raise(error)
  }

  #abandon(): void {
    this.#attempt++
    this.#abort.abort()
    this.#abort = new AbortController()
    this.#retry?.cancel()
  }

  /** Runs one step of the protocol; its outcome counts only if the attempt has not been given up meanwhile. */
  async #attemptTo(work: () => Promise<ClassicEvent>, refusal: 'join-refused' | 'sync-refused'): Promise<void> {
    const attempt = this.#attempt
    let event: ClassicEvent
    try {
      event = await work()
    } catch (error) {
      if (attempt !== this.#attempt || this.#stopped) return
      if (!(error instanceof KafkaError) && !(error instanceof ProtocolError)) {
        this.#context.logger.error('GROUP', stackOf(error))
      } else {
        this.#context.logger.debug('cgrp', 'GROUP', error.message)
      }
      const code = error instanceof KafkaError ? error.code : ErrorCode.ERR__BAD_MSG
      const hasPartitions = this.#hasPartitions()
      event =
        refusal === 'join-refused'
          ? { type: refusal, code, memberId: '', hasPartitions }
          : { type: refusal, code, hasPartitions }
    }
    if (attempt === this.#attempt && !this.#stopped) this.#dispatch(event)
  }

  async #join(): Promise<ClassicEvent> {
    const { subscription } = this.#host
    if (subscription === null) throw new KafkaError(ErrorCode.ERR__STATE, 'not subscribed')
    if (this.#state.generation < 0) await this.#host.makeRoom()
    await this.#host.knowTopics(subscription, this.#abort.signal)
    const topics = this.#host.topics(subscription)
    if (this.#foreign(topics).length > 0) return { type: 'foreign-held' }
    this.#joinedWith = fingerprint(topics, this.#cluster.metadata.snapshot)
    const response = await this.#requests.join(this.#state.memberId, this.#protocols(topics), this.#abort.signal)
    const { errorCode, memberId, generationId, leader } = response
    if (errorCode !== ErrorCode.ERR_NO_ERROR) {
      return { type: 'join-refused', code: errorCode, memberId, hasPartitions: this.#hasPartitions() }
    }
    this.#protocolName = response.protocolName ?? ''
    this.#members = response.members
    return { type: 'joined', memberId, generation: generationId, isLeader: leader === memberId }
  }

  #protocols(topics: readonly string[]): JoinProtocol[] {
    const rackId = this.#context.settings['client.rack'] ?? null
    const generationId = this.#isEager() ? -1 : this.#state.generation
    const ownedPartitions = generationId < 0 ? [] : this.#host.held()
    return this.#strategies.map(({ name, userData }) => ({
      name,
      metadata: encodeSubscription({
        topics,
        ownedPartitions,
        generationId,
        rackId,
        userData: userData(topics, this.#previous),
      }),
    }))
  }

  /** As leader: assigns the partitions. */
  async #compute(): Promise<ClassicEvent> {
    const strategy = this.#strategies.find(({ name }) => name === this.#protocolName)
    if (strategy === undefined) {
      const why = `the group chose the strategy '${this.#protocolName}', which this consumer does not have`
      throw new KafkaError(ErrorCode.ERR_INCONSISTENT_GROUP_PROTOCOL, why)
    }
    const members: GroupMember[] = this.#members.map(({ memberId, groupInstanceId, metadata }) => ({
      memberId,
      groupInstanceId,
      ...decodeSubscription(metadata),
    }))
    const topics = [...new Set(members.flatMap(member => member.topics))]
    const { clock, settings } = this.#context
    // The metadata of other members may be newer than ours.
    const snapshot = await this.#cluster.metadata.refresh(topics, {
      deadline: Deadline.after(clock, settings['socket.timeout.ms']),
      signal: this.#abort.signal,
    })
    const { subscription } = this.#host
    if (subscription !== null) this.#joinedWith = fingerprint(this.#host.topics(subscription), snapshot)
    let assignment: Awaited<ReturnType<typeof computeAssignment>>
    try {
      const limit = Deadline.after(clock, settings['max.poll.interval.ms'])
      const late = (): Error => new Error('it took longer than max.poll.interval.ms')
      const computing = computeAssignment(strategy, members, layoutOf(topics, snapshot))
      assignment = await within(computing, clock, limit, late, this.#abort.signal)
    } catch (cause) {
      throw new KafkaError(ErrorCode.ERR__FAIL, `the assignor '${strategy.name}' threw`, { cause })
    }
    this.#computed = members.map(({ memberId }) => ({
      memberId,
      assignment: encodeAssignment(assignment.get(memberId) ?? []),
    }))
    this.#context.logger.debug(
      'assignor',
      'ASSIGN',
      `${this.#protocolName}: ${members.length} members, ${topics.length} topics`,
    )
    return { type: 'computed' }
  }

  async #sync(): Promise<ClassicEvent> {
    const assignments = this.#computed
    this.#computed = []
    this.#members = []
    const response = await this.#requests.sync(this.#state, this.#protocolName, assignments, this.#abort.signal)
    if (response.errorCode !== ErrorCode.ERR_NO_ERROR) {
      return { type: 'sync-refused', code: response.errorCode, hasPartitions: this.#hasPartitions() }
    }
    this.#assigned = decodeAssignment(response.assignment)
    this.#previous = { partitions: this.#assigned, generationId: this.#state.generation }
    this.#failures = 0
    this.#rounds = 0
    this.#errorThrottle.resolved('group')
    this.#startHeartbeats()
    return { type: 'synced', hasRevoked: without(this.#host.held(), this.#assigned).length > 0 }
  }

  #startHeartbeats(): void {
    const { clock, settings } = this.#context
    this.#answeredAt = clock.now()
    this.#heartbeat?.cancel()
    const beat = (): void => {
      this.#heartbeat = this.#stopped ? null : clock.setTimer(settings['heartbeat.interval.ms'], beat)
      this.#beat()
    }
    this.#heartbeat = clock.setTimer(settings['heartbeat.interval.ms'], beat)
  }

  #beat(): void {
    if (!isMember(this.#state)) {
      this.#heartbeat?.cancel()
      return
    }
    const { clock, settings } = this.#context
    const silence = clock.now() - this.#answeredAt
    if (silence > settings['session.timeout.ms']) {
      this.#lose(`no heartbeat was answered for ${Math.round(silence)} ms (session.timeout.ms)`, true)
      return
    }
    if (!this.#isHeartbeatInFlight) void this.#sendHeartbeat(settings['session.timeout.ms'] - silence)
  }

  async #sendHeartbeat(timeoutMs: number): Promise<void> {
    const { clock, logger } = this.#context
    const member = this.#state
    const sent = clock.now()
    this.#isHeartbeatInFlight = true
    try {
      const code = await this.#requests.heartbeat(member, timeoutMs, this.#abort.signal)
      // A response to an earlier membership says nothing about this one.
      if (this.#state.memberId !== member.memberId || this.#state.generation !== member.generation) return
      if (code === ErrorCode.ERR_NO_ERROR || code === ErrorCode.ERR_REBALANCE_IN_PROGRESS) this.#answeredAt = sent
      if (code !== ErrorCode.ERR_NO_ERROR) {
        logger.debug('cgrp', 'HEARTBEAT', `group '${this.#groupId}': ${KafkaError.of(code, 'heartbeat').message}`)
        this.onRefused('Heartbeat', code, member.generation)
      } else this.#errorThrottle.resolved('group')
    } catch (error) {
      if (!this.#stopped) logger.debug('cgrp', 'HEARTBEAT', messageOf(error))
    } finally {
      this.#isHeartbeatInFlight = false
    }
  }

  #lose(reason: string, forgetMember: boolean): void {
    if (!this.isMember) return
    this.#context.logger.warning('LOST', `group '${this.#groupId}': ${reason}: the assignment is lost`)
    this.#dispatch({ type: 'lost', forgetMember, hasPartitions: this.#hasPartitions() })
  }
}
