/** Lets the event loop turn between messages, so that heartbeats and responses are not held up. */
import type { Clock } from '../../base/clock.ts'
import { nextTurn } from '../../base/turn.ts'

// How long promises alone may keep the event loop from turning, and after how many messages to check that.
const LONGEST_TURN_MS = 20
export const CHECK_EVERY = 16

export class LoopYield {
  readonly #clock: Clock
  readonly #checkEvery: number
  readonly #longestMs: number
  #untilCheck: number
  #turnedAt: number
  /** Nothing more is delivered before `yield`. */
  isDue = false

  constructor(clock: Clock, checkEvery = CHECK_EVERY, longestMs = LONGEST_TURN_MS) {
    this.#clock = clock
    this.#checkEvery = this.#untilCheck = checkEvery
    this.#longestMs = longestMs
    this.#turnedAt = clock.now()
  }

  /** @returns whether the event loop has not turned for too long */
  count(messages: number): boolean {
    this.#untilCheck -= messages
    if (this.#untilCheck > 0) return false
    this.#untilCheck = this.#checkEvery
    if (this.#clock.now() - this.#turnedAt < this.#longestMs) return false
    this.isDue = true
    return true
  }

  async yield(): Promise<void> {
    await nextTurn()
    this.isDue = false
    this.#turnedAt = this.#clock.now()
  }
}
