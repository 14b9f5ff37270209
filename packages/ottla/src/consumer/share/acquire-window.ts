/** How many records a share consumer has waiting for the program: what it holds back, no other consumer can work on. Pure. */

const START = 32
/** A lot that is worked through within this part of the lock's time lets the window grow; beyond the other, shrink. */
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

  /** Whether it is as large as it may be, and not small: the broker need not cut its batches to size. */
  get isOpen(): boolean {
    return this.size >= this.#most && this.#most > START
  }

  /** So many handlers are to have something to do. */
  keep(least: number): void {
    this.#least = least
  }

  /** So many records that came together were handed out, the last of them after `ms`. */
  worked(count: number, ms: number, lockMs: number): void {
    if (ms > lockMs * SLOW_PART) this.#size = Math.max(1, Math.floor(Math.min(count, this.#size) / 2))
    else if (ms < lockMs * QUICK_PART && count * 2 >= this.#size) this.#size = Math.min(this.#most, this.#size * 2)
  }
}
