import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { create, createFileRegistry, fromBinary } from '@bufbuild/protobuf'
import { FileDescriptorProtoSchema, file_google_protobuf_timestamp } from '@bufbuild/protobuf/wkt'
import { EmbeddedSchemaRegistry, type RegistryLog } from '@ottla/schema-registry/embedded'
import { SchemaRegistry, type CompatibilityLevel, type SchemaType } from '../../src/index.ts'
import { file_shop_common } from '../protobuf/shop/common_pb.ts'
import { OrderSchema } from '../protobuf/shop/order_pb.ts'

const textOf = (name: string): string =>
  readFileSync(new URL(`../protobuf/shop/${name}.proto`, import.meta.url), 'utf8')

async function started(t: TestContext, log?: RegistryLog) {
  const embedded = await EmbeddedSchemaRegistry.start(log === undefined ? {} : { log })
  t.after(() => embedded.close())
  return { url: embedded.url, registry: new SchemaRegistry({ url: embedded.url }) }
}

/** A first version, one that only reads it, one that it only reads, and one that neither reads. */
const versions: Readonly<Record<'PROTOBUF' | 'JSON', readonly [string, string, string, string]>> = {
  PROTOBUF: [
    'syntax = "proto3"; message M { int32 a = 1; } message N { }',
    'syntax = "proto3"; message M { int64 a = 1; } message N { } message O { }',
    'syntax = "proto3"; message M { int32 a = 1; }',
    'syntax = "proto3"; message M { string a = 1; }',
  ],
  JSON: [
    '{"type":"object","properties":{"a":{"type":"number","maximum":5}}}',
    '{"type":"object","properties":{"a":{"type":"number"}}}',
    '{"type":"object","properties":{"a":{"type":"integer","maximum":5}}}',
    '{"type":"object","properties":{"a":{"type":"string"}}}',
  ],
}

const levels: Readonly<Record<CompatibilityLevel, readonly boolean[]>> = {
  NONE: [true, true, true],
  BACKWARD: [true, false, false],
  BACKWARD_TRANSITIVE: [true, false, false],
  FORWARD: [false, true, false],
  FORWARD_TRANSITIVE: [false, true, false],
  FULL: [false, false, false],
  FULL_TRANSITIVE: [false, false, false],
}

for (const type of ['PROTOBUF', 'JSON'] as const) {
  test(`each level allows what it should of ${type}`, async t => {
    const { registry } = await started(t)
    const [first, ...changes] = versions[type]
    for (const [level, expected] of Object.entries(levels) as [CompatibilityLevel, boolean[]][]) {
      await registry.setConfig(level, level)
      await registry.register(level, first, { type })
      assert.equal((await registry.checkCompatibility(level, first, { type })).isCompatible, true)
      for (const [i, change] of changes.entries()) {
        const { isCompatible, messages } = await registry.checkCompatibility(level, change, { type })
        assert.equal(isCompatible, expected[i], `${level} ${i}: ${messages.join()}`)
      }
    }
    await assert.rejects(registry.register('BACKWARD', changes[2], { type }), {
      code: 'INCOMPATIBLE',
      message: /errorType:"(FIELD_SCALAR_KIND_CHANGED|TYPE_CHANGED)".*at path '#\/(M\/1|properties\/a)'/,
    })
    await assert.rejects(registry.register('BACKWARD', '{"type":"record","name":"R","fields":[]}', {}), {
      message: /SCHEMA_TYPE_MISMATCH/,
    })
  })
}

test('only transitive levels look at all versions of Protobuf', async t => {
  const { registry } = await started(t)
  const options = { type: 'PROTOBUF' } as const
  for (const level of ['BACKWARD', 'BACKWARD_TRANSITIVE'] as const) {
    await registry.setConfig('NONE', level)
    for (const text of ['message M { optional string a = 1; }', 'message M { }'])
      await registry.register(level, text, options)
    await registry.setConfig(level, level)
    const found = await registry.checkCompatibility(level, 'message M { optional int32 a = 1; }', options)
    assert.equal(found.isCompatible, level === 'BACKWARD')
  }
})

test('a Protobuf schema is one with the descriptor that says the same', async t => {
  const { registry, url } = await started(t)
  const options = { type: 'PROTOBUF' } as const
  await registry.register('shop/common.proto', textOf('common'), options)
  const references = [{ name: 'shop/common.proto', subject: 'shop/common.proto', version: 1 }]
  const id = await registry.register('orders-value', textOf('order'), { ...options, references })
  const serialized = await json(`${url}/schemas/ids/${id}?format=serialized`)
  const descriptor = fromBinary(FileDescriptorProtoSchema, Buffer.from(serialized.schema, 'base64'))
  const files = createFileRegistry(descriptor, name =>
    [file_google_protobuf_timestamp, file_shop_common].find(each => each.proto.name === name),
  )
  assert.equal(files.getMessage('shop.Order')?.fields.length, OrderSchema.fields.length)
  assert.equal(await registry.register('orders-value', serialized.schema, { ...options, references }), id)
  assert.equal((await registry.getById(id)).schema, (await registry.getLatest('orders-value')).schema)
  assert.match((await registry.getById(id)).schema, /^syntax = "proto3";\npackage shop;\n\nimport "google/)
})

async function json(url: string): Promise<{ schema: string }> {
  return (await (await fetch(url)).json()) as { schema: string }
}

test('schemas that differ in form only are one if the request or the configuration says so', async t => {
  const { registry } = await started(t)
  const forms: Readonly<Record<SchemaType, readonly [string, string]>> = {
    PROTOBUF: [
      'syntax = "proto3"; message M { string a = 1; int32 b = 2; }',
      'syntax = "proto3"; message M { int32 b = 2; string a = 1; }',
    ],
    JSON: ['{"type":"object","title":"x"}', '{"title":"x","type":"object"}'],
    AVRO: [
      '{"type":"record","name":"R","fields":[],"x":1,"a":2}',
      '{"type":"record","name":"R","fields":[],"a":2,"x":1}',
    ],
  }
  for (const [type, [one, other]] of Object.entries(forms) as [SchemaType, [string, string]][]) {
    const id = await registry.register(type, one, { type })
    await assert.rejects(registry.lookup(type, other, { type }), { code: 'NOT_FOUND' })
    assert.equal((await registry.lookup(type, other, { type, normalize: true })).id, id)
    assert.equal(await registry.register(type, other, { type, normalize: true }), id)
    await registry.setConfig({ normalize: true }, type)
    assert.equal(await registry.register(type, `${other} `, { type }), id)
    assert.deepEqual(await registry.versions(type), [1])
  }
})

test('JSON schemas are kept with what they refer to', async t => {
  const { registry } = await started(t)
  const options = { type: 'JSON' } as const
  const order = { type: 'object', properties: { to: { $ref: 'address.json' } } }
  await assert.rejects(registry.register('order', order, options), {
    code: 'INVALID_SCHEMA',
    message: /the reference address\.json leads nowhere/,
  })
  await registry.register('address', { type: 'object', properties: { city: { type: 'string' } } }, options)
  const references = [{ name: 'address.json', subject: 'address', version: 1 }]
  await registry.register('order', order, { ...options, references })
  await registry.setConfig('NONE', 'address')
  await registry.register('address', { type: 'object', properties: { city: { type: 'integer' } } }, options)
  const newer = [{ name: 'address.json', subject: 'address', version: 2 }]
  const { messages } = await registry.checkCompatibility('order', order, { ...options, references: newer })
  assert.match(messages[0] ?? '', /TYPE_CHANGED.*#\/properties\/to\/properties\/city/)
  await assert.rejects(registry.register('order', '{"type":"text"}', options), { message: /unknown type: \[text\]/ })
  await assert.rejects(registry.register('order', 'no json', options), { code: 'INVALID_SCHEMA' })
})

test('Protobuf schemas that are none, or use what is not there, are refused', async t => {
  const { registry } = await started(t)
  const options = { type: 'PROTOBUF' } as const
  for (const [text, message] of [
    ['message M {', /it ends where/],
    ['message M { optional N n = 1; }', /the type N of M\.n is not known/],
    [textOf('order'), /schema\.proto imports shop\/common\.proto/],
  ] as const) {
    await assert.rejects(registry.register('a', text, options), { code: 'INVALID_SCHEMA', errorCode: 42201, message })
  }
})

test('a generated message is written and read through the registry', async t => {
  const { registry, url } = await started(t)
  const context = { topic: 'orders', field: 'value' } as const
  const bytes = await registry
    .protobuf(OrderSchema)
    .serialize(create(OrderSchema, { id: 7n }), { ...context, headers: [] })
  const other = new SchemaRegistry({ url })
  assert.deepEqual(
    await other.protobuf(OrderSchema).deserialize(bytes, { ...context, headers: [] }),
    create(OrderSchema, { id: 7n }),
  )
  assert.deepEqual((await other.getLatest('orders-value')).references, [
    { name: 'shop/common.proto', subject: 'shop/common.proto', version: 1 },
  ])
  const known = other.protobuf(OrderSchema, { autoRegister: false })
  assert.equal((await known.serialize(create(OrderSchema), { ...context, headers: [] })).readUInt32BE(1), 2)
})

test('a context has settings of its own, and a group is compared with itself', async t => {
  const { registry } = await started(t)
  await registry.setConfig('NONE', ':.free:')
  await registry.setMode('READONLY', ':.shut:')
  const [first, second] = ['{"type":"string"}', '{"type":"integer"}']
  const options = { type: 'JSON' } as const
  await registry.register(':.free:a', first, options)
  await registry.register(':.free:a', second, options)
  await assert.rejects(registry.register(':.shut:a', first, options), { errorCode: 42205 })
  await registry.setConfig({ compatibilityGroup: 'major' }, 'b')
  const major = (value: string) => ({ ...options, metadata: { properties: { major: value } } })
  await registry.register('b', first, major('1'))
  await assert.rejects(registry.register('b', second, major('1')), { code: 'INCOMPATIBLE' })
  await registry.register('b', second, major('2'))
})

test('a deleted subject is one record, as the original has it', async t => {
  const records: { key: string; value: string | null }[] = []
  const log: RegistryLog = { read: () => records, append: (key, value) => records.push({ key, value }) }
  const { registry } = await started(t, log)
  await registry.register('a', '{"type":"string"}', { type: 'JSON' })
  await registry.deleteSubject('a')
  const [, deleted] = records.map(({ key, value }) => [JSON.parse(key), JSON.parse(value ?? 'null')] as unknown[])
  assert.deepEqual(deleted, [
    { keytype: 'DELETE_SUBJECT', subject: 'a', magic: 0 },
    { subject: 'a', version: 1 },
  ])
  const second = (await started(t, log)).registry
  assert.deepEqual([await second.subjects(), await second.subjects({ deleted: true })], [[], ['a']])
})

test('schemas that differ in the order of what they refer to are one when they are normalized', async t => {
  const { registry } = await started(t)
  const type = 'JSON'
  for (const name of ['a', 'b']) await registry.register(name, { title: name, type: 'string' }, { type })
  const schema = { type: 'object', properties: { a: { $ref: 'a.json' }, b: { $ref: 'b.json' } } }
  const [a, b] = ['a', 'b'].map(subject => ({ name: `${subject}.json`, subject, version: 1 }))
  const id = await registry.register('order', schema, { type, references: [b!, a!] })
  await assert.rejects(registry.lookup('order', schema, { type, references: [a!, b!] }), { code: 'NOT_FOUND' })
  const found = await registry.lookup('order', schema, { type, references: [a!, b!, a!], normalize: true })
  assert.equal(found.id, id)
  await registry.register('other', schema, { type, references: [b!, a!, b!], normalize: true })
  assert.deepEqual((await registry.getLatest('other')).references, [a, b])
})

test('a request cannot turn off the normalization that is configured', async t => {
  const { registry } = await started(t)
  await registry.setConfig({ normalize: true }, 'order')
  const id = await registry.register('order', '{"type":"object","title":"x"}', { type: 'JSON' })
  const other = { type: 'JSON', normalize: false } as const
  assert.equal(await registry.register('order', '{"title":"x","type":"object"}', other), id)
})

test('a reference to the latest version is kept as one to what that is now', async t => {
  const { registry } = await started(t)
  const type = 'JSON'
  await registry.register('a', { type: 'string' }, { type })
  const reference = { name: 'a.json', subject: 'a' }
  await registry.register('order', { $ref: 'a.json' }, { type, references: [{ ...reference, version: -1 }] })
  assert.deepEqual((await registry.getLatest('order')).references, [{ ...reference, version: 1 }])
})

test('a registration is answered with the id, the version and the GUID, and with the text if it has metadata', async t => {
  const { registry, url } = await started(t)
  const post = async (body: object): Promise<Record<string, unknown>> => {
    const answer = await fetch(`${url}/subjects/a/versions`, { method: 'POST', body: JSON.stringify(body) })
    return (await answer.json()) as Record<string, unknown>
  }
  const plain = await post({ schema: '"string"' })
  assert.deepEqual(plain, { id: 1, version: 1, guid: (await registry.getLatest('a')).guid })
  const metadata = { properties: { app: '1' } }
  const { id, schema, ...more } = await post({ schema: '"string"', metadata })
  assert.deepEqual([id, schema, more['version'], more['metadata']], [2, '"string"', 2, metadata])
})

test("what Confluent's clients import of their own is known, where it is and where it was", async t => {
  const { registry, url } = await started(t)
  const context = { topic: 'prices', field: 'value', headers: [] } as const
  for (const [path, type, value] of [
    ['confluent/type/decimal.proto', 'Decimal', { value: 'BNI=', precision: 9, scale: 2 }],
    ['confluent/types/decimal.proto', 'Decimal', { value: 'BNI=', scale: 2 }],
    ['confluent/type/variant.proto', 'Variant', { metadata: 'AQ==', value: 'Ag==' }],
  ] as const) {
    const schema = `syntax = "proto3"; import "${path}"; message M { confluent.type.${type} x = 1; }`
    await registry.setConfig('NONE', 'prices-value')
    const writer = registry.protobuf({ schema, values: 'json' })
    const bytes = await writer.serialize({ x: value }, { ...context, headers: [] })
    const reader = new SchemaRegistry({ url }).protobuf({ values: 'json' })
    assert.deepEqual(await reader.deserialize(bytes, { ...context, headers: [] }), { x: value })
  }
})
