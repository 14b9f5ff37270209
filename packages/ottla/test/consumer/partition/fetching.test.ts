import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fetching } from '../../../src/consumer/partition/fetching.ts'
import { OFFSET_INVALID } from '../../../src/types.ts'

test('after a move nothing is waited for, and the end is reported again', () => {
  const fetching = new Fetching()
  Object.assign(fetching, { reportedEnd: 7, retryAt: 100, failures: 3, high: 7 })
  fetching.restart()
  assert.deepEqual([fetching.reportedEnd, fetching.retryAt, fetching.failures], [OFFSET_INVALID, 0, 0])
  assert.equal(fetching.high, 7, 'what is known of the log stays')
})

test('a replica that was of no use gives way to the leader', () => {
  const fetching = new Fetching()
  fetching.preferReplica(3, 500)
  assert.deepEqual([fetching.preferredReplica, fetching.preferredUntil], [3, 500])
  fetching.stayWithLeader(900)
  assert.deepEqual([fetching.preferredReplica, fetching.leaderUntil], [-1, 900])
})
