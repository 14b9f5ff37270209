/** What a message has to look like, checked before anything of it is accepted. */
import { ErrorCode } from '@ottla/protocol'
import { KafkaError } from '../errors.ts'
import type { Bytes, Header, HeadersInput, ProducerMessage, SerdesContext, Serializer } from '../types.ts'

/** A message as a program gives it, whatever its serializers take. */
export type AnyMessage = ProducerMessage<unknown, unknown>

const MAX_TOPIC_LENGTH = 249
const LEGAL_TOPIC = /^[a-zA-Z0-9._-]+$/

/** @throws KafkaError ERR__INVALID_ARG for what is no object at all */
export function checkMessage(message: unknown): void {
  if (typeof message !== 'object' || message === null)
    throw invalid(`a message must be an object, not ${kindOf(message)}`)
}

/** @throws KafkaError ERR__INVALID_ARG for a name that no topic can have */
export function checkTopicName(topic: unknown): void {
  if (typeof topic !== 'string') throw invalid(`topic must be a string, not ${kindOf(topic)}`)
  if (topic === '') throw invalid('the topic name is empty')
  if (topic === '.' || topic === '..') throw invalid(`'${topic}' cannot be the name of a topic`)
  if (topic.length > MAX_TOPIC_LENGTH) {
    throw invalid(
      `the topic name ${topic.slice(0, 20)}... has ${topic.length} characters; ${MAX_TOPIC_LENGTH} is the most`,
    )
  }
  if (!LEGAL_TOPIC.test(topic)) {
    throw invalid(`topic name '${topic}' is not valid: letters, digits, '.', '_' and '-' are`)
  }
}

/**
 * Checks everything of a message but its topic. `key` and `value` are what the serializers made of them.
 * @throws KafkaError ERR__INVALID_ARG saying which field is wrong
 */
export function checkFields(message: AnyMessage, key: unknown, value: unknown): void {
  if (!isBytes(key)) throw wrongBytes(message, 'key', key)
  if (!isBytes(value)) throw wrongBytes(message, 'value', value)
  const { partition, timestamp, headers } = message
  if (partition !== undefined && !(Number.isInteger(partition) && partition >= -1 && partition <= 0x7fffffff)) {
    throw invalid(`partition of a message to ${message.topic} must be an integer from -1, not ${show(partition)}`)
  }
  if (timestamp !== undefined && !(Number.isSafeInteger(timestamp) && timestamp >= 0)) {
    const must = 'must be whole milliseconds since the epoch'
    throw invalid(`timestamp of a message to ${message.topic} ${must}, not ${show(timestamp)}`)
  }
  if (headers !== undefined) checkHeaders(message.topic, headers)
}

/** Bytes of key, value and headers, as `message.max.bytes` counts them. */
export function payloadBytes(key: Bytes | null, value: Bytes | null, headers: HeadersInput | undefined): number {
  let size = byteLength(key) + byteLength(value)
  if (headers === undefined) return size
  if (isList(headers)) {
    for (const header of headers) size += Buffer.byteLength(header.key) + byteLength(header.value ?? null)
  } else {
    for (const [name, given] of Object.entries(headers)) size += Buffer.byteLength(name) + byteLength(given)
  }
  return size
}

/**
 * Runs a serializer.
 * @returns what it returned, which may be a promise
 * @throws KafkaError ERR__KEY_SERIALIZATION or ERR__VALUE_SERIALIZATION when it throws
 */
export function serialize<T>(serializer: Serializer<T>, data: T, message: AnyMessage, field: 'key' | 'value'): unknown {
  const context: SerdesContext = { topic: message.topic, field, headers: headerList(message.headers) }
  try {
    return serializer(data, context)
  } catch (error) {
    throw serializationError(error, message.topic, field)
  }
}

/** What a serializer threw or rejected with, as the KafkaError that tells so. */
export function serializationError(error: unknown, topic: string, field: 'key' | 'value'): KafkaError {
  if (error instanceof KafkaError) return error
  const code = field === 'key' ? ErrorCode.ERR__KEY_SERIALIZATION : ErrorCode.ERR__VALUE_SERIALIZATION
  const why = error instanceof Error ? error.message : String(error)
  return new KafkaError(code, `the ${field} serializer failed for a message to ${topic}: ${why}`, { cause: error })
}

/** An ERR__INVALID_ARG. */
export function invalid(message: string): KafkaError {
  return new KafkaError(ErrorCode.ERR__INVALID_ARG, message)
}

function isBytes(data: unknown): data is Bytes | null | undefined {
  if (data === undefined || data === null || typeof data === 'string' || data instanceof Uint8Array) return true
  // Bytes of another realm (a vm context) fail the instanceof.
  return ArrayBuffer.isView(data) && (data as Uint8Array).BYTES_PER_ELEMENT === 1
}

function checkHeaders(topic: string, headers: unknown): void {
  if (typeof headers !== 'object' || headers === null) {
    throw invalid(`headers of a message to ${topic} must be an object or a list, not ${kindOf(headers)}`)
  }
  if (!Array.isArray(headers)) {
    for (const [name, value] of Object.entries(headers)) {
      if (!isBytes(value)) throw wrongHeader(topic, name, value)
    }
    return
  }
  for (const header of headers as unknown[]) {
    const key: unknown = (header as { key?: unknown } | null | undefined)?.key
    if (typeof key !== 'string') {
      throw invalid(`each header of a message to ${topic} must have a string as its key, not ${kindOf(key)}`)
    }
    const { value } = header as { value?: unknown } // it has a key, so it is an object
    if (!isBytes(value)) throw wrongHeader(topic, key, value)
  }
}

function headerList(headers: HeadersInput | undefined): Header[] {
  if (headers === undefined) return []
  const list: Header[] = []
  if (isList(headers)) for (const { key, value } of headers) list.push({ key, value: asBuffer(value ?? null) })
  else for (const [key, value] of Object.entries(headers)) list.push({ key, value: asBuffer(value) })
  return list
}

function asBuffer(data: Bytes | null): Buffer | null {
  if (data === null) return null
  return typeof data === 'string' ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength)
}

function isList(headers: HeadersInput): headers is Extract<HeadersInput, readonly unknown[]> {
  return Array.isArray(headers)
}

function byteLength(data: Bytes | null | undefined): number {
  if (data === null || data === undefined) return 0
  return typeof data === 'string' ? Buffer.byteLength(data) : data.length
}

function wrongHeader(topic: string, name: string, value: unknown): KafkaError {
  return invalid(`header ${name} of a message to ${topic} must be bytes, a string or null, not ${kindOf(value)}`)
}

function wrongBytes(message: AnyMessage, field: 'key' | 'value', data: unknown): KafkaError {
  const must = `${field} of a message to ${message.topic} must be bytes, a string or null`
  if (typeof (data as { then?: unknown }).then === 'function') {
    return invalid(`${must}, but its serializer returned a promise: such a serializer works with send() only`)
  }
  return invalid(
    `${must}, not ${kindOf(data)}${typeof data === 'number' ? '; give a serializer or String(number)' : ''}`,
  )
}

// What a value is, without showing it: it may be a message's content.
function kindOf(data: unknown): string {
  if (data === null) return 'null'
  if (Array.isArray(data)) return 'an array'
  if (typeof data === 'object') return `an object (${classOf(data)})`
  return data === undefined ? 'undefined' : `a ${typeof data}`
}

function classOf(data: object): string {
  // An object without a prototype has no constructor.
  return (data as { constructor?: { name: string } }).constructor?.name ?? 'no class'
}

function show(data: unknown): string {
  return typeof data === 'number' ? String(data) : kindOf(data)
}
