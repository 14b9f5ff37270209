/**
 * Apicurio's serdes for Java and Apicurio's registry. They speak its own API only, and not Confluent's, which we speak with the
 * same registry; so they cannot be tried with the embedded one.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { AvroOptions, SchemaType } from '@ottla/schema-registry'
import { fresh } from '../behaviour/world.ts'
import { javaSchemas } from '../foreign/programs.ts'
import { record, values } from '../foreign/schemas/avro-values.ts'
import { examples, partsOf } from '../foreign/schemas/json.ts'
import { decimalFile, messages, versions } from '../foreign/schemas/protobuf-values.ts'
import { descOf, dynamic, generated, tailOf } from '../foreign/schemas/protobuf.ts'
import { protoc } from '../foreign/schemas/protoc.ts'
import { apicurioTraits, everyTrait, Sides, type MakeSerdes, type Where } from '../foreign/schemas/world.ts'
import { startApicurio } from '../harness/apicurio.ts'

let sides: Sides
let all: string

before(async () => {
  const apicurio = await startApicurio()
  const peer = await javaSchemas(apicurio.nativeUrl)
  const close = async (): Promise<void> => {
    await peer.close()
    await apicurio.close()
  }
  sides = new Sides({ url: apicurio.url, peer, traits: { ...everyTrait, ...apicurioTraits }, close })
  all = await protoc({ ...decimalFile, ...Object.fromEntries(messages.map(({ path, text }) => [path, text])) })
})
after(() => sides.world.close())

function place(name: string, format: SchemaType, more: Partial<Where> = {}): Where {
  return { ...more, topic: fresh(name), format }
}

function avro(options: AvroOptions & { readonly schema?: object } = {}): MakeSerdes {
  return registry => registry.avro<never>(options)
}

const SELF = 'what holds itself'

for (const { name, schema, value, options = {}, said } of values.filter(each => each.name !== SELF)) {
  test(`Avro: ${name}: written by one, read by the other, the same value in the same bytes`, async () => {
    const where = place('interop', 'AVRO')
    const byThem = await sides.byThem({ ...where, schema, value: said })
    assert.deepEqual(await sides.readByUs(avro(options), byThem, where), value)
    const other = place('interop', 'AVRO')
    const byUs = await sides.byUs(avro({ ...options, schema }), value, other)
    assert.deepEqual(await sides.readByThem({ ...other, bytes: byUs.bytes }), said)
    assert.equal(tailOf(byUs), tailOf(byThem))
  })
}

test("Avro: a schema that refers to itself overflows the stack of Apicurio's serializer", async () => {
  const given = values.find(({ name }) => name === SELF)
  const where = place('interop', 'AVRO')
  await assert.rejects(sides.byThem({ ...where, schema: given?.schema, value: given?.said }), /StackOverflowError/)
})

// Those with imports, or of a message inside of another, are not tried.
for (const { name, path, text, message, value } of messages) {
  if (text.includes('import "') || message !== undefined) continue
  const full = `${path.replace('.proto', '')}.M`
  test(`Protobuf: ${name}: written by Java, read by us`, async () => {
    const where = place('interop', 'PROTOBUF', { files: all, message: full })
    const byThem = await sides.byThem({ ...where, value })
    for (const make of [dynamic, generated(descOf(all, full))]) {
      assert.deepEqual(await sides.readByUs(make, byThem, where), value)
    }
  })
}

for (const { name, schema: plain, value } of examples) {
  // What says nothing of a draft, and has no properties, is no JSON schema for Apicurio.
  const schema = { $schema: 'http://json-schema.org/draft-07/schema#', ...plain }
  test(`JSON Schema: ${name}: written by one, read by the other`, async () => {
    const where = place('interop', 'JSON')
    const json: MakeSerdes = registry => registry.json<never>({ schema })
    const byUs = await sides.byUs(json, value, where)
    assert.deepEqual(await sides.readByThem({ ...where, bytes: byUs.bytes }), value)
    const byThem = await sides.byThem({ ...where, value })
    assert.deepEqual(partsOf(byThem), partsOf(byUs))
    assert.deepEqual(await sides.readByUs(registry => registry.json<never>(), byThem, where), value)
  })
}

test('tombstones stay tombstones', async () => {
  const where = place('tombstones', 'AVRO')
  const byThem = await sides.byThem({ ...where, schema: record('R', { x: 'int' }), value: null })
  assert.equal(byThem.bytes, null)
  assert.equal(await sides.readByThem({ ...where, bytes: null }), null)
})

test('Avro: messages of other versions are read by our schema (evolution)', async () => {
  const old = { type: 'record', name: 'R', fields: [{ name: 'a', type: 'int' }] }
  const newer = { ...old, fields: [...old.fields, { name: 'b', type: 'string', default: 'none' }] }
  const where = place('evolution', 'AVRO')
  const first = await sides.byThem({ ...where, schema: old, value: { a: 1 } })
  assert.deepEqual(await sides.readByUs(avro({ readerSchema: newer }), first, where), { a: 1, b: 'none' })
  const second = await sides.byThem({ ...where, schema: newer, value: { a: 2, b: 'x' } })
  assert.deepEqual(await sides.readByUs(avro({ readerSchema: old }), second, where), { a: 2 })
})

test('Protobuf: messages of other versions are read by our code (evolution)', async () => {
  const compiled = async ({ path, text }: (typeof versions)['old']): Promise<string> => protoc({ [path]: text })
  const [old, newer] = [await compiled(versions.old), await compiled(versions.newer)]
  const message = 'evolving.M'
  for (const [writer, reader, value, read] of [
    [old, newer, { a: 1, c: 'x' }, { a: 1, c: 'x' }],
    [newer, old, { a: 2, b: 'y', d: 5 }, { a: 2 }],
  ] as const) {
    const where = place('evolution', 'PROTOBUF', { files: writer, message })
    const byThem = await sides.byThem({ ...where, value })
    assert.deepEqual(await sides.readByUs(generated(descOf(reader, message)), byThem, where), read)
  }
})
