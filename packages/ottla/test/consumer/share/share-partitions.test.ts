import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Cluster } from '../../../src/cluster/cluster.ts'
import type { ClientContext } from '../../../src/cluster/context.ts'
import { SharePartitions } from '../../../src/consumer/share/share-partitions.ts'
import { FakeClock } from '../../base/fake-clock.ts'

const each = { topicId: 'id', partition: 1 }

function scene(): { partitions: SharePartitions; clock: FakeClock; lead: (leader: number | null) => void } {
  const clock = new FakeClock()
  const snapshot = { topicNames: new Map<string, string>(), topics: new Map<string, unknown>() }
  const lead = (leader: number | null): void => {
    snapshot.topicNames.clear()
    if (leader === null) return
    snapshot.topicNames.set('id', 't')
    snapshot.topics.set('t', { partitions: [{ leader: 9 }, { leader }] })
  }
  const settings = { 'fetch.error.backoff.ms': 500 }
  // What it uses of both.
  const context = { settings, clock, random: () => 0.5 } as unknown as ClientContext
  const cluster = { metadata: { snapshot } } as unknown as Cluster
  return { partitions: new SharePartitions(context, cluster), clock, lead }
}

test('a partition has moved from a broker only when another one is known to lead it', () => {
  const { partitions, lead } = scene()
  assert.deepEqual([partitions.topicOf(each), partitions.leaderOf(each)], [undefined, -1])
  assert.equal(partitions.hasMovedFrom(1, each), false)
  for (const [leader, hasMoved] of [
    [-1, false],
    [1, false],
    [2, true],
    [null, false],
  ] as const) {
    lead(leader)
    assert.equal(partitions.hasMovedFrom(1, each), hasMoved, String(leader))
  }
})

test('a pause lasts for fetch.error.backoff.ms, or until a fetch has succeeded', async () => {
  const { partitions, clock } = scene()
  await clock.advance(100)
  assert.equal(partitions.pausedUntil(each), 0)
  partitions.pause(each)
  assert.equal(partitions.pausedUntil(each), 600)
  assert.equal(partitions.pausedUntil({ ...each, partition: 0 }), 0)
  assert.equal(partitions.fetched(each), true)
  assert.deepEqual([partitions.pausedUntil(each), partitions.fetched(each)], [0, false])
})

test('a broker is asked for the partitions that it leads, of topics that are wanted', () => {
  const { partitions, lead } = scene()
  partitions.assigned = [{ topicId: 'id', partition: 0 }, each, { topicId: 'unknown', partition: 0 }]
  lead(9)
  const all = partitions.ledBy(9, () => true)
  assert.deepEqual(
    all.map(({ partition }) => partition),
    [0, 1],
  )
  assert.deepEqual(
    partitions.ledBy(9, topic => topic !== 't'),
    [],
  )
  assert.deepEqual(
    partitions.ledBy(1, () => true),
    [],
  )
})
