/** Reads a topic without a client. */
import { RecordView } from '@ottla/protocol'
import type { PartitionLog } from '../log/log.ts'
import { open } from '../log/stored-batch.ts'
import type { Topic } from './topics.ts'

/**
 * A message as it stands in a topic.
 * @since 0.1.0
 */
export interface StoredMessage {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Milliseconds since the Unix epoch. */
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly { readonly key: string; readonly value: Buffer | null }[]
}

/**
 * The messages of all partitions, one partition after the other, as a read_committed consumer sees them.
 * @param from - the first offset of interest in each partition, 0 where it is missing
 */
export function messagesOf(topic: Topic, from: readonly number[]): StoredMessage[] {
  return topic.partitions.flatMap(({ index, log }) => committed(topic.name, index, log, from[index] ?? 0))
}

function committed(topic: string, partition: number, log: PartitionLog, from: number): StoredMessage[] {
  const end = log.lastStableOffset
  const start = Math.max(from, log.startOffset)
  const aborted = log.abortedBetween(start, end)
  const messages: StoredMessage[] = []
  for (const stored of log.batches) {
    if (stored.baseOffset >= end) break
    if (stored.lastOffset < start) continue
    const batch = open(stored)
    const { baseOffset } = stored
    if (batch.isControl) continue
    const isAborted = aborted.some(
      ({ producerId, firstOffset, lastOffset }) =>
        batch.isTransactional &&
        producerId === batch.producerId &&
        baseOffset >= firstOffset &&
        baseOffset <= lastOffset,
    )
    if (isAborted) continue
    const cursor = batch.records()
    while (cursor.next()) {
      if (cursor.offset < start) continue
      const { offset, timestamp, key, value, headers } = new RecordView(cursor)
      messages.push({ topic, partition, offset, timestamp, key, value, headers })
    }
  }
  return messages
}
