/** How the leader of a classic group deals out the partitions: pure functions of members and partition counts. */
import type { TopicPartition } from '../../types.ts'

/** A member as the coordinator told the leader. */
export interface GroupMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly topics: readonly string[]
}

/** Partitions by member id; every member is there, with an empty list if it gets nothing. */
export type GroupAssignment = Map<string, TopicPartition[]>

/**
 * Deals out the partitions of the topics that somebody subscribed to.
 * @param partitionCounts partitions by topic; a topic that is not there does not exist (yet)
 */
export type Assignor = (
  members: readonly GroupMember[],
  partitionCounts: ReadonlyMap<string, number>,
) => GroupAssignment

/** The strategies by the names that members agree on (`partition.assignment.strategy`). */
export const assignors: ReadonlyMap<string, Assignor> = new Map([
  ['range', assignRange],
  ['roundrobin', assignRoundRobin],
])

/**
 * Topic by topic, each subscriber gets a run of neighbouring partitions; the first ones get one more when it
 * does not come out even. Members of topics with equal counts get the same partition numbers of each.
 */
export function assignRange(
  members: readonly GroupMember[],
  partitionCounts: ReadonlyMap<string, number>,
): GroupAssignment {
  const assignment = emptyAssignment(members)
  const sorted = members.toSorted(compareMembers)
  const topicsOf = sorted.map(member => new Set(member.topics))
  for (const topic of subscribedTopics(members)) {
    const count = partitionCounts.get(topic) ?? 0
    const subscribers = sorted.filter((_, i) => topicsOf[i]?.has(topic) === true)
    const each = Math.floor(count / subscribers.length)
    const extra = count % subscribers.length
    let next = 0
    subscribers.forEach((member, i) => {
      const end = next + each + (i < extra ? 1 : 0)
      for (; next < end; next++) assignment.get(member.memberId)?.push({ topic, partition: next })
    })
  }
  return assignment
}

/** All partitions in order go around all members in order; one that did not subscribe to the topic is passed over. */
export function assignRoundRobin(
  members: readonly GroupMember[],
  partitionCounts: ReadonlyMap<string, number>,
): GroupAssignment {
  const assignment = emptyAssignment(members)
  const sorted = members.toSorted(compareMembers)
  const topicsOf = sorted.map(member => new Set(member.topics))
  let turn = 0
  for (const topic of subscribedTopics(members)) {
    const count = partitionCounts.get(topic) ?? 0
    for (let partition = 0; partition < count; partition++) {
      // Ends, because somebody subscribed to every topic of the list.
      while (topicsOf[turn]?.has(topic) !== true) turn = (turn + 1) % sorted.length
      const member = sorted[turn]
      if (member !== undefined) assignment.get(member.memberId)?.push({ topic, partition })
      turn = (turn + 1) % sorted.length
    }
  }
  return assignment
}

function emptyAssignment(members: readonly GroupMember[]): GroupAssignment {
  return new Map(members.map(member => [member.memberId, []]))
}

function subscribedTopics(members: readonly GroupMember[]): string[] {
  return [...new Set(members.flatMap(member => member.topics))].toSorted(compareText)
}

// Static members come first, by the name that outlives a restart, so that a restart moves nothing (KIP-345).
function compareMembers(a: GroupMember, b: GroupMember): number {
  if (a.groupInstanceId !== null && b.groupInstanceId !== null) return compareText(a.groupInstanceId, b.groupInstanceId)
  if (a.groupInstanceId !== null) return -1
  if (b.groupInstanceId !== null) return 1
  return compareText(a.memberId, b.memberId)
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
