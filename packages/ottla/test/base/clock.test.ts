import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Deadline, sleep, systemClock, whenPassed } from '../../src/base/clock.ts'
import { FakeClock } from './fake-clock.ts'

test('a deadline that never comes has infinite time left', () => {
  const clock = new FakeClock()
  assert.equal(Deadline.after(clock, -1).left(), Infinity)
  assert.equal(Deadline.after(clock, 0).expired, true)
})

test('a sleep ends in time, or at once with the reason of its signal', async () => {
  const clock = new FakeClock()
  let done = false
  const sleeping = sleep(clock, 50).then(() => (done = true))
  await clock.advance(49)
  assert.equal(done, false)
  await clock.advance(1)
  await sleeping
  const abort = new AbortController()
  const aborted = sleep(clock, 50, abort.signal)
  abort.abort(new Error('enough'))
  await assert.rejects(aborted, /enough/)
  assert.equal(clock.pendingTimers, 0)
})

test('a deadline of NaN never comes, a timer of NaN fires at once, and others are unaffected', async () => {
  const other = Deadline.after(systemClock, 1)
  assert.equal(Deadline.after(systemClock, NaN).left(), Infinity)
  await new Promise<void>(resolve => systemClock.setTimer(NaN, resolve))
  await new Promise<void>(resolve => whenPassed(systemClock, other, resolve))
})
