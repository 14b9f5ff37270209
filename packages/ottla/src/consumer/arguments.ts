/** Checks the arguments of calls; an error names the call and what is wrong. */
import { ErrorCode } from '@ottla/protocol'
import { KafkaError } from '../errors.ts'
import { isOffset, wrongOffset } from '../offsets.ts'
import type { TopicPartition, TopicPartitionOffset } from '../types.ts'

/** Throws KafkaError ERR__INVALID_ARG for anything but a list of partitions without duplicates. */
export function checkPartitions(list: readonly TopicPartition[], call: string): void {
  const given: unknown = list
  if (!Array.isArray(given)) {
    const hint = typeof given === 'object' && given !== null && 'topic' in given ? '; put it into [ ]' : ''
    throw invalid(`${call} takes a list of partitions, not ${kindOf(given)}${hint}`)
  }
  const seen = new Set<string>()
  for (const entry of given as readonly unknown[]) {
    if (typeof entry !== 'object' || entry === null) {
      throw invalid(`${call} takes a list of { topic, partition } objects, and ${kindOf(entry)} is not one`)
    }
    const { topic, partition } = entry as { topic?: unknown; partition?: unknown }
    if (typeof topic !== 'string' || topic === '') {
      const what = topic === '' ? 'an empty one' : kindOf(topic)
      throw invalid(`${call}: a topic must be a non-empty string, not ${what}`)
    }
    if (!Number.isInteger(partition) || (partition as number) < 0) {
      const what = typeof partition === 'number' ? String(partition) : kindOf(partition)
      throw invalid(`${call}: the partition of ${topic} must be a whole number, 0 or more, not ${what}`)
    }
    const key = `${topic}\0${String(partition)}`
    if (seen.has(key)) throw invalid(`${call}: ${topic} [${String(partition)}] is listed twice`)
    seen.add(key)
  }
}

/** As checkPartitions; each offset must be a whole number or a logical offset. */
export function checkOffsets(list: readonly TopicPartitionOffset[], call: string): void {
  checkPartitions(list, call)
  for (const { topic, partition, offset } of list) {
    if (!isOffset(offset)) throw invalid(`${call}: the offset of ${topic} [${partition}] ${wrongOffset(offset)}`)
  }
}

/** As checkPartitions; the `offset` field holds a time, or one of the logical offsets. */
export function checkTimes(list: readonly TopicPartitionOffset[], call: string): void {
  checkPartitions(list, call)
  for (const { topic, partition, offset } of list) {
    if (Number.isSafeInteger(offset)) continue
    const what = typeof offset === 'number' ? String(offset) : kindOf(offset)
    const must = 'must be a whole number of milliseconds (as its offset)'
    throw invalid(`${call}: the time of ${topic} [${partition}] ${must}, not ${what}`)
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

/** For a partition that is not assigned. */
export function notAssigned(topic: string, partition: number): KafkaError {
  return new KafkaError(ErrorCode.ERR__STATE, `${topic} [${partition}] is not assigned to this consumer`)
}

/** The offset to commit once a message is processed: that of the next one. */
export function behind(
  message: TopicPartition & { readonly offset: number; readonly leaderEpoch?: number },
): TopicPartitionOffset {
  const { topic, partition, offset, leaderEpoch = -1 } = message
  return { topic, partition, offset: offset + 1, ...(leaderEpoch >= 0 ? { leaderEpoch } : {}) }
}

/** For a message delivered before the position moved: storing its offset would undo the move. */
export function movedSince({ topic, partition, offset }: TopicPartition & { readonly offset: number }): KafkaError {
  const what = `message ${topic} [${partition}] at offset ${offset}`
  return new KafkaError(ErrorCode.ERR__STATE, `${what} was delivered before the position moved (a seek or a reset)`)
}

/** For a call that needs a group. */
export function noGroup(call: string): KafkaError {
  return new KafkaError(ErrorCode.ERR__UNKNOWN_GROUP, `${call} needs a group: group.id is not set`)
}
