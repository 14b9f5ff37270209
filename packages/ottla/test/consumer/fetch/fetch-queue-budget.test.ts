/** How the queue is shared: one partition cannot fill it, and what nobody can take makes way. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cursor } from '../../../src/consumer/partition/cursor.ts'
import { FetchQueue } from '../../../src/consumer/fetch/fetch-queue.ts'
import { batch } from '../batches.ts'

const ONE = batch(0, 1).sizeBytes

interface Scene {
  readonly queue: FetchQueue
  readonly seen: { room: number }
  /** Appends so many batches of one message. */
  readonly fill: (cursor: Cursor, count: number) => void
}

function scene(batches: number): Scene {
  const seen = { room: 0 }
  const limits = { maxBytes: ONE * batches, minMessages: 1000, checkCrcs: true, maxBatchBytes: 1_000_000 }
  const queue = new FetchQueue(limits, {
    onReady: () => undefined,
    onRoom: () => seen.room++,
    onEnd: () => undefined,
    onGap: () => undefined,
    onCorrupt: () => assert.fail('nothing is corrupt'),
  })
  return {
    queue,
    seen,
    fill(cursor, count) {
      const from = cursor.fetchOffset
      queue.push(
        cursor,
        Array.from({ length: count }, (_, i) => batch(from + i, 1)),
        null,
      )
      cursor.fetchOffset = from + count
    },
  }
}

function cursorOf(partition: number): Cursor {
  const cursor = new Cursor('t', partition)
  cursor.moveTo(0)
  return cursor
}

test('a partition alone may fill half of the queue, and has its share beyond that', () => {
  const { queue, seen, fill } = scene(8)
  const [a, b] = [cursorOf(0), cursorOf(1)]
  queue.shareAmong(2)
  fill(a, 3)
  assert.equal(queue.hasEnough(a), false)
  fill(a, 1)
  assert.equal(queue.hasEnough(a), true)
  assert.equal(queue.isFull(), false)
  assert.equal(queue.hasEnough(b), false)
  queue.take()
  queue.take()
  assert.equal(seen.room, 1, 'it is told when there is less')
  queue.shareAmong(1)
  fill(a, 3)
  assert.equal(queue.hasEnough(a), false, 'whoever is alone has all')
})

for (const stop of ['pause', 'hold'] as const) {
  test(`${stop} wakes a fetcher that has left at a full queue, and nothing is given up before it asks`, () => {
    const { queue, seen, fill } = scene(4)
    const a = cursorOf(0)
    fill(a, 4)
    assert.equal(queue.isFull(), true)
    if (stop === 'pause') queue.pause(a, 0)
    else queue.hold(a, 0)
    assert.equal(seen.room, 1)
    assert.equal(a.queued.bytes, ONE * 4)
    if (stop === 'pause') queue.pause(a, 0)
    else queue.hold(a, 0)
    assert.equal(seen.room, 1, 'nobody waits any more')
  })
}

test('what is forgotten wakes a fetcher that stopped at a full queue', () => {
  const { queue, seen, fill } = scene(10)
  const [a, b] = [cursorOf(0), cursorOf(1)]
  fill(a, 1)
  fill(b, 9)
  assert.equal(queue.isFull(), true)
  queue.forget(a)
  assert.equal(seen.room, 1)
})

test('held partitions make way only for one that has nothing, after a while, the largest first', () => {
  const { queue, fill } = scene(6)
  const [a, b] = [cursorOf(0), cursorOf(1)]
  fill(a, 4)
  fill(b, 2)
  queue.hold(a, 1000)
  queue.hold(b, 900)
  assert.equal(queue.makeRoom([a, b], false, 5000), Infinity)
  assert.equal(queue.isFull(), true)
  assert.equal(queue.makeRoom([a], true, 1050), 1100)
  assert.equal(queue.isFull(), true)
  queue.makeRoom([a, b], true, 1100)
  assert.deepEqual([a.queued.bytes, b.queued.bytes], [0, ONE * 2])
  assert.equal(a.fetchOffset, 0)
  assert.equal(queue.isFull(), false)
})

test('paused partitions make way at once, before those that are held', () => {
  const { queue, fill } = scene(6)
  const [a, b] = [cursorOf(0), cursorOf(1)]
  fill(a, 2)
  fill(b, 4)
  queue.hold(b, 0)
  queue.pause(a, 0)
  queue.makeRoom([b, a], true, 5000)
  assert.deepEqual([a.queued.bytes, b.queued.bytes], [0, ONE * 4])
})

test('what was given up in the middle of a batch comes again from there, in order, once', () => {
  const { queue } = scene(1)
  const a = cursorOf(0)
  queue.push(a, [batch(0, 5)], null)
  a.fetchOffset = 5
  assert.deepEqual([queue.take()?.offset, queue.take()?.offset], [0, 1])
  queue.pause(a, 0)
  queue.hold(a, 0)
  queue.makeRoom([a], true, 0)
  assert.equal(a.fetchOffset, 2)
  queue.push(a, [batch(0, 5)], null)
  assert.equal(queue.take(), null)
  queue.unhold(a)
  assert.equal(queue.take(), null, 'the program has paused it')
  queue.resume(a)
  assert.deepEqual([queue.take()?.offset, queue.take()?.offset, queue.take()?.offset, queue.take()], [2, 3, 4, null])
})

test('the end of a hold does not end a pause, nor a resume a hold', () => {
  const { queue, fill } = scene(4)
  const a = cursorOf(0)
  fill(a, 1)
  queue.hold(a, 0)
  queue.resume(a)
  assert.equal(queue.take(), null)
  queue.unhold(a)
  assert.equal(queue.take()?.offset, 0)
})
