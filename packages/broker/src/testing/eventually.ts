/** Waits until a check passes. */
import { LATE, deadlineIn, defaultTimeoutMs, pause, realTime, type Time } from './time.ts'

/**
 * How long `eventually` goes on.
 * @since 0.1.0
 */
export interface EventuallyOptions {
  /** Deadline, ms; `OTTLA_TEST_TIMEOUT_MS` or 4000 by default. */
  readonly timeoutMs?: number
  /** Pause between two attempts, ms; 20 by default. */
  readonly intervalMs?: number
  /** Ends the wait early. */
  readonly signal?: AbortSignal
}

const INTERVAL_MS = 20

/**
 * Calls a check again and again until it passes: until it returns, or resolves with, anything but `false`.
 *
 * ```ts
 * await eventually(() => expect(invoices.size).toBe(3))
 * ```
 * @returns what the check returned
 * @throws Error after `timeoutMs`, with the number of attempts and the last error as its cause; the signal's reason when
 * that is aborted
 * @since 0.1.0
 */
export function eventually<T>(check: () => T | Promise<T>, options: EventuallyOptions = {}): Promise<T> {
  return repeat(realTime, check, options, defaultTimeoutMs())
}

/** `eventually` in a time of its own. */
export async function repeat<T>(
  time: Time,
  check: () => T | Promise<T>,
  options: EventuallyOptions,
  defaultMs: number,
): Promise<T> {
  const { timeoutMs = defaultMs, intervalMs = INTERVAL_MS, signal } = options
  const deadline = deadlineIn(time, timeoutMs)
  let attempts = 0
  let last: Failure = { way: 'unanswered' }
  try {
    for (;;) {
      signal?.throwIfAborted()
      attempts++
      const attempt = await Promise.race([attempted(check), deadline.late])
      if (attempt === LATE) throw timedOut(timeoutMs, attempts, last)
      if (attempt.way === 'passed') return attempt.value
      last = attempt
      await pause(time, intervalMs, deadline)
    }
  } finally {
    deadline.cancel()
  }
}

type Failure =
  { readonly way: 'refused' } | { readonly way: 'threw'; readonly error: unknown } | { readonly way: 'unanswered' }

type Attempt<T> = Failure | { readonly way: 'passed'; readonly value: T }

async function attempted<T>(check: () => T | Promise<T>): Promise<Attempt<T>> {
  try {
    const value = await check()
    return value === false ? { way: 'refused' } : { way: 'passed', value }
  } catch (error) {
    return { way: 'threw', error }
  }
}

/** @param last - how the last attempt ended that did */
function timedOut(timeoutMs: number, attempts: number, last: Failure): Error {
  const count = attempts === 1 ? 'one attempt' : `${attempts} attempts`
  const begin = `the check did not pass within ${timeoutMs} ms (${count})`
  switch (last.way) {
    case 'threw': {
      const { error } = last
      return new Error(`${begin}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    }
    case 'unanswered':
      return new Error(`${begin}: it did not come to an end`)
    case 'refused':
      return new Error(`${begin}: it gave false`)
  }
}
