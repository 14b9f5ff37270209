import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../../src/testing/index.ts'

test('a check is called until it passes, and its value is returned', async () => {
  let calls = 0
  const check = (): Promise<string> => {
    if (++calls < 3) throw new Error('not yet')
    return Promise.resolve('done')
  }
  assert.equal(await eventually(check, { intervalMs: 1 }), 'done')
  assert.equal(calls, 3)
})

test('false is a failure, undefined and 0 are not', async () => {
  let calls = 0
  assert.equal(await eventually(() => ++calls === 2, { intervalMs: 1 }), true)
  await eventually(() => undefined)
  assert.equal(await eventually(() => 0), 0)
})

test('at the deadline it says how often it has tried and what went wrong last', async () => {
  const cause = new Error('2 of 3 invoices')
  const failing = eventually(() => Promise.reject(cause), { timeoutMs: 30, intervalMs: 5 })
  await assert.rejects(failing, error => {
    assert.ok(error instanceof Error)
    assert.match(error.message, /^the check did not pass within 30 ms \(.* attempts?\): 2 of 3 invoices$/)
    assert.equal(error.cause, cause)
    return true
  })
  await assert.rejects(
    eventually(() => false, { timeoutMs: 1 }),
    /it gave false$/,
  )
})

test('a check that never ends does not hold up the deadline', async () => {
  const hanging = new Promise<void>(() => undefined)
  await assert.rejects(
    eventually(() => hanging, { timeoutMs: 20 }),
    /within 20 ms \(one attempt\): it did not come to an end$/,
  )
})

test('it can be aborted', async () => {
  const controller = new AbortController()
  const waiting = eventually(() => false, { timeoutMs: 60_000, intervalMs: 1, signal: controller.signal })
  controller.abort(new Error('enough'))
  await assert.rejects(waiting, /^Error: enough$/)
})

test('fake timers do not stop it', async t => {
  t.mock.timers.enable()
  let calls = 0
  await eventually(() => ++calls === 3, { intervalMs: 1 })
})
