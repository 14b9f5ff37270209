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
 * Topic by topic, each subscriber gets a range of consecutive partitions; the first ones get one more if they do not
 * divide evenly. Topics with the same subscribers and partition counts are assigned alike, the same numbers of each to
 * a member. If racks matter, partitions near a member go to it first, as far as neither of that suffers (KIP-881).
 */
export function assignRange(members: readonly GroupMember[], topics: ReadonlyMap<string, GroupTopic>): GroupAssignment {
  const assignment = emptyAssignment(members)
  const sorted = members.toSorted(compareMembers)
  const topicAssignments: TopicAssignment[] = []
  for (const topic of subscribedTopics(members)) {
    const layout = topics.get(topic)
    if (layout === undefined || layout.partitionCount === 0) continue
    topicAssignments.push(
      new TopicAssignment(
        topic,
        layout,
        sorted.filter(member => member.topics.includes(topic)),
        assignment,
      ),
    )
  }
  const isRackAware = topicAssignments.some(each => each.racksMatter)
  if (isRackAware) for (const group of partitionedAlike(topicAssignments)) assignNearby(group)
  for (const each of topicAssignments) each.assignRanges(() => true)
  if (isRackAware) for (const list of assignment.values()) list.sort(comparePartitions)
  return assignment
}

/** The assignment of one topic. */
class TopicAssignment {
  readonly topic: string
  readonly layout: GroupTopic
  readonly subscribers: readonly GroupMember[]
  /** Whether racks matter for this topic. */
  readonly racksMatter: boolean
  readonly #assignment: GroupAssignment
  readonly #unassigned: Set<number>
  readonly #counts = new Map<string, number>()
  readonly #each: number
  /** How many members may still get one more than the others. */
  #extras: number

  constructor(topic: string, layout: GroupTopic, subscribers: readonly GroupMember[], assignment: GroupAssignment) {
    this.topic = topic
    this.layout = layout
    this.subscribers = subscribers
    this.racksMatter = racksMatter(subscribers, [layout])
    this.#assignment = assignment
    this.#unassigned = new Set(Array.from({ length: layout.partitionCount }, (_, partition) => partition))
    this.#each = Math.floor(layout.partitionCount / subscribers.length)
    this.#extras = layout.partitionCount % subscribers.length
  }

  /** How many more the member may get. */
  room({ memberId }: GroupMember): number {
    const most = this.#each + (this.#extras > 0 ? 1 : 0)
    return Math.max(0, most - (this.#counts.get(memberId) ?? 0))
  }

  give(member: GroupMember, partitions: readonly number[]): void {
    const { topic } = this
    for (const partition of partitions) {
      this.#unassigned.delete(partition)
      this.#assignment.get(member.memberId)?.push({ topic, partition })
    }
    const given = (this.#counts.get(member.memberId) ?? 0) + partitions.length
    this.#counts.set(member.memberId, given)
    if (given > this.#each) this.#extras--
  }

  assignRanges(mayGet: (member: GroupMember, partition: number) => boolean): void {
    for (const member of this.subscribers) {
      const fitting = [...this.#unassigned].filter(partition => mayGet(member, partition)).slice(0, this.room(member))
      if (fitting.length > 0) this.give(member, fitting)
    }
  }
}

/** Topics with the same subscribers and the same number of partitions, which are assigned alike. */
function partitionedAlike(topicAssignments: readonly TopicAssignment[]): TopicAssignment[][] {
  const keyOf = ({ layout, subscribers }: TopicAssignment): string =>
    `${layout.partitionCount}\0${subscribers.map(member => member.memberId).join('\0')}`
  return [...groupBy(topicAssignments, keyOf, each => each).values()]
}

function assignNearby(group: readonly TopicAssignment[]): void {
  const [first] = group
  if (first === undefined) return
  if (group.length === 1) {
    if (first.racksMatter) first.assignRanges((member, partition) => isNear(member, first.layout, partition))
    return
  }
  for (let partition = 0; partition < first.layout.partitionCount; partition++) {
    // The same partition number of every topic, or of none.
    const member = first.subscribers.find(each =>
      group.every(topic => isNear(each, topic.layout, partition) && topic.room(each) > 0),
    )
    if (member !== undefined) for (const topic of group) topic.give(member, [partition])
  }
}

function comparePartitions(a: TopicPartition, b: TopicPartition): number {
  return compareText(a.topic, b.topic) || a.partition - b.partition
}
