import { test } from 'node:test'
import assert from 'node:assert/strict'
import { BatchWriter } from '@ottla/protocol'
import { compact } from '../../src/log/compaction.ts'
import { PartitionLog } from '../../src/log/log.ts'
import { readBack } from '../batches.ts'

const NOW = 100_000
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
const rules = { minLagMs: 0, deleteRetentionMs: 1000 }

/** Appends a batch with records as `key=value`; without `=value` a tombstone. */
function append(
  log: PartitionLog,
  records: string[],
  timestamp = 0,
  seal: Parameters<BatchWriter['seal']>[0] = {},
): void {
  const writer = new BatchWriter()
  for (const record of records) {
    const [key = '', value] = record.split('=')
    writer.append(key, value ?? null, null, timestamp)
  }
  log.append(readBack(Buffer.from(writer.seal(seal))), options)
}

function contents(log: PartitionLog): string[] {
  return log.batches.flatMap(({ bytes }) => {
    const cursor = readBack(bytes).records()
    const found: string[] = []
    while (cursor.next()) found.push(`${cursor.offset} ${String(cursor.key())}=${String(cursor.value())}`)
    return found
  })
}

test('the last record of each key stays at its offset', () => {
  const log = new PartitionLog()
  append(log, ['a=1', 'b=1', 'a=2'])
  append(log, ['b=2'])
  append(log, ['c=1'])
  compact(log, rules, NOW)
  assert.deepEqual(contents(log), ['2 a=2', '3 b=2', '4 c=1'])
  assert.deepEqual([log.startOffset, log.highWatermark], [0, 5])
})

test('a tombstone stays until it is old, by its own timestamp', () => {
  const log = new PartitionLog()
  append(log, ['a=1'], 0)
  append(log, ['a'], NOW - 1000)
  append(log, ['b=1'], NOW)
  compact(log, rules, NOW)
  assert.deepEqual(contents(log), ['1 a=null', '2 b=1'])
  compact(log, rules, NOW + 1)
  assert.deepEqual(contents(log), ['2 b=1'])
})

test('records younger than the lag are not compacted, nor is any after them', () => {
  const log = new PartitionLog()
  append(log, ['a=1'], 0)
  append(log, ['a=2'], 0)
  append(log, ['a=3'], NOW)
  append(log, ['a=4'], 0)
  compact(log, { ...rules, minLagMs: 1 }, NOW)
  assert.deepEqual(contents(log), ['1 a=2', '2 a=3', '3 a=4'])
})

test('a producer’s last batch stays, even empty, so that its sequence goes on', () => {
  const log = new PartitionLog()
  append(log, ['a=1', 'a=2'], 0, { producerId: 9n, producerEpoch: 0, baseSequence: 0 })
  append(log, ['a=3'])
  compact(log, rules, NOW)
  assert.deepEqual(contents(log), ['2 a=3'])
  assert.equal(log.batches.length, 2)
  append(log, ['b=1'], 0, { producerId: 9n, producerEpoch: 0, baseSequence: 2 })
  assert.equal(log.highWatermark, 4)
})

test('aborted records go, those of an open transaction stay', () => {
  const log = new PartitionLog()
  const transactional = { producerId: 9n, producerEpoch: 0, isTransactional: true }
  append(log, ['a=1'])
  append(log, ['a=2'], 0, { ...transactional, baseSequence: 0 })
  const marker = { producerId: 9n, producerEpoch: 0, coordinatorEpoch: 0, leaderEpoch: 0, timestamp: 0 }
  assert.equal(log.mark({ ...marker, commit: false }), null)
  append(log, ['a=3'], 0, { ...transactional, baseSequence: 1 })
  append(log, ['b=1'])
  compact(log, rules, NOW)
  const records = log.batches.filter(({ bytes }) => !readBack(bytes).isControl)
  const found = records.flatMap(({ bytes }) => {
    const cursor = readBack(bytes).records()
    return cursor.next() ? [`${cursor.offset} ${String(cursor.value())}`] : []
  })
  assert.deepEqual(found, ['0 1', '3 3', '4 1'])
})
