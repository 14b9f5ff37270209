import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Deferred } from '../../src/base/deferred.ts'
import { firstOf } from '../../src/base/first.ts'
import { FakeClock, settle } from './fake-clock.ts'

/** Attempts that the test settles; at most `limit` of them. */
function start(limit: number) {
  const clock = new FakeClock()
  const attempts: Deferred<string>[] = []
  const failed: boolean[] = []
  const result = firstOf(clock, 100, (number, afterFailure) => {
    if (number === limit) return null
    failed.push(afterFailure)
    const attempt = new Deferred<string>()
    attempts.push(attempt)
    return attempt.promise
  })
  return { clock, attempts, failed, result }
}

test('a parallel attempt starts whenever the time passes without a result, and the first success counts', async () => {
  const { clock, attempts, failed, result } = start(9)
  await clock.advance(250)
  assert.deepEqual(failed, [false, false, false])
  attempts[1]?.resolve('second')
  attempts[0]?.resolve('first')
  assert.equal(await result, 'second')
  assert.equal(clock.pendingTimers, 0)
})

test('a failure starts the next attempt at once', async () => {
  const { attempts, failed, result } = start(9)
  attempts[0]?.reject(new Error('no'))
  await settle()
  assert.deepEqual(failed, [false, true])
  attempts[1]?.resolve('second')
  assert.equal(await result, 'second')
})

test('a failure does not count while another attempt is pending', async () => {
  const { clock, attempts, result } = start(2)
  await clock.advance(100)
  attempts[1]?.reject(new Error('no'))
  await settle()
  attempts[0]?.resolve('first')
  assert.equal(await result, 'first')
})

test('it fails with the last error once every attempt failed, or if there is none to make', async () => {
  const { clock, attempts, result } = start(2)
  await clock.advance(100)
  attempts[1]?.reject(new Error('one'))
  attempts[0]?.reject(new Error('two'))
  await assert.rejects(result, /two/)
  assert.equal(clock.pendingTimers, 0)
  await assert.rejects(start(0).result, /nothing to try/)
})
