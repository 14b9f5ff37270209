import assert from 'node:assert/strict'
import { test } from 'node:test'
import { levelWithin } from '../../src/compression/level.ts'

test('a level outside the range of the codec becomes the nearest one, and -1 the standard', () => {
  const levels = (minLevel: number): number[] =>
    [-1, -9, 0, 5, 99].map(level => levelWithin({ minLevel, maxLevel: 9 }, level, 6))
  assert.deepEqual(levels(1), [6, 1, 1, 5, 9])
  assert.deepEqual(levels(-7), [6, -7, 0, 5, 9])
})
