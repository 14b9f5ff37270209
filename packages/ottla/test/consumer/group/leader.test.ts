import assert from 'node:assert/strict'
import { test } from 'node:test'
import { emptySnapshot, type Snapshot } from '../../../src/cluster/snapshot.ts'
import { fingerprint, layoutOf } from '../../../src/consumer/group/leader.ts'

function snapshotOf(topics: Record<string, number[][]>, racks: Record<number, string | null> = {}): Snapshot {
  const brokers = Object.entries(racks).map(([id, rack]) => [Number(id), { id: Number(id), rack }])
  const partitions = (replicas: number[][]): unknown => replicas.map(each => ({ replicas: each }))
  const all = Object.entries(topics).map(([topic, replicas]) => [topic, { topic, partitions: partitions(replicas) }])
  return { ...emptySnapshot, brokers: new Map(brokers as never), topics: new Map(all as never) }
}

test('a topic that does not exist has no partitions', () => {
  const layout = layoutOf(['missing', 't'], snapshotOf({ t: [[1], [2]] }))
  assert.deepEqual(layout.get('missing'), { partitionCount: 0, racks: [] })
  assert.deepEqual(layout.get('t'), { partitionCount: 2, racks: [] }, 'without racks nobody has to look at them')
})

test('racks are those of the replicas, as far as brokers have one', () => {
  const snapshot = snapshotOf(
    {
      t: [
        [1, 2, 3],
        [3, 4],
      ],
    },
    { 1: 'a', 2: 'a', 3: 'b', 4: null },
  )
  assert.deepEqual(layoutOf(['t'], snapshot).get('t')?.racks, [new Set(['a', 'b']), new Set(['b'])])
})

test('a rebalance is needed when topics come, go or grow, not when their leaders move', () => {
  const before = fingerprint(['t', 'u'], snapshotOf({ t: [[1], [2]] }))
  assert.equal(fingerprint(['t', 'u'], snapshotOf({ t: [[2], [1]] })), before)
  assert.notEqual(fingerprint(['t', 'u'], snapshotOf({ t: [[1], [2], [3]] })), before)
  assert.notEqual(fingerprint(['t', 'u'], snapshotOf({ t: [[1], [2]], u: [[1]] })), before)
  assert.notEqual(fingerprint(['t'], snapshotOf({ t: [[1], [2]] })), before)
})
