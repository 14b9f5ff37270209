import assert from 'node:assert/strict'
import { test } from 'node:test'
import { confluentSerdes, type ConfluentHeaders, type RegistrySerdesContext } from '../../src/index.ts'

const context = (): RegistrySerdesContext => ({
  topic: 'orders',
  field: 'value',
  headers: [{ key: 'trace', value: Buffer.from('1') }],
})

test("serdes of Confluent's package are called as they want it, and set headers", async () => {
  const called: unknown[] = []
  const serdes = confluentSerdes<{ id: number }>({
    serializer: {
      serialize: (topic, message, headers: ConfluentHeaders = {}) => {
        called.push([topic, message, { ...headers }])
        headers['__value_schema_id'] = Buffer.from([1, 2])
        return Promise.resolve(Buffer.from('x'))
      },
    },
    deserializer: {
      deserialize: (topic, payload, headers) => {
        called.push([topic, payload.toString(), headers])
        return Promise.resolve({ id: 7 })
      },
    },
  })
  const told = context()
  assert.deepEqual(await serdes.serialize({ id: 7 }, told), Buffer.from('x'))
  assert.deepEqual(told.headers, [
    { key: 'trace', value: Buffer.from('1') },
    { key: '__value_schema_id', value: Buffer.from([1, 2]) },
  ])
  assert.deepEqual(await serdes.deserialize(Buffer.from('x'), told), { id: 7 })
  assert.deepEqual(called, [
    ['orders', { id: 7 }, { trace: Buffer.from('1') }],
    ['orders', 'x', { trace: Buffer.from('1'), __value_schema_id: Buffer.from([1, 2]) }],
  ])
})

test('a registry that is down is told from what cannot be read', async () => {
  const failing = (error: Error) =>
    confluentSerdes({ deserializer: { deserialize: () => Promise.reject(error) } }).deserialize(Buffer.of(0), context())
  const outages = [
    Object.assign(new Error('no'), { status: 503 }),
    Object.assign(new Error('no'), { code: 'ECONNREFUSED' }),
    new Error('no', { cause: Object.assign(new Error('no'), { code: 'ETIMEDOUT' }) }),
  ]
  for (const error of outages) await assert.rejects(failing(error), { code: 'UNAVAILABLE', isRetriable: true })
  for (const error of [new Error('wrong'), Object.assign(new Error('no'), { status: 404 })]) {
    await assert.rejects(failing(error), thrown => thrown === error)
  }
  assert.throws(() => confluentSerdes({}), { code: 'INVALID_ARGUMENT' })
  const writing = confluentSerdes({ deserializer: { deserialize: () => Promise.resolve(1) } })
  await assert.rejects(writing.serialize(1, context()), { code: 'INVALID_ARGUMENT' })
})
