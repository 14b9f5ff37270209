/** A classic group: its members agree on a generation, and one of them assigns the partitions. */
import { ErrorCode } from '@ottla/protocol'
import type { Clock, Timer } from '../base/clock.ts'
import { dashedUuid, systemRandom } from '../base/random.ts'
import {
  NO_BYTES,
  failWaiting,
  classicTransitions,
  newMember,
  refusedJoin,
  refusedSync,
  assigned,
  seedOf,
  sameProtocols,
  subscribes,
  chooseProtocol,
  type ClassicMember,
  type ClassicSeed,
  type ClassicSettings,
  type ClassicState,
  type JoinInput,
  type JoinOutput,
  type LeaveInput,
  type SyncInput,
  type SyncOutput,
} from './classic-member.ts'
import { ClassicRoster } from './classic-roster.ts'

// How long a new member may wait for its first generation.
const NEW_MEMBER_TIMEOUT_MS = 300_000

type Answer<T> = (output: T) => void

/** `join` and `sync` take callbacks, because they wait for the other members. */
export class ClassicGroup {
  readonly type = 'classic'
  readonly id: string
  readonly #clock: Clock
  readonly #settings: ClassicSettings
  readonly #roster: ClassicRoster
  readonly #pendingSyncs = new Set<string>()
  #state: ClassicState = 'Empty'
  #previous: ClassicState = 'Empty'
  #generation = 0
  #protocolType: string | null = null
  #protocol: string | null = null
  #joinTimer: Timer | null = null
  #syncTimer: Timer | null = null
  #gotNewMember = false
  #emptySince: number
  #stored: ClassicSeed | null = null

  constructor(id: string, clock: Clock, settings: ClassicSettings) {
    this.id = id
    this.#clock = clock
    this.#settings = settings
    this.#roster = new ClassicRoster(clock)
    this.#emptySince = clock.now()
  }

  /** A stable group with these members. */
  static from(id: string, clock: Clock, settings: ClassicSettings, seed: ClassicSeed): ClassicGroup {
    const group = new ClassicGroup(id, clock, settings)
    group.#generation = seed.generation
    group.#protocolType = seed.protocolType
    for (const each of seed.members) {
      const member = { ...each }
      group.#roster.add(member)
      group.#keepAlive(member)
    }
    group.#protocol = chooseProtocol(seed.members)
    group.#state = seed.members.length > 0 ? 'Stable' : 'Empty'
    group.#stored = seed
    return group
  }

  /** The last complete generation, which is all that another coordinator would know; null before the first one. */
  get stored(): ClassicSeed | null {
    return this.#stored
  }

  get members(): ReadonlyMap<string, ClassicMember> {
    return this.#roster.members
  }

  get state(): ClassicState {
    return this.#state
  }

  get generation(): number {
    return this.#generation
  }

  get protocolType(): string | null {
    return this.#protocolType
  }

  get protocol(): string | null {
    return this.#protocol
  }

  get isEmpty(): boolean {
    return this.#state === 'Empty' || this.#state === 'Dead'
  }

  /** Since when the group has been empty, ms since the epoch; null unless it is empty. */
  get emptySince(): number | null {
    return this.#state === 'Empty' ? this.#emptySince : null
  }

  join(input: JoinInput, answer: Answer<JoinOutput>): void {
    const { memberId, groupInstanceId } = input
    const refuse = (errorCode: number, id = memberId): void => answer(refusedJoin(errorCode, id))
    if (!this.#hasRoomFor(memberId)) {
      this.#roster.forget(memberId)
      return refuse(ErrorCode.ERR_GROUP_MAX_SIZE_REACHED, '')
    }
    if (this.#state === 'Dead') return refuse(ErrorCode.ERR_COORDINATOR_NOT_AVAILABLE)
    if (!this.#supportsProtocols(input)) return refuse(ErrorCode.ERR_INCONSISTENT_GROUP_PROTOCOL)
    if (memberId === '') return this.#joinNew(input, answer)
    if (groupInstanceId === null && this.#roster.isExpected(memberId)) return this.#add(memberId, input, answer)
    const problem = this.#roster.identify(memberId, groupInstanceId)
    if (problem !== ErrorCode.ERR_NO_ERROR) return refuse(problem)
    this.#rejoin(this.#roster.member(memberId), input, answer)
  }

  sync(input: SyncInput, answer: Answer<SyncOutput>): void {
    const { memberId, generationId, groupInstanceId, protocolType, protocolName, assignments } = input
    const refuse = (errorCode: number): void => answer(refusedSync(errorCode))
    if (this.#state === 'Empty') return refuse(ErrorCode.ERR_UNKNOWN_MEMBER_ID)
    const problem = this.#check(memberId, generationId, groupInstanceId)
    if (problem !== ErrorCode.ERR_NO_ERROR) return refuse(problem)
    const otherType = protocolType !== null && protocolType !== this.#protocolType
    if (otherType || (protocolName !== null && protocolName !== this.#protocol)) {
      return refuse(ErrorCode.ERR_INCONSISTENT_GROUP_PROTOCOL)
    }
    const member = this.#roster.member(memberId)
    switch (this.#state) {
      case 'PreparingRebalance':
        return refuse(ErrorCode.ERR_REBALANCE_IN_PROGRESS)
      case 'CompletingRebalance':
        member.sync = answer
        this.#synced(memberId)
        if (memberId === this.#roster.leader) this.#distribute(assignments)
        return
      case 'Stable':
        this.#synced(memberId)
        answer(assigned(member, this.#protocolType, this.#protocol))
        return
      case 'Dead':
        return refuse(ErrorCode.ERR_COORDINATOR_NOT_AVAILABLE)
      default:
        this.#state satisfies never
    }
  }

  heartbeat(memberId: string, generationId: number, groupInstanceId: string | null): number {
    const problem = this.#check(memberId, generationId, groupInstanceId)
    if (problem !== ErrorCode.ERR_NO_ERROR) return problem
    this.#keepAlive(this.#roster.member(memberId))
    return this.#state === 'PreparingRebalance' ? ErrorCode.ERR_REBALANCE_IN_PROGRESS : ErrorCode.ERR_NO_ERROR
  }

  /** @returns an error code for each */
  leave(leaving: readonly LeaveInput[]): number[] {
    const codes = leaving.map(({ memberId, groupInstanceId }) => this.#leaveOne(memberId, groupInstanceId))
    if (codes.includes(ErrorCode.ERR_NO_ERROR)) {
      if (this.#state === 'Stable' || this.#state === 'CompletingRebalance') this.#prepare()
      else if (this.#state === 'PreparingRebalance') this.#tryComplete()
    }
    return codes
  }

  /** 0, or why a client that claims to be this member may not commit offsets. */
  checkCommit(memberId: string, generationId: number, groupInstanceId: string | null, isTransactional = false): number {
    if (this.#state === 'Dead') return ErrorCode.ERR_COORDINATOR_NOT_AVAILABLE
    if (generationId < 0 && this.#state === 'Empty') return ErrorCode.ERR_NO_ERROR
    if (generationId >= 0 || memberId !== '' || groupInstanceId !== null) {
      const problem = this.#check(memberId, generationId, groupInstanceId)
      if (problem !== ErrorCode.ERR_NO_ERROR) return problem
    } else if (!isTransactional) return ErrorCode.ERR_UNKNOWN_MEMBER_ID
    if (isTransactional) return ErrorCode.ERR_NO_ERROR
    if (this.#state === 'CompletingRebalance') return ErrorCode.ERR_REBALANCE_IN_PROGRESS
    const member = this.members.get(memberId)
    if (member !== undefined) this.#keepAlive(member)
    return ErrorCode.ERR_NO_ERROR
  }

  /** Whether a member reads the topic, or may read it because its subscription is unknown. */
  isSubscribedTo(topic: string): boolean {
    return this.#protocolType === 'consumer' && subscribes(this.members.values(), this.#protocol, topic)
  }

  /** Starts a rebalance. */
  rebalance(): void {
    this.#prepare()
  }

  /** Answers all waiting members with the error and stops all timers. */
  close(errorCode: number = ErrorCode.ERR_COORDINATOR_NOT_AVAILABLE): void {
    this.#joinTimer?.cancel()
    this.#syncTimer?.cancel()
    this.#roster.close(errorCode)
    if (this.#state !== 'Dead') this.#enter('Dead')
  }

  #enter(next: ClassicState): void {
    if (!classicTransitions[this.#state].includes(next)) {
      throw new Error(`group ${this.id} cannot go from ${this.#state} to ${next}`)
    }
    this.#previous = this.#state
    this.#state = next
    if (next === 'Empty') this.#emptySince = this.#clock.now()
  }

  #hasRoomFor(memberId: string): boolean {
    const { maxSize } = this.#settings
    switch (this.#state) {
      case 'Empty':
      case 'Dead':
        return true
      case 'PreparingRebalance': {
        const isWaiting = (this.members.get(memberId)?.join ?? null) !== null
        return isWaiting || this.#roster.waiting < maxSize
      }
      case 'CompletingRebalance':
      case 'Stable':
        return this.members.has(memberId) || this.members.size < maxSize
      default:
        return this.#state satisfies never
    }
  }

  #supportsProtocols({ protocolType, protocols }: JoinInput): boolean {
    if (this.#state === 'Empty') return protocolType !== '' && protocols.length > 0
    if (this.#protocolType !== protocolType) return false
    return protocols.some(({ name }) => this.#roster.everyoneSupports(name))
  }

  #check(memberId: string, generationId: number, groupInstanceId: string | null): number {
    if (this.#state === 'Dead') return ErrorCode.ERR_COORDINATOR_NOT_AVAILABLE
    const problem = this.#roster.identify(memberId, groupInstanceId)
    if (problem !== ErrorCode.ERR_NO_ERROR) return problem
    return generationId === this.#generation ? ErrorCode.ERR_NO_ERROR : ErrorCode.ERR_ILLEGAL_GENERATION
  }

  #joinNew(input: JoinInput, answer: Answer<JoinOutput>): void {
    const { groupInstanceId, clientId, sessionTimeoutMs, requiresMemberId } = input
    const memberId = `${groupInstanceId ?? clientId}-${dashedUuid(this.#settings.random ?? systemRandom)}`
    const holder = groupInstanceId === null ? undefined : this.#roster.holderOf(groupInstanceId)
    if (holder !== undefined) return this.#replace(this.#roster.member(holder), memberId, input, answer)
    if (groupInstanceId !== null || !requiresMemberId) return this.#add(memberId, input, answer)
    this.#roster.expect(memberId, sessionTimeoutMs, () => this.#expirePending(memberId))
    answer(refusedJoin(ErrorCode.ERR_MEMBER_ID_REQUIRED, memberId))
  }

  #add(memberId: string, input: JoinInput, answer: Answer<JoinOutput>): void {
    this.#roster.forget(memberId)
    const member = newMember(memberId, input, answer)
    if (this.#state === 'PreparingRebalance' && this.#previous === 'Empty') this.#gotNewMember = true
    if (this.members.size === 0) this.#protocolType = input.protocolType
    this.#roster.add(member)
    this.#keepAlive(member, NEW_MEMBER_TIMEOUT_MS)
    this.#prepareOrComplete()
  }

  // A new instance of a static member joins and takes its place (KIP-345).
  #replace(old: ClassicMember, memberId: string, input: JoinInput, answer: Answer<JoinOutput>): void {
    const formerLeader = this.#roster.leader
    failWaiting(old, ErrorCode.ERR_FENCED_INSTANCE_ID)
    const member: ClassicMember = { ...old, id: memberId, session: null }
    this.#roster.replace(old, member)
    if (this.#pendingSyncs.delete(old.id)) this.#pendingSyncs.add(memberId)
    this.#keepAlive(member)
    this.#update(member, input, answer)
    switch (this.#state) {
      case 'Stable':
        if (chooseProtocol(this.members.values()) === this.#protocol)
          this.#rejoinWithoutRebalance(member, formerLeader, input)
        else this.#prepare()
        return
      case 'CompletingRebalance':
        this.#prepare()
        return
      case 'PreparingRebalance':
      case 'Empty':
      case 'Dead':
        this.#tryComplete()
        return
      default:
        this.#state satisfies never
    }
  }

  // No rebalance is needed. Before version 9 the leader must not learn that it leads, or it would assign partitions
  // again.
  #rejoinWithoutRebalance(member: ClassicMember, formerLeader: string | null, { canSkipAssignment }: JoinInput): void {
    this.#store()
    const answer = member.join
    member.join = null
    const output = this.#joined(member)
    const leads = this.#roster.leader === member.id
    answer?.(
      canSkipAssignment ? { ...output, skipAssignment: leads } : { ...output, leader: formerLeader ?? '', members: [] },
    )
  }

  #update(member: ClassicMember, input: JoinInput, answer: Answer<JoinOutput>): void {
    member.protocols = input.protocols
    member.sessionTimeoutMs = input.sessionTimeoutMs
    member.rebalanceTimeoutMs = input.rebalanceTimeoutMs
    member.join = answer
  }

  #rejoin(member: ClassicMember, input: JoinInput, answer: Answer<JoinOutput>): void {
    const unchanged = sameProtocols(member.protocols, input.protocols)
    switch (this.#state) {
      case 'CompletingRebalance':
        // The member may have missed the response to its first join.
        if (unchanged) return answer(this.#joined(member))
        break
      case 'Stable':
        // The leader may rejoin to start a rebalance; any other member only does so if its subscription has changed.
        if (unchanged && member.id !== this.#roster.leader) return answer(this.#joined(member))
        break
      case 'PreparingRebalance':
        break
      case 'Empty':
      case 'Dead':
        return answer(refusedJoin(ErrorCode.ERR_UNKNOWN_MEMBER_ID, member.id))
      default:
        this.#state satisfies never
    }
    this.#update(member, input, answer)
    this.#prepareOrComplete()
  }

  #leaveOne(memberId: string, groupInstanceId: string | null): number {
    if (this.#state === 'Dead') return ErrorCode.ERR_COORDINATOR_NOT_AVAILABLE
    if (this.#roster.forget(memberId)) return ErrorCode.ERR_NO_ERROR
    const byInstance = groupInstanceId === null ? undefined : this.#roster.holderOf(groupInstanceId)
    const id = memberId === '' ? (byInstance ?? '') : memberId
    const problem = this.#roster.identify(id, groupInstanceId)
    if (problem === ErrorCode.ERR_NO_ERROR) this.#drop(this.#roster.member(id))
    return problem
  }

  #prepareOrComplete(): void {
    if (this.#state === 'PreparingRebalance') this.#tryComplete()
    else this.#prepare()
  }

  #prepare(): void {
    if (this.#state === 'CompletingRebalance') this.#roster.interruptSyncs(member => this.#keepAlive(member))
    this.#stopWaitingForSyncs()
    this.#enter('PreparingRebalance')
    const delayMs = this.#settings.initialRebalanceDelayMs
    if (this.#previous === 'Empty' && delayMs > 0) {
      this.#gotNewMember = false
      this.#waitForMore(delayMs, Math.max(0, this.#roster.rebalanceTimeoutMs - delayMs))
      return
    }
    if (this.#roster.everyoneHasJoined) this.#complete()
    else this.#waitForJoins()
  }

  // A new group waits again after each new member, but no longer than a rebalance may take.
  #waitForMore(delayMs: number, remainingMs: number): void {
    this.#joinTimer?.cancel()
    this.#joinTimer = this.#clock.setTimer(delayMs, () => {
      if (this.#gotNewMember && remainingMs > 0) {
        this.#gotNewMember = false
        const next = Math.min(this.#settings.initialRebalanceDelayMs, remainingMs)
        this.#waitForMore(next, Math.max(0, remainingMs - delayMs))
      } else {
        this.#complete()
      }
    })
  }

  #waitForJoins(): void {
    this.#joinTimer?.cancel()
    this.#joinTimer = this.#clock.setTimer(this.#roster.rebalanceTimeoutMs, () => this.#complete())
  }

  #tryComplete(): void {
    if (this.#state !== 'PreparingRebalance') return
    if (this.#previous === 'Empty' && this.#settings.initialRebalanceDelayMs > 0) return
    if (this.#roster.everyoneHasJoined) this.#complete()
  }

  // Ends the joining phase and starts a new generation.
  #complete(): void {
    if (this.#state !== 'PreparingRebalance') return
    this.#joinTimer?.cancel()
    this.#joinTimer = null
    for (const member of [...this.members.values()]) {
      if (member.join === null && member.groupInstanceId === null) this.#drop(member)
    }
    if (this.members.size > 0 && !this.#roster.electLeader()) {
      // There are only static members and none has rejoined yet: keep waiting for them.
      this.#waitForJoins()
      return
    }
    this.#generation++
    this.#pendingSyncs.clear()
    if (this.members.size === 0) {
      this.#protocol = null
      this.#enter('Empty')
      this.#store()
      return
    }
    this.#protocol = chooseProtocol(this.members.values())
    this.#enter('CompletingRebalance')
    for (const member of this.members.values()) {
      const answer = member.join
      member.join = null
      member.isNew = false
      this.#keepAlive(member)
      this.#pendingSyncs.add(member.id)
      answer?.(this.#joined(member))
    }
    this.#syncTimer = this.#clock.setTimer(this.#roster.rebalanceTimeoutMs, () => this.#dropUnsynced())
  }

  #synced(memberId: string): void {
    this.#pendingSyncs.delete(memberId)
    if (this.#pendingSyncs.size === 0) this.#stopWaitingForSyncs()
  }

  #stopWaitingForSyncs(): void {
    this.#pendingSyncs.clear()
    this.#syncTimer?.cancel()
    this.#syncTimer = null
  }

  #dropUnsynced(): void {
    for (const id of [...this.#pendingSyncs]) {
      const member = this.members.get(id)
      if (member !== undefined) this.#drop(member)
    }
    this.#prepare()
  }

  #distribute(assignments: SyncInput['assignments']): void {
    // A copy, so that the group does not keep the whole frame.
    const byMember = new Map(assignments.map(({ memberId, assignment }) => [memberId, Buffer.from(assignment)]))
    for (const member of this.members.values()) member.assignment = byMember.get(member.id) ?? NO_BYTES
    this.#enter('Stable')
    this.#store()
    for (const member of this.members.values()) {
      const answer = member.sync
      member.sync = null
      if (answer !== null) this.#keepAlive(member)
      answer?.(assigned(member, this.#protocolType, this.#protocol))
    }
  }

  #joined(member: ClassicMember): JoinOutput {
    const leader = this.#roster.leader ?? ''
    return {
      errorCode: ErrorCode.ERR_NO_ERROR,
      generationId: this.#generation,
      protocolType: this.#protocolType,
      protocolName: this.#protocol,
      leader,
      memberId: member.id,
      members: member.id === leader ? this.#roster.joined(this.#protocol) : [],
      skipAssignment: false,
    }
  }

  #store(): void {
    this.#stored = seedOf(this.#generation, this.#protocolType ?? '', this.members.values(), this.#roster.leader)
  }

  #keepAlive(member: ClassicMember, timeoutMs = member.sessionTimeoutMs): void {
    this.#roster.keepAlive(member, timeoutMs, () => this.#expire(member))
  }

  #expire(member: ClassicMember): void {
    // A member that waits for the others counts as alive, but not a new one: its client may have gone.
    if (!member.isNew && (member.join !== null || member.sync !== null)) return
    this.#drop(member)
    if (this.#state === 'Stable' || this.#state === 'CompletingRebalance') this.#prepare()
    else if (this.#state === 'PreparingRebalance' && this.#roster.everyoneHasJoined) this.#complete()
  }

  #expirePending(memberId: string): void {
    this.#roster.forget(memberId)
    if (this.#state === 'PreparingRebalance' && this.#roster.everyoneHasJoined) this.#complete()
  }

  #drop(member: ClassicMember): void {
    this.#roster.remove(member)
    this.#pendingSyncs.delete(member.id)
  }
}
