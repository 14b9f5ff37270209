import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OffsetTracker } from '../../../src/consumer/run/offset-tracker.ts'

test('progress is what has nothing unfinished before it', () => {
  const tracker = new OffsetTracker()
  const [a, b, c, d] = [10, 11, 15, 16].map(offset => tracker.add(offset, 3, 0))
  assert.ok(a && b && c && d)
  assert.equal(tracker.finish(b), null)
  assert.equal(tracker.finish(c), null)
  assert.equal(tracker.finish(a), c)
  assert.equal(tracker.size, 1)
  assert.equal(tracker.finish(d)?.offset, 16)
  assert.equal(tracker.size, 0)
})

test('after a move it starts again, and what was read before no longer counts', () => {
  const tracker = new OffsetTracker()
  const old = tracker.add(100, 0, 0)
  tracker.add(101, 0, 0)
  const first = tracker.add(50, 0, 1)
  assert.equal(tracker.finish(old), null)
  assert.equal(tracker.finish(first)?.offset, 50)
})

test('the lowest unfinished message is known', () => {
  const tracker = new OffsetTracker()
  const lowest = (): number | undefined => tracker.lowest?.offset
  assert.equal(lowest(), undefined)
  const [three, five] = [tracker.add(3, 0, 0), tracker.add(5, 0, 0)]
  assert.equal(lowest(), 3)
  tracker.finish(five)
  assert.equal(lowest(), 3)
  tracker.finish(three)
  assert.equal(lowest(), undefined)
})
