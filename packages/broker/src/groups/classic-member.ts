/** The requests and responses of a classic group, and the state of its members. */
import { ErrorCode } from '@ottla/protocol'
import type { Timer } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import { readSubscription } from './consumer-protocol.ts'

/** An assignor that a member supports, with the member's metadata for it. */
export interface MemberProtocol {
  readonly name: string
  readonly metadata: Buffer
}

export interface JoinInput {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly host: string
  readonly protocolType: string
  readonly protocols: readonly MemberProtocol[]
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  /** Version 4 and later: a new member gets its id first and then joins with it (KIP-394). */
  readonly requiresMemberId: boolean
  /** Version 9 and later: a returning leader can get the members without having to assign (KIP-814). */
  readonly canSkipAssignment: boolean
}

export interface JoinedMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly metadata: Buffer
}

export interface JoinOutput {
  readonly errorCode: number
  readonly generationId: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly leader: string
  readonly memberId: string
  readonly members: readonly JoinedMember[]
  readonly skipAssignment: boolean
}

export interface SyncInput {
  readonly memberId: string
  readonly generationId: number
  readonly groupInstanceId: string | null
  /** null: not given, as before version 5. */
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Buffer }[]
}

export interface SyncOutput {
  readonly errorCode: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignment: Buffer
}

/** The member that leaves. */
export interface LeaveInput {
  /** Empty: the member with the instance id. */
  readonly memberId: string
  readonly groupInstanceId: string | null
}

export interface ClassicMember {
  readonly id: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly host: string
  protocols: readonly MemberProtocol[]
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  assignment: Buffer
  /** Whether it has not been part of a generation yet. */
  isNew: boolean
  join: ((output: JoinOutput) => void) | null
  sync: ((output: SyncOutput) => void) | null
  session: Timer | null
}

export type ClassicState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

/** Which state may follow which. */
export const classicTransitions: Record<ClassicState, readonly ClassicState[]> = {
  Empty: ['PreparingRebalance', 'Dead'],
  PreparingRebalance: ['CompletingRebalance', 'Empty', 'Dead'],
  CompletingRebalance: ['Stable', 'PreparingRebalance', 'Dead'],
  Stable: ['PreparingRebalance', 'Dead'],
  Dead: [],
}

/** Limits of the session timeout of a classic member. */
export interface SessionLimits {
  /** group.min.session.timeout.ms */
  readonly minMs: number
  /** group.max.session.timeout.ms */
  readonly maxMs: number
}

export interface ClassicSettings {
  /** How long a new group waits for more members, and again after each new one, ms. */
  readonly initialRebalanceDelayMs: number
  readonly maxSize: number
  /** For member ids; the system's by default. */
  readonly random?: Random
}

/** A complete generation: one that was stored, or of a consumer group that becomes a classic one (KIP-848, downgrade). */
export interface ClassicSeed {
  readonly generation: number
  readonly protocolType: string
  readonly members: readonly ClassicMember[]
}

export const NO_BYTES = Buffer.alloc(0)

/** A member that has just joined and waits for the others. */
export function newMember(id: string, input: JoinInput, join: ClassicMember['join']): ClassicMember {
  const { groupInstanceId, clientId, host, protocols, sessionTimeoutMs, rebalanceTimeoutMs } = input
  return {
    ...{ id, groupInstanceId, clientId, host, protocols, sessionTimeoutMs, rebalanceTimeoutMs },
    ...{ assignment: NO_BYTES, isNew: true, join, sync: null, session: null },
  }
}

export function refusedJoin(errorCode: number, memberId: string): JoinOutput {
  return {
    errorCode,
    generationId: -1,
    protocolType: null,
    protocolName: null,
    leader: '',
    memberId,
    members: [],
    skipAssignment: false,
  }
}

/** A member's part of a complete generation. */
export function assigned(
  { assignment }: ClassicMember,
  protocolType: string | null,
  protocolName: string | null,
): SyncOutput {
  return { errorCode: ErrorCode.ERR_NO_ERROR, protocolType, protocolName, assignment }
}

/** A complete generation, the leader first. */
export function seedOf(
  generation: number,
  protocolType: string,
  members: Iterable<ClassicMember>,
  leader: string | null,
): ClassicSeed {
  const copies = Array.from(members, member => ({ ...member, isNew: false, join: null, sync: null, session: null }))
  const first = copies.filter(({ id }) => id === leader)
  return { generation, protocolType, members: [...first, ...copies.filter(({ id }) => id !== leader)] }
}

export function refusedSync(errorCode: number): SyncOutput {
  return { errorCode, protocolType: null, protocolName: null, assignment: NO_BYTES }
}

/** Answers a waiting member with an error. */
export function failWaiting(member: ClassicMember, errorCode: number, memberId = member.id): void {
  const { join, sync } = member
  member.join = null
  member.sync = null
  join?.(refusedJoin(errorCode, memberId))
  sync?.(refusedSync(errorCode))
}

/** Whether the protocols and their metadata are the same. */
export function sameProtocols(a: readonly MemberProtocol[], b: readonly MemberProtocol[]): boolean {
  return a.length === b.length && a.every((p, i) => p.name === b[i]?.name && p.metadata.equals(b[i].metadata))
}

/** Of the protocols that all members support, the one that most of them prefer. */
export function chooseProtocol(members: Iterable<ClassicMember>): string | null {
  const all = [...members]
  const votes = new Map<string, number>()
  for (const { protocols } of all) {
    const choice = protocols.find(({ name }) => all.every(other => hasProtocol(other, name)))
    if (choice !== undefined) votes.set(choice.name, (votes.get(choice.name) ?? 0) + 1)
  }
  let best: string | null = null
  for (const [name, count] of votes) if (best === null || count > (votes.get(best) ?? 0)) best = name
  return best
}

export function hasProtocol({ protocols }: ClassicMember, name: string | null): boolean {
  return protocols.some(protocol => protocol.name === name)
}

/** The metadata for a protocol that a member joined with. */
export function metadataOf(member: ClassicMember, protocol: string | null): Buffer {
  return member.protocols.find(({ name }) => name === protocol)?.metadata ?? NO_BYTES
}

/** Whether one of these members reads the topic, or may read it because its subscription is unknown. */
export function subscribes(members: Iterable<ClassicMember>, protocol: string | null, topic: string): boolean {
  for (const member of members) {
    const subscription = protocol === null ? null : readSubscription(metadataOf(member, protocol))
    if (subscription === null || subscription.topics.includes(topic)) return true
  }
  return false
}

/** 0, or why the session timeout is refused. */
export function checkSessionTimeout(sessionTimeoutMs: number, { minMs, maxMs }: SessionLimits): number {
  return sessionTimeoutMs >= minMs && sessionTimeoutMs <= maxMs
    ? ErrorCode.ERR_NO_ERROR
    : ErrorCode.ERR_INVALID_SESSION_TIMEOUT
}
