/** Decides which errors to report: a lasting error is reported when it begins, not each time that it recurs. */
import type { Clock } from '../base/clock.ts'
import type { KafkaError } from '../errors.ts'

/** The first repetition of a lasting error; each further one takes twice as long, */
const FIRST_REPEAT_MS = 1_000
/** up to this. */
const LONGEST_REPEAT_MS = 60_000
/** An error that comes back within this time was not over. */
const STEADY_MS = 1_000
/**
 * An application that meets new errors all the time (topics created and deleted) must not fill the memory with old
 * ones.
 */
const MOST_SUBJECTS = 1_000

interface Reported {
  readonly code: number
  readonly at: number
  /** How long the error is not reported again. */
  readonly repeatMs: number
  /** When it was resolved; null while it lasts. */
  resolvedAt: number | null
  /** How often it has come again and was not reported. */
  repeats: number
}

// Beside the errors: events have them as they are, and only logs say how often they came.
const repeatsOf = new WeakMap<KafkaError, string>()

/** ` (12 more times within 8 s)`, for an error that is reported again; else nothing. */
export function repeatsInWords(error: KafkaError): string {
  return repeatsOf.get(error) ?? ''
}

/** The same for `repeats` of them that were not reported, and remembers it for this error. */
export function noteRepeats(error: KafkaError, repeats: number, ms: number): void {
  if (repeats > 0) repeatsOf.set(error, timesWithin(repeats, ms))
}

/** ` (12 more times within 8 s)` */
export function timesWithin(repeats: number, ms: number): string {
  return ` (${repeats} more ${repeats === 1 ? 'time' : 'times'} within ${Math.max(1, Math.round(ms / 1000))} s)`
}

/**
 * Remembers the last error of each subject. Another error is reported at once; the same one if it was over, or rarely.
 */
export class ErrorThrottle {
  readonly #clock: Clock
  readonly #reported = new Map<string, Reported>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Whether to report the error now. Those that are not are counted, and the log says how many with the next one.
   * @param subject - what the error concerns, in the caller's words
   */
  shouldReport(subject: string, error: KafkaError): boolean {
    const { code } = error
    const now = this.#clock.now()
    const last = this.#reported.get(subject)
    let repeatMs = FIRST_REPEAT_MS
    if (last?.code === code && (last.resolvedAt === null || now - last.resolvedAt < STEADY_MS)) {
      last.resolvedAt = null
      if (now - last.at < last.repeatMs) {
        last.repeats++
        return false
      }
      noteRepeats(error, last.repeats, now - last.at)
      repeatMs = Math.min(2 * last.repeatMs, LONGEST_REPEAT_MS)
    }
    this.#reported.delete(subject)
    if (this.#reported.size >= MOST_SUBJECTS) this.#forgetOldest()
    this.#reported.set(subject, { code, at: now, repeatMs, resolvedAt: null, repeats: 0 })
    return true
  }

  /** The subject works again. */
  resolved(subject: string): void {
    if (this.#reported.size === 0) return
    const last = this.#reported.get(subject)
    if (last !== undefined) last.resolvedAt ??= this.#clock.now()
  }

  #forgetOldest(): void {
    for (const subject of this.#reported.keys()) {
      this.#reported.delete(subject)
      return
    }
  }
}
