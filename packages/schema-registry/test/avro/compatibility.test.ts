import assert from 'node:assert/strict'
import { test } from 'node:test'
import { incompatibilities } from '../../src/avro/compatibility.ts'
import { parseAvro } from '../../src/avro/parse.ts'

const found = (writer: unknown, reader: unknown): string[] =>
  incompatibilities(parseAvro(writer), parseAvro(reader)).map(({ type, path, about }) => `${type} ${path} ${about}`)

const record = (fields: unknown[], name = 'R'): object => ({ type: 'record', name, fields })

test('what can always be read is compatible', () => {
  const pairs: [unknown, unknown][] = [
    ['int', 'long'],
    ['string', 'bytes'],
    ['int', ['null', 'double']],
    [
      ['int', 'null'],
      ['null', 'long'],
    ],
    [
      { type: 'array', items: 'int' },
      { type: 'array', items: 'float' },
    ],
    [record([{ name: 'a', type: 'int' }]), record([])],
    [record([]), record([{ name: 'a', type: 'int', default: 1 }])],
    [record([{ name: 'a', type: 'int' }]), record([{ name: 'b', aliases: ['a'], type: 'int' }])],
    [
      { type: 'enum', name: 'E', symbols: ['A', 'B'] },
      { type: 'enum', name: 'E', symbols: ['A'], default: 'A' },
    ],
    [
      record([{ name: 'next', type: ['null', 'R'] }]),
      record([
        { name: 'next', type: ['null', 'R'] },
        { name: 'n', type: 'int', default: 0 },
      ]),
    ],
  ]
  for (const [writer, reader] of pairs) assert.deepEqual(found(writer, reader), [], JSON.stringify([writer, reader]))
})

test('each reason has its type, its place and its words', () => {
  assert.deepEqual(found('long', 'int'), ['TYPE_MISMATCH / reader type: INT not compatible with writer type: LONG'])
  assert.deepEqual(found(record([]), record([{ name: 'a', type: 'int' }])), [
    'READER_FIELD_MISSING_DEFAULT_VALUE /fields/0 a',
  ])
  assert.deepEqual(found(record([{ name: 'a', type: 'string' }]), record([{ name: 'a', type: 'int' }])), [
    'TYPE_MISMATCH /fields/0/type reader type: INT not compatible with writer type: STRING',
  ])
  assert.deepEqual(found(record([], 'A'), record([], 'B')), ['NAME_MISMATCH /name expected: B'])
  assert.deepEqual(
    found({ type: 'enum', name: 'E', symbols: ['A', 'B'] }, { type: 'enum', name: 'E', symbols: ['A'] }),
    ['MISSING_ENUM_SYMBOLS /symbols [B]'],
  )
  assert.deepEqual(found({ type: 'fixed', name: 'F', size: 2 }, { type: 'fixed', name: 'F', size: 3 }), [
    'FIXED_SIZE_MISMATCH /size expected: 2, found: 3',
  ])
  assert.deepEqual(found(['int', 'string'], ['int']), ['MISSING_UNION_BRANCH /1 string'])
  assert.deepEqual(found('boolean', ['null', 'int']), ['MISSING_UNION_BRANCH  boolean'])
  const inner = (fields: unknown[]): object =>
    record([{ name: 'in', type: { type: 'array', items: record(fields, 'In') } }])
  assert.deepEqual(found(inner([]), inner([{ name: 'x', type: 'int' }])), [
    'READER_FIELD_MISSING_DEFAULT_VALUE /fields/0/type/items/fields/0 x',
  ])
})

test('a recursive record that differs further down is incompatible, in a union too', () => {
  const tree = (more: unknown[]): object => record([{ name: 'left', type: ['null', 'R'] }, ...more])
  assert.deepEqual(
    found(tree([]), tree([{ name: 'v', type: 'int' }])).at(-1),
    'READER_FIELD_MISSING_DEFAULT_VALUE /fields/1 v',
  )
  assert.deepEqual(found(['null', record([])], ['null', record([{ name: 'a', type: 'int' }])]), [
    'MISSING_UNION_BRANCH /1 R',
  ])
})
