import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '@ottla/protocol'
import { type KafkaError } from '../../../src/errors.ts'
import { headerBytes, headerList, plainHeaders } from '../../../src/producer/queue/headers.ts'
import {
  checkFields,
  checkMessage,
  checkTopicName,
  payloadBytes,
  type AnyMessage,
} from '../../../src/producer/queue/message.ts'

const refuses = (run: () => void, says: RegExp): void => {
  assert.throws(run, (error: KafkaError) => {
    assert.equal(error.code, ErrorCode.ERR__INVALID_ARG)
    assert.match(error.message, says)
    return true
  })
}
// JavaScript can pass anything.
const anything = (message: object): AnyMessage => message as AnyMessage
const plain = (message: object): unknown => plainHeaders('t', anything(message).headers)

test('topic names that no broker accepts are refused, with the reason', () => {
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

test('what is not an object is not a message', () => {
  checkMessage({ topic: 't' })
  for (const bad of [undefined, null, 'x', 5]) refuses(() => checkMessage(bad), /a message must be an object/)
})

test('keys and values are bytes, strings or null; anything else is described by its type', () => {
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
  plain({ topic: 't', headers: { a: 'x', b: null, c: Buffer.alloc(1) } })
  for (const partition of [-2, 1.5, NaN, 2 ** 31, '1']) {
    refuses(() => checkFields(anything({ topic: 't', partition }), null, null), /partition/)
  }
  for (const timestamp of [-1, 0.5, Infinity, 2 ** 64, new Date(0)]) {
    refuses(() => checkFields(anything({ topic: 't', timestamp }), null, null), /timestamp/)
  }
  refuses(() => plain({ topic: 't', headers: 'x' }), /headers .* not a string/)
  refuses(() => plain({ topic: 't', headers: [{ value: 'x' }] }), /a string as its key/)
  refuses(() => plain({ topic: 't', headers: [null] }), /a string as its key/)
  refuses(() => plain({ topic: 't', headers: { h: 5 } }), /header h .* not a number/)
  refuses(() => plain({ topic: 't', headers: [{ key: 'h', value: 5 }] }), /header h /)
})

test('the size of a message is that of its bytes, headers included', () => {
  assert.equal(payloadBytes('é', Buffer.alloc(10), undefined), 12)
  assert.equal(payloadBytes(null, null, { ab: 'cd', e: null }), 5)
  assert.equal(payloadBytes(null, null, [{ key: 'ab', value: Buffer.alloc(4) }, { key: 'ab' }]), 8)
})

test('headers may be an object, a Map, pairs or a list; an array means several of its name', () => {
  const list = [
    { key: 'a', value: '1' },
    { key: 'a', value: '2' },
    { key: 'b', value: null },
  ]
  const forms: Record<string, unknown> = {
    list,
    pairs: [
      ['a', '1'],
      ['a', '2'],
      ['b', null],
    ],
    mixed: [['a', '1'], { key: 'a', value: '2' }, { key: 'b' }],
    object: { a: ['1', '2'], b: null },
    map: new Map<string, unknown>([
      ['a', ['1', '2']],
      ['b', null],
    ]),
    'no prototype': Object.assign(Object.create(null) as object, { a: ['1', '2'], b: [null] }),
    set: new Set([
      ['a', '1'],
      ['a', '2'],
      ['b', null],
    ]),
  }
  const buffers = list.map(({ key, value }) => ({ key, value: value === null ? null : Buffer.from(value) }))
  for (const [form, headers] of Object.entries(forms)) {
    const given = anything({ topic: 't', headers }).headers
    assert.deepEqual(headerList('t', given), buffers, form)
    assert.equal(headerBytes(plainHeaders('t', given)), 5, form)
  }
  assert.deepEqual(headerList('t', { none: [] }), [])
  assert.deepEqual(headerList('t', new URLSearchParams('a=1&a=2')), buffers.slice(0, 2))
  const same = { a: '1' }
  assert.equal(plainHeaders('t', same), same, 'the usual forms are not copied')
  assert.equal(plainHeaders('t', list), list)
})

test('headers that would be lost or misunderstood are refused', () => {
  for (const [headers, says] of [
    [{ a: undefined }, /header a .* not undefined/],
    [[{ key: 'a', value: undefined }], /header a .* not undefined/],
    [[{ key: 'a', val: 'x' }], /header a .* has 'val' and no 'value'/],
    [new Map([['a', undefined]]), /header a .* not undefined/],
    [new Map([[1, 'x']]), /\[name, value\]/],
    [[['a']], /\[name, value\]/],
    [[['a', 'b', 'c']], /\[name, value\]/],
    [{ a: ['1', undefined] }, /header a .* not undefined/],
    [{ a: 5 }, /header a .* not a number; pass String\(number\)/],
    [{ a: ['1', ['2']] }, /header a .* not an array/],
    [new Date(), /headers .* not an object \(Date\)/],
    [new WeakMap(), /headers .* not an object \(WeakMap\)/],
    [Buffer.from('ab'), /a string as its key, not a number|must have a string/],
    [new Map([['a', 'b']]).entries(), /read only once/],
    [null, /headers .* not null/],
    ['x', /headers .* not a string/],
  ] as const) {
    refuses(() => plain({ topic: 't', headers }), says)
  }
})

test('a property that a message does not have is refused with a hint, and so is undefined as its value', () => {
  for (const [message, says] of [
    [{ topic: 't', messages: [{ value: 'x' }] }, /no property 'messages': .*sendBatch/],
    [{ topicMessages: [] }, /no property 'topicMessages': .*sendBatch/],
    [{ topic: 't', value: 'x', partitionn: 1 }, /no property 'partitionn'/],
    [{ topic: 't', value: 'x', header: {} }, /no property 'header': it is 'headers' here/],
    [{ topic: 't', payload: 'x' }, /no property 'payload': .* its 'value'/],
    [{ topic: 't', value: 'x', acks: 1 }, /'acks' is a property of the producer's configuration/],
    [Object.assign(Object.create(null) as object, { topic: 't', text: 'x' }), /no property 'text'/],
    [{ topic: 't', value: undefined }, /value of a message to t is undefined; pass null/],
    [[{ topic: 't', value: 'x' }], /not an array; sendBatch/],
    [[], /not an array; sendBatch/],
    ['t', /must be an object, not a string; pass \{ topic, value \}/],
  ] as const) {
    refuses(() => checkMessage(message), says)
  }
})

test('a message without a value, and what was consumed or reported, are messages', () => {
  class Order {
    readonly topic = 't'
    readonly value = 'x'
    readonly number = 5
  }
  for (const message of [
    { topic: 't', key: 'k' },
    { topic: 't', value: null, key: undefined, partition: undefined, headers: undefined },
    { topic: 't', value: 'x', offset: 5, leaderEpoch: 1, timestampType: 'create-time', timestamp: 1, headers: [] },
    new Order(),
  ]) {
    checkMessage(message)
  }
})
