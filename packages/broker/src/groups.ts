/** Classic consumer groups: membership, generations and offsets, as a coordinator keeps them. */
import { randomUUID } from 'node:crypto'
import { ErrorCode } from '@ottla/protocol'
import type { Clock, Timer } from './clock.ts'

export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

const moves: Record<GroupState, readonly GroupState[]> = {
  Empty: ['PreparingRebalance', 'Dead'],
  PreparingRebalance: ['CompletingRebalance', 'Empty', 'Dead'],
  CompletingRebalance: ['Stable', 'PreparingRebalance', 'Dead'],
  Stable: ['PreparingRebalance', 'Dead'],
  Dead: [],
}

export interface JoinInput {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly host: string
  readonly protocolType: string
  readonly protocols: readonly { readonly name: string; readonly metadata: Buffer }[]
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  /** Version 4 and later: a new member is told its id before it joins (KIP-394). */
  readonly requiresMemberId: boolean
}

export interface JoinOutput {
  readonly errorCode: number
  readonly generationId: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly leader: string
  readonly memberId: string
  readonly members: readonly { memberId: string; groupInstanceId: string | null; metadata: Buffer }[]
}

export interface SyncOutput {
  readonly errorCode: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignment: Buffer
}

export interface CommittedOffset {
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string | null
}

export interface Member {
  readonly id: string
  groupInstanceId: string | null
  readonly clientId: string
  readonly host: string
  protocols: readonly { readonly name: string; readonly metadata: Buffer }[]
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  assignment: Buffer
  join: ((output: JoinOutput) => void) | null
  sync: ((output: SyncOutput) => void) | null
  session: Timer | null
}

const NO_BYTES = Buffer.alloc(0)
// How long a member id that was given out is kept for its join.
const PENDING_MEMBER_LIMIT = 1000

/** One group. Joins and syncs answer by callback, because they wait for the other members. */
export class Group {
  readonly id: string
  readonly offsets = new Map<string, CommittedOffset>()
  readonly members = new Map<string, Member>()
  readonly #clock: Clock
  readonly #initialDelayMs: number
  readonly #pending = new Set<string>()
  #state: GroupState = 'Empty'
  #generation = 0
  #protocolType: string | null = null
  #protocol: string | null = null
  #leader: string | null = null
  #timer: Timer | null = null

  constructor(id: string, clock: Clock, initialDelayMs: number) {
    this.id = id
    this.#clock = clock
    this.#initialDelayMs = initialDelayMs
  }

  get state(): GroupState {
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

  join(input: JoinInput, answer: (output: JoinOutput) => void): void {
    const refuse = (errorCode: number, memberId = input.memberId): void => answer(refusedJoin(errorCode, memberId))
    if (this.#state === 'Dead') return refuse(ErrorCode.ERR_COORDINATOR_NOT_AVAILABLE)
    if (!this.#fits(input)) return refuse(ErrorCode.ERR_INCONSISTENT_GROUP_PROTOCOL)
    const holder = this.#instanceHolder(input.groupInstanceId)
    if (input.memberId === '') {
      if (holder !== undefined) {
        this.#replaceStatic(holder, input, answer)
        return
      }
      const memberId = `${input.groupInstanceId ?? input.clientId}-${randomUUID()}`
      if (input.requiresMemberId && input.groupInstanceId === null) {
        if (this.#pending.size >= PENDING_MEMBER_LIMIT) this.#pending.clear()
        this.#pending.add(memberId)
        return refuse(ErrorCode.ERR_MEMBER_ID_REQUIRED, memberId)
      }
      this.#add(memberId, input, answer)
      return
    }
    if (holder !== undefined && holder.id !== input.memberId) return refuse(ErrorCode.ERR_FENCED_INSTANCE_ID)
    if (this.#pending.delete(input.memberId)) {
      this.#add(input.memberId, input, answer)
      return
    }
    const member = this.members.get(input.memberId)
    if (member === undefined) return refuse(ErrorCode.ERR_UNKNOWN_MEMBER_ID)
    this.#rejoin(member, input, answer)
  }

  sync(
    memberId: string,
    generationId: number,
    groupInstanceId: string | null,
    protocolName: string | null,
    assignments: readonly { memberId: string; assignment: Buffer }[],
    answer: (output: SyncOutput) => void,
  ): void {
    const refuse = (errorCode: number): void => {
      answer({ errorCode, protocolType: null, protocolName: null, assignment: NO_BYTES })
    }
    const problem = this.#check(memberId, generationId, groupInstanceId)
    if (problem !== ErrorCode.ERR_NO_ERROR) return refuse(problem)
    if (protocolName !== null && protocolName !== this.#protocol)
      return refuse(ErrorCode.ERR_INCONSISTENT_GROUP_PROTOCOL)
    const member = this.members.get(memberId) as Member // #check has looked
    switch (this.#state) {
      case 'PreparingRebalance':
        return refuse(ErrorCode.ERR_REBALANCE_IN_PROGRESS)
      case 'CompletingRebalance':
        member.sync = answer
        this.#keepAlive(member)
        if (memberId === this.#leader) this.#distribute(assignments)
        return
      case 'Stable':
        this.#keepAlive(member)
        answer(this.#synced(member))
        return
      case 'Empty':
      case 'Dead':
        return refuse(ErrorCode.ERR_UNKNOWN_MEMBER_ID)
      default:
        this.#state satisfies never
    }
  }

  heartbeat(memberId: string, generationId: number, groupInstanceId: string | null): number {
    const problem = this.#check(memberId, generationId, groupInstanceId)
    if (problem !== ErrorCode.ERR_NO_ERROR) return problem
    this.#keepAlive(this.members.get(memberId) as Member) // #check has looked
    return this.#state === 'PreparingRebalance' ? ErrorCode.ERR_REBALANCE_IN_PROGRESS : ErrorCode.ERR_NO_ERROR
  }

  leave(memberId: string, groupInstanceId: string | null): number {
    if (this.#pending.delete(memberId)) return ErrorCode.ERR_NO_ERROR
    const member = memberId === '' ? this.#instanceHolder(groupInstanceId) : this.members.get(memberId)
    if (member === undefined) return ErrorCode.ERR_UNKNOWN_MEMBER_ID
    if (groupInstanceId !== null && member.groupInstanceId !== groupInstanceId) return ErrorCode.ERR_FENCED_INSTANCE_ID
    this.#remove(member)
    return ErrorCode.ERR_NO_ERROR
  }

  /** Whether offsets may be committed by whoever says to be this member. */
  checkCommit(memberId: string, generationId: number, groupInstanceId: string | null): number {
    if (generationId < 0 && memberId === '' && this.members.size === 0) return ErrorCode.ERR_NO_ERROR
    const problem = this.#check(memberId, generationId, groupInstanceId)
    if (problem !== ErrorCode.ERR_NO_ERROR) return problem
    if (this.#state === 'CompletingRebalance') return ErrorCode.ERR_REBALANCE_IN_PROGRESS
    this.#keepAlive(this.members.get(memberId) as Member) // #check has looked
    return ErrorCode.ERR_NO_ERROR
  }

  /** The cluster or the group is going away: nobody is left waiting. */
  close(): void {
    this.#timer?.cancel()
    for (const member of this.members.values()) {
      member.session?.cancel()
      member.join?.(refusedJoin(ErrorCode.ERR_COORDINATOR_NOT_AVAILABLE, member.id))
      member.sync?.({
        errorCode: ErrorCode.ERR_COORDINATOR_NOT_AVAILABLE,
        protocolType: null,
        protocolName: null,
        assignment: NO_BYTES,
      })
    }
    this.members.clear()
    if (this.#state !== 'Dead') this.#enter('Dead')
  }

  /** The metadata a member joined with, for the protocol that the group uses. */
  metadataOf(member: Member): Buffer {
    return member.protocols.find(protocol => protocol.name === this.#protocol)?.metadata ?? NO_BYTES
  }

  #enter(next: GroupState): void {
    if (!moves[this.#state].includes(next))
      throw new Error(`group ${this.id}: ${this.#state} -> ${next} is no legal move`)
    this.#state = next
  }

  #fits(input: JoinInput): boolean {
    if (input.protocols.length === 0) return false
    if (this.members.size === 0) return true
    if (this.#protocolType !== input.protocolType) return false
    return input.protocols.some(({ name }) => this.#everyoneHas(name, input.memberId))
  }

  #everyoneHas(protocol: string, except: string): boolean {
    for (const member of this.members.values()) {
      if (member.id !== except && !member.protocols.some(({ name }) => name === protocol)) return false
    }
    return true
  }

  #instanceHolder(groupInstanceId: string | null): Member | undefined {
    if (groupInstanceId === null) return undefined
    for (const member of this.members.values()) if (member.groupInstanceId === groupInstanceId) return member
    return undefined
  }

  #check(memberId: string, generationId: number, groupInstanceId: string | null): number {
    if (this.#state === 'Dead') return ErrorCode.ERR_COORDINATOR_NOT_AVAILABLE
    const holder = this.#instanceHolder(groupInstanceId)
    if (holder !== undefined && holder.id !== memberId) return ErrorCode.ERR_FENCED_INSTANCE_ID
    if (!this.members.has(memberId)) return ErrorCode.ERR_UNKNOWN_MEMBER_ID
    return generationId === this.#generation ? ErrorCode.ERR_NO_ERROR : ErrorCode.ERR_ILLEGAL_GENERATION
  }

  #add(memberId: string, input: JoinInput, answer: (output: JoinOutput) => void): void {
    this.members.set(memberId, {
      id: memberId,
      groupInstanceId: input.groupInstanceId,
      clientId: input.clientId,
      host: input.host,
      protocols: input.protocols,
      sessionTimeoutMs: input.sessionTimeoutMs,
      rebalanceTimeoutMs: input.rebalanceTimeoutMs,
      assignment: NO_BYTES,
      join: answer,
      sync: null,
      session: null,
    })
    this.#protocolType = input.protocolType
    this.#prepare()
  }

  #replaceStatic(old: Member, input: JoinInput, answer: (output: JoinOutput) => void): void {
    const memberId = `${input.groupInstanceId ?? input.clientId}-${randomUUID()}`
    old.session?.cancel()
    old.join?.(refusedJoin(ErrorCode.ERR_FENCED_INSTANCE_ID, old.id))
    old.sync?.({
      errorCode: ErrorCode.ERR_FENCED_INSTANCE_ID,
      protocolType: null,
      protocolName: null,
      assignment: NO_BYTES,
    })
    this.members.delete(old.id)
    const member: Member = { ...old, id: memberId, join: null, sync: null, session: null }
    this.members.set(memberId, member)
    const wasLeader = this.#leader === old.id
    if (wasLeader) this.#leader = memberId
    this.#rejoin(member, input, answer, true)
  }

  #rejoin(member: Member, input: JoinInput, answer: (output: JoinOutput) => void, returning = false): void {
    const unchanged = sameProtocols(member.protocols, input.protocols)
    member.protocols = input.protocols
    member.sessionTimeoutMs = input.sessionTimeoutMs
    member.rebalanceTimeoutMs = input.rebalanceTimeoutMs
    const current = (): void => {
      this.#keepAlive(member)
      answer(this.#joined(member))
    }
    switch (this.#state) {
      case 'PreparingRebalance':
        member.join = answer
        this.#tryComplete()
        return
      case 'CompletingRebalance':
        if (unchanged) current()
        else {
          member.join = answer
          this.#prepare()
        }
        return
      case 'Stable':
        // The leader rejoins to have partitions assigned anew; anyone else only when what it wants has changed.
        if (unchanged && (member.id !== this.#leader || returning)) current()
        else {
          member.join = answer
          this.#prepare()
        }
        return
      case 'Empty':
      case 'Dead':
        answer(refusedJoin(ErrorCode.ERR_UNKNOWN_MEMBER_ID, member.id))
        return
      default:
        this.#state satisfies never
    }
  }

  #prepare(): void {
    if (this.#state === 'PreparingRebalance') {
      this.#tryComplete()
      return
    }
    const wasEmpty = this.#state === 'Empty'
    for (const member of this.members.values()) {
      member.sync?.({
        errorCode: ErrorCode.ERR_REBALANCE_IN_PROGRESS,
        protocolType: null,
        protocolName: null,
        assignment: NO_BYTES,
      })
      member.sync = null
    }
    this.#enter('PreparingRebalance')
    this.#timer?.cancel()
    if (wasEmpty && this.#initialDelayMs > 0) {
      this.#timer = this.#clock.setTimer(this.#initialDelayMs, () => this.#complete())
      return
    }
    let limit = 0
    for (const member of this.members.values()) limit = Math.max(limit, member.rebalanceTimeoutMs)
    this.#timer = this.#clock.setTimer(limit, () => this.#complete())
    this.#tryComplete()
  }

  #tryComplete(): void {
    if (this.#state !== 'PreparingRebalance') return
    for (const member of this.members.values()) if (member.join === null) return
    this.#complete()
  }

  // Everyone who is coming has come: a new generation begins.
  #complete(): void {
    this.#timer?.cancel()
    this.#timer = null
    for (const member of [...this.members.values()]) {
      if (member.join !== null || member.groupInstanceId !== null) continue
      member.session?.cancel()
      this.members.delete(member.id)
    }
    this.#generation++
    const first = this.members.values().next().value
    if (first === undefined) {
      this.#protocol = null
      this.#leader = null
      this.#enter('Empty')
      return
    }
    this.#protocol = this.#vote()
    const leader = this.#leader === null ? undefined : this.members.get(this.#leader)
    this.#leader = leader?.join === null || leader === undefined ? this.#joinedFirst(first).id : leader.id
    this.#enter('CompletingRebalance')
    for (const member of this.members.values()) {
      const answer = member.join
      member.join = null
      this.#keepAlive(member)
      answer?.(this.#joined(member))
    }
    let limit = 0
    for (const member of this.members.values()) limit = Math.max(limit, member.rebalanceTimeoutMs)
    this.#timer = this.#clock.setTimer(limit, () => this.#dropUnsynced())
  }

  #joinedFirst(first: Member): Member {
    for (const member of this.members.values()) if (member.join !== null) return member
    return first
  }

  #dropUnsynced(): void {
    if (this.#state !== 'CompletingRebalance') return
    for (const member of [...this.members.values()]) if (member.sync === null) this.#remove(member)
  }

  // Of the protocols that all have, the one that most put first.
  #vote(): string | null {
    const votes = new Map<string, number>()
    for (const member of this.members.values()) {
      const choice = member.protocols.find(({ name }) => this.#everyoneHas(name, ''))
      if (choice !== undefined) votes.set(choice.name, (votes.get(choice.name) ?? 0) + 1)
    }
    let best: string | null = null
    for (const [name, count] of votes) if (best === null || count > (votes.get(best) ?? 0)) best = name
    return best
  }

  #distribute(assignments: readonly { memberId: string; assignment: Buffer }[]): void {
    this.#timer?.cancel()
    this.#timer = null
    const byMember = new Map(assignments.map(({ memberId, assignment }) => [memberId, Buffer.from(assignment)]))
    for (const member of this.members.values()) member.assignment = byMember.get(member.id) ?? NO_BYTES
    this.#enter('Stable')
    for (const member of this.members.values()) {
      const answer = member.sync
      member.sync = null
      answer?.(this.#synced(member))
    }
  }

  #joined(member: Member): JoinOutput {
    const leader = this.#leader ?? ''
    const members = [...this.members.values()].map(each => ({
      memberId: each.id,
      groupInstanceId: each.groupInstanceId,
      metadata: this.metadataOf(each),
    }))
    return {
      errorCode: ErrorCode.ERR_NO_ERROR,
      generationId: this.#generation,
      protocolType: this.#protocolType,
      protocolName: this.#protocol,
      leader,
      memberId: member.id,
      members: member.id === leader ? members : [],
    }
  }

  #synced(member: Member): SyncOutput {
    return {
      errorCode: ErrorCode.ERR_NO_ERROR,
      protocolType: this.#protocolType,
      protocolName: this.#protocol,
      assignment: member.assignment,
    }
  }

  #keepAlive(member: Member): void {
    member.session?.cancel()
    member.session = this.#clock.setTimer(member.sessionTimeoutMs, () => this.#expire(member))
  }

  #expire(member: Member): void {
    // One that waits for the others is alive for as long as its connection is.
    if (member.join !== null || member.sync !== null) this.#keepAlive(member)
    else this.#remove(member)
  }

  #remove(member: Member): void {
    member.session?.cancel()
    member.join?.(refusedJoin(ErrorCode.ERR_UNKNOWN_MEMBER_ID, member.id))
    member.sync?.({
      errorCode: ErrorCode.ERR_UNKNOWN_MEMBER_ID,
      protocolType: null,
      protocolName: null,
      assignment: NO_BYTES,
    })
    member.join = null
    member.sync = null
    this.members.delete(member.id)
    if (this.#leader === member.id) this.#leader = null
    if (this.#state === 'Stable' || this.#state === 'CompletingRebalance' || this.#state === 'PreparingRebalance') {
      this.#prepare()
    }
  }
}

function refusedJoin(errorCode: number, memberId: string): JoinOutput {
  return { errorCode, generationId: -1, protocolType: null, protocolName: null, leader: '', memberId, members: [] }
}

function sameProtocols(a: Member['protocols'], b: Member['protocols']): boolean {
  return a.length === b.length && a.every((p, i) => p.name === b[i]?.name && p.metadata.equals(b[i].metadata))
}
