import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assignRange } from '../../../../src/consumer/group/assignors/range.ts'
import { assignRoundRobin } from '../../../../src/consumer/group/assignors/roundrobin.ts'
import { counts, member, shown } from './members.ts'

test('a topic that does not exist is not assigned', () => {
  const members = [member('C0', ['missing', 't0'])]
  for (const assign of [assignRange, assignRoundRobin]) {
    assert.deepEqual(shown(assign(members, counts({ t0: 1 }))), { C0: 't0-0' })
  }
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
