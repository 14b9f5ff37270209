/* eslint-disable @typescript-eslint/no-explicit-any -- node-rdkafka's own types */
import type { Writable, WritableOptions } from 'node:stream'
import type { Client, KafkaProducerEvents, MetadataOptions } from './client.ts'
import type { ProducerGlobalConfig, ProducerTopicConfig } from './config.ts'
import type { KafkaConsumerInstance } from './consumer.ts'
import type { LibrdKafkaError } from './errors.ts'
import type { MessageHeader, MessageKey, MessageValue, NumberNullUndefined, TopicPartitionOffset } from './messages.ts'

/** How a stream of messages to send works. */
export interface WriteStreamOptions extends WritableOptions {
  encoding?: string
  /** Whether objects with `topic`, `value` and so on are written, instead of values. */
  objectMode?: boolean
  /** Where values go. */
  topic?: string
  /** Whether the producer is disconnected at the end and after an error; true by default. */
  autoClose?: boolean
  /** Has no effect: reports need no polling. */
  pollInterval?: number
  /** For `connect`. */
  connectOptions?: any
}

/** A stream of messages to send. */
export interface ProducerStream extends Writable {
  producer: ProducerInstance
  connect(metadataOptions?: MetadataOptions): void
  /** Disconnects the producer, which delivers what is queued. */
  close(cb?: () => void): void
}

/** What `new Producer` makes: it sends messages. */
export interface ProducerInstance extends Client<KafkaProducerEvents> {
  /** Delivers what is queued. `timeout` is in ms, 500 by default; after it the error is ERR__TIMED_OUT. */
  flush(timeout?: NumberNullUndefined, cb?: (err: LibrdKafkaError) => void): this

  /** Has no effect: reports need no polling. */
  poll(): this

  /**
   * Enqueues a message.
   * @returns true
   * @throws an error with ERR__QUEUE_FULL, ERR_MSG_SIZE_TOO_LARGE and so on
   */
  produce(
    topic: string,
    partition: NumberNullUndefined,
    message: MessageValue,
    key?: MessageKey,
    timestamp?: NumberNullUndefined,
    opaque?: any,
    headers?: MessageHeader[],
  ): any

  /** Has no effect: reports need no polling. */
  setPollInterval(interval: number): this
  /** Has no effect, either. As Confluent's. */
  setPollInBackground(set: boolean): void

  /** Claims the transactional id. `timeout` is in ms, 5000 by default, here and below. */
  initTransactions(cb: (err: LibrdKafkaError) => void): void
  initTransactions(timeout: number, cb: (err: LibrdKafkaError) => void): void
  beginTransaction(cb: (err: LibrdKafkaError) => void): void
  commitTransaction(cb: (err: LibrdKafkaError) => void): void
  commitTransaction(timeout: number, cb: (err: LibrdKafkaError) => void): void
  abortTransaction(cb: (err: LibrdKafkaError) => void): void
  abortTransaction(timeout: number, cb: (err: LibrdKafkaError) => void): void
  /** Commits a consumer's offsets with the transaction. */
  sendOffsetsToTransaction(
    offsets: TopicPartitionOffset[],
    consumer: KafkaConsumerInstance,
    cb: (err: LibrdKafkaError) => void,
  ): void
  sendOffsetsToTransaction(
    offsets: TopicPartitionOffset[],
    consumer: KafkaConsumerInstance,
    timeout: number,
    cb: (err: LibrdKafkaError) => void,
  ): void
}

/** The class of producers; it can be called without `new`, too. */
export interface ProducerConstructor {
  new (conf: ProducerGlobalConfig, topicConf?: ProducerTopicConfig): ProducerInstance
  (conf: ProducerGlobalConfig, topicConf?: ProducerTopicConfig): ProducerInstance
  readonly prototype: ProducerInstance
  createWriteStream(
    conf: ProducerGlobalConfig,
    topicConf: ProducerTopicConfig,
    streamOptions: WriteStreamOptions,
  ): ProducerStream
}

/** What `new HighLevelProducer` makes: it sends messages, and calls back for each. */
export interface HighLevelProducerInstance extends ProducerInstance {
  /** Enqueues a message; `callback` gets its offset, null if the acks do not bring one. */
  produce(
    topic: string,
    partition: NumberNullUndefined,
    message: any,
    key: any,
    timestamp: NumberNullUndefined,
    callback: (err: any, offset?: NumberNullUndefined) => void,
  ): any
  produce(
    topic: string,
    partition: NumberNullUndefined,
    message: any,
    key: any,
    timestamp: NumberNullUndefined,
    headers: MessageHeader[],
    callback: (err: any, offset?: NumberNullUndefined) => void,
  ): any

  /** Makes keys of what `produce` gets: with a callback, a promise or at once. */
  setKeySerializer(serializer: (key: any, cb: (err: any, key: MessageKey) => void) => void): void
  setKeySerializer(serializer: (key: any) => MessageKey | Promise<MessageKey>): void
  /** Makes values of what `produce` gets: with a callback, a promise or at once. */
  setValueSerializer(serializer: (value: any, cb: (err: any, value: MessageValue) => void) => void): void
  setValueSerializer(serializer: (value: any) => MessageValue | Promise<MessageValue>): void
  /** As `setKeySerializer`, with the topic first. As Confluent's. */
  setTopicKeySerializer(serializer: (topic: string, key: any, cb: (err: any, key: MessageKey) => void) => void): void
  setTopicKeySerializer(serializer: (topic: string, key: any) => MessageKey | Promise<MessageKey>): void
  /** As `setValueSerializer`, with the topic first. As Confluent's. */
  setTopicValueSerializer(
    serializer: (topic: string, value: any, cb: (err: any, value: MessageValue) => void) => void,
  ): void
  setTopicValueSerializer(serializer: (topic: string, value: any) => MessageValue | Promise<MessageValue>): void
}

/** The class of producers that call back; it can be called without `new`, too. */
export interface HighLevelProducerConstructor {
  new (conf: ProducerGlobalConfig, topicConf?: ProducerTopicConfig): HighLevelProducerInstance
  (conf: ProducerGlobalConfig, topicConf?: ProducerTopicConfig): HighLevelProducerInstance
  readonly prototype: HighLevelProducerInstance
  createWriteStream: ProducerConstructor['createWriteStream']
}
