/** LoopYield fetched messages into what the application gets: deserializers and interceptors. */
import { ErrorCode } from '@ottla/protocol'
import { messageOf } from '../../base/unknown-error.ts'
import { KafkaError } from '../../errors.ts'
import { deserializersOf } from '../../topic-serdes.ts'
import type { Deserializer, Message, SerdesContext, TopicPartition } from '../../types.ts'
import { movedSince, notAssigned } from '../arguments.ts'
import type { Cursor } from '../partition/cursor.ts'
import { FetchedMessage } from '../partition/message.ts'
import type { Intercept } from './interceptors.ts'

/** How a message is changed before it is delivered; null leaves it as it is. */
export interface Decoding {
  readonly key: Deserializer<unknown> | null
  readonly value: Deserializer<unknown> | null
  /** Applies the interceptors. */
  readonly intercept?: Intercept | null
}

/**
 * Null when there is nothing to decode.
 * @param options - the constructor's
 * @throws KafkaError ERR__INVALID_ARG for wrong deserializers of topics
 */
export function decodingOf(options: object, intercept: Intercept | null = null): Decoding | null {
  const { key, value } = deserializersOf(options)
  return key === null && value === null && intercept === null ? null : { key, value, intercept }
}

/** The origin of a delivered message, as far as storing its offset needs it. */
export interface HandedOut {
  readonly cursor: Cursor
  readonly offset: number
  readonly leaderEpoch: number
  readonly isStale: boolean
}

const origins = new WeakMap<object, HandedOut>()

/** The origin of a message that a consumer has delivered; undefined for any other object. */
export function originOf(message: object): HandedOut | undefined {
  return message instanceof FetchedMessage ? message : origins.get(message)
}

/** Why a message's offset can no longer be stored; null when it can, or when its origin is unknown. */
export function outlived(message: TopicPartition & { readonly offset: number }): KafkaError | null {
  const origin = originOf(message)
  if (origin?.cursor.dropped === true) return notAssigned(message.topic, message.partition)
  return origin?.isStale === true ? movedSince(message) : null
}

/**
 * The message with its deserialized fields: a promise only if a deserializer returns one.
 * Throws, or rejects with, KafkaError ERR__KEY_DESERIALIZATION or ERR__VALUE_DESERIALIZATION, which has the raw message
 * in a field that is not printed (`rawMessage`).
 */
export function decodeMessage(
  message: FetchedMessage,
  decoding: Decoding,
): Message<unknown, unknown> | Promise<Message<unknown, unknown>> {
  const decoded = deserialize(message, decoding)
  if (decoded instanceof Promise) return decoded.then(made => intercepted(message, made, decoding))
  return intercepted(message, decoded, decoding)
}

/** As decodeMessage, without the interceptors. */
export function deserialize(
  message: FetchedMessage,
  decoding: Decoding,
): Message<unknown, unknown> | Promise<Message<unknown, unknown>> {
  return decodeFields(message, decoding, plainMessage)
}

/** Applies the interceptors to a message that is about to be delivered. */
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
 * What `make` makes of a message with its deserialized key and value; the message itself without deserializers. A
 * promise only if a deserializer returns one. Throws, or rejects with, KafkaError ERR__KEY_DESERIALIZATION or
 * ERR__VALUE_DESERIALIZATION, with `rawMessage`.
 */
export function decodeFields<From extends Message, To>(
  message: From,
  decoding: Decoding,
  make: (message: From, key: unknown, value: unknown) => To,
): From | To | Promise<To> {
  if (decoding.key === null && decoding.value === null) return message
  const key = decodeField(message, 'key', decoding.key)
  if (key instanceof Promise) {
    // As a promise, too, so that both are awaited, whichever fails first.
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
  const { topic, headers } = message
  const context: SerdesContext = { topic, field, headers, isCalledAgain: true }
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

/** Whether a message may be deserialized later: what a deserializer needs, as a schema registry, is not there now. */
export function isTransient(error: unknown): error is KafkaError {
  if (!(error instanceof KafkaError)) return false
  const { code, cause } = error
  if (code !== ErrorCode.ERR__KEY_DESERIALIZATION && code !== ErrorCode.ERR__VALUE_DESERIALIZATION) return false
  return typeof cause === 'object' && cause !== null && 'isRetriable' in cause && cause.isRetriable === true
}

function undecodable(message: Message, field: 'key' | 'value', cause: unknown): KafkaError {
  const code = field === 'key' ? ErrorCode.ERR__KEY_DESERIALIZATION : ErrorCode.ERR__VALUE_DESERIALIZATION
  const culprit = `the ${field} of ${message.topic} [${message.partition}] at offset ${message.offset}`
  const error = new KafkaError(code, `${culprit} cannot be deserialized: ${messageOf(cause)}`, { cause })
  // The application's data must not be printed with the error.
  return Object.defineProperty(error, 'rawMessage', { value: message, enumerable: false })
}
