import { ErrorCode } from '@ottla/protocol'
import { backoffMs } from '../base/backoff.ts'
import { sleep } from '../base/clock.ts'
import type { KafkaError } from '../errors.ts'
import type { AdminCall } from './call.ts'

/**
 * Asks the controller for several changes, and again for those that a quota of changes has put off (KIP-599), until
 * the call's deadline. The connection itself waits as long as the broker has said.
 * @param ask gives one result for each item, in their order
 */
export async function untilAccepted<T, R extends { error?: KafkaError }>(
  call: AdminCall,
  items: readonly T[],
  ask: (items: readonly T[]) => Promise<readonly R[]>,
): Promise<R[]> {
  const { clock, random, settings } = call.context
  const results = [...(await ask(items))]
  for (let attempt = 1; ; attempt++) {
    const open = [...results.keys()].filter(i => results[i]?.error?.code === ErrorCode.ERR_THROTTLING_QUOTA_EXCEEDED)
    if (open.length === 0) return results
    const pause = backoffMs(attempt, settings['retry.backoff.ms'], settings['retry.backoff.max.ms'], random)
    if (call.deadline.left() <= pause) return results
    await sleep(clock, pause, call.signal)
    const again = await ask(open.map(i => items[i] as T)) // every index comes from the results, one for each item
    open.forEach((i, at) => {
      const result = again[at]
      if (result !== undefined) results[i] = result
    })
  }
}
