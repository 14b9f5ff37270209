import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Scheduler } from '../../../src/consumer/run/scheduler.ts'

/** Work that ends when the test says so, and a record of what was begun. */
function workshop(): {
  begun: string[]
  work: (name: string) => () => Promise<void>
  finish: (name: string) => Promise<void>
} {
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  return {
    begun,
    work: name => () => {
      begun.push(name)
      return new Promise<void>(resolve => ends.set(name, resolve))
    },
    async finish(name) {
      ends.get(name)?.()
      await new Promise(resolve => setImmediate(resolve))
    },
  }
}

test('a lane is worked on one after the other, lanes beside each other, as many as may be', async () => {
  const { begun, work, finish } = workshop()
  const scheduler = new Scheduler(2)
  for (const [lane, name] of [
    ['a', 'a1'],
    ['a', 'a2'],
    ['b', 'b1'],
    ['c', 'c1'],
    ['b', 'b2'],
  ] as const) {
    scheduler.add(lane, work(name))
  }
  assert.deepEqual(begun, ['a1', 'b1'])
  await finish('b1')
  assert.deepEqual(begun, ['a1', 'b1', 'c1'])
  await finish('a1')
  assert.deepEqual(begun, ['a1', 'b1', 'c1', 'b2'])
  await finish('c1')
  assert.deepEqual(begun, ['a1', 'b1', 'c1', 'b2', 'a2'])
})

test('without a lane nothing waits for anything', () => {
  const { begun, work } = workshop()
  const scheduler = new Scheduler(3)
  for (const name of ['1', '2', '3', '4']) scheduler.add(null, work(name))
  assert.deepEqual(begun, ['1', '2', '3'])
})
