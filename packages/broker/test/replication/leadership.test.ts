import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Leadership } from '../../src/replication/leadership.ts'

test('a follower that was never in sync does not hold back the high watermark, though the clock has just begun', () => {
  const now = 1000
  const leadership = new Leadership(0, [], now)
  leadership.fetched(2, 0, 5, now)
  assert.equal(
    leadership.watermark(5, [1], 1, () => true, { maxLagMs: 30_000, now }),
    5,
  )
})
