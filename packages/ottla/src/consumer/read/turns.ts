/** Lets the event loop turn between messages, so that heartbeats and responses are not held up. */
import type { Clock } from '../../base/clock.ts'
import { nextTurn } from '../../base/turn.ts'

// How long promises alone may keep the event loop from turning, and after how many messages to check that.
const LONGEST_TURN_MS = 20
export const LOOK_EVERY = 16

export class Turns {
  readonly #clock: Clock
  readonly #lookEvery: number
  readonly #longestMs: number
  #untilLook: number
  #turnedAt: number
  /** Nothing more is delivered before `take`. */
  isDue = false

  constructor(clock: Clock, lookEvery = LOOK_EVERY, longestMs = LONGEST_TURN_MS) {
    this.#clock = clock
    this.#lookEvery = this.#untilLook = lookEvery
    this.#longestMs = longestMs
    this.#turnedAt = clock.now()
  }

  /** @returns whether the event loop has not turned for too long */
  count(messages: number): boolean {
    this.#untilLook -= messages
    if (this.#untilLook > 0) return false
    this.#untilLook = this.#lookEvery
    if (this.#clock.now() - this.#turnedAt < this.#longestMs) return false
    this.isDue = true
    return true
  }

  async take(): Promise<void> {
    await nextTurn()
    this.isDue = false
    this.#turnedAt = this.#clock.now()
  }
}
