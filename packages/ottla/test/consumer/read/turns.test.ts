import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LOOK_EVERY, Turns } from '../../../src/consumer/read/turns.ts'
import { FakeClock } from '../../base/fake-clock.ts'

test('a turn is due when the event loop has not turned for long, which is looked at from time to time', async () => {
  const clock = new FakeClock()
  const turns = new Turns(clock)
  for (let i = 0; i < LOOK_EVERY * 3; i++) assert.equal(turns.count(1), false)
  await clock.advance(20)
  for (let i = 1; i < LOOK_EVERY; i++) assert.equal(turns.count(1), false)
  assert.equal(turns.count(1), true)
  assert.equal(turns.isDue, true)
  await turns.take()
  assert.equal(turns.isDue, false)
  for (let i = 0; i < LOOK_EVERY * 3; i++) assert.equal(turns.count(1), false)
})

test('or after so many messages, however long they took', async () => {
  const turns = new Turns(new FakeClock(), 3, 0)
  assert.deepEqual([turns.count(1), turns.count(1), turns.count(1)], [false, false, true])
  await turns.take()
  assert.deepEqual([turns.count(1), turns.isDue], [false, false])
})
