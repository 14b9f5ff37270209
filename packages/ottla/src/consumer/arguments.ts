/** Checks what programs pass, and says what is wrong with it. */
import { ErrorCode } from '@ottla/protocol'
import { KafkaError } from '../errors.ts'
import { isOffset, wrongOffset, type TopicPartition, type TopicPartitionOffset } from '../types.ts'

/** Throws KafkaError ERR__INVALID_ARG for anything that is no list of partitions, or names one twice. */
export function checkPartitions(list: readonly TopicPartition[], call: string): void {
  const given: unknown = list
  if (!Array.isArray(given)) {
    const hint = typeof given === 'object' && given !== null && 'topic' in given ? '; put it into [ ]' : ''
    throw invalid(`${call} takes a list of partitions, not ${kindOf(given)}${hint}`)
  }
  const seen = new Set<string>()
  for (const entry of given as readonly unknown[]) {
    if (typeof entry !== 'object' || entry === null) {
      throw invalid(`${call} takes a list of { topic, partition }: ${kindOf(entry)} is none`)
    }
    const { topic, partition } = entry as { topic?: unknown; partition?: unknown }
    if (typeof topic !== 'string' || topic === '') {
      throw invalid(
        `${call}: a topic must be a text that is not empty, not ${topic === '' ? 'an empty one' : kindOf(topic)}`,
      )
    }
    if (!Number.isInteger(partition) || (partition as number) < 0) {
      const what = typeof partition === 'number' ? String(partition) : kindOf(partition)
      throw invalid(`${call}: the partition of ${topic} must be a whole number from 0, not ${what}`)
    }
    const key = `${topic}\0${String(partition)}`
    if (seen.has(key)) throw invalid(`${call}: ${topic} [${String(partition)}] is named twice`)
    seen.add(key)
  }
}

/** As checkPartitions; offsets have to be whole numbers, logical ones included. */
export function checkOffsets(list: readonly TopicPartitionOffset[], call: string): void {
  checkPartitions(list, call)
  for (const { topic, partition, offset } of list) {
    if (!isOffset(offset)) throw invalid(`${call}: the offset of ${topic} [${partition}] ${wrongOffset(offset)}`)
  }
}

/** As checkPartitions; what stands for the offset is a time, or one of the logical offsets. */
export function checkTimes(list: readonly TopicPartitionOffset[], call: string): void {
  checkPartitions(list, call)
  for (const { topic, partition, offset } of list) {
    if (Number.isSafeInteger(offset)) continue
    const what = typeof offset === 'number' ? String(offset) : kindOf(offset)
    throw invalid(
      `${call}: the time of ${topic} [${partition}] must be whole milliseconds (as its offset), not ${what}`,
    )
  }
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
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

/** A call that only a member of a group can make. */
export function noGroup(call: string): KafkaError {
  return new KafkaError(ErrorCode.ERR__UNKNOWN_GROUP, `${call} needs a group: group.id is not set`)
}
