/** Notices partitions that do not go on: no broker answers for them, or the program does not end with a message of theirs. */
import type { Clock, Timer } from '../../base/clock.ts'
import type { Cursor } from '../partition/cursor.ts'
import type { Job } from '../read/jobs.ts'

export interface StallHost {
  readonly cursors: readonly Cursor[]
  /** Nothing is fetched, of any partition, until the program takes what waits for it. */
  isQueueFull(): boolean
  /** What the program has been working on for longer, within a run or partition streams. */
  longerThan(ms: number): readonly Job[]
  /** Told of each partition once, until it is fetched again; of each message at work once. */
  onStalled(stalled: readonly Stalled[]): void
}

export interface Stalled {
  /** The partition, or what is at work on one. */
  readonly cause: Cursor | Job
  readonly offset: number
  /** ms since it last was as it should be. */
  readonly forMs: number
}

/** What is known of one partition. */
interface Watched {
  /** When it last was as it should be (monotonic ms). */
  wellAt: number
  fetchedAt: number
  isTold: boolean
}

const LOOKS_PER_LIMIT = 10
const LEAST_MS = 10

export class StallWatch {
  readonly #clock: Clock
  readonly #limitMs: number
  readonly #longestWorkMs: number
  readonly #host: StallHost
  #watched = new Map<Cursor, Watched>()
  #toldOf = new Set<Job>()
  #timer: Timer | null = null

  /**
   * @param limitMs how long a partition may go without an answer, and the program with a message; 0: for ever
   * @param longestWorkMs when the program is taken for stuck anyway
   */
  constructor(clock: Clock, limitMs: number, longestWorkMs: number, host: StallHost) {
    this.#clock = clock
    this.#limitMs = limitMs
    this.#longestWorkMs = Math.min(limitMs, longestWorkMs)
    this.#host = host
    if (limitMs > 0) this.#later()
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #later(): void {
    this.#timer = this.#clock.setTimer(Math.max(LEAST_MS, this.#longestWorkMs / LOOKS_PER_LIMIT), () => {
      this.#later()
      this.#look()
    })
  }

  #look(): void {
    const now = this.#clock.now()
    const isQueueFull = this.#host.isQueueFull()
    const before = this.#watched
    const stalled: Stalled[] = []
    // Made anew each time: what is assigned no longer is forgotten.
    this.#watched = new Map()
    for (const cursor of this.#host.cursors) {
      const { fetchedAt } = cursor.fetching
      let watched = before.get(cursor)
      if (watched === undefined) watched = { wellAt: now, fetchedAt, isTold: false }
      this.#watched.set(cursor, watched)
      // What is paused or held, or waits for the program to take what there is, need not be fetched.
      if (cursor.isStill || cursor.queued.messages > 0 || isQueueFull || fetchedAt !== watched.fetchedAt) {
        watched.fetchedAt = fetchedAt
        watched.wellAt = now
        watched.isTold = false
      } else if (now - watched.wellAt >= this.#limitMs && !watched.isTold) {
        watched.isTold = true
        stalled.push({ cause: cursor, offset: cursor.position, forMs: now - watched.wellAt })
      }
    }
    const working = new Set(this.#host.longerThan(this.#longestWorkMs))
    for (const job of working) {
      if (!this.#toldOf.has(job)) stalled.push({ cause: job, offset: job.offset, forMs: now - job.since })
    }
    this.#toldOf = working
    if (stalled.length > 0) this.#host.onStalled(stalled)
  }
}
