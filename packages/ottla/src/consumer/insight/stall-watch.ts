/** Notices assigned partitions that no broker answers for, although the program waits for their messages. */
import type { Clock, Timer } from '../../base/clock.ts'
import type { Cursor } from '../cursor.ts'

export interface StallHost {
  readonly cursors: readonly Cursor[]
  /** Nothing is fetched, of any partition, until the program takes what waits for it. */
  isQueueFull(): boolean
  /** Told of each partition once, until it is fetched again. */
  onStalled(stalled: readonly Stalled[]): void
}

export interface Stalled {
  readonly cursor: Cursor
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
  readonly #host: StallHost
  #watched = new Map<Cursor, Watched>()
  #timer: Timer | null = null

  /** @param limitMs how long a partition may go without an answer; 0: for ever */
  constructor(clock: Clock, limitMs: number, host: StallHost) {
    this.#clock = clock
    this.#limitMs = limitMs
    this.#host = host
    if (limitMs > 0) this.#later()
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #later(): void {
    this.#timer = this.#clock.setTimer(Math.max(LEAST_MS, this.#limitMs / LOOKS_PER_LIMIT), () => {
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
      const { fetchedAt } = cursor
      let watched = before.get(cursor)
      if (watched === undefined) watched = { wellAt: now, fetchedAt, isTold: false }
      this.#watched.set(cursor, watched)
      // What is paused, or waits for the program to take what there is, need not be fetched.
      if (cursor.paused || cursor.queuedMessages > 0 || isQueueFull || fetchedAt !== watched.fetchedAt) {
        watched.fetchedAt = fetchedAt
        watched.wellAt = now
        watched.isTold = false
      } else if (now - watched.wellAt >= this.#limitMs && !watched.isTold) {
        watched.isTold = true
        stalled.push({ cursor, forMs: now - watched.wellAt })
      }
    }
    if (stalled.length > 0) this.#host.onStalled(stalled)
  }
}
