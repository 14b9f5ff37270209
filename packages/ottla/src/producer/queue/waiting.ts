/** Messages that wait: for a partition, for their turn, for a cluster that can be reached. */
import { BatchWriter, ErrorCode } from '@ottla/protocol'
import type { Snapshot } from '../../cluster/snapshot.ts'
import { KafkaError } from '../../errors.ts'
import type { Batch, HeldRecord } from './batch.ts'
import type { ReportSink } from './entries.ts'
import type { AnyMessage } from './message.ts'
import type { PartitionQueue } from './partition-queue.ts'

/** What is known of the cluster. */
export interface KnownCluster {
  /** Why no broker has told about the cluster. */
  readonly trouble?: KafkaError | null
  readonly metadata: { readonly snapshot: Snapshot }
}

/** Why a message that was never sent could not be; null if nothing is known to be wrong. */
export function obstacle(cluster: KnownCluster, queue: PartitionQueue): KafkaError | null {
  const trouble = cluster.trouble ?? null
  const topic = cluster.metadata.snapshot.topics.get(queue.topic.name)
  if (topic === undefined) return trouble
  if (topic.errorCode !== ErrorCode.ERR_NO_ERROR) return KafkaError.of(topic.errorCode, `topic ${queue.topic.name}`)
  if (queue.leader < 0) return trouble ?? KafkaError.of(ErrorCode.ERR_LEADER_NOT_AVAILABLE, queue.name)
  return trouble
}

/** Into the queue of a partition, or, when the topic has gone again, to where it waits for one. */
export function place(
  queue: PartitionQueue,
  message: AnyMessage,
  sink: ReportSink,
  record: HeldRecord,
  at: number,
): number {
  const { key, value, headers, timestamp } = record
  const size = BatchWriter.estimateSize(key, value, headers)
  if (queue.partition < 0) return queue.hold(message, sink, record, at, size)
  return queue.append(message, sink, key, value, headers, timestamp, at, size)
}

/** The first message that was accepted after a time, but never the batch's own first. */
export function firstYoung(batch: Batch, since: number): number {
  let index = 1
  while (index < batch.count - 1 && batch.entries.acceptedAt(index) <= since) index++
  return index
}
