/** The same groups dealt out by Kafka's own assignors. `npm run golden:assignors` makes the file. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import type { AssignorCase, DealtOut } from '../../../../../../tools/golden/assignors.ts'
import type { GroupAssignment, GroupMember, GroupTopic } from '../../../../src/consumer/group/assignors/assignor.ts'
import { assignRange } from '../../../../src/consumer/group/assignors/range.ts'
import { assignRoundRobin } from '../../../../src/consumer/group/assignors/roundrobin.ts'
import { assignSticky, withoutMoving } from '../../../../src/consumer/group/assignors/sticky.ts'

const file = new URL('../../../../../../test/golden/assignors.jsonl.gz', import.meta.url)
const cases = gunzipSync(readFileSync(file))
  .toString()
  .trimEnd()
  .split('\n')
  .map(line => JSON.parse(line) as AssignorCase) // as the tool writes it

function partitionOf(name: string): { topic: string; partition: number } {
  const dash = name.lastIndexOf('-')
  return { topic: name.slice(0, dash), partition: Number(name.slice(dash + 1)) }
}

function membersOf({ scenario }: AssignorCase): GroupMember[] {
  return scenario.members.map(({ id, instance, rack, topics, owned, generation }) => ({
    memberId: id,
    groupInstanceId: instance,
    topics,
    ownedPartitions: owned.map(partitionOf),
    generationId: generation,
    rackId: rack,
    userData: null,
  }))
}

function topicsOf({ scenario }: AssignorCase): Map<string, GroupTopic> {
  return new Map(
    Object.entries(scenario.topics).map(([topic, partitions]) => [
      topic,
      { partitionCount: partitions.length, racks: partitions.map(racks => new Set(racks)) },
    ]),
  )
}

function shown(assignment: GroupAssignment): DealtOut {
  const entries = [...assignment].map(([id, list]) => [id, list.map(p => `${p.topic}-${p.partition}`).sort()] as const)
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Sum of the squares of the loads: the lower, the better balanced. */
function unevenness(dealt: DealtOut): number {
  return Object.values(dealt).reduce((sum, list) => sum + list.length ** 2, 0)
}

function kept({ scenario }: AssignorCase, dealt: DealtOut): number {
  return scenario.members.reduce((sum, { id, owned }) => sum + owned.filter(p => dealt[id]?.includes(p)).length, 0)
}

test('range assigns as in Java, racks and static members included', () => {
  for (const one of cases) assert.deepEqual(shown(assignRange(membersOf(one), topicsOf(one))), one.java.range)
})

test('roundrobin assigns as in Java', () => {
  for (const one of cases) assert.deepEqual(shown(assignRoundRobin(membersOf(one), topicsOf(one))), one.java.roundrobin)
})

test('sticky balances as well as it does in Java, and moves no more', () => {
  let ours = 0
  let theirs = 0
  for (const one of cases) {
    const members = membersOf(one)
    if (members.some(member => member.ownedPartitions.length > 0)) continue
    // Without owners nothing is withheld, so that the whole balance is seen.
    const dealt = shown(assignSticky(members, topicsOf(one)))
    assert.ok(unevenness(dealt) <= unevenness(one.java['cooperative-sticky']), JSON.stringify(one))
  }
  for (const one of cases) {
    const members = membersOf(one)
    const isRackAware = members.some(member => member.rackId !== null)
    if (isRackAware) continue
    const dealt = shown(withoutMoving(members, assignSticky(members, topicsOf(one))))
    ours += kept(one, dealt)
    theirs += kept(one, one.java['cooperative-sticky'])
  }
  assert.ok(theirs > 0)
  assert.ok(ours >= theirs, `${ours} partitions stayed, ${theirs} with Java`)
})

test('sticky gives every partition to one subscriber, and withholds what another holds', () => {
  for (const one of cases) {
    const members = membersOf(one)
    const dealt = assignSticky(members, topicsOf(one))
    const given = [...dealt].flatMap(([id, list]) => list.map(p => ({ id, ...p })))
    for (const { id, topic } of given) assert.ok(members.find(m => m.memberId === id)?.topics.includes(topic))
    const expected = [...topicsOf(one)]
      .filter(([topic]) => members.some(m => m.topics.includes(topic)))
      .flatMap(([topic, { partitionCount }]) => Array.from({ length: partitionCount }, (_, p) => `${topic}-${p}`))
    assert.deepEqual(given.map(p => `${p.topic}-${p.partition}`).toSorted(), expected.toSorted())
    for (const [id, list] of withoutMoving(members, dealt)) {
      for (const { topic, partition } of list) {
        const holder = members.find(m => m.ownedPartitions.some(p => p.topic === topic && p.partition === partition))
        assert.ok(holder === undefined || holder.memberId === id)
      }
    }
  }
})
