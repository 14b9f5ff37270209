/** A member of a consumer group (KIP-848), and its steps from the current to the target assignment. */
import type { Timer } from '../base/clock.ts'
import type { MemberProtocol } from './classic-member.ts'

/** unrevoked: it has partitions to give up. unreleased: it waits for partitions that others have to give up. */
export type MemberState = 'stable' | 'unrevoked' | 'unreleased'

export interface ConsumerMember {
  readonly id: string
  instanceId: string | null
  rackId: string | null
  clientId: string
  host: string
  rebalanceTimeoutMs: number
  topics: ReadonlySet<string>
  /** Empty: none. */
  regex: string
  assignor: string | null
  epoch: number
  previousEpoch: number
  state: MemberState
  /** Partitions with the epoch in which each was assigned. */
  assigned: ReadonlyMap<string, number>
  revoking: ReadonlyMap<string, number>
  /** Set for a member that uses the classic protocol. */
  classic: { readonly protocols: readonly MemberProtocol[]; readonly sessionTimeoutMs: number } | null
  readonly timers: Map<MemberTimer, Timer>
}

/** A classic group about to become a consumer group. */
export interface ConsumerSeed {
  readonly epoch: number
  readonly members: readonly ConsumerMember[]
}

/** What a member has to do in time: send heartbeats, give up partitions, rejoin, sync. */
export type MemberTimer = 'session' | 'rebalance' | 'join' | 'sync'

/** A static member leaves for a while and will return with its instance id (KIP-345). */
export const STATIC_LEAVE_EPOCH = -2
export const LEAVE_EPOCH = -1

export function newConsumerMember(id: string): ConsumerMember {
  return {
    id,
    instanceId: null,
    rackId: null,
    clientId: '',
    host: '',
    rebalanceTimeoutMs: -1,
    topics: new Set(),
    regex: '',
    assignor: null,
    epoch: 0,
    previousEpoch: -1,
    state: 'stable',
    assigned: new Map(),
    revoking: new Map(),
    classic: null,
    timers: new Map(),
  }
}

export interface Target {
  readonly epoch: number
  readonly partitions: ReadonlySet<string>
  /** Whether the member (still) reads the topic of the partition. */
  readonly reads: (partition: string) => boolean
  /** Whether another member still has the partition. */
  readonly isTaken: (partition: string) => boolean
  /** The partitions that the member reports; null: it did not. */
  readonly owned: ReadonlySet<string> | null
  readonly subscriptionChanged: boolean
}

/** Whether all members have what they are to have in this epoch. */
export function areReconciled(
  members: Iterable<{ readonly state: MemberState; readonly epoch: number }>,
  assignmentEpoch: number,
): boolean {
  for (const { state, epoch } of members) if (state !== 'stable' || epoch !== assignmentEpoch) return false
  return true
}

type Step = Pick<ConsumerMember, 'epoch' | 'state' | 'assigned' | 'revoking'>

/** The next step of a member towards its target: it gives up partitions first, then gets those that are free. */
export function reconcile(member: ConsumerMember, target: Target): Step {
  const { state, epoch, assigned, revoking } = member
  switch (state) {
    case 'stable':
      if (epoch !== target.epoch) return next(member, target)
      return target.subscriptionChanged ? withoutUnread(member, target) : { state, epoch, assigned, revoking }
    case 'unrevoked':
      if (!stillHas(revoking, target)) return next(member, target)
      return target.subscriptionChanged ? withoutUnread(member, target) : { state, epoch, assigned, revoking }
    case 'unreleased':
      return next(member, target)
    default:
      return state satisfies never
  }
}

function next(member: ConsumerMember, target: Target): Step {
  const assigned = new Map<string, number>()
  const revoking = new Map<string, number>()
  for (const [key, since] of member.assigned) {
    if (target.partitions.has(key) && target.reads(key)) assigned.set(key, since)
    else revoking.set(key, since)
  }
  if (revoking.size > 0 && stillHas(revoking, target)) {
    return { state: 'unrevoked', epoch: member.epoch, assigned, revoking }
  }
  let isWaiting = false
  for (const key of target.partitions) {
    if (assigned.has(key) || !target.reads(key)) continue
    if (target.isTaken(key)) isWaiting = true
    else assigned.set(key, target.epoch)
  }
  return { state: isWaiting ? 'unreleased' : 'stable', epoch: target.epoch, assigned, revoking: new Map() }
}

// The partitions of a topic that the member no longer reads are revoked at once, before the next assignment.
function withoutUnread(member: ConsumerMember, target: Target): Step {
  const assigned = new Map<string, number>()
  const revoking = new Map(member.revoking)
  for (const [key, since] of member.assigned) (target.reads(key) ? assigned : revoking).set(key, since)
  const { state, epoch } = member
  if (assigned.size === member.assigned.size)
    return { state, epoch, assigned: member.assigned, revoking: member.revoking }
  if (stillHas(revoking, target)) return { state: 'unrevoked', epoch, assigned, revoking }
  return { state, epoch, assigned, revoking: member.revoking }
}

function stillHas(partitions: ReadonlyMap<string, number>, { owned }: Target): boolean {
  if (owned === null) return true
  for (const key of owned) if (partitions.has(key)) return true
  return false
}
