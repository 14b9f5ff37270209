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

export interface ProducerConfig {
  createPartitioner?: ICustomPartitioner
  retry?: RetryOptions
  /** ms */
  metadataMaxAge?: number
  allowAutoTopicCreation?: boolean
  idempotent?: boolean
  transactionalId?: string
  /** ms */
  transactionTimeout?: number
  maxInFlightRequests?: number
}

/** The headers of a message: an array stands for several headers of that name. */
export interface IHeaders {
  [key: string]: Buffer | string | (Buffer | string)[] | undefined
}

export interface Message {
  key?: Buffer | string | null
  value: Buffer | string | null
  partition?: number
  headers?: IHeaders
  /** ms since the epoch, as digits. */
  timestamp?: string
}

export interface PartitionerArgs {
  topic: string
  partitionMetadata: PartitionMetadata[]
  message: Message
}

export type ICustomPartitioner = () => (args: PartitionerArgs) => number
export type DefaultPartitioner = ICustomPartitioner
export type LegacyPartitioner = ICustomPartitioner

export interface ProducerRecord {
  topic: string
  messages: Message[]
  /** -1 all in-sync replicas (the default), 1 the leader, 0 none. */
  acks?: number
  /** How long the broker may wait for its replicas, ms. */
  timeout?: number
  compression?: CompressionTypes
}

export interface TopicMessages {
  topic: string
  messages: Message[]
}

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
  errorCode: number
  offset?: string
  timestamp?: string
  /** The offset of the first message. */
  baseOffset?: string
  logAppendTime?: string
  logStartOffset?: string
}

export type Sender = {
  send(record: ProducerRecord): Promise<RecordMetadata[]>
  sendBatch(batch: ProducerBatch): Promise<RecordMetadata[]>
}

export type ProducerEvents = {
  CONNECT: 'producer.connect'
  DISCONNECT: 'producer.disconnect'
  REQUEST: 'producer.network.request'
  REQUEST_TIMEOUT: 'producer.network.request_timeout'
  REQUEST_QUEUE_SIZE: 'producer.network.request_queue_size'
}

type Removal<E extends keyof ProducerEvents> = RemoveInstrumentationEventListener<ProducerEvents[E]>

export type Producer = Sender & {
  connect(): Promise<void>
  disconnect(): Promise<void>
  isIdempotent(): boolean
  readonly events: ProducerEvents
  on(eventName: ProducerEvents['CONNECT'], listener: (event: ConnectEvent) => void): Removal<'CONNECT'>
  on(eventName: ProducerEvents['DISCONNECT'], listener: (event: DisconnectEvent) => void): Removal<'DISCONNECT'>
  on(eventName: ProducerEvents['REQUEST'], listener: (event: RequestEvent) => void): Removal<'REQUEST'>
  on(
    eventName: ProducerEvents['REQUEST_QUEUE_SIZE'],
    listener: (event: RequestQueueSizeEvent) => void,
  ): Removal<'REQUEST_QUEUE_SIZE'>
  on(
    eventName: ProducerEvents['REQUEST_TIMEOUT'],
    listener: (event: RequestTimeoutEvent) => void,
  ): Removal<'REQUEST_TIMEOUT'>
  on(
    eventName: ProducerEvents[keyof ProducerEvents],
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a listener for several events takes any payload
    listener: (event: InstrumentationEvent<any>) => void,
  ): Removal<keyof ProducerEvents>
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
  isActive(): boolean
}
