import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '@ottla/protocol'
import { type KafkaError } from '../../src/errors.ts'
import { checkFields, checkMessage, checkTopicName, payloadBytes, type AnyMessage } from '../../src/producer/message.ts'

const refuses = (run: () => void, says: RegExp): void => {
  assert.throws(run, (error: KafkaError) => {
    assert.equal(error.code, ErrorCode.ERR__INVALID_ARG)
    assert.match(error.message, says)
    return true
  })
}
// What a program without types could pass.
const anything = (message: object): AnyMessage => message as AnyMessage

test('topic names that no broker would take are refused, saying why', () => {
  for (const good of ['a', 'A.b_c-9', 'x'.repeat(249), '...']) checkTopicName(good)
  refuses(() => checkTopicName(''), /empty/)
  refuses(() => checkTopicName('.'), /'\.'/)
  refuses(() => checkTopicName('..'), /'\.\.'/)
  refuses(() => checkTopicName('x'.repeat(250)), /250 characters; 249/)
  refuses(() => checkTopicName('with space'), /'with space'/)
  refuses(() => checkTopicName('ümlaut'), /'ümlaut'/)
  refuses(() => checkTopicName(5), /not a number/)
  refuses(() => checkTopicName(undefined), /not undefined/)
})

test('what is no object is no message', () => {
  checkMessage({ topic: 't' })
  for (const bad of [undefined, null, 'x', 5]) refuses(() => checkMessage(bad), /a message must be an object/)
})

test('keys and values are bytes, strings or null; anything else is named without being shown', () => {
  const message = { topic: 't' }
  for (const good of [null, undefined, '', 'x', Buffer.from('x'), new Uint8Array(3)]) checkFields(message, good, good)
  refuses(() => checkFields(message, 5, null), /key .* to t .* not a number/)
  refuses(() => checkFields(message, null, { secret: 1 }), /value .* an object \(Object\)/)
  refuses(() => checkFields(message, null, ['secret']), /an array/)
  refuses(() => checkFields(message, null, new Uint16Array(2)), /an object \(Uint16Array\)/)
  refuses(() => checkFields(message, null, Promise.resolve('x')), /returned a promise: .* send\(\) only/)
})

test('partitions, timestamps and headers of the wrong kind are refused by name', () => {
  checkFields(
    { topic: 't', partition: -1, timestamp: 0, headers: [{ key: 'a' }, { key: 'a', value: null }] },
    null,
    null,
  )
  checkFields({ topic: 't', headers: { a: 'x', b: null, c: Buffer.alloc(1) } }, null, null)
  for (const partition of [-2, 1.5, NaN, 2 ** 31, '1']) {
    refuses(() => checkFields(anything({ topic: 't', partition }), null, null), /partition/)
  }
  for (const timestamp of [-1, 0.5, Infinity, 2 ** 60, new Date(0)]) {
    refuses(() => checkFields(anything({ topic: 't', timestamp }), null, null), /timestamp/)
  }
  refuses(() => checkFields(anything({ topic: 't', headers: 'x' }), null, null), /headers .* not a string/)
  refuses(() => checkFields(anything({ topic: 't', headers: [{ value: 'x' }] }), null, null), /a string as its key/)
  refuses(() => checkFields(anything({ topic: 't', headers: [null] }), null, null), /a string as its key/)
  refuses(() => checkFields(anything({ topic: 't', headers: { h: 5 } }), null, null), /header h .* not a number/)
  refuses(() => checkFields(anything({ topic: 't', headers: [{ key: 'h', value: 5 }] }), null, null), /header h /)
})

test('the size of a message is that of its bytes, headers included', () => {
  assert.equal(payloadBytes('é', Buffer.alloc(10), undefined), 12)
  assert.equal(payloadBytes(null, null, { ab: 'cd', e: null }), 5)
  assert.equal(payloadBytes(null, null, [{ key: 'ab', value: Buffer.alloc(4) }, { key: 'ab' }]), 8)
})
