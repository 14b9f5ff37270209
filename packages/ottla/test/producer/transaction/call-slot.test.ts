import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Deferred } from '../../../src/base/deferred.ts'
import type { KafkaError } from '../../../src/errors.ts'
import { CallSlot } from '../../../src/producer/transaction/call-slot.ts'
import { FakeClock, settle } from '../../base/fake-clock.ts'

const wait = (timeoutMs: number): { timeoutMs: number; signal: undefined } => ({ timeoutMs, signal: undefined })

async function refusal(call: Promise<void>): Promise<string> {
  try {
    await call
  } catch (error) {
    return (error as KafkaError).name
  }
  return 'none'
}

test('a call that timed out is continued by the next one of its name, which starts nothing', async () => {
  const clock = new FakeClock()
  const calls = new CallSlot(clock)
  const end = new Deferred<void>()
  let starts = 0
  const start = (): Promise<void> => {
    starts++
    return end.promise
  }
  const first = refusal(calls.run('commit', wait(100), start))
  assert.equal(await refusal(calls.run('commit', wait(100), start)), 'ERR__PREV_IN_PROGRESS')
  assert.equal(await refusal(calls.run('abort', wait(100), start)), 'ERR__CONFLICT')
  await clock.advance(100)
  assert.equal(await first, 'ERR__TIMED_OUT')
  assert.equal(await refusal(calls.run('abort', wait(100), start)), 'ERR__CONFLICT')
  end.resolve()
  await settle()
  assert.throws(() => calls.check('begin'), { name: 'ERR__CONFLICT' })
  await calls.run('commit', wait(100), start)
  assert.equal(starts, 1)
  calls.check('begin')
})

test('a call that failed after its timeout is dropped: the state has the error', async () => {
  const clock = new FakeClock()
  const calls = new CallSlot(clock)
  const end = new Deferred<void>()
  const first = refusal(calls.run('commit', wait(100), () => end.promise))
  await clock.advance(100)
  assert.equal(await first, 'ERR__TIMED_OUT')
  end.reject(new Error('failed'))
  await settle()
  calls.check('abort')
  await calls.run('abort', wait(-1), () => Promise.resolve())
})

test('the slot is idle when no call is in progress, or the wait is over', async () => {
  const clock = new FakeClock()
  const calls = new CallSlot(clock)
  await calls.idle(wait(-1))
  const end = new Deferred<void>()
  const call = calls.run('abort', wait(-1), () => end.promise)
  const idle = refusal(calls.idle(wait(50)))
  await clock.advance(50)
  assert.equal(await idle, 'ERR__TIMED_OUT')
  end.resolve()
  await call
  await calls.idle(wait(-1))
})
