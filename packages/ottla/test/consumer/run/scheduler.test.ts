import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ring } from '../../../src/base/ring.ts'
import { Scheduler, type PartitionQueue, type Work } from '../../../src/consumer/run/scheduler.ts'

interface Job extends Work<Job> {
  readonly name: string
}

/** Work that ends when the test says so, and a record of what was begun. */
function workshop(concurrency: number): {
  begun: string[]
  still: Set<string>
  look: () => void
  add: (partition: string, lane: string | null, name: string) => void
  finish: (name: string, result?: 'done' | 'again') => Promise<void>
} {
  const begun: string[] = []
  const still = new Set<string>()
  const ends = new Map<string, (result: 'done' | 'again') => void>()
  const partitions = new Map<string, PartitionQueue<Job>>()
  let number = 0
  const nameOf = (partition: PartitionQueue<Job>): string =>
    [...partitions].find(([, each]) => each === partition)?.[0] ?? ''
  const scheduler = new Scheduler<Job>(
    concurrency,
    ({ name }) => {
      begun.push(name)
      return new Promise(resolve => ends.set(name, result => resolve(result)))
    },
    partition => still.has(nameOf(partition)),
  )
  return {
    begun,
    still,
    look: () => {
      scheduler.start()
    },
    add(of, lane, name) {
      const partition = partitions.get(of) ?? { ready: new Ring<Job>(), busy: 0 }
      partitions.set(of, partition)
      scheduler.add({ partition, lane, name, number: number++ })
    },
    async finish(name, result = 'done') {
      ends.get(name)?.(result)
      await new Promise(resolve => setImmediate(resolve))
    },
  }
}

test('work of one lane is done one after the other, lanes at the same time, up to the limit', async () => {
  const { begun, add, finish } = workshop(2)
  for (const [lane, name] of [
    ['a', 'a1'],
    ['a', 'a2'],
    ['b', 'b1'],
    ['c', 'c1'],
    ['b', 'b2'],
  ] as const) {
    add('t', lane, name)
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
  const { begun, add } = workshop(3)
  for (const name of ['1', '2', '3', '4']) add('t', null, name)
  assert.deepEqual(begun, ['1', '2', '3'])
})

test('the partition with the least in progress is next', async () => {
  const { begun, add, finish } = workshop(2)
  for (const name of ['1', '2', '3', '4']) add('slow', null, name)
  add('quick', null, 'q')
  await finish('1')
  assert.deepEqual(begun, ['1', '2', 'q'])
  await finish('q')
  assert.deepEqual(begun, ['1', '2', 'q', '3'])
})

test('nothing of a paused partition is started until it is resumed', async () => {
  const { begun, add, still, look, finish } = workshop(2)
  still.add('a')
  for (const name of ['a1', 'a2', 'a3']) add('a', 'lane', name)
  add('b', null, 'b1')
  assert.deepEqual(begun, ['b1'])
  still.clear()
  look()
  assert.deepEqual(begun, ['b1', 'a1'])
  still.add('a')
  await finish('a1')
  assert.deepEqual(begun, ['b1', 'a1'])
  still.clear()
  look()
  assert.deepEqual(begun, ['b1', 'a1', 'a2'])
})

test('what could not be started stays the first of its lane', async () => {
  const { begun, add, still, look, finish } = workshop(1)
  for (const name of ['a1', 'a2']) add('a', 'lane', name)
  still.add('a')
  await finish('a1', 'again')
  assert.deepEqual(begun, ['a1'])
  still.clear()
  look()
  await finish('a1')
  assert.deepEqual(begun, ['a1', 'a1', 'a2'])
})

test('what could not be started keeps its order, whichever ended first', async () => {
  const { begun, add, finish, still, look } = workshop(3)
  for (const name of ['1', '2', '3', '4']) add('t', null, name)
  still.add('t')
  for (const name of ['2', '3', '1']) await finish(name, 'again')
  still.clear()
  look()
  await finish('1')
  assert.deepEqual(begun, ['1', '2', '3', '1', '2', '3', '4'])
})
