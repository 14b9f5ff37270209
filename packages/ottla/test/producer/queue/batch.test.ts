import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eachRecord, SEQUENCES, splitBatch, withoutReported, type Batch } from '../../../src/producer/queue/batch.ts'
import { makeBatch } from '../queues.ts'

function valuesOf(batch: Batch): string[] {
  const values: string[] = []
  eachRecord(batch, (_, _sink, { value }) => values.push(String(value)))
  return values
}

test('halves have the messages, numbers and bytes of the whole', () => {
  const batch = makeBatch(10, 5)
  const { queuedBytes } = batch
  const [first, second] = splitBatch(batch, 2)
  assert.deepEqual(
    [valuesOf(first), valuesOf(second)],
    [
      ['10', '11'],
      ['12', '13', '14'],
    ],
  )
  assert.deepEqual([first.baseMsgid, second.baseMsgid], [10, 12])
  assert.equal(first.queuedBytes + second.queuedBytes, queuedBytes)
  assert.deepEqual([first.entries.acceptedAt(1), second.entries.acceptedAt(0)], [1, 2])
  assert.deepEqual([batch.isSettled, first.isDue, second.isDue], [true, true, true])
})

test('what is left of a batch has the numbers, times, sequence and doubts of its messages', () => {
  const batch = makeBatch(10, 5)
  batch.stamp = { producerId: 7n, producerEpoch: 1, isTransactional: false, baseSequence: 3 }
  batch.wasInDoubt = true
  batch.reported = 2
  const { queuedBytes } = batch
  const rest = withoutReported(batch)
  assert.deepEqual(valuesOf(rest), ['12', '13', '14'])
  assert.deepEqual([rest.baseMsgid, rest.stamp?.baseSequence, rest.reported], [12, 5, 0])
  assert.deepEqual([rest.entries.acceptedAt(0), rest.unpersisted], [2, 'possibly-persisted'])
  assert.equal(batch.queuedBytes + rest.queuedBytes, queuedBytes)
})

test('halves know which of their messages have been reported', () => {
  for (const [reported, first, second] of [
    [0, 0, 0],
    [1, 1, 0],
    [2, 2, 0],
    [4, 2, 2],
  ] as const) {
    const batch = makeBatch(0, 5)
    batch.reported = reported
    const halves = splitBatch(batch, 2)
    assert.deepEqual(
      halves.map(half => half.reported),
      [first, second],
    )
  }
})

test('a batch is fixed while a broker may have it under its sequence number', () => {
  const batch = makeBatch(0)
  batch.doubt = 'possibly-persisted'
  assert.equal(batch.isFixed, false)
  batch.stamp = { producerId: 7n, producerEpoch: 1, isTransactional: false, baseSequence: 0 }
  assert.equal(batch.isFixed, true)
  batch.doubt = 'not-persisted'
  assert.equal(batch.isFixed, false)
})

test('the sequence of the second half wraps around like any other', () => {
  const batch = makeBatch(0, 3)
  batch.stamp = { producerId: 7n, producerEpoch: 1, isTransactional: false, baseSequence: SEQUENCES - 1 }
  const [first, second] = splitBatch(batch, 2)
  assert.deepEqual([first.stamp?.baseSequence, second.stamp?.baseSequence], [SEQUENCES - 1, 1])
})

test('a batch that was ever in doubt is possibly persisted when it is given up', () => {
  const batch = makeBatch(0)
  assert.equal(batch.unpersisted, 'not-persisted')
  batch.wasInDoubt = true
  assert.equal(batch.unpersisted, 'possibly-persisted')
  assert.equal(splitBatch(makeBatch(0, 2), 1)[0].unpersisted, 'not-persisted')
})

test('sealing again gives the same bytes until the stamp changes', () => {
  const batch = makeBatch(0)
  const plain = batch.seal(null, -1)
  assert.equal(batch.seal(null, -1), plain)
  batch.stamp = { producerId: 7n, producerEpoch: 1, isTransactional: false, baseSequence: 5 }
  assert.equal(batch.seal(null, -1).readInt32BE(53), 5)
})
