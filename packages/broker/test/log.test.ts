import { test } from 'node:test'
import assert from 'node:assert/strict'
import { BatchReader, BatchWriter, ErrorCode, codecByName } from '@ottla/protocol'
import { PartitionLog } from '../src/log.ts'
import { ProducerStates } from '../src/producer-states.ts'

const options = { leaderEpoch: 3, maxMessageBytes: 10_000, logAppendTime: null, needsKeys: false }

function batch(count: number, seal: Parameters<BatchWriter['seal']>[0] = {}, timestamp = 1000): Buffer {
  const writer = new BatchWriter()
  for (let i = 0; i < count; i++) writer.append('key', `value-${i}`, null, timestamp + i)
  return Buffer.from(writer.seal(seal))
}

function newLog(): PartitionLog {
  return new PartitionLog(new ProducerStates())
}

test('batches get the next offsets and the epoch of the leader', () => {
  const log = newLog()
  assert.deepEqual(log.append(batch(3), options), { errorCode: 0, baseOffset: 0, logAppendTime: -1, logStartOffset: 0 })
  const second = log.append(batch(2, { codec: codecByName('gzip') }), options)
  assert.equal('baseOffset' in second && second.baseOffset, 3)
  assert.equal(log.highWatermark, 5)
  const [bytes] = log.read(4, 1, false)
  assert.ok(bytes)
  const read = new BatchReader(bytes).next()
  assert.equal(read?.baseOffset, 3)
  assert.equal(read.partitionLeaderEpoch, 3)
  assert.equal(read.isCrcValid(), true)
})

test('a read keeps to its limit, but for the first batch', () => {
  const log = newLog()
  for (let i = 0; i < 3; i++) log.append(batch(1), options)
  assert.equal(log.read(0, 1, false).length, 1)
  assert.equal(log.read(0, 1, true).length, 0)
  assert.equal(log.read(0, 100_000, false).length, 3)
})

test('what is corrupt, too large or of the wrong form is refused and nothing of it kept', () => {
  const log = newLog()
  const corrupt = batch(2)
  corrupt[corrupt.length - 1] = (corrupt.at(-1) ?? 0) ^ 1
  assert.equal(log.append(corrupt, options).errorCode, ErrorCode.ERR_INVALID_MSG)
  assert.equal(log.append(Buffer.from('garbage'), options).errorCode, ErrorCode.ERR_INVALID_MSG)
  assert.equal(log.append(null, options).errorCode, ErrorCode.ERR_INVALID_MSG)
  assert.equal(log.append(batch(2), { ...options, maxMessageBytes: 70 }).errorCode, ErrorCode.ERR_MSG_SIZE_TOO_LARGE)
  const keyless = new BatchWriter()
  keyless.append(null, 'v', null, 1)
  assert.equal(log.append(keyless.seal({}), { ...options, needsKeys: true }).errorCode, ErrorCode.ERR_INVALID_RECORD)
  assert.equal(log.highWatermark, 0)
})

test('times are found', () => {
  const log = newLog()
  log.append(batch(3, {}, 1000), options)
  log.append(batch(3, {}, 2000), options)
  assert.equal(log.firstAt(1002)?.offset, 2)
  assert.equal(log.firstAt(1500)?.offset, 3)
  assert.equal(log.firstAt(9999), null)
  assert.deepEqual(log.latestTimestamp(), { offset: 5, timestamp: 2002, leaderEpoch: 3 })
})

test('a repeated batch of an idempotent producer is acknowledged once more and not written again', () => {
  const log = newLog()
  const stamp = (baseSequence: number): Buffer => batch(2, { producerId: 9, producerEpoch: 0, baseSequence })
  log.append(stamp(0), options)
  log.append(stamp(2), options)
  const repeated = log.append(stamp(0), options)
  assert.equal('baseOffset' in repeated && repeated.baseOffset, 0)
  assert.equal(log.highWatermark, 4)
  assert.equal(log.append(stamp(7), options).errorCode, ErrorCode.ERR_OUT_OF_ORDER_SEQUENCE_NUMBER)
})

test('what lies before a deleted offset is gone', () => {
  const log = newLog()
  log.append(batch(3), options)
  log.append(batch(3), options)
  assert.equal(log.deleteBefore(4), 4)
  assert.equal(log.startOffset, 4)
  assert.equal(log.read(4, 100, false).length, 1)
})
