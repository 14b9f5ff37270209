/** Time for what happens a million times a second. */
import type { Clock } from './clock.ts'
import { soon } from './soon.ts'

// Calls within one synchronous run that may share a reading: bounds how old it can be when the program computes between them.
const CALLS_PER_READING = 16

/**
 * A clock that is read once for up to sixteen calls of one synchronous run: reading the real one costs as much as
 * encoding a small record. The reading is given up as soon as the run ends, so it never outlives an `await`.
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
      soon(this.#expire)
    }
    return this.#reading
  }
}
