/** Notices when this process was suspended, and the suite and its brokers with it: their time limits went on running. */
export interface SuspensionWatch {
  /** The longest time without running, ms. */
  longestMs(): number
  close(): void
}

const EVERY_MS = 250

export function watchSuspension(): SuspensionWatch {
  let last = performance.now()
  let longest = 0
  const look = (): void => {
    const now = performance.now()
    longest = Math.max(longest, now - last - EVERY_MS)
    last = now
  }
  const timer = setInterval(look, EVERY_MS)
  return {
    longestMs() {
      look()
      return longest
    },
    close() {
      clearInterval(timer)
    },
  }
}
