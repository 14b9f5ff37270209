import type { GlobalConfig, LibrdKafkaError } from '@ottla/node-rdkafka'
import type {
  DeleteGroupsResult,
  DeleteRecordsResult,
  GroupDescriptions,
  GroupOverviews,
  ListGroupsOptions,
  Node,
  Uuid,
} from '../admin.ts'
import type { AclOperationTypes, IsolationLevel, logLevel } from '../enums.ts'
import type { Logger, RetryOptions } from './client.ts'
import type { PartitionOffset } from './values.ts'

/** The `kafkaJS` block of an admin client. */
export interface AdminConfig {
  retry?: RetryOptions
  logLevel?: logLevel
  logger?: Logger
}

/** librdkafka's properties, and the `kafkaJS` block. */
export interface AdminConstructorConfig extends GlobalConfig {
  kafkaJS?: AdminConfig
}

/** Not supported, as in Confluent's client. */
export interface ReplicaAssignment {
  partition: number
  replicas: number[]
}

/** A setting of a topic. */
export interface IResourceConfigEntry {
  name: string
  value: string
}

/** A topic to create; numbers that are left out are the broker's defaults. */
export interface ITopicConfig {
  topic: string
  numPartitions?: number
  replicationFactor?: number
  configEntries?: IResourceConfigEntry[]
}

/** A partition, with its brokers. */
export interface PartitionMetadata {
  partitionErrorCode: number
  partitionId: number
  leader: number
  leaderNode?: Node | null
  replicas: number[]
  replicaNodes?: Node[]
  isr: number[]
  isrNodes?: Node[]
  offlineReplicas?: number[]
}

/** A topic. */
export interface ITopicMetadata {
  name: string
  topicId?: Uuid
  isInternal?: boolean
  partitions: PartitionMetadata[]
  authorizedOperations?: AclOperationTypes[] | undefined
}

/** A committed offset. */
export interface FetchOffsetsPartition extends PartitionOffset {
  metadata: string | null
  leaderEpoch: number | null
  error: LibrdKafkaError | null
}

/** Topics, or partitions of them. */
export type TopicInput = string[] | { topic: string; partitions: number[] }[]

/** An offset of a partition. */
export type SeekEntry = PartitionOffset

/** How offsets are asked for; `timeout` in ms. */
export interface TopicOffsetsOptions {
  timeout?: number
  isolationLevel?: IsolationLevel
}

/** Administers a cluster. Its calls reject with `KafkaJSError`; `timeout` is in ms, 5000 by default. */
export interface Admin {
  connect(): Promise<void>
  disconnect(): Promise<void>
  /** Whether all of them are new. */
  createTopics(options: { timeout?: number; topics: ITopicConfig[] }): Promise<boolean>
  deleteTopics(options: { topics: string[]; timeout?: number }): Promise<void>
  listTopics(options?: { timeout?: number }): Promise<string[]>
  listGroups(options?: ListGroupsOptions): Promise<GroupOverviews>
  describeGroups(
    groups: string[],
    options?: { timeout?: number; includeAuthorizedOperations?: boolean },
  ): Promise<GroupDescriptions>
  deleteGroups(groupIds: string[], options?: { timeout?: number }): Promise<DeleteGroupsResult[]>
  fetchOffsets(options: {
    groupId: string
    topics?: TopicInput
    timeout?: number
    requireStableOffsets?: boolean
  }): Promise<{ topic: string; partitions: FetchOffsetsPartition[] }[]>
  /** Deletes what is before the offsets; -1 is the end. */
  deleteTopicRecords(options: {
    topic: string
    partitions: SeekEntry[]
    timeout?: number
    operationTimeout?: number
  }): Promise<DeleteRecordsResult[]>
  fetchTopicMetadata(options?: {
    topics?: string[]
    includeAuthorizedOperations?: boolean
    timeout?: number
  }): Promise<ITopicMetadata[]>
  fetchTopicOffsets(
    topic: string,
    options?: TopicOffsetsOptions,
  ): Promise<(SeekEntry & { high: string; low: string })[]>
  /** The offsets of the first messages at this time, ms since the epoch, or later; the end where there is none. */
  fetchTopicOffsetsByTimestamp(topic: string, timestamp?: number, options?: TopicOffsetsOptions): Promise<SeekEntry[]>
}
