/** kafkajs's retry options, in the terms of `ottla`: backoffs and time limits. Pure. */
import type { RetryOptions } from '../types/retry.ts'

export interface RetryPlan {
  readonly retries: number
  /** ms */
  readonly initialRetryTime: number
  /** ms */
  readonly maxRetryTime: number
  readonly factor: number
  readonly multiplier: number
}

/** kafkajs's defaults. */
const defaults: RetryPlan = { retries: 5, initialRetryTime: 300, maxRetryTime: 30_000, factor: 0.2, multiplier: 2 }

/** More backoffs than this last for ever. */
const MOST_SUMMED = 1000

/** The plan of these options; those of later ones take precedence. */
export function retryPlan(...options: readonly (RetryOptions | undefined)[]): RetryPlan {
  const plan = { ...defaults }
  for (const each of options) {
    for (const name of Object.keys(defaults) as (keyof RetryPlan)[]) {
      const value = each?.[name]
      if (value !== undefined) plan[name] = value
    }
  }
  return plan
}

/** The backoff before a retry, without jitter, ms. @param retry 1 for the first */
export function retryTime({ initialRetryTime, maxRetryTime, multiplier }: RetryPlan, retry: number): number {
  return Math.min(initialRetryTime * multiplier ** (retry - 1), Math.max(initialRetryTime, maxRetryTime))
}

/** How long all backoffs take together, ms; Infinity where there is no end to them. */
export function allBackoffsMs(plan: RetryPlan): number {
  if (plan.retries > MOST_SUMMED) return Infinity
  let sum = 0
  for (let retry = 1; retry <= plan.retries; retry++) sum += retryTime(plan, retry)
  return sum
}

/** How long a call may take whose attempts may each take so long, ms; Infinity for no limit. */
export function budgetMs(plan: RetryPlan, attemptMs: number): number {
  return allBackoffsMs(plan) + (plan.retries + 1) * attemptMs
}
