/** A member by the consumer group protocol (KIP-848): performs what its states ask for. */
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
import type { Subscription } from './subscription.ts'
import { TargetAssignment, type HeldPartition } from './target-assignment.ts'

/** What the coordinator was told. */
interface Told {
  readonly subscribed: string
  readonly held: string
}

interface Answer extends HeartbeatAnswer {
  readonly response: Decoded<ConsumerGroupHeartbeatResponse>
  readonly told: Told
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
  #state = outside
  /** What the program is being called with. */
  #called: readonly HeldPartition[] = []
  /** The coordinator does not know the patterns' dialect, or is too old: matched here. */
  #matchesHere = false
  /** Last; null when the coordinator has to be told everything. */
  #told: Told | null = null
  /** Grows with every membership; an answer to an older one is dropped. */
  #term = 0
  #looking = false

  constructor(context: ClientContext, cluster: Cluster, groupId: string, memberId: string, host: MembershipHost) {
    this.#context = context
    this.#cluster = cluster
    this.#groupId = groupId
    this.#id = memberId
    this.#host = host
    this.#requests = new ConsumerRequests(context, cluster, groupId, memberId)
    this.#target = new TargetAssignment(cluster.metadata)
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

  get isMember(): boolean {
    return isMember(this.#state)
  }

  get leaving(): Promise<void> {
    return this.#heartbeats.leaving
  }

  matchesHere(subscription: Subscription): boolean {
    if (subscription.patterns.length === 0) return false
    const isFiltered = this.#context.settings['topic.blacklist'].length > 0
    return this.#matchesHere || isFiltered || brokerRegex(subscription) === null
  }

  join(): void {
    this.#dispatch({ type: 'subscribe' })
  }

  onMetadata(): void {
    const { subscription } = this.#host
    if (subscription !== null && this.#told !== null && this.matchesHere(subscription)) {
      if (this.#subscribed(subscription).text !== this.#told.subscribed) this.#heartbeats.kick()
    }
    this.#look()
  }

  get isLosing(): boolean {
    return this.#state.phase === 'losing' || this.#state.isLost
  }

  onRefused(api: RefusedApi, code: number): void {
    // Of the request alone, or of the way to the coordinator.
    const answer = memberAnswer(api, code)
    if (answer === 'caller' || answer === 'retry' || answer === 'find-coordinator') return
    // A heartbeat tells what is the matter, and what comes of it.
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
    this.#sayGoodbye()
    this.#lose(reason)
  }

  leave(): void {
    this.#dispatch({ type: 'leave', hasPartitions: this.#target.held.length > 0 })
  }

  stop(): void {
    void this.#heartbeats.stop()
  }

  /** What the program has been told to be gone: all but what it still holds for the group. */
  #gone(): HeldPartition[] {
    const left = new Set(this.#host.held().map(({ topic, partition }) => `${topic}\0${partition}`))
    return this.#target.held.filter(({ topic, partition }) => !left.has(`${topic}\0${partition}`))
  }

  #dispatch(event: MemberEvent): void {
    const before = this.#state
    const { state, actions } = step(before, event)
    this.#state = state
    if (state.phase !== before.phase) {
      this.#context.logger.debug(
        'cgrp',
        'CGRPJOINSTATE',
        `group '${this.#groupId}' changed from ${before.phase} to ${state.phase} (${event.type}), epoch ${state.epoch}`,
      )
    }
    if (before.epoch > 0 && state.epoch === 0) this.#forget()
    for (const action of actions) this.#perform(action)
  }

  /** A membership is over: the next one begins with everything. */
  #forget(): void {
    this.#term++
    this.#heartbeats.endMembership()
    this.#told = null
    this.#target.clear()
  }

  #perform(action: MemberAction): void {
    switch (action.do) {
      case 'heartbeat':
        this.#heartbeats.begin()
        return
      case 'revoke':
        this.#called = action.what === 'all' ? this.#target.held : this.#target.takes()
        this.#host.call('revoke', this.#called)
        return
      case 'assign':
        this.#called = this.#target.gives()
        this.#host.call('assign', this.#called)
        return
      case 'lose':
        this.#host.lose()
        return
      case 'leave':
        this.#heartbeats.pause()
        this.#forget()
        this.#sayGoodbye()
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
      isIn: () => this.#state.phase !== 'out',
      mayBegin: () => this.#mayBegin(),
      send: signal => this.#send(signal),
      onTaken: answer => this.#onTaken(answer),
      forgetTold: () => (this.#told = null),
      onLost: error => this.#lose(error.message),
      onRefused: () => this.#dispatch({ type: 'refused', hasPartitions: this.#target.held.length > 0 }),
      matchHere: error => this.#matchHereFor(error),
      raise: error => this.#host.raise(error),
    }
  }

  #sayGoodbye(): void {
    this.#heartbeats.sayGoodbye(deadline => this.#requests.leave(deadline))
  }

  #mayBegin(): boolean {
    if (this.#state.phase !== 'joining' || !this.#host.isParked) return true
    this.#host.joinWhenPolled(() => this.#heartbeats.kick())
    return false
  }

  async #send(signal: AbortSignal): Promise<Answer | null> {
    if (this.#state.phase === 'joining') await this.#host.makeRoom()
    const { subscription } = this.#host
    // Held on to until the program has given everything up.
    const subscribed = subscription === null ? null : await this.#knownSubscription(subscription)
    const held = this.#target.heldByTopic()
    const { phase, epoch, isLost } = this.#state
    if (signal.aborted || phase === 'out' || phase === 'losing' || isLost) return null
    try {
      const response = await this.#requests.heartbeat(epoch, this.#changes(subscribed, held), signal)
      this.#heartbeats.isKnown = true
      if (this.#isOut()) return null
      const told = { subscribed: subscribed?.text ?? this.#told?.subscribed ?? '', held: JSON.stringify(held) }
      return { errorCode: response.errorCode, errorMessage: response.errorMessage, response, told }
    } catch (error) {
      if (!(error instanceof NoRegexError)) throw error
      if (!isOver(signal)) this.#matchHere()
      return null
    }
  }

  // A method: the compiler takes a field for what it was before an `await`.
  #isOut(): boolean {
    return this.#state.phase === 'out'
  }

  #changes(subscribed: Subscribed | null, held: Changes['topicPartitions'] & object): Changes {
    const { settings } = this.#context
    const told = this.#told
    const rackId = settings['client.rack']
    const assignor = settings['group.remote.assignor']
    return {
      ...(told !== null || rackId === undefined ? {} : { rackId }),
      ...(told !== null || assignor === undefined ? {} : { serverAssignor: assignor }),
      ...(told !== null ? {} : { rebalanceTimeoutMs: settings['max.poll.interval.ms'] }),
      ...(subscribed === null || told?.subscribed === subscribed.text
        ? {}
        : { subscribedTopicNames: subscribed.names, ...this.#regex(subscribed, told !== null) }),
      ...(told?.held === JSON.stringify(held) ? {} : { topicPartitions: held }),
    }
  }

  // An empty one takes back what was there before; an older broker has none to take back.
  #regex({ regex }: Subscribed, isChange: boolean): Changes {
    return regex === '' && !isChange ? {} : { subscribedTopicRegex: regex }
  }

  async #knownSubscription(subscription: Subscription): Promise<Subscribed> {
    if (this.matchesHere(subscription) && this.#told === null) {
      this.#host.watchAll()
      await this.#host.knowTopics(subscription, this.#heartbeats.stopped)
    }
    return this.#subscribed(subscription)
  }

  #subscribed(subscription: Subscription): Subscribed {
    const isHere = this.matchesHere(subscription)
    const names = isHere ? this.#host.topics(subscription) : [...subscription.names].sort()
    const regex = isHere ? '' : (brokerRegex(subscription) ?? '')
    return { names, regex, text: JSON.stringify([names, regex]) }
  }

  #onTaken({ response, told }: Answer): void {
    const { memberEpoch, heartbeatIntervalMs, assignment } = response
    this.#told = told
    if (assignment !== null) this.#target.set(assignment.topicPartitions)
    this.#dispatch({ type: 'answered', epoch: memberEpoch, ...this.#difference() })
    this.#heartbeats.plan(heartbeatIntervalMs)
    this.#look()
  }

  #matchHereFor({ message }: KafkaError): boolean {
    if (this.#matchesHere) return false
    this.#context.logger.warning('REGEX', `${message}: the pattern is matched here`)
    this.#matchHere()
    return true
  }

  #matchHere(): void {
    this.#matchesHere = true
    this.#told = null
    this.#heartbeats.kick()
  }

  #lose(reason: string): void {
    const hasPartitions = this.#target.held.length > 0
    const { logger } = this.#context
    if (hasPartitions) logger.warning('LOST', `group '${this.#groupId}': ${reason}: the assignment is lost`)
    this.#dispatch({ type: 'fenced', hasPartitions })
  }

  /** Whether topics that were not known can be named by now; if not, asks for them. */
  #look(): void {
    if (this.#target.difference().takes || this.#target.difference().gives) {
      this.#dispatch({ type: 'looked', ...this.#difference() })
    }
    if (!this.#target.hasUnknown || this.#looking) return
    this.#looking = true
    const { clock, settings, logger } = this.#context
    const deadline = Deadline.after(clock, settings['socket.timeout.ms'])
    this.#cluster.metadata
      .refresh('all', { deadline, signal: this.#heartbeats.stopped })
      .catch((error: unknown) => {
        logger.debug('cgrp', 'ASSIGN', messageOf(error))
      })
      .finally(() => {
        this.#looking = false
        if (this.#target.difference().gives) this.#dispatch({ type: 'looked', ...this.#difference() })
      })
  }
}

interface Subscribed {
  readonly names: readonly string[]
  /** Empty for none. */
  readonly regex: string
  readonly text: string
}
