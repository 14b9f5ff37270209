import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isOffset, tailOf, wrongOffset } from '../src/offsets.ts'
import { OFFSET_INVALID, OFFSET_STORED, offsetTail } from '../src/types.ts'

test('every whole number from 0 and every logical offset is an offset, nothing in between', () => {
  const offsets = [0, Number.MAX_SAFE_INTEGER, -1, -2, OFFSET_STORED, OFFSET_INVALID, offsetTail(0), offsetTail(7)]
  for (const offset of offsets) assert.equal(isOffset(offset), true, String(offset))
  for (const other of [-3, -999, -1002, -1999, 0.5, NaN, Infinity, 2 ** 53, '1', 1n, null, undefined]) {
    assert.equal(isOffset(other), false, String(other))
  }
})

test('the distance from the end comes back from offsetTail, 0 included', () => {
  assert.deepEqual(
    [0, 1, 1000].map(n => tailOf(offsetTail(n))),
    [0, 1, 1000],
  )
  assert.deepEqual(
    [0, -1, OFFSET_INVALID].map(offset => tailOf(offset)),
    [-1, -1, -1],
  )
})

test('what is not an offset is described by its type, and shown if it is a number', () => {
  assert.match(wrongOffset(-3), /offsetTail\(n\), not -3$/)
  assert.match(wrongOffset('secret'), /not a string; Number\(offset\) makes one$/)
  assert.match(wrongOffset(null, false), /^must be a whole number from 0, not null$/)
})
