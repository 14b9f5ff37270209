/** Time as the client sees it. Passed in everywhere, so that tests can move it. */
import { onAbort } from './abort.ts'

/** A pending timer. */
export interface Timer {
  /** Stops the timer; harmless when it has already fired. */
  cancel(): void
}

/**
 * The only source of time inside the client.
 * @since 0.1.0
 */
export interface Clock {
  /** Monotonic milliseconds; only differences mean anything. */
  now(): number
  /** Milliseconds since the epoch. */
  wallTime(): number
  /** Calls `callback` once, `ms` milliseconds from now at the earliest. */
  setTimer(ms: number, callback: () => void): Timer
}

// Node turns a longer delay into 1 ms and prints a warning.
const LONGEST_TIMER_MS = 2 ** 31 - 1

class SystemTimer implements Timer {
  #handle: NodeJS.Timeout | null

  constructor(ms: number, callback: () => void) {
    this.#handle = setTimeout(callback, Math.min(Math.max(ms, 0), LONGEST_TIMER_MS))
  }

  cancel(): void {
    if (this.#handle === null) return
    clearTimeout(this.#handle)
    this.#handle = null
  }
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  setTimer: (ms, callback) => new SystemTimer(ms, callback),
}

/**
 * One point in time that is handed down through every layer of a call, so that
 * nested waits share a limit instead of each starting a fresh one.
 */
export class Deadline {
  readonly #clock: Clock
  readonly #at: number

  private constructor(clock: Clock, at: number) {
    this.#clock = clock
    this.#at = at
  }

  /** The moment `ms` milliseconds from now; -1 means never. */
  static after(clock: Clock, ms: number): Deadline {
    return new Deadline(clock, ms < 0 ? Infinity : clock.now() + ms)
  }

  /** Milliseconds until the moment: 0 when it has passed, Infinity when there is none. */
  left(): number {
    return Math.max(0, this.#at - this.#clock.now())
  }

  get expired(): boolean {
    return this.#at <= this.#clock.now()
  }
}

/** Resolves `ms` milliseconds from now; rejects with the signal's reason when it is aborted before. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(abortReason(signal))
      return
    }
    const stopListening = onAbort(signal, () => {
      timer.cancel()
      // It is only called when there is a signal.
      reject(abortReason(signal as AbortSignal))
    })
    const timer = clock.setTimer(ms, () => {
      stopListening()
      resolve()
    })
  })
}

/** The reason of an aborted signal as an Error, whatever the caller put there. */
export function abortReason(signal: AbortSignal): Error {
  const reason: unknown = signal.reason
  if (reason instanceof Error) return reason
  return new DOMException(typeof reason === 'string' ? reason : 'This operation was aborted', 'AbortError')
}
