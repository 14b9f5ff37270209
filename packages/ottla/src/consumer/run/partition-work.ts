/** What a run is working on of one partition. */
import { Ring } from '../../base/ring.ts'
import type { Cursor } from '../partition/cursor.ts'
import { batchOf, type FetchedMessage } from '../partition/message.ts'
import type { Job, JobHolder } from '../read/jobs.ts'
import { OffsetTracker, type Tracked } from './offset-tracker.ts'
import type { Turn, Work } from './scheduler.ts'

/** One message, from when it was taken until nothing is to be done with it any more. */
export class Task implements Work<Task>, JobHolder {
  readonly partition: PartitionWork
  readonly lane: string | null
  readonly message: FetchedMessage
  readonly bytes: number
  /** Where it counts as done; one of an earlier era counts nowhere. */
  readonly tracked: Tracked
  /** What the handler is given; undefined until it has been deserialized. */
  given: unknown = undefined
  /** As they were taken. */
  readonly number: number
  /** What the program has of it at the moment; null between two tries. */
  job: Job | null = null

  constructor(partition: PartitionWork, lane: string | null, message: FetchedMessage, bytes: number) {
    this.partition = partition
    this.lane = lane
    this.message = message
    this.bytes = bytes
    this.number = partition.taken++
    this.tracked = partition.tracker.add(message.offset, message.leaderEpoch, message.era, batchOf(message))
  }

  onEnding(): void {
    this.partition.onEnding(this)
  }

  onDone(): void {
    this.partition.finish(this)
  }
}

export class PartitionWork implements Turn<Task> {
  readonly cursor: Cursor
  readonly ready = new Ring<Task>()
  busy = 0
  readonly tracker = new OffsetTracker()
  /** Nothing more is begun, and nothing tried again. */
  isDraining = false
  /** What is finished from now on counts no more. */
  isGone = false
  readonly #draining = new AbortController()
  readonly #over = new AbortController()
  /** How many messages there have been. */
  taken = 0
  /** Messages that are at work or wait, and their bytes. */
  pending = 0
  bytes = 0
  isHeld = false
  #running = 0
  /** Those of them that wait, or have waited, for the others. */
  readonly #ending = new Set<Task>()
  #idle: (() => void)[] = []
  readonly #tries = new Set<AbortController>()

  constructor(cursor: Cursor) {
    this.cursor = cursor
  }

  /** Aborted when nothing is tried again. */
  get draining(): AbortSignal {
    return this.#draining.signal
  }

  /** Aborted when it is of no more use to go on. */
  get over(): AbortSignal {
    return this.#over.signal
  }

  take(message: FetchedMessage, lane: string | null, bytes: number): Task {
    this.cursor.offsets.worker = this
    this.pending++
    this.bytes += bytes
    return new Task(this, lane, message, bytes)
  }

  /** What is before the lowest unfinished message may be committed. */
  finish({ message, tracked }: Task): void {
    if (this.isGone) return
    const last = this.tracker.finish(tracked)
    if (last !== null) message.cursor.offsets.store(last.offset + 1, last.leaderEpoch, last.era)
  }

  /** Nothing is to be done with it any more. */
  giveBack({ bytes }: Task): void {
    this.pending--
    this.bytes -= bytes
  }

  begun(): void {
    this.#running++
  }

  ended(task: Task): void {
    this.#running--
    if (this.#ending.size > 0) this.#ending.delete(task)
    this.#look()
  }

  onEnding(task: Task): void {
    this.#ending.add(task)
    this.#look()
  }

  /** A signal for one try, aborted as `over` is. */
  beginTry(): AbortController {
    const one = new AbortController()
    if (this.isGone) one.abort()
    else this.#tries.add(one)
    return one
  }

  endTry(one: AbortController): void {
    this.#tries.delete(one)
  }

  drain(): void {
    this.isDraining = true
    this.#draining.abort()
  }

  end(): void {
    this.isGone = true
    this.#over.abort()
    for (const one of this.#tries) one.abort()
    this.#tries.clear()
  }

  /** Resolves when no handler is at work but those that wait for just that. */
  async idle(): Promise<void> {
    if (!this.#isIdle) await new Promise<void>(resolve => this.#idle.push(resolve))
  }

  #look(): void {
    if (this.#idle.length > 0 && this.#isIdle) for (const resolve of this.#idle.splice(0)) resolve()
  }

  get #isIdle(): boolean {
    let running = this.#running
    for (const { job } of this.#ending) if (job?.isEnding === true) running--
    return running === 0
  }
}
