/** Brokers, topics and partitions, as kafkajs describes them. */

export type PartitionMetadata = {
  /** 0, or the broker's error code. */
  partitionErrorCode: number
  partitionId: number
  /** -1 if there is none. */
  leader: number
  replicas: number[]
  isr: number[]
  offlineReplicas?: number[]
}

export interface BrokerMetadata {
  brokers: { nodeId: number; host: string; port: number; rack?: string }[]
  topicMetadata: { topicErrorCode: number; topic: string; partitionMetadata: PartitionMetadata[] }[]
}

export type TopicPartition = { topic: string; partition: number }
export type TopicPartitions = { topic: string; partitions: number[] }
/** An offset as decimal digits. */
export type TopicPartitionOffset = TopicPartition & { offset: string }
export type TopicPartitionOffsetAndMetadata = TopicPartitionOffset & { metadata?: string | null }

export interface PartitionOffset {
  partition: number
  offset: string
}

export interface TopicOffsets {
  topic: string
  partitions: PartitionOffset[]
}

export interface Offsets {
  topics: TopicOffsets[]
}

export interface OffsetsByTopicPartition {
  topics: TopicOffsets[]
}

export type SeekEntry = PartitionOffset
export type FetchOffsetsPartition = PartitionOffset & { metadata: string | null }
/** Partitions by topic. */
export type Assignment = { [topic: string]: number[] }
