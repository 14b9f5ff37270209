import { test } from 'node:test'
import assert from 'node:assert/strict'
import { backoffMs } from '../../src/base/backoff.ts'
import { Deadline, sleep, systemClock, whenPassed } from '../../src/base/clock.ts'
import { Deferred } from '../../src/base/deferred.ts'
import { Ring } from '../../src/base/ring.ts'
import { WorkLoop } from '../../src/base/work-loop.ts'
import { resolveWait, within } from '../../src/base/wait.ts'
import { FakeClock, settle } from './fake-clock.ts'

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

test('a ring keeps the order while it grows and wraps around', () => {
  const ring = new Ring<number>()
  let next = 0
  let expected = 0
  for (let round = 0; round < 100; round++) {
    for (let i = 0; i < 7; i++) ring.push(next++)
    for (let i = 0; i < 5; i++) assert.equal(ring.shift(), expected++)
  }
  ring.unshift(-1)
  assert.equal(ring.peek(), -1)
  assert.equal(ring.peek(1), expected)
  assert.equal(ring.length, 201)
  ring.clear()
  assert.equal(ring.shift(), undefined)
})

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

test('a wait that is no number of milliseconds is refused, and does not reach the limits of others', async () => {
  for (const wrong of [NaN, '5', { timeoutMs: NaN }, { timeoutMs: '5' }, true]) {
    assert.throws(() => resolveWait(wrong as number, 9), { name: 'ERR__INVALID_ARG' })
  }
  const other = Deadline.after(systemClock, 1)
  assert.equal(Deadline.after(systemClock, NaN).left(), Infinity)
  await new Promise<void>(resolve => systemClock.setTimer(NaN, resolve))
  await new Promise<void>(resolve => whenPassed(systemClock, other, resolve))
})

test('a work loop never overlaps itself and runs again for a kick during the work', async () => {
  const gate = [new Deferred<void>(), new Deferred<void>()]
  let runs = 0
  let active = 0
  const loop = new WorkLoop(async () => {
    assert.equal(++active, 1)
    await gate[runs++]?.promise
    active--
  })
  loop.kick()
  loop.kick()
  await settle()
  assert.equal(runs, 1)
  loop.kick()
  gate[0]?.resolve()
  await settle()
  assert.equal(runs, 2)
  gate[1]?.resolve()
  await loop.stop()
  loop.kick()
  await settle()
  assert.equal(runs, 2)
})
