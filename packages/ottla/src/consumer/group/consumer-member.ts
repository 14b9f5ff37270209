/** A member by the consumer group protocol (KIP-848): performs what its states ask for. */
import { ErrorCode, errorName, type ConsumerGroupHeartbeatResponse, type Decoded } from '@ottla/protocol'
import { backoffMs } from '../../base/backoff.ts'
import { Deadline, type Timer } from '../../base/clock.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import type { ClientContext } from '../../cluster/context.ts'
import { KafkaError } from '../../errors.ts'
import { Troubles } from '../../observe/troubles.ts'
import { ConsumerRequests, NoRegexError, type Changes } from './consumer-requests.ts'
import { isMember, outside, step, type Difference, type MemberAction, type MemberEvent } from './consumer-states.ts'
import { memberAnswer, type GroupApi } from './membership-errors.ts'
import type { Membership, MembershipHost, RefusedApi } from './membership.ts'
import { brokerRegex } from './patterns.ts'
import type { Subscription } from './subscription.ts'
import { TargetAssignment, type HeldPartition } from './target-assignment.ts'

// Until the coordinator has said how often it wants to be told.
const FIRST_INTERVAL_MS = 3_000

export class ConsumerMember implements Membership {
  readonly protocol = 'CONSUMER'
  readonly #context: ClientContext
  readonly #cluster: Cluster
  readonly #groupId: string
  readonly #id: string
  readonly #host: MembershipHost
  readonly #requests: ConsumerRequests
  readonly #target: TargetAssignment
  readonly #troubles: Troubles
  #state = outside
  /** What the program is being called with. */
  #called: readonly HeldPartition[] = []
  /** The coordinator does not know the patterns' dialect, or is too old: matched here. */
  #matchesHere = false
  /** What the coordinator was told last, null when it has to be told everything. */
  #told: { subscribed: string; held: string } | null = null
  #intervalMs = FIRST_INTERVAL_MS
  #timer: Timer | null = null
  #underWay = false
  #again = false
  #failures = 0
  /** Memberships that ended before a second heartbeat was taken. */
  #shortLives = 0
  /** Grows with every membership; an answer to an older one is dropped. */
  #term = 0
  #looking = false
  #leaving: Promise<void> = Promise.resolve()
  readonly #abort = new AbortController()
  /** Of one membership: its heartbeats must not be tried again behind the goodbye. */
  #membership = new AbortController()

  constructor(context: ClientContext, cluster: Cluster, groupId: string, memberId: string, host: MembershipHost) {
    this.#context = context
    this.#cluster = cluster
    this.#groupId = groupId
    this.#id = memberId
    this.#host = host
    this.#requests = new ConsumerRequests(context, cluster, groupId, memberId)
    this.#target = new TargetAssignment(cluster.metadata)
    this.#troubles = new Troubles(context.clock)
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
    return this.#leaving
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
      if (this.#subscribed(subscription).text !== this.#told.subscribed) this.#beat()
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
    if (this.#state.epoch > 0) this.#beat()
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
    this.#leaving = this.#requests.leave()
    this.#lose(reason)
  }

  leave(): void {
    this.#dispatch({ type: 'leave', hasPartitions: this.#target.held.length > 0 })
  }

  stop(): void {
    this.#abort.abort()
    this.#membership.abort()
    this.#timer?.cancel()
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
    this.#membership.abort()
    this.#membership = new AbortController()
    this.#told = null
    this.#target.clear()
  }

  #perform(action: MemberAction): void {
    switch (action.do) {
      case 'heartbeat':
        if (this.#state.phase === 'joining' && this.#shortLives > 1) this.#later()
        else this.#beat()
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
        this.#timer?.cancel()
        this.#forget()
        this.#leaving = this.#requests.leave()
        return
      default:
        action satisfies never
    }
  }

  #difference(): Difference {
    return this.#target.difference()
  }

  /** A heartbeat now, or right after the one that is under way. */
  #beat(): void {
    this.#timer?.cancel()
    if (this.#abort.signal.aborted || this.#state.phase === 'out') return
    if (this.#underWay) {
      this.#again = true
      return
    }
    if (this.#state.phase === 'joining' && this.#host.isParked) {
      this.#host.joinWhenPolled(() => this.#beat())
      return
    }
    this.#underWay = true
    void this.#send().finally(() => {
      this.#underWay = false
      if (this.#again) {
        this.#again = false
        this.#beat()
      }
    })
  }

  async #send(): Promise<void> {
    const term = this.#term
    const { signal } = this.#membership
    try {
      // Behind a goodbye: else that would end the new membership.
      await this.#leaving
      if (this.#state.phase === 'joining') await this.#host.makeRoom()
      const { subscription } = this.#host
      // Held on to until the program has given everything up.
      const subscribed = subscription === null ? null : await this.#knownSubscription(subscription)
      const held = this.#target.heldByTopic()
      const { phase, epoch } = this.#state
      if (term !== this.#term || phase === 'out' || phase === 'losing' || this.#state.isLost) return
      const changes = this.#changes(subscribed, held)
      const response = await this.#requests.heartbeat(epoch, changes, signal)
      if (term !== this.#term || this.#state.phase === 'out') return
      if (response.errorCode === ErrorCode.ERR_NO_ERROR) {
        this.#told = {
          subscribed: subscribed?.text ?? this.#told?.subscribed ?? '',
          held: JSON.stringify(held),
        }
        this.#onTaken(response)
      } else {
        this.#onError(response.errorCode, response.errorMessage)
      }
    } catch (error) {
      if (this.#abort.signal.aborted || term !== this.#term) return
      this.#onFailure(error)
    }
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
      await this.#host.knowTopics(subscription, this.#abort.signal)
    }
    return this.#subscribed(subscription)
  }

  #subscribed(subscription: Subscription): Subscribed {
    const isHere = this.matchesHere(subscription)
    const names = isHere ? this.#host.topics(subscription) : [...subscription.names].sort()
    const regex = isHere ? '' : (brokerRegex(subscription) ?? '')
    return { names, regex, text: JSON.stringify([names, regex]) }
  }

  #onTaken({ memberEpoch, heartbeatIntervalMs, assignment }: Decoded<ConsumerGroupHeartbeatResponse>): void {
    if (this.#state.phase !== 'joining') {
      this.#shortLives = 0
      this.#failures = 0
    } else if (this.#shortLives === 0) this.#failures = 0
    this.#troubles.over('group')
    this.#intervalMs = heartbeatIntervalMs
    if (assignment !== null) this.#target.set(assignment.topicPartitions)
    this.#dispatch({ type: 'answered', epoch: memberEpoch, ...this.#difference() })
    this.#plan(this.#intervalMs)
    this.#look()
  }

  #onError(code: number, message: string | null): void {
    const { logger } = this.#context
    logger.debug('cgrp', 'HEARTBEAT', `group '${this.#groupId}': ${errorName(code)}: ${message ?? ''}`)
    this.#act('ConsumerGroupHeartbeat', KafkaError.of(code, `group '${this.#groupId}'`, message))
  }

  #act(api: GroupApi, error: KafkaError): void {
    const { code } = error
    const answer = memberAnswer(api, code, this.#state.phase === 'joining')
    switch (answer) {
      case 'retry':
      case 'find-coordinator':
      case 'refresh-epoch':
        this.#later()
        return
      case 'rejoin':
      case 'lost-generation':
      case 'lost-membership':
        this.#shortLives++
        this.#lose(error.message)
        return
      case 'match-here':
        if (this.#matchesHere) break
        this.#context.logger.warning('REGEX', `${error.message}: the pattern is matched here`)
        this.#matchHere()
        return
      case 'fatal':
        this.#refuse(new KafkaError(code, error.message, { cause: error, fatal: true }))
        return
      case 'take-member-id':
      case 'new-session':
      case 'caller':
      case 'done':
      case 'tell':
        break
      default:
        answer satisfies never
    }
    this.#refuse(error)
  }

  #onFailure(error: unknown): void {
    if (error instanceof NoRegexError) {
      this.#matchHere()
      return
    }
    if (!(error instanceof KafkaError)) {
      this.#context.logger.error('GROUP', error instanceof Error ? (error.stack ?? error.message) : String(error))
      this.#later()
      return
    }
    this.#context.logger.debug('cgrp', 'HEARTBEAT', error.message)
    // Whether the last one has arrived is not known: the next one says everything.
    this.#told = null
    // The search for the coordinator throws what a broker answers to it.
    this.#act(error.code < ErrorCode.ERR_UNKNOWN ? 'ConsumerGroupHeartbeat' : 'FindCoordinator', error)
  }

  #refuse(error: KafkaError): void {
    if (error.isFatal || this.#troubles.isNews('group', error.code)) this.#host.raise(error)
    if (error.isFatal) this.#dispatch({ type: 'refused', hasPartitions: this.#target.held.length > 0 })
    // Somebody may put it right (an ACL, the broker's limits).
    else this.#later()
  }

  #matchHere(): void {
    this.#matchesHere = true
    this.#told = null
    this.#again = true
  }

  #later(): void {
    const { settings, random } = this.#context
    this.#told = null
    this.#plan(backoffMs(++this.#failures, settings['retry.backoff.ms'], settings['retry.backoff.max.ms'], random))
  }

  #plan(ms: number): void {
    this.#timer?.cancel()
    if (this.#state.phase === 'out') return
    this.#timer = this.#context.clock.setTimer(ms, () => this.#beat())
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
      .refresh('all', { deadline, signal: this.#abort.signal })
      .catch((error: unknown) => {
        logger.debug('cgrp', 'ASSIGN', error instanceof Error ? error.message : String(error))
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
