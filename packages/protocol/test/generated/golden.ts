/** The golden messages: values and bytes as Apache Kafka's own classes made them (tools/golden). */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import * as protocol from '@ottla/protocol'
import { Reader, Writer } from '@ottla/protocol'
import { parseSpec, type Field, type Message, type Struct } from '../../../../tools/codegen/spec.ts'
import type { GoldenCase } from '../../../../tools/golden/main.ts'
import type { Json } from '../../../../tools/golden/random-messages.ts'

const root = new URL('../../../../', import.meta.url)
const spec = parseSpec(readFileSync(new URL('spec/kafka-messages-4.3.1.json', root), 'utf8'))
const messages = new Map(spec.map(message => [message.name, message]))

const cases: GoldenCase[] = gunzipSync(readFileSync(new URL('test/golden/messages.jsonl.gz', root)))
  .toString('utf8')
  .split('\n')
  .map(line => JSON.parse(line) as GoldenCase)

function isHeader({ name }: GoldenCase): boolean {
  return messages.get(name)?.type === 'header'
}

export const goldenCases = cases.filter(each => !isHeader(each))
/** Headers have hand-written codecs (wire/frame.ts). */
export const headerCases = cases.filter(isHeader)

type Read = (r: Reader, version: number) => unknown
type Write = (w: Writer, value: unknown, version: number) => void

function functionNamed(name: string): unknown {
  const found: unknown = (protocol as Record<string, unknown>)[name]
  if (typeof found !== 'function') throw new Error(`there is no ${name}`)
  return found
}

export function read(name: string, bytes: Buffer, version: number): { value: unknown; remaining: number } {
  const reader = new Reader(bytes)
  const value = (functionNamed(`read${name}`) as Read)(reader, version)
  return { value, remaining: reader.remaining }
}

export function write(name: string, value: unknown, version: number): string {
  const writer = new Writer()
  ;(functionNamed(`write${name}`) as Write)(writer, value, version)
  return writer.toBuffer().toString('hex')
}

/** The value of Kafka's JSON in the form that our codecs take. */
export function fromJson(name: string, json: Json): unknown {
  const message = messageNamed(name)
  return structFromJson(message, message.root, json)
}

/** What of a decoded value the JSON speaks of, in the JSON's form; absent fields stay absent. */
export function toJson(name: string, value: unknown, json: Json): Json {
  const message = messageNamed(name)
  return structToJson(message, message.root, value as Record<string, unknown>, json)
}

function messageNamed(name: string): Message {
  const message = messages.get(name)
  if (message === undefined) throw new Error(`there is no ${name}`)
  return message
}

function structFromJson(message: Message, struct: Struct, json: Json): unknown {
  const given = json as { [key: string]: Json }
  const value: Record<string, unknown> = {}
  for (const field of struct.fields) {
    if (!(field.name in given)) continue
    value[field.name] = fieldFromJson(message, field, given[field.name] as Json)
  }
  return value
}

function fieldFromJson(message: Message, field: Field, json: Json): unknown {
  if (json === null) return null
  const one = (item: Json): unknown => {
    if (field.type.kind === 'struct') return structFromJson(message, structNamed(message, field.type.name), item)
    if (field.type.name === 'identity') return BigInt(item as string)
    if (field.type.name === 'time') return Number(item)
    return field.type.name === 'bytes' || field.type.name === 'records' ? Buffer.from(item as string, 'base64') : item
  }
  return field.isArray ? (json as Json[]).map(one) : one(json)
}

function structToJson(message: Message, struct: Struct, value: Record<string, unknown>, json: Json): Json {
  const given = json as { [key: string]: Json }
  const result: { [key: string]: Json } = {}
  for (const field of struct.fields) {
    if (!(field.name in given)) continue
    result[field.name] = fieldToJson(message, field, value[field.name], given[field.name] as Json)
  }
  return result
}

function fieldToJson(message: Message, field: Field, value: unknown, json: Json): Json {
  if (value === null) return null
  const one = (item: unknown, like: Json): Json => {
    if (field.type.kind === 'struct') {
      return structToJson(message, structNamed(message, field.type.name), item as Record<string, unknown>, like)
    }
    if (field.type.name === 'identity') return typeof like === 'number' ? Number(item) : String(item)
    if (field.type.name === 'time' && typeof like === 'string') return String(BigInt(item as number))
    return Buffer.isBuffer(item) ? item.toString('base64') : (item as Json)
  }
  if (!field.isArray) return one(value, json)
  return (value as unknown[]).map((item, i) => one(item, (json as Json[] | null)?.[i] ?? null))
}

function structNamed(message: Message, name: string): Struct {
  const struct = message.structs.get(name)
  if (struct === undefined) throw new Error(`there is no ${name}`)
  return struct
}
