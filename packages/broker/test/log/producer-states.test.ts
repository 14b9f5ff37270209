import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode, type RecordBatch } from '@ottla/protocol'
import { PartitionLog, type Appended } from '../../src/log/log.ts'
import type { Refusal } from '../../src/log/validation.ts'
import { batchOf } from '../batches.ts'

const options = {
  leaderEpoch: 0,
  maxMessageBytes: 10_000,
  codec: null,
  strictSequences: false,
  logAppendTime: null,
  needsKeys: false,
  oldestTimestamp: -Infinity,
  newestTimestamp: Infinity,
}

function stamped(baseSequence: number, producerEpoch = 0, isTransactional = false): RecordBatch {
  return batchOf(2, { producerId: 9n, producerEpoch, baseSequence, isTransactional })
}

function append(log: PartitionLog, ...args: Parameters<typeof stamped>): Appended | Refusal {
  return log.append(stamped(...args), options)
}

function offsetOf(outcome: Appended | Refusal): number {
  return 'baseOffset' in outcome ? outcome.baseOffset : -outcome.errorCode
}

test('a duplicate of one of the last five batches is acknowledged again but not written', () => {
  const log = new PartitionLog()
  for (let i = 0; i < 7; i++) append(log, 2 * i)
  for (let i = 2; i < 7; i++) assert.equal(offsetOf(append(log, 2 * i)), 2 * i)
  assert.equal(log.highWatermark, 14)
  assert.equal(offsetOf(append(log, 2)), -ErrorCode.ERR_OUT_OF_ORDER_SEQUENCE_NUMBER)
})

test('a gap in the sequence is refused', () => {
  const log = new PartitionLog()
  append(log, 0)
  assert.equal(offsetOf(append(log, 4)), -ErrorCode.ERR_OUT_OF_ORDER_SEQUENCE_NUMBER)
  assert.equal(offsetOf(append(log, 2)), 2)
})

test('an unknown producer may start with any sequence number', () => {
  const log = new PartitionLog()
  assert.equal(offsetOf(append(log, 70)), 0)
  assert.equal(offsetOf(append(log, 72)), 2)
})

test('sequence numbers wrap to 0 after the largest', () => {
  const log = new PartitionLog()
  assert.equal(offsetOf(append(log, 2 ** 31 - 1)), 0)
  assert.equal(offsetOf(append(log, 1)), 2)
  assert.equal(offsetOf(append(log, 2 ** 31 - 1)), 0)
})

test('a new epoch starts at 0 and fences the old one', () => {
  const log = new PartitionLog()
  append(log, 0)
  assert.equal(offsetOf(append(log, 2, 1)), -ErrorCode.ERR_OUT_OF_ORDER_SEQUENCE_NUMBER)
  assert.equal(offsetOf(append(log, 0, 1)), 2)
  assert.equal(offsetOf(append(log, 2, 0)), -ErrorCode.ERR_INVALID_PRODUCER_EPOCH)
})

test('a transaction holds the last stable offset back until its marker', () => {
  const log = new PartitionLog()
  append(log, 0, 0, true)
  log.append(batchOf(3), options)
  assert.equal(log.lastStableOffset, 0)
  assert.equal(offsetOf(append(log, 2, 0, false)), -ErrorCode.ERR_INVALID_TXN_STATE)
  const end = { producerId: 9n, coordinatorEpoch: 0, leaderEpoch: 0, timestamp: 5000 }
  assert.equal(log.mark({ ...end, producerEpoch: 0, commit: false }), null)
  assert.equal(log.lastStableOffset, 6)
  assert.deepEqual(log.abortedBetween(0, 6), [{ producerId: 9n, firstOffset: 0, lastOffset: 5 }])
  assert.deepEqual(log.abortedBetween(6, 6), [])
})

test('a marker with a new epoch fences the old one; markers of an older epoch or coordinator are refused', () => {
  const log = new PartitionLog()
  append(log, 0, 3, true)
  const end = { producerId: 9n, leaderEpoch: 0, timestamp: 5000, commit: true }
  assert.equal(log.mark({ ...end, producerEpoch: 4, coordinatorEpoch: 2 }), null)
  assert.equal(offsetOf(append(log, 2, 3, true)), -ErrorCode.ERR_INVALID_PRODUCER_EPOCH)
  assert.equal(offsetOf(append(log, 0, 4, true)), 3)
  const old = log.mark({ ...end, producerEpoch: 3, coordinatorEpoch: 2 })
  assert.equal(old?.errorCode, ErrorCode.ERR_INVALID_PRODUCER_EPOCH)
  const zombie = log.mark({ ...end, producerEpoch: 4, coordinatorEpoch: 1 })
  assert.equal(zombie?.errorCode, ErrorCode.ERR_TRANSACTION_COORDINATOR_FENCED)
})

test('the states rebuilt from batches are the same as before', () => {
  const log = new PartitionLog()
  append(log, 0, 0, true)
  log.mark({ producerId: 9n, producerEpoch: 1, commit: false, coordinatorEpoch: 4, leaderEpoch: 0, timestamp: 5000 })
  append(log, 0, 1, true)
  const copy = new PartitionLog()
  copy.restore(log.batches, log.startOffset, log.highWatermark)
  assert.deepEqual([...copy.producers.all()], [...log.producers.all()])
  assert.equal(copy.lastStableOffset, 3)
  assert.deepEqual(copy.abortedBetween(0, 5), log.abortedBetween(0, 5))
})

test('an idle producer is forgotten unless it has an open transaction', () => {
  const log = new PartitionLog()
  append(log, 0)
  log.append(batchOf(1, { producerId: 10n, producerEpoch: 0, baseSequence: 0, isTransactional: true }), options)
  log.producers.expire(1_000_000)
  assert.deepEqual(
    [...log.producers.all()].map(({ producerId }) => producerId),
    [10n],
  )
})
