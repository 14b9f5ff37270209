/**
 * A timer of a `Clock`.
 * @since 0.1.0
 */
export interface Timer {
  /** Prevents the callback if it has not been called yet. */
  cancel(): void
}

/**
 * The cluster's source of time; a test may pass one that it advances itself.
 * @since 0.1.0
 */
export interface Clock {
  /** ms since the epoch. */
  now(): number
  /** Calls `callback` once, after `ms`. */
  setTimer(ms: number, callback: () => void): Timer
}

/** The system's time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimer: (ms, callback) => {
    const handle = setTimeout(callback, Math.min(Math.max(0, ms), 2 ** 31 - 1))
    return { cancel: () => clearTimeout(handle) }
  },
}
