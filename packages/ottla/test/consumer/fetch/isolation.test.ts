import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeControlBatch, type RecordBatch } from '@ottla/protocol'
import { visibleBatches } from '../../../src/consumer/fetch/isolation.ts'
import { batch, readBatches } from '../batches.ts'

function transactional(baseOffset: number, count: number, producerId: bigint): RecordBatch {
  return batch(baseOffset, count, { producerId, producerEpoch: 0, baseSequence: 0, isTransactional: true })
}

function marker(baseOffset: number, type: 'abort' | 'commit', producerId: bigint): RecordBatch {
  const bytes = encodeControlBatch({
    type,
    producerId,
    producerEpoch: 0,
    coordinatorEpoch: 0,
    timestamp: 0,
    baseOffset,
  })
  return readBatches(bytes)[0] as RecordBatch // it holds one
}

function offsets(batches: readonly RecordBatch[]): number[] {
  return batches.map(b => b.baseOffset)
}

test('under read_uncommitted everything but markers is seen', () => {
  const batches = [batch(0, 2), transactional(2, 2, 7n), marker(4, 'abort', 7n), batch(5, 1)]
  assert.deepEqual(offsets(visibleBatches(batches, null)), [0, 2, 5])
})

test('batches of an aborted transaction are left out, up to its marker', () => {
  const batches = [transactional(0, 2, 7n), marker(2, 'abort', 7n), transactional(3, 2, 7n), marker(5, 'commit', 7n)]
  assert.deepEqual(offsets(visibleBatches(batches, [{ producerId: 7n, firstOffset: 0 }])), [3])
})

test('other producers, and batches without a transaction, are seen in between', () => {
  const batches = [
    transactional(0, 1, 7n),
    transactional(1, 1, 8n),
    batch(2, 1),
    transactional(3, 1, 7n),
    marker(4, 'abort', 7n),
  ]
  assert.deepEqual(offsets(visibleBatches(batches, [{ producerId: 7n, firstOffset: 0 }])), [1, 2])
})

test('an aborted transaction that began before the fetch is left out from its first batch on', () => {
  const batches = [transactional(10, 1, 7n), marker(11, 'abort', 7n)]
  assert.deepEqual(offsets(visibleBatches(batches, [{ producerId: 7n, firstOffset: 3 }])), [])
})

test('one producer may abort several transactions, named in any order', () => {
  const batches = [
    transactional(0, 1, 7n),
    marker(1, 'abort', 7n),
    transactional(2, 1, 7n),
    marker(3, 'commit', 7n),
    transactional(4, 1, 7n),
    marker(5, 'abort', 7n),
  ]
  const aborted = [
    { producerId: 7n, firstOffset: 4 },
    { producerId: 7n, firstOffset: 0 },
  ]
  assert.deepEqual(offsets(visibleBatches(batches, aborted)), [2])
})
