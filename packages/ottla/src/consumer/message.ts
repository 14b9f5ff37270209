/** Messages as the program gets them. */
import { ErrorCode, RecordBatch, RecordView, type RecordCursor } from '@ottla/protocol'
import { KafkaError } from '../errors.ts'
import { deserializerOf, type DeserializerInput } from '../serdes.ts'
import type { Deserializer, Message, SerdesContext, TopicPartition } from '../types.ts'
import { movedSince, notAssigned } from './arguments.ts'
import type { Cursor } from './cursor.ts'
import type { Intercept } from './interceptors.ts'

/**
 * A message without deserializers. Key, value and headers are made when they are first read, as views of the
 * fetched data, which they keep in memory: copy what is to be kept for long. They are accessors, so that
 * `{ ...message }` lacks them; `toJSON()` gives a plain object with everything.
 * @since 0.1.0
 */
export class FetchedMessage extends RecordView implements Message {
  /** @internal the assignment that it came from */
  readonly cursor: Cursor
  /** @internal the cursor's era when it was handed out: see OffsetStore */
  readonly era: number

  /** @internal */
  constructor(records: RecordCursor, cursor: Cursor, era: number) {
    super(records)
    this.cursor = cursor
    this.era = era
  }

  /** @internal the position has moved since, by the program, a reset or a truncation */
  get isStale(): boolean {
    return this.era !== this.cursor.offsets.era
  }

  /** @internal it is not to be handed out any more: its partition was given up, or as above */
  get isOver(): boolean {
    return this.cursor.dropped || this.isStale
  }

  get topic(): string {
    return this.cursor.topic
  }

  get partition(): number {
    return this.cursor.partition
  }

  /** All fields in a plain object: what JSON.stringify and console.log show. */
  toJSON(): Message {
    const { topic, partition, offset, leaderEpoch, timestamp, timestampType, key, value, headers } = this
    return { topic, partition, offset, leaderEpoch, timestamp, timestampType, key, value, headers }
  }

  [Symbol.for('nodejs.util.inspect.custom')](): Message {
    return this.toJSON()
  }
}

/** The batch that a message was in. */
export function batchOf({ batch }: FetchedMessage): RecordBatch | null {
  return batch instanceof RecordBatch ? batch : null
}

/** Those of several messages of one partition, in order. */
export function batchesOf(messages: Iterable<FetchedMessage>): RecordBatch[] {
  const batches: RecordBatch[] = []
  for (const message of messages) {
    const batch = batchOf(message)
    if (batch !== null && batches.at(-1) !== batch) batches.push(batch)
  }
  return batches
}

/** What becomes of a message before the program gets it; null leaves it as it is. */
export interface Decoding {
  readonly key: Deserializer<unknown> | null
  readonly value: Deserializer<unknown> | null
  /** The interceptors' part. */
  readonly intercept?: Intercept | null
}

/** Null when there is nothing to decode. */
export function decodingOf(
  key: DeserializerInput<unknown> | undefined,
  value: DeserializerInput<unknown> | undefined,
  intercept: Intercept | null = null,
): Decoding | null {
  if (key === undefined && value === undefined && intercept === null) return null
  return {
    key: key === undefined ? null : deserializerOf(key),
    value: value === undefined ? null : deserializerOf(value),
    intercept,
  }
}

/** Where a message that was handed out came from: what storing its offset needs. */
export interface HandedOut {
  readonly cursor: Cursor
  readonly offset: number
  readonly leaderEpoch: number
  readonly isStale: boolean
}

const origins = new WeakMap<object, HandedOut>()

/** The origin of a message that this library handed out; undefined for any other object. */
export function originOf(message: object): HandedOut | undefined {
  return message instanceof FetchedMessage ? message : origins.get(message)
}

/** Why a message's offset cannot be stored any more; null when it can, or is not known to have been handed out. */
export function outlived(message: TopicPartition & { readonly offset: number }): KafkaError | null {
  const origin = originOf(message)
  if (origin?.cursor.dropped === true) return notAssigned(message.topic, message.partition)
  return origin?.isStale === true ? movedSince(message) : null
}

/**
 * The message with its deserialized fields: a promise only if a deserializer gives one.
 * Throws, or rejects with, KafkaError ERR__KEY_DESERIALIZATION or ERR__VALUE_DESERIALIZATION, which carries the
 * raw message in a field that is not printed (`rawMessage`).
 */
export function decodeMessage(
  message: FetchedMessage,
  decoding: Decoding,
): Message<unknown, unknown> | Promise<Message<unknown, unknown>> {
  const decoded = deserialize(message, decoding)
  if (decoded instanceof Promise) return decoded.then(made => intercepted(message, made, decoding))
  return intercepted(message, decoded, decoding)
}

/** As decodeMessage, without the interceptors' part. */
export function deserialize(
  message: FetchedMessage,
  decoding: Decoding,
): Message<unknown, unknown> | Promise<Message<unknown, unknown>> {
  return decodeFields(message, decoding, plainMessage)
}

/** The interceptors' part: what is about to be handed out. */
export function intercepted(
  origin: FetchedMessage,
  message: Message<unknown, unknown>,
  { intercept }: Decoding,
): Message<unknown, unknown> {
  if (intercept === null || intercept === undefined) return message
  const changed = intercept(message)
  if (changed !== message) origins.set(changed, origin)
  return changed
}

function plainMessage(message: FetchedMessage, key: unknown, value: unknown): Message<unknown, unknown> {
  const { topic, partition, offset, leaderEpoch, timestamp, timestampType, headers } = message
  const plain = { topic, partition, offset, leaderEpoch, timestamp, timestampType, key, value, headers }
  origins.set(plain, message)
  return plain
}

/**
 * What `make` makes of a message and its deserialized key and value; the message itself without deserializers. A promise
 * only if a deserializer gives one.
 * Throws, or rejects with, KafkaError ERR__KEY_DESERIALIZATION or ERR__VALUE_DESERIALIZATION, with `rawMessage`.
 */
export function decodeFields<From extends Message, To>(
  message: From,
  decoding: Decoding,
  make: (message: From, key: unknown, value: unknown) => To,
): From | To | Promise<To> {
  if (decoding.key === null && decoding.value === null) return message
  const key = decodeField(message, 'key', decoding.key)
  if (key instanceof Promise) {
    // Promised as well, so that both are awaited, whichever fails first.
    const value = new Promise(resolve => resolve(decodeField(message, 'value', decoding.value)))
    return Promise.all([key, value]).then(([k, v]) => make(message, k, v))
  }
  const value = decodeField(message, 'value', decoding.value)
  if (value instanceof Promise) return value.then((v: unknown) => make(message, key, v))
  return make(message, key, value)
}

function decodeField(message: Message, field: 'key' | 'value', deserializer: Deserializer<unknown> | null): unknown {
  const bytes = message[field]
  if (bytes === null || deserializer === null) return bytes
  const context: SerdesContext = { topic: message.topic, field, headers: message.headers }
  try {
    const decoded = deserializer(bytes, context)
    if (!(decoded instanceof Promise)) return decoded
    const promise: Promise<unknown> = decoded
    return promise.catch((error: unknown) => {
      throw undecodable(message, field, error)
    })
  } catch (error) {
    throw undecodable(message, field, error)
  }
}

function undecodable(message: Message, field: 'key' | 'value', cause: unknown): KafkaError {
  const code = field === 'key' ? ErrorCode.ERR__KEY_DESERIALIZATION : ErrorCode.ERR__VALUE_DESERIALIZATION
  const why = cause instanceof Error ? cause.message : String(cause)
  const culprit = `the ${field} of ${message.topic} [${message.partition}] at offset ${message.offset}`
  const error = new KafkaError(code, `${culprit} cannot be deserialized: ${why}`, { cause })
  // The bytes are the user's: they must not be printed with the error.
  return Object.defineProperty(error, 'rawMessage', { value: message, enumerable: false })
}
