/** The messages of one partition that a run has taken. */
import { Ring } from '../../base/ring.ts'
import type { Cursor } from '../partition/cursor.ts'
import { batchOf, type FetchedMessage } from '../partition/message.ts'
import type { Job, JobHolder } from '../read/job-list.ts'
import { OffsetTracker, type Tracked } from './offset-tracker.ts'
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
    this.partition.onAwaitsEnd(this)
  }

  onDone(): void {
    this.partition.finish(this)
  }
}

export class PartitionWork implements PartitionQueue<Task> {
  readonly cursor: Cursor
  readonly ready = new Ring<Task>()
  busy = 0
  readonly tracker = new OffsetTracker()
  /** Nothing more is started, and nothing retried. */
  isDraining = false
  /** What finishes from now on no longer counts. */
  isReleased = false
  readonly #draining = new AbortController()
  readonly #over = new AbortController()
  /** How many messages have been taken so far. */
  taken = 0
  /** Messages that are in progress or wait, and their bytes. */
  pending = 0
  bytes = 0
  isHeld = false
  /** Messages that handlers have, or that wait for their next attempt. */
  running = 0
  /** Running tasks that wait, or have waited, for the others to end. */
  readonly #ending = new Set<Task>()
  #idle: (() => void)[] = []
  readonly #attempts = new Set<AbortController>()

  constructor(cursor: Cursor) {
    this.cursor = cursor
  }

  /** Aborted when nothing is retried any more. */
  get draining(): AbortSignal {
    return this.#draining.signal
  }

  /** Aborted when there is no point in carrying on. */
  get over(): AbortSignal {
    return this.#over.signal
  }

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

  begun(): void {
    this.running++
  }

  ended(task: Task): void {
    this.running--
    if (this.#ending.size > 0) this.#ending.delete(task)
    this.#checkIdle()
  }

  onAwaitsEnd(task: Task): void {
    this.#ending.add(task)
    this.#checkIdle()
  }

  /** A signal for one attempt, aborted as `over` is. */
  beginAttempt(): AbortController {
    const one = new AbortController()
    if (this.isReleased) one.abort()
    else this.#attempts.add(one)
    return one
  }

  endAttempt(one: AbortController): void {
    this.#attempts.delete(one)
  }

  drain(): void {
    this.isDraining = true
    this.#draining.abort()
  }

  end(): void {
    this.isReleased = true
    this.#over.abort()
    for (const one of this.#attempts) one.abort()
    this.#attempts.clear()
  }

  /** Resolves when no handler is running but those that themselves wait for this. */
  async idle(): Promise<void> {
    if (!this.#isIdle) await new Promise<void>(resolve => this.#idle.push(resolve))
  }

  #checkIdle(): void {
    if (this.#idle.length > 0 && this.#isIdle) for (const resolve of this.#idle.splice(0)) resolve()
  }

  get #isIdle(): boolean {
    let running = this.running
    for (const { job } of this.#ending) if (job?.awaitsEnd === true) running--
    return running === 0
  }
}
