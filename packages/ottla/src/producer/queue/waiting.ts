/** Helpers for waiting messages: why they wait, and where they go. */
import { BatchWriter, ErrorCode } from '@ottla/protocol'
import type { Snapshot } from '../../cluster/snapshot.ts'
import { KafkaError } from '../../errors.ts'
import type { HeldRecord } from './batch.ts'
import type { ReportSink } from './entries.ts'
import type { AnyMessage } from './message.ts'
import type { PartitionQueue } from './partition-queue.ts'

/** The part of the cluster that is needed here. */
export interface KnownCluster {
  /** Why no broker has answered a metadata request. */
  readonly metadataError?: KafkaError | null
  readonly metadata: { readonly snapshot: Snapshot }
}

/** Why a message could not be sent so far; null if no reason is known. */
export function waitingReason(cluster: KnownCluster, queue: PartitionQueue): KafkaError | null {
  const metadataError = cluster.metadataError ?? null
  const topic = cluster.metadata.snapshot.topics.get(queue.topic.name)
  if (topic === undefined) return metadataError
  if (topic.errorCode !== ErrorCode.ERR_NO_ERROR) return KafkaError.of(topic.errorCode, `topic ${queue.topic.name}`)
  if (queue.leader < 0) return metadataError ?? KafkaError.of(ErrorCode.ERR_LEADER_NOT_AVAILABLE, queue.name)
  return metadataError
}

/** Adds a message to the queue of a partition, or, if the topic is gone again, to the unassigned ones. */
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
