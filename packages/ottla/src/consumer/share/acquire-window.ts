/** How many records a share consumer keeps waiting: no other consumer can process those. Pure. */

const START = 32
/**
 * The window grows when a lot is delivered within the first part of the lock duration, and shrinks beyond the second.
 */
const QUICK_PART = 1 / 16
const SLOW_PART = 1 / 4

export class AcquireWindow {
  readonly #most: number
  #least = 1
  #size: number

  /** @param most `max.poll.records` */
  constructor(most: number) {
    this.#most = most
    this.#size = Math.min(START, most)
  }

  get size(): number {
    return Math.max(this.#size, Math.min(this.#least, this.#most))
  }

  /** Whether it has its full size, and that is not small: the broker need not cut batches to fit. */
  get isOpen(): boolean {
    return this.size >= this.#most && this.#most > START
  }

  /** Keeps the window at least this large, so that all handlers have something to do. */
  keepAtLeast(least: number): void {
    this.#least = least
  }

  /** A lot of `count` records has been delivered, the last of them after `ms`. */
  delivered(count: number, ms: number, lockMs: number): void {
    if (ms > lockMs * SLOW_PART) this.#size = Math.max(1, Math.floor(Math.min(count, this.#size) / 2))
    else if (ms < lockMs * QUICK_PART && count * 2 >= this.#size) this.#size = Math.min(this.#most, this.#size * 2)
  }
}
