import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assignRange } from '../../../../src/consumer/group/assignors/range.ts'
import { counts, member, racked, shown } from './members.ts'

test('range gives neighbours to one member and the extra ones to the first, topic by topic', () => {
  // The example in the documentation of Java's RangeAssignor.
  const members = [member('C0', ['t0', 't1']), member('C1', ['t0', 't1'])]
  assert.deepEqual(shown(assignRange(members, counts({ t0: 3, t1: 3 }))), {
    C0: 't0-0 t0-1 t1-0 t1-1',
    C1: 't0-2 t1-2',
  })
})

test('range assigns each topic among its own subscribers only', () => {
  const members = [member('C0', ['t0']), member('C1', ['t0', 't1']), member('C2', ['t0'])]
  assert.deepEqual(shown(assignRange(members, counts({ t0: 3, t1: 2 }))), {
    C0: 't0-0',
    C1: 't0-1 t1-0 t1-1',
    C2: 't0-2',
  })
})

test('range leaves members without partitions when there are more members than partitions', () => {
  const members = ['C2', 'C0', 'C1'].map(id => member(id, ['t0']))
  assert.deepEqual(shown(assignRange(members, counts({ t0: 2 }))), { C2: '', C0: 't0-0', C1: 't0-1' })
})

test('static members are sorted by their lasting name, before the others', () => {
  const members = [member('a-dynamic', ['t0']), member('z-member', ['t0'], 'i1'), member('y-member', ['t0'], 'i2')]
  assert.deepEqual(shown(assignRange(members, counts({ t0: 3 }))), {
    'a-dynamic': 't0-2',
    'z-member': 't0-0',
    'y-member': 't0-1',
  })
})

test('topics with the same subscribers and counts are assigned alike, as near as all of them allow', () => {
  const members = [
    { ...member('C0', ['t0', 't1']), rackId: 'a' },
    { ...member('C1', ['t0', 't1']), rackId: 'b' },
  ]
  const near = new Map([
    ['t0', racked(['b'], ['a'])],
    ['t1', racked(['b'], ['a'])],
  ])
  assert.deepEqual(shown(assignRange(members, near)), { C0: 't0-1 t1-1', C1: 't0-0 t1-0' })
  // Where the topics disagree, the same numbers go together all the same.
  const apart = new Map([
    ['t0', racked(['b'], ['a'])],
    ['t1', racked(['a'], ['b'])],
  ])
  assert.deepEqual(shown(assignRange(members, apart)), { C0: 't0-0 t1-0', C1: 't0-1 t1-1' })
})

test('nearness never costs the balance', () => {
  const members = [
    { ...member('C0', ['t']), rackId: 'a' },
    { ...member('C1', ['t']), rackId: 'b' },
  ]
  const topics = new Map([['t', racked(['a'], ['a'], ['a'], ['b'])]])
  assert.deepEqual(shown(assignRange(members, topics)), { C0: 't-0 t-1', C1: 't-2 t-3' })
})
