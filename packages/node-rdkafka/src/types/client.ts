/* eslint-disable @typescript-eslint/no-explicit-any -- node-rdkafka's own types: with stricter ones, programs that compile with it would not */
import type { EventEmitter } from 'node:events'
import type { LibrdKafkaError } from './errors.ts'
import type {
  DeliveryReport,
  EofEvent,
  Message,
  SubscribeTopicList,
  TopicPartition,
  TopicPartitionOffset,
} from './messages.ts'

/** What `ready` says of the client. */
export interface ReadyInfo {
  /** Unique in the process. */
  name: string
}

/** What `disconnected` says of the client. */
export interface ClientMetrics {
  /** When the client connected, ms since the epoch. */
  connectionOpened: number
}

/** What metadata to ask for. */
export interface MetadataOptions {
  /** Only this topic, if `allTopics` is false. */
  topic?: string
  /** All topics of the cluster, the default; otherwise those that the client uses. */
  allTopics?: boolean
  /** ms; 30,000 by default. */
  timeout?: number
}

/** A broker's address. */
export interface BrokerMetadata {
  id: number
  host: string
  port: number
}

/** A partition: its leader, its replicas, and those that are in sync, all by id. */
export interface PartitionMetadata {
  id: number
  leader: number
  replicas: number[]
  isrs: number[]
}

/** A topic; without partitions if it does not exist. */
export interface TopicMetadata {
  name: string
  partitions: PartitionMetadata[]
}

/** The cluster as a broker describes it. */
export interface Metadata {
  /** A broker of the cluster. */
  orig_broker_id: number
  /** Its name: `host:port/id`. */
  orig_broker_name: string
  topics: TopicMetadata[]
  brokers: BrokerMetadata[]
}

/** The offsets between which a partition has messages. */
export interface WatermarkOffsets {
  lowOffset: number
  highOffset: number
}

/** The events of all clients. */
export type KafkaClientEvents =
  | 'disconnected'
  | 'ready'
  | 'connection.failure'
  | 'event.error'
  | 'event.stats'
  | 'event.log'
  | 'event.event'
  | 'event.throttle'

/** The events of consumers. */
export type KafkaConsumerEvents =
  | 'data'
  | 'partition.eof'
  | 'rebalance'
  | 'rebalance.error'
  | 'subscribed'
  | 'unsubscribed'
  | 'unsubscribe'
  | 'offset.commit'
  | 'warning'
  | KafkaClientEvents

/** The events of producers. */
export type KafkaProducerEvents = 'delivery-report' | KafkaClientEvents

/** The listeners of all events, by name. */
export interface EventListenerMap {
  disconnected: (metrics: ClientMetrics) => void
  ready: (info: ReadyInfo, metadata: Metadata) => void
  'connection.failure': (error: LibrdKafkaError, metrics: ClientMetrics) => void
  'event.error': (error: LibrdKafkaError) => void
  // `any` in these four as in node-rdkafka: a program says itself what its listener takes, and `unknown` would refuse that.
  'event.stats': (eventData: any) => void
  'event.log': (eventData: any) => void
  'event.event': (eventData: any) => void
  'event.throttle': (eventData: any) => void
  data: (arg: Message) => void
  'partition.eof': (arg: EofEvent) => void
  rebalance: (err: LibrdKafkaError, assignments: TopicPartition[]) => void
  'rebalance.error': (err: Error) => void
  warning: (err: LibrdKafkaError) => void
  subscribed: (topics: SubscribeTopicList) => void
  unsubscribe: () => void
  unsubscribed: () => void
  'offset.commit': (error: LibrdKafkaError, topicPartitions: TopicPartitionOffset[]) => void
  'delivery-report': (error: LibrdKafkaError, report: DeliveryReport) => void
}

/** The listener of an event. */
export type EventListener<K extends string> = K extends keyof EventListenerMap ? EventListenerMap[K] : never

/** What producers and consumers have in common. */
export interface Client<Events extends string> extends EventEmitter {
  /** Connects and asks for metadata; `ready` follows. The error of a failure goes to `cb`. */
  connect(metadataOptions?: MetadataOptions, cb?: (err: LibrdKafkaError, data: Metadata) => any): this

  /** The token for `sasl.mechanisms=OAUTHBEARER`, before `connect` or to replace an earlier one. */
  setOauthBearerToken(tokenStr: string): this

  /** For SASL/PLAIN and SCRAM, from the next authentication on; no effect before `connect`. As Confluent's. */
  setSaslCredentials(username: string, password: string): void

  /** The client of `ottla` beneath; null unless connected. */
  // `any` as in node-rdkafka, whose programs call the native client's methods on it unchecked.
  getClient(): any

  /** How long it has been connected, ms; 0 if it is not. */
  connectedTime(): number

  /** The last error of an `event.error`; null if there was none. */
  getLastError(): LibrdKafkaError

  /** Disconnects, then emits `disconnected`. */
  // `any` as in node-rdkafka: callbacks of programs type the error as they like, and may return anything.
  disconnect(cb?: (err: any, data: ClientMetrics) => any): this
  /** @param timeout how long a producer may take to deliver what is queued, ms; 5000 by default */
  disconnect(timeout: number, cb?: (err: any, data: ClientMetrics) => any): this

  isConnected(): boolean

  /** Asks for metadata. */
  getMetadata(metadataOptions?: MetadataOptions, cb?: (err: LibrdKafkaError, data: Metadata) => any): any

  /** Asks the leader between which offsets the partition has messages. `timeout` is in ms, 1000 by default. */
  queryWatermarkOffsets(
    topic: string,
    partition: number,
    timeout: number,
    cb?: (err: LibrdKafkaError, offsets: WatermarkOffsets) => any,
  ): any
  queryWatermarkOffsets(
    topic: string,
    partition: number,
    cb?: (err: LibrdKafkaError, offsets: WatermarkOffsets) => any,
  ): any

  on<E extends Events>(event: E, listener: EventListener<E>): this
  once<E extends Events>(event: E, listener: EventListener<E>): this
}
