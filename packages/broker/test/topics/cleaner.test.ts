import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EmbeddedCluster } from '../../src/index.ts'
import { FakeClock } from '../fake-clock.ts'

const TOPIC = 't'

function values(cluster: EmbeddedCluster): string[] {
  return cluster.messages(TOPIC).map(({ value }) => String(value))
}

async function withTopic(
  configs: Record<string, string>,
  check: (cluster: EmbeddedCluster, clock: FakeClock) => void,
): Promise<void> {
  const clock = new FakeClock()
  await using cluster = await EmbeddedCluster.start({ clock, compactEveryMs: 1000, maxIdleMs: 1e12 })
  cluster.createTopic(TOPIC, {
    partitions: 1,
    configs: { 'cleanup.policy': 'compact', 'segment.ms': '100', ...configs },
  })
  check(cluster, clock)
}

function put(cluster: EmbeddedCluster, clock: FakeClock, value: string): void {
  cluster.produce(TOPIC, [{ key: 'k', value }])
  clock.advance(200)
}

test('closed segments are compacted by themselves, the active one is not', async () => {
  await withTopic({}, (cluster, clock) => {
    for (const value of ['1', '2', '3', '4']) put(cluster, clock, value)
    assert.deepEqual(values(cluster), ['1', '2', '3', '4'])
    clock.advance(1000)
    assert.deepEqual(values(cluster), ['3', '4'])
  })
})

test('min.compaction.lag.ms keeps what is young', async () => {
  await withTopic({ 'min.compaction.lag.ms': '5000' }, (cluster, clock) => {
    for (const value of ['1', '2', '3']) put(cluster, clock, value)
    clock.advance(2000)
    assert.deepEqual(values(cluster), ['1', '2', '3'])
    clock.advance(6000)
    assert.deepEqual(values(cluster), ['2', '3'])
  })
})

test('a log is compacted again once enough of it is dirty, or it has waited too long', async () => {
  await withTopic({ 'min.cleanable.dirty.ratio': '0.9' }, (cluster, clock) => {
    for (const value of ['1', '2', '3']) put(cluster, clock, value)
    clock.advance(1000)
    assert.deepEqual(values(cluster), ['2', '3'])
    put(cluster, clock, '4')
    clock.advance(1000)
    // One of three batches is new: too little.
    assert.deepEqual(values(cluster), ['2', '3', '4'])
  })
  await withTopic({ 'min.cleanable.dirty.ratio': '1', 'max.compaction.lag.ms': '3000' }, (cluster, clock) => {
    for (const value of ['1', '2', '3']) put(cluster, clock, value)
    clock.advance(1000)
    put(cluster, clock, '4')
    clock.advance(5000)
    assert.deepEqual(values(cluster), ['3', '4'])
  })
})

test('topics without compaction, and clusters without the option, are left alone', async () => {
  await withTopic({ 'cleanup.policy': 'delete', 'retention.ms': '-1' }, (cluster, clock) => {
    for (const value of ['1', '2', '3']) put(cluster, clock, value)
    clock.advance(5000)
    assert.deepEqual(values(cluster), ['1', '2', '3'])
  })
})
