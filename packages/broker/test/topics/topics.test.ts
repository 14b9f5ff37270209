import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode } from '@ottla/protocol'
import { TopicStore, nameProblem, type TopicRequest } from '../../src/topics/topics.ts'

function store(up: number[] = [1, 2, 3], ids = [1, 2, 3]): TopicStore {
  return new TopicStore(
    () => ids,
    4,
    id => up.includes(id),
  )
}

function codeOf(topics: TopicStore, request: Partial<TopicRequest>): number {
  return topics.refusal({ name: 't', partitions: 1, replicationFactor: 1, ...request })?.errorCode ?? 0
}

test('names that differ only in dots and underscores collide', () => {
  const topics = store()
  topics.create({ name: 'a.b_c', partitions: 1, replicationFactor: 1 })
  assert.equal(codeOf(topics, { name: 'a_b.c' }), ErrorCode.ERR_TOPIC_EXCEPTION)
  assert.equal(codeOf(topics, { name: 'a-b-c' }), 0)
  assert.equal(codeOf(topics, { name: 'a.b_c' }), ErrorCode.ERR_TOPIC_ALREADY_EXISTS)
})

test('a name has up to 249 of the allowed characters', () => {
  for (const name of ['a', 'a'.repeat(249), '...', '__x', 'A-1.b_c']) assert.equal(nameProblem(name), null, name)
  for (const name of ['', '.', '..', 'a'.repeat(250), 'a b', 'ä', 'a/b']) assert.notEqual(nameProblem(name), null, name)
})

test('partitions and replicas have to be possible, -1 stands for the default', () => {
  const topics = store()
  assert.equal(codeOf(topics, { partitions: 0 }), ErrorCode.ERR_INVALID_PARTITIONS)
  assert.equal(codeOf(topics, { partitions: 10_001 }), ErrorCode.ERR_INVALID_PARTITIONS)
  assert.equal(codeOf(topics, { replicationFactor: 4 }), ErrorCode.ERR_INVALID_REPLICATION_FACTOR)
  assert.equal(codeOf(topics, { assignment: [[1], [1, 2]] }), ErrorCode.ERR_INVALID_REPLICA_ASSIGNMENT)
  assert.equal(codeOf(topics, { assignment: [[1, 1]] }), ErrorCode.ERR_INVALID_REPLICA_ASSIGNMENT)
  assert.equal(codeOf(topics, { assignment: [[9]] }), ErrorCode.ERR_INVALID_REPLICA_ASSIGNMENT)
  assert.equal(codeOf(topics, { configs: new Map([['retention.ms', 'x']]) }), ErrorCode.ERR_INVALID_CONFIG)
  const topic = topics.create({ name: 't', partitions: -1, replicationFactor: -1 })
  assert.deepEqual([topic.partitions.length, topic.partitions[0]?.replicas.length], [4, 3])
})

test('replicas are spread, and the first one that is up leads', () => {
  const topics = store([2, 3])
  const { partitions } = topics.create({ name: 't', partitions: 3, replicationFactor: 2 })
  assert.deepEqual(
    partitions.map(({ replicas }) => replicas),
    [
      [1, 2],
      [2, 3],
      [3, 1],
    ],
  )
  assert.deepEqual(
    partitions.map(({ leader, isr }) => [leader, isr]),
    [
      [2, [2]],
      [2, [2, 3]],
      [3, [3]],
    ],
  )
})

test('leaders change only where the old one is down', () => {
  const up = [1, 2, 3]
  const topics = store(up)
  const { partitions } = topics.create({ name: 't', partitions: 3, replicationFactor: 1 })
  up.splice(0, 1)
  topics.elect()
  assert.deepEqual(
    partitions.map(({ leader, leaderEpoch }) => [leader, leaderEpoch]),
    [
      [-1, 1],
      [2, 0],
      [3, 0],
    ],
  )
  up.push(1)
  topics.elect()
  assert.deepEqual([partitions[0]?.leader, partitions[0]?.leaderEpoch], [1, 2])
})

test('a removed broker leaves the replicas, unless it was the only one', () => {
  const topics = store()
  const [alone] = topics.create({ name: 'alone', partitions: 1, replicationFactor: 1 }).partitions
  const [shared] = topics.create({ name: 'shared', partitions: 1, replicationFactor: 3 }).partitions
  topics.brokerRemoved(1)
  assert.deepEqual([alone?.replicas, shared?.replicas], [[1], [2, 3]])
})

test('a restored topic drops brokers that no longer exist, but keeps a replica', () => {
  const topics = store([1, 2], [1, 2])
  const saved = { id: 'id', name: 't', isInternal: false, configs: { 'retention.ms': '5' } }
  const { partitions, configs } = topics.restore({
    ...saved,
    partitions: [
      { replicas: [3, 2], leaderEpoch: 7 },
      { replicas: [3], leaderEpoch: 8 },
    ],
  })
  assert.deepEqual([partitions[0]?.replicas, partitions[0]?.leaderEpoch], [[2], 7])
  assert.equal(partitions[1]?.replicas.length, 1)
  assert.equal(configs.get('retention.ms'), '5')
  assert.equal(topics.byId('id'), topics.get('t'))
})

test('a topic’s own setting comes before the brokers’, and that before the default', () => {
  const topics = store()
  const configs = new Map([['retention.ms', '5']])
  const topic = topics.create({ name: 't', partitions: 1, replicationFactor: 1, configs })
  topics.brokerDefault = name => (name === 'segment.ms' || name === 'retention.ms' ? '7' : undefined)
  assert.deepEqual(
    ['retention.ms', 'segment.ms', 'cleanup.policy', 'unknown'].map(name => topics.config(topic, name)),
    ['5', '7', 'delete', ''],
  )
})

test('changes are stored before listeners hear of them', () => {
  const events: string[] = []
  const topics = store()
  topics.persistence = {
    topicChanged: topic => void events.push(`stored ${topic.name} with ${topic.partitions.length}`),
    topicDeleted: topic => void events.push(`deleted ${topic.name}`),
  }
  topics.onDeleted(topic => void events.push(`heard of ${topic.name}`))
  const topic = topics.create({ name: 't', partitions: 1, replicationFactor: 1 })
  topics.grow(topic, 3)
  topics.delete(topic)
  assert.deepEqual(events, ['stored t with 1', 'stored t with 3', 'deleted t', 'heard of t'])
  assert.equal(topics.byId(topic.id), undefined)
})
