import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backoffMs } from '../../src/base/backoff.ts'

test('the backoff doubles up to its maximum and jitters by a fifth either way', () => {
  assert.equal(
    backoffMs(1, 100, 1000, () => 0.5),
    100,
  )
  assert.equal(
    backoffMs(3, 100, 1000, () => 0.5),
    400,
  )
  assert.equal(
    backoffMs(1, 100, 1000, () => 0),
    80,
  )
  assert.ok(backoffMs(50, 100, 1000, () => 0.999) <= 1000)
})
