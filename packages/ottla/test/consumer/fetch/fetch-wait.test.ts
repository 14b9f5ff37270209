import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FetchWait } from '../../../src/consumer/fetch/fetch-wait.ts'

test('the longest wait while nothing is left out; else as long as it has been left out, up to that', () => {
  const wait = new FetchWait(500)
  assert.equal(wait.next(false, false), 500)
  const left = Array.from({ length: 9 }, (_, i) => wait.next(true, i === 0))
  assert.deepEqual(left, [10, 20, 40, 80, 160, 320, 500, 500, 500])
  // Another one is, or one that was is not any more.
  assert.equal(wait.next(true, true), 10)
  assert.equal(wait.next(true, false), 20)
  assert.equal(wait.next(false, true), 500)
})

test('never beyond fetch.wait.max.ms', () => {
  const wait = new FetchWait(0)
  assert.deepEqual([wait.next(true, true), wait.next(false, true)], [0, 0])
})
