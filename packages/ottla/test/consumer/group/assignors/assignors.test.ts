import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GroupAssignment, GroupMember, GroupTopic } from '../../../../src/consumer/group/assignors/assignor.ts'
import { assignRange } from '../../../../src/consumer/group/assignors/range.ts'
import { assignRoundRobin } from '../../../../src/consumer/group/assignors/roundrobin.ts'

function member(memberId: string, topics: string[], groupInstanceId: string | null = null): GroupMember {
  return { memberId, topics, groupInstanceId, ownedPartitions: [], generationId: -1, rackId: null, userData: null }
}

/** `C0: t0-0 t0-1` per member, in the order of the members. */
function shown(assignment: GroupAssignment): Record<string, string> {
  return Object.fromEntries(
    [...assignment].map(([id, list]) => [id, list.map(p => `${p.topic}-${p.partition}`).join(' ')]),
  )
}

function counts(topics: Record<string, number>): Map<string, GroupTopic> {
  return new Map(Object.entries(topics).map(([topic, partitionCount]) => [topic, { partitionCount, racks: [] }]))
}

test('range gives neighbours to one member and the extra ones to the first, topic by topic', () => {
  // The example in the documentation of Java's RangeAssignor.
  const members = [member('C0', ['t0', 't1']), member('C1', ['t0', 't1'])]
  assert.deepEqual(shown(assignRange(members, counts({ t0: 3, t1: 3 }))), {
    C0: 't0-0 t0-1 t1-0 t1-1',
    C1: 't0-2 t1-2',
  })
})

test('range deals each topic among its own subscribers only', () => {
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

test('roundrobin goes around all members over all topics', () => {
  // The example in the documentation of Java's RoundRobinAssignor.
  const members = [member('C0', ['t0', 't1']), member('C1', ['t0', 't1'])]
  assert.deepEqual(shown(assignRoundRobin(members, counts({ t0: 3, t1: 3 }))), {
    C0: 't0-0 t0-2 t1-1',
    C1: 't0-1 t1-0 t1-2',
  })
})

test('roundrobin passes over members that did not subscribe to a topic', () => {
  // The second example there: the outcome is uneven, as it is with Java.
  const members = [member('C0', ['t0']), member('C1', ['t0', 't1']), member('C2', ['t0', 't1', 't2'])]
  assert.deepEqual(shown(assignRoundRobin(members, counts({ t0: 1, t1: 2, t2: 3 }))), {
    C0: 't0-0',
    C1: 't1-0',
    C2: 't1-1 t2-0 t2-1 t2-2',
  })
})

test('a topic that does not exist is dealt out by nobody and to nobody', () => {
  const members = [member('C0', ['missing', 't0'])]
  for (const assign of [assignRange, assignRoundRobin]) {
    assert.deepEqual(shown(assign(members, counts({ t0: 1 }))), { C0: 't0-0' })
  }
})

test('static members are sorted by their lasting name, before the others', () => {
  const members = [member('a-dynamic', ['t0']), member('z-member', ['t0'], 'i1'), member('y-member', ['t0'], 'i2')]
  assert.deepEqual(shown(assignRange(members, counts({ t0: 3 }))), {
    'a-dynamic': 't0-2',
    'z-member': 't0-0',
    'y-member': 't0-1',
  })
})

test('every partition has exactly one owner, whatever the subscriptions', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const topics = Array.from({ length: 1 + (seed % 4) }, (_, i) => `t${i}`)
    const partitionCounts = new Map(topics.map((topic, i) => [topic, (seed * (i + 3)) % 7]))
    const members = Array.from({ length: 1 + (seed % 5) }, (_, i) =>
      member(
        `m${(seed * 31 + i * 17) % 101}-${i}`,
        topics.filter((_topic, t) => (seed + i + t) % 3 !== 0),
      ),
    )
    for (const assign of [assignRange, assignRoundRobin]) {
      const owned = [...assign(members, counts(Object.fromEntries(partitionCounts)))].flatMap(([id, list]) =>
        list.map(p => ({ id, ...p })),
      )
      for (const { id, topic } of owned) assert.ok(members.find(m => m.memberId === id)?.topics.includes(topic))
      const expected = topics
        .filter(topic => members.some(m => m.topics.includes(topic)))
        .flatMap(topic => Array.from({ length: partitionCounts.get(topic) ?? 0 }, (_, p) => `${topic}-${p}`))
      assert.deepEqual(owned.map(p => `${p.topic}-${p.partition}`).toSorted(), expected.toSorted())
    }
  }
})
