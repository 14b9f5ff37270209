import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode, KafkaError, type Metadata } from 'ottla'
import { describe } from '../../src/meta/meta.ts'

type Topic = Metadata['topics'][number]

function topicOf(name: string, leaders: readonly number[]): Topic {
  return {
    topic: name,
    topicId: 'AAAAAAAAAAAAAAAAAAAAAA',
    isInternal: false,
    partitions: leaders.map((leader, partition) => ({
      partition,
      leader,
      leaderEpoch: 0,
      replicas: [1, 2],
      isr: leader < 0 ? [] : [1, 2],
      offlineReplicas: leader < 0 ? [1, 2] : [],
    })),
  }
}

const brokers = [{ id: 1, host: '::1', port: 9092 }]

test('topics are sorted, and count partitions without a leader', () => {
  const metadata = { clusterId: 'c', controllerId: 1, brokers, topics: [topicOf('b', [1]), topicOf('a', [1, -1])] }
  const lines = describe(metadata, undefined)
  assert.equal(lines[0], 'cluster c')
  assert.match(lines[3] ?? '', /1 {2}\[::1\]:9092 +controller/)
  assert.match(lines[6] ?? '', /^a +2 +2 +1 +1$/)
  assert.match(lines[7] ?? '', /^b +1 +2$/)
})

test('a topic with an error says so in the list, and alone shows only the cluster', () => {
  const error = new KafkaError(ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED, 'not allowed')
  const topics = [{ ...topicOf('a', []), error }]
  const metadata = { clusterId: null, controllerId: -1, brokers, topics }
  assert.match(describe(metadata, undefined).at(-1) ?? '', /not allowed/)
  assert.equal(describe(metadata, 'a')[0], 'cluster (without an id)')
  assert.doesNotMatch(describe(metadata, 'a').join('\n'), /topic a/)
})

test('one topic shows its partitions', () => {
  const metadata = { clusterId: 'c', controllerId: 1, brokers, topics: [topicOf('a', [1, -1])] }
  const [title, , , first, second] = describe(metadata, 'a').slice(5)
  assert.match(title ?? '', /^topic a, id A+$/)
  assert.match(first ?? '', /0 +1 +1,2 +1,2/)
  assert.match(second ?? '', /1 +none +1,2 +1,2/)
})
