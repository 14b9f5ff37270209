/** The members of a classic group, its leader, and the ids that were given to members that have yet to join. */
import { ErrorCode } from '@ottla/protocol'
import type { Clock, Timer } from '../base/clock.ts'
import {
  NO_BYTES,
  failWaiting,
  hasProtocol,
  metadataOf,
  refusedSync,
  type ClassicMember,
  type JoinedMember,
} from './classic-member.ts'

export class ClassicRoster {
  /** In the order in which they joined. */
  readonly members = new Map<string, ClassicMember>()
  readonly #clock: Clock
  readonly #instances = new Map<string, string>()
  // Ids that were given out, until the members join with them.
  readonly #expected = new Map<string, Timer>()
  #leader: string | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get leader(): string | null {
    return this.#leader
  }

  /** For an id that is known to exist. */
  member(id: string): ClassicMember {
    const member = this.members.get(id)
    if (member === undefined) throw new Error(`the group has no member ${id}`)
    return member
  }

  /** The id of the member with this instance id. */
  holderOf(groupInstanceId: string): string | undefined {
    return this.#instances.get(groupInstanceId)
  }

  /** 0, or why this is not a member. */
  identify(memberId: string, groupInstanceId: string | null): number {
    if (groupInstanceId !== null) {
      const holder = this.#instances.get(groupInstanceId)
      if (holder === undefined) return ErrorCode.ERR_UNKNOWN_MEMBER_ID
      if (holder !== memberId) return ErrorCode.ERR_FENCED_INSTANCE_ID
    }
    return this.members.has(memberId) ? ErrorCode.ERR_NO_ERROR : ErrorCode.ERR_UNKNOWN_MEMBER_ID
  }

  /** The first member becomes the leader. */
  add(member: ClassicMember): void {
    this.members.set(member.id, member)
    if (member.groupInstanceId !== null) this.#instances.set(member.groupInstanceId, member.id)
    this.#leader ??= member.id
  }

  /** Replaces a member by another in the same place of the order. */
  replace(old: ClassicMember, member: ClassicMember): void {
    old.session?.cancel()
    const inOrder = [...this.members.values()].map(each => (each === old ? member : each))
    this.members.clear()
    for (const each of inOrder) this.members.set(each.id, each)
    if (member.groupInstanceId !== null) this.#instances.set(member.groupInstanceId, member.id)
    if (this.#leader === old.id) this.#leader = member.id
  }

  remove(member: ClassicMember): void {
    member.session?.cancel()
    failWaiting(member, ErrorCode.ERR_UNKNOWN_MEMBER_ID, '')
    this.members.delete(member.id)
    if (member.groupInstanceId !== null && this.#instances.get(member.groupInstanceId) === member.id) {
      this.#instances.delete(member.groupInstanceId)
    }
    if (this.#leader === member.id) this.#leader = this.members.keys().next().value ?? null
  }

  /** A member will join with this id. */
  expect(memberId: string, timeoutMs: number, expired: () => void): void {
    this.#expected.set(memberId, this.#clock.setTimer(timeoutMs, expired))
  }

  isExpected(memberId: string): boolean {
    return this.#expected.has(memberId)
  }

  /** @returns whether a member was expected with this id */
  forget(memberId: string): boolean {
    this.#expected.get(memberId)?.cancel()
    return this.#expected.delete(memberId)
  }

  keepAlive(member: ClassicMember, timeoutMs: number, expired: () => void): void {
    member.session?.cancel()
    member.session = this.#clock.setTimer(timeoutMs, expired)
  }

  /** The longest rebalance timeout of the members, ms. */
  get rebalanceTimeoutMs(): number {
    let limit = 0
    for (const member of this.members.values()) limit = Math.max(limit, member.rebalanceTimeoutMs)
    return limit
  }

  /** How many members have joined and wait for the others. */
  get waiting(): number {
    let count = 0
    for (const { join } of this.members.values()) if (join !== null) count++
    return count
  }

  get everyoneHasJoined(): boolean {
    return this.#expected.size === 0 && this.waiting === this.members.size
  }

  /** Whether all members support this protocol. */
  everyoneSupports(protocol: string): boolean {
    return [...this.members.values()].every(member => hasProtocol(member, protocol))
  }

  /** All members with their metadata for a protocol, for the leader's response. */
  joined(protocol: string | null): JoinedMember[] {
    return Array.from(this.members.values(), member => ({
      memberId: member.id,
      groupInstanceId: member.groupInstanceId,
      metadata: metadataOf(member, protocol),
    }))
  }

  /** Forgets the assignments. @param waited called for each member that waited for its own, before it is told so */
  interruptSyncs(waited: (member: ClassicMember) => void): void {
    for (const member of this.members.values()) {
      member.assignment = NO_BYTES
      const answer = member.sync
      member.sync = null
      if (answer !== null) waited(member)
      answer?.(refusedSync(ErrorCode.ERR_REBALANCE_IN_PROGRESS))
    }
  }

  /** Makes sure that the leader has joined. @returns whether any member has */
  electLeader(): boolean {
    const leader = this.members.get(this.#leader ?? '')
    if (leader !== undefined && leader.join !== null) return true
    for (const member of this.members.values()) {
      if (member.join === null) continue
      this.#leader = member.id
      return true
    }
    return false
  }

  /** Removes all members, answers the waiting ones with the error, and stops all timers. */
  close(errorCode: number): void {
    for (const timer of this.#expected.values()) timer.cancel()
    for (const member of this.members.values()) {
      member.session?.cancel()
      failWaiting(member, errorCode)
    }
    this.#expected.clear()
    this.members.clear()
  }
}
