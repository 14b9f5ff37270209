/** Which partitions the consumer owns: takes them on and gives them up; what is stored of those is committed before they can be another's. */
import type { RecordBatch } from '@ottla/protocol'
import { Deadline } from '../base/clock.ts'
import { Deferred } from '../base/deferred.ts'
import type { ClientContext } from '../cluster/context.ts'
import type { TopicPartition, TopicPartitionOffset } from '../types.ts'
import { checkPartitions, invalid } from './arguments.ts'
import type { FetchQueue } from './fetch/fetch-queue.ts'
import type { Commit, Committer } from './offsets/committer.ts'
import type { Assignment } from './partition/assignment.ts'
import type { Cursor } from './partition/cursor.ts'
import type { RunHooks } from './run/hooks.ts'

// Of the time that there is for closing: the rest is for leaving the group.
const COMMIT_PART = 3 / 4

export class Ownership {
  readonly #context: ClientContext
  readonly #assignment: Assignment
  readonly #queue: FetchQueue
  readonly #committer: Committer | null
  /** There are partitions to be fetched that were not there, or elsewhere. */
  readonly #onAdded: () => void
  /** Partitions may be fetched again. */
  readonly #onGoingOn: () => void
  /** A run, or partition streams, that there are at the moment. */
  hooks: RunHooks | null = null
  readonly #closesAt: () => Deadline | null
  /** The last change of the assignment that is under way or waits for its turn. */
  #changing: Promise<void> | null = null
  #isOver = false

  constructor(
    context: ClientContext,
    assignment: Assignment,
    queue: FetchQueue,
    committer: Committer | null,
    onAdded: () => void,
    onGoingOn: () => void,
    closesAt: () => Deadline | null,
  ) {
    this.#context = context
    this.#assignment = assignment
    this.#queue = queue
    this.#committer = committer
    this.#onAdded = onAdded
    this.#onGoingOn = onGoingOn
    this.#closesAt = closesAt
  }

  /** When whoever closes the consumer waits no longer. */
  get closesAt(): Deadline | null {
    return this.#closesAt()
  }

  /** How many partitions there are. */
  get size(): number {
    return this.#assignment.size
  }

  /** In place of what there is, which is given up before. */
  replace(partitions: readonly TopicPartitionOffset[], lost: boolean): Promise<void> {
    return this.#inTurn(async () => {
      const before = this.#assignment.cursors
      if (before.length > 0) await this.#release(before, lost)
      this.#add(partitions, before)
    })
  }

  /** Adds those that are not there yet. */
  addMissing(partitions: readonly TopicPartitionOffset[]): Promise<void> {
    return this.#inTurn(() => {
      this.#add(partitions.filter(({ topic, partition }) => this.#assignment.get(topic, partition) === undefined))
    })
  }

  /** As the program's `incrementalAssign`; rejects with KafkaError ERR__INVALID_ARG for one that is there. */
  addNew(partitions: readonly TopicPartitionOffset[], onValid: () => void): Promise<void> {
    return this.#inTurn(() => {
      const twice = partitions.find(({ topic, partition }) => this.#assignment.get(topic, partition) !== undefined)
      if (twice !== undefined) {
        throw invalid(`incrementalAssign: ${twice.topic} [${twice.partition}] is assigned already`)
      }
      onValid()
      this.#add(partitions)
    })
  }

  /** Gives up those that are there. */
  releasePartitions(partitions: readonly TopicPartition[], lost: boolean): Promise<void> {
    return this.#inTurn(async () => {
      const cursors = partitions.map(({ topic, partition }) => this.#assignment.get(topic, partition))
      await this.#release(
        cursors.filter(cursor => cursor !== undefined),
        lost,
      )
    })
  }

  /** As the program's `incrementalUnassign`; rejects with KafkaError ERR__INVALID_ARG for one that is not there. */
  releaseNamed(partitions: readonly TopicPartition[], lost: boolean, onValid: () => void): Promise<void> {
    return this.#inTurn(async () => {
      const cursors = this.#assignment.named(partitions, 'incrementalUnassign')
      onValid()
      await this.#release(cursors, lost)
    })
  }

  /** Gives up everything, for good. */
  releaseAll(deadline: Deadline): Promise<void> {
    return this.#inTurn(() => this.#release(this.#assignment.cursors, false, deadline))
  }

  /** Nothing is assigned any more, nor will be. */
  end(): void {
    this.#isOver = true
    this.#assignment.remove(this.#assignment.cursors)
  }

  /** One change after the other, as they were asked for: each begins with what the one before has left, at once if it can. */
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

  /** @param before cursors that these take the place of */
  #add(partitions: readonly TopicPartitionOffset[], before: readonly Cursor[] = []): void {
    if (partitions.length === 0 || this.#isOver) return
    this.#assignment.add(partitions, before)
    this.#onAdded()
  }

  /**
   * Commits what is stored (`enable.auto.commit`), and waits for commits under way: after that nothing more is committed.
   * @param lost the partitions may be another member's already: nothing is committed
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
    this.hooks?.onResumed()
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

  /**
   * Reads again from there on, unless that is still to be read, or the position has moved since that era.
   * @param batches that what was taken from there on was in
   */
  goBack(cursor: Cursor, offset: number, era: number, batches: readonly RecordBatch[]): void {
    if (cursor.dropped || cursor.position <= offset || cursor.offsets.era !== era) return
    // It moves as by a seek, but what has been read is not fetched again.
    this.#queue.putBack(cursor, offset, batches)
    cursor.replay()
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
