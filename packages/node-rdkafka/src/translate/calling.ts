/** Calls of the program's functions. */
import { toLibrdKafkaError } from './errors.ts'

/** A callback with an error first; node-rdkafka passes none, or null, if there is none. */
export type Callback<T extends readonly unknown[]> = (error: never, ...values: T) => unknown

/**
 * Calls a function of the program. What it throws is an uncaught exception, as it would be in a callback of the native
 * client, and never reaches the client.
 */
export function call(work: () => unknown): void {
  try {
    work()
  } catch (error) {
    raise(error)
  }
}

/** Makes it an uncaught exception. */
export function raise(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}

/** Answers a callback with the outcome of a promise. */
export function answer<T>(
  work: Promise<T>,
  callback: ((error: never, value: never) => unknown) | undefined,
  toValue: (result: T) => unknown,
): void {
  // The types of callbacks promise an error, or a value, that is not always there.
  const given = callback as ((error: unknown, value?: unknown) => unknown) | undefined
  work.then(
    result => {
      if (given !== undefined) call(() => given(null, toValue(result)))
    },
    (error: unknown) => {
      if (given !== undefined) call(() => given(toLibrdKafkaError(error)))
    },
  )
}

/** The timeout and the callback of a call in which the timeout may be left out. */
export function timeoutAndCallback<F>(
  timeout: number | F | null | undefined,
  callback: F | undefined,
  fallback: number,
): [timeoutMs: number, callback: F | undefined] {
  if (typeof timeout === 'function') return [fallback, timeout]
  return [typeof timeout === 'number' ? timeout : fallback, callback]
}
