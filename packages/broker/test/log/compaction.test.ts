import { test } from 'node:test'
import assert from 'node:assert/strict'
import { BatchWriter } from '@ottla/protocol'
import { compact } from '../../src/log/compaction.ts'
import { PartitionLog, type AppendOptions } from '../../src/log/log.ts'
import { open } from '../../src/log/stored-batch.ts'
import { readBack } from '../batches.ts'

const NOW = 1_000_000
const options: AppendOptions = {
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

function put(
  log: PartitionLog,
  pairs: readonly (readonly [string, string | null])[],
  seal = {},
  timestamp = NOW,
): void {
  const writer = new BatchWriter()
  for (const [key, value] of pairs) writer.append(key, value, null, timestamp)
  log.append(readBack(Buffer.from(writer.seal(seal))), options)
}

function contents(log: PartitionLog): string[] {
  return log.batches.flatMap(stored => {
    const batch = open(stored)
    assert.ok(batch.isCrcValid())
    const found: string[] = []
    const cursor = batch.records()
    while (cursor.next()) found.push(`${cursor.offset} ${String(cursor.key())}=${String(cursor.value())}`)
    return batch.isControl ? ['marker'] : found
  })
}

test('the last record of each key stays, with its offset', () => {
  const log = new PartitionLog()
  put(log, [['a', '1'], ['b', '1'], ['a', '2']]) // prettier-ignore
  put(log, [['b', '2'], ['c', '1']]) // prettier-ignore
  put(log, [['a', '3']])
  compact(log, rules, NOW)
  assert.deepEqual(contents(log), ['3 b=2', '4 c=1', '5 a=3'])
  assert.equal(log.highWatermark, 6)
  put(log, [['b', '3']])
  compact(log, rules, NOW)
  assert.deepEqual(contents(log), ['4 c=1', '5 a=3', '6 b=3'])
  assert.equal(log.read(0, 1e6, false).chunks.length, 3)
})

test('tombstones stay until they are old', () => {
  const log = new PartitionLog()
  put(log, [['a', '1'], ['a', null]]) // prettier-ignore
  compact(log, rules, NOW)
  assert.deepEqual(contents(log), ['1 a=null'])
  compact(log, rules, NOW + 1001)
  assert.deepEqual(contents(log), [])
  assert.equal(log.highWatermark, 2)
  // The empty batch leads readers to the end.
  assert.deepEqual(
    log.batches.map(({ lastOffset }) => lastOffset),
    [1],
  )
})

test('records younger than the lag are not compacted', () => {
  const log = new PartitionLog()
  put(log, [['a', '1']], {}, NOW - 5000)
  put(log, [['a', '2']], {}, NOW - 4000)
  put(log, [['a', '3']], {}, NOW)
  compact(log, { ...rules, minLagMs: 1000 }, NOW)
  assert.deepEqual(contents(log), ['1 a=2', '2 a=3'])
})

test('aborted records are removed, an open transaction is not touched, and sequence numbers are not forgotten', () => {
  const log = new PartitionLog()
  const seal = (baseSequence: number): object => ({
    producerId: 7n,
    producerEpoch: 0,
    baseSequence,
    isTransactional: true,
  })
  const mark = { producerId: 7n, producerEpoch: 0, coordinatorEpoch: 0, leaderEpoch: 0, timestamp: NOW }
  put(log, [['a', '1']], seal(0))
  log.mark({ ...mark, commit: true })
  put(log, [['a', 'aborted']], seal(1))
  log.mark({ ...mark, commit: false })
  put(log, [['a', 'open']], seal(2))
  compact(log, rules, NOW)
  assert.deepEqual(contents(log), ['0 a=1', 'marker', 'marker', '4 a=open'])
  log.mark({ ...mark, commit: true })
  put(log, [['a', 'newer']])
  compact(log, rules, NOW)
  assert.deepEqual(contents(log).at(-1), '6 a=newer')
  const copy = new PartitionLog()
  copy.restore(log.batches, log.startOffset, log.highWatermark)
  assert.deepEqual(
    [...copy.producers.all()].map(({ lastSequence }) => lastSequence),
    [2],
  )
})

test('a producer’s last batch stays, even empty, so that its sequence continues', () => {
  const log = new PartitionLog()
  put(log, [['a', '1'], ['a', '2']], { producerId: 9n, producerEpoch: 0, baseSequence: 0 }) // prettier-ignore
  put(log, [['a', '3']])
  compact(log, rules, NOW)
  assert.deepEqual(contents(log), ['2 a=3'])
  assert.equal(log.batches.length, 2)
  put(log, [['b', '1']], { producerId: 9n, producerEpoch: 0, baseSequence: 2 })
  assert.equal(log.highWatermark, 4)
})
