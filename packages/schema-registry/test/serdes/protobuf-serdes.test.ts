import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { SchemaRegistry, type RegistrySerdesContext } from '../../src/index.ts'
import { Currency, MoneySchema } from '../protobuf/shop/common_pb.ts'
import {
  Customer_AddressSchema,
  CustomerSchema,
  OrderSchema,
  Order_ItemSchema,
  type Order,
} from '../protobuf/shop/order_pb.ts'
import { tinyRegistry } from '../tiny-registry.ts'

const textOf = (name: string): string =>
  readFileSync(new URL(`../protobuf/shop/${name}.proto`, import.meta.url), 'utf8')

const context = (topic = 'orders', field: 'key' | 'value' = 'value'): RegistrySerdesContext => ({
  topic,
  field,
  headers: [],
})

async function started(t: TestContext) {
  const tiny = await tinyRegistry(t)
  return { tiny, registry: new SchemaRegistry({ url: tiny.url, retryBackoffMs: 1 }) }
}

function order(): Order {
  return create(OrderSchema, {
    id: 2n ** 60n,
    customer: { name: 'Ada' },
    items: [{ sku: 'a', count: 2 }],
    prices: { a: { currency: Currency.EUR, cents: 5n } },
    at: { seconds: 1_700_000_000n, nanos: 5 },
    note: '',
    payment: { case: 'card', value: '1234' },
    hash: Uint8Array.of(1, 2),
    codes: [1, 2, 3],
  })
}

test('generated code is written and read; its file and what that imports are registered', async t => {
  const { tiny, registry } = await started(t)
  const serdes = registry.protobuf(OrderSchema)
  const bytes = await serdes.serialize(order(), context())
  // The order is the second message of its file: one index, 1, in zigzag.
  assert.deepEqual([...bytes.subarray(0, 7)], [0, 0, 0, 0, 2, 2, 2])
  assert.deepEqual(fromBinary(OrderSchema, new Uint8Array(bytes.subarray(7))), order())
  const [common, own] = tiny.asked
  assert.deepEqual(
    [common?.url, own?.url],
    ['/subjects/shop%2Fcommon.proto/versions', '/subjects/orders-value/versions'],
  )
  const [first, second] = [common?.body, own?.body] as { schemaType: string; references: unknown }[]
  assert.equal(first?.schemaType, 'PROTOBUF')
  assert.deepEqual(second?.references, [{ name: 'shop/common.proto', subject: 'shop/common.proto', version: 1 }])
  const reader = new SchemaRegistry({ url: tiny.url }).protobuf(OrderSchema)
  const read: Order = await reader.deserialize(bytes, context())
  assert.deepEqual(read, order())
  assert.ok(Buffer.isBuffer(serdes.serialize(order(), context())))
})

test('what is no message yet is made one', async t => {
  const { registry } = await started(t)
  const serdes = registry.protobuf(CustomerSchema)
  const bytes = await serdes.serialize({ name: 'Ada' } as never, context())
  assert.equal(bytes.toString('hex'), '0000000002' + '00' + '0a03416461')
  assert.deepEqual(await serdes.deserialize(bytes, context()), create(CustomerSchema, { name: 'Ada' }))
})

test('the first message of a file is a single 0, an inner one has all indexes', async t => {
  const { registry } = await started(t)
  const prefix = async (made: Promise<Buffer> | Buffer): Promise<string> => (await made).toString('hex').slice(10)
  assert.equal(await prefix(registry.protobuf(MoneySchema).serialize(create(MoneySchema), context('m'))), '00')
  const address = registry.protobuf(Customer_AddressSchema)
  assert.equal(await prefix(address.serialize(create(Customer_AddressSchema), context('a'))), '040000')
  const item = registry.protobuf(Order_ItemSchema)
  const bytes = await item.serialize(create(Order_ItemSchema, { sku: 'x' }), context('i'))
  assert.equal(await prefix(bytes), '040200' + '0a0178')
  // Other clients may write the first message in full.
  const full = Buffer.concat([bytes.subarray(0, 5), Buffer.from('0200', 'hex'), Buffer.from('0a0178', 'hex')])
  const customer = await registry.protobuf(CustomerSchema).deserialize(full, context('i'))
  assert.equal(customer.name, 'x')
})

test('a GUID in a header has the indexes behind it', async t => {
  const { registry } = await started(t)
  const serdes = registry.protobuf(OrderSchema, { idIn: 'header' })
  const told = context()
  const bytes = await serdes.serialize(order(), told)
  assert.deepEqual(Buffer.from(toBinary(OrderSchema, order())), bytes)
  assert.equal(told.headers[0]?.key, '__value_schema_id')
  assert.equal(told.headers[0].value?.toString('hex'), '01' + '00000000000040008000000000000002' + '0202')
  assert.deepEqual(await registry.protobuf(OrderSchema).deserialize(bytes, told), order())
  assert.deepEqual(await registry.protobuf().deserialize(bytes, told), order())
})

test('without generated code messages are read as they were written', async t => {
  const { tiny, registry } = await started(t)
  const bytes = await registry.protobuf(OrderSchema).serialize(order(), context())
  const other = new SchemaRegistry({ url: tiny.url })
  assert.deepEqual(await other.protobuf().deserialize(bytes, context()), order())
  const json = await other.protobuf({ values: 'json' }).deserialize(bytes, context())
  assert.deepEqual(json, {
    id: String(2n ** 60n),
    customer: { name: 'Ada' },
    items: [{ sku: 'a', count: 2 }],
    prices: { a: { currency: 'EUR', cents: '5' } },
    at: '2023-11-14T22:13:20.000000005Z',
    note: '',
    card: '1234',
    hash: 'AQI=',
    codes: [1, 2, 3],
  })
  const again = await other.protobuf({ values: 'json', message: 'shop.Order' }).serialize(json, context())
  assert.equal(again.readUInt32BE(1), 2)
})

test('text is a schema, too; the message is the first one, or named', async t => {
  const { registry, tiny } = await started(t)
  const common = await registry.registerSchema('common', textOf('common'), { type: 'PROTOBUF' })
  const references = [{ name: 'shop/common.proto', subject: 'common', version: common.version! }]
  const first = registry.protobuf({ schema: textOf('order'), references, subject: 'record' })
  const bytes = await first.serialize({ name: 'Ada' }, context())
  assert.equal(tiny.asked.at(-1)?.url, '/subjects/shop.Customer/versions')
  assert.equal(bytes.toString('hex').slice(10), '000a03416461')
  const named = registry.protobuf({ schema: textOf('order'), references, message: 'shop.Order', values: 'json' })
  const whole = await named.serialize({ id: '7', cash: { cents: 1 } }, context())
  assert.deepEqual(await registry.protobuf(OrderSchema).deserialize(whole, context()), {
    ...create(OrderSchema, { id: 7n }),
    payment: { case: 'cash', value: create(MoneySchema, { cents: 1n }) },
  })
  assert.throws(() => registry.protobuf({ schema: textOf('order'), message: 'shop.No' }), { code: 'INVALID_SCHEMA' })
})

test('with useLatest the index is that of the latest schema', async t => {
  const { registry } = await started(t)
  await registry.register('orders-value', `message Other { }\n${textOf('common').replace('syntax = "proto3";', '')}`, {
    type: 'PROTOBUF',
  })
  const bytes = await registry.protobuf(MoneySchema, { useLatest: true }).serialize(create(MoneySchema), context())
  assert.equal(bytes.toString('hex'), '0000000001' + '0202')
})

test('another message than the wanted one is refused, and so is what does not fit', async t => {
  const { registry } = await started(t)
  const bytes = await registry.protobuf(OrderSchema).serialize(order(), context())
  await assert.rejects(async () => registry.protobuf(CustomerSchema).deserialize(bytes, context()), {
    code: 'INVALID_DATA',
    schemaId: 2,
    message: 'schema 2: its message is a shop.Order, not a shop.Customer',
  })
  const serdes = registry.protobuf(OrderSchema)
  await serdes.prepare('orders')
  assert.throws(
    () => serdes.serialize({ ...order(), codes: ['secret'] } as never, context()),
    (error: Error) => {
      assert.match(error.message, /^the value is no shop\.Order/)
      assert.doesNotMatch(error.message, /secret/)
      return true
    },
  )
  assert.throws(() => serdes.serialize(create(CustomerSchema) as never, context()), { code: 'INVALID_DATA' })
  const wrong = Buffer.concat([bytes.subarray(0, 5), Buffer.from('0414', 'hex'), bytes.subarray(7)])
  await assert.rejects(async () => serdes.deserialize(wrong, context()), { code: 'INVALID_DATA', schemaId: 2 })
  assert.throws(() => serdes.deserialize(bytes.subarray(0, 6), context()), { code: 'INVALID_DATA', schemaId: 2 })
})

test('the options are checked', async t => {
  const { registry } = await started(t)
  assert.throws(() => registry.protobuf({ values: 'xml' as never }), { code: 'INVALID_ARGUMENT' })
  assert.throws(() => registry.protobuf({ schema: 'no schema' }), { code: 'INVALID_SCHEMA' })
  assert.throws(() => registry.protobuf(OrderSchema, { references: [{ name: 'a', subject: 'a', version: 1 }] }), {
    code: 'INVALID_ARGUMENT',
  })
})
