import * as timers from 'node:timers'

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
    const handle = setTimeout(callback, withinLimit(ms))
    return { cancel: () => clearTimeout(handle) }
  },
}

// Taken now: test runners replace them.
const { setTimeout: startTimer, clearTimeout: stopTimer } = timers
const RealDate = Date

/** The system's time, whatever fake timers a test runner has put in place of the globals; keeps no process alive. */
export const backgroundClock: Clock = {
  now: () => RealDate.now(),
  setTimer: (ms, callback) => {
    const handle = startTimer(callback, withinLimit(ms)).unref()
    return { cancel: () => stopTimer(handle) }
  },
}

function withinLimit(ms: number): number {
  return Math.min(Math.max(0, ms), 2 ** 31 - 1)
}
