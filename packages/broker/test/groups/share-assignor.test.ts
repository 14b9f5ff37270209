import { test } from 'node:test'
import assert from 'node:assert/strict'
import type { AssignorMember } from '../../src/groups/assignors.ts'
import { partitionKey } from '../../src/groups/partition-set.ts'
import { assignShares } from '../../src/groups/share-assignor.ts'

type Owned = Record<string, string[]>

function assign(topicsOf: Record<string, string[]>, counts: Record<string, number>, before: Owned = {}): Owned {
  const members = Object.entries(topicsOf).map(([id, topics]): AssignorMember => ({
    id,
    instanceId: null,
    topicIds: new Set(topics),
    owned: new Set(before[id] ?? []),
  }))
  const assignment = assignShares(members, new Map(Object.entries(counts)))
  return Object.fromEntries([...assignment].map(([id, partitions]) => [id, [...partitions].sort()]))
}

test('few members split the partitions, many share them', () => {
  const two = assign({ a: ['t'], b: ['t'] }, { t: 4 })
  assert.deepEqual([two['a']?.length, two['b']?.length], [2, 2])
  const six = Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'f'].map(id => [id, ['t']]))
  const shared = assign(six, { t: 4 }, two)
  assert.ok(Object.values(shared).every(share => share.length >= 1))
  for (let index = 0; index < 4; index++) {
    const key = partitionKey('t', index)
    const holders = Object.values(shared).filter(share => share.includes(key)).length
    assert.ok(holders === 1 || holders === 2, `${key} has ${holders}`)
  }
})

test('a partition only goes to members that read its topic', () => {
  assert.deepEqual(assign({ a: ['t'], b: ['u'] }, { t: 1, u: 3 }), { a: ['t/0'], b: ['u/0', 'u/1', 'u/2'] })
  assert.deepEqual(assign({ a: ['t'] }, { t: 1, u: 2 }), { a: ['t/0'] })
})

test('members keep what they have when nothing changes', () => {
  const topics = { a: ['t'], b: ['t'], c: ['t'] }
  const before = assign(topics, { t: 7 })
  assert.deepEqual(assign(topics, { t: 7 }, before), before)
})

test('what a member had of a topic that it no longer reads, or beyond its part, goes to the others', () => {
  const after = assign({ a: ['t'], b: ['t'] }, { t: 2 }, { a: ['t/0', 't/1', 'u/0'] })
  assert.deepEqual(after, { a: ['t/0'], b: ['t/1'] })
})

test('without members or partitions there is nothing to assign', () => {
  assert.deepEqual(assign({}, { t: 2 }), {})
  assert.deepEqual(assign({ a: ['t'] }, {}), { a: [] })
})
