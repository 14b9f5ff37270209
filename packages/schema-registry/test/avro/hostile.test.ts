import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AvroDecoder, type ValueOptions } from '../../src/avro/codec.ts'
import { parseAvro } from '../../src/avro/parse.ts'
import { SchemaRegistryError } from '../../src/errors.ts'

const usual: ValueOptions = { long: 'number', logicalTypes: 'convert', unions: 'auto' }
const bigints: ValueOptions = { ...usual, long: 'bigint' }

const everything = {
  type: 'record',
  name: 'Everything',
  fields: [
    { name: 'i', type: 'int' },
    { name: 'l', type: 'long' },
    { name: 's', type: 'string' },
    { name: 'b', type: 'bytes' },
    { name: 'o', type: ['null', 'Everything'] },
    { name: 'u', type: ['null', 'boolean', 'double', 'string', { type: 'fixed', name: 'F', size: 4 }] },
    { name: 'e', type: { type: 'enum', name: 'E', symbols: ['A', 'B'] } },
    { name: 'a', type: { type: 'array', items: 'Everything' } },
    { name: 'm', type: { type: 'map', values: { type: 'array', items: 'null' } } },
    { name: 'd', type: { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 } },
    { name: 't', type: { type: 'long', logicalType: 'timestamp-millis' } },
  ],
}

const less = { type: 'record', name: 'Everything', fields: [{ name: 'u', type: ['null', 'string'], default: null }] }

/** Reads, or fails as it should. */
function readable(decoder: AvroDecoder, bytes: Buffer): boolean {
  try {
    decoder.decode(bytes)
    return true
  } catch (error) {
    if (error instanceof SchemaRegistryError && error.code === 'INVALID_DATA') return false
    throw error
  }
}

test('any bytes are a value or INVALID_DATA', () => {
  const decoders = [everything, ...everything.fields.map(({ type }) => type)]
    .filter(type => !JSON.stringify(type).includes('"Everything"') || type === everything)
    .flatMap(type => [usual, bigints].map(options => new AvroDecoder(parseAvro(type), parseAvro(type), options)))
  decoders.push(new AvroDecoder(parseAvro(everything), parseAvro(less), usual))
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
      for (const decoder of decoders) readable(decoder, Buffer.from(bytes))
    }),
    { numRuns: 500 },
  )
})

test('a value without its end is INVALID_DATA, wherever it is cut', () => {
  const type = parseAvro({
    type: 'record',
    name: 'R',
    fields: [
      { name: 's', type: 'string' },
      { name: 'd', type: 'double' },
      { name: 'a', type: { type: 'array', items: 'long' } },
      { name: 'f', type: 'float' },
      { name: 'b', type: 'boolean' },
    ],
  })
  const decoder = new AvroDecoder(type, type, usual)
  const bytes = Buffer.from('0461620000000000000840040280808080800200000080bf01', 'hex')
  assert.equal(readable(decoder, bytes), true)
  for (let end = 0; end < bytes.length; end++)
    assert.equal(readable(decoder, bytes.subarray(0, end)), false, String(end))
  assert.equal(readable(decoder, Buffer.concat([bytes, Buffer.of(0)])), false)
})

test('lengths and counts that the data cannot have cost nothing', () => {
  const longest = Buffer.from('feffffffffffffffff01', 'hex')
  for (const type of [
    'string',
    'bytes',
    { type: 'array', items: 'null' },
    { type: 'array', items: 'int' },
    { type: 'map', values: 'null' },
  ]) {
    const parsed = parseAvro(type)
    for (const bytes of [
      longest,
      Buffer.from('80808080808002', 'hex'),
      Buffer.from('ffffffffffffffffff01', 'hex'),
      Buffer.alloc(11, 255),
    ]) {
      assert.equal(readable(new AvroDecoder(parsed, parsed, usual), bytes), false)
    }
  }
})

test('data that is nested without end is INVALID_DATA', () => {
  const list = parseAvro({ type: 'record', name: 'L', fields: [{ name: 'next', type: ['null', 'L'] }] })
  assert.equal(readable(new AvroDecoder(list, list, usual), Buffer.alloc(1_000_000, 2)), false)
  const array = parseAvro({
    type: 'record',
    name: 'A',
    fields: [{ name: 'items', type: { type: 'array', items: 'A' } }],
  })
  assert.equal(readable(new AvroDecoder(array, array, usual), Buffer.alloc(1_000_000, 2)), false)
})

test('what is no schema is INVALID_SCHEMA', () => {
  let deep: unknown = 'int'
  for (let i = 0; i < 100_000; i++) deep = { type: 'array', items: deep }
  const wrong = [
    ...['{', '"none"', '5', '[]extra', 'no.such.Type'],
    ...[
      5,
      null,
      {},
      { type: 'record' },
      { type: 'record', name: 'R' },
      { type: 'array' },
      { type: 'map' },
      [['null']],
      ['int', 'int'],
      deep,
    ],
    ...[
      { type: 'record', name: '1', fields: [] },
      { type: 'record', name: 'int', fields: [] },
      { type: 'fixed', name: 'F' },
    ],
    ...[
      { type: 'enum', name: 'E', symbols: ['A', 'A'] },
      { type: 'enum', name: 'E', symbols: ['not a name'] },
    ],
    {
      type: 'record',
      name: 'R',
      fields: [
        { name: 'a', type: 'int' },
        { name: 'a', type: 'int' },
      ],
    },
    { type: 'record', name: 'R', fields: [{ name: 'a"]; alert(1) //', type: 'int' }] },
    { type: 'record', name: 'R', fields: [{ name: 'a', type: 'int', default: 'x' }] },
    { type: 'record', name: 'R', fields: [{ name: 'a', type: { type: 'record', name: 'R', fields: [] } }] },
  ]
  for (const schema of wrong) assert.throws(() => parseAvro(schema), { code: 'INVALID_SCHEMA' })
})
