import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode, IncrementalAlterConfigs, Metadata } from '@ottla/protocol'
import { Scene } from './scene.ts'

test('truncating a partition cuts all of its replicas', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  for (let i = 0; i < 5; i++) await scene.put(1, topic)
  scene.clock.advance(100)
  scene.cluster.truncate(topic, 0, 2)
  scene.clock.advance(100)
  assert.equal(scene.ends(topic), '1:2/2 leads, 2:2/2, 3:2/2')
  assert.deepEqual(await scene.listOffset(1, topic), { code: 0, offset: 2 })
  assert.equal(scene.cluster.replicas(topic, 0)[2]?.leaderEpoch, 2)
})

test('a write that is cut off while it waits for the replicas is not acknowledged, whatever takes its place', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  await scene.put(1, topic)
  scene.clock.advance(100)
  const { answer: lost } = await scene.heldPut(1, topic)
  scene.cluster.truncate(topic, 0, 1)
  const { baseOffset } = await scene.until(scene.put(1, topic, { acks: -1, from: 'another' }))
  assert.equal(baseOffset, 1)
  assert.equal((await lost).errorCode, ErrorCode.ERR_NOT_LEADER_FOR_PARTITION)
})

test('every replica is compacted', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t', { 'cleanup.policy': 'compact' })
  for (let i = 0; i < 3; i++) await scene.put(1, topic)
  scene.clock.advance(100)
  scene.cluster.compact(topic)
  assert.equal(scene.values(topic).length, 1)
  await scene.cluster.brokerDown(1)
  scene.clock.advance(100)
  assert.equal(scene.values(topic).length, 1)
  assert.equal(scene.ends(topic), '1:3/3 out, 2:3/3 leads, 3:3/3')
})

test('a leader epoch that is set reaches brokers and clients', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  scene.cluster.setLeaderEpoch(topic, 0, 7)
  assert.equal((await scene.fetch(1, topic, 0, { currentLeaderEpoch: 6 })).errorCode, ErrorCode.ERR_FENCED_LEADER_EPOCH)
  await scene.until(scene.put(1, topic, { acks: -1 }))
  scene.clock.advance(100)
  assert.equal(scene.ends(topic), '1:1/1 leads, 2:1/1, 3:1/1')
})

test('a lower min.insync.replicas lets consumers go on', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t', { 'min.insync.replicas': '3' })
  await scene.cluster.brokerDown(3)
  await scene.put(1, topic)
  scene.clock.advance(100)
  assert.match(scene.ends(topic), /^1:0\/1 leads/)
  const configs = [{ name: 'min.insync.replicas', configOperation: 0, value: '2' }]
  const resources = [{ resourceType: 2, resourceName: topic, configs }]
  await (await scene.client(1)).ask(IncrementalAlterConfigs, 1, { resources, validateOnly: false })
  assert.match(scene.ends(topic), /^1:1\/1 leads/)
})

test('a leader that lags behind the controller does not bring back an ISR that has changed meanwhile', async () => {
  await using scene = await Scene.start({ replicaLagTimeMaxMs: 1000 })
  const topic = scene.topic('t')
  scene.cluster.setMetadataLag(1, 5000)
  scene.cluster.stopReplication(3)
  await scene.cluster.brokerDown(3)
  await scene.cluster.brokerUp(3)
  scene.cluster.stopReplication(2)
  await scene.put(1, topic)
  scene.clock.advance(4000)
  // The controller knows that 3 is out, the leader would have put it in again when it missed 2.
  assert.equal(scene.ends(topic), '1:0/1 leads, 2:0/0, 3:0/0 out')
  scene.clock.advance(2000)
  assert.equal(scene.ends(topic), '1:1/1 leads, 2:0/0 out, 3:0/0 out')
  for (const id of [2, 3]) scene.cluster.resumeReplication(id)
  scene.clock.advance(6000)
  assert.equal(scene.ends(topic), '1:1/1 leads, 2:1/1, 3:1/1')
})

test('only brokers that are there can be fenced, and only those that are up unfenced', async () => {
  await using scene = await Scene.start()
  assert.throws(() => scene.cluster.fenceBroker(9), /there is no broker 9/)
  assert.throws(() => scene.cluster.unfenceBroker(9), /there is no broker 9/)
  scene.cluster.createTopic('alone', { partitions: 1, replicationFactor: 1 })
  await scene.cluster.brokerDown(1)
  scene.cluster.unfenceBroker(1)
  const client = await scene.client(2)
  const { brokers, topics } = await client.ask(Metadata, 12, { topics: [{ name: 'alone' }] })
  assert.deepEqual(brokers.map(({ nodeId }) => nodeId).sort(), [2, 3])
  assert.equal(topics[0]?.partitions[0]?.leaderId, -1)
})

test('the id of a broker that was removed while it was down can be used again', async () => {
  await using scene = await Scene.start()
  await scene.cluster.brokerDown(3, { detectionDelayMs: 1000 })
  await scene.cluster.removeBroker(3)
  assert.equal(await scene.cluster.addBroker(), 3)
  scene.clock.advance(2000)
  const { brokers } = await (await scene.client(1)).ask(Metadata, 12, { topics: [] })
  assert.deepEqual(brokers.map(({ nodeId }) => nodeId).sort(), [1, 2, 3])
})

test('a frozen broker that is restarted answers again', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  scene.cluster.pauseBroker(1)
  await scene.cluster.brokerDown(1)
  await scene.cluster.brokerUp(1)
  assert.equal((await scene.put(1, topic)).errorCode, ErrorCode.ERR_NOT_LEADER_FOR_PARTITION)
  scene.cluster.resumeBroker(1)
})

test('the same seed brings the same history', async () => {
  const history = async (): Promise<string[]> => {
    await using scene = await Scene.start({ seed: 11 })
    const topic = scene.topic('t')
    const states: string[] = []
    for (let i = 0; i < 20; i++) {
      await scene.put(1, topic)
      scene.clock.advance(1)
      states.push(scene.ends(topic))
    }
    return states
  }
  assert.deepEqual(await history(), await history())
})

test('the limit of memory counts each record once', async () => {
  await using scene = await Scene.start({ maxBytes: 100_000 })
  const topic = scene.topic('t')
  const put = (): Promise<unknown> => scene.until(scene.put(1, topic, { acks: -1, count: 100 }))
  for (let i = 0; i < 20; i++) await put()
  scene.clock.advance(100)
  // About 2000 bytes a batch: three replicas would be far beyond the limit.
  assert.equal((await scene.fetch(1, topic, 0)).errorCode, 0)
  await scene.cluster.brokerDown(1)
  for (let i = 0; i < 80; i++) await scene.until(scene.put(2, topic, { acks: -1, count: 100 }))
  scene.clock.advance(100)
  assert.equal((await scene.fetch(2, topic, 0)).errorCode, ErrorCode.ERR_OFFSET_OUT_OF_RANGE)
  const { length } = scene.values(topic)
  assert.ok(length > 2000 && length < 10_000, `${length}`)
})
