/** The time in which a test waits. */
import * as timers from 'node:timers'

// Taken now: test runners replace them.
const { setTimeout: startTimer, clearTimeout: stopTimer } = timers

export interface Time {
  /** `due` resolves after `ms`; never, once it is cancelled. */
  timer(ms: number): { readonly due: Promise<void>; readonly cancel: () => void }
}

/** Real time, whatever fake timers a test runner has put in place of the globals. */
export const realTime: Time = {
  timer: ms => {
    let cancel = (): void => undefined
    const due = new Promise<void>(resolve => {
      const handle = startTimer(resolve, ms)
      cancel = () => stopTimer(handle)
    })
    return { due, cancel }
  },
}

/** How long a wait may take. */
export interface Limits {
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

const FIRST_PAUSE_MS = 5
const LONGEST_PAUSE_MS = 50

/**
 * Looks again and again, until there is something to see.
 * @param what - completes "waited 4000 ms for ..."
 * @param saw - completes "... and saw"; no content of messages
 * @throws Error after `timeoutMs`; the signal's reason when that is aborted; what `look` throws
 */
export async function until<T>(
  time: Time,
  { timeoutMs, signal }: Limits,
  look: () => Promise<T | undefined>,
  what: string,
  saw: () => string,
): Promise<T> {
  const deadline = deadlineIn(time, timeoutMs)
  try {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      signal?.throwIfAborted()
      const found = await Promise.race([look(), deadline.late])
      if (found === LATE) throw new Error(`waited ${timeoutMs} ms for ${what} and saw ${saw()}`)
      if (found !== undefined) return found
      await pause(time, pauseMs, deadline)
    }
  } finally {
    deadline.cancel()
  }
}

/** What a deadline gives once it has passed. */
export const LATE = Symbol('late')

export interface Deadline {
  readonly late: Promise<typeof LATE>
  readonly cancel: () => void
}

export function deadlineIn(time: Time, ms: number): Deadline {
  const { due, cancel } = time.timer(ms)
  return { late: due.then(() => LATE), cancel }
}

/** Resolves after `ms`, or when the deadline passes. */
export async function pause(time: Time, ms: number, { late }: Deadline): Promise<void> {
  const { due, cancel } = time.timer(ms)
  await Promise.race([due, late])
  cancel()
}

const DEFAULT_TIMEOUT_MS = 4000

/** `OTTLA_TEST_TIMEOUT_MS`, or 4000: below the five seconds after which most runners give a test up without a reason. */
export function defaultTimeoutMs(): number {
  const configured = Number(process.env['OTTLA_TEST_TIMEOUT_MS'])
  return configured > 0 ? configured : DEFAULT_TIMEOUT_MS
}
