import type { ProducerGlobalConfig, ProducerTopicConfig } from '@ottla/node-rdkafka'
import type { CompressionTypes, logLevel } from '../enums.ts'
import type { Admin } from './admin.ts'
import type { Client, Logger, RetryOptions } from './client.ts'
import type { Consumer } from './consumer.ts'
import type { IHeaders, TopicOffsets } from './values.ts'

/** The `kafkaJS` block of a producer; times in ms. */
export interface ProducerConfig {
  metadataMaxAge?: number
  allowAutoTopicCreation?: boolean
  idempotent?: boolean
  transactionalId?: string
  transactionTimeout?: number
  maxInFlightRequests?: number
  acks?: number
  compression?: CompressionTypes
  /** How long the broker may wait for its replicas. */
  timeout?: number
  retry?: RetryOptions
  logLevel?: logLevel
  logger?: Logger
}

/** librdkafka's properties, and the `kafkaJS` block. */
export interface ProducerConstructorConfig extends ProducerGlobalConfig, ProducerTopicConfig {
  kafkaJS?: ProducerConfig
}

/** A message to send. */
export interface Message {
  key?: Buffer | string | null
  value: Buffer | string | null
  partition?: number
  headers?: IHeaders
  /** ms since the epoch. */
  timestamp?: string
}

/** Messages for a topic. */
export interface ProducerRecord {
  topic: string
  messages: Message[]
}

/** Messages for a topic. */
export interface TopicMessages {
  topic: string
  messages: Message[]
}

/** Messages for several topics. */
export interface ProducerBatch {
  topicMessages?: TopicMessages[]
}

/** Where messages of one call went, for each partition: `baseOffset` is the offset of the first one. */
export interface RecordMetadata {
  topicName: string
  partition: number
  errorCode: number
  offset?: string
  timestamp?: string
  baseOffset?: string
  logAppendTime?: string
  logStartOffset?: string
}

/** A transaction is its producer. */
export type Transaction = Producer

/** Sends messages. Its calls reject with `KafkaJSError`. */
export interface Producer extends Client {
  /** Shares the connections of this producer, which has to be connected. */
  dependentAdmin(): Admin

  /** Resolves when all messages are acknowledged. */
  send(record: ProducerRecord): Promise<RecordMetadata[]>
  sendBatch(batch: ProducerBatch): Promise<RecordMetadata[]>
  /** Sends what waits for a batch to fill. `timeout` is in ms, 500 by default. */
  flush(args?: { timeout?: number }): Promise<void>

  /** Begins a transaction; needs `transactionalId`. */
  transaction(): Promise<Transaction>
  commit(): Promise<void>
  abort(): Promise<void>
  /** Commits a consumer's offsets with the transaction. */
  sendOffsets(args: { consumer: Consumer; topics: TopicOffsets[] }): Promise<void>
  /** Whether a transaction has begun. */
  isActive(): boolean
}
