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

test('a topic that is deleted and created again starts with its own epochs', () => {
  const old = applyMetadata(emptySnapshot, response({ a: [{ id: 2, epoch: 5 }] }), 0, true)
  const anew = applyMetadata(old.snapshot, response({ a: [{ id: 1, epoch: 0 }] }, ID_B), 1, true)
  assert.equal(anew.snapshot.topics.get('a')?.partitions[0]?.leader, 1)
  assert.equal(anew.snapshot.topicNames.get(ID_B), 'a')
  assert.equal(anew.snapshot.topicNames.has(ID_A), false)
})

test('a hint for a newer leader is used, one for an older or an unknown broker is not', () => {
  const { snapshot } = applyMetadata(emptySnapshot, response({ a: [{ id: 1, epoch: 3 }] }), 0, true)
  assert.equal(applyLeader(snapshot, 'a', 0, 2, 3, null).changed.size, 0)
  assert.equal(applyLeader(snapshot, 'a', 0, 9, 4, null).changed.size, 0)
  const taken = applyLeader(snapshot, 'a', 0, 9, 4, { id: 9, host: 'z', port: 9, rack: null })
  assert.equal(taken.snapshot.topics.get('a')?.partitions[0]?.leader, 9)
  assert.equal(taken.snapshot.brokers.get(9)?.host, 'z')
  assert.equal(snapshot.topics.get('a')?.partitions[0]?.leader, 1, 'the old picture is as it was')
})

test('a topic that may not be described has an error and no partitions', () => {
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

test('a partition number that no cluster could have is ignored: nothing is allocated for those below it', () => {
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

const guarded = (): boolean => true
const two: Leader[] = [
  { id: 1, epoch: 3 },
  { id: 2, epoch: 3 },
]
type Answer = Decoded<MetadataResponse>

function failing(errorCode: number): Answer {
  const answer = response({ a: [] })
  return { ...answer, topics: answer.topics.map(topic => ({ ...topic, errorCode, topicId: ZERO_UUID })) }
}

/** Responses that take something of topic `a` away, and its partitions once they are accepted. */
const losses: Record<string, { answer: Answer; complete?: boolean; left: number }> = {
  'an answer that does not know the topic': { answer: failing(ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART), left: 0 },
  'an answer that is not allowed to name it': { answer: failing(ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED), left: 0 },
  'an answer by which it is being made': { answer: failing(ErrorCode.ERR_LEADER_NOT_AVAILABLE), left: 0 },
  'an answer about all topics without it': { answer: response({}), complete: true, left: 0 },
  'an answer with no partitions': { answer: response({ a: [] }), left: 0 },
  'an answer with another topic of its name': { answer: response({ a: [{ id: 1, epoch: 0 }] }, ID_B), left: 1 },
}

for (const [what, { answer, complete = false, left }] of Object.entries(losses)) {
  test(`${what} is not accepted until other responses have confirmed it for a second`, () => {
    const known = applyMetadata(emptySnapshot, response({ a: two }), 0, false, guarded)
    const count = (at: typeof known): number => at.snapshot.topics.get('a')?.partitions.length ?? 0
    const first = applyMetadata(known.snapshot, answer, 10, complete, guarded)
    assert.deepEqual([count(first), first.changed.size, first.doubted], [2, 0, ['a']])
    const second = applyMetadata(first.snapshot, answer, 1009, complete, guarded)
    assert.deepEqual([count(second), second.doubted], [2, ['a']])
    const better = applyMetadata(second.snapshot, response({ a: two }), 1009, false, guarded)
    assert.deepEqual([count(better), better.doubted], [2, []])
    const again = applyMetadata(better.snapshot, answer, 1010, complete, guarded)
    assert.deepEqual([count(again), again.doubted], [2, ['a']], 'a broker that knew better has spoken in between')
    const believed = applyMetadata(second.snapshot, answer, 1010, complete, guarded)
    assert.deepEqual([count(believed), [...believed.changed], believed.doubted], [left, ['a'], []])
    const unguarded = applyMetadata(known.snapshot, answer, 10, complete)
    assert.deepEqual([count(unguarded), unguarded.doubted], [left, []], 'of no concern to anybody')
  })
}

test('a topic never has fewer partitions while its id is the same', () => {
  let { snapshot } = applyMetadata(emptySnapshot, response({ a: two }), 0, false, guarded)
  for (const now of [1, 2000, 100_000]) {
    const applied = applyMetadata(snapshot, response({ a: [{ id: 2, epoch: 4 }] }), now, false, guarded)
    snapshot = applied.snapshot
    assert.deepEqual(
      snapshot.topics.get('a')?.partitions.map(p => [p.leader, p.leaderEpoch]),
      [
        [2, 4],
        [2, 3],
      ],
    )
    assert.deepEqual(applied.doubted, [])
  }
})

test('without topic ids fewer partitions, and older leaders, are accepted after half a minute', () => {
  const fewer = response({ a: [{ id: 2, epoch: 0 }] }, ZERO_UUID)
  const known = applyMetadata(emptySnapshot, response({ a: two }, ZERO_UUID), 0, false, guarded)
  const partitions = (at: typeof known): unknown =>
    at.snapshot.topics.get('a')?.partitions.map(p => [p.leader, p.leaderEpoch])
  const first = applyMetadata(known.snapshot, fewer, 0, false, guarded)
  const later = applyMetadata(first.snapshot, fewer, 29_999, false, guarded)
  assert.deepEqual(partitions(later), partitions(known))
  assert.deepEqual(later.doubted, ['a'])
  assert.deepEqual(partitions(applyMetadata(later.snapshot, fewer, 30_000, false, guarded)), [[2, 0]])
})

test('a response without topic ids does not remove a known one', () => {
  const known = applyMetadata(emptySnapshot, response({ a: two }), 0, false, guarded)
  const { snapshot } = applyMetadata(known.snapshot, response({ a: two }, ZERO_UUID), 1, false, guarded)
  assert.equal(snapshot.topics.get('a')?.topicId, ID_A)
})

test('facts of the cluster that a response lacks stay as they were', () => {
  const { snapshot } = applyMetadata(emptySnapshot, response({ a: two }), 0, false, guarded)
  const poor = { ...response({ a: two }), brokers: [], clusterId: null, controllerId: -1 }
  const kept = applyMetadata(snapshot, poor, 1, false, guarded).snapshot
  assert.deepEqual([kept.clusterId, kept.brokers.size, kept.controllerId], ['c', 2, 1])
  const headless = applyMetadata(snapshot, { ...response({ a: two }), controllerId: -1 }, 1, false, guarded).snapshot
  assert.equal(headless.controllerId, 1)
})
