/** Writes to a topic without a client. */
import { BatchWriter, crc32, type RecordBytes, type RecordHeaders } from '@ottla/protocol'
import { checkBatch, isRefusal, readBatch, type Refusal } from '../log/validation.ts'
import { appendRules } from './append-rules.ts'
import type { Partition, Topic, TopicStore } from './topics.ts'

/**
 * A message to be written.
 * @since 0.1.0
 */
export interface MessageInput {
  readonly key?: RecordBytes | null
  readonly value?: RecordBytes | null
  readonly headers?: RecordHeaders | null
  /** By default the key decides. */
  readonly partition?: number
  /** ms since the epoch; the present by default. */
  readonly timestamp?: number
}

// Batches of this version of Produce may have any compression.
const PRODUCE_VERSION = 12

/** Writes all messages, or none. Throws Error for an unknown partition and for what a broker would refuse. */
export function write(topic: Topic, messages: readonly MessageInput[], topics: TopicStore, now: number): void {
  const rules = appendRules(name => topics.config(topic, name), now)
  const writers = batches(topic, messages, rules.maxMessageBytes, now)
  try {
    // All are checked before the first is written.
    const checked = writers.map(({ partition, writer }) => {
      if (partition.leader < 0) throw new Error(`there is no leader for ${topic.name} [${partition.index}]`)
      const batch = accepted(topic, partition, readBatch(writer.seal({}), PRODUCE_VERSION))
      accepted(topic, partition, checkBatch(batch, rules) ?? batch)
      return { partition, batch }
    })
    for (const { partition, batch } of checked) {
      const options = { ...rules, leaderEpoch: partition.leaderEpoch, strictSequences: false }
      accepted(topic, partition, partition.log.append(batch, options))
    }
  } finally {
    for (const { writer } of writers) writer.release()
  }
}

interface OpenBatch {
  readonly partition: Partition
  readonly writer: BatchWriter
}

function batches(topic: Topic, messages: readonly MessageInput[], maxBytes: number, now: number): OpenBatch[] {
  const all: OpenBatch[] = []
  const open = new Map<Partition, BatchWriter>()
  let keyless = 0
  for (const { key, value, headers, timestamp, partition: wanted } of messages) {
    const index = wanted ?? (isEmpty(key) ? keyless++ % topic.partitions.length : placeOf(key, topic))
    const partition = topic.partitions[index]
    if (partition === undefined) throw new Error(`there is no partition ${topic.name} [${index}]`)
    let writer = open.get(partition)
    const size = BatchWriter.estimateSize(key, value, headers)
    if (writer === undefined || writer.sizeBytes + size > maxBytes) {
      writer = new BatchWriter()
      open.set(partition, writer)
      all.push({ partition, writer })
    }
    writer.append(key, value, headers, timestamp ?? now)
  }
  return all
}

function isEmpty(key: RecordBytes | null | undefined): key is null | undefined {
  return key === null || key === undefined || key.length === 0
}

function placeOf(key: RecordBytes, topic: Topic): number {
  const bytes = typeof key === 'string' ? Buffer.from(key) : key
  return crc32(bytes, 0, bytes.length) % topic.partitions.length
}

function accepted<T extends object>(topic: Topic, { index }: Partition, outcome: T | Refusal): T {
  if (!isRefusal(outcome)) return outcome
  throw new Error(`cannot write to ${topic.name} [${index}]: ${outcome.message}`)
}
