/** The time, for code that runs a million times a second. */
import type { Clock } from './clock.ts'
import { enqueueMicrotask } from './microtask.ts'

// Calls that may share a reading: bounds its age if the application computes between them.
const CALLS_PER_READING = 16

/**
 * Reads the clock once for up to sixteen calls of one synchronous run: a reading costs as much as encoding a small
 * record. The reading is dropped when the run ends, so it never outlives an `await`.
 */
export class TurnClock {
  readonly #clock: Clock
  readonly #expire = (): void => {
    this.#left = 0
    this.#isExpiring = false
  }
  #left = 0
  #isExpiring = false
  // NaN: a field that begins as an integer would change its representation at the first reading.
  #reading = NaN

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Monotonic milliseconds. */
  now(): number {
    if (this.#left > 0) {
      this.#left--
      return this.#reading
    }
    return this.#read()
  }

  #read(): number {
    this.#reading = this.#clock.now()
    this.#left = CALLS_PER_READING - 1
    if (!this.#isExpiring) {
      this.#isExpiring = true
      enqueueMicrotask(this.#expire)
    }
    return this.#reading
  }
}
