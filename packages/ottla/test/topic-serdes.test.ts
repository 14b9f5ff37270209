import assert from 'node:assert/strict'
import { test } from 'node:test'
import { json, string, int32 } from '../src/serdes.ts'
import { deserializersOf, serializersOf } from '../src/topic-serdes.ts'
import { ErrorCode, type KafkaError } from '../src/errors.ts'
import type { SerdesContext } from '../src/types.ts'

const of = (topic: string, field: 'key' | 'value'): SerdesContext => ({ topic, field, headers: [] })

test('each topic has its own serializers; the bytes of all others stay as they are', () => {
  const { key, value } = serializersOf({ topics: { orders: { key: string, value: json() }, clicks: { key: int32 } } })
  assert.equal(value?.({ amount: 1 }, of('orders', 'value')), '{"amount":1}')
  assert.deepEqual(key?.(1, of('clicks', 'key')), Buffer.from([0, 0, 0, 1]))
  assert.equal(value('as it is', of('clicks', 'value')), 'as it is')
  assert.equal(value('as it is', of('elsewhere', 'value')), 'as it is')
  assert.equal(value('as it is', of('constructor', 'value')), 'as it is')
})

test('each topic has its own deserializers, whose results stand, null and undefined too', () => {
  const nothing = (): null => null
  const { key, value } = deserializersOf({ topics: { orders: { value: json() }, gone: { key: nothing } } })
  assert.deepEqual(value?.(Buffer.from('{"amount":1}'), of('orders', 'value')), { amount: 1 })
  assert.deepEqual(value(Buffer.from('x'), of('logs', 'value')), Buffer.from('x'))
  assert.equal(key?.(Buffer.from('x'), of('gone', 'key')), null)
})

test('nothing is called for a field of which no topic says anything', () => {
  assert.deepEqual(serializersOf({}), { key: null, value: null })
  assert.deepEqual(serializersOf({ topics: {} }), { key: null, value: null })
  assert.deepEqual(deserializersOf({ topics: { orders: {}, logs: undefined } }), { key: null, value: null })
  const { key, value } = serializersOf({ topics: { orders: { value: json() } } })
  assert.equal(key, null)
  assert.notEqual(value, null)
})

test('those of all topics work as before', () => {
  const { key, value } = deserializersOf({ key: string, value: int32.deserialize })
  assert.equal(key?.(Buffer.from('a'), of('t', 'key')), 'a')
  assert.equal(value?.(Buffer.from([0, 0, 0, 1]), of('t', 'value')), 1)
})

test('what is no serializer is refused, with its place', () => {
  const wrong: [object, RegExp][] = [
    [{ topics: { orders: { value: json() } }, value: string }, /'topics' takes the place of 'key' and 'value'/],
    [{ topics: [] }, /the option 'topics' takes an object: \{ orders: \{ value: serializer \} \}/],
    [{ topics: { orders: json } }, /topics\.orders takes an object: \{ key: serializer, value: serializer \}/],
    [{ topics: { orders: json() } }, /topics\.orders has no 'serialize': it takes key and value/],
    [{ topics: { orders: { valeu: json() } } }, /topics\.orders has no 'valeu': it takes key and value/],
    [{ topics: { orders: { value: 'json' } } }, /topics\.orders\.value must be a serializer/],
    [{ topics: { orders: { key: { deserialize: () => null } } } }, /topics\.orders\.key must be a serializer/],
  ]
  for (const [options, why] of wrong) {
    assert.throws(
      () => serializersOf(options),
      (error: KafkaError) => error.code === ErrorCode.ERR__INVALID_ARG && why.test(error.message),
    )
  }
})
