import { test } from 'node:test'
import assert from 'node:assert/strict'
import { Observers, type TrackedRequest } from '../../src/control/observers.ts'

const request: TrackedRequest = {
  apiKey: 3,
  apiName: 'Metadata',
  apiVersion: 12,
  brokerId: 1,
  clientId: 'c',
  principal: 'User:ANONYMOUS',
  timestamp: 0,
  body: {},
}

test('the first response counts, null included, and those after it are not asked', async () => {
  const observers = new Observers()
  const seen: string[] = []
  observers.add(() => void seen.push('first'))
  observers.add(async () => {
    seen.push('second')
    return await Promise.resolve(null)
  })
  observers.add(() => seen.push('third'))
  assert.equal(await observers.observe(request), null)
  assert.deepEqual(seen, ['first', 'second'])
})

test('a function that was added twice is removed once', async () => {
  const observers = new Observers()
  let calls = 0
  const control = (): void => {
    calls++
  }
  const end = observers.add(control)
  observers.add(control)
  end()
  end()
  assert.equal(await observers.observe(request), undefined)
  assert.equal(calls, 1)
  assert.equal(observers.isActive, true)
})

test('requests are tracked from start to stop only', async () => {
  const observers = new Observers()
  await observers.observe(request)
  assert.equal(observers.isActive, false)
  observers.startTracking()
  await observers.observe(request)
  assert.deepEqual(observers.tracked(), [request])
  assert.deepEqual(observers.stopTracking(), [request])
  assert.deepEqual([observers.tracked(), observers.stopTracking(), observers.isActive], [[], [], false])
})
