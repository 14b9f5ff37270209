import { test } from 'node:test'
import assert from 'node:assert/strict'
import {
  findLatest,
  findRecord,
  indexOf,
  indexOfOrder,
  storedBatch,
  type StoredBatch,
} from '../../src/log/stored-batch.ts'
import { batchBytes } from '../batches.ts'

/** A batch with the given offsets; the records’ bytes are not looked at. */
function range(baseOffset: number, lastOffset: number, order: number): StoredBatch {
  return storedBatch(Buffer.alloc(0), { baseOffset, lastOffset, maxTimestamp: 0, leaderEpoch: 0, order })
}

const batches = [range(0, 4, 10), range(5, 5, 11), range(9, 12, 20)]

test('a batch is found by an offset that it holds, and by one in the gap before it', () => {
  assert.deepEqual(
    [0, 4, 5, 6, 8, 9, 12].map(offset => indexOf(batches, offset)),
    [0, 0, 1, 2, 2, 2, 2],
  )
  assert.equal(indexOf(batches, 13), 3)
  assert.equal(indexOf([], 0), 0)
})

test('the first batch at or after a place in the order of all logs is found', () => {
  assert.deepEqual(
    [0, 10, 11, 12, 20, 21].map(order => indexOfOrder(batches, order)),
    [0, 0, 1, 2, 2, 3],
  )
})

test('batches are ordered as they were made, unless they replace others', () => {
  const facts = { baseOffset: 0, lastOffset: 0, maxTimestamp: 0, leaderEpoch: 0 }
  const [first, second] = [storedBatch(Buffer.alloc(0), facts), storedBatch(Buffer.alloc(0), facts)]
  assert.ok(first.order < second.order)
  assert.equal(storedBatch(Buffer.alloc(0), first).order, first.order)
})

test('records before an offset are not found, the first of equal timestamps is', () => {
  const bytes = batchBytes(3)
  const stored = storedBatch(bytes, { baseOffset: 0, lastOffset: 2, maxTimestamp: 1002, leaderEpoch: 7 })
  assert.deepEqual(
    findRecord(stored, time => time >= 1000, 1),
    { offset: 1, timestamp: 1001, leaderEpoch: 7 },
  )
  assert.equal(
    findRecord(stored, time => time > 1002, 0),
    null,
  )
  assert.equal(findLatest(stored, 0)?.offset, 2)
  assert.equal(findLatest(stored, 3), null)
})
