import { invalidArgument } from '../errors.ts'
import { onAbort } from './abort.ts'
import { abortReason, whenPassed, type Clock, type Deadline } from './clock.ts'
import { toError } from './unknown-error.ts'

/** The forms in which a call takes its limit. */
export type WaitInput = number | { readonly timeoutMs?: number; readonly signal?: AbortSignal } | undefined

export interface Wait {
  /** Milliseconds; -1 means no limit. */
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

/**
 * Normalizes a wait option (`5000` or `{ timeoutMs, signal }`).
 * @throws KafkaError ERR__INVALID_ARG for anything but a number of milliseconds
 */
export function resolveWait(input: WaitInput, defaultMs: number): Wait {
  if (input instanceof Object) return { timeoutMs: asMs(input.timeoutMs ?? defaultMs), signal: input.signal }
  return { timeoutMs: asMs(input ?? defaultMs), signal: undefined }
}

function asMs(given: unknown): number {
  if (typeof given === 'number' && !Number.isNaN(given)) return given
  const what = typeof given === 'string' ? `'${given}'` : String(given)
  const text = `a limit must be a number of milliseconds (-1: none), or { timeoutMs, signal }, not ${what}`
  throw invalidArgument(text)
}

/**
 * Settles like `promise`, unless the deadline passes (rejects with the error of `onTimeout`) or the signal aborts
 * first. The promise itself carries on; its later rejection is swallowed here.
 */
export function within<T>(
  promise: Promise<T>,
  clock: Clock,
  deadline: Deadline,
  onTimeout: () => Error,
  signal?: AbortSignal,
): Promise<T> {
  if (deadline.left() === Infinity && signal === undefined) return promise
  return new Promise<T>((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(abortReason(signal))
      promise.catch(() => undefined)
      return
    }
    const finish = (): void => {
      timer.cancel()
      stopListening()
    }
    const stopListening = onAbort(signal, () => {
      finish()
      // Only called if there is a signal.
      reject(abortReason(signal as AbortSignal))
    })
    const timer = whenPassed(clock, deadline, () => {
      finish()
      reject(onTimeout())
    })
    promise.then(
      value => {
        finish()
        resolve(value)
      },
      (error: unknown) => {
        finish()
        reject(toError(error))
      },
    )
  })
}
