import { test } from 'node:test'
import assert from 'node:assert/strict'
import { type KafkaError } from '../src/errors.ts'
import { bytes, float64, int32, int64, json, string, uuid, type Serdes } from '../src/serdes.ts'

const context = { topic: 't', field: 'value' as const, headers: [] }

function roundTrip<T>(serdes: Serdes<T>, data: T): unknown {
  const written = serdes.serialize(data, context)
  assert.ok(!(written instanceof Promise) && written !== null)
  return serdes.deserialize(Buffer.from(written as Uint8Array), context)
}

test('each format reads what it wrote', () => {
  assert.equal(roundTrip(string, 'schön'), 'schön')
  assert.equal(roundTrip(int32, -7), -7)
  assert.equal(roundTrip(int64, -(2 ** 53) + 1), -(2 ** 53) + 1)
  assert.equal(roundTrip(float64, 0.1), 0.1)
  assert.deepEqual(roundTrip(json<{ a: number }>(), { a: 1 }), { a: 1 })
  const id = '123e4567-e89b-12d3-a456-426614174000'
  assert.equal(roundTrip(uuid, id), id)
  assert.deepEqual(bytes.deserialize(Buffer.from([1]), context), Buffer.from([1]))
})

test('the numbers are as Java writes them', () => {
  assert.equal(Buffer.from(int32.serialize(258, context) as Buffer).toString('hex'), '00000102')
  assert.equal(Buffer.from(int64.serialize(-1, context) as Buffer).toString('hex'), 'ffffffffffffffff')
  assert.equal(Buffer.from(float64.serialize(1, context) as Buffer).toString('hex'), '3ff0000000000000')
})

test('what does not fit is refused with an error that does not contain the data', () => {
  const refusals = [
    () => int32.serialize(2 ** 31, context),
    () => int64.serialize(0.5, context),
    () => int32.deserialize(Buffer.alloc(3), context),
    () => int64.deserialize(Buffer.from('7fffffffffffffff', 'hex'), context),
    () => uuid.serialize('no-uuid-secret', context),
    () => json().serialize(undefined, context),
  ]
  for (const refuse of refusals) {
    assert.throws(refuse, (error: KafkaError) => {
      assert.equal(error.name, 'ERR__INVALID_ARG')
      assert.doesNotMatch(error.message, /secret/)
      return true
    })
  }
})
