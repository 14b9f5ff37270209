import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Window } from '../../../src/observe/statistics/window.ts'

test('a window has the smallest, the largest, the average and the percentiles of what was counted', () => {
  const window = new Window()
  for (let i = 1; i <= 100; i++) window.add(i)
  const taken = window.take()
  const { min, max, avg, sum, cnt, p50, p75, p90, p95, p99, p99_99 } = taken
  assert.deepEqual({ min, max, avg, sum, cnt }, { min: 1, max: 100, avg: 50, sum: 5050, cnt: 100 })
  assert.deepEqual({ p50, p75, p90, p95, p99, p99_99 }, { p50: 50, p75: 75, p90: 90, p95: 95, p99: 99, p99_99: 100 })
  assert.equal(taken.stddev, 28)
})

test('percentiles of large values are right within 1.6 percent, and never above the largest value', () => {
  const values: number[] = []
  const window = new Window()
  // Spread over nine powers of ten, always the same.
  for (let i = 0; i < 1000; i++) values.push(Math.floor(1.021 ** i))
  for (const value of values) window.add(value)
  const taken = window.take()
  const exact = (percent: number): number => values[Math.ceil((values.length * percent) / 100) - 1] ?? NaN
  for (const [reported, percent] of [
    [taken.p50, 50],
    [taken.p75, 75],
    [taken.p90, 90],
    [taken.p95, 95],
    [taken.p99, 99],
  ] as const) {
    assert.ok(
      reported >= exact(percent) && reported <= exact(percent) * 1.016 + 1,
      `p${percent}: ${reported} of ${exact(percent)}`,
    )
  }
  assert.ok(taken.p99_99 <= taken.max)
})

test('each window starts anew, and an empty one is all zeros', () => {
  const window = new Window()
  assert.equal(window.take().hdrsize, 0, 'nothing is allocated before the first value')
  window.add(5)
  window.take()
  const { hdrsize, ...rest } = window.take()
  assert.ok(hdrsize > 0)
  assert.deepEqual(new Set(Object.values(rest)), new Set([0]))
})

test('values beyond the largest class are counted as out of range', () => {
  const window = new Window()
  for (const value of [2 ** 31, Infinity, NaN]) window.add(value)
  window.add(2 ** 31 - 1)
  window.add(-1)
  const { outofrange, cnt, min, max, p99 } = window.take()
  assert.deepEqual(
    { outofrange, cnt, min, max, p99 },
    { outofrange: 3, cnt: 2, min: 0, max: 2 ** 31 - 1, p99: 2 ** 31 - 1 },
  )
})
