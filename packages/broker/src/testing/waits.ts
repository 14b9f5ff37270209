/** Waits for messages, committed offsets and groups; says what there was when the time is over. */
import type { CommittedPartition } from '../groups/group.ts'
import type { GroupState, GroupStatus } from '../groups/status.ts'
import type { StoredMessage } from '../topics/messages.ts'
import type { ClusterCalls, TopicProgress } from './access.ts'
import { until, type Limits, type Time } from './time.ts'

/**
 * How long a wait may take.
 * @since 0.1.0
 */
export interface WaitOptions {
  /** Deadline, ms; that of the cluster by default. */
  readonly timeoutMs?: number
  /** Ends the wait early. */
  readonly signal?: AbortSignal
}

/**
 * Which messages `waitForMessages` waits for.
 * @since 0.1.0
 */
export interface MessagesWait extends WaitOptions {
  /** How many of them there must be at least; 1 by default. */
  readonly count?: number
  /** Which messages count; all by default. */
  readonly where?: (message: StoredMessage) => boolean
}

/**
 * Which offsets `waitForCommitted` waits for.
 * @since 0.1.0
 */
export interface CommittedWait extends WaitOptions {
  /**
   * The offsets to be committed, or later ones, by partition: `{ 0: 3 }`. By default all messages that the topic holds,
   * of which there must be at least one.
   */
  readonly offsets?: Readonly<Record<number, number>>
}

/**
 * Which group `waitForGroup` waits for.
 * @since 0.1.0
 */
export interface GroupWait extends WaitOptions {
  /** `Stable` by default, `Empty` for a group of no members. */
  readonly state?: GroupState
  /** How many members there must be; by default at least one, except for `Empty` and `Dead`. */
  readonly members?: number
}

/** What a wait works with. */
export interface Waiting {
  readonly calls: Pick<ClusterCalls, 'progress' | 'messages' | 'committedOffsets' | 'groups'>
  readonly time: Time
}

export async function messagesIn(
  { calls, time }: Waiting,
  topic: string,
  { count = 1, where = () => true }: MessagesWait,
  limits: Limits,
): Promise<StoredMessage[]> {
  const reader = new TopicReader(calls, topic)
  const look = async (): Promise<StoredMessage[] | undefined> => {
    const messages = (await reader.read()).filter(where)
    return messages.length >= count ? messages : undefined
  }
  const wanted = `${counted(count, 'message')} in ${topic}`
  return until(time, limits, look, wanted, () => reader.seen(where))
}

export async function committedBy(
  { calls, time }: Waiting,
  groupId: string,
  topic: string,
  { offsets }: CommittedWait,
  limits: Limits,
): Promise<CommittedPartition[]> {
  const reader = new TopicReader(calls, topic)
  let wanted: ReadonlyMap<number, number> = new Map()
  let committed: CommittedPartition[] = []
  let group: GroupStatus | undefined
  const look = async (): Promise<CommittedPartition[] | undefined> => {
    wanted = offsets === undefined ? ends(await reader.read()) : given(offsets)
    committed = (await calls.committedOffsets(groupId)).filter(each => each.topic === topic)
    const isDone = wanted.size > 0 && [...wanted].every(([partition, end]) => offsetOf(committed, partition) >= end)
    if (!isDone) group = (await calls.groups()).find(each => each.groupId === groupId)
    return isDone ? committed : undefined
  }
  const saw = (): string => {
    const partitions = [...wanted].map(([partition, end]) => {
      const offset = offsetOf(committed, partition)
      return `partition ${partition} at ${offset < 0 ? 'nothing' : offset} of ${end}`
    })
    return `${partitions.length === 0 ? `no message in ${topic}` : partitions.join(', ')}; the group ${inWords(group)}`
  }
  return until(time, limits, look, `group ${groupId} to commit ${topic}`, saw)
}

export async function groupIs(
  { calls, time }: Waiting,
  groupId: string,
  { state: wantedState, members }: GroupWait,
  limits: Limits,
): Promise<GroupStatus> {
  const state = wantedState ?? (members === 0 ? 'Empty' : 'Stable')
  const needsMember = members === undefined && state !== 'Empty' && state !== 'Dead'
  let group: GroupStatus | undefined
  const look = async (): Promise<GroupStatus | undefined> => {
    group = (await calls.groups()).find(each => each.groupId === groupId)
    if (group?.state !== state) return undefined
    const count = group.members.length
    return (members === undefined ? !needsMember || count > 0 : count === members) ? group : undefined
  }
  const wanted = members === undefined ? state : `${state} with ${counted(members, 'member')}`
  return until(time, limits, look, `group ${groupId} to be ${wanted}`, () => `that it ${inWords(group)}`)
}

/** Reads a topic from where it has come to, in the order of the partitions. */
class TopicReader {
  readonly #calls: Waiting['calls']
  readonly #topic: string
  #progress: TopicProgress | null = null
  #next: number[] = []
  #messages: StoredMessage[] = []

  constructor(calls: Waiting['calls'], topic: string) {
    this.#calls = calls
    this.#topic = topic
  }

  /** All messages so far. */
  async read(): Promise<readonly StoredMessage[]> {
    const progress = await this.#calls.progress(this.#topic)
    const before = this.#next
    const isAnother = progress?.id !== this.#progress?.id
    this.#progress = progress
    const ends = progress?.partitions.map(({ stable }) => stable) ?? []
    // A topic that was made again, or cut off, is read again.
    if (isAnother || ends.some((end, i) => end < (before[i] ?? 0))) {
      this.#messages = []
      this.#next = []
    }
    if (ends.some((end, i) => end > (this.#next[i] ?? 0))) {
      const more = await this.#calls.messages(this.#topic, this.#next)
      // More may have come since.
      const fresh = more.filter(({ partition, offset }) => offset < (ends[partition] ?? 0))
      this.#messages = [...this.#messages, ...fresh].sort((a, b) => a.partition - b.partition || a.offset - b.offset)
      this.#next = ends
    }
    return this.#messages
  }

  /** Counts and offsets, in words. */
  seen(where: (message: StoredMessage) => boolean): string {
    const progress = this.#progress
    if (progress === null) return 'no such topic'
    const all = this.#messages.length
    const matching = this.#messages.filter(where).length
    const partitions = progress.partitions.map(({ low, high }, i) => {
      return high > low ? `partition ${i}: offsets ${low} to ${high - 1}` : `partition ${i}: empty`
    })
    const hasMore = progress.partitions.some(({ stable, high }) => stable < high)
    return [
      matching === all ? counted(all, 'message') : `${matching} of ${counted(all, 'message')} that match`,
      ` (${partitions.join(', ')})`,
      hasMore ? ', and more in transactions that have not ended' : '',
    ].join('')
  }
}

/** One past the last message of each partition that has one. */
function ends(messages: readonly StoredMessage[]): Map<number, number> {
  const found = new Map<number, number>()
  for (const { partition, offset } of messages) found.set(partition, Math.max(found.get(partition) ?? 0, offset + 1))
  return found
}

function given(offsets: Readonly<Record<number, number>>): Map<number, number> {
  return new Map(Object.entries(offsets).map(([partition, offset]) => [Number(partition), offset]))
}

/** -1 for none. */
function offsetOf(committed: readonly CommittedPartition[], partition: number): number {
  return committed.find(each => each.partition === partition)?.offset ?? -1
}

function inWords(group: GroupStatus | undefined): string {
  if (group === undefined) return 'does not exist'
  return `is ${group.state} with ${counted(group.members.length, 'member')}`
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
