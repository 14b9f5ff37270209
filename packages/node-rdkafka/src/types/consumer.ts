/* eslint-disable @typescript-eslint/no-explicit-any -- node-rdkafka's own types */
import type { Readable, ReadableOptions } from 'node:stream'
import type { Client, KafkaConsumerEvents, Metadata, WatermarkOffsets } from './client.ts'
import type { ConsumerGlobalConfig, ConsumerTopicConfig } from './config.ts'
import type { LibrdKafkaError } from './errors.ts'
import type {
  Assignment,
  Message,
  SubscribeTopic,
  SubscribeTopicList,
  TopicPartition,
  TopicPartitionOffset,
  TopicPartitionTime,
} from './messages.ts'

/** How a stream of messages works. */
export interface ReadStreamOptions extends ReadableOptions {
  /** What to subscribe to; a function gets the metadata. */
  topics: SubscribeTopicList | SubscribeTopic | ((metadata: Metadata) => SubscribeTopicList)
  /** The longest pause between two reads that bring nothing, ms; 1000 by default. */
  waitInterval?: number
  /** The most messages of one read; 1 by default. */
  fetchSize?: number
  /** Whether it gives messages, the default, instead of their values. */
  objectMode?: boolean
  highWaterMark?: number
  /** Whether the consumer is disconnected at the end; true by default. */
  autoClose?: boolean
  /** Whether it gives arrays of messages. */
  streamAsBatch?: boolean
  /** For `connect`. */
  connectOptions?: any
  /** For `setOauthBearerToken`. */
  initOauthBearerToken?: string
}

/** A stream of messages. */
export interface ConsumerStream extends Readable {
  consumer: KafkaConsumerInstance
  connect(options: ConsumerGlobalConfig): void
  /** As `setOauthBearerToken`. */
  refreshOauthBearerToken(tokenStr: string): void
  /** Unsubscribes and disconnects the consumer. */
  close(cb?: () => void): void
}

/** What `new KafkaConsumer` makes: it reads messages. */
export interface KafkaConsumerInstance extends Client<KafkaConsumerEvents> {
  /** Reads exactly these partitions. */
  assign(assignments: Assignment[]): this
  /** Reads these partitions, too. */
  incrementalAssign(assignments: Assignment[]): this

  /** What it reads. */
  assignments(): Assignment[]

  /** Commits offsets; their outcome is an `offset.commit` event. */
  commit(topicPartition: TopicPartitionOffset | TopicPartitionOffset[]): this
  /** Commits what is stored. */
  commit(): this

  /** Commits the offset behind a message. */
  commitMessage(msg: TopicPartitionOffset): this

  /** As `commitMessage`; see `commitSync`. */
  commitMessageSync(msg: TopicPartitionOffset): this

  /**
   * Commits offsets, by default what is stored. Does not wait: a failure is an `event.error`, and `committed` and
   * `disconnect` wait for it.
   */
  commitSync(topicPartition: TopicPartitionOffset | TopicPartitionOffset[] | null): this

  /** The committed offsets of these partitions, by default of all that it reads; without `offset` where there is none. */
  committed(
    toppars: TopicPartition[],
    timeout: number,
    cb: (err: LibrdKafkaError, topicPartitions: TopicPartitionOffset[]) => void,
  ): this
  committed(timeout: number, cb: (err: LibrdKafkaError, topicPartitions: TopicPartitionOffset[]) => void): this

  /** Reads so many messages, as long as each comes within the consume timeout. */
  consume(number: number, cb?: (err: LibrdKafkaError, messages: Message[]) => void): void
  /** Reads on and on, with a `data` event for each message, until `disconnect`. */
  consume(cb: (err: LibrdKafkaError, messages: Message[]) => void): void
  consume(): void

  /** As of the last fetch, without a request. */
  getWatermarkOffsets(topic: string, partition: number): WatermarkOffsets

  /** Stores offsets for the next commit, with `enable.auto.offset.store=false`. */
  offsetsStore(topicPartitions: TopicPartitionOffset[]): any

  /** Reads nothing of these partitions until `resume`. */
  pause(topicPartitions: TopicPartition[]): any

  /** The offsets of the next messages, by default of all partitions that it reads; without `offset` until known. */
  position(toppars?: TopicPartition[]): TopicPartitionOffset[]

  resume(topicPartitions: TopicPartition[]): any

  /** Reads on from this offset. */
  seek(toppar: TopicPartitionOffset, timeout: number | null, cb: (err: LibrdKafkaError) => void): this

  /** How long `consume` waits for a message, ms; 1000 by default. */
  setDefaultConsumeTimeout(timeoutMs: number): void

  /** Has no effect: a loop that waits needs no delay. */
  setDefaultConsumeLoopTimeoutDelay(timeoutMs: number): void

  /** Joins the group for these topics. */
  subscribe(topics: SubscribeTopicList): this

  /** The subscribed topics. */
  subscription(): string[]

  /** Reads nothing any more. */
  unassign(): this
  /** Reads some partitions no longer. */
  incrementalUnassign(assignments: Assignment[]): this

  /** Leaves the group. */
  unsubscribe(): this

  /** The first offsets at or after the given times. `timeout` is in ms, 1000 by default. */
  offsetsForTimes(
    topicPartitions: TopicPartitionTime[],
    timeout: number,
    cb?: (err: LibrdKafkaError, offsets: TopicPartitionOffset[]) => any,
  ): void
  offsetsForTimes(
    topicPartitions: TopicPartitionTime[],
    cb?: (err: LibrdKafkaError, offsets: TopicPartitionOffset[]) => any,
  ): void

  /** Whether its partitions were lost rather than given up: others may have them already. As Confluent's. */
  assignmentLost(): boolean

  /** `NONE`, `EAGER` or `COOPERATIVE`. */
  rebalanceProtocol(): string
}

/** The class of consumers; it can be called without `new`, too. */
export interface KafkaConsumerConstructor {
  new (conf: ConsumerGlobalConfig, topicConf?: ConsumerTopicConfig): KafkaConsumerInstance
  (conf: ConsumerGlobalConfig, topicConf?: ConsumerTopicConfig): KafkaConsumerInstance
  readonly prototype: KafkaConsumerInstance
  createReadStream(
    conf: ConsumerGlobalConfig,
    topicConfig: ConsumerTopicConfig,
    streamOptions: ReadStreamOptions | number,
  ): ConsumerStream
}
