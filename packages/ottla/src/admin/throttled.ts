import { ErrorCode } from '@ottla/protocol'
import { requestInRounds } from '../cluster/rounds.ts'
import type { KafkaError } from '../errors.ts'
import type { AdminCall } from './call.ts'

/**
 * Sends several changes to the controller, and retries those that its mutation quota has refused (KIP-599) until the
 * call's deadline. The connection itself waits for the broker's throttle time.
 * @param send returns one result for each item, in order
 */
export async function untilAccepted<T, R extends { error?: KafkaError }>(
  call: AdminCall,
  items: readonly T[],
  send: (items: readonly T[]) => Promise<readonly R[]>,
): Promise<R[]> {
  return requestInRounds<R>(call.context, call, items.length, {
    send: async open => {
      const results = new Map<number, R>()
      const answers = await send(open.map(i => items[i] as T)) // the indexes are those of the items
      open.forEach((i, at) => {
        const answer = answers[at]
        if (answer !== undefined) results.set(i, answer)
      })
      return results
    },
    isOpen: ({ error }) => error?.code === ErrorCode.ERR_THROTTLING_QUOTA_EXCEEDED,
  })
}
