import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AvroDecoder, AvroEncoder, type ValueOptions } from '../../src/avro/codec.ts'
import { parseAvro } from '../../src/avro/parse.ts'

const usual: ValueOptions = { long: 'number', logicalTypes: 'convert', unions: 'auto' }

function roundTrip(schema: unknown, value: unknown, options: Partial<ValueOptions> = {}): unknown {
  const type = parseAvro(schema)
  const all = { ...usual, ...options }
  const bytes = new AvroEncoder(type, all).encode(value)
  return new AvroDecoder(type, type, all).decode(bytes)
}

function hex(schema: unknown, value: unknown): string {
  return new AvroEncoder(parseAvro(schema), usual).encode(value).toString('hex')
}

const record = (fields: unknown[], name = 'R'): object => ({ type: 'record', name, fields })

test('primitive values have the bytes of the specification', () => {
  assert.equal(hex('null', null), '')
  assert.equal(hex('boolean', true), '01')
  assert.equal(hex('int', -64), '7f')
  assert.equal(hex('int', 64), '8001')
  assert.equal(hex('int', -2147483648), 'ffffffff0f')
  assert.equal(hex('long', 1), '02')
  assert.equal(hex('long', -(2n ** 63n)), 'ffffffffffffffffff01')
  assert.equal(hex('long', 2n ** 63n - 1n), 'feffffffffffffffff01')
  assert.equal(hex('long', Number.MAX_SAFE_INTEGER), 'feffffffffffff1f')
  assert.equal(hex('long', Number.MIN_SAFE_INTEGER), 'fdffffffffffff1f')
  assert.equal(hex('float', 1), '0000803f')
  assert.equal(hex('double', 1), '000000000000f03f')
  assert.equal(hex('bytes', Buffer.from([1, 2])), '040102')
  assert.equal(hex('string', 'foo'), '06666f6f')
  assert.equal(
    hex(
      record([
        { name: 'a', type: 'long' },
        { name: 'b', type: 'string' },
      ]),
      { a: 27, b: 'foo' },
    ),
    '3606666f6f',
  )
  assert.equal(hex({ type: 'enum', name: 'E', symbols: ['A', 'B'] }, 'B'), '02')
  assert.equal(hex({ type: 'array', items: 'long' }, [3, 27]), '04063600')
  assert.equal(hex(['null', 'string'], null), '00')
  assert.equal(hex(['null', 'string'], 'a'), '020261')
})

test('integers of every length come back, as numbers and as bigints', () => {
  const values = [0, -1, 1]
  for (let bits = 1; bits <= 53; bits++) values.push(2 ** bits - 1, -(2 ** bits) + 1, 2 ** bits / 2, -(2 ** bits) / 2)
  for (const value of values) {
    assert.equal(roundTrip('long', value), value)
    assert.equal(roundTrip('long', value, { long: 'bigint' }), BigInt(value))
    if ((value | 0) === value) assert.equal(roundTrip('int', value), value)
  }
  for (const value of [2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n), 123456789012345678n]) {
    assert.equal(roundTrip('long', value, { long: 'bigint' }), value)
    assert.throws(() => roundTrip('long', value), { code: 'INVALID_DATA', message: /long: 'bigint'/ })
  }
})

test('text of every length and alphabet comes back', () => {
  for (let length = 0; length < 300; length++) {
    for (const letter of ['x', 'ß', '€', '𝄞']) {
      const text = letter.repeat(length)
      assert.equal(roundTrip('string', text), text)
      assert.equal(roundTrip('string', `${'a'.repeat(length)}${letter}`), `${'a'.repeat(length)}${letter}`)
    }
  }
  for (const length of [8191, 8192, 70_000, 2_000_000]) {
    assert.equal(roundTrip('string', 'é'.repeat(length)), 'é'.repeat(length))
  }
})

test('values larger than what is written at once come back', () => {
  const schema = {
    type: 'array',
    items: record([
      { name: 's', type: 'string' },
      { name: 'd', type: 'double' },
      { name: 'b', type: 'bytes' },
    ]),
  }
  for (const count of [1, 100, 500, 5000]) {
    const value = Array.from({ length: count }, (_, i) => ({ s: `item ${i}`, d: i / 3, b: Buffer.alloc(i % 50, i) }))
    assert.deepEqual(roundTrip(schema, value), value)
  }
})

test('a conversion of the application may encode while a value is encoded', () => {
  const inner = new AvroEncoder(parseAvro('string'), usual)
  const conversion = {
    read: (raw: Buffer) => raw.subarray(1).toString(),
    write: (value: string) => inner.encode(value),
    is: (value: unknown) => typeof value === 'string',
  }
  const schema = record([
    { name: 'a', type: 'string' },
    { name: 'b', type: { type: 'bytes', logicalType: 'nested' } },
    { name: 'c', type: 'string' },
  ])
  const value = { a: 'one', b: 'two', c: 'three' }
  assert.deepEqual(roundTrip(schema, value, { logicalTypes: { nested: conversion } }), value)
})

test('nested records, recursive ones, maps and unions come back', () => {
  const list = record(
    [
      { name: 'value', type: 'int' },
      { name: 'next', type: ['null', 'List'] },
    ],
    'List',
  )
  assert.deepEqual(roundTrip(list, { value: 1, next: { value: 2, next: null } }), {
    value: 1,
    next: { value: 2, next: null },
  })
  const map = { type: 'map', values: { type: 'array', items: ['null', 'double', 'string', 'boolean'] } }
  const value = { a: [null, 1.5, 'x', true], __proto__x: [], 'any key €': [false] }
  assert.deepEqual(roundTrip(map, value), value)
})

test('a key or a field called __proto__ is only a name', () => {
  const read = roundTrip({ type: 'map', values: 'int' }, JSON.parse('{"__proto__": 1, "a": 2}')) as object
  assert.deepEqual(Object.entries(read), [
    ['__proto__', 1],
    ['a', 2],
  ])
  assert.equal(Object.getPrototypeOf(read), Object.prototype)
  const field = roundTrip(record([{ name: '__proto__', type: 'int' }]), JSON.parse('{"__proto__": 7}')) as object
  assert.deepEqual(Object.entries(field), [['__proto__', 7]])
  assert.equal(Object.getPrototypeOf(field), Object.prototype)
})

test('values of an ambiguous union have their type beside them', () => {
  const union = [record([{ name: 'a', type: 'int' }], 'ns.A'), 'null', record([{ name: 'a', type: 'int' }], 'B')]
  assert.deepEqual(roundTrip(union, { 'ns.A': { a: 1 } }), { 'ns.A': { a: 1 } })
  assert.deepEqual(roundTrip(union, { B: { a: 2 } }), { B: { a: 2 } })
  assert.equal(roundTrip(union, null), null)
  assert.throws(() => roundTrip(union, { a: 1 }), {
    message: /the value takes \{ type: value \}, with one of ns\.A, null, B/,
  })
  assert.deepEqual(roundTrip(['null', 'int'], { int: 1 }, { unions: 'wrapped' }), { int: 1 })
})

test('dates, decimals and UUIDs are converted, others are not', () => {
  const fixed = (name: string, size: number, logicalType: string, more = {}): object => ({
    type: 'fixed',
    name,
    size,
    logicalType,
    ...more,
  })
  const at = new Date('2026-11-30T12:34:56.789Z')
  assert.deepEqual(roundTrip({ type: 'long', logicalType: 'timestamp-millis' }, at), at)
  assert.deepEqual(roundTrip({ type: 'long', logicalType: 'timestamp-millis' }, at, { long: 'bigint' }), at)
  assert.deepEqual(roundTrip({ type: 'int', logicalType: 'date' }, at), new Date('2026-11-30T00:00:00Z'))
  assert.equal(
    roundTrip({ type: 'long', logicalType: 'timestamp-micros' }, 1_796_000_000_123_456),
    1_796_000_000_123_456,
  )
  for (const text of ['0.00', '12.50', '-0.01', '123456789012345678.99', '-99999999999999999999.99']) {
    assert.equal(roundTrip({ type: 'bytes', logicalType: 'decimal', precision: 22, scale: 2 }, text), text)
    assert.equal(roundTrip(fixed('F', 10, 'decimal', { precision: 22, scale: 2 }), text), text)
  }
  assert.equal(roundTrip({ type: 'bytes', logicalType: 'decimal', precision: 4 }, 128), '128')
  assert.equal(roundTrip({ type: 'bytes', logicalType: 'decimal', precision: 4, scale: 1 }, '+3'), '3.0')
  assert.throws(
    () => roundTrip({ type: 'bytes', logicalType: 'decimal', precision: 4, scale: 1 }, '1.25'),
    /more than 1 digits behind/,
  )
  assert.throws(
    () => roundTrip({ type: 'bytes', logicalType: 'decimal', precision: 4, scale: 1 }, '1234.5'),
    /more than 4 digits/,
  )
  const id = '0d5c1a8e-5f2b-4a5e-9d3c-0123456789ab'
  assert.equal(roundTrip(fixed('U', 16, 'uuid'), id), id)
  assert.equal(roundTrip({ type: 'string', logicalType: 'uuid' }, id), id)
  assert.equal(roundTrip({ type: 'long', logicalType: 'timestamp-millis' }, 5, { logicalTypes: 'raw' }), 5)
  const own = {
    'timestamp-millis': {
      read: (ms: number) => `t${ms}`,
      write: (text: string) => Number(text.slice(1)),
      is: () => true,
    },
  }
  assert.equal(roundTrip({ type: 'long', logicalType: 'timestamp-millis' }, 't7', { logicalTypes: own }), 't7')
})

test('an error names the field and never shows the value', () => {
  const schema = record(
    [
      { name: 'name', type: 'string' },
      { name: 'items', type: { type: 'array', items: record([{ name: 'price', type: 'double' }], 'shop.Item') } },
    ],
    'shop.Order',
  )
  const encode = (value: unknown) => () => hex(schema, value)
  assert.throws(encode({ name: 5, items: [] }), {
    code: 'INVALID_DATA',
    message: 'shop.Order.name takes a string, not such an integer',
  })
  assert.throws(encode({ items: [] }), { message: 'shop.Order.name is missing: it takes a string' })
  assert.throws(encode({ name: 'x', items: [{ price: 'secret' }] }), {
    message: 'shop.Item.price takes a number, not such a string',
  })
  assert.throws(encode('secret'), { message: 'the value takes an object, a record shop.Order, not such a string' })
  assert.throws(encode({ name: 'x', items: {} }), { message: 'shop.Order.items takes an array, not an object' })
  const loop: { value: number; next: unknown } = { value: 1, next: null }
  loop.next = loop
  const list = record(
    [
      { name: 'value', type: 'int' },
      { name: 'next', type: ['null', 'List'] },
    ],
    'List',
  )
  assert.throws(() => hex(list, loop), { code: 'INVALID_DATA', message: /contains itself/ })
  // The writer is as good as before.
  assert.equal(hex('string', 'foo'), '06666f6f')
})

test('a field that is left out is null or has its default', () => {
  const schema = record([
    { name: 'a', type: ['null', 'int'] },
    { name: 'b', type: 'string', default: 'x' },
    { name: 'c', type: { type: 'array', items: 'int' }, default: [1, 2] },
    { name: 'd', type: { type: 'map', values: 'bytes' }, default: { k: '\u00ff' } },
    { name: 'e', type: ['int', 'null'], default: 7 },
  ])
  const read = roundTrip(schema, {})
  assert.deepEqual(read, { a: null, b: 'x', c: [1, 2], d: { k: Buffer.from([255]) }, e: 7 })
})
