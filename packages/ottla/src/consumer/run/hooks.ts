/** The interface between the assignment and a run (or partition streams). */
import type { RecordBatch } from '@ottla/protocol'
import type { Deadline } from '../../base/clock.ts'
import type { Cursor } from '../partition/cursor.ts'

/** What the consumer calls on a reader that processes many messages at once. */
export interface RunHooks {
  /** Called with the partitions to give up before their offsets are committed; awaited. */
  beforeRelease(cursors: readonly Cursor[], lost: boolean): Promise<void>
  /** The offset of the first message that was taken and is not done; null when there is none, or after a move. */
  firstOpen(cursor: Cursor): number | null
  /** When the first batch with such a message was made, ms since the epoch; null without any, -1 if unknown. */
  openSince(cursor: Cursor): number | null
  /** The application has resumed paused partitions. */
  onResumed(): void
  /** Called before the group is left because something takes too long; awaited for a short time. */
  beforeEviction(): Promise<void>
}

/** What a run needs of the assignment. */
export interface AssignedPartitions {
  /** How many partitions are assigned. */
  readonly size: number
  /** The current run or partition streams. */
  hooks: RunHooks | null
  /** The deadline of `close`; null before it is called. */
  readonly closesAt: Deadline | null
  /** Delivers nothing of a partition until `unhold`. */
  hold(cursor: Cursor): void
  unhold(cursor: Cursor): void
  /**
   * Reads again from this offset, unless that is still ahead, or the position has moved since that era.
   * @param batches the batches of what was taken from there on
   */
  rewindTo(cursor: Cursor, offset: number, era: number, batches: readonly RecordBatch[]): void
  /** Commits the stored offsets of these partitions, by default of all. */
  commitStored(deadline: Deadline, cursors?: readonly Cursor[]): Promise<void>
}
