/** Members and topics of a group, and its assignment as text, for tests. */
import type { GroupAssignment, GroupMember, GroupTopic } from '../../../../src/consumer/group/assignors/assignor.ts'
import type { TopicPartition } from '../../../../src/types.ts'

export function member(memberId: string, topics: string[], groupInstanceId: string | null = null): GroupMember {
  return { memberId, topics, groupInstanceId, ownedPartitions: [], generationId: -1, rackId: null, userData: null }
}

/** A member that owned these partitions of topic `t`. */
export function owner(memberId: string, partitions: number[], generationId = 1, topics = ['t']): GroupMember {
  const ownedPartitions = partitions.map((partition): TopicPartition => ({ topic: 't', partition }))
  return { ...member(memberId, topics), ownedPartitions, generationId }
}

/** `C0: t0-0 t0-1` per member, in the order of the members. */
export function shown(assignment: GroupAssignment): Record<string, string> {
  return Object.fromEntries(
    [...assignment].map(([id, list]) => [id, list.map(p => `${p.topic}-${p.partition}`).join(' ')]),
  )
}

export function counts(topics: Record<string, number>): Map<string, GroupTopic> {
  return new Map(Object.entries(topics).map(([topic, partitionCount]) => [topic, { partitionCount, racks: [] }]))
}

/** A topic whose partitions are on these racks. */
export function racked(...racks: string[][]): GroupTopic {
  return { partitionCount: racks.length, racks: racks.map(each => new Set(each)) }
}
