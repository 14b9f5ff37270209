import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '@ottla/protocol'
import { electLeaders } from '../../src/admin/leaders.ts'
import { alterReplicaLogDirs, describeLogDirs } from '../../src/admin/log-dirs.ts'
import { alterPartitionReassignments, listPartitionReassignments } from '../../src/admin/reassignments.ts'
import { KafkaError } from '../../src/errors.ts'
import { refused, scriptedCall } from './scripted-cluster.ts'

const zero = { topic: 'a', partition: 0 }
const one = { topic: 'a', partition: 1 }

test('electLeaders asks the controller and returns the partitions in the order of the call', async () => {
  const answer = (partitionId: number, errorCode: number): object => ({ partitionId, errorCode, errorMessage: null })
  const { call, sent } = scriptedCall({
    ElectLeaders: () => ({
      errorCode: 0,
      replicaElectionResults: [
        { topic: 'a', partitionResult: [answer(0, ErrorCode.ERR_ELECTION_NOT_NEEDED), answer(1, 0)] },
      ],
    }),
  })
  const results = await electLeaders(call, 'preferred', [one, zero, { topic: 'b', partition: 0 }])
  assert.deepEqual(
    results.map(r => [r.topic, r.partition, r.error?.code]),
    [
      ['a', 1, undefined],
      ['a', 0, ErrorCode.ERR_ELECTION_NOT_NEEDED],
      ['b', 0, ErrorCode.ERR__BAD_MSG],
    ],
  )
  assert.deepEqual(sent[0]?.target, { to: 'controller' })
  assert.deepEqual(sent[0].body, {
    electionType: 0,
    topicPartitions: [
      { topic: 'a', partitions: [1, 0] },
      { topic: 'b', partitions: [0] },
    ],
    timeoutMs: 30_000,
  })
})

test('electLeaders for all partitions returns those that were attempted, and rejects with an error of the request', async () => {
  const { call, sent } = scriptedCall({
    ElectLeaders: () => ({
      errorCode: 0,
      replicaElectionResults: [{ topic: 'a', partitionResult: [{ partitionId: 1, errorCode: 0, errorMessage: null }] }],
    }),
  })
  assert.deepEqual(await electLeaders(call, 'unclean', undefined), [one])
  assert.deepEqual(sent[0]?.body, { electionType: 1, topicPartitions: null, timeoutMs: 30_000 })
  const denied = scriptedCall({
    ElectLeaders: () => ({ errorCode: ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED, replicaElectionResults: [] }),
  })
  await assert.rejects(electLeaders(denied.call, 'preferred', undefined), KafkaError)
})

test('electLeaders refuses arguments before anything is sent', async () => {
  const { call, sent } = scriptedCall({})
  await refused(electLeaders(call, 'best' as never, undefined), /type of election must be one of preferred, unclean/)
  await refused(electLeaders(call, 'preferred', []), /partitions is empty/)
  await refused(electLeaders(call, 'preferred', [zero, zero]), /names 'a \[0\]' twice/)
  assert.equal(sent.length, 0)
})

test('a reassignment names brokers in order; null cancels one', async () => {
  const { call, sent } = scriptedCall({
    AlterPartitionReassignments: () => ({
      errorCode: 0,
      errorMessage: null,
      responses: [
        {
          name: 'a',
          partitions: [
            { partitionIndex: 0, errorCode: 0, errorMessage: null },
            { partitionIndex: 1, errorCode: ErrorCode.ERR_NO_REASSIGNMENT_IN_PROGRESS, errorMessage: 'none' },
          ],
        },
      ],
    }),
  })
  const moves = [
    { ...zero, replicas: [3, 1] },
    { ...one, replicas: null },
  ]
  const results = await alterPartitionReassignments(call, moves, true)
  assert.deepEqual(
    results.map(r => r.error?.code),
    [undefined, ErrorCode.ERR_NO_REASSIGNMENT_IN_PROGRESS],
  )
  assert.deepEqual(sent[0]?.body, {
    topics: [
      {
        name: 'a',
        partitions: [
          { partitionIndex: 0, replicas: [3, 1] },
          { partitionIndex: 1, replicas: null },
        ],
      },
    ],
    timeoutMs: 30_000,
    allowReplicationFactorChange: true,
  })
  await refused(alterPartitionReassignments(call, [{ ...zero, replicas: [1, 1] }], true), /names '1' twice/)
  await refused(alterPartitionReassignments(call, [{ ...zero, replicas: [] }], true), /replicas of a \[0\] is empty/)
  assert.equal(sent.length, 1)
})

test('listPartitionReassignments returns the replicas to add and to remove', async () => {
  const moving = { partitionIndex: 0, replicas: [1, 2, 3], addingReplicas: [3], removingReplicas: [1] }
  const { call } = scriptedCall({
    ListPartitionReassignments: () => ({
      errorCode: 0,
      errorMessage: null,
      topics: [{ name: 'a', partitions: [moving] }],
    }),
  })
  assert.deepEqual(await listPartitionReassignments(call, undefined), [
    { ...zero, replicas: [1, 2, 3], addingReplicas: [3], removingReplicas: [1] },
  ])
})

test('describeLogDirs asks each broker; one that does not answer has an error of its own', async () => {
  const { call, sent } = scriptedCall(
    {
      DescribeLogDirs: ({ target }) => {
        if (target.to !== 'node' || target.id === 2) throw new KafkaError(ErrorCode.ERR__TIMED_OUT, 'no answer')
        // A broker before version 3 returns an empty list without authorization.
        if (target.id === 3) return { errorCode: 0, results: [] }
        const partition = { partitionIndex: 0, partitionSize: 77, offsetLag: 2, isFutureKey: true }
        const topics = [{ name: 'a', partitions: [partition] }]
        const dir = { errorCode: 0, logDir: '/d', topics, totalBytes: 10, usableBytes: 5, isCordoned: false }
        const broken = { ...dir, errorCode: ErrorCode.ERR_KAFKA_STORAGE_ERROR, logDir: '/e', topics: [] }
        return { errorCode: 0, results: [dir, broken] }
      },
    },
    { brokers: [3, 1, 2] },
  )
  const brokers = await describeLogDirs(call, undefined, undefined)
  assert.deepEqual(
    brokers.map(b => [b.brokerId, b.error?.code, b.logDirs.length]),
    [
      [1, undefined, 2],
      [2, ErrorCode.ERR__TIMED_OUT, 0],
      [3, ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED, 0],
    ],
  )
  const [dir, broken] = brokers[0]?.logDirs ?? []
  assert.deepEqual(dir, {
    path: '/d',
    replicas: [{ ...zero, sizeBytes: 77, offsetLag: 2, isFuture: true }],
    totalBytes: 10,
    usableBytes: 5,
    isCordoned: false,
  })
  assert.equal(broken?.error?.code, ErrorCode.ERR_KAFKA_STORAGE_ERROR)
  assert.deepEqual(sent[0]?.body, { topics: null })
})

test('alterReplicaLogDirs asks each broker once, by directory', async () => {
  const { call, sent } = scriptedCall({
    AlterReplicaLogDirs: ({ target }) => {
      if (target.to !== 'node' || target.id === 2) throw new KafkaError(ErrorCode.ERR__TIMED_OUT, 'no answer')
      return {
        results: [
          {
            topicName: 'a',
            partitions: [
              { partitionIndex: 0, errorCode: 0 },
              { partitionIndex: 1, errorCode: ErrorCode.ERR_LOG_DIR_NOT_FOUND },
            ],
          },
        ],
      }
    },
  })
  const results = await alterReplicaLogDirs(call, [
    { ...one, brokerId: 1, path: '/e' },
    { ...zero, brokerId: 1, path: '/d' },
    { ...zero, brokerId: 2, path: '/d' },
  ])
  assert.deepEqual(
    results.map(r => [r.brokerId, r.partition, r.error?.code]),
    [
      [1, 1, ErrorCode.ERR_LOG_DIR_NOT_FOUND],
      [1, 0, undefined],
      [2, 0, ErrorCode.ERR__TIMED_OUT],
    ],
  )
  assert.equal(sent.length, 2)
  assert.deepEqual(sent[0]?.body, {
    dirs: [
      { path: '/e', topics: [{ name: 'a', partitions: [1] }] },
      { path: '/d', topics: [{ name: 'a', partitions: [0] }] },
    ],
  })
})
