/** Ready-made serializers and deserializers, in pairs that work in both directions: `value: json<Order>()`. */
import { invalidArgument, type KafkaError } from './errors.ts'
import type { Bytes, Deserializer, Serializer } from './types.ts'

/**
 * Serializer and deserializer of one format.
 * @since 0.1.0
 */
export interface Serdes<T> {
  readonly serialize: Serializer<T>
  readonly deserialize: Deserializer<T>
}

/** The type of a producer's `key` and `value` options. */
export type SerializerInput<T> = Serializer<T> | Pick<Serdes<T>, 'serialize'>
/** The type of a consumer's `key` and `value` options. */
export type DeserializerInput<T> = Deserializer<T> | Pick<Serdes<T>, 'deserialize'>

/** @internal */
export function serializerOf<T>(input: SerializerInput<T>): Serializer<T> {
  return typeof input === 'function' ? input : input.serialize
}

/** @internal */
export function deserializerOf<T>(input: DeserializerInput<T>): Deserializer<T> {
  return typeof input === 'function' ? input : input.deserialize
}

/** UTF-8 text. */
export const string: Serdes<string> = {
  serialize: data => expectType(typeof data === 'string', data, 'string', 'a string'),
  deserialize: data => data.toString('utf8'),
}

/** Bytes as they are; a string to send becomes UTF-8. */
export const bytes: { readonly serialize: Serializer<Bytes>; readonly deserialize: Deserializer<Buffer> } = {
  serialize: data =>
    expectType(typeof data === 'string' || data instanceof Uint8Array, data, 'bytes', 'a Uint8Array or string'),
  deserialize: data => data,
}

/** JSON text. The type is the application's claim: nothing checks that the data matches it. */
export function json<T = unknown>(): Serdes<T> {
  return {
    serialize: data => {
      // Its type omits that undefined and functions have no JSON.
      const text = JSON.stringify(data) as string | undefined
      if (text === undefined) throw refused('json', 'undefined and functions have no JSON')
      return text
    },
    // The application says that the parsed data has this type.
    deserialize: data => JSON.parse(data.toString('utf8')) as T,
  }
}

/** 4 bytes, big endian, as Java's IntegerSerializer. */
export const int32: Serdes<number> = {
  serialize: data => {
    if (!Number.isInteger(data) || data < -(2 ** 31) || data >= 2 ** 31)
      throw refused('int32', 'it takes integers of 32 bits')
    const buffer = Buffer.allocUnsafe(4)
    buffer.writeInt32BE(data)
    return buffer
  },
  deserialize: data => expectLength(data, 4, 'int32').readInt32BE(),
}

/** 8 bytes, big endian, as Java's LongSerializer; integers that a number holds exactly. */
export const int64: Serdes<number> = {
  serialize: data => {
    if (!Number.isSafeInteger(data)) throw refused('int64', 'it takes integers from -(2^53 - 1) to 2^53 - 1')
    const buffer = Buffer.allocUnsafe(8)
    buffer.writeBigInt64BE(BigInt(data))
    return buffer
  },
  deserialize: data => {
    const value = expectLength(data, 8, 'int64').readBigInt64BE()
    if (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER) {
      throw refused('int64', 'the value is beyond what a number holds exactly')
    }
    return Number(value)
  },
}

/** 8 bytes, IEEE 754, big endian, as Java's DoubleSerializer. */
export const float64: Serdes<number> = {
  serialize: data => {
    expectType(typeof data === 'number', data, 'float64', 'a number')
    const buffer = Buffer.allocUnsafe(8)
    buffer.writeDoubleBE(data)
    return buffer
  },
  deserialize: data => expectLength(data, 8, 'float64').readDoubleBE(),
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** A UUID as text, as Java's UUIDSerializer. */
export const uuid: Serdes<string> = {
  serialize: data => {
    if (typeof data !== 'string' || !uuidPattern.test(data))
      throw refused('uuid', 'it takes 8-4-4-4-12 hexadecimal digits')
    return data
  },
  deserialize: data => {
    const text = data.toString('utf8')
    if (!uuidPattern.test(text)) throw refused('uuid', 'the data is not a UUID')
    return text
  },
}

function expectType<T>(holds: boolean, data: T, name: string, expected: string): T {
  if (!holds) throw refused(name, `it takes ${expected}, not ${data === null ? 'null' : typeof data}`)
  return data
}

function expectLength(data: Buffer, length: number, name: string): Buffer {
  if (data.length !== length) throw refused(name, `it takes ${length} bytes, not ${data.length}`)
  return data
}

// The data itself stays out of the message: it may be anything.
function refused(name: string, why: string): KafkaError {
  return invalidArgument(`the ${name} format: ${why}`)
}
