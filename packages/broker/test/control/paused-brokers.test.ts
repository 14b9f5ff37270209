import { test } from 'node:test'
import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { PausedBrokers } from '../../src/control/paused-brokers.ts'

const NEVER = new AbortController().signal

/** Notes what has ended, in order. */
function watched(pauses: PausedBrokers, brokerId: number, signal = NEVER): { isOver: boolean } {
  const state = { isOver: false }
  void pauses.untilResumed(brokerId, signal).then(() => (state.isOver = true))
  return state
}

test('only requests to a paused broker wait, and all of them until it is resumed', async () => {
  const pauses = new PausedBrokers()
  pauses.pause(1)
  pauses.pause(1)
  const [first, second, other] = [watched(pauses, 1), watched(pauses, 1), watched(pauses, 2)]
  await setImmediate()
  assert.deepEqual([first.isOver, second.isOver, other.isOver], [false, false, true])
  pauses.resume(1)
  await setImmediate()
  assert.deepEqual([first.isOver, second.isOver], [true, true])
})

test('a broker that is paused again at once stays paused', async () => {
  const pauses = new PausedBrokers()
  pauses.pause(1)
  const waiting = watched(pauses, 1)
  pauses.resume(1)
  pauses.pause(1)
  await setImmediate()
  assert.equal(waiting.isOver, false)
  pauses.resumeAll()
  await setImmediate()
  assert.equal(waiting.isOver, true)
})

test('a client that is gone waits no longer', async () => {
  const pauses = new PausedBrokers()
  pauses.pause(1)
  const gone = new AbortController()
  const waiting = watched(pauses, 1, gone.signal)
  gone.abort()
  await setImmediate()
  assert.equal(waiting.isOver, true)
  await pauses.untilResumed(1, gone.signal)
})
