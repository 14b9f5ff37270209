import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Scheduler } from '../../../src/consumer/run/scheduler.ts'

/** Work that ends when the test says so, and a record of what was begun. */
function workshop(): {
  begun: string[]
  work: (name: string) => () => Promise<'done' | 'again'>
  finish: (name: string, result?: 'done' | 'again') => Promise<void>
} {
  const begun: string[] = []
  const ends = new Map<string, (result: 'done' | 'again') => void>()
  return {
    begun,
    work: name => () => {
      begun.push(name)
      return new Promise(resolve => ends.set(name, result => resolve(result)))
    },
    async finish(name, result = 'done') {
      ends.get(name)?.(result)
      await new Promise(resolve => setImmediate(resolve))
    },
  }
}

test('a lane is worked on one after the other, lanes beside each other, as many as may be', async () => {
  const { begun, work, finish } = workshop()
  const scheduler = new Scheduler<string>(2, () => false)
  for (const [lane, name] of [
    ['a', 'a1'],
    ['a', 'a2'],
    ['b', 'b1'],
    ['c', 'c1'],
    ['b', 'b2'],
  ] as const) {
    scheduler.add('t', lane, work(name))
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
  const scheduler = new Scheduler<string>(3, () => false)
  for (const name of ['1', '2', '3', '4']) scheduler.add('t', null, work(name))
  assert.deepEqual(begun, ['1', '2', '3'])
})

test('whoever has the least at work is next', async () => {
  const { begun, work, finish } = workshop()
  const scheduler = new Scheduler<string>(2, () => false)
  for (const name of ['1', '2', '3', '4']) scheduler.add('slow', null, work(name))
  scheduler.add('quick', null, work('q'))
  await finish('1')
  assert.deepEqual(begun, ['1', '2', 'q'])
  await finish('q')
  assert.deepEqual(begun, ['1', '2', 'q', '3'])
})

test('nothing is begun of what stands still, until it goes on', async () => {
  const { begun, work, finish } = workshop()
  const still = new Set(['a'])
  const scheduler = new Scheduler<string>(2, group => still.has(group))
  for (const name of ['a1', 'a2', 'a3']) scheduler.add('a', 'lane', work(name))
  scheduler.add('b', null, work('b1'))
  assert.deepEqual(begun, ['b1'])
  still.clear()
  scheduler.look()
  assert.deepEqual(begun, ['b1', 'a1'])
  still.add('a')
  await finish('a1')
  assert.deepEqual(begun, ['b1', 'a1'])
  still.clear()
  scheduler.look()
  assert.deepEqual(begun, ['b1', 'a1', 'a2'])
})

test('what could not be begun stays the first of its lane', async () => {
  const { begun, work, finish } = workshop()
  const still = new Set<string>()
  const scheduler = new Scheduler<string>(1, group => still.has(group))
  for (const name of ['a1', 'a2']) scheduler.add('a', 'lane', work(name))
  still.add('a')
  await finish('a1', 'again')
  assert.deepEqual(begun, ['a1'])
  still.clear()
  scheduler.look()
  await finish('a1')
  assert.deepEqual(begun, ['a1', 'a1', 'a2'])
})
