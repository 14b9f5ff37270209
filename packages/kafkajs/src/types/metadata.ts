/** Brokers, topics and partitions, as kafkajs describes them. */

/** A partition: its leader and its replicas, by the ids of their brokers. */
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

/** The brokers of a cluster and the partitions of topics. */
export interface BrokerMetadata {
  brokers: { nodeId: number; host: string; port: number; rack?: string }[]
  topicMetadata: { topicErrorCode: number; topic: string; partitionMetadata: PartitionMetadata[] }[]
}

/** A partition of a topic. */
export type TopicPartition = { topic: string; partition: number }
/** Partitions of a topic. */
export type TopicPartitions = { topic: string; partitions: number[] }
/** An offset as decimal digits. */
export type TopicPartitionOffset = TopicPartition & { offset: string }
/** An offset to commit, as decimal digits, and a text that is kept with it. */
export type TopicPartitionOffsetAndMetadata = TopicPartitionOffset & { metadata?: string | null }

/** An offset in a partition, as decimal digits. */
export interface PartitionOffset {
  partition: number
  offset: string
}

/** Offsets in partitions of a topic. */
export interface TopicOffsets {
  topic: string
  partitions: PartitionOffset[]
}

/** Offsets by topic. */
export interface Offsets {
  topics: TopicOffsets[]
}

/** Offsets by topic, as `uncommittedOffsets` returns them. */
export interface OffsetsByTopicPartition {
  topics: TopicOffsets[]
}

/** Where a partition is to be read from. -1 is its end and -2 its beginning. */
export type SeekEntry = PartitionOffset
/** The offset that a group has committed in a partition: `-1` for none. */
export type FetchOffsetsPartition = PartitionOffset & { metadata: string | null }
/** Partitions by topic. */
export type Assignment = { [topic: string]: number[] }
