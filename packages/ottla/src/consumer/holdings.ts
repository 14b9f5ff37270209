/** Takes partitions on and gives them up; what is stored of those is committed before they can be another's. */
import { Deadline } from '../base/clock.ts'
import type { ClientContext } from '../cluster/context.ts'
import type { TopicPartition, TopicPartitionOffset } from '../types.ts'
import type { Assignment } from './assignment.ts'
import type { Committer } from './committer.ts'
import type { Cursor } from './cursor.ts'

export class Holdings {
  readonly #context: ClientContext
  readonly #assignment: Assignment
  readonly #committer: Committer | null
  readonly #onAdded: () => void
  /** Called with what is given up, before it is committed, and awaited. */
  beforeRelease: ((cursors: readonly Cursor[], lost: boolean) => Promise<void>) | null = null

  constructor(context: ClientContext, assignment: Assignment, committer: Committer | null, onAdded: () => void) {
    this.#context = context
    this.#assignment = assignment
    this.#committer = committer
    this.#onAdded = onAdded
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

  /** @param lost the partitions may be another member's already: nothing is committed */
  async release(cursors: readonly Cursor[], lost: boolean, deadline?: Deadline): Promise<void> {
    if (cursors.length === 0) return
    this.#assignment.remove(cursors)
    await this.beforeRelease?.(cursors, lost)
    const { clock, settings } = this.#context
    if (lost || this.#committer === null || !settings['enable.auto.commit']) return
    await this.#committer.commitStored(cursors, deadline ?? Deadline.after(clock, settings['session.timeout.ms']))
  }

  /** Hands out nothing of a partition until `goOn`. */
  hold(cursor: Cursor): void {
    this.#assignment.hold(cursor)
  }

  goOn(cursor: Cursor): void {
    if (cursor.dropped) return
    this.#assignment.goOn(cursor)
    this.#onAdded()
  }

  /** Reads again from there on, unless that is still to be read, or the position has moved since that era. */
  goBack(cursor: Cursor, offset: number, era: number): void {
    if (cursor.dropped || cursor.position <= offset || cursor.offsets.era !== era) return
    this.#assignment.seek([{ topic: cursor.topic, partition: cursor.partition, offset }])
    this.#onAdded()
  }

  /** Commits what is stored of these partitions, all of them by default. */
  async commitStored(deadline: Deadline, cursors: readonly Cursor[] = this.#assignment.cursors): Promise<void> {
    await this.#committer?.commitStored(cursors, deadline)
  }
}
