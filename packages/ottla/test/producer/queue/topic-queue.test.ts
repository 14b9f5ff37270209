import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode, ZERO_UUID } from '@ottla/protocol'
import type { TopicSnapshot } from '../../../src/cluster/snapshot.ts'
import { KafkaError } from '../../../src/errors.ts'
import { TopicQueue } from '../../../src/producer/queue/topic-queue.ts'
import { fill, makeObserver } from '../queues.ts'

const PROPAGATION_MS = 30_000

function makeTopic(): TopicQueue {
  const chooser = { choose: () => 0 }
  return new TopicQueue('t', chooser, { maxBytes: 1_000_000, maxMessages: 10 }, makeObserver(), 0)
}

function snapshot(partitions: number, errorCode = 0): TopicSnapshot {
  return {
    topic: 't',
    topicId: ZERO_UUID,
    isInternal: false,
    errorCode,
    partitions: Array.from({ length: partitions }, (_, partition) => ({
      partition,
      leader: 1,
      leaderEpoch: 0,
      replicas: [1],
      isr: [1],
      offlineReplicas: [],
      errorCode: 0,
    })),
    updatedAt: 0,
    doubtedSince: null,
  }
}

test('messages wait without a partition until the topic is known', () => {
  const topic = makeTopic()
  assert.equal(topic.queueFor({ topic: 't' }, null, 0), topic.unassigned)
  assert.equal(topic.update(snapshot(2), 0).is, 'usable')
  const queue = topic.queueFor({ topic: 't' }, null, 0)
  assert.deepEqual([queue.partition, queue.leader], [0, 1])
})

test('a queue that was named before the metadata came keeps its messages', () => {
  const topic = makeTopic()
  const early = topic.queueFor({ topic: 't', partition: 1 }, null, 0)
  fill(early, 1)
  topic.update(snapshot(2), 0)
  assert.equal(topic.queueFor({ topic: 't', partition: 1 }, null, 0), early)
  assert.deepEqual(topic.takeImpossible(0), [])
})

test('a message that names its partition waits behind earlier ones without a partition', () => {
  const topic = makeTopic()
  const named = { topic: 't', partition: 1 }
  const early = topic.queueFor(named, null, 0)
  assert.notEqual(early, topic.unassigned)
  topic.unassigned.hold({ topic: 't' }, null, { key: null, value: null, headers: undefined, timestamp: 0 }, 0, 10)
  assert.equal(topic.queueFor(named, null, 0), topic.unassigned)
  assert.equal(topic.queueForHeld(named, null, 0), topic.unassigned, 'as long as nothing is known of the topic')
  topic.update(snapshot(2), 0)
  assert.equal(topic.queueForHeld(named, null, 0), early)
  assert.equal(topic.queueForHeld({ topic: 't' }, null, 0).partition, 0)
})

test('a waiting message to a partition that the first response lacks is given up by a second one', () => {
  const topic = makeTopic()
  topic.update(snapshot(2), 1000)
  const early = topic.queueForHeld({ topic: 't', partition: 5 }, null, 0)
  assert.equal(topic.takeImpossible(1000), undefined)
  topic.update(snapshot(2), 1200)
  assert.equal(topic.takeImpossible(1200), undefined)
  assert.deepEqual(topic.takeImpossible(1700), [early])
})

test('a partition that never existed is given up once a second response confirms it', () => {
  const topic = makeTopic()
  const early = topic.queueFor({ topic: 't', partition: 5 }, null, 0)
  topic.update(snapshot(2), 1000)
  assert.equal(topic.takeImpossible(1000), undefined)
  assert.equal(topic.takeImpossible(1499), undefined)
  assert.deepEqual(topic.takeImpossible(1500), [early])
  assert.deepEqual(topic.takeImpossible(1500), [])
})

test('a partition that goes away keeps its queue, and gets it back', () => {
  const topic = makeTopic()
  topic.update(snapshot(2), 0)
  const queue = topic.queueFor({ topic: 't', partition: 1 }, null, 0)
  topic.update(snapshot(1), 0)
  assert.equal(queue.leader, -1)
  assert.match(queue.absence?.message ?? '', /no partition 1/)
  assert.ok([...topic.queues()].includes(queue))
  assert.throws(
    () => topic.queueFor({ topic: 't', partition: 1 }, null, 0),
    (error: KafkaError) => error.code === ErrorCode.ERR__UNKNOWN_PARTITION,
  )
  topic.update(snapshot(2), 0)
  assert.equal(topic.queueFor({ topic: 't', partition: 1 }, null, 0), queue)
  assert.equal(queue.absence, null)
})

test('a missing topic is given up after the propagation time, counted from when it went missing', () => {
  const topic = makeTopic()
  assert.equal(topic.isGivenUp(PROPAGATION_MS, PROPAGATION_MS), false, 'nothing is known of it yet')
  topic.update(undefined, 10)
  assert.equal(topic.isGivenUp(PROPAGATION_MS - 1, PROPAGATION_MS), false)
  assert.equal(topic.isGivenUp(PROPAGATION_MS, PROPAGATION_MS), true)
  topic.update(snapshot(1), 50_000)
  topic.update(undefined, 60_000)
  assert.equal(topic.isGivenUp(60_000 + PROPAGATION_MS - 1, PROPAGATION_MS), false)
  assert.equal(topic.isGivenUp(60_000 + PROPAGATION_MS, PROPAGATION_MS), true)
})

test('a transient error of the topic changes nothing, one of authorization refuses messages until it is gone', () => {
  const topic = makeTopic()
  topic.update(snapshot(1), 0)
  assert.equal(topic.update(snapshot(0, ErrorCode.ERR_LEADER_NOT_AVAILABLE), 0).is, 'nothing')
  assert.equal(topic.state, 'exists')
  assert.equal(topic.update(snapshot(0, ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED), 0).is, 'failed')
  assert.equal(topic.failedWith?.code, ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED)
  assert.throws(() => topic.queueFor({ topic: 't' }, null, 0), KafkaError)
  assert.equal(topic.update(snapshot(1), 0).is, 'usable')
  assert.equal(topic.failedWith, null)
})
