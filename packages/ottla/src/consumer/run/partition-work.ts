/** The messages of one partition that a run has taken. */
import { Ring } from '../../base/ring.ts'
import { batchOf, type FetchedMessage } from '../partition/message.ts'
import type { Job, JobHolder } from '../read/job-list.ts'
import { OffsetTracker, type Tracked } from './offset-tracker.ts'
import { PartitionRun } from './partition-run.ts'
import type { PartitionQueue, Work } from './scheduler.ts'

/** One message, from when it is taken until it is finished or abandoned. */
export class Task implements Work<Task>, JobHolder {
  readonly partition: PartitionWork
  readonly lane: string | null
  readonly message: FetchedMessage
  readonly bytes: number
  /** Its entry in the offset tracker; one of an earlier era is ignored there. */
  readonly tracked: Tracked
  /** What the handler gets; undefined until it is deserialized. */
  given: unknown = undefined
  /** In the order of taking. */
  readonly number: number
  /** Null between two attempts. */
  job: Job | null = null

  constructor(partition: PartitionWork, lane: string | null, message: FetchedMessage, bytes: number) {
    this.partition = partition
    this.lane = lane
    this.message = message
    this.bytes = bytes
    this.number = partition.taken++
    this.tracked = partition.tracker.add(message.offset, message.leaderEpoch, message.era, batchOf(message))
  }

  onAwaitsEnd(): void {
    this.partition.awaitsEnd(this)
  }

  onDone(): void {
    this.partition.finish(this)
  }
}

export class PartitionWork extends PartitionRun implements PartitionQueue<Task> {
  readonly ready = new Ring<Task>()
  busy = 0
  readonly tracker = new OffsetTracker()
  /** How often in a row a message could not be deserialized for a reason that passes. */
  failures = 0
  /** Nothing of it is started until the next look. */
  isBackingOff = false
  /** How many messages have been taken so far. */
  taken = 0
  /** Messages that are in progress or wait, and their bytes. */
  pending = 0
  bytes = 0

  take(message: FetchedMessage, lane: string | null, bytes: number): Task {
    this.cursor.offsets.worker = this
    this.pending++
    this.bytes += bytes
    return new Task(this, lane, message, bytes)
  }

  /** Stores the offset of the lowest unfinished message. */
  finish({ message, tracked }: Task): void {
    if (this.isReleased) return
    const last = this.tracker.finish(tracked)
    if (last !== null) message.cursor.offsets.store(last.offset + 1, last.leaderEpoch, last.era)
  }

  /** The task is finished or abandoned. */
  giveBack({ bytes }: Task): void {
    this.pending--
    this.bytes -= bytes
  }
}
