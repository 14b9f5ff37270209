/** Offsets as kafkajs has them: decimal digits. */
import type { TopicPartitionOffset } from 'ottla'
import { KafkaJSNonRetriableError } from '../errors.ts'
import type { Offsets } from '../types/metadata.ts'

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

/** kafkajs's offsets, as a list. Partitions may be text: those of `uncommittedOffsets` are. */
export function flatOffsets({ topics }: Offsets): TopicPartitionOffset[] {
  return topics.flatMap(({ topic, partitions }) =>
    partitions.map(({ partition, offset }) => ({ topic, partition: partitionOf(partition), offset: offsetOf(offset) })),
  )
}

/** @throws KafkaJSNonRetriableError for anything but a whole number */
export function partitionOf(given: unknown): number {
  const partition = typeof given === 'string' && given.trim() !== '' ? Number(given) : given
  if (Number.isSafeInteger(partition)) return partition as number // it has been checked
  throw new KafkaJSNonRetriableError(`Invalid partition, expected a number received ${String(given)}`)
}
