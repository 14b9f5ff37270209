import { test } from 'node:test'
import assert from 'node:assert/strict'
import { BatchWriter, ErrorCode, codecByName, crc32c } from '@ottla/protocol'
import { PartitionLog, type AppendOptions } from '../../src/log/log.ts'
import { readBatch, type Refusal } from '../../src/log/validation.ts'
import { batchBytes, batchOf, readBack } from '../batches.ts'

const options: AppendOptions = {
  leaderEpoch: 3,
  maxMessageBytes: 10_000,
  codec: null,
  strictSequences: false,
  logAppendTime: null,
  needsKeys: false,
  oldestTimestamp: -Infinity,
  newestTimestamp: Infinity,
}

function codeOf(outcome: object | null): number {
  return outcome !== null && 'errorCode' in outcome ? (outcome as Refusal).errorCode : 0
}

test('batches get the next offsets and the leader epoch', () => {
  const log = new PartitionLog()
  assert.deepEqual(log.append(batchOf(3), options), { baseOffset: 0, logAppendTime: -1, logStartOffset: 0 })
  const second = log.append(batchOf(2, { codec: codecByName('gzip') }), options)
  assert.equal('baseOffset' in second && second.baseOffset, 3)
  assert.equal(log.highWatermark, 5)
  const [bytes] = log.read(4, 1, false).chunks
  assert.ok(bytes)
  const read = readBack(bytes)
  assert.equal(read.baseOffset, 3)
  assert.equal(read.partitionLeaderEpoch, 3)
  assert.equal(read.isCrcValid(), true)
})

test('a read keeps to its limit, except for the first batch', () => {
  const log = new PartitionLog()
  for (let i = 0; i < 3; i++) log.append(batchOf(1), options)
  assert.equal(log.read(0, 1, false).chunks.length, 1)
  assert.equal(log.read(0, 1, true).chunks.length, 0)
  const all = log.read(0, 100_000, false)
  assert.equal(all.chunks.length, 3)
  assert.equal(all.endOffset, 3)
  assert.equal(log.read(0, 100_000, false, 2).chunks.length, 2)
})

test('a request has exactly one complete batch of magic 2 for a partition', () => {
  const code = (bytes: Uint8Array | null, version = 9): number => codeOf(readBatch(bytes, version))
  assert.equal(code(null), ErrorCode.ERR_INVALID_RECORD)
  assert.equal(code(Buffer.from('garbage')), ErrorCode.ERR_INVALID_RECORD)
  assert.equal(code(Buffer.alloc(100, 7)), ErrorCode.ERR_INVALID_MSG)
  assert.equal(code(Buffer.concat([batchBytes(1), batchBytes(1)])), ErrorCode.ERR_INVALID_RECORD)
  assert.equal(code(batchBytes(1)), 0)
})

test('zstd is accepted from version 7 of Produce on', async () => {
  await codecByName('zstd').ready()
  const bytes = batchBytes(5, { codec: codecByName('zstd') })
  assert.equal(codeOf(readBatch(bytes, 6)), ErrorCode.ERR_UNSUPPORTED_COMPRESSION_TYPE)
  assert.equal(codeOf(readBatch(bytes, 7)), 0)
})

test('corrupt, oversized and malformed batches are refused and leave nothing behind', () => {
  const log = new PartitionLog()
  const corrupt = batchBytes(2)
  corrupt[corrupt.length - 1] = (corrupt.at(-1) ?? 0) ^ 1
  assert.equal(codeOf(log.append(readBack(corrupt), options)), ErrorCode.ERR_INVALID_MSG)
  const small = { ...options, maxMessageBytes: 70 }
  assert.equal(codeOf(log.append(batchOf(2), small)), ErrorCode.ERR_MSG_SIZE_TOO_LARGE)
  const stamped = batchOf(1, { producerId: 1n, producerEpoch: 0, baseSequence: -1 })
  assert.equal(codeOf(log.append(stamped, options)), ErrorCode.ERR_INVALID_RECORD)
  assert.equal(log.highWatermark, 0)
})

test('records without a key and records with invalid timestamps are named', () => {
  const log = new PartitionLog()
  const writer = new BatchWriter()
  writer.append('k', 'v', null, 5)
  writer.append(null, 'v', null, 50)
  const batch = readBack(Buffer.from(writer.seal({})))
  const keyless = log.append(batch, { ...options, needsKeys: true })
  assert.equal(codeOf(keyless), ErrorCode.ERR_INVALID_RECORD)
  assert.deepEqual(
    (keyless as Refusal).records?.map(({ index }) => index),
    [1],
  )
  const late = log.append(batch, { ...options, newestTimestamp: 40 })
  assert.equal(codeOf(late), ErrorCode.ERR_INVALID_TIMESTAMP)
  assert.deepEqual(
    (late as Refusal).records?.map(({ index }) => index),
    [1],
  )
})

test('a batch is compressed as its topic demands', () => {
  const log = new PartitionLog()
  const gzip = codecByName('gzip')
  for (const codec of [gzip, codecByName('none'), null]) {
    for (const seal of [{}, { codec: codecByName('lz4') }, { codec: gzip }]) {
      log.append(batchOf(100, seal), { ...options, codec })
      const stored = readBack(log.batches.at(-1)?.bytes ?? assert.fail())
      assert.equal(stored.codecId, codec?.id ?? seal.codec?.id ?? 0)
      assert.ok(stored.isCrcValid())
      const cursor = stored.records()
      while (cursor.next()) assert.equal(cursor.value()?.toString(), `value-${cursor.offset - stored.baseOffset}`)
      assert.equal(cursor.offset, stored.lastOffset)
    }
  }
})

test('offsets are found by timestamp', () => {
  const log = new PartitionLog()
  log.append(batchOf(3, {}, 1000), options)
  log.append(batchOf(3, {}, 2000), options)
  assert.equal(log.firstAt(1002)?.offset, 2)
  assert.equal(log.firstAt(1500)?.offset, 3)
  assert.equal(log.firstAt(9999), null)
  assert.deepEqual(log.latestTimestamp(), { offset: 5, timestamp: 2002, leaderEpoch: 3 })
})

test('the end of a leader epoch is known, unless the epoch is', () => {
  const log = new PartitionLog()
  assert.deepEqual(log.endOfEpoch(0, 4), { leaderEpoch: 0, endOffset: 0 })
  for (const leaderEpoch of [2, 2, 5]) log.append(batchOf(2), { ...options, leaderEpoch })
  assert.deepEqual(log.endOfEpoch(2, 7), { leaderEpoch: 2, endOffset: 4 })
  assert.deepEqual(log.endOfEpoch(4, 7), { leaderEpoch: 2, endOffset: 4 })
  assert.deepEqual(log.endOfEpoch(5, 7), { leaderEpoch: 5, endOffset: 6 })
  assert.deepEqual(log.endOfEpoch(7, 7), { leaderEpoch: 7, endOffset: 6 })
  assert.deepEqual(log.endOfEpoch(8, 7), { leaderEpoch: -1, endOffset: -1 })
  assert.deepEqual(log.endOfEpoch(1, 7), { leaderEpoch: 1, endOffset: 0 })
})

test('records before a deleted offset are gone', () => {
  const log = new PartitionLog()
  log.append(batchOf(3), options)
  log.append(batchOf(3), options)
  assert.equal(log.deleteBefore(4), 4)
  assert.equal(log.startOffset, 4)
  assert.equal(log.read(4, 100, false).chunks.length, 1)
})

test('truncation removes whole batches, and the producers’ states that came from them', () => {
  const log = new PartitionLog()
  const stamp = (baseSequence: number) => batchOf(2, { producerId: 9n, producerEpoch: 0, baseSequence })
  for (const sequence of [0, 2, 4]) log.append(stamp(sequence), options)
  log.truncateTo(3)
  assert.equal(log.highWatermark, 2)
  assert.equal(codeOf(log.append(stamp(4), options)), ErrorCode.ERR_OUT_OF_ORDER_SEQUENCE_NUMBER)
  assert.equal(codeOf(log.append(stamp(2), options)), 0)
  assert.equal(log.highWatermark, 4)
})

test('the highest timestamp is found even where a number cannot tell them apart', () => {
  const log = new PartitionLog()
  for (const last of [1n, 3n, 2n]) {
    const bytes = batchBytes(1, {}, 1.7e18)
    const time = 1_700_000_000_000_000_000n + last
    bytes.writeBigInt64BE(time, 27)
    bytes.writeBigInt64BE(time, 35)
    bytes.writeUInt32BE(crc32c(bytes, 21, bytes.length), 17)
    log.append(readBack(bytes), options)
  }
  assert.deepEqual(log.latestTimestamp(), { offset: 1, timestamp: 1.7e18, leaderEpoch: 3 })
})
