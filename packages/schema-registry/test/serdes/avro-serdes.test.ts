import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { SchemaRegistry, type RegistrySerdesContext } from '../../src/index.ts'
import { tinyRegistry } from '../tiny-registry.ts'

const order = {
  type: 'record',
  name: 'Order',
  namespace: 'shop',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'customer', type: 'string' },
  ],
} as const

const context = (topic = 'orders', field: 'key' | 'value' = 'value'): RegistrySerdesContext => ({
  topic,
  field,
  headers: [],
})

async function started(t: TestContext) {
  const tiny = await tinyRegistry(t)
  return { tiny, registry: new SchemaRegistry({ url: tiny.url, retryBackoffMs: 1 }) }
}

test('the first message waits for the registry, the next ones do not', async t => {
  const { tiny, registry } = await started(t)
  const serdes = registry.avro({ schema: order })
  const first = serdes.serialize({ id: 1, customer: 'a' }, context())
  assert.ok(first instanceof Promise)
  assert.equal((await first).toString('hex'), '0000000001' + '020261')
  const second = serdes.serialize({ id: 2, customer: 'b' }, context())
  assert.ok(Buffer.isBuffer(second))
  const other = new SchemaRegistry({ url: tiny.url }).avro()
  assert.deepEqual(await other.deserialize(second, context()), { id: 2, customer: 'b' })
  assert.deepEqual(other.deserialize(await first, context()), { id: 1, customer: 'a' })
  assert.deepEqual(
    tiny.asked.map(({ method, url }) => `${method} ${url}`),
    ['POST /subjects/orders-value/versions', 'GET /schemas/ids/1'],
  )
})

test('prepare makes the first message one of the next ones', async t => {
  const { registry } = await started(t)
  const serdes = registry.avro({ schema: order })
  await serdes.prepare('orders')
  assert.ok(Buffer.isBuffer(serdes.serialize({ id: 1, customer: 'a' }, context())))
  const ofAnother = serdes.serialize({ id: 1, customer: 'a' }, context('orders', 'key'))
  assert.ok(ofAnother instanceof Promise)
  await ofAnother
})

test('subjects are named by topic, record, both, or a function', async t => {
  const { tiny, registry } = await started(t)
  const subject = async (naming: 'topic' | 'record' | 'topic-record' | (() => string)): Promise<string | undefined> => {
    tiny.asked.length = 0
    await registry.avro({ schema: { ...order, doc: String(naming) }, subject: naming }).prepare('orders', 'key')
    return tiny.asked[0]?.url
  }
  assert.equal(await subject('topic'), '/subjects/orders-key/versions')
  assert.equal(await subject('record'), '/subjects/shop.Order/versions')
  assert.equal(await subject('topic-record'), '/subjects/orders-shop.Order/versions')
  assert.equal(await subject(() => ':.ctx:mine'), '/subjects/%3A.ctx%3Amine/versions')
  await assert.rejects(registry.avro({ subject: 'record' }).prepare('orders'), {
    code: 'INVALID_ARGUMENT',
    message: /needs the schema/,
  })
})

test('without a schema the latest one is written, and a newer one from when it is known', async t => {
  const { tiny } = await started(t)
  const registry = new SchemaRegistry({ url: tiny.url, latestTtlMs: 1 })
  await registry.register('orders-value', order)
  const serdes = registry.avro<{ id: number; customer: string; city?: string }>()
  const bytes = await serdes.serialize({ id: 1, customer: 'a' }, context())
  assert.equal(bytes[4], 1)
  await registry.register('orders-value', {
    ...order,
    fields: [...order.fields, { name: 'city', type: 'string', default: '' }],
  })
  for (;;) {
    const later = await serdes.serialize({ id: 1, customer: 'a', city: 'x' }, context())
    if (later[4] === 2) break
    await new Promise(resolve => setTimeout(resolve, 2))
  }
})

test('a schema that must be registered already is looked up', async t => {
  const { tiny, registry } = await started(t)
  tiny.answer = ({ method, url }) => {
    assert.deepEqual([method, url], ['POST', '/subjects/orders-value'])
    return { status: 404, body: { error_code: 40403, message: 'Schema not found' } }
  }
  const serdes = registry.avro({ schema: order, autoRegister: false })
  await assert.rejects(async () => serdes.serialize({ id: 1, customer: 'a' }, context()), { code: 'NOT_FOUND' })
  // It may have been registered since.
  tiny.answer = () => ({ body: { id: 9, version: 1, subject: 'orders-value', schema: JSON.stringify(order) } })
  assert.equal((await serdes.serialize({ id: 1, customer: 'a' }, context()))[4], 9)
})

test('messages of other versions are read as the application has its schema', async t => {
  const { registry } = await started(t)
  const old = registry.avro({ schema: order })
  const fresh = registry.avro({
    schema: { ...order, fields: [order.fields[0], { name: 'city', type: 'string', default: 'Oulu' }] },
  })
  const bytes = await old.serialize({ id: 1, customer: 'a' }, context())
  assert.deepEqual(await fresh.deserialize(bytes, context()), { id: 1, city: 'Oulu' })
  const asRead = registry.avro({ schema: order, readerSchema: { ...order, fields: [] } })
  assert.deepEqual(await asRead.deserialize(bytes, context()), {})
})

test('the schema is named by a GUID in a header', async t => {
  const { registry } = await started(t)
  const serdes = registry.avro({ schema: order, idIn: 'header' })
  const headers: RegistrySerdesContext['headers'] = [{ key: 'other', value: null }]
  const bytes = await serdes.serialize({ id: 1, customer: 'a' }, { ...context(), headers })
  assert.equal(bytes.toString('hex'), '020261')
  assert.ok(Buffer.isBuffer(serdes.serialize({ id: 1, customer: 'a' }, { ...context(), headers })))
  assert.deepEqual(headers, [
    { key: 'other', value: null },
    { key: '__value_schema_id', value: Buffer.from('0100000000000040008000000000000001', 'hex') },
  ])
  assert.deepEqual(await registry.avro().deserialize(bytes, { ...context(), headers }), { id: 1, customer: 'a' })
})

test('a message that cannot be read names its schema, and shows nothing of itself', async t => {
  const { tiny, registry } = await started(t)
  const serdes = registry.avro({ schema: order })
  const bytes = await serdes.serialize({ id: 1, customer: 'secret' }, context())
  await assert.rejects(async () => serdes.deserialize(bytes.subarray(0, 9), context()), {
    code: 'INVALID_DATA',
    schemaId: 1,
    message: 'schema 1: the data ends before its schema does',
  })
  await assert.rejects(async () => serdes.deserialize(Buffer.from('0000000063ff', 'hex'), context()), {
    code: 'NOT_FOUND',
    schemaId: 99,
    message: /^schema 99: .*Schema not found$/,
  })
  await assert.rejects(async () => serdes.deserialize(Buffer.from('{"a":"secret"}'), context()), {
    code: 'INVALID_DATA',
    message: 'it names no schema: its first byte is 123, not 0, and it has no header __value_schema_id',
  })
  await assert.rejects(async () => serdes.deserialize(Buffer.from('x'), context()), {
    message: /it has 1 bytes, and a schema id takes 5/,
  })
  tiny.answer = () => ({ body: { schemaType: 'JSON', schema: '{}', id: 5 } })
  await assert.rejects(async () => serdes.deserialize(Buffer.from('0000000005ff', 'hex'), context()), {
    message: 'schema 5: it is JSON, not AVRO',
  })
})

test('a deserializer waits for a registry that is down, and reads what needs no new schema meanwhile', async t => {
  const { tiny, registry } = await started(t)
  const serdes = registry.avro({ schema: order })
  const known = await serdes.serialize({ id: 1, customer: 'a' }, context())
  await serdes.deserialize(known, context())
  const other = await new SchemaRegistry({ url: tiny.url })
    .avro({ schema: { ...order, doc: '2' } })
    .serialize({ id: 2, customer: 'b' }, context('other'))
  let isDown = true
  tiny.answer = () => (isDown ? undefined : null)
  const pending = serdes.deserialize(other, context('other'))
  assert.deepEqual(serdes.deserialize(known, context()), { id: 1, customer: 'a' })
  isDown = false
  assert.deepEqual(await pending, { id: 2, customer: 'b' })
})

test('a schema is read with the schemas that it refers to', async t => {
  const { tiny, registry } = await started(t)
  const address = { type: 'record', name: 'shop.Address', fields: [{ name: 'city', type: 'string' }] }
  tiny.answer = ({ url }) =>
    url.startsWith('/subjects/shop.Address/versions/1')
      ? { body: { id: 50, version: 1, subject: 'shop.Address', schema: JSON.stringify(address) } }
      : null
  const references = [{ name: 'shop.Address', subject: 'shop.Address', version: 1 }]
  const serdes = registry.avro<{ to: { city: string } }>({
    schema: { type: 'record', name: 'shop.Parcel', fields: [{ name: 'to', type: 'shop.Address' }] },
    references,
  })
  const bytes = await serdes.serialize({ to: { city: 'Turku' } }, context())
  assert.deepEqual((tiny.asked.at(-1)?.body as { references: unknown }).references, references)
  assert.deepEqual(await new SchemaRegistry({ url: tiny.url }).avro().deserialize(bytes, context()), {
    to: { city: 'Turku' },
  })
})
