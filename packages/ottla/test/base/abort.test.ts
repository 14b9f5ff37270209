import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { onAbort } from '../../src/base/abort.ts'
import { sleep, systemClock } from '../../src/base/clock.ts'

test('any number of waits on a signal share one listener, and there is none without a wait', () => {
  const { signal } = new AbortController()
  const stops = Array.from({ length: 50 }, () => onAbort(signal, () => undefined))
  assert.equal(getEventListeners(signal, 'abort').length, 1)
  for (const stop of stops) stop()
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})

test('an abort calls every remaining wait once', () => {
  const stop = new AbortController()
  const called: string[] = []
  onAbort(stop.signal, () => called.push('first'))
  const end = onAbort(stop.signal, () => called.push('second'))
  const twice = (): void => void called.push('twice')
  onAbort(stop.signal, twice)
  onAbort(stop.signal, twice)
  end()
  end()
  stop.abort()
  assert.deepEqual(called, ['first', 'twice', 'twice'])
})

test("a wait that another one's callback cancels is not called", () => {
  const stop = new AbortController()
  const called: string[] = []
  onAbort(stop.signal, () => {
    called.push('first')
    endSecond()
  })
  const endSecond = onAbort(stop.signal, () => called.push('second'))
  stop.abort()
  assert.deepEqual(called, ['first'])
})

test('nothing is called for a signal that was aborted before', () => {
  const called: string[] = []
  onAbort(AbortSignal.abort(), () => called.push('called'))()
  onAbort(undefined, () => called.push('called'))()
  assert.deepEqual(called, [])
})

test('sleeps on one signal leave nothing behind', async () => {
  const { signal } = new AbortController()
  await Promise.all(Array.from({ length: 20 }, () => sleep(systemClock, 1, signal)))
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})
