/** Bytes and schemas as Avro's own library (Java, 1.12) writes them. `npm run golden:avro` makes the file. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { GoldenAvro } from '../../../../tools/golden/avro.ts'
import type { Json } from '../../../../tools/golden/avro-cases.ts'
import { canonicalAvro } from '../../src/avro/canonical.ts'
import { AvroDecoder, AvroEncoder, type ValueOptions } from '../../src/avro/codec.ts'
import { parseAvro } from '../../src/avro/parse.ts'
import type { AvroType } from '../../src/avro/types.ts'

const file = new URL('../../../../test/golden/avro.json', import.meta.url)
const cases = JSON.parse(readFileSync(file, 'utf8')) as GoldenAvro[]

/** As Avro's JSON encoding has them. */
const asJson: ValueOptions = { long: 'number', logicalTypes: 'raw', unions: 'wrapped' }
const converted: ValueOptions = { long: 'number', logicalTypes: 'convert', unions: 'auto' }

/** Avro's JSON encoding has bytes as text of one character each. */
function toJson(value: unknown): Json {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1')
  if (Array.isArray(value)) return value.map(toJson)
  if (typeof value !== 'object' || value === null) return value as Json
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, toJson(each)]))
}

function fromJson(type: AvroType, json: Json): unknown {
  switch (type.kind) {
    case 'bytes':
    case 'fixed':
      return Buffer.from(json as string, 'latin1')
    case 'array':
      return (json as Json[]).map(each => fromJson(type.items, each))
    case 'map':
      return Object.fromEntries(
        Object.entries(json as object).map(([name, each]) => [name, fromJson(type.values, each as Json)]),
      )
    case 'record':
      return Object.fromEntries(
        type.fields.map(field => [
          field.name,
          fromJson(field.type, (json as Record<string, Json>)[field.name] ?? null),
        ]),
      )
    case 'union': {
      if (json === null) return null
      const [[name, value] = ['', null]] = Object.entries(json as Record<string, Json>)
      const branch = type.branches.find(each => ('name' in each ? each.name : each.kind) === name)
      return { [name]: branch === undefined ? null : fromJson(branch, value) }
    }
    default:
      return json
  }
}

const withValue = cases.filter(({ json }) => json !== undefined)

test('values have the bytes that Java writes', () => {
  for (const { name, schema, json, bytes } of withValue) {
    const type = parseAvro(schema)
    const encoded = new AvroEncoder(type, asJson).encode(fromJson(type, json as Json))
    assert.equal(encoded.toString('hex'), bytes, `${name} ${JSON.stringify(json)}`)
  }
})

test('the bytes that Java writes are read as its values, also from blocks with sizes', () => {
  for (const { name, schema, json, bytes, blocked = bytes } of withValue) {
    const type = parseAvro(schema)
    const decoder = new AvroDecoder(type, type, asJson)
    for (const each of [bytes, blocked]) {
      assert.deepEqual(toJson(decoder.decode(Buffer.from(each, 'hex'))), json, `${name} ${each}`)
    }
  }
})

test('another schema reads what Java reads with it', () => {
  const resolved = cases.filter(({ reader }) => reader !== undefined)
  assert.ok(resolved.length > 15)
  for (const { name, schema, reader, bytes, blocked = bytes, read } of resolved) {
    const decoder = new AvroDecoder(parseAvro(schema), parseAvro(reader), asJson)
    for (const each of [bytes, blocked]) {
      assert.deepEqual(toJson(decoder.decode(Buffer.from(each, 'hex'))), read, name)
    }
  }
})

test('decimals have the bytes that Java gives them', () => {
  const decimals = cases.filter(({ decimal }) => decimal !== undefined)
  assert.ok(decimals.length > 15)
  for (const { schema, decimal = '', bytes } of decimals) {
    const type = parseAvro(schema)
    assert.equal(new AvroEncoder(type, converted).encode(decimal).toString('hex'), bytes, decimal)
    assert.equal(new AvroDecoder(type, type, converted).decode(Buffer.from(bytes, 'hex')), decimal)
  }
})

test('a schema is kept as Java prints it', () => {
  for (const { name, schema, text } of cases) assert.equal(canonicalAvro(schema), text, name)
})
