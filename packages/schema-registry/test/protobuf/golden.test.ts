/** Messages as Protobuf's own library (Java, 4.33) writes and reads them. `npm run golden:protobuf` makes the file. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import type { GoldenProtobufFile } from '../../../../tools/golden/protobuf.ts'
import { SchemaRegistry, type RegistrySerdesContext } from '../../src/index.ts'
import { tinyRegistry } from '../tiny-registry.ts'

const file = new URL('../../../../test/golden/protobuf.json', import.meta.url)
const { schemas, cases } = JSON.parse(readFileSync(file, 'utf8')) as GoldenProtobufFile

const context: RegistrySerdesContext = { topic: 'golden', field: 'value', headers: [] }

/** Behind the magic byte and the schema's id. */
const PREFIX = 5

type Case = GoldenProtobufFile['cases'][number]

async function eachCase(t: TestContext, check: (each: Case, registry: SchemaRegistry) => Promise<void>): Promise<void> {
  const { url } = await tinyRegistry(t)
  const registry = new SchemaRegistry({ url, retryBackoffMs: 1 })
  for (const each of cases) await check(each, registry)
}

function nameOf({ name, json, given }: Case): string {
  return `${name} ${given ?? JSON.stringify(json)}`
}

function schemaOf({ schema, message }: Case): { readonly schema: string; readonly message: string } {
  return { schema: schemas[schema] ?? '', message }
}

/** A message of Java's with the prefix of a schema that is known. */
async function javas(each: Case, registry: SchemaRegistry): Promise<Buffer> {
  const serdes = registry.protobuf(schemaOf(each))
  const empty = each.name.startsWith('proto2') || each.name === 'groups' ? { id: 0 } : {}
  const prefix = (await serdes.serialize(empty, context)).subarray(0, PREFIX)
  return Buffer.concat([prefix, Buffer.from(each.indexes + each.bytes, 'hex')])
}

test('values have the indexes and the bytes that Java writes', t =>
  eachCase(t, async (each, registry) => {
    if (each.json === undefined) return
    const bytes = await registry.protobuf({ ...schemaOf(each), values: 'json' }).serialize(each.json, context)
    assert.equal(bytes.toString('hex', PREFIX), each.indexes + each.bytes, nameOf(each))
  }))

test('the bytes that Java writes are read as its values', t =>
  eachCase(t, async (each, registry) => {
    const bytes = await javas(each, registry)
    const read = await registry.protobuf({ ...schemaOf(each), values: 'json' }).deserialize(bytes, context)
    assert.deepEqual(read, each.read, nameOf(each))
  }))

test('the bytes that no writer makes are read as Java reads them', t =>
  eachCase(t, async (each, registry) => {
    if (each.given === undefined) return
    const start = (await javas(each, registry)).subarray(0, PREFIX)
    const bytes = Buffer.concat([start, Buffer.from(each.indexes + each.given, 'hex')])
    const read = await registry.protobuf({ ...schemaOf(each), values: 'json' }).deserialize(bytes, context)
    assert.deepEqual(read, each.read, nameOf(each))
  }))

test('a message that was read is written as it was, with the fields that its schema does not know', t =>
  eachCase(t, async (each, registry) => {
    const serdes = registry.protobuf(schemaOf(each))
    const bytes = await javas(each, registry)
    const again = await serdes.serialize(await serdes.deserialize(bytes, context), context)
    assert.equal(again.toString('hex'), bytes.toString('hex'), nameOf(each))
  }))
