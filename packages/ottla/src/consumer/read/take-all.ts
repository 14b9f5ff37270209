/** The reading of whatever works on many messages at once. */
import { KafkaError } from '../../errors.ts'

/** No more is to be taken. */
export const STOP: unique symbol = Symbol('stop')

interface Source {
  awaitNext<T>(holder: object, take: () => T | null): Promise<T | null>
}

/**
 * For the holder of the seat: works on what `take` gives, until that is STOP or the consumer is closed. Rejects with what ends
 * the reading; nobody but this reader is told of what it would reject with otherwise, which goes to `warn`.
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
