/** The read loop of runs and streams, which process many messages at once. */
import { KafkaError } from '../../errors.ts'

/** Ends the loop. */
export const STOP: unique symbol = Symbol('stop')

interface Source {
  awaitNext<T>(holder: object, take: () => T | null): Promise<T | null>
}

/**
 * For the holder of the slot: passes what `take` returns to `work`, until that is STOP or the consumer is closed.
 * Rejects with a fatal error. Other errors reach only this reader, and go to `warn`.
 */
export async function takeAll<T>(
  source: Source,
  holder: object,
  take: () => T | typeof STOP | null,
  work: (taken: T) => void,
  warn: (error: KafkaError) => void,
): Promise<void> {
  for (;;) {
    try {
      const taken = take() ?? (await source.awaitNext(holder, take))
      if (taken === null || taken === STOP) return
      work(taken)
    } catch (error) {
      if (!(error instanceof KafkaError) || error.isFatal) throw error
      warn(error)
    }
  }
}
