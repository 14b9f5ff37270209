import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Deadline } from '../../src/base/clock.ts'
import { resolveWait, within } from '../../src/base/wait.ts'
import { FakeClock } from './fake-clock.ts'

test('a wait that settles in time leaves no timer behind', async () => {
  const clock = new FakeClock()
  const late = (): Error => new Error('late')
  assert.equal(await within(Promise.resolve(5), clock, Deadline.after(clock, 10), late), 5)
  assert.equal(clock.pendingTimers, 0)
  const never = within(new Promise(() => undefined), clock, Deadline.after(clock, 10), late)
  const rejected = assert.rejects(never, /late/)
  await clock.advance(10)
  await rejected
})

test('a wait may be given as a number or as options', () => {
  assert.deepEqual(resolveWait(5, 1), { timeoutMs: 5, signal: undefined })
  assert.deepEqual(resolveWait(undefined, 1), { timeoutMs: 1, signal: undefined })
  assert.deepEqual(resolveWait({ timeoutMs: -1 }, 1), { timeoutMs: -1, signal: undefined })
})

test('a wait that is not a number of milliseconds is refused', () => {
  for (const wrong of [NaN, '5', { timeoutMs: NaN }, { timeoutMs: '5' }, true]) {
    assert.throws(() => resolveWait(wrong as number, 9), { name: 'ERR__INVALID_ARG' })
  }
})
