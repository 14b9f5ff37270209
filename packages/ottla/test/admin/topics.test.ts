import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode, ZERO_UUID } from '@ottla/protocol'
import { createPartitions, createTopics, deleteRecords, deleteTopics, describeTopics } from '../../src/admin/topics.ts'
import { KafkaError } from '../../src/errors.ts'
import { scriptedCall, topicLedBy } from './scripted-cluster.ts'

const ID = 'AAAAAAAAAAAAAAAAAAAAAQ'

function invalid(words: RegExp): (error: unknown) => boolean {
  return error => error instanceof KafkaError && error.code === ErrorCode.ERR__INVALID_ARG && words.test(error.message)
}

test('createTopics sends the broker defaults for omitted fields, and returns results in the order of the call', async () => {
  const { call, sent, refreshed } = scriptedCall({
    CreateTopics: () => ({
      topics: [
        { name: 'b', topicId: ZERO_UUID, errorCode: ErrorCode.ERR_TOPIC_ALREADY_EXISTS, errorMessage: 'it is there' },
        { name: 'a', topicId: ID, errorCode: 0, errorMessage: null },
      ],
    }),
  })
  const results = await createTopics(call, [{ topic: 'a', config: { 'retention.ms': 5 } }, { topic: 'b' }])
  assert.deepEqual(results[0], { topic: 'a', topicId: ID })
  assert.equal(results[1]?.error?.code, ErrorCode.ERR_TOPIC_ALREADY_EXISTS)
  assert.match(results[1].error.message, /topic 'b': it is there/)
  assert.deepEqual(sent[0]?.target, { to: 'controller' })
  assert.deepEqual(sent[0].body, {
    topics: [
      {
        name: 'a',
        numPartitions: -1,
        replicationFactor: -1,
        assignments: [],
        configs: [{ name: 'retention.ms', value: '5' }],
      },
      { name: 'b', numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] },
    ],
    timeoutMs: 30_000,
    validateOnly: false,
  })
  assert.deepEqual(refreshed, [['a']], 'what was created is known to the client at once')
})

test('createTopics with an assignment leaves both counts to it', async () => {
  const { call, sent } = scriptedCall({ CreateTopics: () => ({ topics: [] }) }, { validateOnly: true })
  const [result] = await createTopics(call, [
    {
      topic: 'a',
      replicaAssignment: [
        [1, 2],
        [2, 3],
      ],
    },
  ])
  assert.equal(result?.error?.code, ErrorCode.ERR__BAD_MSG, 'a topic the broker does not mention is an error')
  const [topic] = (sent[0]?.body as { topics: object[] }).topics
  assert.deepEqual(topic, {
    name: 'a',
    numPartitions: -1,
    replicationFactor: -1,
    assignments: [
      { partitionIndex: 0, brokerIds: [1, 2] },
      { partitionIndex: 1, brokerIds: [2, 3] },
    ],
    configs: [],
  })
})

test('createTopics checks its arguments before anything is sent', async () => {
  const { call, sent } = scriptedCall({})
  await assert.rejects(createTopics(call, []), invalid(/topics is empty/))
  await assert.rejects(createTopics(call, [{ topic: '' }]), invalid(/topics\[0\].topic/))
  await assert.rejects(
    createTopics(call, [{ topic: 'a', numPartitions: 0 }]),
    invalid(/numPartitions of topic 'a'.*not 0/),
  )
  await assert.rejects(createTopics(call, [{ topic: 'a', replicationFactor: 1.5 }]), invalid(/replicationFactor.*1\.5/))
  await assert.rejects(createTopics(call, [{ topic: 'a' }, { topic: 'a' }]), invalid(/'a' twice/))
  const assigned = { topic: 'a', replicaAssignment: [[1]] }
  await assert.rejects(createTopics(call, [{ ...assigned, numPartitions: 2 }]), invalid(/1 partitions.*2/))
  await assert.rejects(createTopics(call, [{ ...assigned, replicationFactor: 1 }]), invalid(/either/))
  await assert.rejects(createTopics(call, [{ topic: 'a', replicaAssignment: [[-1]] }]), invalid(/broker id/))
  assert.equal(sent.length, 0)
})

test('deleteTopics works with old and new brokers, and never lets a deleted topic be created again', async () => {
  const { call, sent, refreshed } = scriptedCall({
    DeleteTopics: () => ({ responses: [{ name: 'a', topicId: ID, errorCode: 3, errorMessage: null }] }),
  })
  const [result] = await deleteTopics(call, ['a'])
  assert.equal(result?.error?.code, ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART)
  assert.deepEqual(sent[0]?.body, { topics: [{ name: 'a', topicId: ZERO_UUID }], timeoutMs: 30_000 })
  assert.deepEqual(refreshed, [])
})

test('createPartitions grows a topic to a number of partitions', async () => {
  const { call, sent } = scriptedCall({
    CreatePartitions: () => ({ results: [{ name: 'a', errorCode: 0, errorMessage: null }] }),
  })
  assert.deepEqual(await createPartitions(call, [{ topic: 'a', increaseTo: 6 }]), [{ topic: 'a' }])
  assert.deepEqual(sent[0]?.body, {
    topics: [{ name: 'a', count: 6, assignments: null }],
    timeoutMs: 30_000,
    validateOnly: false,
  })
  await assert.rejects(createPartitions(call, [{ topic: 'a', increaseTo: 0 }]), invalid(/increaseTo of topic 'a'/))
})

test('describeTopics creates no topic, and returns operations only on request', async () => {
  const partition = {
    errorCode: 0,
    partitionIndex: 0,
    leaderId: 2,
    leaderEpoch: 7,
    replicaNodes: [2, 1],
    isrNodes: [2],
    offlineReplicas: [1],
  }
  const topic = { errorCode: 0, name: 'a', topicId: ID, isInternal: false, partitions: [partition] }
  const { call, sent } = scriptedCall({
    Metadata: () => ({
      topics: [
        { ...topic, topicAuthorizedOperations: (1 << 3) | (1 << 8) },
        { ...topic, name: 'b', errorCode: 3, partitions: [], topicAuthorizedOperations: -(2 ** 31) },
      ],
    }),
  })
  const [a, b] = await describeTopics(call, ['a', 'b'], true)
  assert.deepEqual(a, {
    topic: 'a',
    topicId: ID,
    isInternal: false,
    partitions: [{ partition: 0, leader: 2, leaderEpoch: 7, replicas: [2, 1], isr: [2], offlineReplicas: [1] }],
    authorizedOperations: ['read', 'describe'],
  })
  assert.equal(b?.error?.code, ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART)
  assert.equal(b.authorizedOperations, undefined)
  assert.equal((sent[0]?.body as { allowAutoTopicCreation: boolean }).allowAutoTopicCreation, false)
})

test('deleteRecords asks each leader for its own partitions, and retries one that has moved', async () => {
  let moved = true
  const { call, sent, clock } = scriptedCall(
    {
      DeleteRecords: ({ target, body }) => ({
        topics: (
          body as { topics: { name: string; partitions: { partitionIndex: number; offset: number }[] }[] }
        ).topics.map(({ name, partitions }) => ({
          name,
          partitions: partitions.map(({ partitionIndex, offset }) => {
            const refuse = target.to === 'node' && target.id === 2 && moved
            if (refuse) moved = false
            return { partitionIndex, lowWatermark: refuse ? -1 : offset, errorCode: refuse ? 6 : 0 }
          }),
        })),
      }),
    },
    { topics: [topicLedBy('a', [1, 2, 1])] },
  )
  const done = deleteRecords(call, [
    { topic: 'a', partition: 0, offset: 10 },
    { topic: 'a', partition: 1, offset: 20 },
    { topic: 'a', partition: 2, offset: 30 },
    { topic: 'a', partition: 9, offset: 30 },
  ])
  await clock.advance(500)
  const results = await done
  assert.deepEqual(
    results.map(r => [r.partition, r.lowWatermark, r.error?.code]),
    [
      [0, 10, undefined],
      [1, 20, undefined],
      [2, 30, undefined],
      [9, -1, ErrorCode.ERR__UNKNOWN_PARTITION],
    ],
  )
  const targets = sent.map(s => (s.target.to === 'node' ? s.target.id : 0))
  assert.deepEqual(targets.toSorted(), [1, 2, 2])
})

test('a topic that stays unknown is reported after a few attempts, not at the deadline', async () => {
  const { call, refreshed, clock } = scriptedCall({}, { topics: [topicLedBy('gone', [], 3)] })
  const done = deleteRecords(call, [{ topic: 'gone', partition: 0, offset: 1 }])
  await clock.advance(2000)
  const [result] = await done
  assert.equal(result?.error?.code, ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART)
  assert.equal(refreshed.length, 3)
})
