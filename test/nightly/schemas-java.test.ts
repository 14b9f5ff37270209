/**
 * Apicurio's serdes for Java and Apicurio's registry. They speak its own API only, and not Confluent's, which we speak with the
 * same registry; so they cannot be tried with the embedded one.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { AvroOptions, JsonOptions, SchemaReference, SchemaType } from '@ottla/schema-registry'
import { fresh } from '../behaviour/world.ts'
import type { Peer } from '../foreign/peer.ts'
import { javaSchemas, pythonSchemas } from '../foreign/programs.ts'
import { record, values } from '../foreign/schemas/avro-values.ts'
import { examples, partsOf } from '../foreign/schemas/json.ts'
import { decimalFile, importedTexts, importing, messages, versions } from '../foreign/schemas/protobuf-values.ts'
import { descOf, dynamic, generated, tailOf } from '../foreign/schemas/protobuf.ts'
import { protoc } from '../foreign/schemas/protoc.ts'
import {
  apicurioTraits,
  everyTrait,
  Sides,
  type MakeSerdes,
  type Where,
  type Written,
} from '../foreign/schemas/world.ts'
import { startApicurio } from '../harness/apicurio.ts'

let sides: Sides
/** Confluent's serdes for Python: whether what Apicurio's do not read is only ours. */
let confluent: Peer
let all: string

before(async () => {
  const apicurio = await startApicurio()
  const peer = await javaSchemas(apicurio.nativeUrl)
  confluent = await pythonSchemas(apicurio.url)
  const close = async (): Promise<void> => {
    await peer.close()
    await confluent.close()
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

function json(options: JsonOptions & { readonly schema?: object } = {}): MakeSerdes {
  return registry => registry.json<never>(options)
}

/** What says nothing of a draft, and has no properties, is no JSON schema for Apicurio. */
const draft = { $schema: 'http://json-schema.org/draft-07/schema#' }

/** The name of a value. */
const SELF = 'what holds itself'

for (const { name, schema, value, options = {}, said } of values) {
  test(`Avro: ${name}: written by one, read by the other, the same value in the same bytes`, async () => {
    const where = place('interop', 'AVRO')
    const byUs = await sides.byUs(avro({ ...options, schema }), value, where)
    assert.deepEqual(await sides.readByThem({ ...where, bytes: byUs.bytes }), said)
    const other = place('interop', 'AVRO')
    // Their serializer looks for the references of references for ever, if it is not told otherwise.
    const isSelf = name === SELF
    if (isSelf) await assert.rejects(sides.byThem({ ...other, schema, value: said }), /StackOverflowError/)
    const byThem = await sides.byThem({ ...other, schema, value: said, dereferences: isSelf })
    assert.deepEqual(await sides.readByUs(avro(options), byThem, other), value)
    assert.equal(tailOf(byUs), tailOf(byThem))
  })
}

test('Avro: referenced schemas are found by both', async () => {
  const subject = fresh('money')
  const where = place('priced', 'AVRO')
  const money = {
    ...record('Money', { amount: 'long', currency: 'string' }),
    namespace: fresh('bank').replaceAll('-', '_'),
  }
  const full = `${money.namespace}.Money`
  const value = { price: { amount: 1250, currency: 'SEK' }, deposit: null }
  await sides.registry().register(subject, money)
  const referring = record('Priced', { price: full, deposit: ['null', full] })
  const byUs = await sides.byUs(
    avro({ schema: referring, references: [{ name: full, subject, version: 1 }] }),
    value,
    where,
  )
  assert.deepEqual(await sides.readByThem({ ...where, bytes: byUs.bytes }), value)
  // Their serializer makes a reference of each record in a record.
  const other = place('priced', 'AVRO')
  const byThem = await sides.byThem({
    ...other,
    schema: record('Priced', { price: money, deposit: ['null', full] }),
    value,
  })
  const { references } = await sides.registry().getLatest(`${other.topic}-value`)
  assert.deepEqual(
    references.map(({ name }) => name),
    [full],
  )
  assert.deepEqual(await sides.readByUs(avro(), byThem, other), value)
  assert.equal(tailOf(byUs), tailOf(byThem))
})

test('Avro: messages are read as another version of the schema has them, by both (evolution)', async () => {
  const old = { type: 'record', name: 'R', fields: [{ name: 'a', type: 'int' }] }
  const newer = { ...old, fields: [...old.fields, { name: 'b', type: 'string', default: 'none' }] }
  for (const [writer, reader, value, read] of [
    [old, newer, { a: 1 }, { a: 1, b: 'none' }],
    [newer, old, { a: 2, b: 'x' }, { a: 2 }],
  ] as const) {
    const where = place('evolution', 'AVRO')
    const byThem = await sides.byThem({ ...where, schema: writer, value })
    assert.deepEqual(await sides.readByUs(avro({ readerSchema: reader }), byThem, where), read)
    const byUs = await sides.byUs(avro({ schema: writer }), value, where)
    assert.deepEqual(await sides.readByThem({ ...where, bytes: byUs.bytes, schema: reader }), read)
  }
})

/** Apicurio does not know the file, and Confluent's serializers do not register it, as those who read know it. */
const isDecimal = (text: string): boolean => text.includes('confluent.type.Decimal')
const NO_DECIMALS = /unable to find confluent\/type\/decimal.proto/

for (const { name, path, text, message = 'M', value } of messages) {
  const full = `${path.replace('.proto', '')}.${message}`

  test(`Protobuf: ${name}: written by one, read by the other`, async () => {
    const where = place('interop', 'PROTOBUF', { files: all, message: full })
    const byUs = await sides.byUs(generated(descOf(all, full)), value, where)
    const reading = sides.readByThem({ ...where, bytes: byUs.bytes })
    if (isDecimal(text)) await assert.rejects(reading, NO_DECIMALS)
    else assert.deepEqual(await reading, value)
    const other = { ...where, topic: fresh('interop') }
    // Their validation looks for all messages beside each other.
    const isInside = message.includes('.')
    if (isInside) await assert.rejects(sides.byThem({ ...other, value }), /Missing message type M/)
    const byThem = await sides.byThem({ ...other, value, validates: !isInside })
    for (const make of [dynamic, generated(descOf(all, full))]) {
      assert.deepEqual(await sides.readByUs(make, byThem, other), value)
    }
  })

  test(`Protobuf: ${name}: by its text, without generated code, read by Java`, async () => {
    const where = place('text', 'PROTOBUF', { files: all, message: full })
    const references = isDecimal(text) ? await decimals() : []
    const make: MakeSerdes = registry =>
      registry.protobuf<never>({ schema: text, message: full, values: 'json', references })
    const byUs = await sides.byUs(make, value, where)
    assert.deepEqual(await sides.readByThem({ ...where, bytes: byUs.bytes }), value)
  })
}

async function decimals(): Promise<SchemaReference[]> {
  const [[name, schema] = ['', '']] = Object.entries(decimalFile)
  const subject = fresh('decimal')
  await sides.registry().register(subject, schema, { type: 'PROTOBUF' })
  return [{ name, subject, version: 1 }]
}

for (const [what, message] of [
  ['imported files', 'Called'],
  ['files that imported files import', 'Priced'],
] as const) {
  test(`Protobuf: ${what} are registered and found by both`, async () => {
    const { value, path } = importing[message]
    const files = await protoc(Object.fromEntries(path.map(each => [each, importedTexts[each]])))
    const where = place('importing', 'PROTOBUF', { files, message })
    const byUs = await sides.byUs(generated(descOf(files, message)), value, where)
    assert.deepEqual(await sides.readByThem({ ...where, bytes: byUs.bytes }), value)
    const other = { ...where, topic: fresh('importing') }
    const byThem = await sides.byThem({ ...other, value })
    for (const make of [dynamic, generated(descOf(files, message))]) {
      assert.deepEqual(await sides.readByUs(make, byThem, other), value)
    }
  })
}

test('Protobuf: messages are read as another version of the code has them, by both (evolution)', async () => {
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
    const byUs = await sides.byUs(generated(descOf(writer, message)), value, where)
    assert.deepEqual(await sides.readByThem({ ...where, files: reader, bytes: byUs.bytes }), read)
  }
})

test('Protobuf: what Java does not read without a class is not even what Java wrote', async () => {
  const value = { b: 'x' }
  const where = place('classes', 'PROTOBUF', { files: all, message: 'second.M' })
  const byUs = await sides.byUs(generated(descOf(all, 'second.M')), value, where)
  for (const { bytes } of [byUs, await sides.byThem({ ...where, topic: fresh('classes'), value })]) {
    assert.deepEqual(await sides.readByThem({ ...where, bytes }), value)
    // It reads the indexes of the message, and looks up nothing with them.
    await assert.rejects(sides.readByThem({ ...where, bytes, asWritten: true }), /NullPointerException.*"type" is null/)
  }
})

test("Protobuf: what Confluent's serializer for Python wrote is read by us, and not by Apicurio's serdes", async () => {
  const value = { b: 'x' }
  const where = place('confluent', 'PROTOBUF', { files: all, message: 'second.M' })
  const written = (await confluent.ask({ do: 'serialize', ...where, value })) as Written
  assert.deepEqual(await sides.readByUs(generated(descOf(all, 'second.M')), written, where), value)
  // It registers a descriptor, in base64; 3.1.7 knows only bytes or text.
  await assert.rejects(sides.readByThem({ ...where, bytes: written.bytes }), /InvalidWireTypeException/)
})

for (const { name, schema: plain, value } of examples) {
  const schema = { ...draft, ...plain }
  test(`JSON Schema: ${name}: written by one, read by the other`, async () => {
    const where = place('interop', 'JSON')
    const byUs = await sides.byUs(json({ schema }), value, where)
    assert.deepEqual(await sides.readByThem({ ...where, bytes: byUs.bytes }), value)
    const byThem = await sides.byThem({ ...where, value })
    assert.deepEqual(partsOf(byThem), partsOf(byUs))
    assert.deepEqual(await sides.readByUs(json(), byThem, where), value)
  })
}

for (const { name, more, found } of [
  { name: 'https://example.com/address.json', more: { $id: 'https://example.com/address.json' }, found: 'by both' },
  { name: 'address.json', more: {}, found: 'by us' },
]) {
  test(`JSON Schema: a schema that is referenced by ${name} is found ${found}`, async () => {
    const subject = fresh('address')
    const where = place('orders', 'JSON')
    const address = {
      ...draft,
      ...more,
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
    }
    await sides.registry().register(subject, address, { type: 'JSON' })
    const references = [{ name, subject, version: 1 }]
    const schema = { ...draft, type: 'object', properties: { to: { $ref: name } } }
    const value = { to: { city: 'Umeå' } }
    const byUs = await sides.byUs(json({ schema, references }), value, where)
    assert.deepEqual(await sides.readByUs(json(), byUs, where), value)
    const reading = sides.readByThem({ ...where, bytes: byUs.bytes })
    // Apicurio's serdes look by the `$id` of what is referenced, and not by the name of the reference.
    if (found === 'by us') {
      await assert.rejects(reading, /URI is not absolute/)
      return assert.rejects(sides.byThem({ ...where, value }), /URI is not absolute/)
    }
    assert.deepEqual(await reading, value)
    const byThem = await sides.byThem({ ...where, value })
    assert.deepEqual(partsOf(byThem), partsOf(byUs))
    assert.deepEqual(await sides.readByUs(json(), byThem, where), value)
    await assert.rejects(sides.byThem({ ...where, value: { to: {} } }))
  })
}

test('JSON Schema: messages of other versions are read by both (evolution)', async () => {
  const int = { type: 'integer' }
  const old = { ...draft, type: 'object', properties: { a: int }, required: ['a'] }
  const newer = { ...old, properties: { a: int, b: { type: 'string' } } }
  const where = place('evolution', 'JSON')
  for (const [writer, reader, value] of [
    [old, newer, { a: 1 }],
    [newer, old, { a: 2, b: 'x' }],
  ] as const) {
    const byUs = await sides.byUs(json({ schema: writer }), value, where)
    assert.deepEqual(await sides.readByThem({ ...where, bytes: byUs.bytes }), value)
    const byThem = await sides.byThem({ ...where, value })
    assert.deepEqual(await sides.readByUs(json({ schema: reader }), byThem, where), value)
  }
  assert.deepEqual(await sides.registry().versions(`${where.topic}-value`), [1, 2])
})

test('JSON Schema: what does not match is neither written nor read by either', async () => {
  const where = place('wrong', 'JSON')
  const schema = { ...draft, type: 'object', properties: { a: { type: 'integer' } } }
  await assert.rejects(sides.byUs(json({ schema }), { a: 'x' }, where), { code: 'INVALID_DATA' })
  const byUs = await sides.byUs(json({ schema, validate: 'none' }), { a: 'x' }, where)
  await assert.rejects(sides.byThem({ ...where, value: { a: 'x' } }))
  await assert.rejects(sides.readByThem({ ...where, bytes: byUs.bytes }))
  await assert.rejects(sides.readByUs(json(), byUs, where), { code: 'INVALID_DATA' })
})

test('tombstones stay tombstones in the three formats', async () => {
  for (const where of [
    place('tombstones', 'AVRO', { schema: record('R', { x: 'int' }) }),
    place('tombstones', 'PROTOBUF', { files: all, message: 'second.M' }),
    place('tombstones', 'JSON'),
  ]) {
    const byThem = await sides.byThem({ ...where, value: null })
    assert.equal(byThem.bytes, null)
    assert.equal(await sides.readByThem({ ...where, bytes: null }), null)
  }
})
