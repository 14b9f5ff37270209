/** The assignor of share groups: every partition goes to at least one member, to several if there are more members. */
import { partitionKey } from './partition-set.ts'
import type { Assignment, AssignorMember, PartitionCounts } from './assignors.ts'

export const SHARE_ASSIGNOR = 'simple'

/** Assigns evenly and moves as few partitions as that allows. */
export function assignShares(members: readonly AssignorMember[], topics: PartitionCounts): Assignment {
  const assignment: Assignment = new Map(members.map(({ id }) => [id, new Set<string>()]))
  const readers = new Map<string, AssignorMember[]>()
  const partitions: { key: string; topicId: string }[] = []
  for (const [topicId, count] of topics) {
    const list = members.filter(member => member.topicIds.has(topicId))
    readers.set(topicId, list)
    if (list.length === 0) continue
    for (let index = 0; index < count; index++) partitions.push({ key: partitionKey(topicId, index), topicId })
  }
  const sharing = partitions.length === 0 ? 0 : Math.ceil(members.length / partitions.length)
  const holders = new Map<string, Set<string>>(partitions.map(({ key }) => [key, new Set<string>()]))
  const max = Math.ceil((sharing * partitions.length) / Math.max(1, members.length))
  const give = (id: string, key: string): void => {
    assignment.get(id)?.add(key)
    holders.get(key)?.add(id)
  }
  for (const { id, owned, topicIds } of members) {
    for (const { key, topicId } of partitions) {
      const isFull = (assignment.get(id)?.size ?? 0) >= max || (holders.get(key)?.size ?? 0) >= sharing
      if (owned.has(key) && topicIds.has(topicId) && !isFull) give(id, key)
    }
  }
  for (const { key, topicId } of partitions) {
    const list = readers.get(topicId) ?? []
    while ((holders.get(key)?.size ?? 0) < Math.min(sharing, list.length)) {
      let least: AssignorMember | null = null
      for (const member of list) {
        if (holders.get(key)?.has(member.id) === true) continue
        const size = assignment.get(member.id)?.size ?? 0
        if (least === null || size < (assignment.get(least.id)?.size ?? 0)) least = member
      }
      if (least === null) break
      const size = assignment.get(least.id)?.size ?? 0
      // A partition only gets another member if that member would have too few otherwise.
      if (size >= max && (holders.get(key)?.size ?? 0) > 0) break
      give(least.id, key)
    }
  }
  return assignment
}
