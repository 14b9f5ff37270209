import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode } from '@ottla/protocol'
import {
  cancelReassignment,
  leaderProblem,
  reassign,
  setLeader,
  settleReassignment,
  type Replicated,
} from '../../src/topics/reassignments.ts'

function partitionOn(replicas: number[], more: Partial<Replicated> = {}): Replicated {
  return {
    replicas,
    adding: [],
    removing: [],
    isr: replicas,
    leader: replicas[0] ?? -1,
    leaderEpoch: 5,
    log: { wake: () => undefined },
    ...more,
  }
}

const all = (): boolean => true

test('a partition moves at once when its new brokers are up, under a new leader and epoch', () => {
  const partition = partitionOn([1, 2])
  reassign(partition, [3, 4], all)
  assert.deepEqual([partition.replicas, partition.isr, partition.leader], [[3, 4], [3, 4], 3])
  assert.equal(partition.leaderEpoch, 6)
})

test('a leader that stays among the replicas keeps leading; the epoch goes up when one is removed', () => {
  const grown = partitionOn([1])
  reassign(grown, [1, 2], all)
  assert.deepEqual([grown.leader, grown.leaderEpoch], [1, 5])
  const shrunk = partitionOn([1, 2])
  reassign(shrunk, [1], all)
  assert.deepEqual([shrunk.leader, shrunk.leaderEpoch], [1, 6])
})

test('a reassignment waits for a broker that is down, and can be changed or cancelled meanwhile', () => {
  const isUp = (id: number): boolean => id !== 3
  const partition = partitionOn([1, 2])
  reassign(partition, [1, 3], isUp)
  assert.deepEqual([partition.replicas, partition.adding, partition.removing], [[1, 3, 2], [3], [2]])
  assert.equal(settleReassignment(partition), false)
  reassign(partition, [3, 4], isUp)
  assert.deepEqual(
    [partition.adding, partition.removing],
    [
      [3, 4],
      [1, 2],
    ],
  )
  assert.equal(cancelReassignment(partition), ErrorCode.ERR_NO_ERROR)
  assert.deepEqual([partition.replicas, partition.leader], [[1, 2], 1])
  assert.equal(cancelReassignment(partition), ErrorCode.ERR_NO_REASSIGNMENT_IN_PROGRESS)
})

test('a reassignment is not cancelled when no original replica has the records', () => {
  const partition = partitionOn([3, 1], { adding: [3], removing: [1], isr: [3], leader: 3 })
  assert.equal(cancelReassignment(partition), ErrorCode.ERR_INVALID_REPLICA_ASSIGNMENT)
  assert.deepEqual(partition.adding, [3])
})

test('a leader tells older from newer epochs of clients', () => {
  const partition = partitionOn([1, 2])
  assert.equal(leaderProblem(partition, 2, 5), ErrorCode.ERR_NOT_LEADER_FOR_PARTITION)
  assert.deepEqual(
    [-1, 4, 5, 6].map(epoch => leaderProblem(partition, 1, epoch)),
    [0, ErrorCode.ERR_FENCED_LEADER_EPOCH, 0, ErrorCode.ERR_UNKNOWN_LEADER_EPOCH],
  )
})

test('the epoch goes up with every other leader, and waiting fetches are woken', () => {
  let woken = 0
  const partition = partitionOn([1, 2], { log: { wake: () => woken++ } })
  assert.deepEqual([setLeader(partition, 1), setLeader(partition, 2), setLeader(partition, -1)], [false, true, true])
  assert.deepEqual([partition.leaderEpoch, woken], [7, 2])
})
