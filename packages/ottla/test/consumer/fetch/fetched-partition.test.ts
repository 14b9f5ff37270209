import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProtocolError } from '@ottla/protocol'
import { Gap } from '../../../src/consumer/partition/queued.ts'
import { readPartition } from '../../../src/consumer/fetch/fetched-partition.ts'
import { batchBytes } from '../batches.ts'

test('batches that end before the offset of the request are left out', () => {
  const bytes = Buffer.concat([batchBytes(0, ['a', 'b']), batchBytes(2, ['c', 'd'])])
  const fetched = readPartition(bytes, 3, null)
  assert.deepEqual(
    fetched.batches.map(b => b.baseOffset),
    [2],
  )
  assert.equal(fetched.nextOffset, 4)
  assert.equal(fetched.gap(), null)
})

test('a batch that is cut off at the end waits for the next fetch', () => {
  const second = batchBytes(1, ['b'])
  const bytes = Buffer.concat([batchBytes(0, ['a']), second.subarray(0, second.length - 3)])
  const fetched = readPartition(bytes, 0, null)
  assert.equal(fetched.nextOffset, 1)
  assert.equal(fetched.neededBytes, 0)
})

test('when not even the first batch is whole, it says how many bytes that takes', () => {
  const bytes = batchBytes(0, ['a'.repeat(1000)])
  const fetched = readPartition(bytes.subarray(0, 200), 0, null)
  assert.equal(fetched.nextOffset, 0)
  assert.equal(fetched.neededBytes, bytes.length)
})

test('nothing fetched leaves the offset where it was', () => {
  for (const records of [null, Buffer.alloc(0)]) {
    const fetched = readPartition(records, 7, null)
    assert.equal(fetched.nextOffset, 7)
    assert.equal(fetched.gap(), null)
  }
})

test('what an aborted transaction leaves behind is passed over', () => {
  const bytes = batchBytes(0, ['a'], { producerId: 7n, producerEpoch: 0, baseSequence: 0, isTransactional: true })
  const fetched = readPartition(bytes, 0, [{ producerId: 7n, firstOffset: 0 }])
  assert.deepEqual(fetched.batches, [])
  assert.deepEqual(fetched.gap(), new Gap(1, false))
})

test('bytes that are no batch are refused', () => {
  assert.throws(() => readPartition(Buffer.alloc(100, 0xee), 0, null), ProtocolError)
})
