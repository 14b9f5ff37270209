/** Text, integers and unions take short ways where they can: they are the same as the long ones. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AvroDecoder, AvroEncoder, type ValueOptions } from '../../src/avro/codec.ts'
import { parseAvro } from '../../src/avro/parse.ts'

const options: ValueOptions = { long: 'number', logicalTypes: 'convert', unions: 'auto' }

function codec(schema: unknown) {
  const type = parseAvro(schema)
  const encoder = new AvroEncoder(type, options)
  const decoder = new AvroDecoder(type, type, options)
  return {
    encode: (value: unknown) => encoder.encode(value),
    decode: (hex: string | Buffer) => decoder.decode(typeof hex === 'string' ? Buffer.from(hex, 'hex') : hex),
  }
}

/** A length as Avro writes it, and bytes. */
function withLength(bytes: Uint8Array): Buffer {
  const zigzag = bytes.length * 2
  const length = zigzag < 128 ? [zigzag] : [(zigzag & 127) | 128, zigzag >>> 7]
  return Buffer.concat([Buffer.from(length), bytes])
}

/** Pieces of text as bytes, right and wrong: all lengths of characters, halves of surrogates, too long forms, cuts. */
const piece = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }).map(text => Buffer.from(text)),
  fc.constantFrom('ë', 'Umeå', '注文', '🚚', '\uFEFFx', '߿ࠀ', '\uFFFF').map(text => Buffer.from(text)),
  fc.constantFrom('c080', 'c1bf', 'e08080', 'e09fbf', 'eda080', 'edbfbf', 'f0808080', 'f4908080').map(hexBytes),
  fc.constantFrom('c3', 'e282', 'f09f9a', '80', 'ff', 'c3c3', 'e2e282ac').map(hexBytes),
  fc.uint8Array({ maxLength: 6 }).map(bytes => Buffer.from(bytes)),
)

function hexBytes(hex: string): Buffer {
  return Buffer.from(hex, 'hex')
}

test('text is read as a Buffer reads it, whatever the bytes are', () => {
  const { decode } = codec('string')
  const { decode: decodeMap } = codec({ type: 'map', values: 'null' })
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 9 }), pieces => {
      const bytes = Buffer.concat(pieces)
      const text = bytes.toString()
      assert.equal(decode(withLength(bytes)), text)
      // Twice: a key that was read before is taken again.
      const map = Buffer.concat([Buffer.of(2), withLength(bytes), Buffer.of(0)])
      for (let i = 0; i < 2; i++) assert.deepEqual(Object.keys(decodeMap(map) as object), [text])
    }),
    { numRuns: 2000 },
  )
})

test('text is written as a Buffer writes it, halves of surrogates too', () => {
  const { encode } = codec('string')
  const units = fc.oneof(
    fc.string({ maxLength: 60 }),
    fc.string({ unit: 'binary', maxLength: 45 }),
    fc.array(fc.constantFrom('a', 'ë', '注', '\uD83D', '\uDE9A', '🚚'), { maxLength: 45 }).map(all => all.join('')),
  )
  fc.assert(
    fc.property(units, text => assert.deepEqual(encode(text), withLength(Buffer.from(text)))),
    { numRuns: 2000 },
  )
})

test('keys of one place in memory are told apart', () => {
  const { decode, encode } = codec({ type: 'map', values: 'int' })
  // The same length, first and last character.
  const keys = Array.from({ length: 300 }, (_, i) => `k${String(i).padStart(4, '0')}k`)
  for (const key of [...keys, ...keys]) assert.deepEqual(decode(encode({ [key]: 1 })), { [key]: 1 })
  const all = Object.fromEntries(keys.map((key, i) => [key, i]))
  assert.deepEqual(decode(encode(all)), all)
})

test('integers with more bytes than they need are integers', () => {
  for (const type of ['int', 'long']) {
    const { decode } = codec(type)
    for (const [hex, value] of [
      ['8000', 0],
      ['82808000', 1],
      ['8180808000', -1],
      ['fe8080808000', 63],
    ] as const) {
      assert.equal(decode(hex), value, `${type} ${hex}`)
    }
  }
  const { decode } = codec('long')
  // Nine bytes, and ten, which are the most that there may be.
  assert.equal(decode('828080808080808000'), 1)
  assert.equal(decode('82808080808080808000'), 1)
  assert.throws(() => decode('8280808080808080808000'), { code: 'INVALID_DATA' })
})

test('a union says which branch it has with more bytes than it needs', () => {
  const { decode } = codec({ type: 'record', name: 'R', fields: [{ name: 'u', type: ['null', 'string'] }] })
  assert.deepEqual(decode('8000'), { u: null })
  assert.deepEqual(decode('82000261'), { u: 'a' })
  for (const hex of ['04', '01', '8400', '', '80', '02']) {
    assert.throws(() => decode(hex), { code: 'INVALID_DATA' }, hex)
  }
})

test('longs at the ends of what a number holds exactly are read and written', () => {
  const { decode, encode } = codec('long')
  for (const at of [2 ** 27, 2 ** 28, 2 ** 31, 2 ** 32, 2 ** 34, 2 ** 35, 2 ** 41, 2 ** 48, 2 ** 52, 2 ** 53 - 2]) {
    for (const value of [at - 1, at, at + 1, -at - 1, -at, -at + 1]) {
      assert.equal(decode(encode(value)), value)
      assert.equal(decode(encode(BigInt(value))), value)
    }
  }
  for (const value of [2n ** 53n, -(2n ** 53n), 2n ** 55n - 1n, 2n ** 56n, 2n ** 63n - 1n, -(2n ** 63n)]) {
    assert.throws(() => decode(encode(value)), { code: 'INVALID_DATA' }, String(value))
  }
})

test('a record with many unions is read as one with few', () => {
  const fields = Array.from({ length: 300 }, (_, i) => ({ name: `f${i}`, type: ['null', 'string'] }))
  const { decode, encode } = codec({ type: 'record', name: 'R', fields })
  const value = Object.fromEntries(fields.map(({ name }, i) => [name, i % 3 === 0 ? null : `text ${i}`]))
  assert.deepEqual(decode(encode(value)), value)
})
