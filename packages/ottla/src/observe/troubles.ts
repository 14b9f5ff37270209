/** Errors that stand: told when they come, not each time that they are met again. */
import type { Clock } from '../base/clock.ts'

/** One that lasts is told again after this time. */
const REPEAT_MS = 60_000
/** One that comes and goes is told no more often than this at first, and half as often each time. */
const FLICKER_MS = 1_000
/** A program that meets ever new ones (topics made and deleted) must not fill the memory with old ones. */
const MOST = 1_000

interface Told {
  readonly code: number
  readonly at: number
  readonly flickerMs: number
  isOver: boolean
}

/** Of one subject only the last error counts: another one is news, the same one when it had been over, or after a minute. */
export class Troubles {
  readonly #clock: Clock
  readonly #told = new Map<string, Told>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Whether to tell of it now.
   * @param subject what it concerns, in words of the caller's
   */
  isNews(subject: string, code: number): boolean {
    const now = this.#clock.now()
    const told = this.#told.get(subject)
    const age = told === undefined ? Infinity : now - told.at
    const isSame = told?.code === code
    if (told !== undefined && isSame && age < (told.isOver ? told.flickerMs : REPEAT_MS)) return false
    const flickerMs = isSame && age < REPEAT_MS ? Math.min(2 * (told?.flickerMs ?? 0), REPEAT_MS) : FLICKER_MS
    this.#told.delete(subject)
    if (this.#told.size >= MOST) this.#forgetOldest()
    this.#told.set(subject, { code, at: now, flickerMs, isOver: false })
    return true
  }

  /** It works again. */
  over(subject: string): void {
    if (this.#told.size === 0) return
    const told = this.#told.get(subject)
    if (told !== undefined) told.isOver = true
  }

  #forgetOldest(): void {
    for (const subject of this.#told.keys()) {
      this.#told.delete(subject)
      return
    }
  }
}
