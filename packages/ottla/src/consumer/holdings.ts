/** Takes partitions on and gives them up; what is stored of those is committed before they can be another's. */
import { Deadline } from '../base/clock.ts'
import type { ClientContext } from '../cluster/context.ts'
import type { TopicPartition, TopicPartitionOffset } from '../types.ts'
import { checkPartitions } from './arguments.ts'
import type { Assignment } from './assignment.ts'
import type { Commit, Committer } from './committer.ts'
import type { Cursor } from './cursor.ts'
import type { FetchQueue } from './fetch-queue.ts'

// Of the time that there is for closing: the rest is for leaving the group.
const COMMIT_PART = 3 / 4

/** What the consumer calls of a reader that works on many messages at once. */
export interface ReaderHooks {
  /** With what is given up, before it is committed, and awaited. */
  beforeRelease(cursors: readonly Cursor[], lost: boolean): Promise<void>
  /** The program goes on with partitions that it has paused. */
  onResumed(): void
  /** The group is to be left because something takes too long: awaited for a short time. */
  beforeEviction(): Promise<void>
}

export class Holdings {
  readonly #context: ClientContext
  readonly #assignment: Assignment
  readonly #queue: FetchQueue
  readonly #committer: Committer | null
  /** There are partitions to be fetched that were not there, or elsewhere. */
  readonly #onAdded: () => void
  /** Partitions may be fetched again. */
  readonly #onGoingOn: () => void
  /** A run, or partition streams, that there are at the moment. */
  reader: ReaderHooks | null = null
  /** When whoever closes the consumer waits no longer. */
  closesAt: Deadline | null = null

  constructor(
    context: ClientContext,
    assignment: Assignment,
    queue: FetchQueue,
    committer: Committer | null,
    onAdded: () => void,
    onGoingOn: () => void,
  ) {
    this.#context = context
    this.#assignment = assignment
    this.#queue = queue
    this.#committer = committer
    this.#onAdded = onAdded
    this.#onGoingOn = onGoingOn
  }

  /** How many partitions there are. */
  get size(): number {
    return this.#assignment.size
  }

  async replace(partitions: readonly TopicPartitionOffset[], lost: boolean): Promise<void> {
    const before = this.#assignment.cursors
    await this.release(before, lost)
    this.add(partitions, before)
  }

  /** @param before cursors that these take the place of */
  add(partitions: readonly TopicPartitionOffset[], before: readonly Cursor[] = []): void {
    if (partitions.length === 0) return
    this.#assignment.add(partitions, before)
    this.#onAdded()
  }

  /** Adds those that are not there yet. */
  addMissing(partitions: readonly TopicPartitionOffset[]): void {
    this.add(partitions.filter(({ topic, partition }) => this.#assignment.get(topic, partition) === undefined))
  }

  /** Gives up those that are there. */
  async releasePartitions(partitions: readonly TopicPartition[], lost: boolean): Promise<void> {
    const cursors = partitions.map(({ topic, partition }) => this.#assignment.get(topic, partition))
    await this.release(
      cursors.filter(cursor => cursor !== undefined),
      lost,
    )
  }

  /**
   * Commits what is stored (`enable.auto.commit`), and waits for commits under way: after that nothing more is committed.
   * @param lost the partitions may be another member's already: nothing is committed
   */
  async release(cursors: readonly Cursor[], lost: boolean, deadline?: Deadline): Promise<void> {
    if (cursors.length === 0) return
    this.#assignment.remove(cursors)
    await this.reader?.beforeRelease(cursors, lost)
    if (!lost) {
      const limit = deadline ?? this.#commitLimit()
      if (this.#context.settings['enable.auto.commit']) await this.commitStored(limit, cursors)
      else await this.#committer?.ended(cursors, limit)
    }
    for (const { offsets } of cursors) offsets.isReleased = true
  }

  /** The others wait for the partitions, and whoever closes the consumer for the rest of that. */
  #commitLimit(): Deadline {
    const { clock, settings } = this.#context
    const most = Math.min(settings['session.timeout.ms'], settings['max.poll.interval.ms'])
    return Deadline.after(clock, Math.min(most, (this.closesAt?.left() ?? Infinity) * COMMIT_PART))
  }

  /** The program's; throws KafkaError ERR__STATE for one that is not assigned. */
  pause(partitions: readonly TopicPartition[]): void {
    checkPartitions(partitions, 'pause')
    const now = this.#context.clock.now()
    for (const cursor of this.#assignment.require(partitions)) this.#queue.pause(cursor, now)
  }

  /** As pause. */
  resume(partitions: readonly TopicPartition[]): void {
    checkPartitions(partitions, 'resume')
    for (const cursor of this.#assignment.require(partitions)) this.#queue.resume(cursor)
    this.#onGoingOn()
    this.reader?.onResumed()
  }

  /** Hands out nothing of a partition until `goOn`, and after that only if the program has not paused it. */
  hold(cursor: Cursor): void {
    this.#queue.hold(cursor, this.#context.clock.now())
  }

  goOn(cursor: Cursor): void {
    if (cursor.dropped) return
    this.#queue.goOn(cursor)
    this.#onGoingOn()
  }

  /** Reads again from there on, unless that is still to be read, or the position has moved since that era. */
  goBack(cursor: Cursor, offset: number, era: number): void {
    if (cursor.dropped || cursor.position <= offset || cursor.offsets.era !== era) return
    this.seek([{ topic: cursor.topic, partition: cursor.partition, offset }])
  }

  /** Goes to these offsets; errors are per partition. */
  seek(partitions: readonly TopicPartitionOffset[]): TopicPartitionOffset[] {
    const results = this.#assignment.seek(partitions)
    this.#onAdded()
    return results
  }

  get cursors(): readonly Cursor[] {
    return this.#assignment.cursors
  }

  /** Who stores offsets from now on: the client or the program. */
  storeOffsets(byClient: boolean): void {
    this.#assignment.storeOffsets(byClient)
  }

  /** What of these partitions is stored and not committed. */
  pending(cursors: readonly Cursor[]): Commit[] {
    return this.#committer?.pending(cursors) ?? []
  }

  /** Commits what is stored of these partitions, all of them by default. */
  async commitStored(deadline: Deadline, cursors: readonly Cursor[] = this.#assignment.cursors): Promise<void> {
    await this.#committer?.commitStored(cursors, deadline)
  }
}
