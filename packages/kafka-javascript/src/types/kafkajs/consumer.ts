import type { ConsumerGlobalConfig, ConsumerTopicConfig } from '@ottla/node-rdkafka'
import type { logLevel, PartitionAssigners } from '../enums.ts'
import type { Admin } from './admin.ts'
import type { Client, Logger, RetryOptions } from './client.ts'
import type { IHeaders, TopicOffsets } from './values.ts'

/** The `kafkaJS` block of a consumer; times in ms. */
export interface ConsumerConfig {
  groupId: string
  metadataMaxAge?: number
  sessionTimeout?: number
  rebalanceTimeout?: number
  heartbeatInterval?: number
  maxBytesPerPartition?: number
  minBytes?: number
  maxBytes?: number
  maxWaitTimeInMs?: number
  retry?: RetryOptions
  logLevel?: logLevel
  logger?: Logger
  allowAutoTopicCreation?: boolean
  maxInFlightRequests?: number
  readUncommitted?: boolean
  rackId?: string
  /** Where to begin without a committed offset: at the first message, or at the end, the default. */
  fromBeginning?: boolean
  autoCommit?: boolean
  autoCommitInterval?: number
  partitionAssigners?: PartitionAssigners[]
  partitionAssignors?: PartitionAssigners[]
}

/** Properties of Confluent's client itself. */
export interface JSConsumerConfig {
  /** The most messages of a batch for `eachBatch`; 32 by default, -1 for no limit. */
  'js.consumer.max.batch.size'?: string | number
  /** Has no effect here: what is fetched ahead is limited in bytes, by `queued.max.messages.kbytes`. */
  'js.consumer.max.cache.size.per.worker.ms'?: string | number
}

/** librdkafka's properties for consumers. */
export type ConsumerGlobalAndTopicConfig = ConsumerGlobalConfig & ConsumerTopicConfig & JSConsumerConfig

/** librdkafka's properties, and the `kafkaJS` block. */
export interface ConsumerConstructorConfig extends ConsumerGlobalConfig, ConsumerTopicConfig, JSConsumerConfig {
  kafkaJS?: ConsumerConfig
}

/** What all messages have. */
export interface ReceivedMessage {
  key: Buffer | null
  value: Buffer | null
  /** ms since the epoch. */
  timestamp: string
  attributes: number
  offset: string
  leaderEpoch?: number
}

/** A message without headers. */
export interface MessageSetEntry extends ReceivedMessage {
  size: number
  headers?: never
}

/** A message with headers. */
export interface RecordBatchEntry extends ReceivedMessage {
  headers: IHeaders
  size?: never
}

/** A message that was received. */
export type KafkaMessage = MessageSetEntry | RecordBatchEntry

/** Messages of one partition. */
export interface Batch {
  topic: string
  partition: number
  highWatermark: string
  messages: KafkaMessage[]
  isEmpty(): boolean
  firstOffset(): string | null
  lastOffset(): string
  /** How many messages follow the last one. */
  offsetLag(): string
  /** How many messages follow the first one. */
  offsetLagLow(): string
}

/** What `eachMessage` gets. */
export interface EachMessagePayload {
  topic: string
  partition: number
  message: KafkaMessage
  /** Says that the handler is alive: `rebalanceTimeout` begins again. */
  heartbeat(this: void): Promise<void>
  /** Pauses the partition. @returns resumes it */
  pause(this: void): () => void
}

/** What `eachBatch` gets. */
export interface EachBatchPayload {
  batch: Batch
  /** Everything up to this offset is processed. */
  resolveOffset(this: void, offset: string): void
  /** Says that the handler is alive: `rebalanceTimeout` begins again. */
  heartbeat(this: void): Promise<void>
  /** Pauses the partition. @returns resumes it */
  pause(this: void): () => void
  /** Commits what is resolved, with `autoCommit: false`. */
  commitOffsetsIfNecessary(this: void): Promise<void>
  isRunning(this: void): boolean
  /** Whether a seek, a pause or a rebalance has taken the rest of the batch away. */
  isStale(this: void): boolean
}

/** Processes a batch. */
export type EachBatchHandler = (payload: EachBatchPayload) => Promise<void>

/** Processes a message. */
export type EachMessageHandler = (payload: EachMessagePayload) => Promise<void>

/**
 * What to read.
 * @deprecated in favour of `ConsumerSubscribeTopics`
 */
export interface ConsumerSubscribeTopic {
  topic: string | RegExp
  replace?: boolean
}

/** What to read, besides or instead of what was subscribed to before. */
export interface ConsumerSubscribeTopics {
  topics: (string | RegExp)[]
  replace?: boolean
}

/** How messages are processed. */
export interface ConsumerRunConfig {
  /** Whether a batch is resolved when its handler has ended; true by default. */
  eachBatchAutoResolve?: boolean
  /** 1 by default. */
  partitionsConsumedConcurrently?: number
  eachMessage?: EachMessageHandler
  eachBatch?: EachBatchHandler
}

/** Partitions of a topic. */
export interface TopicPartitions {
  topic: string
  partitions: number[]
}

/** A partition. */
export interface TopicPartition {
  topic: string
  partition: number
  leaderEpoch?: number
}

/** An offset of a partition. */
export interface TopicPartitionOffset extends TopicPartition {
  offset: string
}

/** An offset, with what is committed with it. */
export interface TopicPartitionOffsetAndMetadata extends TopicPartitionOffset {
  metadata?: string | null
}

/** Offsets by topic. */
export interface OffsetsByTopicPartition {
  topics: TopicOffsets[]
}

/** What `subscribe` takes. */
// eslint-disable-next-line @typescript-eslint/no-deprecated -- it is taken nevertheless
export type Subscription = ConsumerSubscribeTopics | ConsumerSubscribeTopic

/** Reads messages. Its calls reject with, or throw, `KafkaJSError`. */
export interface Consumer extends Client {
  /** Shares the connections of this consumer, which has to be connected. */
  dependentAdmin(): Admin

  /** Joins the group for these topics; after `connect`. */
  subscribe(subscription: Subscription): Promise<void>
  /** Rejects: `disconnect` ends it. */
  stop(): Promise<void>
  /** Starts to process messages; resolves at once. */
  run(config?: ConsumerRunConfig): Promise<void>
  /** For the next commit. */
  storeOffsets(topicPartitions: TopicPartitionOffsetAndMetadata[]): void
  /** Commits these offsets, or what is processed. */
  commitOffsets(topicPartitions?: TopicPartitionOffsetAndMetadata[]): Promise<void>
  /** The committed offsets of these partitions, or of all that are assigned; `timeout` in ms. */
  committed(topicPartitions?: TopicPartition[], timeout?: number): Promise<TopicPartitionOffsetAndMetadata[]>
  /** Reads on from this offset, at once or when the partition is assigned; -1 is the end, -2 the first message. */
  seek(topicPartitionOffset: TopicPartitionOffset): void
  /** Reads no more of these topics, or of the partitions that are named. @returns resumes them */
  pause(topics: { topic: string; partitions?: number[] }[]): () => void
  paused(): TopicPartitions[]
  resume(topics: { topic: string; partitions?: number[] }[]): void
  assignment(): TopicPartition[]
  /** `NONE`, `EAGER` or `COOPERATIVE`. */
  rebalanceProtocol(): string
}
