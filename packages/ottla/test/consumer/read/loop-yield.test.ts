import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CHECK_EVERY, LoopYield } from '../../../src/consumer/read/loop-yield.ts'
import { FakeClock } from '../../base/fake-clock.ts'

test('a turn is due when the event loop has not turned for long, which is looked at from time to time', async () => {
  const clock = new FakeClock()
  const loopYield = new LoopYield(clock)
  for (let i = 0; i < CHECK_EVERY * 3; i++) assert.equal(loopYield.count(1), false)
  await clock.advance(20)
  for (let i = 1; i < CHECK_EVERY; i++) assert.equal(loopYield.count(1), false)
  assert.equal(loopYield.count(1), true)
  assert.equal(loopYield.isDue, true)
  await loopYield.yield()
  assert.equal(loopYield.isDue, false)
  for (let i = 0; i < CHECK_EVERY * 3; i++) assert.equal(loopYield.count(1), false)
})

test('or after so many messages, however long they took', async () => {
  const loopYield = new LoopYield(new FakeClock(), 3, 0)
  assert.deepEqual([loopYield.count(1), loopYield.count(1), loopYield.count(1)], [false, false, true])
  await loopYield.yield()
  assert.deepEqual([loopYield.count(1), loopYield.isDue], [false, false])
})
