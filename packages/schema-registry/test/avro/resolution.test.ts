import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AvroDecoder, AvroEncoder, type ValueOptions } from '../../src/avro/codec.ts'
import { parseAvro } from '../../src/avro/parse.ts'

const usual: ValueOptions = { long: 'number', logicalTypes: 'convert', unions: 'auto' }

function readAs(writer: unknown, reader: unknown, value: unknown, options: Partial<ValueOptions> = {}): unknown {
  const all = { ...usual, ...options }
  const written = parseAvro(writer)
  return new AvroDecoder(written, parseAvro(reader), all).decode(new AvroEncoder(written, all).encode(value))
}

const record = (fields: unknown[], more: object = {}): object => ({ type: 'record', name: 'R', fields, ...more })

test('numbers are promoted, text and bytes are read as each other', () => {
  assert.equal(readAs('int', 'long', 5), 5)
  assert.equal(readAs('int', 'long', 5, { long: 'bigint' }), 5n)
  assert.equal(readAs('int', 'float', 5), 5)
  assert.equal(readAs('long', 'double', 2 ** 40), 2 ** 40)
  assert.equal(readAs('long', 'float', 16777217), 16777216)
  assert.equal(readAs('float', 'double', 1.5), 1.5)
  assert.deepEqual(readAs('string', 'bytes', 'ä'), Buffer.from('ä'))
  assert.equal(readAs('bytes', 'string', Buffer.from('ä')), 'ä')
  assert.throws(() => readAs('long', 'int', 5), {
    code: 'INVALID_SCHEMA',
    message: /long as it was written cannot be read as int/,
  })
})

test('fields are found by name and alias; what the reader does not want is passed over', () => {
  const writer = record([
    {
      name: 'gone',
      type: {
        type: 'map',
        values: ['null', { type: 'array', items: record([{ name: 'x', type: 'double' }], { name: 'X' }) }],
      },
    },
    { name: 'old', type: 'int' },
    { name: 'kept', type: 'string' },
    { name: 'last', type: { type: 'fixed', name: 'F', size: 3 } },
  ])
  const reader = record([
    { name: 'kept', type: 'string' },
    { name: 'renamed', aliases: ['old'], type: 'long' },
    { name: 'fresh', type: { type: 'array', items: 'string' }, default: ['a'] },
  ])
  const value = { gone: { a: null, b: [{ x: 1 }, { x: 2 }] }, old: 5, kept: 'k', last: Buffer.alloc(3) }
  assert.deepEqual(readAs(writer, reader, value), { kept: 'k', renamed: 5, fresh: ['a'] })
  assert.throws(() => readAs(writer, record([{ name: 'must', type: 'int' }]), value), {
    code: 'INVALID_SCHEMA',
    message: "R.must is not in the writer's schema, and has no default in the reader's",
  })
})

test('a default is made anew for each message', () => {
  const decoder = new AvroDecoder(
    parseAvro(record([])),
    parseAvro(record([{ name: 'a', type: { type: 'array', items: 'int' }, default: [] }])),
    usual,
  )
  const first = decoder.decode(Buffer.alloc(0)) as { a: number[] }
  first.a.push(1)
  assert.deepEqual(decoder.decode(Buffer.alloc(0)), { a: [] })
})

test('records are found by alias and by the last part of their name', () => {
  const writer = record([{ name: 'a', type: 'int' }], { name: 'old.R' })
  assert.deepEqual(readAs(writer, record([{ name: 'a', type: 'int' }], { name: 'new.R' }), { a: 1 }), { a: 1 })
  assert.deepEqual(readAs(writer, record([{ name: 'a', type: 'int' }], { name: 'Q', aliases: ['old.R'] }), { a: 1 }), {
    a: 1,
  })
  assert.throws(() => readAs(writer, record([{ name: 'a', type: 'int' }], { name: 'Q' }), { a: 1 }), {
    code: 'INVALID_SCHEMA',
  })
})

test('symbols that the reader lacks are its default, or an error when they come', () => {
  const writer = { type: 'enum', name: 'E', symbols: ['A', 'B', 'C'] }
  assert.equal(readAs(writer, { type: 'enum', name: 'E', symbols: ['C', 'A'], default: 'A' }, 'B'), 'A')
  assert.equal(readAs(writer, { type: 'enum', name: 'E', symbols: ['C', 'A'] }, 'C'), 'C')
  assert.throws(() => readAs(writer, { type: 'enum', name: 'E', symbols: ['C', 'A'] }, 'B'), {
    code: 'INVALID_DATA',
    message: /reader's enum E lacks the symbol/,
  })
})

test('unions are read as their branches and the other way round', () => {
  assert.equal(readAs('int', ['null', 'long', 'string'], 5), 5)
  assert.equal(readAs(['null', 'int'], ['string', 'null', 'double'], 5), 5)
  assert.equal(readAs(['null', 'int'], 'int', 5), 5)
  assert.throws(() => readAs(['null', 'int'], 'int', null), {
    code: 'INVALID_DATA',
    message: /null as it was written cannot be read as int/,
  })
  const a = record([{ name: 'a', type: 'int' }], { name: 'A' })
  const b = record([{ name: 'b', type: 'int' }], { name: 'B' })
  assert.deepEqual(readAs(a, ['null', b, a], { a: 1 }), { A: { a: 1 } })
  assert.throws(() => readAs('boolean', ['null', 'long'], true), { code: 'INVALID_SCHEMA' })
})

test('recursive schemas resolve', () => {
  const list = (more: unknown[]): object => record([{ name: 'next', type: ['null', 'R'] }, ...more])
  assert.deepEqual(readAs(list([]), list([{ name: 'n', type: 'int', default: 1 }]), { next: { next: null } }), {
    next: { next: null, n: 1 },
    n: 1,
  })
})
