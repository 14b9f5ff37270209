/**
 * Waits for the first of several brokers to come up: one that does not answer must not keep the client from the others.
 */
import { onAbort } from '../base/abort.ts'
import { abortReason, whenPassed, type Clock, type Deadline } from '../base/clock.ts'
import { firstOf } from '../base/first.ts'
import type { KafkaError } from '../errors.ts'
import { PARALLEL_AFTER_MS } from '../network/attempt.ts'
import type { Broker } from './broker.ts'

/**
 * Connects to the brokers in turn: to the next one in parallel if those before it are not up within PARALLEL_AFTER_MS,
 * and at once when one fails. Gives up attempts that are no longer needed.
 * Rejects with the last failure if all fail, with the error of `late` at the deadline, or with the signal's reason.
 */
export async function firstUp(
  brokers: readonly Broker[],
  clock: Clock,
  deadline: Deadline,
  signal: AbortSignal | undefined,
  late: () => KafkaError,
): Promise<Broker> {
  if (signal?.aborted === true) throw abortReason(signal)
  const over = new AbortController()
  const limit = whenPassed(clock, deadline, () => over.abort(late()))
  // Only called if there is a signal.
  const stopListening = onAbort(signal, () => over.abort(abortReason(signal as AbortSignal)))
  const rest = [...brokers]
  try {
    return await firstOf(clock, PARALLEL_AFTER_MS, number => {
      // Another caller may have connected to one meanwhile.
      const up = number === 0 ? -1 : rest.findIndex(({ isUp }) => isUp)
      const [broker] = over.signal.aborted ? [] : rest.splice(Math.max(up, 0), 1)
      return broker === undefined ? null : broker.waitUntilUp('control', over.signal).then(() => broker)
    })
  } finally {
    limit.cancel()
    stopListening()
    over.abort()
  }
}
