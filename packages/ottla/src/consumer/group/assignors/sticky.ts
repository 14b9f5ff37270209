/** Balance first, then as few moves as possible, then nearness of racks (KIP-54, KIP-881). */
import { addToGroup } from '../../../base/grouping.ts'
import type { TopicPartition } from '../../../types.ts'
import {
  compareMembers,
  compareText,
  emptyAssignment,
  subscribedTopics,
  type GroupAssignment,
  type GroupMember,
  type GroupTopic,
} from './assignor.ts'
import { isNear, racksMatter } from './racks.ts'

/** A partition to assign. */
interface Item {
  readonly topic: string
  readonly partition: number
  readonly layout: GroupTopic
  /** The members that subscribe to its topic. */
  readonly subscribers: Subscribers
  /** The member that had it before. */
  readonly owner: Bin | null
}

/** A set of members; topics with the same subscribers share one object. */
interface Subscribers {
  readonly bins: readonly Bin[]
}

/** A member with the partitions that it gets. */
interface Bin {
  readonly member: GroupMember
  readonly items: Map<Subscribers, Item[]>
  load: number
}

/**
 * Members keep what they had (`ownedPartitions`), unless another member that could have one of these partitions would
 * end up with two less. Of two members that claim the same partition, the one of the newer generation had it; of the
 * same generation, neither.
 */
export function assignSticky(
  members: readonly GroupMember[],
  topics: ReadonlyMap<string, GroupTopic>,
): GroupAssignment {
  const bins: Bin[] = members.toSorted(compareMembers).map(member => ({ member, items: new Map(), load: 0 }))
  const all = itemsOf(bins, topics)
  const subscribed = subscribedTopics(members).flatMap(topic => topics.get(topic) ?? [])
  const mindsRacks = racksMatter(members, subscribed)
  const nearby = (bin: Bin, item: Item): boolean => !mindsRacks || isNear(bin.member, item.layout, item.partition)

  let rest: Item[] = []
  for (const item of all) {
    if (item.owner !== null && nearby(item.owner, item)) give(item, item.owner)
    else rest.push(item)
  }
  // Partitions with the fewest subscribers come first.
  rest.sort(
    (a, b) =>
      a.subscribers.bins.length - b.subscribers.bins.length ||
      compareText(a.topic, b.topic) ||
      a.partition - b.partition,
  )
  if (mindsRacks) rest = assignNearby(rest, all.length, bins.length, nearby)
  for (const item of rest) {
    const bin = leastLoaded(item.subscribers.bins)
    const { owner } = item
    give(item, owner !== null && owner.load <= bin.load ? owner : bin)
  }
  balance(bins, nearby)

  const assignment = emptyAssignment(members)
  for (const { member, items } of bins) {
    const assigned = [...items.values()].flat()
    assigned.sort((a, b) => compareText(a.topic, b.topic) || a.partition - b.partition)
    assignment.set(
      member.memberId,
      assigned.map(({ topic, partition }) => ({ topic, partition })),
    )
  }
  return assignment
}

/** All partitions of subscribed topics, with their owners so far. */
function itemsOf(bins: readonly Bin[], topics: ReadonlyMap<string, GroupTopic>): Item[] {
  const owners = claims(bins)
  const known = new Map<string, Subscribers>()
  const all: Item[] = []
  const byTopic = new Map<string, { bins: Bin[]; places: number[] }>()
  bins.forEach((bin, place) => {
    for (const topic of new Set(bin.member.topics)) {
      let entry = byTopic.get(topic)
      if (entry === undefined) {
        entry = { bins: [], places: [] }
        byTopic.set(topic, entry)
      }
      entry.bins.push(bin)
      entry.places.push(place)
    }
  })
  for (const [topic, entry] of byTopic) {
    const layout = topics.get(topic)
    if (layout === undefined) continue
    const key = entry.places.join()
    let subscribers = known.get(key)
    if (subscribers === undefined) {
      subscribers = { bins: entry.bins }
      known.set(key, subscribers)
    }
    for (let partition = 0; partition < layout.partitionCount; partition++) {
      const owner = owners.get(keyOf(topic, partition)) ?? null
      const mayKeep = owner !== null && entry.bins.includes(owner)
      all.push({ topic, partition, layout, subscribers, owner: mayKeep ? owner : null })
    }
  }
  return all
}

function claims(bins: readonly Bin[]): Map<string, Bin | null> {
  const owners = new Map<string, Bin | null>()
  const generations = new Map<string, number>()
  for (const bin of bins) {
    const { generationId } = bin.member
    for (const { topic, partition } of bin.member.ownedPartitions) {
      const key = keyOf(topic, partition)
      const other = generations.get(key)
      if (other !== undefined && other > generationId) continue
      owners.set(key, other === generationId && owners.get(key) !== bin ? null : bin)
      generations.set(key, generationId)
    }
  }
  return owners
}

/** Assigns partitions to members that are near, to none beyond its share. @returns what is left */
function assignNearby(
  items: readonly Item[],
  itemCount: number,
  binCount: number,
  nearby: (bin: Bin, item: Item) => boolean,
): Item[] {
  const share = Math.ceil(itemCount / binCount)
  const rest: Item[] = []
  for (const item of items) {
    const near = item.subscribers.bins.filter(bin => bin.load < share && nearby(bin, item))
    if (near.length > 0) give(item, leastLoaded(near))
    else rest.push(item)
  }
  return rest
}

/**
 * Moves partitions from members that have two more than another that could take them, until there is no such pair. One
 * at a time, from the member with the most: in another order, more partitions would move than necessary.
 */
function balance(bins: readonly Bin[], nearby: (bin: Bin, item: Item) => boolean): void {
  // This ends, as each move brings two loads closer together.
  for (let moved = true; moved;) {
    moved = false
    const most = bins.reduce((load, bin) => Math.max(load, bin.load), 0)
    for (let level = most; level >= 2; level--) {
      for (const bin of bins) if (bin.load === level && moveOneAway(bin, nearby)) moved = true
    }
  }
}

function moveOneAway(from: Bin, nearby: (bin: Bin, item: Item) => boolean): boolean {
  let least: Bin | undefined
  let candidates: Item[] = []
  for (const [subscribers, items] of from.items) {
    if (items.length === 0) continue
    const to = leastLoaded(subscribers.bins)
    if (least !== undefined && to.load >= least.load) continue
    least = to
    candidates = items
  }
  if (least === undefined || from.load - least.load < 2) return false
  const item = pick(candidates, from, least, nearby)
  candidates.splice(candidates.indexOf(item), 1)
  from.load--
  give(item, least)
  return true
}

/** The cheapest partition to move: one that goes back, else one that was not `from`'s before, else a far one. */
function pick(items: readonly Item[], from: Bin, to: Bin, nearby: (bin: Bin, item: Item) => boolean): Item {
  let best: Item | undefined
  let bestScore = -1
  for (const item of items) {
    const score =
      (item.owner === to ? 8 : 0) +
      (item.owner === from ? 0 : 4) +
      (nearby(to, item) ? 2 : 0) +
      (nearby(from, item) ? 0 : 1)
    if (score > bestScore) {
      best = item
      bestScore = score
    }
  }
  if (best === undefined) throw new Error('there is no partition to move')
  return best
}

function give(item: Item, bin: Bin): void {
  addToGroup(bin.items, item.subscribers, item)
  bin.load++
}

function leastLoaded(bins: readonly Bin[]): Bin {
  let least = bins[0]
  for (const bin of bins) if (least === undefined || bin.load < least.load) least = bin
  if (least === undefined) throw new Error('nobody subscribed')
  return least
}

function keyOf(topic: string, partition: number): string {
  return `${topic}\0${partition}`
}

/**
 * What members can get at once under COOPERATIVE: leaves out a partition that another member still owns. It is assigned
 * in the next rebalance, after that member has given it up (KIP-429).
 */
export function withoutMoving(
  members: readonly GroupMember[],
  assignment: ReadonlyMap<string, readonly TopicPartition[]>,
): GroupAssignment {
  const holders = new Map<string, Set<string>>()
  for (const { memberId, ownedPartitions } of members) {
    for (const { topic, partition } of ownedPartitions) {
      const key = keyOf(topic, partition)
      const set = holders.get(key)
      if (set === undefined) holders.set(key, new Set([memberId]))
      else set.add(memberId)
    }
  }
  const result: GroupAssignment = new Map()
  for (const { memberId } of members) {
    const partitions = assignment.get(memberId) ?? []
    result.set(
      memberId,
      partitions.filter(({ topic, partition }) => {
        const holding = holders.get(keyOf(topic, partition))
        return holding === undefined || (holding.size === 1 && holding.has(memberId))
      }),
    )
  }
  return result
}
