import { invalidArgument } from '../errors.ts'
import { onAbort } from './abort.ts'
import { abortReason, whenPassed, type Clock, type Deadline } from './clock.ts'
import { toError } from './unknown-error.ts'

/** What every waiting call accepts in place of a plain number of milliseconds. */
export type WaitInput = number | { readonly timeoutMs?: number; readonly signal?: AbortSignal } | undefined

export interface Wait {
  /** Milliseconds; -1 means no limit. */
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

/**
 * Brings the forms of a wait option (`5000` or `{ timeoutMs, signal }`) to one.
 * @throws KafkaError ERR__INVALID_ARG for what is no number of milliseconds
 */
export function resolveWait(input: WaitInput, defaultMs: number): Wait {
  if (input instanceof Object) return { timeoutMs: asMs(input.timeoutMs ?? defaultMs), signal: input.signal }
  return { timeoutMs: asMs(input ?? defaultMs), signal: undefined }
}

function asMs(given: unknown): number {
  if (typeof given === 'number' && !Number.isNaN(given)) return given
  const what = typeof given === 'string' ? `'${given}'` : String(given)
  const text = `a limit is a number of milliseconds (-1: none), or { timeoutMs, signal }; ${what} is neither`
  throw invalidArgument(text)
}

/**
 * Settles as `promise` does, unless the deadline passes (rejects with what `onTimeout` makes) or the
 * signal is aborted first. The promise itself goes on; its later rejection is swallowed here.
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
      // It is only called when there is a signal.
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
