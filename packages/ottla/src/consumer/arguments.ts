/** Checks what programs pass, and says what is wrong with it. */
import { ErrorCode } from '@ottla/protocol'
import { KafkaError } from '../errors.ts'
import type { TopicPartition, TopicPartitionOffset } from '../types.ts'

/** Throws KafkaError ERR__INVALID_ARG for anything that is no list of partitions, or names one twice. */
export function checkPartitions(list: readonly TopicPartition[], call: string): void {
  if (!Array.isArray(list)) throw invalid(`${call} takes a list of partitions`)
  const seen = new Set<string>()
  for (const entry of list as readonly Partial<TopicPartition>[]) {
    const { topic, partition } = entry
    if (typeof topic !== 'string' || topic === '') throw invalid(`${call}: a topic has to be a text that is not empty`)
    if (!Number.isInteger(partition) || (partition ?? -1) < 0) {
      throw invalid(`${call}: ${topic} has no partition ${String(partition)}`)
    }
    const key = `${topic}\0${partition}`
    if (seen.has(key)) throw invalid(`${call}: ${topic} [${partition}] is named twice`)
    seen.add(key)
  }
}

/** As checkPartitions; offsets have to be whole numbers, logical ones included. */
export function checkOffsets(list: readonly TopicPartitionOffset[], call: string): void {
  checkPartitions(list, call)
  for (const { topic, partition, offset } of list) {
    if (!Number.isSafeInteger(offset))
      throw invalid(`${call}: ${topic} [${partition}] cannot be at offset ${String(offset)}`)
  }
}

export function invalid(message: string): KafkaError {
  return new KafkaError(ErrorCode.ERR__INVALID_ARG, message)
}

/** A partition that the call is about is not among those that are consumed. */
export function notAssigned(topic: string, partition: number): KafkaError {
  return new KafkaError(ErrorCode.ERR__STATE, `${topic} [${partition}] is not assigned to this consumer`)
}

/** The offset to commit when a message is done: that of the next one. */
export function behind(
  message: TopicPartition & { readonly offset: number; readonly leaderEpoch?: number },
): TopicPartitionOffset {
  const { topic, partition, offset, leaderEpoch = -1 } = message
  return { topic, partition, offset: offset + 1, ...(leaderEpoch >= 0 ? { leaderEpoch } : {}) }
}

/** The message was handed out before the position moved: storing it would undo that. */
export function movedSince({ topic, partition, offset }: TopicPartition & { readonly offset: number }): KafkaError {
  const what = `message ${topic} [${partition}] at offset ${offset}`
  return new KafkaError(ErrorCode.ERR__STATE, `${what} was handed out before the position moved (a seek or a reset)`)
}
