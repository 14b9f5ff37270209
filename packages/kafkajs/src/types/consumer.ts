/** Consumers and their groups. */
import type { RetryOptions } from './retry.ts'
import type { Broker, PartitionAssigner } from './cluster.ts'
import type {
  ConnectEvent,
  DisconnectEvent,
  InstrumentationEvent,
  RemoveInstrumentationEventListener,
  RequestEvent,
  RequestQueueSizeEvent,
  RequestTimeoutEvent,
} from './events.ts'
import type { Logger } from './logging.ts'
import type {
  Offsets,
  OffsetsByTopicPartition,
  TopicOffsets,
  TopicPartitionOffset,
  TopicPartitionOffsetAndMetadata,
  TopicPartitions,
} from './metadata.ts'
import type { IHeaders } from './producer.ts'

export interface ConsumerConfig {
  groupId: string
  partitionAssigners?: PartitionAssigner[]
  /** ms */
  metadataMaxAge?: number
  /** ms */
  sessionTimeout?: number
  /** How long the group waits for its members in a rebalance, ms. */
  rebalanceTimeout?: number
  /** ms */
  heartbeatInterval?: number
  maxBytesPerPartition?: number
  minBytes?: number
  maxBytes?: number
  maxWaitTimeInMs?: number
  retry?: RetryOptions & { restartOnFailure?: (err: Error) => Promise<boolean> }
  allowAutoTopicCreation?: boolean
  maxInFlightRequests?: number
  /** Whether to read what open and aborted transactions have written, too. */
  readUncommitted?: boolean
  /** Where this consumer runs, for reading from the nearest replica. */
  rackId?: string
}

export interface MessageSetEntry {
  key: Buffer | null
  value: Buffer | null
  timestamp: string
  attributes: number
  offset: string
  size: number
  headers?: never
}

export interface RecordBatchEntry {
  key: Buffer | null
  value: Buffer | null
  timestamp: string
  attributes: number
  offset: string
  headers: IHeaders
  size?: never
}

/** A consumed message; offset and timestamp (ms since the epoch) as digits. */
export type KafkaMessage = MessageSetEntry | RecordBatchEntry

/** Messages of one partition. */
export type Batch = {
  topic: string
  partition: number
  highWatermark: string
  messages: KafkaMessage[]
  isEmpty(): boolean
  firstOffset(): string | null
  lastOffset(): string
  /** How many messages follow the last one of this batch. */
  offsetLag(): string
  /** How many messages follow the first one of this batch. */
  offsetLagLow(): string
}

export interface EachMessagePayload {
  topic: string
  partition: number
  message: KafkaMessage
  heartbeat(): Promise<void>
  /** Pauses this partition; the function that it returns resumes it. */
  pause(): () => void
}

export interface EachBatchPayload {
  batch: Batch
  /** Says that everything up to this offset is processed. */
  resolveOffset(offset: string): void
  heartbeat(): Promise<void>
  pause(): () => void
  /** Commits these offsets, or the resolved ones if `autoCommitInterval` or `autoCommitThreshold` has been reached. */
  commitOffsetsIfNecessary(offsets?: Offsets): Promise<void>
  uncommittedOffsets(): OffsetsByTopicPartition
  isRunning(): boolean
  /** Whether a seek has moved the partition away from this batch. */
  isStale(): boolean
}

export type ConsumerEachMessagePayload = EachMessagePayload
export type ConsumerEachBatchPayload = EachBatchPayload
export type EachBatchHandler = (payload: EachBatchPayload) => Promise<void>
export type EachMessageHandler = (payload: EachMessagePayload) => Promise<void>

export type ConsumerRunConfig = {
  autoCommit?: boolean
  /** ms */
  autoCommitInterval?: number | null
  /** Messages. */
  autoCommitThreshold?: number | null
  eachBatchAutoResolve?: boolean
  partitionsConsumedConcurrently?: number
  eachBatch?: EachBatchHandler
  eachMessage?: EachMessageHandler
}

/** @deprecated ConsumerSubscribeTopics takes several topics. */
export type ConsumerSubscribeTopic = { topic: string | RegExp; fromBeginning?: boolean }
export type ConsumerSubscribeTopics = { topics: (string | RegExp)[]; fromBeginning?: boolean }

export type ConsumerGroup = { groupId: string; generationId: number; memberId: string; coordinator: Broker }

export type MemberDescription = {
  clientHost: string
  clientId: string
  memberId: string
  memberAssignment: Buffer
  memberMetadata: Buffer
}

export type ConsumerGroupState = 'Unknown' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead' | 'Empty'

export type GroupDescription = {
  groupId: string
  members: MemberDescription[]
  protocol: string
  protocolType: string
  state: ConsumerGroupState
}

export type GroupDescriptions = { groups: GroupDescription[] }

export type ConsumerEvents = {
  HEARTBEAT: 'consumer.heartbeat'
  COMMIT_OFFSETS: 'consumer.commit_offsets'
  GROUP_JOIN: 'consumer.group_join'
  FETCH_START: 'consumer.fetch_start'
  FETCH: 'consumer.fetch'
  START_BATCH_PROCESS: 'consumer.start_batch_process'
  END_BATCH_PROCESS: 'consumer.end_batch_process'
  CONNECT: 'consumer.connect'
  DISCONNECT: 'consumer.disconnect'
  STOP: 'consumer.stop'
  CRASH: 'consumer.crash'
  REBALANCING: 'consumer.rebalancing'
  RECEIVED_UNSUBSCRIBED_TOPICS: 'consumer.received_unsubscribed_topics'
  REQUEST: 'consumer.network.request'
  REQUEST_TIMEOUT: 'consumer.network.request_timeout'
  REQUEST_QUEUE_SIZE: 'consumer.network.request_queue_size'
}

export type ConsumerHeartbeatEvent = InstrumentationEvent<{
  groupId: string
  memberId: string
  groupGenerationId: number
}>
export type ConsumerCommitOffsetsEvent = InstrumentationEvent<{
  groupId: string
  memberId: string
  groupGenerationId: number
  topics: TopicOffsets[]
}>
export interface IMemberAssignment {
  [key: string]: number[]
}
export type ConsumerGroupJoinEvent = InstrumentationEvent<{
  /** From the beginning of the rebalance, ms. */
  duration: number
  groupId: string
  isLeader: boolean
  leaderId: string
  groupProtocol: string
  memberId: string
  memberAssignment: IMemberAssignment
}>
export type ConsumerFetchStartEvent = InstrumentationEvent<{ nodeId: number }>
export type ConsumerFetchEvent = InstrumentationEvent<{ numberOfBatches: number; duration: number; nodeId: number }>
export interface IBatchProcessEvent {
  topic: string
  partition: number
  highWatermark: string
  offsetLag: string
  offsetLagLow: string
  batchSize: number
  firstOffset: string
  lastOffset: string
}
export type ConsumerStartBatchProcessEvent = InstrumentationEvent<IBatchProcessEvent>
export type ConsumerEndBatchProcessEvent = InstrumentationEvent<IBatchProcessEvent & { duration: number }>
export type ConsumerCrashEvent = InstrumentationEvent<{ error: Error; groupId: string; restart: boolean }>
export type ConsumerRebalancingEvent = InstrumentationEvent<{ groupId: string; memberId: string }>
export type ConsumerReceivedUnsubcribedTopicsEvent = InstrumentationEvent<{
  groupId: string
  generationId: number
  memberId: string
  assignedTopics: string[]
  topicsSubscribed: string[]
  topicsNotSubscribed: string[]
}>

type Removal<E extends keyof ConsumerEvents> = RemoveInstrumentationEventListener<ConsumerEvents[E]>

export type Consumer = {
  connect(): Promise<void>
  disconnect(): Promise<void>
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- it works all the same
  subscribe(subscription: ConsumerSubscribeTopics | ConsumerSubscribeTopic): Promise<void>
  stop(): Promise<void>
  run(config?: ConsumerRunConfig): Promise<void>
  commitOffsets(topicPartitions: TopicPartitionOffsetAndMetadata[]): Promise<void>
  seek(topicPartitionOffset: TopicPartitionOffset): void
  describeGroup(): Promise<GroupDescription>
  pause(topics: { topic: string; partitions?: number[] }[]): void
  paused(): TopicPartitions[]
  resume(topics: { topic: string; partitions?: number[] }[]): void
  on(eventName: ConsumerEvents['HEARTBEAT'], listener: (event: ConsumerHeartbeatEvent) => void): Removal<'HEARTBEAT'>
  on(
    eventName: ConsumerEvents['COMMIT_OFFSETS'],
    listener: (event: ConsumerCommitOffsetsEvent) => void,
  ): Removal<'COMMIT_OFFSETS'>
  on(eventName: ConsumerEvents['GROUP_JOIN'], listener: (event: ConsumerGroupJoinEvent) => void): Removal<'GROUP_JOIN'>
  on(
    eventName: ConsumerEvents['FETCH_START'],
    listener: (event: ConsumerFetchStartEvent) => void,
  ): Removal<'FETCH_START'>
  on(eventName: ConsumerEvents['FETCH'], listener: (event: ConsumerFetchEvent) => void): Removal<'FETCH'>
  on(
    eventName: ConsumerEvents['START_BATCH_PROCESS'],
    listener: (event: ConsumerStartBatchProcessEvent) => void,
  ): Removal<'START_BATCH_PROCESS'>
  on(
    eventName: ConsumerEvents['END_BATCH_PROCESS'],
    listener: (event: ConsumerEndBatchProcessEvent) => void,
  ): Removal<'END_BATCH_PROCESS'>
  on(eventName: ConsumerEvents['CONNECT'], listener: (event: ConnectEvent) => void): Removal<'CONNECT'>
  on(eventName: ConsumerEvents['DISCONNECT'], listener: (event: DisconnectEvent) => void): Removal<'DISCONNECT'>
  on(eventName: ConsumerEvents['STOP'], listener: (event: InstrumentationEvent<null>) => void): Removal<'STOP'>
  on(eventName: ConsumerEvents['CRASH'], listener: (event: ConsumerCrashEvent) => void): Removal<'CRASH'>
  on(
    eventName: ConsumerEvents['REBALANCING'],
    listener: (event: ConsumerRebalancingEvent) => void,
  ): Removal<'REBALANCING'>
  on(
    eventName: ConsumerEvents['RECEIVED_UNSUBSCRIBED_TOPICS'],
    listener: (event: ConsumerReceivedUnsubcribedTopicsEvent) => void,
  ): Removal<'RECEIVED_UNSUBSCRIBED_TOPICS'>
  on(eventName: ConsumerEvents['REQUEST'], listener: (event: RequestEvent) => void): Removal<'REQUEST'>
  on(
    eventName: ConsumerEvents['REQUEST_TIMEOUT'],
    listener: (event: RequestTimeoutEvent) => void,
  ): Removal<'REQUEST_TIMEOUT'>
  on(
    eventName: ConsumerEvents['REQUEST_QUEUE_SIZE'],
    listener: (event: RequestQueueSizeEvent) => void,
  ): Removal<'REQUEST_QUEUE_SIZE'>
  on(
    eventName: ConsumerEvents[keyof ConsumerEvents],
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a listener for several events takes any payload
    listener: (event: InstrumentationEvent<any>) => void,
  ): Removal<keyof ConsumerEvents>
  logger(): Logger
  readonly events: ConsumerEvents
}
