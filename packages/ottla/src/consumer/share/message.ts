/** Messages of share groups, each with a lock of its own. */
import { RecordView, type RecordCursor } from '@ottla/protocol'
import type { TopicField, TopicForm, TopicName, ValueBeside } from '../../topics.ts'
import type { Message } from '../../types.ts'
import { decodeFields, type Decoding } from '../read/decoding.ts'
import type { PendingAcknowledgements } from './acknowledgements.ts'

/**
 * A message that no other member of the group has while it is locked (the broker's
 * `group.share.record.lock.duration.ms`).
 * @since 0.1.0
 */
export interface ShareMessage<K = Buffer, V = Buffer> extends Message<K, V> {
  /** How often it has been delivered to a member of the group, this time included: 1 for the first. */
  readonly deliveryCount: number
}

/**
 * A message of one topic, for typed topics.
 * @since 0.1.0
 */
export interface TopicShareMessage<N extends string, K, V> extends ShareMessage<K, V> {
  readonly topic: N
}

/**
 * What a `ShareConsumer<K, V>` delivers: for typed topics, messages that their `topic` tells apart.
 * @since 0.1.0
 */
export type ConsumedShareMessage<K = Buffer, V = ValueBeside<K, Buffer>> = {
  readonly plain: ShareMessage<K, V>
  readonly topics: {
    [N in TopicName<K>]: TopicShareMessage<N, TopicField<K[N], 'key', Buffer>, TopicField<K[N], 'value', Buffer>>
  }[TopicName<K>]
}[TopicForm<K, V>]

/** One partition within one share session of a broker. */
export interface ShareSource {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  /** `topic [partition]` */
  readonly name: string
  /** The broker that delivers its messages. */
  readonly node: number
  readonly pending: PendingAcknowledgements
  /** Messages that are locked for this consumer and not acknowledged. */
  held: number
  /** The session has ended, and all locks with it. */
  isLost: boolean
}

/** The messages that came with one response. */
export interface ShareLot {
  readonly since: number
  readonly count: number
  /** Not delivered yet. */
  waiting: number
}

/**
 * waiting: locked, not delivered; given: delivered to the application; settled: acknowledged; over: the lock was lost
 * before that.
 */
export type ShareMessageState = 'waiting' | 'given' | 'settled' | 'over'

/** A message without deserializers; key, value and headers are views, as in any fetched message. */
export class LockedMessage extends RecordView implements ShareMessage {
  readonly deliveryCount: number
  /** @internal */
  readonly source: ShareSource
  /** @internal */
  readonly lot: ShareLot
  /** @internal when the lock ends, by the client's clock */
  lockedUntil: number
  /** @internal */
  state: ShareMessageState = 'waiting'
  /** @internal called when the lock is lost */
  onLost: (() => void) | null = null

  /** @internal */
  constructor(records: RecordCursor, source: ShareSource, lot: ShareLot, deliveryCount: number, lockedUntil: number) {
    super(records)
    this.source = source
    this.lot = lot
    this.deliveryCount = deliveryCount
    this.lockedUntil = lockedUntil
  }

  get topic(): string {
    return this.source.topic
  }

  get partition(): number {
    return this.source.partition
  }

  /** All fields in a plain object: what JSON.stringify and console.log show. */
  toJSON(): ShareMessage {
    const { topic, partition, offset, leaderEpoch, timestamp, timestampType, key, value, headers, deliveryCount } = this
    return { topic, partition, offset, leaderEpoch, timestamp, timestampType, key, value, headers, deliveryCount }
  }

  [Symbol.for('nodejs.util.inspect.custom')](): ShareMessage {
    return this.toJSON()
  }
}

const origins = new WeakMap<object, LockedMessage>()

/** The origin of a delivered message; undefined for any other object. */
export function lockedMessage(message: object): LockedMessage | undefined {
  return message instanceof LockedMessage ? message : origins.get(message)
}

/**
 * The message with its deserialized fields: a promise only if a deserializer returns one. Throws, or rejects with,
 * KafkaError ERR__KEY_DESERIALIZATION or ERR__VALUE_DESERIALIZATION.
 */
export function decodeLocked(
  message: LockedMessage,
  decoding: Decoding,
): ShareMessage<unknown, unknown> | Promise<ShareMessage<unknown, unknown>> {
  return decodeFields(message, decoding, plainMessage)
}

function plainMessage(message: LockedMessage, key: unknown, value: unknown): ShareMessage<unknown, unknown> {
  const { topic, partition, offset, leaderEpoch, timestamp, timestampType, headers, deliveryCount } = message
  const plain = { topic, partition, offset, leaderEpoch, timestamp, timestampType, key, value, headers, deliveryCount }
  origins.set(plain, message)
  return plain
}
