/** Producers and transactions. */
import type { RetryOptions } from './retry.ts'
import type { CompressionTypes } from './enums.ts'
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
import type { Offsets, PartitionMetadata } from './metadata.ts'

/** What `kafka.producer(config)` takes. */
export interface ProducerConfig {
  /** Chooses partitions. `Partitioners.DefaultPartitioner` by default. */
  createPartitioner?: ICustomPartitioner
  /** How calls are tried again. */
  retry?: RetryOptions
  /** How often brokers are asked for new partitions, ms. 300 000 by default. */
  metadataMaxAge?: number
  /** Whether sending to a topic that does not exist may create it. True by default. */
  allowAutoTopicCreation?: boolean
  /** Whether brokers notice what is sent twice by a retry. False by default. */
  idempotent?: boolean
  /** The name under which transactions are continued; it must be used by one producer at a time. */
  transactionalId?: string
  /** After how long brokers abort an open transaction, ms. 60 000 by default. */
  transactionTimeout?: number
  /** Requests that a broker may have to answer at a time; at most 5 with `idempotent`. */
  maxInFlightRequests?: number
}

/** The headers of a message: an array stands for several headers of that name. */
export interface IHeaders {
  [key: string]: Buffer | string | (Buffer | string)[] | undefined
}

/** A message to send. */
export interface Message {
  /** Messages of one key go to one partition, in order. */
  key?: Buffer | string | null
  /** Null is a tombstone: compaction deletes the key. */
  value: Buffer | string | null
  /** Overrides the partitioner. */
  partition?: number
  headers?: IHeaders
  /** ms since the epoch, as digits. The time of sending by default. */
  timestamp?: string
}

/** What a partitioner decides by. */
export interface PartitionerArgs {
  topic: string
  partitionMetadata: PartitionMetadata[]
  message: Message
}

/** Makes a partitioner: a function that returns the number of a partition. */
export type ICustomPartitioner = () => (args: PartitionerArgs) => number
/** Puts a key where Kafka's Java client does. */
export type DefaultPartitioner = ICustomPartitioner
/** Puts a key where kafkajs 1.x did. */
export type LegacyPartitioner = ICustomPartitioner

/** What `producer.send` takes. */
export interface ProducerRecord {
  topic: string
  messages: Message[]
  /** -1 all in-sync replicas (the default), 1 the leader, 0 none. */
  acks?: number
  /** How long the broker may wait for its replicas, ms. */
  timeout?: number
  /** None by default. */
  compression?: CompressionTypes
}

/** Messages for one topic. */
export interface TopicMessages {
  topic: string
  messages: Message[]
}

/** What `producer.sendBatch` takes: messages for several topics. The other fields are those of ProducerRecord. */
export interface ProducerBatch {
  acks?: number
  timeout?: number
  compression?: CompressionTypes
  topicMessages?: TopicMessages[]
}

/** What was written to one partition. */
export type RecordMetadata = {
  topicName: string
  partition: number
  /** 0: what fails rejects. */
  errorCode: number
  offset?: string
  timestamp?: string
  /** The offset of the first message. */
  baseOffset?: string
  logAppendTime?: string
  logStartOffset?: string
}

/** What a producer and a transaction have in common. Rejects with KafkaJSError for what cannot be written. */
export type Sender = {
  /** Resolves when brokers have acknowledged all of them, as `acks` says. */
  send(record: ProducerRecord): Promise<RecordMetadata[]>
  /** As `send`, for several topics. */
  sendBatch(batch: ProducerBatch): Promise<RecordMetadata[]>
}

/** Names of a producer's events. */
export type ProducerEvents = {
  CONNECT: 'producer.connect'
  DISCONNECT: 'producer.disconnect'
  REQUEST: 'producer.network.request'
  REQUEST_TIMEOUT: 'producer.network.request_timeout'
  REQUEST_QUEUE_SIZE: 'producer.network.request_queue_size'
}

/** What `kafka.producer()` returns: it writes messages once it is connected. */
export type Producer = Sender & {
  /** Rejects if no broker can be reached. */
  connect(): Promise<void>
  /** Resolves when what was sent is acknowledged, or has failed. */
  disconnect(): Promise<void>
  isIdempotent(): boolean
  /** Names for `on`. */
  readonly events: ProducerEvents
  on(
    eventName: ProducerEvents['CONNECT'],
    listener: (event: ConnectEvent) => void,
  ): RemoveInstrumentationEventListener<typeof eventName>
  on(
    eventName: ProducerEvents['DISCONNECT'],
    listener: (event: DisconnectEvent) => void,
  ): RemoveInstrumentationEventListener<typeof eventName>
  on(
    eventName: ProducerEvents['REQUEST'],
    listener: (event: RequestEvent) => void,
  ): RemoveInstrumentationEventListener<typeof eventName>
  on(
    eventName: ProducerEvents['REQUEST_QUEUE_SIZE'],
    listener: (event: RequestQueueSizeEvent) => void,
  ): RemoveInstrumentationEventListener<typeof eventName>
  on(
    eventName: ProducerEvents['REQUEST_TIMEOUT'],
    listener: (event: RequestTimeoutEvent) => void,
  ): RemoveInstrumentationEventListener<typeof eventName>
  on(
    eventName: ProducerEvents[keyof ProducerEvents],
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a listener for several events takes any payload
    listener: (event: InstrumentationEvent<any>) => void,
  ): RemoveInstrumentationEventListener<typeof eventName>
  /** Begins a transaction. Needs `transactionalId`. */
  transaction(): Promise<Transaction>
  logger(): Logger
}

/** An open transaction: only what is sent with it belongs to it. */
export type Transaction = Sender & {
  /** Commits a group's offsets with the transaction. */
  sendOffsets(offsets: Offsets & { consumerGroupId: string }): Promise<void>
  commit(): Promise<void>
  abort(): Promise<void>
  /** False once it is committed or aborted. */
  isActive(): boolean
}
