/** The coordinator's assignors (KIP-848): uniform and range. */
import { partitionKey, splitKey } from './partition-set.ts'

export interface AssignorMember {
  readonly id: string
  readonly instanceId: string | null
  /** The topics that it reads. */
  readonly topicIds: ReadonlySet<string>
  /** Its target assignment until now. */
  readonly owned: ReadonlySet<string>
}

/** Numbers of partitions by topic id. */
export type PartitionCounts = ReadonlyMap<string, number>
/** Partitions by member id. */
export type Assignment = Map<string, Set<string>>
export type Assignor = (members: readonly AssignorMember[], topics: PartitionCounts) => Assignment

/** By name, as in Kafka's `group.consumer.assignors`. */
export const assignors: ReadonlyMap<string, Assignor> = new Map<string, Assignor>([
  ['uniform', uniform],
  ['range', range],
])
export const DEFAULT_ASSIGNOR = 'uniform'

/** Assigns as evenly as possible and moves as few partitions as possible. */
function uniform(members: readonly AssignorMember[], topics: PartitionCounts): Assignment {
  const same = members.every(({ topicIds }) => isSame(topicIds, members[0]?.topicIds ?? topicIds))
  return same ? uniformOfSame(members, topics) : uniformOfDifferent(members, topics)
}

// All members read the same topics: each keeps partitions up to its quota, the rest goes to those below theirs.
function uniformOfSame(members: readonly AssignorMember[], topics: PartitionCounts): Assignment {
  const free = new Set<string>()
  for (const topicId of members[0]?.topicIds ?? []) {
    for (let index = 0; index < (topics.get(topicId) ?? 0); index++) free.add(partitionKey(topicId, index))
  }
  const assignment: Assignment = new Map()
  const quota = Math.floor(free.size / members.length)
  let extra = free.size % members.length
  const wanting: { share: Set<string>; missing: number }[] = []
  const all = new Set(free)
  for (const { id, owned } of members) {
    let left = quota
    if (extra > 0) {
      left++
      extra--
    }
    const share = new Set<string>()
    for (const key of owned) {
      if (left === 0) break
      if (!all.has(key) || !free.delete(key)) continue
      share.add(key)
      left--
    }
    assignment.set(id, share)
    if (left > 0) wanting.push({ share, missing: left })
  }
  const rest = free.values()
  for (const { share, missing } of wanting) {
    for (let i = 0; i < missing; i++) {
      const next = rest.next()
      if (next.done === true) return assignment
      share.add(next.value)
    }
  }
  return assignment
}

// Each member keeps what it may, the rest goes to the members with fewest, then those with too many give some away.
function uniformOfDifferent(members: readonly AssignorMember[], topics: PartitionCounts): Assignment {
  const assignment: Assignment = new Map(members.map(({ id }) => [id, new Set<string>()]))
  const shareOf = (id: string): Set<string> => assignment.get(id) ?? new Set<string>()
  const readers = new Map<string, AssignorMember[]>()
  for (const member of members) {
    for (const topicId of member.topicIds) {
      const list = readers.get(topicId)
      if (list === undefined) readers.set(topicId, [member])
      else list.push(member)
    }
  }
  const taken = new Set<string>()
  for (const { id, topicIds, owned } of members) {
    for (const key of owned) {
      const { topicId, partition } = splitKey(key)
      if (!topicIds.has(topicId) || partition >= (topics.get(topicId) ?? 0) || taken.has(key)) continue
      taken.add(key)
      shareOf(id).add(key)
    }
  }
  const least = (topicId: string): string => {
    let best = readers.get(topicId)?.[0]?.id ?? ''
    for (const { id } of readers.get(topicId) ?? []) if (shareOf(id).size < shareOf(best).size) best = id
    return best
  }
  // Topics with few readers first, as these have the least choice.
  const inOrder = [...readers.keys()].sort((a, b) => (readers.get(a)?.length ?? 0) - (readers.get(b)?.length ?? 0))
  for (const topicId of inOrder) {
    for (let index = 0; index < (topics.get(topicId) ?? 0); index++) {
      const key = partitionKey(topicId, index)
      if (!taken.has(key)) shareOf(least(topicId)).add(key)
    }
  }
  for (let moved = true; moved;) {
    moved = false
    for (const share of assignment.values()) {
      for (const key of share) {
        const to = least(splitKey(key).topicId)
        if (shareOf(to).size + 1 >= share.size) continue
        share.delete(key)
        shareOf(to).add(key)
        moved = true
      }
    }
  }
  return assignment
}

/** Each reader of a topic gets a range of its partitions, in the order of instance ids or member ids. */
function range(members: readonly AssignorMember[], topics: PartitionCounts): Assignment {
  const assignment: Assignment = new Map(members.map(({ id }) => [id, new Set<string>()]))
  const sorted = [...members].sort(byInstanceThenId)
  const topicIds = new Set(sorted.flatMap(member => [...member.topicIds]))
  for (const topicId of topicIds) {
    const readers = sorted.filter(member => member.topicIds.has(topicId))
    const partitions = topics.get(topicId) ?? 0
    const quota = Math.floor(partitions / readers.length)
    const extra = partitions % readers.length
    let next = 0
    readers.forEach(({ id }, place) => {
      const end = next + quota + (place < extra ? 1 : 0)
      for (; next < end; next++) assignment.get(id)?.add(partitionKey(topicId, next))
    })
  }
  return assignment
}

function byInstanceThenId(a: AssignorMember, b: AssignorMember): number {
  if (a.instanceId !== null && b.instanceId !== null) return compare(a.instanceId, b.instanceId)
  if (a.instanceId !== null) return -1
  return b.instanceId !== null ? 1 : compare(a.id, b.id)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}

function isSame(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every(each => b.has(each))
}
