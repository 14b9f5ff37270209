import assert from 'node:assert/strict'
import { test } from 'node:test'
import { atMost } from '../../../src/consumer/run/at-most.ts'
import { FakeClock } from '../../base/fake-clock.ts'

test('it ends with the work or with the time, and leaves no timer', async () => {
  const clock = new FakeClock()
  await atMost(clock, 1000, Promise.resolve())
  assert.equal(clock.pendingTimers, 0)
  let isOver = false
  const waiting = atMost(clock, 1000, new Promise(() => undefined)).then(() => (isOver = true))
  await clock.advance(999)
  assert.equal(isOver, false)
  await clock.advance(1)
  await waiting
})

test('it rejects as the work does', async () => {
  await assert.rejects(atMost(new FakeClock(), 1000, Promise.reject(new Error('why'))), { message: 'why' })
})
