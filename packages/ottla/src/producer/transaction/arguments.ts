/** Checks the arguments of `sendOffsetsToTransaction`. */
import { invalidArgument, type KafkaError } from '../../errors.ts'
import { isOffset, wrongOffset } from '../../offsets.ts'
import type { ConsumerGroupMetadata, TopicPartitionOffset } from '../../types.ts'
import { kindOf } from '../queue/kinds.ts'

/**
 * The offsets that can be committed: logical ones (below 0) are skipped, like in librdkafka.
 * @throws KafkaError ERR__INVALID_ARG
 */
export function checkOffsets(offsets: readonly TopicPartitionOffset[]): TopicPartitionOffset[] {
  // Plain JavaScript may pass anything.
  if (!(offsets instanceof Array)) throw invalid(`offsets must be an array, not ${kindOf(offsets)}`)
  return offsets.filter((each: unknown, i) => {
    if (typeof each !== 'object' || each === null) {
      throw invalid(`offsets[${i}] must be { topic, partition, offset }, not ${kindOf(each)}`)
    }
    const { topic, partition, offset } = each as Partial<Record<keyof TopicPartitionOffset, unknown>>
    if (typeof topic !== 'string' || topic === '') {
      const what = topic === '' ? 'an empty string' : kindOf(topic)
      throw invalid(`offsets[${i}].topic must be the name of a topic, not ${what}`)
    }
    if (!Number.isInteger(partition) || (partition as number) < 0) {
      const what = typeof partition === 'number' ? String(partition) : kindOf(partition)
      throw invalid(`offsets[${i}].partition must be a whole number from 0, not ${what}`)
    }
    if (!isOffset(offset)) throw invalid(`offsets[${i}].offset ${wrongOffset(offset)}`)
    return (offset as number) >= 0
  })
}

/** @throws KafkaError ERR__INVALID_ARG */
export function checkGroup(group: ConsumerGroupMetadata): void {
  const { groupId, generationId, memberId } = (group as Partial<ConsumerGroupMetadata> | undefined) ?? {}
  if (typeof groupId !== 'string' || groupId === '' || typeof memberId !== 'string' || typeof generationId !== 'number')
    throw invalid('group must be the result of consumer.groupMetadata()')
}

function invalid(message: string): KafkaError {
  return invalidArgument(`sendOffsetsToTransaction: ${message}`)
}
