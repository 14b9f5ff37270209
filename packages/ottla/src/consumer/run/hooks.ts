/** What a run, or partition streams, and the consumer's assignment are to each other. */
import type { RecordBatch } from '@ottla/protocol'
import type { Deadline } from '../../base/clock.ts'
import type { Cursor } from '../partition/cursor.ts'

/** What the consumer calls of a reader that works on many messages at once. */
export interface RunHooks {
  /** With what is given up, before it is committed, and awaited. */
  beforeRelease(cursors: readonly Cursor[], lost: boolean): Promise<void>
  /** The program goes on with partitions that it has paused. */
  onResumed(): void
  /** The group is to be left because something takes too long: awaited for a short time. */
  beforeEviction(): Promise<void>
}

/** What they need of the assignment. */
export interface AssignedPartitions {
  /** How many there are. */
  readonly size: number
  /** A run, or partition streams, that there are at the moment. */
  hooks: RunHooks | null
  /** When whoever closes the consumer waits no longer. */
  readonly closesAt: Deadline | null
  /** Hands out nothing of a partition until `goOn`. */
  hold(cursor: Cursor): void
  goOn(cursor: Cursor): void
  /**
   * Reads again from there on, unless that is still to be read, or the position has moved since that era.
   * @param batches that what was taken from there on was in
   */
  goBack(cursor: Cursor, offset: number, era: number, batches: readonly RecordBatch[]): void
  /** Commits what is stored of these partitions, all of them by default. */
  commitStored(deadline: Deadline, cursors?: readonly Cursor[]): Promise<void>
}
