/** Retries: the backoff between them, and requests about many items of which some have to be retried. */
import { ErrorCode } from '@ottla/protocol'
import { backoffMs } from '../base/backoff.ts'
import { sleep, type Deadline } from '../base/clock.ts'
import type { ClientContext } from './context.ts'
import { isRetriable } from './retry.ts'

type RetryContext = Pick<ClientContext, 'clock' | 'settings' | 'random'>

/** The limits of all attempts together. */
export interface RetryLimits {
  readonly deadline: Deadline
  readonly signal?: AbortSignal | undefined
}

/** The backoff before a retry (1 is the first): `retry.backoff.ms`, growing to `retry.backoff.max.ms`. */
export function retryBackoffMs({ settings, random }: Omit<RetryContext, 'clock'>, attempt: number): number {
  return backoffMs(attempt, settings['retry.backoff.ms'], settings['retry.backoff.max.ms'], random)
}

/**
 * Waits for the backoff before a retry.
 * @returns false, at once, if the deadline leaves no time for another attempt
 */
export async function pauseBeforeRetry(context: RetryContext, attempt: number, limits: RetryLimits): Promise<boolean> {
  const pause = retryBackoffMs(context, attempt)
  if (limits.deadline.left() <= pause) return false
  await sleep(context.clock, pause, limits.signal)
  return true
}

/** A request about many items. */
export interface RoundRequest<R> {
  /** Sends the request for the items with these indexes; returns a result for each. */
  send(open: readonly number[]): Promise<ReadonlyMap<number, R>>
  /** Whether the item has to be retried. */
  isOpen(result: R, attempt: number): boolean
}

/**
 * Sends the request for all items, then again for those still open, until the deadline.
 * @returns the last result of each item
 */
export async function requestInRounds<R>(
  context: RetryContext,
  limits: RetryLimits,
  count: number,
  request: RoundRequest<R>,
): Promise<R[]> {
  const results = new Array<R>(count)
  let open = [...results.keys()]
  for (let attempt = 1; open.length > 0; attempt++) {
    const again: number[] = []
    for (const [i, result] of await request.send(open)) {
      results[i] = result
      if (request.isOpen(result, attempt)) again.push(i)
    }
    open = again
    if (open.length === 0 || !(await pauseBeforeRetry(context, attempt, limits))) break
  }
  return results
}

// Not every broker may know a new topic yet; a topic that stays unknown is missing.
const UNKNOWN_TOPIC_ATTEMPTS = 3

/** Whether to retry an item that was answered with this code. */
export function worthAnotherRound(code: number, attempt: number): boolean {
  if (code === ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART) return attempt < UNKNOWN_TOPIC_ATTEMPTS
  return isRetriable(code)
}
