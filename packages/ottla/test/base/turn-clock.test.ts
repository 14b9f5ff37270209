import { test } from 'node:test'
import assert from 'node:assert/strict'
import type { Clock } from '../../src/base/clock.ts'
import { enqueueMicrotask } from '../../src/base/microtask.ts'
import { TurnClock } from '../../src/base/turn-clock.ts'

/** A clock that is a millisecond later at each reading. */
function ticking(): { clock: Clock; readings: () => number } {
  let time = 0
  const clock: Clock = { now: () => ++time, wallTime: () => 0, setTimer: () => ({ cancel: () => undefined }) }
  return { clock, readings: () => time }
}

test('sixteen calls of one turn share a reading, the next one reads again', () => {
  const { clock, readings } = ticking()
  const turn = new TurnClock(clock)
  const times = Array.from({ length: 17 }, () => turn.now())
  assert.deepEqual(new Set(times.slice(0, 16)), new Set([1]))
  assert.equal(times[16], 2)
  assert.equal(readings(), 2)
})

test('a reading does not outlive the turn', async () => {
  const turn = new TurnClock(ticking().clock)
  assert.equal(turn.now(), 1)
  await Promise.resolve()
  assert.equal(turn.now(), 2)
  await new Promise(resolve => setImmediate(resolve))
  assert.equal(turn.now(), 3)
})

test('a microtask runs after the present code, in order, before any timer', async () => {
  const done: string[] = []
  setTimeout(() => done.push('timer'), 0)
  enqueueMicrotask(() => done.push('first'))
  enqueueMicrotask(() => done.push('second'))
  done.push('present')
  await new Promise(resolve => setTimeout(resolve, 5))
  assert.deepEqual(done, ['present', 'first', 'second', 'timer'])
})
