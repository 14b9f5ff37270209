/** A member by the consumer group protocol (KIP-848): carries out the actions of its states. */
import type { ConsumerGroupHeartbeatResponse, Decoded } from '@ottla/protocol'
import { Deadline } from '../../base/clock.ts'
import { messageOf } from '../../base/unknown-error.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import type { ClientContext } from '../../cluster/context.ts'
import type { KafkaError } from '../../errors.ts'
import { ConsumerRequests, NoRegexError, type Changes } from './consumer-requests.ts'
import { isMember, outside, step, type Difference, type MemberAction, type MemberEvent } from './consumer-states.ts'
import { Heartbeats, isOver, type HeartbeatAnswer, type HeartbeatHost } from './heartbeats.ts'
import { memberAnswer } from './membership-errors.ts'
import type { Membership, MembershipHost, RefusedApi } from './membership.ts'
import { brokerRegex } from './patterns.ts'
import { RebalanceTimer } from './rebalance-timer.ts'
import type { Subscription } from './subscription.ts'
import { TargetAssignment, type HeldPartition } from './target-assignment.ts'

/** What the last heartbeat said. */
interface SentFields {
  readonly subscribed: string
  readonly held: string
}

interface Answer extends HeartbeatAnswer {
  readonly response: Decoded<ConsumerGroupHeartbeatResponse>
  readonly sent: SentFields
}

export class ConsumerMember implements Membership {
  readonly protocol = 'CONSUMER'
  readonly #context: ClientContext
  readonly #cluster: Cluster
  readonly #groupId: string
  readonly #id: string
  readonly #host: MembershipHost
  readonly #requests: ConsumerRequests
  readonly #target: TargetAssignment
  readonly #heartbeats: Heartbeats<Answer>
  readonly #timer: RebalanceTimer
  #state = outside
  /** The partitions of the pending callback. */
  #called: readonly HeldPartition[] = []
  /** The coordinator is too old for patterns, or does not understand them: the client matches them. */
  #matchesInClient = false
  /** Null when the next heartbeat has to say everything. */
  #sent: SentFields | null = null
  /** Grows with every membership; a response to an older one is dropped. */
  #term = 0
  #isRefreshing = false

  constructor(context: ClientContext, cluster: Cluster, groupId: string, memberId: string, host: MembershipHost) {
    this.#context = context
    this.#cluster = cluster
    this.#groupId = groupId
    this.#id = memberId
    this.#host = host
    this.#requests = new ConsumerRequests(context, cluster, groupId, memberId)
    this.#target = new TargetAssignment(cluster.metadata)
    this.#timer = new RebalanceTimer(context.clock, context.counters.pushed.rebalanceLatency)
    this.#heartbeats = new Heartbeats(context, cluster, this.#heartbeatHost())
  }

  get memberId(): string {
    return this.#state.epoch > 0 ? this.#id : ''
  }

  get generation(): number {
    return this.#state.epoch > 0 ? this.#state.epoch : -1
  }

  get term(): number {
    return this.#term
  }

  get isRejoining(): boolean {
    return false
  }

  get isMember(): boolean {
    return isMember(this.#state)
  }

  get leaving(): Promise<void> {
    return this.#heartbeats.leaving
  }

  matchesInClient(subscription: Subscription): boolean {
    if (subscription.patterns.length === 0) return false
    const isFiltered = this.#context.settings['topic.blacklist'].length > 0
    return this.#matchesInClient || isFiltered || brokerRegex(subscription) === null
  }

  join(): void {
    this.#dispatch({ type: 'subscribe' })
  }

  onMetadata(): void {
    const { subscription } = this.#host
    if (subscription !== null && this.#sent !== null && this.matchesInClient(subscription)) {
      if (this.#subscribed(subscription).text !== this.#sent.subscribed) this.#heartbeats.kick()
    }
    this.#checkTopics()
  }

  get isLosing(): boolean {
    return this.#state.phase === 'losing' || this.#state.isLost
  }

  onRefused(api: RefusedApi, code: number): void {
    // These concern the request alone, or the way to the coordinator.
    const answer = memberAnswer(api, code)
    if (answer === 'caller' || answer === 'retry' || answer === 'find-coordinator') return
    // The response to a heartbeat shows what is the matter.
    if (this.#state.epoch > 0) this.#heartbeats.kick()
  }

  assigned(): void {
    this.#target.hold(this.#called)
    this.#called = []
    this.#dispatch({ type: 'assign-called', hasPartitions: this.#target.held.length > 0 })
  }

  unassigned(): void {
    const { phase } = this.#state
    if (phase === 'losing' || phase === 'leaving' || this.#state.isLost) this.#called = this.#gone()
    this.#target.release(this.#called)
    this.#called = []
    this.#dispatch({
      type: 'unassign-called',
      hasPartitions: this.#target.held.length > 0,
      ...this.#target.difference(),
    })
  }

  evict(reason: string): void {
    this.#sendLeave()
    this.#lose(reason)
  }

  leave(): void {
    this.#dispatch({ type: 'leave', hasPartitions: this.#target.held.length > 0 })
  }

  stop(): void {
    void this.#heartbeats.stop()
  }

  /** What the callback has given up or lost: all but what the application still holds. */
  #gone(): HeldPartition[] {
    const left = new Set(this.#host.held().map(({ topic, partition }) => `${topic}\0${partition}`))
    return this.#target.held.filter(({ topic, partition }) => !left.has(`${topic}\0${partition}`))
  }

  #dispatch(event: MemberEvent): void {
    const before = this.#state
    const { state, actions } = step(before, event)
    this.#state = state
    if (state.phase !== before.phase) {
      this.#timer.moved(state.phase === 'out' ? 'out' : state.phase === 'stable' ? 'settled' : 'moving')
      this.#context.logger.debug(
        'cgrp',
        'CGRPJOINSTATE',
        `group '${this.#groupId}' changed from ${before.phase} to ${state.phase} (${event.type}), epoch ${state.epoch}`,
      )
    }
    if (before.epoch > 0 && state.epoch === 0) this.#forget()
    for (const action of actions) this.#perform(action)
  }

  /** The membership has ended: the next one has to say everything again. */
  #forget(): void {
    this.#term++
    this.#heartbeats.endMembership()
    this.#sent = null
    this.#target.clear()
  }

  #perform(action: MemberAction): void {
    switch (action.do) {
      case 'heartbeat':
        this.#heartbeats.begin()
        return
      case 'revoke':
        this.#called = action.what === 'all' ? this.#target.held : this.#target.toRevoke()
        this.#host.call('revoke', this.#called)
        return
      case 'assign':
        this.#called = this.#target.toAssign()
        this.#host.call('assign', this.#called)
        return
      case 'lose':
        this.#host.lose()
        return
      case 'leave':
        this.#heartbeats.pause()
        this.#forget()
        this.#sendLeave()
        return
      default:
        action satisfies never
    }
  }

  #difference(): Difference {
    return this.#target.difference()
  }

  #heartbeatHost(): HeartbeatHost<Answer> {
    return {
      api: 'ConsumerGroupHeartbeat',
      groupName: `group '${this.#groupId}'`,
      isJoining: () => this.#state.phase === 'joining',
      isActive: () => this.#state.phase !== 'out',
      maySend: () => this.#maySend(),
      send: signal => this.#send(signal),
      onAccepted: answer => this.#onAccepted(answer),
      forgetSent: () => (this.#sent = null),
      onLost: error => this.#lose(error.message),
      onRefused: () => this.#dispatch({ type: 'refused', hasPartitions: this.#target.held.length > 0 }),
      matchInClient: error => this.#matchInClientFor(error),
      raise: error => this.#host.raise(error),
    }
  }

  #sendLeave(): void {
    this.#heartbeats.leave(deadline => this.#requests.leave(deadline))
  }

  #maySend(): boolean {
    if (this.#state.phase !== 'joining' || !this.#host.isParked) return true
    this.#host.joinWhenPolled(() => this.#heartbeats.kick())
    return false
  }

  async #send(signal: AbortSignal): Promise<Answer | null> {
    if (this.#state.phase === 'joining') await this.#host.makeRoom()
    const { subscription } = this.#host
    // Null after unsubscribe, while the application gives everything up.
    const subscribed = subscription === null ? null : await this.#knownSubscription(subscription)
    const held = this.#target.claimedByTopic(this.#called)
    const { phase, epoch, isLost } = this.#state
    if (signal.aborted || phase === 'out' || phase === 'losing' || isLost) return null
    try {
      const changes = this.#changes(subscribed, held, this.#sent)
      const whole = this.#changes(subscribed, held, null)
      const response = await this.#requests.heartbeat(epoch, changes, whole, signal)
      this.#heartbeats.isKnown = true
      if (this.#isOut()) return null
      const sent = { subscribed: subscribed?.text ?? this.#sent?.subscribed ?? '', held: JSON.stringify(held) }
      return { errorCode: response.errorCode, errorMessage: response.errorMessage, response, sent }
    } catch (error) {
      if (!(error instanceof NoRegexError)) throw error
      if (!isOver(signal)) this.#matchInClient()
      return null
    }
  }

  // A method: the compiler assumes that a field keeps its value over an `await`.
  #isOut(): boolean {
    return this.#state.phase === 'out'
  }

  /** @param sent - what the coordinator has been told; null: everything */
  #changes(subscribed: Subscribed | null, held: Changes['topicPartitions'] & object, sent: SentFields | null): Changes {
    const { settings } = this.#context
    const rackId = settings['client.rack']
    const assignor = settings['group.remote.assignor']
    return {
      ...(sent !== null || rackId === undefined ? {} : { rackId }),
      ...(sent !== null || assignor === undefined ? {} : { serverAssignor: assignor }),
      ...(sent !== null ? {} : { rebalanceTimeoutMs: settings['max.poll.interval.ms'] }),
      ...(subscribed === null || sent?.subscribed === subscribed.text
        ? {}
        : { subscribedTopicNames: subscribed.names, ...this.#regex(subscribed, this.#sent !== null) }),
      ...(sent?.held === JSON.stringify(held) ? {} : { topicPartitions: held }),
    }
  }

  // An empty one replaces an earlier one; the first heartbeat has none to replace.
  #regex({ regex }: Subscribed, isChange: boolean): Changes {
    return regex === '' && !isChange ? {} : { subscribedTopicRegex: regex }
  }

  async #knownSubscription(subscription: Subscription): Promise<Subscribed> {
    if (this.matchesInClient(subscription) && this.#sent === null) {
      this.#host.watchAll()
      await this.#host.knowTopics(subscription, this.#heartbeats.stopped)
    }
    return this.#subscribed(subscription)
  }

  #subscribed(subscription: Subscription): Subscribed {
    const isInClient = this.matchesInClient(subscription)
    const names = isInClient ? this.#host.topics(subscription) : [...subscription.names].sort()
    const regex = isInClient ? '' : (brokerRegex(subscription) ?? '')
    return { names, regex, text: JSON.stringify([names, regex]) }
  }

  #onAccepted({ response, sent }: Answer): void {
    const { memberEpoch, heartbeatIntervalMs, assignment } = response
    // The coordinator waits to hear what the member holds after every assignment, even if it gains and loses nothing.
    this.#sent = assignment === null ? sent : { ...sent, held: '' }
    const isNew = assignment !== null && this.#target.set(assignment.topicPartitions)
    this.#dispatch({ type: 'answered', epoch: memberEpoch, ...this.#difference() })
    this.#heartbeats.plan(heartbeatIntervalMs)
    if (isNew && this.#state.phase === 'stable') this.#heartbeats.kick()
    this.#checkTopics()
  }

  #matchInClientFor({ message }: KafkaError): boolean {
    if (this.#matchesInClient) return false
    this.#context.logger.warning('REGEX', `${message}: the client matches the pattern itself`)
    this.#matchInClient()
    return true
  }

  #matchInClient(): void {
    this.#matchesInClient = true
    this.#sent = null
    this.#heartbeats.kick()
  }

  #lose(reason: string): void {
    const hasPartitions = this.#target.held.length > 0
    const { logger } = this.#context
    if (hasPartitions) logger.warning('LOST', `group '${this.#groupId}': ${reason}: the assignment is lost`)
    this.#dispatch({ type: 'fenced', hasPartitions })
  }

  /** Continues when topics of the target have become known; asks for those that are still unknown. */
  #checkTopics(): void {
    if (this.#target.difference().hasRevoked || this.#target.difference().hasNew) {
      this.#dispatch({ type: 'topics-known', ...this.#difference() })
    }
    if (!this.#target.hasUnknown || this.#isRefreshing) return
    this.#isRefreshing = true
    const { clock, settings, logger } = this.#context
    const deadline = Deadline.after(clock, settings['socket.timeout.ms'])
    this.#cluster.metadata
      .refresh('all', { deadline, signal: this.#heartbeats.stopped })
      .catch((error: unknown) => {
        logger.debug('cgrp', 'ASSIGN', messageOf(error))
      })
      .finally(() => {
        this.#isRefreshing = false
        if (this.#target.difference().hasNew) this.#dispatch({ type: 'topics-known', ...this.#difference() })
      })
  }
}

interface Subscribed {
  readonly names: readonly string[]
  /** Empty without patterns for the coordinator. */
  readonly regex: string
  readonly text: string
}
