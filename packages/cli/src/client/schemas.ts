/** Keys and values with a schema, as JSON. */
import { InvalidArgumentError, type Command } from 'commander'
import type { Message } from 'ottla'
import { SchemaRegistry } from '@ottla/schema-registry'
import { UsageError } from '../terminal/terminal.ts'

export interface SchemaOptions {
  readonly schemaRegistry?: string
  readonly serdes?: readonly SerdesChoice[]
}

/** What `-s` says: a format of keys, values, or both. */
interface SerdesChoice {
  readonly field: 'key' | 'value' | null
  readonly format: 'avro'
}

export function addSchemaOptions(command: Command): Command {
  return command
    .optionsGroup('Schemas:')
    .option('--schema-registry <url>', 'decode keys and values that name a schema of this registry')
    .option('-s, --serdes <[key=|value=]format>', 'avro: fail on what has no schema; repeatable', serdesChoice)
}

/** kcat's `-r`. @throws UsageError for `-s` without a registry */
export function openRegistry({ schemaRegistry, serdes }: SchemaOptions): SchemaRegistry | null {
  if (schemaRegistry !== undefined) return new SchemaRegistry({ url: schemaRegistry })
  if (serdes !== undefined) throw new UsageError('-s needs --schema-registry URL')
  return null
}

/** Decodes messages; null without a registry. */
export function messageDecoder(options: SchemaOptions): ((message: Message) => Promise<Message>) | null {
  const registry = openRegistry(options)
  if (registry === null) return null
  const serdes = registry.avro({ long: 'bigint' })
  const isRequired = (field: 'key' | 'value'): boolean =>
    options.serdes?.some(choice => choice.field === null || choice.field === field) === true
  const decoded = async (message: Message, field: 'key' | 'value'): Promise<Buffer | null> => {
    const bytes = message[field]
    const { topic, headers } = message
    if (bytes === null || (!isRequired(field) && !namesSchema(message, bytes, field))) return bytes
    return Buffer.from(jsonOf(await serdes.deserialize(bytes, { topic, field, headers })))
  }
  return async message => {
    const { topic, partition, offset, leaderEpoch, timestamp, timestampType, headers } = message
    const [key, value] = [await decoded(message, 'key'), await decoded(message, 'value')]
    return { topic, partition, offset, leaderEpoch, timestamp, timestampType, headers, key, value }
  }
}

/** A 5-byte prefix, or a header. */
function namesSchema({ headers }: Message, bytes: Buffer, field: 'key' | 'value'): boolean {
  return (bytes.length >= 5 && bytes[0] === 0) || headers.some(({ key }) => key === `__${field}_schema_id`)
}

/** Bytes as Avro's JSON has them; integers beyond 2^53 as text. */
export function jsonOf(value: unknown): string {
  return JSON.stringify(plain(value))
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1')
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]))
}

function serdesChoice(text: string, before: readonly SerdesChoice[] = []): SerdesChoice[] {
  const match = /^(?:(key|value)=)?avro$/.exec(text)
  if (match === null) throw new InvalidArgumentError('It takes avro, key=avro or value=avro.')
  return [...before, { field: (match[1] ?? null) as SerdesChoice['field'], format: 'avro' }]
}
