/** Waits for the first of several brokers to be up: one that keeps silent must not keep a client from the others. */
import { onAbort } from '../base/abort.ts'
import { abortReason, whenPassed, type Clock, type Deadline } from '../base/clock.ts'
import { firstOf } from '../base/first.ts'
import type { KafkaError } from '../errors.ts'
import { NEXT_BESIDE_MS } from '../network/attempt.ts'
import type { Broker } from './broker.ts'

/**
 * Connects to the brokers one after the other, the next beside those under way when they are not up within
 * NEXT_BESIDE_MS, at once when one fails. Those that nobody needs are given up.
 * Rejects with the last failure when all have failed, with what `late` makes at the deadline, or with the signal's reason.
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
  // It is only called when there is a signal.
  const stopListening = onAbort(signal, () => over.abort(abortReason(signal as AbortSignal)))
  const rest = [...brokers]
  try {
    return await firstOf(clock, NEXT_BESIDE_MS, number => {
      // Others may have connected to one meanwhile.
      const up = number === 0 ? -1 : rest.findIndex(({ isUp }) => isUp)
      const [broker] = over.signal.aborted ? [] : rest.splice(Math.max(up, 0), 1)
      return broker === undefined ? null : broker.whenUp('control', over.signal).then(() => broker)
    })
  } finally {
    limit.cancel()
    stopListening()
    over.abort()
  }
}
