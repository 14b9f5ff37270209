import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codecByName, type RecordBatch } from '@ottla/protocol'
import { Cursor } from '../../../src/consumer/partition/cursor.ts'
import { Gap } from '../../../src/consumer/partition/queued.ts'
import { FetchQueue, type QueueLimits } from '../../../src/consumer/fetch/fetch-queue.ts'
import { MessageBatch } from '../../../src/consumer/read/message-batch.ts'
import { originOf } from '../../../src/consumer/read/decoding.ts'
import { batchesOf, type FetchedMessage } from '../../../src/consumer/partition/message.ts'
import { batch, batchBytes, readBatches } from '../batches.ts'

interface Seen {
  ready: number
  room: number
  ends: string[]
  gaps: string[]
  corrupt: string[]
}

function queueOf(limits: Partial<QueueLimits> = {}): { queue: FetchQueue; seen: Seen } {
  const seen: Seen = { ready: 0, room: 0, ends: [], gaps: [], corrupt: [] }
  const all = { maxBytes: 1_000_000, minMessages: 100_000, checkCrcs: true, maxBatchBytes: 1_000_000, ...limits }
  const queue = new FetchQueue(all, {
    onReady: () => seen.ready++,
    onRoom: () => seen.room++,
    onEnd: (cursor, offset) => seen.ends.push(`${cursor.name} ${offset}`),
    onGap: (cursor, from, to) => seen.gaps.push(`${cursor.name} ${from} to ${to}`),
    onCorrupt: cursor => seen.corrupt.push(cursor.name),
  })
  return { queue, seen }
}

function cursorAt(offset: number, partition = 0): Cursor {
  const cursor = new Cursor('t', partition)
  cursor.moveTo(offset)
  return cursor
}

function drain(queue: FetchQueue): string[] {
  const out: string[] = []
  for (let message = queue.take(); message !== null; message = queue.take()) {
    out.push(`${message.partition}/${message.offset}=${String(message.value)}`)
  }
  return out
}

test('messages come out in order, and the position follows', () => {
  const { queue } = queueOf()
  const cursor = cursorAt(5)
  queue.push(cursor, [batch(5, 2), batch(7, 1)], null)
  assert.equal(queue.messages, 3)
  assert.deepEqual(drain(queue), ['0/5=v5', '0/6=v6', '0/7=v7'])
  assert.equal(cursor.position, 8)
  assert.equal(queue.bytes, 0)
  assert.equal(queue.messages, 0)
})

test('partitions take turns, batch by batch', () => {
  const { queue } = queueOf()
  const a = cursorAt(0, 0)
  const b = cursorAt(0, 1)
  queue.push(a, [batch(0, 2), batch(2, 2)], null)
  queue.push(b, [batch(0, 1), batch(1, 1)], null)
  assert.deepEqual(drain(queue), ['0/0=v0', '0/1=v1', '1/0=v0', '0/2=v2', '0/3=v3', '1/1=v1'])
})

test('messages before the position in a fetched batch are skipped', () => {
  const { queue } = queueOf()
  const cursor = cursorAt(3)
  queue.push(cursor, [batch(0, 5)], null)
  assert.deepEqual(drain(queue), ['0/3=v3', '0/4=v4'])
})

test('a compressed batch counts with its decompressed size while it is read', () => {
  const { queue } = queueOf()
  const cursor = cursorAt(0)
  const [compressed] = readBatches(batchBytes(0, ['x'.repeat(10_000), 'y'], { codec: codecByName('gzip') }))
  assert.ok(compressed)
  queue.push(cursor, [compressed], null)
  assert.equal(queue.bytes, compressed.sizeBytes)
  queue.take()
  assert.ok(queue.bytes > 10_000)
  drain(queue)
  assert.equal(queue.bytes, 0)
})

test('a paused partition keeps its messages, holds up no other, and continues where it was', () => {
  const { queue } = queueOf()
  const a = cursorAt(0, 0)
  const b = cursorAt(0, 1)
  queue.push(a, [batch(0, 3)], null)
  queue.push(b, [batch(0, 1)], null)
  assert.equal(queue.take()?.offset, 0)
  queue.pause(a, 0)
  assert.deepEqual(drain(queue), ['1/0=v0'])
  queue.resume(a)
  assert.deepEqual(drain(queue), ['0/1=v1', '0/2=v2'])
})

test('pausing and resuming between messages neither loses nor repeats one', () => {
  const { queue } = queueOf()
  const cursor = cursorAt(0)
  queue.push(cursor, [batch(0, 10)], null)
  const offsets: (number | undefined)[] = []
  for (let i = 0; i < 10; i++) {
    queue.pause(cursor, 0)
    assert.equal(queue.take(), null)
    queue.resume(cursor)
    queue.resume(cursor)
    offsets.push(queue.take()?.offset)
  }
  assert.deepEqual(offsets, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  assert.equal(queue.take(), null)
})

test('when the queue is full, what paused partitions hold is given up and will be fetched again', () => {
  const { queue } = queueOf({ maxBytes: 100 })
  const cursor = cursorAt(0)
  queue.push(cursor, [batch(0, 10)], null)
  cursor.fetchOffset = 10
  queue.take()
  queue.pause(cursor, 0)
  assert.equal(queue.isFull(), true)
  const { question } = cursor
  queue.makeRoom([cursor], false, 0)
  assert.equal(queue.isFull(), false)
  assert.equal(cursor.fetchOffset, 1)
  assert.notEqual(cursor.question, question, 'a fetch under way is outdated')
})

test('a full queue reports when there is room again, not with every batch', () => {
  const one = batch(0, 1).sizeBytes
  const { queue, seen } = queueOf({ maxBytes: one * 8 })
  const cursor = cursorAt(0)
  queue.push(
    cursor,
    Array.from({ length: 8 }, (_, i) => batch(i, 1)),
    null,
  )
  assert.equal(queue.isFull(), true)
  const told: number[] = []
  for (let i = 0; i < 8; i++) {
    queue.take()
    if (seen.room > told.length) told.push(i)
  }
  drain(queue)
  assert.equal(seen.room, 1)
  assert.ok((told[0] ?? 0) >= 2)
})

test('a partition with enough messages reports when it needs more', () => {
  const { queue, seen } = queueOf({ minMessages: 2 })
  const cursor = cursorAt(0)
  queue.push(cursor, [batch(0, 1), batch(1, 1)], null)
  assert.equal(queue.hasEnough(cursor), true)
  queue.take()
  assert.equal(seen.room, 0)
  queue.take()
  assert.equal(seen.room, 1)
  assert.equal(queue.hasEnough(cursor), false)
})

test('the end of a partition is reported after its messages', () => {
  const { queue, seen } = queueOf()
  const cursor = cursorAt(0)
  queue.push(cursor, [batch(0, 1)], new Gap(1, true))
  assert.equal(queue.take()?.offset, 0)
  assert.deepEqual(seen.ends, [])
  assert.equal(queue.take(), null)
  assert.deepEqual(seen.ends, ['t [0] 1'])
})

test('the position gets past what cannot be seen', () => {
  const { queue } = queueOf()
  const cursor = cursorAt(0)
  queue.push(cursor, [batch(0, 1)], new Gap(9, false))
  drain(queue)
  assert.equal(cursor.position, 9)
})

test('what a fetch has brought without a message is reported after the messages before it, once', () => {
  const { queue, seen } = queueOf()
  const cursor = cursorAt(0)
  queue.push(cursor, [batch(0, 1)], new Gap(3, false))
  queue.push(cursor, [], new Gap(5, false))
  queue.push(cursor, [batch(5, 1)], new Gap(6, true))
  queue.push(cursor, [], new Gap(9, false))
  assert.equal(queue.take()?.offset, 0)
  assert.deepEqual(seen.gaps, [])
  assert.equal(queue.take()?.offset, 5)
  assert.deepEqual(seen.gaps, ['t [0] 1 to 3', 't [0] 3 to 5'])
  // The end of the partition is no gap.
  assert.equal(queue.take(), null)
  queue.passGaps(cursor)
  assert.equal(queue.take(), null)
  assert.deepEqual(seen.gaps.slice(2), ['t [0] 6 to 9'])
})

test('what hears of a gap may move the partition', () => {
  const seen: number[] = []
  const cursor = cursorAt(0)
  const queue = new FetchQueue(
    { maxBytes: 1_000_000, minMessages: 100_000, checkCrcs: true, maxBatchBytes: 1_000_000 },
    {
      onReady: () => undefined,
      onRoom: () => undefined,
      onEnd: () => assert.fail('it has moved away from its end'),
      onGap: (_, from) => {
        seen.push(from)
        queue.forget(cursor)
        cursor.moveTo(7)
      },
      onCorrupt: () => assert.fail('nothing is corrupt'),
    },
  )
  for (const passing of [() => queue.passGaps(cursor), () => void queue.take()]) {
    cursor.moveTo(0)
    queue.push(cursor, [], new Gap(3, false))
    queue.push(cursor, [batch(3, 1)], new Gap(5, false))
    passing()
    assert.deepEqual([cursor.position, queue.take(), queue.bytes], [7, null, 0])
  }
  assert.deepEqual(seen, [0, 0])
})

test('what is forgotten does not come out, and its bytes are free', () => {
  const { queue } = queueOf()
  const a = cursorAt(0, 0)
  const b = cursorAt(0, 1)
  queue.push(a, [batch(0, 3), batch(3, 3)], null)
  queue.push(b, [batch(0, 1)], null)
  queue.take()
  queue.forget(a)
  a.moveTo(100)
  assert.deepEqual(drain(queue), ['1/0=v0'])
  queue.push(a, [batch(100, 1)], null)
  assert.deepEqual(drain(queue), ['0/100=v100'])
  assert.equal(queue.bytes, 0)
})

test('a corrupt batch is reported, and the cursor stands before it', () => {
  const { queue, seen } = queueOf()
  const cursor = cursorAt(0)
  const bytes = batchBytes(1, ['damaged'])
  bytes[bytes.length - 2] = (bytes[bytes.length - 2] ?? 0) ^ 0xff
  queue.push(cursor, [batch(0, 1), ...readBatches(bytes)], null)
  cursor.fetchOffset = 2
  assert.deepEqual(drain(queue), ['0/0=v0'])
  assert.deepEqual(seen.corrupt, ['t [0]'])
  assert.equal(cursor.fetchOffset, 1)
  assert.equal(queue.bytes, 0)
})

test('a batch of messages spans fetched batches of one partition', () => {
  const { queue } = queueOf()
  const cursor = cursorAt(1)
  queue.push(cursor, [batch(0, 3), batch(3, 2)], null)
  const taken = queue.takeBatch(100, 1_000_000)
  assert.ok(taken)
  const messages = new MessageBatch(taken, null)
  assert.equal(messages.length, 4)
  assert.equal(messages.firstOffset, 1)
  assert.equal(messages.lastOffset, 4)
  assert.deepEqual(
    [...messages].map(m => m.offset),
    [1, 2, 3, 4],
  )
  assert.deepEqual(
    [...messages].map(m => String(m.value)),
    ['v1', 'v2', 'v3', 'v4'],
    'it can be gone through again',
  )
  assert.equal(messages.messages.length, 4)
  assert.equal(cursor.position, 5)
  assert.equal(queue.bytes, 0)
})

test('a batch of messages is cut where the application wants no more', () => {
  const { queue } = queueOf()
  const cursor = cursorAt(0)
  queue.push(cursor, [batch(0, 5)], null)
  const sizes: number[][] = []
  for (let taken = queue.takeBatch(2, 1_000_000); taken !== null; taken = queue.takeBatch(2, 1_000_000)) {
    sizes.push([...new MessageBatch(taken, null)].map(m => m.offset))
  }
  assert.deepEqual(sizes, [[0, 1], [2, 3], [4]])
})

test('messages taken one by one and as batches are each taken once', () => {
  const { queue } = queueOf()
  const cursor = cursorAt(0)
  queue.push(cursor, [batch(0, 4), batch(4, 2)], null)
  assert.equal(queue.take()?.offset, 0)
  const taken = queue.takeBatch(2, 1_000_000)
  assert.ok(taken)
  assert.deepEqual(
    [...new MessageBatch(taken, null)].map(m => m.offset),
    [1, 2],
  )
  assert.deepEqual(drain(queue), ['0/3=v3', '0/4=v4', '0/5=v5'])
})

test('a gap that comes next is passed without a call, and is stored with what is before it', () => {
  const { queue } = queueOf()
  const cursor = cursorAt(0)
  queue.push(cursor, [batch(0, 2)], new Gap(9, false, 4))
  queue.push(cursor, [], new Gap(12, false, 5))
  queue.take()
  queue.passGaps(cursor)
  assert.equal(cursor.position, 1)
  const last = queue.take()
  queue.passGaps(cursor)
  assert.equal(cursor.position, 12)
  assert.equal(queue.bytes, 0)
  assert.equal(cursor.offsets.pending(), null)
  cursor.offsets.store(2, 0, last?.era)
  assert.deepEqual(cursor.offsets.pending(), { offset: 12, leaderEpoch: 5, metadata: null })
})

test('passing gaps of one partition leaves the one that is being read alone', () => {
  const { queue } = queueOf()
  const [a, b] = [cursorAt(0, 0), cursorAt(0, 1)]
  queue.push(a, [batch(0, 1)], null)
  queue.push(b, [], new Gap(7, false))
  queue.push(a, [batch(1, 2)], null)
  assert.equal(queue.take()?.offset, 0)
  queue.passGaps(b)
  assert.equal(b.position, 7)
  assert.deepEqual(drain(queue), ['0/1=v1', '0/2=v2'])
  assert.equal(queue.take(), null)
})

test('the end of a partition is not passed without a report', () => {
  const { queue, seen } = queueOf()
  const cursor = cursorAt(0)
  queue.push(cursor, [], new Gap(3, false))
  queue.push(cursor, [], new Gap(3, true))
  queue.passGaps(cursor)
  assert.equal(cursor.position, 3)
  assert.deepEqual(seen.ends, [])
  assert.equal(queue.take(), null)
  assert.deepEqual(seen.ends, ['t [0] 3'])
})

test('a batch from before a move is stale with all its messages, also those created later', () => {
  const { queue } = queueOf()
  const cursor = cursorAt(0)
  queue.push(cursor, [batch(0, 3)], null)
  const taken = queue.takeBatch(10, 1_000_000)
  assert.ok(taken)
  cursor.moveTo(1)
  const [first, second] = new MessageBatch(taken, null).messages
  assert.deepEqual(
    [first, second].map(message => originOf(message as object)?.isStale),
    [true, true],
  )
})

test('a batch says none, or how far it is processed, the compacted end counting with its last message', () => {
  const { queue } = queueOf({ checkCrcs: false })
  const cursor = cursorAt(0)
  const bytes = batchBytes(0, ['a', 'b', 'c'])
  bytes.writeInt32BE(9, 23) // lastOffsetDelta: what was behind the third is compacted away
  queue.push(cursor, readBatches(bytes), null)
  const taken = queue.takeBatch(10, 1_000_000)
  assert.ok(taken)
  const made = new MessageBatch(taken, null)
  const [, second, third] = made.messages
  assert.ok(second && third)
  assert.equal(made.nextOffset, 10)
  made.markProcessed(null)
  assert.equal(made.nextOffset, null)
  made.markProcessed(second)
  made.markProcessed(null)
  assert.equal(made.nextOffset, 2)
  made.markProcessed(third)
  assert.equal(made.nextOffset, 10)
})

/** What is taken from there on, and the batches that it was in. */
function takeAll(queue: FetchQueue, from: number): RecordBatch[] {
  const taken: FetchedMessage[] = []
  for (let message = queue.take(); message !== null; message = queue.take()) {
    if (message.offset >= from) taken.push(message)
  }
  return batchesOf(taken)
}

test('what is put back comes again, in order and once, and is counted', () => {
  const { queue, seen } = queueOf()
  const cursor = cursorAt(0)
  queue.push(cursor, [batch(0, 3), batch(3, 3)], new Gap(8, false))
  queue.push(cursor, [batch(8, 2)], new Gap(10, true))
  cursor.fetchOffset = 10
  const { bytes, messages } = queue
  const { question } = cursor
  const taken = takeAll(queue, 2)
  assert.equal(cursor.position, 10)
  queue.putBack(cursor, 2, taken)
  assert.equal(cursor.position, 2)
  assert.deepEqual([queue.bytes, queue.messages], [bytes, messages])
  queue.push(cursor, [batch(10, 1)], null)
  assert.deepEqual(drain(queue), ['0/2=v2', '0/3=v3', '0/4=v4', '0/5=v5', '0/8=v8', '0/9=v9', '0/10=v10'])
  assert.deepEqual([queue.bytes, queue.messages], [0, 0])
  // Nothing is fetched again for it.
  assert.deepEqual([cursor.question, cursor.fetchOffset], [question, 10])
  assert.deepEqual(seen.ends, ['t [0] 10'])
})

test('a batch that is being read is put back with what was taken of it and of those before', () => {
  const { queue } = queueOf()
  const cursor = cursorAt(0)
  const [compressed] = readBatches(batchBytes(3, ['v3', 'v4', 'v5'], { codec: codecByName('gzip') }))
  assert.ok(compressed)
  queue.push(cursor, [batch(0, 3), compressed, batch(6, 1)], null)
  const { bytes } = queue
  const taken = Array.from({ length: 5 }, () => queue.take() as FetchedMessage)
  queue.putBack(cursor, 1, batchesOf(taken))
  assert.equal(queue.bytes, bytes)
  assert.deepEqual(drain(queue), ['0/1=v1', '0/2=v2', '0/3=v3', '0/4=v4', '0/5=v5', '0/6=v6'])
  assert.equal(queue.bytes, 0)
})

test('what was put back of a partition that was fetched again meanwhile comes once', () => {
  const { queue } = queueOf()
  const cursor = cursorAt(0)
  queue.push(cursor, [batch(0, 6)], null)
  const taken = [queue.take() as FetchedMessage, queue.take() as FetchedMessage]
  queue.forget(cursor)
  cursor.rewind()
  queue.push(cursor, [batch(0, 6)], null)
  queue.putBack(cursor, 1, batchesOf(taken))
  assert.deepEqual(drain(queue), ['0/1=v1', '0/2=v2', '0/3=v3', '0/4=v4', '0/5=v5'])
  assert.equal(queue.bytes, 0)
})

test('what is put back of a paused partition waits for its end', () => {
  const { queue } = queueOf()
  const cursor = cursorAt(0)
  queue.push(cursor, [batch(0, 2)], null)
  const taken = takeAll(queue, 0)
  queue.pause(cursor, 0)
  queue.putBack(cursor, 0, taken)
  assert.equal(queue.take(), null)
  queue.resume(cursor)
  assert.deepEqual(drain(queue), ['0/0=v0', '0/1=v1'])
})
