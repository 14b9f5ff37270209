import { test } from 'node:test'
import assert from 'node:assert/strict'
import {
  AlterPartitionReassignments,
  DescribeConfigs,
  ElectLeaders,
  ErrorCode,
  IncrementalAlterConfigs,
} from '@ottla/protocol'
import { Scene } from './scene.ts'

const LAG_MS = 30_000

/** Moves partition 0 of a topic to other brokers. */
async function reassign(scene: Scene, name: string, replicas: number[]): Promise<void> {
  const partitions = [{ partitionIndex: 0, replicas }]
  const client = await scene.client(1)
  const answer = await client.ask(AlterPartitionReassignments, 0, { timeoutMs: 1000, topics: [{ name, partitions }] })
  assert.equal(answer.responses[0]?.partitions[0]?.errorCode, 0)
}

test('a follower that has not caught up for replica.lag.time.max.ms leaves the ISR, and joins again once it has', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  scene.cluster.stopReplication(3)
  await scene.put(1, topic)
  scene.clock.advance(LAG_MS - 1000)
  assert.equal(scene.ends(topic), '1:0/1 leads, 2:0/1, 3:0/0')
  scene.clock.advance(2000)
  assert.equal(scene.ends(topic), '1:1/1 leads, 2:1/1, 3:0/0 out')
  scene.cluster.resumeReplication(3)
  scene.clock.advance(100)
  assert.equal(scene.ends(topic), '1:1/1 leads, 2:1/1, 3:1/1')
})

test('a follower that is slow, but never for long, stays in the ISR', async () => {
  await using scene = await Scene.start({ replicaLagTimeMaxMs: 1000 })
  const topic = scene.topic('t')
  scene.cluster.setReplicationLag(3, 400)
  for (let i = 0; i < 50; i++) {
    await scene.put(1, topic)
    scene.clock.advance(100)
    assert.doesNotMatch(scene.ends(topic), /out/)
  }
})

test('a follower that needs longer than the limit for each fetch leaves the ISR', async () => {
  await using scene = await Scene.start({ replicaLagTimeMaxMs: 1000 })
  const topic = scene.topic('t')
  scene.cluster.setReplicationLag(3, 1500)
  await scene.put(1, topic)
  scene.clock.advance(1200)
  assert.match(scene.ends(topic), /3:0\/0 out/)
})

test('an idle follower that does not fetch stays in the ISR, as it lacks nothing', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  scene.cluster.stopReplication(3)
  scene.clock.advance(10 * LAG_MS)
  assert.doesNotMatch(scene.ends(topic), /out/)
})

test('the limit is a broker setting', async () => {
  await using scene = await Scene.start({ replicaLagTimeMaxMs: 1234 })
  const client = await scene.client(1)
  const answer = await client.ask(DescribeConfigs, 4, {
    resources: [{ resourceType: 4, resourceName: '1', configurationKeys: ['replica.lag.time.max.ms'] }],
    includeSynonyms: false,
  })
  assert.equal(answer.results[0]?.configs[0]?.value, '1234')
})

test('with too few replicas in sync a write with acks=all is refused before it is appended', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t', { 'min.insync.replicas': '2' })
  await scene.cluster.brokerDown(2)
  assert.equal((await scene.until(scene.put(1, topic, { acks: -1 }))).errorCode, 0)
  await scene.cluster.brokerDown(3)
  assert.equal((await scene.put(1, topic, { acks: -1 })).errorCode, ErrorCode.ERR_NOT_ENOUGH_REPLICAS)
  assert.match(scene.ends(topic), /^1:1\/1 leads/)
  // Consumers wait for the missing replicas, too.
  assert.equal((await scene.put(1, topic, { acks: 1 })).errorCode, 0)
  scene.clock.advance(1000)
  assert.match(scene.ends(topic), /^1:1\/2 leads/)
  await scene.cluster.brokerUp(3)
  scene.clock.advance(100)
  assert.match(scene.ends(topic), /^1:2\/2 leads/)
})

test('no more replicas than there are have to be in sync', async () => {
  await using scene = await Scene.start()
  scene.cluster.createTopic('alone', { partitions: 1, replicationFactor: 1, configs: { 'min.insync.replicas': '2' } })
  scene.cluster.setLeader('alone', 0, 1)
  const { errorCode } = await scene.until(scene.put(1, 'alone', { acks: -1 }))
  assert.equal(errorCode, 0)
})

for (const [release, expected] of [
  ['2.1', ErrorCode.ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND],
  ['4.3', ErrorCode.ERR_REQUEST_TIMED_OUT],
] as const) {
  test(`a write whose replicas became too few meanwhile fails on Kafka ${release} with ${expected}`, async () => {
    await using scene = await Scene.start({ as: release, replicaLagTimeMaxMs: 1000 })
    const topic = scene.topic('t', { 'min.insync.replicas': '3' })
    scene.cluster.stopReplication(3)
    const answer = await scene.until(scene.put(1, topic, { acks: -1, timeoutMs: 5000, version: 7 }), 10)
    assert.equal(answer.errorCode, expected)
  })
}

test('without a live replica in sync a partition has no leader until one returns', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  await scene.cluster.brokerDown(2)
  await scene.cluster.brokerDown(3)
  await scene.until(scene.put(1, topic, { acks: -1 }))
  await scene.cluster.brokerDown(1)
  await scene.cluster.brokerUp(2)
  await scene.cluster.brokerUp(3)
  scene.clock.advance(1000)
  assert.equal((await scene.put(2, topic)).errorCode, ErrorCode.ERR_NOT_LEADER_FOR_PARTITION)
  assert.equal(scene.ends(topic), '1:1/1, 2:0/0 out, 3:0/0 out')
  // What the last leader had can still be inspected.
  assert.deepEqual(scene.values(topic), ['value-0'])
  await scene.cluster.brokerUp(1)
  scene.clock.advance(100)
  assert.equal(scene.ends(topic), '1:1/1 leads, 2:1/1, 3:1/1')
})

test('an unclean election loses what was acknowledged, and consumers meet OFFSET_OUT_OF_RANGE', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t', { 'unclean.leader.election.enable': 'true' })
  await scene.until(scene.put(1, topic, { acks: -1 }))
  scene.clock.advance(100)
  await scene.cluster.brokerDown(2)
  await scene.cluster.brokerDown(3)
  for (let i = 0; i < 3; i++) await scene.until(scene.put(1, topic, { acks: -1 }))
  assert.equal((await scene.fetch(1, topic, 0)).highWatermark, 4)
  await scene.cluster.brokerDown(1)
  await scene.cluster.brokerUp(3)
  scene.clock.advance(100)
  assert.equal(scene.ends(topic), '1:4/4 out, 2:1/1 out, 3:1/1 leads')
  assert.equal((await scene.fetch(3, topic, 4)).errorCode, ErrorCode.ERR_OFFSET_OUT_OF_RANGE)
  const diverged = await scene.fetch(3, topic, 1, { lastFetchedEpoch: 1 })
  assert.equal(diverged.errorCode, 0)
  await scene.cluster.brokerUp(1)
  scene.clock.advance(100)
  assert.equal(scene.ends(topic), '1:1/1, 2:1/1 out, 3:1/1 leads')
})

test('allowing unclean elections elects a leader for a partition that has none', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  await scene.cluster.brokerDown(3)
  await scene.put(1, topic)
  await scene.cluster.brokerDown(2)
  await scene.cluster.brokerDown(1)
  await scene.cluster.brokerUp(3)
  assert.doesNotMatch(scene.ends(topic), /leads/)
  const configs = [{ name: 'unclean.leader.election.enable', configOperation: 0, value: 'true' }]
  const resources = [{ resourceType: 2, resourceName: topic, configs }]
  await (await scene.client(3)).ask(IncrementalAlterConfigs, 1, { resources, validateOnly: false })
  assert.match(scene.ends(topic), /3:0\/0 leads/)
})

test('an election on request takes the preferred replica only if it is in sync, or any for an unclean one', async () => {
  await using scene = await Scene.start()
  scene.cluster.createTopic('t', { partitions: 1, replicationFactor: 3 })
  scene.clock.advance(100)
  const elect = async (electionType: number): Promise<number | undefined> => {
    const topicPartitions = [{ topic: 't', partitions: [0] }]
    const client = await scene.client(2)
    const answer = await client.ask(ElectLeaders, 2, { electionType, topicPartitions, timeoutMs: 1000 })
    return answer.replicaElectionResults[0]?.partitionResult[0]?.errorCode
  }
  await scene.cluster.brokerDown(1)
  await scene.put(2, 't')
  await scene.cluster.brokerUp(1)
  assert.equal(await elect(0), ErrorCode.ERR_PREFERRED_LEADER_NOT_AVAILABLE)
  scene.clock.advance(100)
  assert.equal(await elect(0), 0)
  scene.clock.advance(100)
  assert.equal(scene.ends('t'), '1:1/1 leads, 2:1/1, 3:1/1')
  await scene.cluster.brokerDown(2)
  await scene.put(1, 't')
  await scene.cluster.brokerDown(3)
  await scene.cluster.brokerDown(1)
  await scene.cluster.brokerUp(2)
  assert.equal(await elect(1), 0)
  assert.match(scene.ends('t'), /2:1\/1 leads/)
})

test('a reassignment ends when the new replicas have caught up', async () => {
  await using scene = await Scene.start({ brokers: 4 })
  const topic = scene.topic('t')
  await scene.until(scene.put(1, topic, { acks: -1 }))
  await reassign(scene, topic, [4, 2, 3])
  assert.match(scene.ends(topic), /1:1\/1 leads.*4:0\/0 out/)
  scene.clock.advance(100)
  assert.equal(scene.ends(topic), '2:1/1, 3:1/1, 4:1/1 leads')
  assert.deepEqual(scene.values(topic), ['value-0'])
})

test('a new replica that hears late of a reassignment copies what is there', async () => {
  await using scene = await Scene.start({ brokers: 4 })
  const topic = scene.topic('t')
  await scene.until(scene.put(1, topic, { acks: -1 }))
  scene.cluster.setMetadataLag(4, 500)
  await reassign(scene, topic, [4, 2, 3])
  scene.clock.advance(400)
  assert.match(scene.ends(topic), /1:1\/1 leads.*4:0\/0 out/)
  // Broker 4 hears of it, copies, and half a second later of its own election.
  scene.clock.advance(1000)
  assert.equal(scene.ends(topic), '2:1/1, 3:1/1, 4:1/1 leads')
})

test('consumers read from a follower up to its own high watermark (KIP-392)', async () => {
  await using scene = await Scene.start({ racks: ['a', 'b', 'c'] })
  const topic = scene.topic('t')
  scene.cluster.setReplicationLag(2, 50)
  const sentTo = async (offset: number): Promise<number> => {
    return (await scene.fetch(1, topic, offset, {}, { rackId: 'b' })).preferredReadReplica
  }
  await scene.put(1, topic)
  await scene.put(1, topic)
  // The leader does not know yet that the follower has this offset.
  assert.equal(await sentTo(2), -1)
  scene.clock.advance(120)
  assert.equal(scene.ends(topic), '1:2/2 leads, 2:0/2, 3:2/2')
  assert.equal(await sentTo(2), 2)
  assert.equal((await scene.fetch(2, topic, 0, {}, { rackId: 'b' })).records?.length, 0)
  scene.clock.advance(50)
  assert.ok(((await scene.fetch(2, topic, 0, {}, { rackId: 'b' })).records?.length ?? 0) > 0)
})
