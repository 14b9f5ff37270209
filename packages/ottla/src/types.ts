import type { KafkaError } from './errors.ts'

/** Syslog severities, as librdkafka's `log_level`: 3 error, 4 warning, 5 notice, 6 info, 7 debug. */
export type LogLevel = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7

/** Lets the partitioner choose. */
export const PARTITION_UA = -1
/** The first offset of the partition. */
export const OFFSET_BEGINNING = -2
/** Behind the last offset of the partition. */
export const OFFSET_END = -1
/** The group's committed offset, or what `auto.offset.reset` says. */
export const OFFSET_STORED = -1000
/** No offset. */
export const OFFSET_INVALID = -1001

const OFFSET_TAIL_BASE = -2000

/** A logical offset `n` messages before the end of the partition (RD_KAFKA_OFFSET_TAIL). */
export function offsetTail(n: number): number {
  return OFFSET_TAIL_BASE - n
}

/** @internal the n of offsetTail(n), or -1 when the offset is no such one */
export function tailOf(offset: number): number {
  return offset <= OFFSET_TAIL_BASE ? OFFSET_TAIL_BASE - offset : -1
}

/** @internal whether it is an offset, or one of the logical ones */
export function isOffset(offset: unknown): boolean {
  if (!Number.isSafeInteger(offset)) return false
  const number = offset as number // just checked
  if (number >= OFFSET_BEGINNING) return true
  return number === OFFSET_STORED || number === OFFSET_INVALID || number <= OFFSET_TAIL_BASE
}

/** @internal what to say of something that is none, without showing more than its kind */
export function wrongOffset(offset: unknown, isLogicalToo = true): string {
  const logical = ', OFFSET_BEGINNING, OFFSET_END, OFFSET_STORED, OFFSET_INVALID or offsetTail(n)'
  const must = `must be a whole number from 0${isLogicalToo ? logical : ''}`
  switch (typeof offset) {
    case 'number':
      return `${must}, not ${offset}`
    case 'string':
    case 'bigint':
      return `${must}, not a ${typeof offset}; Number(offset) makes one`
    default:
      return `${must}, not ${offset === null ? 'null' : typeof offset === 'undefined' ? 'undefined' : `a value of type ${typeof offset}`}`
  }
}

/** Bytes on the way in; a string is written as UTF-8. */
export type Bytes = Uint8Array | string

export interface Header {
  readonly key: string
  readonly value: Buffer | null
}

/** A header on the way in. */
export interface HeaderInput {
  readonly key: string
  readonly value?: Bytes | null
}

/** The value of a header on the way in; an array stands for several headers of the name. */
export type HeaderValueInput = Bytes | null | readonly (Bytes | null)[]

/** By name, as a Map or any other list of pairs, or as a list that keeps order and duplicates. */
export type HeadersInput =
  | Readonly<Record<string, HeaderValueInput>>
  | readonly HeaderInput[]
  | Iterable<readonly [name: string, value: HeaderValueInput]>

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export interface TopicPartitionOffset extends TopicPartition {
  /** An offset or one of the logical ones (OFFSET_BEGINNING, OFFSET_END, OFFSET_STORED, OFFSET_INVALID, offsetTail). */
  readonly offset: number
  readonly metadata?: string | null
  readonly leaderEpoch?: number
  readonly error?: KafkaError
}

export type TimestampType = 'create-time' | 'log-append-time' | 'not-available'

/** What a consumer yields. Key, value and headers are views of the fetched data: copy what is kept for long. */
export interface Message<K = Buffer, V = Buffer> extends TopicPartition {
  readonly offset: number
  /** Of the batch, -1 where the broker does not tell it. */
  readonly leaderEpoch: number
  /** ms since the epoch, -1 where there is none. */
  readonly timestamp: number
  readonly timestampType: TimestampType
  readonly key: K | null
  readonly value: V | null
  /** In the order and with the duplicates of the producer. */
  readonly headers: Header[]
}

/** What a producer takes. */
export interface ProducerMessage<K = Bytes, V = Bytes> {
  readonly topic: string
  /** PARTITION_UA (default) lets the partitioner choose. */
  readonly partition?: number
  readonly key?: K | null
  readonly value?: V | null
  /** ms since the epoch; now by default. */
  readonly timestamp?: number
  readonly headers?: HeadersInput
  /** Comes back in the delivery report. */
  readonly opaque?: unknown
}

/** Whether a message is in the log: known, known not to be, or unknown because the answer never came. */
export type PersistenceStatus = 'persisted' | 'possibly-persisted' | 'not-persisted'

/** One for each accepted message, exactly once. Key, value, headers and opaque are what was given. */
export interface DeliveryReport<K = Bytes, V = Bytes> extends TopicPartition {
  /** -1 where it is not known. */
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
  readonly error?: KafkaError
}

export type RebalanceProtocol = 'NONE' | 'EAGER' | 'COOPERATIVE' | 'CONSUMER'

export interface RebalanceEvent {
  readonly type: 'assign' | 'revoke' | 'lost'
  readonly partitions: TopicPartitionOffset[]
  readonly protocol: Exclude<RebalanceProtocol, 'NONE'>
}

export type DeliveryEvent<K = Bytes, V = Bytes> = { readonly type: 'delivery'; readonly report: DeliveryReport<K, V> }
export type MessageEvent<K = Buffer, V = Buffer> = { readonly type: 'message'; readonly message: Message<K, V> }
export type ErrorEvent = { readonly type: 'error'; readonly error: KafkaError }
export type StatsEvent = { readonly type: 'stats'; readonly json: string }
export type LogEvent = {
  readonly type: 'log'
  readonly level: LogLevel
  readonly facility: string
  readonly message: string
}
export type ThrottleEvent = {
  readonly type: 'throttle'
  readonly brokerId: number
  readonly brokerName: string
  readonly throttleTimeMs: number
}
export type OAuthBearerTokenRefreshEvent = { readonly type: 'oauthbearer-token-refresh'; readonly config: string }
export type PartitionEofEvent = {
  readonly type: 'partition-eof'
  readonly topic: string
  readonly partition: number
  readonly offset: number
}
/**
 * No broker has answered for an assigned partition for `ottla.partition.stall.ms`, although it is not paused and nothing
 * of it waits for the program; or a handler of `run`, or the reader of a partition's stream, has had a message for as long.
 * Told once, until it is fetched again, or of each such message; logged as a warning when nobody listens.
 * @since 0.1.0
 */
export type PartitionStalledEvent = {
  readonly type: 'partition-stalled'
  readonly topic: string
  readonly partition: number
  /** Where reading goes on, OFFSET_INVALID while that is not known; the offset of a message that a handler has. */
  readonly offset: number
  /** ms since it was last fetched, or could have been; or since the handler has had the message. */
  readonly stalledMs: number
  /** In words, as `explain()` says it. */
  readonly reason: string
}
export type OffsetsCommittedEvent = {
  readonly type: 'offsets-committed'
  readonly offsets: TopicPartitionOffset[]
  readonly error?: KafkaError
}
/**
 * What a broker said to what became of messages of a share group. With an error they are given out again.
 * @since 0.1.0
 */
export type AcknowledgedEvent = {
  readonly type: 'acknowledged'
  readonly topic: string
  readonly partition: number
  readonly offsets: number[]
  readonly error?: KafkaError
}
export type RebalanceEventNotice = { readonly type: 'rebalance'; readonly event: RebalanceEvent }

/** Everything that `events()`, `poll()` and `on(type, listener)` hand out. */
export type Event =
  | DeliveryEvent
  | MessageEvent
  | PartitionEofEvent
  | PartitionStalledEvent
  | OffsetsCommittedEvent
  | AcknowledgedEvent
  | RebalanceEventNotice
  | ErrorEvent
  | StatsEvent
  | ThrottleEvent
  | LogEvent
  | OAuthBearerTokenRefreshEvent

/** What a producer tells. */
export type ProducerEvent =
  DeliveryEvent | ErrorEvent | StatsEvent | ThrottleEvent | LogEvent | OAuthBearerTokenRefreshEvent

/** What a consumer tells. */
export type ConsumerEvent<K = Buffer, V = Buffer> =
  | MessageEvent<K, V>
  | PartitionEofEvent
  | PartitionStalledEvent
  | OffsetsCommittedEvent
  | RebalanceEventNotice
  | ErrorEvent
  | StatsEvent
  | ThrottleEvent
  | LogEvent
  | OAuthBearerTokenRefreshEvent

/** The event of one type. */
export type EventOf<T extends Event['type']> = Extract<Event, { type: T }>

export interface BrokerMetadata {
  readonly id: number
  readonly host: string
  readonly port: number
  readonly rack?: string
}

export interface PartitionMetadata {
  readonly partition: number
  /** -1 while there is none. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly replicas: number[]
  readonly isr: number[]
  readonly offlineReplicas: number[]
  readonly error?: KafkaError
}

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

/** Who a consumer is within its group: plain data, to be handed to a transaction. */
export interface ConsumerGroupMetadata {
  readonly groupId: string
  readonly generationId: number
  readonly memberId: string
  readonly groupInstanceId?: string
}

export interface OAuthBearerToken {
  readonly tokenValue: string
  /** ms since the epoch. */
  readonly expiration: number
  readonly principal: string
  readonly extensions?: Readonly<Record<string, string>>
}

/** What every waiting call takes: milliseconds (-1: no limit), or those and a signal to give up. */
export type WaitOptions = number | { readonly timeoutMs?: number; readonly signal?: AbortSignal }

export interface SerdesContext {
  readonly topic: string
  readonly field: 'key' | 'value'
  readonly headers: Header[]
}

/** Turns data into bytes; one that returns a promise works with `send` only. */
export type Serializer<T> = (data: T, context: SerdesContext) => Bytes | null | Promise<Bytes | null>

/** Turns bytes into data. */
export type Deserializer<T> = (data: Buffer, context: SerdesContext) => T | Promise<T>

/**
 * Chooses the partition of a message.
 * @param key the key's bytes, null for none
 * @returns a number in 0 to partitionCount - 1
 */
export type Partitioner = (
  topic: string,
  key: Buffer | null,
  partitionCount: number,
  message: ProducerMessage<unknown, unknown>,
) => number
