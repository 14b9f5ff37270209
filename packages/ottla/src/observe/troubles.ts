/** Errors that stand: told when they come, not each time that they are met again. */
import type { Clock } from '../base/clock.ts'

/** One that lasts is told again after this time, and then half as often each time, */
const FIRST_MS = 1_000
/** until it is told once a minute. */
const MOST_MS = 60_000
/** What works for a shorter time than this comes and goes: it has not been over. */
const STEADY_MS = 1_000
/** A program that meets ever new ones (topics made and deleted) must not fill the memory with old ones. */
const MOST = 1_000

interface Told {
  readonly code: number
  readonly at: number
  readonly waitMs: number
  /** Since when it works; null while it does not. */
  overAt: number | null
}

/** Of one subject only the last error counts: another one is news, the same one when it had been over, or after its time. */
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
    let waitMs = FIRST_MS
    if (told?.code === code && (told.overAt === null || now - told.overAt < STEADY_MS)) {
      told.overAt = null
      if (now - told.at < told.waitMs) return false
      waitMs = Math.min(2 * told.waitMs, MOST_MS)
    }
    this.#told.delete(subject)
    if (this.#told.size >= MOST) this.#forgetOldest()
    this.#told.set(subject, { code, at: now, waitMs, overAt: null })
    return true
  }

  /** It works again. */
  over(subject: string): void {
    if (this.#told.size === 0) return
    const told = this.#told.get(subject)
    if (told !== undefined) told.overAt ??= this.#clock.now()
  }

  #forgetOldest(): void {
    for (const subject of this.#told.keys()) {
      this.#told.delete(subject)
      return
    }
  }
}
