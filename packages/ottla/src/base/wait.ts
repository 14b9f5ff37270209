import { abortReason, type Clock, type Deadline } from './clock.ts'

/** What every waiting call accepts in place of a plain number of milliseconds. */
export type WaitInput = number | { readonly timeoutMs?: number; readonly signal?: AbortSignal } | undefined

export interface Wait {
  /** Milliseconds; -1 means no limit. */
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

/** Brings the forms of a wait option (`5000` or `{ timeoutMs, signal }`) to one. */
export function resolveWait(input: WaitInput, defaultMs: number): Wait {
  if (typeof input === 'number') return { timeoutMs: input, signal: undefined }
  return { timeoutMs: input?.timeoutMs ?? defaultMs, signal: input?.signal }
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
  const left = deadline.left()
  if (left === Infinity && signal === undefined) return promise
  return new Promise<T>((resolve, reject) => {
    const finish = (): void => {
      timer?.cancel()
      signal?.removeEventListener('abort', onAbort)
    }
    const onAbort = (): void => {
      finish()
      // The listener only exists when there is a signal.
      reject(abortReason(signal as AbortSignal))
    }
    const timer =
      left === Infinity
        ? null
        : clock.setTimer(left, () => {
            finish()
            reject(onTimeout())
          })
    if (signal?.aborted === true) {
      onAbort()
      promise.catch(() => undefined)
      return
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    promise.then(
      value => {
        finish()
        resolve(value)
      },
      (error: unknown) => {
        finish()
        reject(error instanceof Error ? error : new Error(String(error)))
      },
    )
  })
}
