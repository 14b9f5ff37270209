import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Alarm } from '../../src/base/alarm.ts'
import { FakeClock } from './fake-clock.ts'

test('an alarm rings once, at the earliest of the times it was set to', async () => {
  const clock = new FakeClock()
  const start = clock.now()
  const rung: number[] = []
  const alarm = new Alarm(clock, () => void rung.push(clock.now() - start))
  alarm.set(start + 50)
  alarm.set(start + 20)
  alarm.set(start + 30)
  await clock.advance(100)
  assert.deepEqual(rung, [20])
})

test('an alarm can be set again from within its own callback, and for a time that has passed', async () => {
  const clock = new FakeClock()
  const start = clock.now()
  const rung: number[] = []
  const alarm = new Alarm(clock, () => {
    rung.push(clock.now() - start)
    if (rung.length === 1) alarm.set(start + 40)
  })
  alarm.set(start - 10)
  await clock.advance(100)
  assert.deepEqual(rung, [0, 40])
})

test('a cancelled alarm does not ring, and can be set again to a later time', async () => {
  const clock = new FakeClock()
  let rings = 0
  const alarm = new Alarm(clock, () => {
    rings++
  })
  alarm.set(clock.now() + 10)
  alarm.cancel()
  await clock.advance(20)
  assert.equal(rings, 0)
  alarm.set(clock.now() + 30)
  await clock.advance(30)
  assert.equal(rings, 1)
})
