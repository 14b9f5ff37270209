/** What programs give to `sendOffsetsToTransaction`, checked. */
import { ErrorCode, KafkaError } from '../../errors.ts'
import type { ConsumerGroupMetadata, TopicPartitionOffset } from '../../types.ts'

/**
 * The offsets that can be committed: logical ones (below 0) are left out, as librdkafka does.
 * @throws KafkaError ERR__INVALID_ARG
 */
export function checkOffsets(offsets: readonly TopicPartitionOffset[]): TopicPartitionOffset[] {
  // Programs in plain JavaScript may give anything.
  if (!(offsets instanceof Array)) throw invalid('offsets must be an array')
  return offsets.filter((each, i) => {
    const { topic, partition, offset } = each
    if (typeof topic !== 'string' || topic === '') throw invalid(`offsets[${i}].topic must be the name of a topic`)
    if (!Number.isInteger(partition) || partition < 0) throw invalid(`offsets[${i}].partition must be 0 or more`)
    if (!Number.isSafeInteger(offset)) throw invalid(`offsets[${i}].offset must be an integer`)
    return offset >= 0
  })
}

/** @throws KafkaError ERR__INVALID_ARG */
export function checkGroup(group: ConsumerGroupMetadata): void {
  const { groupId, generationId, memberId } = (group as Partial<ConsumerGroupMetadata> | undefined) ?? {}
  if (typeof groupId !== 'string' || groupId === '' || typeof memberId !== 'string' || typeof generationId !== 'number')
    throw invalid('group must be what consumer.groupMetadata() returns')
}

function invalid(message: string): KafkaError {
  return new KafkaError(ErrorCode.ERR__INVALID_ARG, `sendOffsetsToTransaction: ${message}`)
}
