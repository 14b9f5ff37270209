import type { Clock, Timer } from './clock.ts'

/** One timer for many due times: it rings at the earliest, and `onRing` sets it for the next. */
export class Alarm {
  readonly #clock: Clock
  readonly #onRing: () => void
  #timer: Timer | null = null
  #at = Infinity

  constructor(clock: Clock, onRing: () => void) {
    this.#clock = clock
    this.#onRing = onRing
  }

  /** @param at - monotonic ms; the earliest of several counts */
  set(at: number): void {
    if (at >= this.#at) return
    this.#timer?.cancel()
    this.#at = at
    this.#timer = this.#clock.setTimer(Math.max(0, at - this.#clock.now()), () => {
      this.#timer = null
      this.#at = Infinity
      this.#onRing()
    })
  }

  cancel(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#at = Infinity
  }
}
