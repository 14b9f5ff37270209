import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { varintSize, varlongSize, writeVarint, writeVarlong } from '../../src/wire/varint.ts'

/** The definition, with bigint. */
function zigzag(value: number): Buffer {
  const big = BigInt(value)
  let rest = big < 0n ? -big * 2n - 1n : big * 2n
  const bytes: number[] = []
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return Buffer.from([...bytes, Number(rest)])
}

const edges = [0, 6, 7, 13, 14, 20, 27, 28, 31, 34, 35, 41, 42, 48, 49, 52, 53].flatMap(bits =>
  [2 ** bits - 1, 2 ** bits, -(2 ** bits), -(2 ** bits) - 1].filter(value => Number.isSafeInteger(value)),
)

function check(value: number, size: number, write: typeof writeVarint): void {
  const target = Buffer.alloc(12)
  const end = write(target, 1, value)
  assert.equal(target.toString('hex', 1, end), zigzag(value).toString('hex'), String(value))
  assert.equal(size, end - 1, String(value))
}

test('varints are zigzag and of the calculated length', () => {
  const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
  for (const value of edges.filter(edge => edge === (edge | 0))) check(value, varintSize(value), writeVarint)
  fc.assert(fc.property(int32, value => check(value, varintSize(value), writeVarint)))
})

test('varlongs are exact in the whole safe range', () => {
  for (const value of edges) check(value, varlongSize(value), writeVarlong)
  fc.assert(fc.property(fc.maxSafeInteger(), value => check(value, varlongSize(value), writeVarlong)))
})
