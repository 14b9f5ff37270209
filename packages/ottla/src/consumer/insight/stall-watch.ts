/** Notices stalled partitions: no broker answers for them, or the application does not finish a message of theirs. */
import type { Clock, Timer } from '../../base/clock.ts'
import type { Cursor } from '../partition/cursor.ts'
import type { Job } from '../read/job-list.ts'

export interface StallHost {
  readonly cursors: readonly Cursor[]
  /** Nothing is fetched of any partition until the application takes some of what waits. */
  isQueueFull(): boolean
  /** Messages that a run or partition streams have been processing for longer. */
  longerThan(ms: number): readonly Job[]
  /** Reports each partition once until it is fetched again, and each message in progress once. */
  onStalled(stalled: readonly Stalled[]): void
}

export interface Stalled {
  /** The partition, or the message in progress. */
  readonly cause: Cursor | Job
  readonly offset: number
  /** ms since it last was well. */
  readonly forMs: number
}

/** What is known of one partition. */
interface Watched {
  /** When it was last fetched, or had no need to be (monotonic ms). */
  wellAt: number
  fetchedAt: number
  isReported: boolean
}

const CHECKS_PER_LIMIT = 10
const LEAST_MS = 10

export class StallWatch {
  readonly #clock: Clock
  readonly #limitMs: number
  readonly #longestWorkMs: number
  readonly #host: StallHost
  #watched = new Map<Cursor, Watched>()
  #reportedJobs = new Set<Job>()
  #timer: Timer | null = null

  /**
   * @param limitMs how long a partition may go without an answer, and a message take to process; 0: for ever
   * @param longestWorkMs `max.poll.interval.ms`, after which a message is stuck in any case
   */
  constructor(clock: Clock, limitMs: number, longestWorkMs: number, host: StallHost) {
    this.#clock = clock
    this.#limitMs = limitMs
    this.#longestWorkMs = Math.min(limitMs, longestWorkMs)
    this.#host = host
    if (limitMs > 0) this.#schedule()
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #schedule(): void {
    this.#timer = this.#clock.setTimer(Math.max(LEAST_MS, this.#longestWorkMs / CHECKS_PER_LIMIT), () => {
      this.#schedule()
      this.#check()
    })
  }

  #check(): void {
    const now = this.#clock.now()
    const isQueueFull = this.#host.isQueueFull()
    const before = this.#watched
    const stalled: Stalled[] = []
    // A new map each time forgets what is no longer assigned.
    this.#watched = new Map()
    for (const cursor of this.#host.cursors) {
      const { fetchedAt } = cursor.fetching
      let watched = before.get(cursor)
      if (watched === undefined) watched = { wellAt: now, fetchedAt, isReported: false }
      this.#watched.set(cursor, watched)
      // A partition need not be fetched while it is paused or held, or while the application has not taken what waits.
      if (cursor.isSuspended || cursor.queued.messages > 0 || isQueueFull || fetchedAt !== watched.fetchedAt) {
        watched.fetchedAt = fetchedAt
        watched.wellAt = now
        watched.isReported = false
      } else if (now - watched.wellAt >= this.#limitMs && !watched.isReported) {
        watched.isReported = true
        stalled.push({ cause: cursor, offset: cursor.position, forMs: now - watched.wellAt })
      }
    }
    const working = new Set(this.#host.longerThan(this.#longestWorkMs))
    for (const job of working) {
      if (!this.#reportedJobs.has(job)) stalled.push({ cause: job, offset: job.offset, forMs: now - job.since })
    }
    this.#reportedJobs = working
    if (stalled.length > 0) this.#host.onStalled(stalled)
  }
}
