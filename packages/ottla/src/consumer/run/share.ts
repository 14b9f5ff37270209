/** What a run is working on of one partition. */
import type { Job } from '../at-work.ts'
import type { Cursor } from '../cursor.ts'
import type { FetchedMessage } from '../message.ts'
import { OffsetTracker, type Tracked } from './offset-tracker.ts'

/** One message, from when it was taken until nothing is to be done with it any more. */
export interface Task {
  readonly share: Share
  readonly message: FetchedMessage
  readonly bytes: number
  /** Where it counts as done; one of an earlier era counts nowhere. */
  readonly tracked: Tracked
  /** What the handler is given; undefined until it has been deserialized. */
  given: unknown
  /** What the program has of it at the moment; null between two tries. */
  job: Job | null
}

export class Share {
  readonly cursor: Cursor
  readonly tracker = new OffsetTracker()
  /** It is of no more use to go on. */
  readonly over = new AbortController()
  /** Nothing more is begun, and nothing tried again. */
  readonly draining = new AbortController()
  /** Messages that are at work or wait, and their bytes. */
  pending = 0
  bytes = 0
  isHeld = false
  readonly #running = new Set<Task>()
  #idle: (() => void)[] = []
  readonly #tries = new Set<AbortController>()

  constructor(cursor: Cursor) {
    this.cursor = cursor
  }

  get isDraining(): boolean {
    return this.draining.signal.aborted
  }

  /** What is finished from now on counts no more. */
  get isGone(): boolean {
    return this.over.signal.aborted
  }

  take(message: FetchedMessage, bytes: number): Task {
    const tracked = this.tracker.add(message.offset, message.leaderEpoch, message.era)
    this.cursor.offsets.atWork = ++this.pending
    this.bytes += bytes
    return { share: this, message, bytes, tracked, given: undefined, job: null }
  }

  /** Nothing is to be done with it any more. */
  giveBack({ bytes }: Task): void {
    this.cursor.offsets.atWork = --this.pending
    this.bytes -= bytes
  }

  begun(task: Task): void {
    this.#running.add(task)
  }

  ended(task: Task): void {
    this.#running.delete(task)
    this.look()
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

  end(): void {
    this.over.abort()
    for (const one of this.#tries) one.abort()
    this.#tries.clear()
  }

  /** Resolves when no handler is at work but those that wait for just that. */
  async idle(): Promise<void> {
    if (!this.#isIdle) await new Promise<void>(resolve => this.#idle.push(resolve))
  }

  look(): void {
    if (this.#isIdle) for (const resolve of this.#idle.splice(0)) resolve()
  }

  get #isIdle(): boolean {
    for (const { job } of this.#running) if (job?.isEnding !== true) return false
    return true
  }
}
