/** Our serdes with a registry: what is written by one is read by another that knows nothing. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { RegistrySerdes, RegistrySerdesContext } from '@ottla/schema-registry'
import { fresh } from '../world.ts'
import { clientOf, type RegistryWorld } from './world.ts'

type Headers = RegistrySerdesContext['headers']

function contextOf(topic: string, headers: Headers = []): RegistrySerdesContext {
  return { topic, field: 'value', headers }
}

type Reader = Pick<RegistrySerdes<unknown>, 'deserialize'>

async function carried<T>(writer: RegistrySerdes<T>, reader: Reader, topic: string, value: T) {
  const headers: Headers = []
  const bytes = await writer.serialize(value, contextOf(topic, headers))
  return { bytes, headers, read: await reader.deserialize(bytes, contextOf(topic, headers)) }
}

const order = {
  type: 'record',
  name: 'Order',
  namespace: 'shop',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'customer', type: { type: 'record', name: 'Customer', fields: [{ name: 'name', type: 'string' }] } },
    { name: 'lines', type: { type: 'array', items: 'string' } },
    { name: 'prices', type: { type: 'map', values: 'double' } },
    { name: 'total', type: { type: 'bytes', logicalType: 'decimal', precision: 12, scale: 2 } },
    { name: 'note', type: ['null', 'string'], default: null },
  ],
} as const

const value = {
  id: 2 ** 40,
  customer: { name: 'Zoë' },
  lines: ['a', 'b'],
  prices: { a: 1.5, b: -0.25 },
  total: '-1234.50',
  note: null,
}

export function serdesScenarios(world: () => RegistryWorld): void {
  for (const naming of ['topic', 'record', 'topic-record'] as const) {
    test(`values are written and read with subjects named by ${naming}`, async () => {
      const topic = fresh('orders')
      const writer = clientOf(world()).avro({ schema: order, subject: naming })
      const { read, bytes } = await carried(writer, clientOf(world()).avro(), topic, value)
      assert.deepEqual(read, value)
      assert.equal(bytes[0], 0)
      const expected = { topic: `${topic}-value`, record: 'shop.Order', 'topic-record': `${topic}-shop.Order` }[naming]
      const registry = clientOf(world())
      assert.equal((await registry.lookup(expected, order)).id, bytes.readUInt32BE(1))
    })
  }

  test('a schema that is not registered yet is not written with, if it is not to be registered', async () => {
    const topic = fresh('orders')
    const registry = clientOf(world())
    const careful = registry.avro({ schema: order, autoRegister: false })
    const writing = async (): Promise<Buffer> => careful.serialize(value, contextOf(topic))
    await assert.rejects(writing(), { code: 'NOT_FOUND' })
    const id = await registry.register(`${topic}-value`, order)
    assert.equal((await writing()).readUInt32BE(1), id)
  })

  test('older and newer messages are read as the schema of the application', async () => {
    const topic = fresh('orders')
    const old = { type: 'record', name: 'R', fields: [{ name: 'a', type: 'int' }] } as const
    const newer = {
      type: 'record',
      name: 'R',
      fields: [
        { name: 'a', type: 'long' },
        { name: 'b', type: 'string', default: 'none' },
      ],
    } as const
    const [first, second] = [clientOf(world()), clientOf(world())]
    const [oldSerdes, newSerdes] = [first.avro({ schema: old }), second.avro({ schema: newer })]
    assert.deepEqual((await carried(oldSerdes, newSerdes, topic, { a: 1 })).read, { a: 1, b: 'none' })
    const asWritten = await carried(newSerdes, clientOf(world()).avro(), topic, { a: 2, b: 'x' })
    assert.deepEqual(asWritten.read, { a: 2, b: 'x' })
    // A long is no int: this direction is not compatible.
    const reading = carried(newSerdes, oldSerdes, topic, { a: 2, b: 'x' })
    await assert.rejects(reading, { code: 'INVALID_SCHEMA', message: /R\.a/ })
    const wide = clientOf(world()).avro({ readerSchema: { ...newer, fields: newer.fields.slice(1) } })
    assert.deepEqual((await carried(newSerdes, wide, topic, { a: 2, b: 'x' })).read, { b: 'x' })
  })

  test('the latest version is written with on demand', async () => {
    const topic = fresh('orders')
    const registry = clientOf(world(), { latestTtlMs: 1 })
    const fields = [{ name: 'a', type: 'int' }]
    await registry.register(`${topic}-value`, { type: 'record', name: 'R', fields })
    const writer = registry.avro<object>({ useLatest: true })
    assert.deepEqual((await carried(writer, clientOf(world()).avro(), topic, { a: 1 })).read, { a: 1 })
    const more = [...fields, { name: 'b', type: 'int', default: 7 }]
    const id = await registry.register(`${topic}-value`, { type: 'record', name: 'R', fields: more })
    for (let written = 0; written !== id;) {
      const bytes = await writer.serialize({ a: 1, b: 2 }, contextOf(topic))
      written = bytes.readUInt32BE(1)
      await nextTurn()
    }
    assert.deepEqual((await carried(writer, clientOf(world()).avro(), topic, { a: 1, b: 2 })).read, { a: 1, b: 2 })
  })

  test('referenced schemas are found by writer and reader', async () => {
    const [topic, money] = [fresh('priced'), fresh('money')]
    const amount = {
      type: 'record',
      name: 'Money',
      namespace: 'bank',
      fields: [
        { name: 'amount', type: { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 } },
        { name: 'currency', type: { type: 'enum', name: 'Currency', symbols: ['EUR', 'SEK'] } },
      ],
    }
    const priced = {
      type: 'record',
      name: 'Priced',
      fields: [
        { name: 'price', type: 'bank.Money' },
        { name: 'in', type: 'bank.Currency' },
      ],
    }
    await clientOf(world()).register(money, amount)
    const references = [{ name: 'bank.Money', subject: money, version: 1 }]
    const writer = clientOf(world()).avro<object>({ schema: priced, references })
    const given = { price: { amount: '12.50', currency: 'SEK' }, in: 'EUR' }
    assert.deepEqual((await carried(writer, clientOf(world()).avro(), topic, given)).read, given)
  })

  test('the id can be in a header, where schemas have GUIDs', async () => {
    const topic = fresh('orders')
    const writer = clientOf(world()).avro({ schema: order, idIn: 'header' })
    const writing = carried(writer, clientOf(world()).avro(), topic, value)
    if (!world().traits.hasGuids) {
      await assert.rejects(writing, { code: 'REFUSED', message: /knows no GUIDs/ })
      return
    }
    const { read, headers } = await writing
    assert.deepEqual([read, headers.map(({ key }) => key)], [value, ['__value_schema_id']])
  })

  test('a message of a schema that is not there is not readable, and says which', async () => {
    const reader = clientOf(world()).avro()
    const bytes = Buffer.from([0, 0x3a, 0xde, 0x68, 0xb1, 0])
    const reading = async (): Promise<unknown> => reader.deserialize(bytes, contextOf(fresh('orders')))
    await assert.rejects(reading(), { code: 'NOT_FOUND', schemaId: 987_654_321 })
  })
}
