/** Topics and brokers of `ottla`, as kafkajs describes them. */
import type { Metadata, PartitionDescription } from 'ottla'
import type { BrokerMetadata, PartitionMetadata } from '../types/metadata.ts'

/** What both the metadata and the description of a topic have. */
interface WithPartitions {
  readonly partitions: readonly Omit<PartitionDescription, 'leaderEpoch'>[]
}

export function partitionMetadataOf({ partitions }: WithPartitions): PartitionMetadata[] {
  return partitions.map(({ partition, leader, replicas, isr, offlineReplicas, error }) => ({
    partitionErrorCode: error?.code ?? 0,
    partitionId: partition,
    leader,
    replicas: [...replicas],
    isr: [...isr],
    offlineReplicas: [...offlineReplicas],
  }))
}

export function brokerMetadataOf({ brokers, topics }: Metadata): BrokerMetadata {
  return {
    brokers: brokers.map(({ id, host, port, rack }) => ({
      nodeId: id,
      host,
      port,
      ...(rack === undefined ? {} : { rack }),
    })),
    topicMetadata: topics.map(topic => ({
      topicErrorCode: topic.error?.code ?? 0,
      topic: topic.topic,
      partitionMetadata: partitionMetadataOf(topic),
    })),
  }
}
