/** A pending timer. */
export interface Timer {
  cancel(): void
}

/** Time as the cluster sees it; tests may pass one that they move. */
export interface Clock {
  /** ms since the epoch. */
  now(): number
  setTimer(ms: number, callback: () => void): Timer
}

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimer: (ms, callback) => {
    const handle = setTimeout(callback, Math.min(Math.max(0, ms), 2 ** 31 - 1))
    return { cancel: () => clearTimeout(handle) }
  },
}
