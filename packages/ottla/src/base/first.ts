import type { Clock, Timer } from './clock.ts'
import { toError } from './unknown-error.ts'

/**
 * Makes an attempt, and a parallel one whenever `everyMs` pass without a result, or at once when one fails.
 * Settles like the first that succeeds, or like the last one if none does.
 * @param attempt - returns null if there is nothing (else) to try now; `failed`: called because another attempt failed
 */
export function firstOf<T>(
  clock: Clock,
  everyMs: number,
  attempt: (number: number, failed: boolean) => Promise<T> | null,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let timer: Timer | null = null
    let made = 0
    let pending = 0
    let settled = false
    const settle = (): void => {
      settled = true
      timer?.cancel()
    }
    const begin = (failed: boolean): boolean => {
      const next = attempt(made, failed)
      if (next === null) return false
      made++
      pending++
      next.then(
        value => {
          if (!settled) resolve(value)
          settle()
        },
        (error: unknown) => {
          pending--
          if (settled || begin(true) || pending > 0) return
          settle()
          reject(toError(error))
        },
      )
      return true
    }
    const later = (): void => {
      timer = clock.setTimer(everyMs, () => {
        begin(false)
        later()
      })
    }
    if (begin(false)) later()
    else reject(new Error('there is nothing to try'))
  })
}
