import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode, type Decoded, type FetchRequest } from '@ottla/protocol'
import { FetchSessions, type FetchPlan, type PartitionResult } from '../../src/topics/fetch-sessions.ts'
import { FakeClock } from '../fake-clock.ts'

function request(sessionId: number, sessionEpoch: number, partitions: number[] = []): Decoded<FetchRequest> {
  const asked = partitions.map(partition => ({
    partition,
    currentLeaderEpoch: -1,
    fetchOffset: 0,
    lastFetchedEpoch: -1,
    logStartOffset: -1,
    partitionMaxBytes: 1000,
    replicaDirectoryId: '',
    highWatermark: -1,
  }))
  return {
    clusterId: null,
    replicaId: -1,
    replicaState: { replicaId: -1, replicaEpoch: -1n },
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: 1000,
    isolationLevel: 0,
    sessionId,
    sessionEpoch,
    topics: asked.length === 0 ? [] : [{ topic: 't', topicId: '', partitions: asked }],
    forgottenTopicsData: [],
    rackId: '',
  }
}

function planned(plan: FetchPlan | number): FetchPlan {
  if (typeof plan === 'number') return assert.fail(`error ${plan}`)
  return plan
}

function mustInclude(plan: FetchPlan, result: Partial<PartitionResult> = {}): boolean[] {
  const all = { errorCode: 0, highWatermark: 5, logStartOffset: 0, hasMore: false, ...result }
  return plan.partitions.map(asked => plan.mustInclude(asked, all))
}

test('within a session only changes are reported', () => {
  const sessions = new FetchSessions(new FakeClock())
  const first = planned(sessions.plan(request(0, 0, [0, 1]), 12))
  assert.deepEqual(mustInclude(first), [true, true])
  const next = (epoch: number): FetchPlan => planned(sessions.plan(request(first.sessionId, epoch), 12))
  assert.deepEqual(mustInclude(next(1)), [false, false])
  assert.deepEqual(mustInclude(next(2), { highWatermark: 6 }), [true, true])
  assert.deepEqual(mustInclude(next(3), { highWatermark: 6, hasMore: true }), [true, true])
  assert.deepEqual(mustInclude(next(4), { highWatermark: -1, errorCode: ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART }), [
    true,
    true,
  ])
  // The end of an error is a change.
  assert.deepEqual(mustInclude(next(5), { highWatermark: 6 }), [true, true])
  assert.deepEqual(mustInclude(next(6), { highWatermark: 6 }), [false, false])
})

test('partitions that had data come after the others the next time', () => {
  const sessions = new FetchSessions(new FakeClock())
  const first = planned(sessions.plan(request(0, 0, [0, 1, 2]), 12))
  const [head] = first.partitions
  assert.ok(head)
  first.mustInclude(head, { errorCode: 0, highWatermark: 5, logStartOffset: 0, hasMore: true })
  const second = planned(sessions.plan(request(first.sessionId, 1), 12))
  assert.deepEqual(
    second.partitions.map(({ partition }) => partition),
    [1, 2, 0],
  )
})

test('a session uses either topic names or ids, and ends with the broker', () => {
  const sessions = new FetchSessions(new FakeClock())
  const { sessionId } = planned(sessions.plan(request(0, 0, [0]), 12))
  assert.equal(sessions.plan(request(sessionId, 1), 13), ErrorCode.ERR_FETCH_SESSION_TOPIC_ID_ERROR)
  sessions.clear()
  assert.equal(sessions.plan(request(sessionId, 1), 12), ErrorCode.ERR_FETCH_SESSION_ID_NOT_FOUND)
})

test('when there are too many sessions, only idle ones are evicted', () => {
  const clock = new FakeClock()
  const sessions = new FetchSessions(clock)
  const begin = (): number => planned(sessions.plan(request(0, 0, [0]), 12)).sessionId
  const ids = Array.from({ length: 1000 }, begin)
  assert.equal(begin(), 0)
  clock.advance(120_001)
  assert.notEqual(sessions.plan(request(ids[7] ?? 0, 1), 12), ErrorCode.ERR_FETCH_SESSION_ID_NOT_FOUND)
  assert.notEqual(begin(), 0)
  assert.equal(sessions.size, 2)
})
