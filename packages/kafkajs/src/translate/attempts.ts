/** Repeats what `ottla` does not: a question whose answer is not there yet. */
import type { RetryPlan } from './retry.ts'
import { retryTime } from './retry.ts'

export function sleep(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

/** Does the work again, with the plan's backoffs, as long as its error is worth another attempt. */
export async function withRetries<T>(
  plan: RetryPlan,
  work: () => Promise<T>,
  isWorthAnother: (error: unknown) => boolean,
): Promise<T> {
  for (let retry = 1; ; retry++) {
    try {
      return await work()
    } catch (error) {
      if (retry > plan.retries || !isWorthAnother(error)) throw error
      await sleep(withJitter(retryTime(plan, retry), plan.factor))
    }
  }
}

/** @param factor 0.2 is 20 % up or down */
export function withJitter(ms: number, factor: number): number {
  return Math.ceil(ms * (1 - factor + 2 * factor * Math.random()))
}
