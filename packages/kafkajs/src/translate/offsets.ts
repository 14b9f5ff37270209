/** Offsets as kafkajs has them: decimal digits. */
import { KafkaJSNonRetriableError } from '../errors.ts'

/**
 * The number of an offset.
 * @throws KafkaJSNonRetriableError for anything but a whole number
 */
export function offsetOf(given: unknown): number {
  const isText = typeof given === 'string' && /^\s*-?\d+\s*$/.test(given)
  const offset = isText || typeof given === 'number' || typeof given === 'bigint' ? Number(given) : NaN
  if (Number.isSafeInteger(offset)) return offset
  throw new KafkaJSNonRetriableError(`Invalid offset, expected a long received ${String(given)}`)
}
