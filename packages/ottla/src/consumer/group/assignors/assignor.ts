/** How the leader of a classic group assigns partitions: input and output of an assignor. Pure functions. */
import type { TopicPartition } from '../../../types.ts'

/**
 * A member, as the leader gets it from the coordinator.
 * @since 0.1.0
 */
export interface GroupMember {
  readonly memberId: string
  /** `group.instance.id`, null for a member without. */
  readonly groupInstanceId: string | null
  /** The subscribed topics; patterns are resolved. */
  readonly topics: readonly string[]
  /** The partitions that it keeps until the new assignment is known (COOPERATIVE), or had before (`sticky`). */
  readonly ownedPartitions: readonly TopicPartition[]
  /** The generation in which it got them, -1 for none. */
  readonly generationId: number
  /** `client.rack`, null where it is not set. */
  readonly rackId: string | null
  /** What its own assignor of that name has added. */
  readonly userData: Buffer | null
}

/**
 * A topic to which some member subscribes.
 * @since 0.1.0
 */
export interface GroupTopic {
  /** 0 for a topic that does not exist (yet). */
  readonly partitionCount: number
  /** By partition: the racks with a replica. Empty where no broker has a rack. */
  readonly racks: readonly ReadonlySet<string>[]
}

/** Partitions by member id; a member without partitions has an empty list. */
export type GroupAssignment = Map<string, TopicPartition[]>

/**
 * The partitions of each member, by member id.
 * @since 0.1.0
 */
export type Assigned = ReadonlyMap<string, readonly TopicPartition[]>

/**
 * Assigns the partitions of the group's topics to its members, by member id.
 * @since 0.1.0
 */
export type Assign = (members: readonly GroupMember[], topics: ReadonlyMap<string, GroupTopic>) => Assigned

/**
 * An application's own strategy, which `partition.assignment.strategy` can name. All members of the group need it; the
 * group's leader runs it.
 * @since 0.1.0
 */
export interface PartitionAssignor {
  /** The name by which the members agree on it. */
  readonly name: string
  /**
   * Members keep their partitions while the group rebalances (KIP-429). The client makes sure that a partition that
   * moves is assigned only after its owner has given it up. False by default.
   */
  readonly isCooperative?: boolean
  /**
   * Assigns the partitions: each at most once, to members that subscribe to its topic. A member that is left out gets
   * nothing. It may return a promise: the other members wait for it, and so does `max.poll.interval.ms`. If it throws or
   * rejects, the rebalance fails, the error is reported, and the client retries.
   */
  readonly assign: (...given: Parameters<Assign>) => Assigned | Promise<Assigned>
  /** Extra data about this member for `assign`, up to some kilobytes; called at every join. */
  readonly userData?: (topics: readonly string[]) => Buffer | null
}

export function emptyAssignment(members: readonly GroupMember[]): GroupAssignment {
  return new Map(members.map(member => [member.memberId, []]))
}

/** The names of all subscribed topics, sorted. */
export function subscribedTopics(members: readonly GroupMember[]): string[] {
  return [...new Set(members.flatMap(member => member.topics))].sort(compareText)
}

/** Static members come first, in the order of their permanent names, so that a restart moves nothing (KIP-345). */
export function compareMembers(a: GroupMember, b: GroupMember): number {
  if (a.groupInstanceId !== null && b.groupInstanceId !== null) return compareText(a.groupInstanceId, b.groupInstanceId)
  if (a.groupInstanceId !== null) return -1
  if (b.groupInstanceId !== null) return 1
  return compareText(a.memberId, b.memberId)
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
