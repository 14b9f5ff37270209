/** Partitions and offsets in both shapes. */
import {
  OFFSET_BEGINNING,
  OFFSET_END,
  OFFSET_INVALID,
  OFFSET_STORED,
  PARTITION_UA,
  type TopicPartitionOffset as OttlaOffset,
} from 'ottla'
import type { TopicPartition, TopicPartitionOffset } from '../types/messages.ts'
import { toLibrdKafkaError } from './errors.ts'

/** A topic is its name, and nothing more. */
export interface TopicFunction {
  (topicName: string): string
  readonly OFFSET_BEGINNING: number
  readonly OFFSET_END: number
  readonly OFFSET_STORED: number
  readonly OFFSET_INVALID: number
  readonly PARTITION_UA: number
}

/** Returns the name of a topic; has the logical offsets. */
export const Topic: TopicFunction = Object.assign((topicName: string): string => topicName, {
  OFFSET_BEGINNING,
  OFFSET_END,
  OFFSET_STORED,
  OFFSET_INVALID,
  PARTITION_UA,
})

const offsetWords: Readonly<Record<string, number>> = {
  earliest: OFFSET_BEGINNING,
  beginning: OFFSET_BEGINNING,
  latest: OFFSET_END,
  end: OFFSET_END,
  stored: OFFSET_STORED,
}

/** A partition as programs pass it: types are not all that they look at. */
interface Given {
  readonly topic?: unknown
  readonly partition?: unknown
  readonly offset?: unknown
  readonly metadata?: unknown
  readonly leaderEpoch?: unknown
}

/**
 * A partition to read. The offset may be a word; without one it is the committed offset.
 * @throws TypeError
 */
export function toStart(given: Given | null | undefined): OttlaOffset {
  const partition = toPartition(given)
  const { offset } = given ?? {}
  if (offset === undefined || offset === null) return { ...partition, offset: OFFSET_STORED }
  if (typeof offset === 'number') return { ...partition, offset }
  const word = typeof offset === 'string' ? offsetWords[offset.toLowerCase()] : undefined
  if (word === undefined)
    throw new TypeError('"offset" must be a number or one of earliest, beginning, latest, end and stored')
  return { ...partition, offset: word }
}

/**
 * An offset to commit or to store, or a time.
 * @throws TypeError
 */
export function toOffset(given: Given | null | undefined): OttlaOffset {
  const partition = toPartition(given)
  const { offset, metadata, leaderEpoch } = given ?? {}
  if (typeof offset !== 'number') throw new TypeError('"offset" must be a number')
  return {
    ...partition,
    offset,
    ...(typeof metadata === 'string' ? { metadata } : {}),
    ...(typeof leaderEpoch === 'number' && leaderEpoch >= 0 ? { leaderEpoch } : {}),
  }
}

/** @throws TypeError */
export function toPartition(given: Given | null | undefined): TopicPartition {
  const { topic, partition } = given ?? {}
  if (typeof topic !== 'string' || topic === '') throw new TypeError('"topic" must be a string and must be set')
  if (typeof partition !== 'number') throw new TypeError('"partition" must be a number and must be set')
  return { topic, partition }
}

/**
 * What node-rdkafka says of partitions: without an offset where there is none, and an error in place of a partition
 * that has failed.
 */
export function fromOffsets(results: readonly OttlaOffset[]): TopicPartitionOffset[] {
  // Their type has only what is there when all is well.
  return results.map(each => (each.error === undefined ? fromOffset(each) : toLibrdKafkaError(each.error))) as never
}

function fromOffset({ topic, partition, offset }: OttlaOffset): Partial<TopicPartitionOffset> {
  return offset === OFFSET_INVALID ? { partition, topic } : { offset, partition, topic }
}

/** The partitions of an event, with the offsets that are known. */
export function fromEvent(partitions: readonly OttlaOffset[]): TopicPartitionOffset[] {
  return partitions.map(({ topic, partition, offset }) =>
    offset >= 0 ? { topic, partition, offset } : { topic, partition },
  ) as TopicPartitionOffset[] // As above.
}
