import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode, ZERO_UUID, type Decoded, type MetadataResponse } from '@ottla/protocol'
import { applyLeader, applyMetadata, emptySnapshot } from '../../src/cluster/snapshot.ts'

const ID_A = 'a'.repeat(22)
const ID_B = 'b'.repeat(22)

interface Leader {
  readonly id: number
  readonly epoch: number
}

function response(topics: Record<string, Leader[]>, topicId = ID_A): Decoded<MetadataResponse> {
  return {
    throttleTimeMs: 0,
    brokers: [
      { nodeId: 1, host: 'a', port: 1, rack: null },
      { nodeId: 2, host: 'b', port: 2, rack: null },
    ],
    clusterId: 'c',
    controllerId: 1,
    topics: Object.entries(topics).map(([name, leaders]) => ({
      errorCode: 0,
      name,
      topicId,
      isInternal: false,
      topicAuthorizedOperations: 0,
      partitions: leaders.map((leader, i) => ({
        errorCode: 0,
        partitionIndex: i,
        leaderId: leader.id,
        leaderEpoch: leader.epoch,
        replicaNodes: [1, 2],
        isrNodes: [1, 2],
        offlineReplicas: [],
      })),
    })),
    clusterAuthorizedOperations: 0,
    errorCode: 0,
  }
}

test('a partial answer leaves other topics as they were, a complete one removes what it lacks', () => {
  const first = applyMetadata(emptySnapshot, response({ a: [{ id: 1, epoch: 0 }], b: [{ id: 1, epoch: 0 }] }), 0, true)
  assert.deepEqual([...first.changed].sort(), ['a', 'b'])
  const partial = applyMetadata(first.snapshot, response({ a: [{ id: 2, epoch: 1 }] }), 1, false)
  assert.deepEqual([...partial.changed], ['a'])
  assert.equal(partial.snapshot.topics.get('b')?.partitions[0]?.leader, 1)
  const complete = applyMetadata(partial.snapshot, response({ a: [{ id: 2, epoch: 1 }] }), 2, true)
  assert.deepEqual([...complete.changed], ['b'])
  assert.equal(complete.snapshot.topics.has('b'), false)
})

test('an answer from a broker that lags behind does not bring an old leader back', () => {
  const now = applyMetadata(emptySnapshot, response({ a: [{ id: 2, epoch: 5 }] }), 0, true)
  const stale = applyMetadata(now.snapshot, response({ a: [{ id: 1, epoch: 4 }] }), 1, true)
  assert.equal(stale.snapshot.topics.get('a')?.partitions[0]?.leader, 2)
  assert.equal(stale.changed.size, 0)
})

test('a topic deleted and made anew begins with its own epochs', () => {
  const old = applyMetadata(emptySnapshot, response({ a: [{ id: 2, epoch: 5 }] }), 0, true)
  const anew = applyMetadata(old.snapshot, response({ a: [{ id: 1, epoch: 0 }] }, ID_B), 1, true)
  assert.equal(anew.snapshot.topics.get('a')?.partitions[0]?.leader, 1)
  assert.equal(anew.snapshot.topicNames.get(ID_B), 'a')
  assert.equal(anew.snapshot.topicNames.has(ID_A), false)
})

test('a hint for a newer leader is taken, one for an older or an unknown broker is not', () => {
  const { snapshot } = applyMetadata(emptySnapshot, response({ a: [{ id: 1, epoch: 3 }] }), 0, true)
  assert.equal(applyLeader(snapshot, 'a', 0, 2, 3, null).changed.size, 0)
  assert.equal(applyLeader(snapshot, 'a', 0, 9, 4, null).changed.size, 0)
  const taken = applyLeader(snapshot, 'a', 0, 9, 4, { id: 9, host: 'z', port: 9, rack: null })
  assert.equal(taken.snapshot.topics.get('a')?.partitions[0]?.leader, 9)
  assert.equal(taken.snapshot.brokers.get(9)?.host, 'z')
  assert.equal(snapshot.topics.get('a')?.partitions[0]?.leader, 1, 'the old picture is as it was')
})

test('a topic that cannot be seen is there with its error and no partitions', () => {
  const answer = response({})
  const denied = {
    errorCode: ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED,
    name: 'secret',
    topicId: ZERO_UUID,
    isInternal: false,
    topicAuthorizedOperations: 0,
    partitions: [],
  }
  const { snapshot } = applyMetadata(emptySnapshot, { ...answer, topics: [denied] }, 0, false)
  assert.equal(snapshot.topics.get('secret')?.errorCode, ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED)
})

test('a partition that no cluster could have is passed over: nothing is made for those below it', () => {
  const hostile = response({
    a: [
      { id: 1, epoch: 0 },
      { id: 1, epoch: 0 },
      { id: 1, epoch: 0 },
    ],
  })
  const [topic] = hostile.topics
  assert.ok(topic)
  const partitions = topic.partitions.map((partition, i) => ({
    ...partition,
    partitionIndex: [0, 2 ** 31 - 1, -1][i] ?? 0,
  }))
  const applied = applyMetadata(emptySnapshot, { ...hostile, topics: [{ ...topic, partitions }] }, 0, true)
  assert.equal(applied.snapshot.topics.get('a')?.partitions.length, 1)
})
