import {
  compareMembers,
  emptyAssignment,
  subscribedTopics,
  type GroupAssignment,
  type GroupMember,
  type GroupTopic,
} from './assignor.ts'

/** Assigns all partitions in order to all members in turn; skips a member that does not subscribe to the topic. */
export function assignRoundRobin(
  members: readonly GroupMember[],
  topics: ReadonlyMap<string, GroupTopic>,
): GroupAssignment {
  const assignment = emptyAssignment(members)
  const sorted = members.toSorted(compareMembers)
  const topicsOf = sorted.map(member => new Set(member.topics))
  let turn = 0
  for (const topic of subscribedTopics(members)) {
    const count = topics.get(topic)?.partitionCount ?? 0
    for (let partition = 0; partition < count; partition++) {
      // Ends, because every topic of the list has a subscriber.
      while (topicsOf[turn]?.has(topic) !== true) turn = (turn + 1) % sorted.length
      const member = sorted[turn]
      if (member !== undefined) assignment.get(member.memberId)?.push({ topic, partition })
      turn = (turn + 1) % sorted.length
    }
  }
  return assignment
}
