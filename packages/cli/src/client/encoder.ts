/** Keys and values given as JSON, as the bytes that a schema makes of them. */
import { readFileSync } from 'node:fs'
import { ErrorCode, KafkaError, type ProducerMessage } from 'ottla'
import type { RegistrySerdes, SchemaRegistry, SchemaType } from '@ottla/schema-registry'
import { UsageError } from '../terminal/terminal.ts'
import { choiceOf, openRegistry, type Field, type SchemaOptions } from './schemas.ts'

export interface EncoderOptions extends SchemaOptions {
  readonly topic: string
  readonly keySchema?: string
  readonly valueSchema?: string
  readonly keyMessage?: string
  readonly valueMessage?: string
}

type Encoder = (message: ProducerMessage) => Promise<ProducerMessage>

/** Null without `-s`. Rejects with UsageError, or if there is no such schema. */
export async function messageEncoder(options: EncoderOptions): Promise<Encoder | null> {
  const registry = openRegistry(options)
  checkFiles(options)
  if (registry === null) return null
  const { topic } = options
  const [key, value] = (['key', 'value'] as const).map(field => serdesOf(registry, options, field))
  // What is wrong with a schema is known before the first message.
  await Promise.all([key?.prepare(topic, 'key'), value?.prepare(topic, 'value')])
  return async message => {
    const headers: { key: string; value: Buffer | null }[] = []
    const encode = async (field: Field, serdes: RegistrySerdes<unknown> | null | undefined) => {
      const given = message[field]
      if (serdes === null || serdes === undefined || given === null || given === undefined) return given
      try {
        return await serdes.serialize(JSON.parse(given.toString()), { topic, field, headers })
      } catch (cause) {
        const code = field === 'key' ? ErrorCode.ERR__KEY_SERIALIZATION : ErrorCode.ERR__VALUE_SERIALIZATION
        const why = cause instanceof SyntaxError ? 'it is no JSON' : (cause as Error).message
        throw new KafkaError(code, `the ${field} cannot be serialized: ${why}`, { cause })
      }
    }
    const [encodedKey, encodedValue] = [await encode('key', key), await encode('value', value)]
    return {
      ...message,
      ...(encodedKey === undefined ? {} : { key: encodedKey }),
      ...(encodedValue === undefined ? {} : { value: encodedValue }),
    }
  }
}

function checkFiles(options: EncoderOptions): void {
  for (const field of ['key', 'value'] as const) {
    const { [`${field}Schema` as const]: schema, [`${field}Message` as const]: message } = options
    const choice = choiceOf(options, field)
    if (schema !== undefined && choice === null) throw new UsageError(`--${field}-schema needs -s ${field}=FORMAT`)
    if (message !== undefined && choice !== 'PROTOBUF') {
      throw new UsageError(`--${field}-message needs -s ${field}=protobuf`)
    }
  }
}

function serdesOf(registry: SchemaRegistry, options: EncoderOptions, field: Field): RegistrySerdes<unknown> | null {
  const type = choiceOf(options, field)
  if (type === null) return null
  const { [`${field}Schema` as const]: file, [`${field}Message` as const]: message } = options
  return madeOf(registry, type, file === undefined ? {} : { schema: textOf(file) }, message)
}

function madeOf(
  registry: SchemaRegistry,
  type: SchemaType,
  schema: { readonly schema?: string },
  message: string | undefined,
): RegistrySerdes<unknown> {
  switch (type) {
    case 'AVRO':
      return registry.avro({ ...schema, values: 'json' })
    case 'PROTOBUF':
      return registry.protobuf({ ...schema, values: 'json', ...(message === undefined ? {} : { message }) })
    case 'JSON':
      return registry.json(schema)
    default:
      return type satisfies never
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new UsageError(`${file} cannot be read`, { cause })
  }
}
