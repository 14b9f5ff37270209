import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BatchReader, BatchWriter } from '@ottla/protocol'
import fc from 'fast-check'
import {
  asInt64,
  readInt64,
  setBaseOffset,
  setLogAppendTime,
  setPartitionLeaderEpoch,
  writeInt16,
  writeInt64,
} from '../../src/record/batch-header.ts'

test('64 bits of every safe integer come back, negative ones too', () => {
  const bytes = Buffer.alloc(10)
  fc.assert(
    fc.property(fc.maxSafeInteger(), value => {
      writeInt64(bytes, 1, value)
      assert.deepEqual([readInt64(bytes, 1), bytes.readBigInt64BE(1)], [value, BigInt(value)])
      assert.deepEqual([bytes[0], bytes[9]], [0, 0])
    }),
  )
})

test('a negative number has 16 bits as well', () => {
  const bytes = Buffer.alloc(2)
  writeInt16(bytes, 0, -2)
  assert.equal(bytes.readInt16BE(0), -2)
})

test('a number beyond int64 becomes its nearest end, and a fraction is cut off', () => {
  const values = [2 ** 63, Infinity, -(2 ** 63), -Infinity, 2 ** 62, -1.5]
  const [last, first] = [2n ** 63n - 1n, -(2n ** 63n)]
  assert.deepEqual(
    values.map(value => asInt64(value)),
    [last, last, first, first, 2n ** 62n, -1n],
  )
})

test('a stamped batch is valid, and the batch before it is as it was', () => {
  const batches = [1, 2].map(() => {
    const writer = new BatchWriter()
    writer.append(null, 'v', null, 5)
    return Buffer.from(writer.seal({}))
  })
  const at = batches[0]?.length ?? 0
  const log = Buffer.concat(batches)
  setBaseOffset(log, at, 7)
  setPartitionLeaderEpoch(log, at, 3)
  setLogAppendTime(log, at, 99)
  assert.deepEqual(log.subarray(0, at), batches[0])
  const reader = new BatchReader(log)
  reader.next()
  const stamped = reader.next()
  assert.deepEqual([stamped?.baseOffset, stamped?.maxTimestamp, stamped?.isCrcValid()], [7, 99, true])
})
