/** A member that has left because the application took too long: it joins again inside a poll, once that is over. */
import { sleep, type Clock } from '../../base/clock.ts'
import type { RunningJobs } from '../read/running-jobs.ts'

/** How long to wait for what has to be done before the group is left, ms. */
const PREPARE_MS = 5000

export class Parking {
  readonly #clock: Clock
  readonly #runningJobs: RunningJobs
  #isParked = false
  /** Set while `prepare` is running. */
  #preparing: AbortController | null = null
  /** Joins again when the application is back. */
  #join: (() => void) | null = null

  constructor(clock: Clock, runningJobs: RunningJobs) {
    this.#clock = clock
    this.#runningJobs = runningJobs
  }

  get isParked(): boolean {
    return this.#isParked
  }

  /**
   * @param prepare called first, and awaited for some seconds
   * @param leave called then
   */
  async park(prepare: () => Promise<void>, leave: () => void): Promise<void> {
    if (this.#preparing !== null) return
    this.#isParked = true
    const over = (this.#preparing = new AbortController())
    // Leaves even when that fails: the other members are waiting.
    const prepared = prepare().catch(() => undefined)
    await Promise.race([prepared, sleep(this.#clock, PREPARE_MS, over.signal).catch(() => undefined)])
    over.abort()
    if (this.#preparing !== over) return
    this.#preparing = null
    leave()
  }

  /** As park, with nothing to prepare. */
  parkNow(leave: () => void): void {
    this.#isParked = true
    leave()
  }

  /** The application polls. A run does so all the time, and is back only when none of its jobs takes too long. */
  polled(): void {
    if (!this.#runningJobs.isStuck) this.#isParked = false
  }

  /** @returns false when it has to wait; `onEnded` returns `join` later */
  mayJoin(join: () => void): boolean {
    if (!this.#runningJobs.isStuck) return true
    this.#join = join
    return false
  }

  /** A job has ended. @returns the `join` that had to wait; null when there is none, or it still has to wait */
  onEnded(): (() => void) | null {
    if (!this.#isParked || this.#preparing !== null || this.#runningJobs.isStuck) return null
    const join = this.#join
    this.#join = null
    if (join === null) this.#isParked = false
    return join
  }

  /** The subscription has ended: there is nothing to join again, or to leave. */
  forget(): void {
    this.#join = null
    this.#preparing?.abort()
    this.#preparing = null
  }
}
