import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assignSticky, withoutMoving } from '../../../../src/consumer/group/assignors/sticky.ts'
import { counts, member, owner, racked, shown } from './members.ts'

test('members keep what they had, and a new one gets as little as the balance needs', () => {
  const members = [owner('a', [0, 1, 2]), owner('b', [3, 4, 5]), member('new', ['t'])]
  const assigned = shown(assignSticky(members, counts({ t: 6 })))
  assert.equal(assigned['new']?.split(' ').length, 2)
  assert.match(assigned['a'] ?? '', /^t-\d t-\d$/)
  for (const id of ['a', 'b'] as const) {
    const own = id === 'a' ? /[0-2]$/ : /[3-5]$/
    for (const name of assigned[id]?.split(' ') ?? []) assert.match(name, own)
  }
})

test('the partitions of a member that has left go to those with the fewest', () => {
  const members = [owner('a', [0, 1, 2]), owner('b', [3])]
  assert.deepEqual(shown(assignSticky(members, counts({ t: 6 }))), { a: 't-0 t-1 t-2', b: 't-3 t-4 t-5' })
})

test('a partition with two owners belongs to the newer generation, of the same to neither', () => {
  const newer = [owner('a', [0, 1], 1), owner('b', [1, 2], 2)]
  assert.deepEqual(shown(assignSticky(newer, counts({ t: 4 }))), { a: 't-0 t-3', b: 't-1 t-2' })
  const same = [owner('a', [0, 1], 2), owner('b', [0, 1], 2)]
  assert.deepEqual(shown(assignSticky(same, counts({ t: 2 }))), { a: 't-0', b: 't-1' })
})

test('nobody keeps what it no longer subscribes to, or what no longer exists', () => {
  const members = [owner('a', [0, 1], 1, ['u']), owner('b', [7])]
  assert.deepEqual(shown(assignSticky(members, counts({ t: 2, u: 1 }))), { a: 'u-0', b: 't-0 t-1' })
})

test('partitions that few can take come first, so that the balance holds for unequal subscriptions', () => {
  const members = [member('a', ['t', 'u']), member('b', ['u'])]
  assert.deepEqual(shown(assignSticky(members, counts({ t: 2, u: 2 }))), { a: 't-0 t-1', b: 'u-0 u-1' })
})

test('a far partition moves to a near member, if the balance allows it', () => {
  const members = [
    { ...owner('a', [0]), rackId: 'a' },
    { ...owner('b', [1]), rackId: 'b' },
  ]
  const topics = new Map([['t', racked(['b'], ['a'])]])
  assert.deepEqual(shown(assignSticky(members, topics)), { a: 't-1', b: 't-0' })
})

test('what another member still owns is left out until it has been given up', () => {
  const members = [owner('a', [0, 1]), owner('b', [])]
  const wanted = assignSticky(members, counts({ t: 2 }))
  const first = withoutMoving(members, wanted)
  const moved = shown(wanted)['b']
  assert.deepEqual(shown(first), { a: shown(wanted)['a'], b: '' })
  // It has been given up, and the group rebalances once more.
  const kept = (first.get('a') ?? []).map(({ partition }) => partition)
  assert.equal(shown(withoutMoving([owner('a', kept), owner('b', [])], wanted))['b'], moved)
})

test('a partition with two owners goes to neither at once', () => {
  const members = [owner('a', [0]), owner('b', [0])]
  const wanted = new Map([['a', [{ topic: 't', partition: 0 }]]])
  assert.deepEqual(shown(withoutMoving(members, wanted)), { a: '', b: '' })
})
