import { groupBy } from '../../../base/grouping.ts'
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

/**
 * Topic by topic, each subscriber gets a run of neighbouring partitions; the first ones get one more when it
 * does not come out even. Members of topics with equal counts get the same partition numbers of each. Where racks
 * matter, partitions near a member go to it first, as far as neither the balance nor that suffers (KIP-881).
 */
export function assignRange(members: readonly GroupMember[], topics: ReadonlyMap<string, GroupTopic>): GroupAssignment {
  const assignment = emptyAssignment(members)
  const sorted = members.toSorted(compareMembers)
  const deals: Deal[] = []
  for (const topic of subscribedTopics(members)) {
    const layout = topics.get(topic)
    if (layout === undefined || layout.partitionCount === 0) continue
    deals.push(
      new Deal(
        topic,
        layout,
        sorted.filter(member => member.topics.includes(topic)),
        assignment,
      ),
    )
  }
  const isRackAware = deals.some(deal => deal.minds)
  if (isRackAware) for (const group of partitionedAlike(deals)) dealNearby(group)
  for (const deal of deals) deal.dealRanges(() => true)
  if (isRackAware) for (const list of assignment.values()) list.sort(comparePartitions)
  return assignment
}

/** One topic while its partitions are being assigned. */
class Deal {
  readonly topic: string
  readonly layout: GroupTopic
  readonly subscribers: readonly GroupMember[]
  /** Whether racks matter for this topic. */
  readonly minds: boolean
  readonly #assignment: GroupAssignment
  readonly #left: Set<number>
  readonly #given = new Map<string, number>()
  readonly #each: number
  /** How many members may still get one more than the others. */
  #extras: number

  constructor(topic: string, layout: GroupTopic, subscribers: readonly GroupMember[], assignment: GroupAssignment) {
    this.topic = topic
    this.layout = layout
    this.subscribers = subscribers
    this.minds = racksMatter(subscribers, [layout])
    this.#assignment = assignment
    this.#left = new Set(Array.from({ length: layout.partitionCount }, (_, partition) => partition))
    this.#each = Math.floor(layout.partitionCount / subscribers.length)
    this.#extras = layout.partitionCount % subscribers.length
  }

  /** How many more the member may get. */
  room({ memberId }: GroupMember): number {
    const most = this.#each + (this.#extras > 0 ? 1 : 0)
    return Math.max(0, most - (this.#given.get(memberId) ?? 0))
  }

  give(member: GroupMember, partitions: readonly number[]): void {
    const { topic } = this
    for (const partition of partitions) {
      this.#left.delete(partition)
      this.#assignment.get(member.memberId)?.push({ topic, partition })
    }
    const given = (this.#given.get(member.memberId) ?? 0) + partitions.length
    this.#given.set(member.memberId, given)
    if (given > this.#each) this.#extras--
  }

  dealRanges(mayGet: (member: GroupMember, partition: number) => boolean): void {
    for (const member of this.subscribers) {
      const fitting = [...this.#left].filter(partition => mayGet(member, partition)).slice(0, this.room(member))
      if (fitting.length > 0) this.give(member, fitting)
    }
  }
}

/** Topics with the same subscribers and the same number of partitions, which are assigned alike. */
function partitionedAlike(deals: readonly Deal[]): Deal[][] {
  const keyOf = ({ layout, subscribers }: Deal): string =>
    `${layout.partitionCount}\0${subscribers.map(member => member.memberId).join('\0')}`
  return [...groupBy(deals, keyOf, deal => deal).values()]
}

function dealNearby(group: readonly Deal[]): void {
  const [first] = group
  if (first === undefined) return
  if (group.length === 1) {
    if (first.minds) first.dealRanges((member, partition) => isNear(member, first.layout, partition))
    return
  }
  for (let partition = 0; partition < first.layout.partitionCount; partition++) {
    // The same number of every topic, or of none.
    const member = first.subscribers.find(each =>
      group.every(deal => isNear(each, deal.layout, partition) && deal.room(each) > 0),
    )
    if (member !== undefined) for (const deal of group) deal.give(member, [partition])
  }
}

function comparePartitions(a: TopicPartition, b: TopicPartition): number {
  return compareText(a.topic, b.topic) || a.partition - b.partition
}
