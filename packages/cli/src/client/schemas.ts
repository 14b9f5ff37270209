/** Keys and values with a schema: JSON for people, bytes in the topic. */
import { InvalidArgumentError, type Command } from 'commander'
import type { Message } from 'ottla'
import { SchemaRegistry, SchemaRegistryError, type RegistrySerdes, type SchemaType } from '@ottla/schema-registry'
import { UsageError } from '../terminal/terminal.ts'

export interface SchemaOptions {
  readonly schemaRegistry?: string
  readonly serdes?: readonly SerdesChoice[]
}

export type Field = 'key' | 'value'

/** What `-s` says: a format of keys, values, or both. */
export interface SerdesChoice {
  readonly field: Field | null
  readonly format: SchemaType
}

/** The schema that a key or value names: an id, or a GUID. */
export type SchemaId = number | string

/** A message whose key and value are JSON text where they name schemas. */
export interface DecodedMessage extends Message {
  readonly schemaIds: Readonly<Record<Field, SchemaId | null>>
}

const formats: Readonly<Record<string, SchemaType>> = { avro: 'AVRO', protobuf: 'PROTOBUF', json: 'JSON' }

/** @param what `-s` does */
export function addSchemaOptions(command: Command, does: string, what: string): Command {
  return command
    .optionsGroup('Schemas:')
    .option('--schema-registry <url>', does)
    .option('-s, --serdes <[key=|value=]format>', `avro, protobuf or json: ${what}; repeatable`, serdesChoice)
}

/** kcat's `-r`. @throws UsageError for `-s` without a registry */
export function openRegistry({ schemaRegistry, serdes }: SchemaOptions): SchemaRegistry | null {
  if (schemaRegistry !== undefined) return new SchemaRegistry({ url: schemaRegistry })
  if (serdes !== undefined) throw new UsageError('-s needs --schema-registry URL')
  return null
}

/** The format that `-s` names for keys or values. */
export function choiceOf({ serdes = [] }: SchemaOptions, field: Field): SchemaType | null {
  return serdes.findLast(choice => choice.field === null || choice.field === field)?.format ?? null
}

/** Decodes messages; null without a registry. */
export function messageDecoder(options: SchemaOptions): ((message: Message) => Promise<DecodedMessage>) | null {
  const registry = openRegistry(options)
  if (registry === null) return null
  const serdes = new Map<SchemaType, RegistrySerdes<unknown>>()
  const serdesOf = (type: SchemaType): RegistrySerdes<unknown> => {
    const known = serdes.get(type) ?? jsonSerdes(registry, type)
    serdes.set(type, known)
    return known
  }
  const decoded = async (message: Message, field: Field): Promise<readonly [Buffer | null, SchemaId | null]> => {
    const bytes = message[field]
    if (bytes === null) return [null, null]
    const { topic, headers } = message
    const choice = choiceOf(options, field)
    const id = schemaNamed(message, bytes, field)
    const type = choice ?? (await typeOf(registry, id))
    if (type === null) return [bytes, null]
    const value = await serdesOf(type).deserialize(bytes, { topic, field, headers })
    return [Buffer.from(JSON.stringify(value)), id]
  }
  return async message => {
    const { topic, partition, offset, leaderEpoch, timestamp, timestampType, headers } = message
    const [key, keyId] = await decoded(message, 'key')
    const [value, valueId] = await decoded(message, 'value')
    const plain = { topic, partition, offset, leaderEpoch, timestamp, timestampType, headers, key, value }
    return { ...plain, schemaIds: { key: keyId, value: valueId } }
  }
}

/** Serdes whose values are JSON. */
function jsonSerdes(registry: SchemaRegistry, type: SchemaType): RegistrySerdes<unknown> {
  switch (type) {
    case 'AVRO':
      return registry.avro({ values: 'json' })
    case 'PROTOBUF':
      return registry.protobuf({ values: 'json' })
    case 'JSON':
      return registry.json({ validate: 'none' })
    default:
      return type satisfies never
  }
}

/** Null of what names no schema, or none that the registry knows: it may be bytes that only look so. */
async function typeOf(registry: SchemaRegistry, id: SchemaId | null): Promise<SchemaType | null> {
  if (id === null) return null
  try {
    return (await (typeof id === 'number' ? registry.getById(id) : registry.getByGuid(id))).type
  } catch (error) {
    if (error instanceof SchemaRegistryError && error.code === 'NOT_FOUND') return null
    throw error
  }
}

/** In front of the bytes, or in a header. */
function schemaNamed({ headers }: Message, bytes: Buffer, field: Field): SchemaId | null {
  const header = headers.findLast(({ key }) => key === `__${field}_schema_id`)?.value ?? null
  return (header === null ? null : idIn(header)) ?? idIn(bytes)
}

function idIn(bytes: Buffer): SchemaId | null {
  if (bytes.length >= 5 && bytes[0] === 0) return bytes.readUInt32BE(1)
  if (bytes.length < 17 || bytes[0] !== 1) return null
  const hex = bytes.toString('hex', 1, 17)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

function serdesChoice(text: string, before: readonly SerdesChoice[] = []): SerdesChoice[] {
  const [, field, name = ''] = /^(?:(key|value)=)?(\w+)$/.exec(text) ?? []
  const format = Object.hasOwn(formats, name) ? formats[name] : undefined
  if (format === undefined) {
    throw new InvalidArgumentError('It takes avro, protobuf or json, with key= or value= in front for one of them.')
  }
  return [...before, { field: (field ?? null) as Field | null, format }] // the pattern has no others
}
