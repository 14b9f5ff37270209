/** Whether racks matter, and which member is near which partition (KIP-881). */
import type { GroupMember, GroupTopic } from './assignor.ts'

/**
 * True if members and replicas have racks in common and some partition is not on all racks: only then does it matter
 * which member reads what.
 */
export function racksMatter(members: readonly GroupMember[], topics: Iterable<GroupTopic>): boolean {
  const readers = new Set<string>()
  for (const { rackId } of members) if (rackId !== null && rackId !== '') readers.add(rackId)
  if (readers.size === 0) return false
  const everywhere = new Set<string>()
  const partitions: ReadonlySet<string>[] = []
  for (const { racks, partitionCount } of topics) {
    for (let partition = 0; partition < partitionCount; partition++) {
      const here = racks[partition] ?? new Set<string>()
      partitions.push(here)
      for (const rack of here) everywhere.add(rack)
    }
  }
  if (![...readers].some(rack => everywhere.has(rack))) return false
  return partitions.some(here => here.size < everywhere.size)
}

/** A member without a rack is near everything. */
export function isNear(member: GroupMember, topic: GroupTopic, partition: number): boolean {
  const { rackId } = member
  if (rackId === null || rackId === '') return true
  return topic.racks[partition]?.has(rackId) === true
}
