import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode, type KafkaError } from '../../../src/errors.ts'
import { emptySnapshot, type Snapshot, type TopicSnapshot } from '../../../src/cluster/snapshot.ts'
import { fingerprint } from '../../../src/consumer/group/leader.ts'
import { Subscription } from '../../../src/consumer/group/subscription.ts'

function snapshotOf(topics: Record<string, number>): Snapshot {
  const entries = Object.entries(topics).map(([topic, count]): [string, TopicSnapshot] => {
    const partition = { leader: 1, leaderEpoch: 0, replicas: [], isr: [], offlineReplicas: [], errorCode: 0 }
    const partitions = Array.from({ length: count }, (_, i) => ({ partition: i, ...partition }))
    return [
      topic,
      { topic, topicId: '', isInternal: false, errorCode: 0, partitions, updatedAt: 0, doubtedSince: null },
    ]
  })
  return { ...emptySnapshot, topics: new Map(entries) }
}

const none = (): boolean => false

test('names are subscribed to whether they exist or not, patterns mean what exists', () => {
  const subscription = new Subscription(['orders', '^user-.*', /^Log/i])
  const snapshot = snapshotOf({ 'user-1': 1, 'user-2': 1, logs: 1, other: 1 })
  assert.deepEqual(subscription.topics(snapshot, none), ['logs', 'orders', 'user-1', 'user-2'])
  assert.deepEqual(subscription.terms, ['orders', '^user-.*', '/^Log/i'])
})

test('a pattern with a memory matches every time', () => {
  const subscription = new Subscription(/^a/g)
  const snapshot = snapshotOf({ a1: 1, a2: 1, a3: 1 })
  assert.deepEqual(subscription.topics(snapshot, none), ['a1', 'a2', 'a3'])
  assert.deepEqual(subscription.topics(snapshot, none), ['a1', 'a2', 'a3'])
})

test('topic.blacklist keeps topics from being matched', () => {
  const subscription = new Subscription('^.*')
  assert.deepEqual(
    subscription.topics(snapshotOf({ a: 1, __b: 1 }), topic => topic.startsWith('__')),
    ['a'],
  )
})

test('an empty name and a broken pattern are refused', () => {
  for (const input of ['', ['a', ''], '^(']) {
    assert.throws(
      () => new Subscription(input),
      (error: KafkaError) => error.code === ErrorCode.ERR__INVALID_ARG,
    )
  }
})

test('the fingerprint changes with partitions and topics', () => {
  const before = fingerprint(['a', 'b'], snapshotOf({ a: 1 }))
  assert.equal(fingerprint(['a', 'b'], snapshotOf({ a: 1, c: 5 })), before)
  assert.notEqual(fingerprint(['a', 'b'], snapshotOf({ a: 2 })), before)
  assert.notEqual(fingerprint(['a', 'b'], snapshotOf({ a: 1, b: 1 })), before)
})
