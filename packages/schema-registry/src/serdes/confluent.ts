/** Serdes of `@confluentinc/schemaregistry` as they are, for ottla's clients. */
import { invalidArgument, SchemaRegistryError, textOf } from '../errors.ts'
import type { RegistrySerdesContext } from './engine.ts'

/**
 * Headers as Confluent's package has them.
 * @since 0.1.0
 */
export type ConfluentHeaders = Record<string, Buffer | string | (Buffer | string)[] | undefined>

/**
 * A serializer of `@confluentinc/schemaregistry`.
 * @since 0.1.0
 */
export interface ConfluentSerializer {
  serialize(topic: string, message: unknown, headers?: ConfluentHeaders): Promise<Buffer>
}

/**
 * A deserializer of `@confluentinc/schemaregistry`.
 * @since 0.1.0
 */
export interface ConfluentDeserializer {
  deserialize(topic: string, payload: Buffer, headers?: ConfluentHeaders): Promise<unknown>
}

/**
 * Serdes for the option `key` or `value` of ottla's clients.
 * @since 0.1.0
 */
export interface ConfluentSerdes<T> {
  readonly serialize: (data: T, context: RegistrySerdesContext) => Promise<Buffer>
  readonly deserialize: (data: Buffer, context: RegistrySerdesContext) => Promise<T>
}

/**
 * Makes serdes of a serializer, a deserializer or both of `@confluentinc/schemaregistry`, with all that they do: rules,
 * encryption of fields, migrations. Pass those for values as `value`, those for keys as `key`.
 *
 * ```ts
 * const serializer = new AvroSerializer(client, SerdeType.VALUE, { useLatestVersion: true })
 * const producer = new Producer({ … }, { value: confluentSerdes<Order>({ serializer }) })
 * ```
 *
 * Throws SchemaRegistryError INVALID_ARGUMENT. What they reject with for a registry that is down becomes `UNAVAILABLE`, so
 * that `consumer.run` waits for it.
 * @since 0.1.0
 */
export function confluentSerdes<T>(given: {
  readonly serializer?: ConfluentSerializer
  readonly deserializer?: ConfluentDeserializer
}): ConfluentSerdes<T> {
  const { serializer, deserializer } = given
  if (serializer === undefined && deserializer === undefined) {
    throw invalidArgument('confluentSerdes takes a serializer, a deserializer or both')
  }
  return {
    serialize: async (data, { topic, headers }) => {
      if (serializer === undefined) throw invalidArgument('confluentSerdes has been given no serializer')
      const all = headersOf(headers)
      const before = { ...all }
      const bytes = await passed(serializer.serialize(topic, data, all))
      for (const [key, value] of Object.entries(all)) if (value !== before[key]) addHeader(headers, key, value)
      return bytes
    },
    deserialize: async (data, { topic, headers }) => {
      if (deserializer === undefined) throw invalidArgument('confluentSerdes has been given no deserializer')
      // What it makes is what the application says it is.
      return (await passed(deserializer.deserialize(topic, data, headersOf(headers)))) as T
    },
  }
}

function headersOf(headers: RegistrySerdesContext['headers']): ConfluentHeaders {
  const all: ConfluentHeaders = {}
  for (const { key, value } of headers) if (value !== null) all[key] = value
  return all
}

/** Confluent's serializers set one value. */
function addHeader(headers: RegistrySerdesContext['headers'], key: string, value: ConfluentHeaders[string]): void {
  const [one] = Array.isArray(value) ? value.slice(-1) : [value]
  if (one !== undefined) headers.push({ key, value: Buffer.from(one as string) }) // text, or a Buffer to copy
}

async function passed<V>(work: Promise<V>): Promise<V> {
  try {
    return await work
  } catch (error) {
    if (!isOutage(error)) throw error
    throw new SchemaRegistryError('UNAVAILABLE', textOf(error), { cause: error })
  }
}

const networkErrors: readonly unknown[] = [
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EPIPE', 'ERR_NETWORK'],
]

/** No answer, 5xx or 429. */
function isOutage(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false
  const { status, code, cause } = error as { status?: unknown; code?: unknown; cause?: unknown }
  if (typeof status === 'number') return status >= 500 || status === 429
  return networkErrors.includes(code) || (cause !== error && cause !== undefined && isOutage(cause))
}
