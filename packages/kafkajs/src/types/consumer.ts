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

/** What `kafka.consumer(config)` takes. */
export interface ConsumerConfig {
  /** The consumers of a group share its partitions. */
  groupId: string
  /** How they are shared, in order of preference. `[PartitionAssigners.roundRobin]` by default. */
  partitionAssigners?: PartitionAssigner[]
  /** How often brokers are asked for new topics and partitions, ms. 300 000 by default. */
  metadataMaxAge?: number
  /** After how long without a heartbeat the group goes on without this consumer, ms. 30 000 by default. */
  sessionTimeout?: number
  /**
   * How long the group waits for its members in a rebalance, and how long a handler may take for one message or batch
   * without a heartbeat, ms. 300 000 by default.
   */
  rebalanceTimeout?: number
  /** ms. 3000 by default; a third of `sessionTimeout` at most is wise. */
  heartbeatInterval?: number
  /** What one fetch brings of a partition. 1 MiB by default. */
  maxBytesPerPartition?: number
  /** Brokers wait for so many, up to `maxWaitTimeInMs`. 1 by default. */
  minBytes?: number
  /** What one fetch brings. 10 MiB by default. */
  maxBytes?: number
  /** How long a broker waits for `minBytes`, ms. 5000 by default. */
  maxWaitTimeInMs?: number
  /** How calls and handlers are tried again, and whether to start again after that. */
  retry?: RetryOptions & { restartOnFailure?: (err: Error) => Promise<boolean> }
  /** Whether subscribing to a topic that does not exist may create it. True by default. */
  allowAutoTopicCreation?: boolean
  /** Has no effect: there is one fetch at a time for each broker. */
  maxInFlightRequests?: number
  /** Whether to read what open and aborted transactions have written, too. False by default. */
  readUncommitted?: boolean
  /** Where this consumer runs, for reading from the nearest replica. */
  rackId?: string
}

/** A message in the format of Kafka 0.10 or earlier: without headers. */
export interface MessageSetEntry {
  key: Buffer | null
  value: Buffer | null
  timestamp: string
  attributes: number
  offset: string
  size: number
  headers?: never
}

/** A message in the format of Kafka 0.11 and later. */
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

/** What `eachMessage` gets. */
export interface EachMessagePayload {
  topic: string
  partition: number
  message: KafkaMessage
  /** Says that the handler is alive. Rejects with REBALANCE_IN_PROGRESS when the partition is given up. */
  heartbeat(): Promise<void>
  /** Pauses this partition; the function that it returns resumes it. */
  pause(): () => void
}

/** What `eachBatch` gets. */
export interface EachBatchPayload {
  batch: Batch
  /** Says that everything up to this offset is processed. */
  resolveOffset(offset: string): void
  /** As in EachMessagePayload. */
  heartbeat(): Promise<void>
  /** Pauses this partition; the function that it returns resumes it. */
  pause(): () => void
  /** Commits these offsets, or the resolved ones if `autoCommitInterval` or `autoCommitThreshold` has been reached. */
  commitOffsetsIfNecessary(offsets?: Offsets): Promise<void>
  /** What is resolved and not committed, of all partitions. */
  uncommittedOffsets(): OffsetsByTopicPartition
  /** False once the consumer is stopped. */
  isRunning(): boolean
  /** Whether a seek has moved the partition away from this batch. */
  isStale(): boolean
}

/** Another name of EachMessagePayload. */
export type ConsumerEachMessagePayload = EachMessagePayload
/** Another name of EachBatchPayload. */
export type ConsumerEachBatchPayload = EachBatchPayload
/** Gets the batches of one partition one after the other. A rejection leads to a retry. */
export type EachBatchHandler = (payload: EachBatchPayload) => Promise<void>
/** Gets the messages of one partition one after the other. A rejection leads to a retry. */
export type EachMessageHandler = (payload: EachMessagePayload) => Promise<void>

/** What `consumer.run` takes. */
export type ConsumerRunConfig = {
  /** Whether what is processed is committed by itself. True by default. */
  autoCommit?: boolean
  /** How often, ms. By default, and with null, when a batch is done. */
  autoCommitInterval?: number | null
  /** After how many messages. None by default. */
  autoCommitThreshold?: number | null
  /** Whether a batch is resolved when `eachBatch` is done with it. True by default. */
  eachBatchAutoResolve?: boolean
  /** How many partitions have a handler running at a time. 1 by default. */
  partitionsConsumedConcurrently?: number
  /** Either this or `eachMessage`. */
  eachBatch?: EachBatchHandler
  eachMessage?: EachMessageHandler
}

/** @deprecated ConsumerSubscribeTopics takes several topics. */
export type ConsumerSubscribeTopic = { topic: string | RegExp; fromBeginning?: boolean }
/**
 * Topics to read, and patterns of their names. With `fromBeginning`, partitions without a committed offset are read
 * from their beginning, otherwise from their end.
 */
export type ConsumerSubscribeTopics = { topics: (string | RegExp)[]; fromBeginning?: boolean }

/** A group, as one of its members knows it. */
export type ConsumerGroup = { groupId: string; generationId: number; memberId: string; coordinator: Broker }

/** A member of a group; `AssignerProtocol` decodes the two buffers. */
export type MemberDescription = {
  clientHost: string
  clientId: string
  memberId: string
  memberAssignment: Buffer
  memberMetadata: Buffer
}

/** What a group is doing. */
export type ConsumerGroupState = 'Unknown' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead' | 'Empty'

/** A group, its members and the assigner that they have agreed on. */
export type GroupDescription = {
  groupId: string
  members: MemberDescription[]
  protocol: string
  protocolType: string
  state: ConsumerGroupState
}

/** What `admin.describeGroups` resolves with. */
export type GroupDescriptions = { groups: GroupDescription[] }

/** Names of a consumer's events. */
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

/** The coordinator has answered a heartbeat. */
export type ConsumerHeartbeatEvent = InstrumentationEvent<{
  groupId: string
  memberId: string
  groupGenerationId: number
}>
/** Offsets have been committed. */
export type ConsumerCommitOffsetsEvent = InstrumentationEvent<{
  groupId: string
  memberId: string
  groupGenerationId: number
  topics: TopicOffsets[]
}>
/** Partitions by topic. */
export interface IMemberAssignment {
  [key: string]: number[]
}
/** The consumer has joined its group, or has got other partitions. */
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
/** A broker is asked for messages. */
export type ConsumerFetchStartEvent = InstrumentationEvent<{ nodeId: number }>
/** A broker has answered, with so many batches, after so many ms. */
export type ConsumerFetchEvent = InstrumentationEvent<{ numberOfBatches: number; duration: number; nodeId: number }>
/** A batch that is processed; offsets as digits. */
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
/** A handler gets a batch. */
export type ConsumerStartBatchProcessEvent = InstrumentationEvent<IBatchProcessEvent>
/** A handler is done with a batch, after `duration` ms. */
export type ConsumerEndBatchProcessEvent = InstrumentationEvent<IBatchProcessEvent & { duration: number }>
/** The consumer has stopped because of an error. With `restart` it begins again by itself. */
export type ConsumerCrashEvent = InstrumentationEvent<{ error: Error; groupId: string; restart: boolean }>
/** The group is assigning its partitions anew. */
export type ConsumerRebalancingEvent = InstrumentationEvent<{ groupId: string; memberId: string }>
/** The leader of the group has assigned topics that this consumer has not subscribed to. */
export type ConsumerReceivedUnsubcribedTopicsEvent = InstrumentationEvent<{
  groupId: string
  generationId: number
  memberId: string
  assignedTopics: string[]
  topicsSubscribed: string[]
  topicsNotSubscribed: string[]
}>

/** What `kafka.consumer(config)` returns: a member of a group. */
export type Consumer = {
  /** Rejects if no broker can be reached. */
  connect(): Promise<void>
  /** Stops, leaves the group and disconnects. */
  disconnect(): Promise<void>
  /** Before `run`. */
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- it works all the same
  subscribe(subscription: ConsumerSubscribeTopics | ConsumerSubscribeTopic): Promise<void>
  /** Resolves when the handlers are done and what they have processed is committed. */
  stop(): Promise<void>
  /** Begins to read; it resolves at once, and handlers are called until `stop`. */
  run(config?: ConsumerRunConfig): Promise<void>
  /** Commits these offsets: each is that of the next message to read. */
  commitOffsets(topicPartitions: TopicPartitionOffsetAndMetadata[]): Promise<void>
  /** Where a partition goes on. After `run`. */
  seek(topicPartitionOffset: TopicPartitionOffset): void
  describeGroup(): Promise<GroupDescription>
  /** Whole topics, or some of their partitions. */
  pause(topics: { topic: string; partitions?: number[] }[]): void
  paused(): TopicPartitions[]
  resume(topics: { topic: string; partitions?: number[] }[]): void
  on(
    eventName: ConsumerEvents['HEARTBEAT'],
    listener: (event: ConsumerHeartbeatEvent) => void,
  ): RemoveInstrumentationEventListener<typeof eventName>
  on(
    eventName: ConsumerEvents['COMMIT_OFFSETS'],
    listener: (event: ConsumerCommitOffsetsEvent) => void,
  ): RemoveInstrumentationEventListener<typeof eventName>
  on(
    eventName: ConsumerEvents['GROUP_JOIN'],
    listener: (event: ConsumerGroupJoinEvent) => void,
  ): RemoveInstrumentationEventListener<typeof eventName>
  on(
    eventName: ConsumerEvents['FETCH_START'],
    listener: (event: ConsumerFetchStartEvent) => void,
  ): RemoveInstrumentationEventListener<typeof eventName>
  on(
    eventName: ConsumerEvents['FETCH'],
    listener: (event: ConsumerFetchEvent) => void,
  ): RemoveInstrumentationEventListener<typeof eventName>
  on(
    eventName: ConsumerEvents['START_BATCH_PROCESS'],
    listener: (event: ConsumerStartBatchProcessEvent) => void,
  ): RemoveInstrumentationEventListener<typeof eventName>
  on(
    eventName: ConsumerEvents['END_BATCH_PROCESS'],
    listener: (event: ConsumerEndBatchProcessEvent) => void,
  ): RemoveInstrumentationEventListener<typeof eventName>
  on(
    eventName: ConsumerEvents['CONNECT'],
    listener: (event: ConnectEvent) => void,
  ): RemoveInstrumentationEventListener<typeof eventName>
  on(
    eventName: ConsumerEvents['DISCONNECT'],
    listener: (event: DisconnectEvent) => void,
  ): RemoveInstrumentationEventListener<typeof eventName>
  on(
    eventName: ConsumerEvents['STOP'],
    listener: (event: InstrumentationEvent<null>) => void,
  ): RemoveInstrumentationEventListener<typeof eventName>
  on(
    eventName: ConsumerEvents['CRASH'],
    listener: (event: ConsumerCrashEvent) => void,
  ): RemoveInstrumentationEventListener<typeof eventName>
  on(
    eventName: ConsumerEvents['REBALANCING'],
    listener: (event: ConsumerRebalancingEvent) => void,
  ): RemoveInstrumentationEventListener<typeof eventName>
  on(
    eventName: ConsumerEvents['RECEIVED_UNSUBSCRIBED_TOPICS'],
    listener: (event: ConsumerReceivedUnsubcribedTopicsEvent) => void,
  ): RemoveInstrumentationEventListener<typeof eventName>
  on(
    eventName: ConsumerEvents['REQUEST'],
    listener: (event: RequestEvent) => void,
  ): RemoveInstrumentationEventListener<typeof eventName>
  on(
    eventName: ConsumerEvents['REQUEST_TIMEOUT'],
    listener: (event: RequestTimeoutEvent) => void,
  ): RemoveInstrumentationEventListener<typeof eventName>
  on(
    eventName: ConsumerEvents['REQUEST_QUEUE_SIZE'],
    listener: (event: RequestQueueSizeEvent) => void,
  ): RemoveInstrumentationEventListener<typeof eventName>
  on(
    eventName: ConsumerEvents[keyof ConsumerEvents],
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a listener for several events takes any payload
    listener: (event: InstrumentationEvent<any>) => void,
  ): RemoveInstrumentationEventListener<typeof eventName>
  logger(): Logger
  /** Names for `on`. */
  readonly events: ConsumerEvents
}
