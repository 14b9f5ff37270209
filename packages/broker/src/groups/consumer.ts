/** A consumer group (KIP-848): the coordinator assigns the partitions, each member follows at its own pace. */
import { ErrorCode } from '@ottla/protocol'
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { TopicStore } from '../topics/topics.ts'
import { DEFAULT_ASSIGNOR, assignors, type Assignment, type AssignorMember } from './assignors.ts'
import type { ClassicSeed } from './classic-member.ts'
import type { GroupConfigs } from './configs.ts'
import { downgraded } from './conversion.ts'
import {
  areReconciled,
  reconcile,
  type ConsumerMember,
  type ConsumerSeed,
  type MemberTimer,
} from './consumer-member.ts'
import { partitionKey, splitKey } from './partition-set.ts'
import { GroupRefusal, knownMember } from './refusal.ts'
import { topicPattern } from './topic-pattern.ts'

export type ConsumerState = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable' | 'Dead'

export interface ConsumerContext {
  readonly clock: Clock
  readonly topics: TopicStore
  readonly configs: GroupConfigs
  readonly maxSize: number
}

export type CanDescribe = (topic: string) => boolean

const NOTHING: ReadonlySet<string> = new Set()

export class ConsumerGroup {
  readonly type = 'consumer'
  readonly protocolType = 'consumer'
  readonly id: string
  readonly members = new Map<string, ConsumerMember>()
  readonly #context: ConsumerContext
  readonly #onDowngrade: (seed: ClassicSeed, rebalances: boolean) => void
  readonly #instances = new Map<string, string>()
  // Patterns that members subscribe to, with the topics that match.
  readonly #patterns = new Map<string, ReadonlySet<string>>()
  #epoch = 1
  #assignmentEpoch = 0
  #assignedAt = 0
  #target: Assignment = new Map()
  #lastFingerprint: string
  #dead = false

  constructor(
    id: string,
    context: ConsumerContext,
    onDowngrade: (seed: ClassicSeed, rebalances: boolean) => void,
    seed: ConsumerSeed | null = null,
  ) {
    this.id = id
    this.#context = context
    this.#onDowngrade = onDowngrade
    this.#lastFingerprint = this.#fingerprint()
    if (seed === null) return
    this.#epoch = seed.epoch
    this.#assignmentEpoch = seed.epoch
    for (const member of seed.members) {
      this.#add(member)
      this.#target.set(member.id, new Set(member.assigned.keys()))
      this.startTimer(member, 'session', member.classic?.sessionTimeoutMs ?? this.#sessionTimeoutMs())
    }
    this.#lastFingerprint = this.#fingerprint()
  }

  get state(): ConsumerState {
    if (this.#dead) return 'Dead'
    if (this.members.size === 0) return 'Empty'
    if (this.#epoch > this.#assignmentEpoch) return 'Assigning'
    return areReconciled(this.members.values(), this.#assignmentEpoch) ? 'Stable' : 'Reconciling'
  }

  get isEmpty(): boolean {
    return this.members.size === 0
  }

  get epoch(): number {
    return this.#epoch
  }

  get assignmentEpoch(): number {
    return this.#assignmentEpoch
  }

  /** The assignor that most members prefer. */
  get assignor(): string {
    const votes = new Map<string, number>()
    for (const { assignor } of this.members.values()) {
      if (assignor !== null) votes.set(assignor, (votes.get(assignor) ?? 0) + 1)
    }
    let best = DEFAULT_ASSIGNOR
    for (const [name, count] of votes) if (count > (votes.get(best) ?? 0)) best = name
    return best
  }

  get heartbeatIntervalMs(): number {
    return this.#context.configs.number(this.id, 'consumer.heartbeat.interval.ms')
  }

  get random(): Random {
    return this.#context.topics.random
  }

  /** The target assignment of a member. */
  targetOf(memberId: string): ReadonlySet<string> {
    return this.#target.get(memberId) ?? NOTHING
  }

  byInstance(instanceId: string): ConsumerMember | undefined {
    return this.members.get(this.#instances.get(instanceId) ?? '')
  }

  /** @throws GroupRefusal UNKNOWN_MEMBER_ID */
  member(memberId: string): ConsumerMember {
    return knownMember(this.members, memberId, this.id)
  }

  /** @throws GroupRefusal GROUP_MAX_SIZE_REACHED */
  checkRoom(memberId: string): void {
    const { maxSize } = this.#context
    if (this.members.size < maxSize || this.members.has(memberId)) return
    const message = `The consumer group has reached its maximum capacity of ${maxSize} members.`
    throw new GroupRefusal(ErrorCode.ERR_GROUP_MAX_SIZE_REACHED, message)
  }

  /** Adds a new member, in the place of one with the same instance id. */
  admit(member: ConsumerMember): void {
    const old = member.instanceId === null ? undefined : this.byInstance(member.instanceId)
    if (old !== undefined && old.id !== member.id) {
      const target = this.targetOf(old.id)
      this.#remove(old)
      this.#target.set(member.id, new Set(target))
    }
    this.#add(member)
  }

  /** Raises the group epoch if anything has changed, assigns again if so, and takes the member a step further. */
  settle(
    member: ConsumerMember,
    owned: ReadonlySet<string> | null,
    subscriptionChanged: boolean,
    canDescribe: CanDescribe,
  ): void {
    this.#findTopics(canDescribe)
    this.#bumpIfNeeded(subscriptionChanged)
    this.#assignIfNeeded()
    this.advance(member, owned, subscriptionChanged)
  }

  /** As {@link settle}, without a new assignment. */
  advance(member: ConsumerMember, owned: ReadonlySet<string> | null, subscriptionChanged: boolean): void {
    const isReconciled = member.state === 'stable' && member.epoch === this.#assignmentEpoch
    if (!subscriptionChanged && isReconciled) return
    const { topics } = this.#context
    const taken = this.#takenByOthers(member)
    const after = reconcile(member, {
      epoch: this.#assignmentEpoch,
      partitions: this.targetOf(member.id),
      reads: key => this.#reads(member, topics.byId(splitKey(key).topicId)?.name),
      isTaken: key => taken.has(key),
      owned,
      subscriptionChanged,
    })
    const same = after.epoch === member.epoch && after.state === member.state && after.assigned === member.assigned
    if (same && after.revoking === member.revoking) return
    Object.assign(member, after, { previousEpoch: member.epoch })
    if (member.classic !== null) return
    if (member.state === 'unrevoked') this.startTimer(member, 'rebalance', member.rebalanceTimeoutMs)
    else this.stopTimer(member, 'rebalance')
  }

  /** Whether other members still have partitions that a member waits for. */
  waitsForOthers(member: ConsumerMember): boolean {
    if (member.state !== 'unreleased') return false
    const taken = this.#takenByOthers(member)
    for (const key of this.targetOf(member.id)) if (!member.assigned.has(key) && taken.has(key)) return true
    return false
  }

  /** Raises the group epoch if subscriptions or their topics have changed. */
  bump(subscriptionChanged: boolean, canDescribe: CanDescribe): void {
    this.#findTopics(canDescribe)
    this.#bumpIfNeeded(subscriptionChanged)
  }

  /** Removes members. */
  fence(members: readonly ConsumerMember[]): void {
    if (members.length === 0) return
    const rest = [...this.members.values()].filter(member => !members.includes(member))
    if (rest.length > 0 && rest.every(({ classic }) => classic !== null)) {
      for (const member of members) this.#remove(member)
      this.#downgrade(rest, true)
      return
    }
    for (const member of members) this.#remove(member)
    this.#lastFingerprint = this.#fingerprint()
    this.#epoch++
  }

  /** Whether all members but this one use the classic protocol, so that the group can become a classic one. */
  isClassicExcept(member: ConsumerMember): boolean {
    for (const each of this.members.values()) if ((each.classic !== null) === (each === member)) return false
    return true
  }

  /** Turns the group into a classic one. */
  downgrade(): void {
    this.#downgrade([...this.members.values()], this.#assignmentEpoch < this.#epoch)
  }

  /** Starts or extends a member's session. */
  keepAlive(member: ConsumerMember): void {
    this.startTimer(member, 'session', member.classic?.sessionTimeoutMs ?? this.#sessionTimeoutMs())
  }

  /** Removes the member when the time has passed. */
  startTimer(member: ConsumerMember, name: MemberTimer, ms: number): void {
    this.stopTimer(member, name)
    const { epoch } = member
    const timer = this.#context.clock.setTimer(ms, () => {
      if (this.members.get(member.id) !== member) return
      if (name !== 'rebalance' || member.epoch === epoch) this.fence([member])
    })
    member.timers.set(name, timer)
  }

  stopTimer(member: ConsumerMember, name: MemberTimer): void {
    member.timers.get(name)?.cancel()
    member.timers.delete(name)
  }

  isSubscribedTo(topic: string): boolean {
    for (const member of this.members.values()) if (this.#reads(member, topic)) return true
    return false
  }

  close(): void {
    for (const member of [...this.members.values()]) this.#remove(member)
    this.#dead = true
  }

  #sessionTimeoutMs(): number {
    return this.#context.configs.number(this.id, 'consumer.session.timeout.ms')
  }

  #add(member: ConsumerMember): void {
    this.members.set(member.id, member)
    if (member.instanceId !== null) this.#instances.set(member.instanceId, member.id)
  }

  #remove(member: ConsumerMember): void {
    for (const timer of member.timers.values()) timer.cancel()
    member.timers.clear()
    this.members.delete(member.id)
    this.#target.delete(member.id)
    const { instanceId } = member
    if (instanceId !== null && this.#instances.get(instanceId) === member.id) this.#instances.delete(instanceId)
  }

  #downgrade(members: readonly ConsumerMember[], rebalances: boolean): void {
    const seed = downgraded(this.#epoch, members, id => this.targetOf(id), this.#context.topics)
    for (const member of members) {
      for (const timer of member.timers.values()) timer.cancel()
    }
    this.#dead = true
    this.#onDowngrade(seed, rebalances)
  }

  #reads(member: ConsumerMember, topic: string | undefined): boolean {
    if (topic === undefined) return false
    return member.topics.has(topic) || (this.#patterns.get(member.regex)?.has(topic) ?? false)
  }

  // Topics that the client may not describe do not match.
  #findTopics(canDescribe: CanDescribe): void {
    const patterns = new Set([...this.members.values()].map(({ regex }) => regex).filter(regex => regex !== ''))
    for (const known of this.#patterns.keys()) if (!patterns.has(known)) this.#patterns.delete(known)
    for (const pattern of patterns) {
      const whole = topicPattern(pattern)
      const names = [...this.#context.topics.all()].map(({ name }) => name)
      this.#patterns.set(pattern, new Set(names.filter(name => whole.test(name) && canDescribe(name))))
    }
  }

  // Identifies the members' topics and their partitions.
  #fingerprint(): string {
    const names = new Set<string>()
    for (const { topics } of this.members.values()) for (const name of topics) names.add(name)
    const found = [...this.#patterns].map(([pattern, topics]) => {
      for (const name of topics) names.add(name)
      return [pattern, ...[...topics].sort()]
    })
    const known = [...names].sort().map(name => {
      const topic = this.#context.topics.get(name)
      return topic === undefined ? null : [topic.id, topic.partitions.length]
    })
    return JSON.stringify([found, known.filter(topic => topic !== null)])
  }

  #bumpIfNeeded(subscriptionChanged: boolean): void {
    const fingerprint = this.#fingerprint()
    if (!subscriptionChanged && fingerprint === this.#lastFingerprint) return
    this.#lastFingerprint = fingerprint
    this.#epoch++
  }

  #assignIfNeeded(): void {
    const { clock, configs, topics } = this.#context
    if (this.#assignmentEpoch >= this.#epoch) return
    const interval = configs.number(this.id, 'consumer.assignment.interval.ms')
    if (this.#assignedAt > 0 && interval > 0 && clock.now() < this.#assignedAt + interval) return
    const counts = new Map<string, number>()
    const members = [...this.members.values()].map((member): AssignorMember => {
      const topicIds = new Set<string>()
      const names = new Set([...member.topics, ...(this.#patterns.get(member.regex) ?? [])])
      for (const name of [...names].sort()) {
        const topic = topics.get(name)
        if (topic === undefined) continue
        topicIds.add(topic.id)
        counts.set(topic.id, topic.partitions.length)
      }
      return { id: member.id, instanceId: member.instanceId, topicIds, owned: this.targetOf(member.id) }
    })
    const assign = assignors.get(this.assignor)
    this.#target = assign?.(members, counts) ?? new Map<string, Set<string>>()
    this.#assignmentEpoch = this.#epoch
    this.#assignedAt = clock.now()
  }

  #takenByOthers(except: ConsumerMember): Set<string> {
    const taken = new Set<string>()
    for (const member of this.members.values()) {
      if (member === except) continue
      for (const key of member.assigned.keys()) taken.add(key)
      for (const key of member.revoking.keys()) taken.add(key)
    }
    return taken
  }
}

/** 0, or why a member may not commit an offset of a partition with this epoch (KIP-1251). */
export function checkAssignmentEpoch(member: ConsumerMember, epoch: number, topicId: string, index: number): number {
  const key = partitionKey(topicId, index)
  const since = member.assigned.get(key) ?? member.revoking.get(key)
  if (epoch === member.epoch || (since !== undefined && epoch >= since && epoch < member.epoch)) {
    return ErrorCode.ERR_NO_ERROR
  }
  return member.classic === null ? ErrorCode.ERR_STALE_MEMBER_EPOCH : ErrorCode.ERR_ILLEGAL_GENERATION
}
