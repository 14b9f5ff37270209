import type { KafkaError } from './errors.ts'
import type { Statistics } from './statistics.ts'
import type { TopicField, TopicForm, TopicName, ValueBeside } from './topics.ts'

/** Syslog severities, as in librdkafka's `log_level`: 3 error, 4 warning, 5 notice, 6 info, 7 debug. */
export type LogLevel = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7

/** Lets the partitioner choose. */
export const PARTITION_UA = -1
/** The first offset of the partition. */
export const OFFSET_BEGINNING = -2
/** The end of the partition: the offset after the last one. */
export const OFFSET_END = -1
/** The group's committed offset; without one, `auto.offset.reset` decides. */
export const OFFSET_STORED = -1000
/** No offset. */
export const OFFSET_INVALID = -1001

const OFFSET_TAIL_BASE = -2000

/** A logical offset `n` messages before the end of the partition (RD_KAFKA_OFFSET_TAIL). */
export function offsetTail(n: number): number {
  return OFFSET_TAIL_BASE - n
}

/** Bytes to send; a string is written as UTF-8. */
export type Bytes = Uint8Array | string

/** A header of a consumed message. */
export interface Header {
  readonly key: string
  readonly value: Buffer | null
}

/** A header to send. */
export interface HeaderInput {
  readonly key: string
  readonly value?: Bytes | null
}

/** The value of a header to send; an array stands for several headers of that name. */
export type HeaderValueInput = Bytes | null | readonly (Bytes | null)[]

/** An object by name, a Map or any other list of pairs, or a list of headers, which keeps order and duplicates. */
export type HeadersInput =
  | Readonly<Record<string, HeaderValueInput>>
  | readonly HeaderInput[]
  | Iterable<readonly [name: string, value: HeaderValueInput]>

/** One partition of a topic. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** An offset in a partition, with what may belong to it. */
export interface TopicPartitionOffset extends TopicPartition {
  /** An offset or a logical one (OFFSET_BEGINNING, OFFSET_END, OFFSET_STORED, OFFSET_INVALID, offsetTail). */
  readonly offset: number
  readonly metadata?: string | null
  readonly leaderEpoch?: number
  readonly error?: KafkaError
}

/** Who set the timestamp: the producer, or the broker when it appended the message (`message.timestamp.type`). */
export type TimestampType = 'create-time' | 'log-append-time' | 'not-available'

/** A consumed message. Key, value and headers are views of the fetched data: copy what you keep for long. */
export interface Message<K = Buffer, V = Buffer> extends TopicPartition {
  readonly offset: number
  /** The batch's leader epoch, -1 if the broker does not report one. */
  readonly leaderEpoch: number
  /** ms since the epoch, -1 if there is none. */
  readonly timestamp: number
  readonly timestampType: TimestampType
  readonly key: K | null
  readonly value: V | null
  /** In the producer's order, duplicates included. */
  readonly headers: Header[]
}

/**
 * A message of one topic, for typed topics.
 * @since 0.1.0
 */
export interface TopicMessage<N extends string, K, V> extends Message<K, V> {
  readonly topic: N
}

/**
 * What a `Consumer<K, V>` delivers: a message, or for typed topics one of any of them, told apart by its `topic`.
 * @since 0.1.0
 */
export type ConsumedMessage<K = Buffer, V = ValueBeside<K, Buffer>> = {
  readonly plain: Message<K, V>
  readonly topics: {
    [N in TopicName<K>]: TopicMessage<N, TopicField<K[N], 'key', Buffer>, TopicField<K[N], 'value', Buffer>>
  }[TopicName<K>]
}[TopicForm<K, V>]

/** A message to produce. */
export interface ProducerMessage<K = Bytes, V = Bytes> {
  readonly topic: string
  /** PARTITION_UA (default) lets the partitioner choose. */
  readonly partition?: number
  readonly key?: K | null
  readonly value?: V | null
  /** ms since the epoch (default: now). */
  readonly timestamp?: number
  readonly headers?: HeadersInput
  /** Returned in the delivery report. */
  readonly opaque?: unknown
}

/**
 * A message to produce to one topic, for typed topics.
 * @since 0.1.0
 */
export interface TopicProducerMessage<N extends string, K, V> extends ProducerMessage<K, V> {
  readonly topic: N
}

/**
 * What a `Producer<K, V>` takes: a message, or for typed topics one of any of them.
 * @since 0.1.0
 */
export type ProducedMessage<K = Bytes, V = ValueBeside<K, Bytes>> = {
  readonly plain: ProducerMessage<K, V>
  readonly topics: {
    [N in TopicName<K>]: TopicProducerMessage<N, TopicField<K[N], 'key', Bytes>, TopicField<K[N], 'value', Bytes>>
  }[TopicName<K>]
}[TopicForm<K, V>]

/** Whether a message is in the log: it is, it may be because the answer never came, or it is not. */
export type PersistenceStatus = 'persisted' | 'possibly-persisted' | 'not-persisted'

/** The outcome of a message: each accepted message gets exactly one. Key, value, headers and opaque are those given. */
export interface DeliveryReport<K = Bytes, V = Bytes> extends TopicPartition {
  /** -1 if it is not known. */
  readonly offset: number
  /** ms since the epoch. */
  readonly timestamp: number
  readonly key: K | null
  readonly value: V | null
  readonly headers: HeadersInput | undefined
  readonly opaque: unknown
  readonly status: PersistenceStatus
  /** From `produce` to the report. */
  readonly latencyMs: number
  /** Where the partition's log began when the broker answered (KIP-107); -1 if it is not known. Not enumerable. */
  readonly logStartOffset?: number
  readonly error?: KafkaError
}

/**
 * The report of a message to one topic, for typed topics.
 * @since 0.1.0
 */
export interface TopicDeliveryReport<N extends string, K, V> extends DeliveryReport<K, V> {
  readonly topic: N
}

/**
 * What a `Producer<K, V>` reports: for typed topics, reports that their `topic` tells apart.
 * @since 0.1.0
 */
export type ProducedReport<K = Bytes, V = ValueBeside<K, Bytes>> = {
  readonly plain: DeliveryReport<K, V>
  readonly topics: {
    [N in TopicName<K>]: TopicDeliveryReport<N, TopicField<K[N], 'key', Bytes>, TopicField<K[N], 'value', Bytes>>
  }[TopicName<K>]
}[TopicForm<K, V>]

/**
 * How a group rebalances: all partitions move at once, only those that have to (KIP-429), or as the coordinator says (KIP-848).
 */
export type RebalanceProtocol = 'NONE' | 'EAGER' | 'COOPERATIVE' | 'CONSUMER'

/** What a rebalance does to a consumer: partitions are assigned, revoked, or lost because the member was. */
export interface RebalanceEvent {
  readonly type: 'assign' | 'revoke' | 'lost'
  readonly partitions: TopicPartitionOffset[]
  readonly protocol: Exclude<RebalanceProtocol, 'NONE'>
}

/** A delivery report that no callback and no promise takes. */
export type DeliveryEvent<K = Bytes, V = ValueBeside<K, Bytes>> = {
  readonly type: 'delivery'
  readonly report: ProducedReport<K, V>
}
/** A message, from `poll`. */
export type MessageEvent<K = Buffer, V = ValueBeside<K, Buffer>> = {
  readonly type: 'message'
  readonly message: ConsumedMessage<K, V>
}
/** Something went wrong; the client goes on unless the error `isFatal`. */
export type ErrorEvent = { readonly type: 'error'; readonly error: KafkaError }
/** Statistics, every `statistics.interval.ms`: as an object, and as librdkafka's JSON. */
export type StatsEvent = { readonly type: 'stats'; readonly statistics: Statistics; readonly json: string }
/** A log line. */
export type LogEvent = {
  readonly type: 'log'
  readonly level: LogLevel
  readonly facility: string
  readonly message: string
}
/** A broker has throttled the client for its quotas. */
export type ThrottleEvent = {
  readonly type: 'throttle'
  readonly brokerId: number
  readonly brokerName: string
  readonly throttleTimeMs: number
}
/**
 * A broker has answered a request, or has not in time (`error`). For listeners only: made if there is one, and neither
 * `poll` nor `events()` delivers it.
 * @since 0.1.0
 */
export type RequestEvent = {
  readonly type: 'request'
  /** As in logs: `127.0.0.1:9092/1`. */
  readonly brokerName: string
  readonly apiKey: number
  readonly apiName: string
  readonly apiVersion: number
  readonly correlationId: number
  /** ms since the epoch. */
  readonly sentAt: number
  /** From sending to the response, ms. */
  readonly durationMs: number
  /** Of the response, without its length; 0 for none. */
  readonly sizeBytes: number
  readonly error?: KafkaError
}
/** A token is needed: answer with `setOAuthBearerToken` or `setOAuthBearerTokenFailure`. */
export type OAuthBearerTokenRefreshEvent = { readonly type: 'oauthbearer-token-refresh'; readonly config: string }
/** The end of a partition was reached (`enable.partition.eof`). */
export type PartitionEofEvent = {
  readonly type: 'partition-eof'
  readonly topic: string
  readonly partition: number
  readonly offset: number
}
/**
 * A fetch has brought offsets without a message, and reading has passed them: markers of transactions, aborted messages
 * under `isolation.level=read_committed`, messages that were compacted away. What was before them has been delivered.
 * Offsets that are missing between two messages of one fetch are not reported. For listeners only, as `request`.
 * @since 0.1.0
 */
export type GapEvent = {
  readonly type: 'gap'
  readonly topic: string
  readonly partition: number
  readonly firstOffset: number
  readonly lastOffset: number
  /** The partition's high watermark as of the last fetch. */
  readonly highWatermark: number
}
/**
 * For `ottla.partition.stall.ms`, no broker has answered for an assigned partition that is not paused and has nothing
 * queued for the application; or a handler of `run` or the reader of a partition's stream has had one message for as
 * long. Emitted once until the partition is fetched again, or once per message; logged as a warning if nobody listens.
 * @since 0.1.0
 */
export type PartitionStalledEvent = {
  readonly type: 'partition-stalled'
  readonly topic: string
  readonly partition: number
  /** The position, OFFSET_INVALID while it is unknown; or the offset of the message that the handler has. */
  readonly offset: number
  /** ms since it was last fetched, or could have been; or since the handler got the message. */
  readonly stalledMs: number
  /** In words, as in `explain()`. */
  readonly reason: string
}
/** The outcome of a commit, of automatic ones, too. */
export type OffsetsCommittedEvent = {
  readonly type: 'offsets-committed'
  readonly offsets: TopicPartitionOffset[]
  readonly error?: KafkaError
}
/**
 * A broker's answer to acknowledgements of a share group. On an error the messages are delivered again.
 * @since 0.1.0
 */
export type AcknowledgedEvent = {
  readonly type: 'acknowledged'
  readonly topic: string
  readonly partition: number
  readonly offsets: number[]
  readonly error?: KafkaError
}
/** What a rebalance does, as the callback of `subscribe` gets it. */
export type RebalanceEventNotice = { readonly type: 'rebalance'; readonly event: RebalanceEvent }

/**
 * What `for await` asks of a consumer: it ends without a value. (An AsyncIterableIterator that says so needs TypeScript
 * 5.6.)
 * @since 0.1.0
 */
export interface ConsumerIterator<T> extends AsyncIterator<T, undefined> {
  [Symbol.asyncIterator](): ConsumerIterator<T>
}

/** Every event of `events()`, `poll()` and `on(type, listener)`. */
export type Event =
  | DeliveryEvent
  | MessageEvent
  | PartitionEofEvent
  | PartitionStalledEvent
  | GapEvent
  | OffsetsCommittedEvent
  | AcknowledgedEvent
  | RebalanceEventNotice
  | ErrorEvent
  | StatsEvent
  | ThrottleEvent
  | RequestEvent
  | LogEvent
  | OAuthBearerTokenRefreshEvent

/** The events of a producer. */
export type ProducerEvent<K = Bytes, V = ValueBeside<K, Bytes>> =
  DeliveryEvent<K, V> | ErrorEvent | StatsEvent | ThrottleEvent | RequestEvent | LogEvent | OAuthBearerTokenRefreshEvent

/** The events of a consumer. */
export type ConsumerEvent<K = Buffer, V = ValueBeside<K, Buffer>> =
  | MessageEvent<K, V>
  | PartitionEofEvent
  | PartitionStalledEvent
  | GapEvent
  | OffsetsCommittedEvent
  | RebalanceEventNotice
  | ErrorEvent
  | StatsEvent
  | ThrottleEvent
  | RequestEvent
  | LogEvent
  | OAuthBearerTokenRefreshEvent

/** The event of one type. */
export type EventOf<T extends Event['type']> = Extract<Event, { type: T }>

/** A broker. */
export interface BrokerMetadata {
  readonly id: number
  readonly host: string
  readonly port: number
  readonly rack?: string
}

/** A partition, its leader and its replicas. */
export interface PartitionMetadata {
  readonly partition: number
  /** -1 if there is none. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly replicas: number[]
  readonly isr: number[]
  readonly offlineReplicas: number[]
  readonly error?: KafkaError
}

/** A topic and its partitions; an error if it cannot be described. */
export interface TopicMetadata {
  readonly topic: string
  readonly topicId: string
  readonly isInternal: boolean
  readonly partitions: PartitionMetadata[]
  readonly error?: KafkaError
}

/** The cluster as a broker described it. */
export interface Metadata {
  readonly clusterId: string | null
  readonly controllerId: number
  readonly brokers: BrokerMetadata[]
  readonly topics: TopicMetadata[]
}

/** A consumer's identity within its group: plain data, to be handed to a transaction. */
export interface ConsumerGroupMetadata {
  readonly groupId: string
  readonly generationId: number
  readonly memberId: string
  readonly groupInstanceId?: string
}

/** A token for SASL OAUTHBEARER. */
export interface OAuthBearerToken {
  readonly tokenValue: string
  /** ms since the epoch. */
  readonly expiration: number
  readonly principal: string
  readonly extensions?: Readonly<Record<string, string>>
}

/** The limit of a call that waits: milliseconds (-1: none), or these and a signal that aborts the wait. */
export type WaitOptions = number | { readonly timeoutMs?: number; readonly signal?: AbortSignal }

/** What a serializer or deserializer is told beside the data. */
export interface SerdesContext {
  readonly topic: string
  readonly field: 'key' | 'value'
  /** The message's. What a serializer pushes is sent with it. */
  readonly headers: Header[]
  /**
   * True for deserializers of consumers: one that fails with an error whose `isRetriable` is true is called again, after a
   * backoff, for as long as that takes, and keeps up its own partition only. It need not wait by itself.
   */
  readonly isCalledAgain?: boolean
}

/** Turns data into bytes. A serializer that returns a promise works with `send` only. */
export type Serializer<T> = (data: T, context: SerdesContext) => Bytes | null | Promise<Bytes | null>

/** Turns bytes into data. */
export type Deserializer<T> = (data: Buffer, context: SerdesContext) => T | Promise<T>

/**
 * Chooses the partition of a message.
 * @param key the key's bytes, null for none
 * @returns a number from 0 to partitionCount - 1
 */
export type Partitioner = (
  topic: string,
  key: Buffer | null,
  partitionCount: number,
  message: ProducerMessage<unknown, unknown>,
) => number
