import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { SchemaRegistry, type RegistrySerdesContext } from '../../src/index.ts'
import { tinyRegistry } from '../tiny-registry.ts'

const order = {
  title: 'Order',
  type: 'object',
  properties: { id: { type: 'integer' }, customer: { type: 'string', minLength: 1 } },
  required: ['id'],
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

test('values are written behind the id of their schema, and read', async t => {
  const { tiny, registry } = await started(t)
  const serdes = registry.json({ schema: order })
  const bytes = await serdes.serialize({ id: 7, customer: 'Ädä' }, context())
  assert.equal(bytes.toString('utf8', 5), '{"id":7,"customer":"Ädä"}')
  assert.equal(bytes.readUInt32BE(1), 1)
  assert.deepEqual(await new SchemaRegistry({ url: tiny.url }).json().deserialize(bytes, context()), {
    id: 7,
    customer: 'Ädä',
  })
  assert.deepEqual((tiny.asked[0]?.body as { schemaType: string }).schemaType, 'JSON')
  const told = context()
  const inHeader = await registry.json({ schema: order, idIn: 'header' }).serialize({ id: 1 }, told)
  assert.equal(inHeader.toString(), '{"id":1}')
  assert.deepEqual(await serdes.deserialize(inHeader, told), { id: 1 })
  await registry.json({ schema: order, subject: 'record' }).prepare('orders')
  assert.equal(tiny.asked.at(-1)?.url, '/subjects/Order/versions')
})

test('what does not match is refused on both sides, or where it was asked for, and is not shown', async t => {
  const { registry } = await started(t)
  const wrong = { id: 1, customer: '' } as const
  const writes = async (validate: 'both' | 'write' | 'read' | 'none'): Promise<Buffer> =>
    registry.json({ schema: order, validate }).serialize(wrong, context())
  for (const validate of ['both', 'write'] as const) {
    await assert.rejects(writes(validate), {
      code: 'INVALID_DATA',
      message: 'the value does not match its schema: /customer must NOT have fewer than 1 characters',
    })
  }
  const bytes = await writes('read')
  for (const validate of ['both', 'read'] as const) {
    await assert.rejects(async () => registry.json({ validate }).deserialize(bytes, context()), {
      code: 'INVALID_DATA',
      schemaId: 1,
    })
  }
  for (const validate of ['write', 'none'] as const) {
    assert.deepEqual(await registry.json({ validate }).deserialize(bytes, context()), wrong)
  }
  const secret = Buffer.concat([bytes.subarray(0, 5), Buffer.from('{"a": secret}')])
  await assert.rejects(
    async () => registry.json().deserialize(secret, context()),
    (error: Error) => {
      assert.equal(error.message, 'schema 1: the 13 bytes of its value are no JSON')
      return true
    },
  )
  await assert.rejects(async () => registry.json({ schema: {}, validate: 'none' }).serialize(1n, context()), {
    code: 'INVALID_DATA',
  })
})

test("what is read is checked by the application's schema if it has one", async t => {
  const { registry } = await started(t)
  const bytes = await registry.json({ schema: { type: 'string' } }).serialize('x', context())
  const reader = registry.json({ schema: { type: 'number' } })
  await assert.rejects(async () => reader.deserialize(bytes, context()), { message: /must be number/ })
})

for (const [draft, schema] of [
  [
    'draft 7',
    { $schema: 'http://json-schema.org/draft-07/schema#', items: [{ type: 'string' }], additionalItems: false },
  ],
  [
    'draft 2019-09',
    { $schema: 'https://json-schema.org/draft/2019-09/schema', items: [{ type: 'string' }], unevaluatedItems: false },
  ],
  [
    'draft 2020-12',
    { $schema: 'https://json-schema.org/draft/2020-12/schema', prefixItems: [{ type: 'string' }], items: false },
  ],
  [
    'draft 6, as draft 7',
    { $schema: 'http://json-schema.org/draft-06/schema#', items: [{ type: 'string' }], additionalItems: false },
  ],
] as const) {
  test(`schemas of ${draft} are known`, async t => {
    const { registry } = await started(t)
    // Without its type: values that do not fit are to be refused at run time.
    const untyped: object = schema
    const serdes = registry.json({ schema: untyped })
    await serdes.serialize(['a'], context())
    assert.throws(() => serdes.serialize([1], context()), { message: /\/0 must be string/ })
    assert.throws(() => serdes.serialize(['a', 'b'], context()), { code: 'INVALID_DATA' })
  })
}

test('formats are checked', async t => {
  const { registry } = await started(t)
  const serdes = registry.json({ schema: { type: 'string', format: 'date' } })
  await serdes.serialize('2026-11-30', context())
  assert.throws(() => serdes.serialize('30 November', context()), { message: /must match format "date"/ })
})

test('referenced schemas are followed, by name, by address and to each other', async t => {
  const { registry } = await started(t)
  const options = { type: 'JSON' } as const
  await registry.register('city', { $id: 'http://shop/city.json', type: 'string' }, options)
  const city = { name: 'city.json', subject: 'city', version: 1 }
  await registry.register(
    'address',
    { properties: { city: { $ref: 'city.json' }, again: { $ref: 'http://shop/city.json' } } },
    { ...options, references: [city] },
  )
  const references = [{ name: 'address.json', subject: 'address', version: 1 }]
  for (const $id of [{}, { $id: 'http://shop/order.json' }]) {
    const schema = { ...$id, properties: { to: { $ref: 'address.json' } } }
    const serdes = registry.json({ schema, references })
    const bytes = await serdes.serialize({ to: { city: 'Vaasa', again: 'Turku' } }, context())
    assert.throws(() => serdes.serialize({ to: { city: 5 } }, context()), { message: /\/to\/city must be string/ })
    assert.throws(() => serdes.serialize({ to: { again: 5 } }, context()), { message: /\/to\/again must be string/ })
    assert.deepEqual(await registry.json().deserialize(bytes, context()), { to: { city: 'Vaasa', again: 'Turku' } })
  }
})

test('schemas and options are checked at once', async t => {
  const { registry } = await started(t)
  assert.throws(() => registry.json({ schema: 'no json' }), { code: 'INVALID_SCHEMA' })
  assert.throws(() => registry.json({ schema: { type: 'text' } }), { code: 'INVALID_SCHEMA' })
  assert.throws(() => registry.json({ schema: { $ref: 'nowhere.json' } }), { code: 'INVALID_SCHEMA' })
  assert.throws(() => registry.json({ validate: 'maybe' as never }), { code: 'INVALID_ARGUMENT' })
  await assert.rejects(registry.json({ schema: { type: 'string' }, subject: 'record' }).prepare('orders'), {
    code: 'INVALID_ARGUMENT',
    message: /of JSON with a title/,
  })
})
