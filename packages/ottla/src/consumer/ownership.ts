/**
 * The partitions that the consumer owns. It takes them on and gives them up; their stored offsets are committed before
 * another member can have them.
 */
import type { RecordBatch } from '@ottla/protocol'
import { Deadline } from '../base/clock.ts'
import { Deferred } from '../base/deferred.ts'
import type { ClientContext } from '../cluster/context.ts'
import type { TopicPartition, TopicPartitionOffset } from '../types.ts'
import { checkPartitions, invalid } from './arguments.ts'
import type { FetchQueue } from './fetch/fetch-queue.ts'
import type { Commit } from './offsets/commit-requests.ts'
import type { Committer } from './offsets/committer.ts'
import type { Assignment } from './partition/assignment.ts'
import type { Cursor } from './partition/cursor.ts'
import type { RunHooks } from './run/hooks.ts'

// The part of the time for closing that commits get: the rest is for leaving the group.
const COMMIT_PART = 3 / 4

export class Ownership {
  readonly #context: ClientContext
  readonly #assignment: Assignment
  readonly #queue: FetchQueue
  readonly #committer: Committer | null
  /** Partitions have been added, or their position has moved. */
  readonly #onAdded: () => void
  /** Partitions may be fetched again. */
  readonly #onResumed: () => void
  /** The current run or partition streams. */
  hooks: RunHooks | null = null
  readonly #closesAt: () => Deadline | null
  /** The last change of the assignment that is running or waits for its turn. */
  #changing: Promise<void> | null = null
  #isOver = false

  constructor(
    context: ClientContext,
    assignment: Assignment,
    queue: FetchQueue,
    committer: Committer | null,
    onAdded: () => void,
    onResumed: () => void,
    closesAt: () => Deadline | null,
  ) {
    this.#context = context
    this.#assignment = assignment
    this.#queue = queue
    this.#committer = committer
    this.#onAdded = onAdded
    this.#onResumed = onResumed
    this.#closesAt = closesAt
  }

  /** The deadline of `close`; null before it is called. */
  get closesAt(): Deadline | null {
    return this.#closesAt()
  }

  /** How many partitions are assigned. */
  get size(): number {
    return this.#assignment.size
  }

  /** Replaces the assignment, which is given up first. */
  replace(partitions: readonly TopicPartitionOffset[], lost: boolean): Promise<void> {
    return this.#inTurn(async () => {
      const before = this.#assignment.cursors
      if (before.length > 0) await this.#release(before, lost)
      this.#add(partitions, before)
    })
  }

  /** Adds the partitions that are not assigned yet. */
  addMissing(partitions: readonly TopicPartitionOffset[]): Promise<void> {
    return this.#inTurn(() => {
      this.#add(partitions.filter(({ topic, partition }) => this.#assignment.get(topic, partition) === undefined))
    })
  }

  /** `incrementalAssign`; rejects with KafkaError ERR__INVALID_ARG for a partition that is assigned. */
  addNew(partitions: readonly TopicPartitionOffset[], onValid: () => void): Promise<void> {
    return this.#inTurn(() => {
      const twice = partitions.find(({ topic, partition }) => this.#assignment.get(topic, partition) !== undefined)
      if (twice !== undefined) {
        throw invalid(`incrementalAssign: ${twice.topic} [${twice.partition}] is already assigned`)
      }
      onValid()
      this.#add(partitions)
    })
  }

  /** Gives up those of the partitions that are assigned. */
  releasePartitions(partitions: readonly TopicPartition[], lost: boolean): Promise<void> {
    return this.#inTurn(async () => {
      const cursors = partitions.map(({ topic, partition }) => this.#assignment.get(topic, partition))
      await this.#release(
        cursors.filter(cursor => cursor !== undefined),
        lost,
      )
    })
  }

  /** `incrementalUnassign`; rejects with KafkaError ERR__INVALID_ARG for a partition that is not assigned. */
  releaseNamed(partitions: readonly TopicPartition[], lost: boolean, onValid: () => void): Promise<void> {
    return this.#inTurn(async () => {
      const cursors = this.#assignment.named(partitions, 'incrementalUnassign')
      onValid()
      await this.#release(cursors, lost)
    })
  }

  /** Gives up everything before the consumer ends. */
  releaseAll(deadline: Deadline): Promise<void> {
    return this.#inTurn(() => this.#release(this.#assignment.cursors, false, deadline))
  }

  /** Drops everything; nothing is assigned any more from now on. */
  end(): void {
    this.#isOver = true
    this.#assignment.remove(this.#assignment.cursors)
  }

  /** Runs changes in the order of the calls: each starts when the previous one has ended, at once if there is none. */
  async #inTurn(change: () => Promise<void> | void): Promise<void> {
    const before = this.#changing
    const turn = new Deferred<void>()
    this.#changing = turn.promise
    try {
      if (before !== null) await before
      await change()
    } finally {
      if (this.#changing === turn.promise) this.#changing = null
      turn.resolve()
    }
  }

  /** @param before the cursors that these replace */
  #add(partitions: readonly TopicPartitionOffset[], before: readonly Cursor[] = []): void {
    if (partitions.length === 0 || this.#isOver) return
    this.#assignment.add(partitions, before)
    this.#onAdded()
  }

  /**
   * Commits stored offsets (`enable.auto.commit`) and waits for commits in flight: after that nothing more is
   * committed.
   * @param lost the partitions may already belong to another member: nothing is committed
   */
  async #release(cursors: readonly Cursor[], lost: boolean, deadline?: Deadline): Promise<void> {
    if (cursors.length === 0) return
    this.#assignment.remove(cursors)
    await this.hooks?.beforeRelease(cursors, lost)
    if (!lost) {
      const limit = deadline ?? this.#commitLimit()
      if (this.#context.settings['enable.auto.commit']) await this.commitStored(limit, cursors)
      else await this.#committer?.ended(cursors, limit)
    }
    for (const { offsets } of cursors) offsets.isReleased = true
  }

  /** Limited by the patience of the other members, and by the time that `close` has left. */
  #commitLimit(): Deadline {
    const { clock, settings } = this.#context
    const most = Math.min(settings['session.timeout.ms'], settings['max.poll.interval.ms'])
    return Deadline.after(clock, Math.min(most, (this.closesAt?.left() ?? Infinity) * COMMIT_PART))
  }

  /** `pause` of the application; throws KafkaError ERR__STATE for a partition that is not assigned. */
  pause(partitions: readonly TopicPartition[]): void {
    checkPartitions(partitions, 'pause')
    const now = this.#context.clock.now()
    for (const cursor of this.#assignment.require(partitions)) this.#queue.pause(cursor, now)
  }

  /** As pause. */
  resume(partitions: readonly TopicPartition[]): void {
    checkPartitions(partitions, 'resume')
    for (const cursor of this.#assignment.require(partitions)) this.#queue.resume(cursor)
    this.#onResumed()
    this.hooks?.onResumed()
  }

  /** Delivers nothing of a partition until `unhold`, and after that only if the application has not paused it. */
  hold(cursor: Cursor): void {
    this.#queue.hold(cursor, this.#context.clock.now())
  }

  unhold(cursor: Cursor): void {
    if (cursor.dropped) return
    this.#queue.unhold(cursor)
    this.#onResumed()
  }

  /**
   * Reads again from this offset, unless that is still ahead, or the position has moved since that era.
   * @param batches the batches of what was taken from there on
   */
  rewindTo(cursor: Cursor, offset: number, era: number, batches: readonly RecordBatch[]): void {
    if (cursor.dropped || cursor.position <= offset || cursor.offsets.era !== era) return
    // A move as by a seek, but what has been read is not fetched again.
    this.#queue.putBack(cursor, offset, batches)
    cursor.replay()
  }

  /** Moves to these offsets; errors are per partition. */
  seek(partitions: readonly TopicPartitionOffset[]): TopicPartitionOffset[] {
    const results = this.#assignment.seek(partitions)
    this.#onAdded()
    return results
  }

  get cursors(): readonly Cursor[] {
    return this.#assignment.cursors
  }

  /** Whether the client or the application stores offsets from now on. */
  storeOffsets(byClient: boolean): void {
    this.#assignment.storeOffsets(byClient)
  }

  /** The stored offsets of these partitions that are not committed. */
  pending(cursors: readonly Cursor[]): Commit[] {
    return this.#committer?.pending(cursors) ?? []
  }

  /** Commits the stored offsets of these partitions, by default of all. */
  async commitStored(deadline: Deadline, cursors: readonly Cursor[] = this.#assignment.cursors): Promise<void> {
    await this.#committer?.commitStored(cursors, deadline)
  }
}
