import { test } from 'node:test'
import assert from 'node:assert/strict'
import { BatchWriter } from '@ottla/protocol'
import { compact } from '../../src/log/compaction.ts'
import { PartitionLog, type AppendOptions } from '../../src/log/log.ts'
import { evict, runRetention } from '../../src/topics/retention.ts'
import { open } from '../../src/log/stored-batch.ts'
import { TopicStore, type Topic } from '../../src/topics/topics.ts'
import { batchOf, readBack } from '../batches.ts'

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

function store(): TopicStore {
  return new TopicStore(
    () => [1],
    1,
    () => true,
  )
}

function make(topics: TopicStore, name: string, configs: Record<string, string> = {}): Topic {
  return topics.create({ name, partitions: 1, replicationFactor: 1, configs: new Map(Object.entries(configs)) })
}

function logOf(topic: Topic): PartitionLog {
  return topic.partitions[0]?.log ?? assert.fail('there is no partition')
}

function append(log: PartitionLog, timestamp: number): void {
  log.append(batchOf(1, {}, timestamp), options)
}

test('segments in which everything is old go, one with something recent stays', () => {
  const topics = store()
  const log = logOf(make(topics, 't', { 'retention.ms': '1000', 'segment.ms': '100' }))
  for (const age of [5000, 4950, 4000, 500]) append(log, NOW - age)
  runRetention(topics, NOW)
  assert.equal(log.startOffset, 3)
  const mixed = logOf(make(topics, 'mixed', { 'retention.ms': '1000' }))
  for (const age of [5000, 500]) append(mixed, NOW - age)
  runRetention(topics, NOW)
  assert.equal(mixed.startOffset, 0)
  runRetention(topics, NOW + 1000)
  assert.equal(mixed.startOffset, 2)
  assert.equal(mixed.highWatermark, 2)
})

test('segments beyond the size of a topic go', () => {
  const topics = store()
  const one = batchOf(1).sizeBytes
  const log = logOf(
    make(topics, 't', { 'retention.bytes': String(2 * one), 'segment.bytes': String(one), 'retention.ms': '-1' }),
  )
  for (let i = 0; i < 5; i++) append(log, 0)
  runRetention(topics, NOW)
  assert.equal(log.startOffset, 3)
})

test('a compacted topic without delete keeps what is old', () => {
  const topics = store()
  const log = logOf(make(topics, 't', { 'retention.ms': '1000', 'cleanup.policy': 'compact' }))
  append(log, 0)
  runRetention(topics, NOW)
  assert.equal(log.startOffset, 0)
})

test('when memory runs out, the oldest of all topics goes', () => {
  const topics = store()
  const first = logOf(make(topics, 'first'))
  const second = logOf(make(topics, 'second'))
  for (let i = 0; i < 50; i++) append(first, 0)
  for (let i = 0; i < 50; i++) append(second, 0)
  const { used } = topics.memory
  assert.equal(used, first.sizeBytes + second.sizeBytes)
  evict(topics, topics.memory, used - 1)
  assert.ok(topics.memory.used <= used * 0.9)
  assert.ok(first.startOffset >= 10 && first.startOffset < 20)
  assert.equal(second.startOffset, 0)
  evict(topics, topics.memory, used / 100)
  assert.ok(topics.memory.used <= used / 100)
  assert.equal(first.sizeBytes, 0)
})

test('a topic that is deleted takes no memory', () => {
  const topics = store()
  const topic = make(topics, 't')
  append(logOf(topic), 0)
  topics.delete(topic)
  assert.equal(topics.memory.used, 0)
})

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

test('tombstones stay for their time', () => {
  const log = new PartitionLog()
  put(log, [['a', '1'], ['a', null]]) // prettier-ignore
  compact(log, rules, NOW)
  assert.deepEqual(contents(log), ['1 a=null'])
  compact(log, rules, NOW + 1001)
  assert.deepEqual(contents(log), [])
  assert.equal(log.highWatermark, 2)
  // A reader sees that there is nothing up to the end.
  assert.deepEqual(
    log.batches.map(({ lastOffset }) => lastOffset),
    [1],
  )
})

test('what is too young is not compacted', () => {
  const log = new PartitionLog()
  put(log, [['a', '1']], {}, NOW - 5000)
  put(log, [['a', '2']], {}, NOW - 4000)
  put(log, [['a', '3']], {}, NOW)
  compact(log, { ...rules, minLagMs: 1000 }, NOW)
  assert.deepEqual(contents(log), ['1 a=2', '2 a=3'])
})

test('aborted records go, an open transaction is not touched, and sequences are not forgotten', () => {
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
