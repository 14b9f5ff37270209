/** Messages of share groups, each with a lock of its own. */
import { RecordView, type RecordCursor } from '@ottla/protocol'
import type { Message } from '../../types.ts'
import { decodeFields, type Decoding } from '../read/decoding.ts'
import type { PendingAcknowledgements } from './acknowledgements.ts'

/**
 * A message that nobody else in the group has for as long as it is locked (`group.share.record.lock.duration.ms` of the
 * broker).
 * @since 0.1.0
 */
export interface ShareMessage<K = Buffer, V = Buffer> extends Message<K, V> {
  /** How often it has been given to a member of the group, this time included: 1 for the first. */
  readonly deliveryCount: number
}

/** One partition, as a broker gives its records out; ended with the session that they came in. */
export interface ShareSource {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  /** `topic [partition]` */
  readonly name: string
  /** The broker that gives them out. */
  readonly node: number
  readonly pending: PendingAcknowledgements
  /** Messages of it that the consumer has the locks of, and has not said what became of. */
  held: number
  /** The session is gone, and all locks with it. */
  isLost: boolean
}

/** Records that came with one answer. */
export interface ShareLot {
  readonly since: number
  readonly count: number
  /** Not handed out yet. */
  waiting: number
}

/**
 * waiting: locked, not handed out; given: the program has it; settled: it has been said what became of it; over: the lock
 * was lost before that.
 */
export type ShareMessageState = 'waiting' | 'given' | 'settled' | 'over'

/** A message without deserializers; fields are views, as those of any fetched message. */
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
  /** @internal told when the lock is lost */
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

/** What a message that was handed out came from; undefined for any other object. */
export function lockedMessage(message: object): LockedMessage | undefined {
  return message instanceof LockedMessage ? message : origins.get(message)
}

/**
 * With its deserialized fields: a promise only if a deserializer gives one. Throws, or rejects with, KafkaError
 * ERR__KEY_DESERIALIZATION or ERR__VALUE_DESERIALIZATION, as messages of every consumer do.
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
