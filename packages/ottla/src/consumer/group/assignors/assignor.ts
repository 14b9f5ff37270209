/** How the leader of a classic group assigns partitions: what it is told, what it answers. Pure functions. */
import type { TopicPartition } from '../../../types.ts'

/**
 * A member as the coordinator told the leader.
 * @since 0.1.0
 */
export interface GroupMember {
  readonly memberId: string
  /** `group.instance.id`, null for a member without. */
  readonly groupInstanceId: string | null
  /** What it subscribed to; patterns are names by now. */
  readonly topics: readonly string[]
  /** What it holds on to until the assignment is known (COOPERATIVE), or had before (`sticky`). */
  readonly ownedPartitions: readonly TopicPartition[]
  /** The group's generation of which that is, -1 for none. */
  readonly generationId: number
  /** `client.rack`, null where it is not set. */
  readonly rackId: string | null
  /** What its own assignor of that name added. */
  readonly userData: Buffer | null
}

/**
 * A topic that somebody subscribed to.
 * @since 0.1.0
 */
export interface GroupTopic {
  /** 0 for a topic that does not exist (yet). */
  readonly partitionCount: number
  /** By partition: the racks that hold a replica. Empty where no broker has a rack. */
  readonly racks: readonly ReadonlySet<string>[]
}

/** Partitions by member id; every member is there, with an empty list if it gets nothing. */
export type GroupAssignment = Map<string, TopicPartition[]>

export type Assign = (
  members: readonly GroupMember[],
  topics: ReadonlyMap<string, GroupTopic>,
) => ReadonlyMap<string, readonly TopicPartition[]>

/**
 * A strategy of a program's own, to be named in `partition.assignment.strategy`. All members of the group have to
 * have it; the group's leader runs it.
 * @since 0.1.0
 */
export interface PartitionAssignor {
  /** What the members agree on. */
  readonly name: string
  /**
   * Members keep their partitions while the group rebalances (KIP-429). One that moves is given to nobody until its
   * owner has given it up; the client sees to that. False by default.
   */
  readonly isCooperative?: boolean
  /**
   * Assigns the partitions: each at most once, to members that subscribed to its topic. A member that is left
   * out gets nothing. What it throws fails the rebalance, is told as an error, and is tried again.
   */
  readonly assign: Assign
  /** What `assign` is to know of this member besides, up to some kilobytes; asked for at every join. */
  readonly userData?: (topics: readonly string[]) => Buffer | null
}

export function emptyAssignment(members: readonly GroupMember[]): GroupAssignment {
  return new Map(members.map(member => [member.memberId, []]))
}

/** Names of all topics that somebody subscribed to, sorted. */
export function subscribedTopics(members: readonly GroupMember[]): string[] {
  return [...new Set(members.flatMap(member => member.topics))].sort(compareText)
}

/** Static members come first, by the name that outlives a restart, so that a restart moves nothing (KIP-345). */
export function compareMembers(a: GroupMember, b: GroupMember): number {
  if (a.groupInstanceId !== null && b.groupInstanceId !== null) return compareText(a.groupInstanceId, b.groupInstanceId)
  if (a.groupInstanceId !== null) return -1
  if (b.groupInstanceId !== null) return 1
  return compareText(a.memberId, b.memberId)
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
