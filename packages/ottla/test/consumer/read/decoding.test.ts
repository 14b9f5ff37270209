import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { test } from 'node:test'
import { ErrorCode, KafkaError } from '../../../src/errors.ts'
import { json } from '../../../src/serdes.ts'
import { Cursor } from '../../../src/consumer/partition/cursor.ts'
import { decodeMessage, decodingOf, originOf } from '../../../src/consumer/read/decoding.ts'
import { FetchedMessage } from '../../../src/consumer/partition/message.ts'
import { batchBytes, readBatches } from '../batches.ts'

function messageOf(value: string): FetchedMessage {
  const [batch] = readBatches(batchBytes(42, [value]))
  assert.ok(batch)
  const records = batch.records()
  assert.ok(records.next())
  return new FetchedMessage(records, new Cursor('orders', 3), 0)
}

test('JSON and console.log show the message, not the buffers behind it', () => {
  const message = messageOf('hello')
  const shown = JSON.parse(JSON.stringify(message)) as Record<string, unknown>
  assert.deepEqual(Object.keys(shown).toSorted(), [
    'headers',
    'key',
    'leaderEpoch',
    'offset',
    'partition',
    'timestamp',
    'timestampType',
    'topic',
    'value',
  ])
  assert.equal(shown['topic'], 'orders')
  assert.equal(shown['offset'], 42)
  assert.match(inspect(message), /topic: 'orders'/)
  assert.doesNotMatch(inspect(message), /fieldsStart/)
})

test('deserializers make plain messages whose origin is still known', () => {
  const message = messageOf('{"a":1}')
  const decoded = decodeMessage(message, decodingOf({ value: json() }) ?? { key: null, value: null })
  assert.ok(!(decoded instanceof Promise))
  assert.deepEqual(decoded.value, { a: 1 })
  assert.equal(String(decoded.key), 'key-42')
  assert.deepEqual({ ...decoded }.topic, 'orders')
  assert.equal(originOf(decoded), message)
})

test('a deserializer that promises makes a promise', async () => {
  const decoding = { key: null, value: async (data: Buffer) => Promise.resolve(data.length) }
  const decoded = decodeMessage(messageOf('four'), decoding)
  assert.ok(decoded instanceof Promise)
  assert.equal((await decoded).value, 4)
})

test('a promised key is awaited, although the value fails at once', async t => {
  const unhandled: unknown[] = []
  const note = (reason: unknown): number => unhandled.push(reason)
  process.on('unhandledRejection', note)
  t.after(() => process.off('unhandledRejection', note))
  const decoding = {
    key: async (): Promise<never> => {
      await new Promise(resolve => setImmediate(resolve))
      throw new Error('no key')
    },
    value: (): never => {
      throw new Error('no value')
    },
  }
  await assert.rejects(async () => decodeMessage(messageOf('a'), decoding), {
    code: ErrorCode.ERR__VALUE_DESERIALIZATION,
  })
  for (let i = 0; i < 3; i++) await new Promise(resolve => setImmediate(resolve))
  assert.deepEqual(unhandled, [])
})

test('what cannot be deserialized is named, its bytes are kept out of sight', async () => {
  const secret = 'secret-content'
  const thrown = (error: unknown): boolean => {
    assert.ok(error instanceof KafkaError)
    assert.equal(error.code, ErrorCode.ERR__VALUE_DESERIALIZATION)
    assert.match(error.message, /orders \[3\] at offset 42/)
    assert.equal(Object.keys(error).includes('rawMessage'), false)
    const { rawMessage } = error as { rawMessage?: FetchedMessage }
    assert.equal(String(rawMessage?.value), secret)
    return true
  }
  const fails = (): never => {
    throw new Error('no such format')
  }
  assert.throws(() => decodeMessage(messageOf(secret), { key: null, value: fails }), thrown)
  const rejects = (): Promise<never> => Promise.reject(new Error('no such format'))
  await assert.rejects(async () => decodeMessage(messageOf(secret), { key: null, value: rejects }), thrown)
})
