import { test } from 'node:test'
import assert from 'node:assert/strict'
import { Brokers } from '../../src/base/brokers.ts'
import { Groups } from '../../src/groups/groups.ts'
import { offsetKey } from '../../src/groups/group.ts'
import { Coordinators } from '../../src/topics/coordinators.ts'
import { TopicStore } from '../../src/topics/topics.ts'
import { writeMarker, type MarkerStores } from '../../src/transactions/markers.ts'
import { TransactionalOffsets } from '../../src/transactions/transactional-offsets.ts'
import { UnreplicatedMarkers } from '../../src/transactions/unreplicated-markers.ts'
import { readBack } from '../batches.ts'
import { FakeClock } from '../fake-clock.ts'

const MARKER = { transactionalId: 'txn', producerId: 9n, producerEpoch: 1, commit: true }
const KEY = offsetKey('t', 0)

function scene(): MarkerStores {
  const clock = new FakeClock()
  const brokers = new Brokers([{ id: 1, endpoints: [], rack: null, up: true }])
  const topics = new TopicStore(
    () => [1],
    1,
    id => brokers.isUp(id),
  )
  return {
    clock,
    brokers,
    topics,
    coordinators: new Coordinators(topics, brokers),
    transactionalOffsets: new TransactionalOffsets(),
    unreplicated: new UnreplicatedMarkers(),
    groups: new Groups({
      clock,
      topics,
      classic: { initialRebalanceDelayMs: 0, maxSize: Infinity },
      sessionLimits: { minMs: 1, maxMs: 1 },
      persistence: null,
      brokerSettings: new Map(),
    }),
  }
}

test('a marker waits for a leader, and is not needed in a deleted partition', () => {
  const stores = scene()
  const [partition] = stores.topics.create({ name: 't', partitions: 1, replicationFactor: 1 }).partitions
  assert.ok(partition !== undefined)
  partition.leader = -1
  assert.equal(writeMarker(stores, { topic: 't', partition: 0 }, MARKER), false)
  partition.leader = 1
  assert.equal(writeMarker(stores, { topic: 't', partition: 0 }, MARKER), true)
  const [stored] = partition.log.batches
  assert.equal(stored === undefined ? null : readBack(stored.bytes).controlType(), 'commit')
  assert.equal(writeMarker(stores, { topic: 'gone', partition: 0 }, MARKER), true)
})

test('pending offsets take effect with a commit, and are dropped with an abort', () => {
  for (const commit of [true, false]) {
    const stores = scene()
    const target = stores.coordinators.offsetsPartition('g')
    stores.transactionalOffsets.add(9n, 'g', KEY, { offset: 5, leaderEpoch: -1, metadata: null })
    stores.transactionalOffsets.add(8n, 'g', KEY, { offset: 6, leaderEpoch: -1, metadata: null })
    writeMarker(stores, target, { ...MARKER, commit })
    assert.equal(stores.groups.get('g')?.offsets.get(KEY)?.offset, commit ? 5 : undefined)
    assert.deepEqual(
      [...stores.transactionalOffsets.all()].map(({ producerId }) => producerId),
      [8n],
    )
  }
})

test('only groups of the marker’s partition of the offsets topic are concerned', () => {
  const stores = scene()
  const target = stores.coordinators.offsetsPartition('g')
  const other = Array.from({ length: 50 }, (_, i) => `other-${i}`).find(
    id => stores.coordinators.offsetsPartition(id).partition !== target.partition,
  )
  assert.ok(other !== undefined)
  stores.transactionalOffsets.add(9n, other, KEY, { offset: 5, leaderEpoch: -1, metadata: null })
  writeMarker(stores, target, MARKER)
  assert.equal(stores.transactionalOffsets.isPending(other, KEY), true)
})
