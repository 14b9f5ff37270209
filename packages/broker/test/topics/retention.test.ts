import { test } from 'node:test'
import assert from 'node:assert/strict'
import { type PartitionLog, type AppendOptions } from '../../src/log/log.ts'
import { evict, runRetention } from '../../src/topics/retention.ts'
import { TopicStore, type Topic } from '../../src/topics/topics.ts'
import { batchOf } from '../batches.ts'

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

test('segments with only old records are deleted, one with a recent record stays', () => {
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

test('segments beyond the size limit of a topic are deleted', () => {
  const topics = store()
  const one = batchOf(1).sizeBytes
  const log = logOf(
    make(topics, 't', { 'retention.bytes': String(2 * one), 'segment.bytes': String(one), 'retention.ms': '-1' }),
  )
  for (let i = 0; i < 5; i++) append(log, 0)
  runRetention(topics, NOW)
  assert.equal(log.startOffset, 3)
})

test('a topic with only compact keeps old records', () => {
  const topics = store()
  const log = logOf(make(topics, 't', { 'retention.ms': '1000', 'cleanup.policy': 'compact' }))
  append(log, 0)
  runRetention(topics, NOW)
  assert.equal(log.startOffset, 0)
})

test('when memory runs out, the oldest records of all topics are deleted', () => {
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

test('a deleted topic uses no memory', () => {
  const topics = store()
  const topic = make(topics, 't')
  append(logOf(topic), 0)
  topics.delete(topic)
  assert.equal(topics.memory.used, 0)
})
