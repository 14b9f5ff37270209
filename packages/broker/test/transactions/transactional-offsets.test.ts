import { test } from 'node:test'
import assert from 'node:assert/strict'
import { offsetKey } from '../../src/groups/group.ts'
import { TransactionalOffsets } from '../../src/transactions/transactional-offsets.ts'

const KEY = offsetKey('t', 0)
const at = (offset: number): { offset: number; leaderEpoch: number; metadata: null } => ({
  offset,
  leaderEpoch: -1,
  metadata: null,
})

test('an offset is pending for its group only, until the last producer with one has ended', () => {
  const pending = new TransactionalOffsets()
  pending.add(1n, 'g', KEY, at(5))
  pending.add(2n, 'g', KEY, at(6))
  assert.deepEqual([pending.isPending('g', KEY), pending.isPending('h', KEY)], [true, false])
  pending.take(1n, () => true)
  assert.equal(pending.isPending('g', KEY), true)
  pending.take(2n, () => true)
  assert.equal(pending.isPending('g', KEY), false)
})

test('the last offset of a producer counts, and only the groups that match are taken', () => {
  const pending = new TransactionalOffsets()
  pending.add(1n, 'g', KEY, at(5))
  pending.add(1n, 'g', KEY, at(7))
  pending.add(1n, 'h', KEY, at(9))
  const taken = pending.take(1n, groupId => groupId === 'g')
  assert.deepEqual(
    [...taken].map(([groupId, offsets]) => [groupId, offsets.get(KEY)?.offset]),
    [['g', 7]],
  )
  assert.deepEqual(
    [...pending.all()].map(({ groupId }) => groupId),
    ['h'],
  )
  assert.equal(pending.take(99n, () => true).size, 0)
})

test('a deleted topic takes its pending offsets along, and those of no other', () => {
  const pending = new TransactionalOffsets()
  pending.add(1n, 'g', KEY, at(5))
  pending.add(1n, 'g', offsetKey('t2', 0), at(6))
  pending.forgetTopic('t')
  assert.deepEqual(
    [...pending.all()].map(({ offset }) => offset.offset),
    [6],
  )
})

test('pending offsets and their end are made durable', () => {
  const stored: string[] = []
  const pending = new TransactionalOffsets({
    offsetPending: (producerId, groupId) => void stored.push(`${groupId} pending ${producerId}`),
    pendingEnded: (producerId, groupId) => void stored.push(`${groupId} ended ${producerId}`),
  })
  pending.add(1n, 'g', KEY, at(5))
  pending.take(1n, () => true)
  pending.ended(1n, 'g')
  assert.deepEqual(stored, ['g pending 1', 'g ended 1'])
})
