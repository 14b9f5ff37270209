import { test } from 'node:test'
import assert from 'node:assert/strict'
import { AcquireWindow } from '../../../src/consumer/share/acquire-window.ts'

const LOCK_MS = 16_000

test('a quick application gets more at a time, up to the limit', () => {
  const window = new AcquireWindow(100)
  assert.deepEqual([window.size, window.isOpen], [32, false])
  window.delivered(32, 10, LOCK_MS)
  assert.equal(window.size, 64)
  window.delivered(64, 10, LOCK_MS)
  assert.deepEqual([window.size, window.isOpen], [100, true])
  window.delivered(1, 10, LOCK_MS)
  assert.equal(window.size, 100)
})

test('a low limit of the application is exact', () => {
  const window = new AcquireWindow(2)
  assert.deepEqual([window.size, window.isOpen], [2, false])
})

test('a slow one leaves the others more, down to one message', () => {
  const window = new AcquireWindow(500)
  window.delivered(32, 5_000, LOCK_MS)
  assert.equal(window.size, 16)
  for (let i = 0; i < 10; i++) window.delivered(window.size, 5_000, LOCK_MS)
  assert.equal(window.size, 1)
  window.delivered(1, 2_000, LOCK_MS)
  assert.equal(window.size, 1)
  window.keepAtLeast(8)
  assert.equal(window.size, 8)
})
