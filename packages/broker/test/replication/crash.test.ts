import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode } from '@ottla/protocol'
import { readBack } from '../batches.ts'
import { Scene } from './scene.ts'

/** Where the log of broker 1 ends right after a crash that forgets, when it had ten records. */
async function survivors(scene: Scene, topic: string): Promise<number> {
  for (let i = 0; i < 10; i++) await scene.put(1, topic)
  scene.clock.advance(100)
  await scene.cluster.brokerDown(1, { forgets: true })
  for (const id of [2, 3]) await scene.cluster.brokerDown(id)
  await scene.cluster.brokerUp(1)
  return scene.cluster.replicas(topic, 0)[0]?.endOffset ?? -1
}

test('a broker that forgets copies from the new leader what it has lost', async () => {
  await using scene = await Scene.start({ seed: 5 })
  const topic = scene.topic('t')
  for (let i = 0; i < 10; i++) await scene.until(scene.put(1, topic, { acks: -1 }))
  scene.clock.advance(100)
  await scene.cluster.brokerDown(1, { forgets: true })
  assert.equal(scene.ends(topic).split(',')[0], '1:10/10 out')
  scene.cluster.stopReplication(1)
  await scene.cluster.brokerUp(1)
  assert.ok((scene.cluster.replicas(topic, 0)[0]?.endOffset ?? 10) < 10)
  scene.cluster.resumeReplication(1)
  scene.clock.advance(100)
  assert.equal(scene.ends(topic), '1:10/10, 2:10/10 leads, 3:10/10')
})

test('what all in-sync replicas forget is lost, though it was acknowledged', async () => {
  await using scene = await Scene.start({ brokers: 1, seed: 5 })
  scene.cluster.createTopic('t', { partitions: 1 })
  for (let i = 0; i < 10; i++) assert.equal((await scene.put(1, 't', { acks: -1 })).errorCode, 0)
  await scene.cluster.brokerDown(1, { forgets: true })
  await scene.cluster.brokerUp(1)
  const { length } = scene.values('t')
  assert.ok(length < 10)
  assert.equal((await scene.fetch(1, 't', 10)).errorCode, ErrorCode.ERR_OFFSET_OUT_OF_RANGE)
  assert.equal((await scene.put(1, 't')).baseOffset, length)
})

test('how much is forgotten depends on the seed alone', async () => {
  const ends: number[] = []
  for (const seed of [1, 1, 2, 3, 4]) {
    await using scene = await Scene.start({ seed })
    ends.push(await survivors(scene, scene.topic('t')))
  }
  assert.equal(ends[0], ends[1])
  assert.ok(new Set(ends).size > 1)
})

test('what was flushed is not forgotten: by flush.messages, flush.ms, or after 30 seconds', async () => {
  for (const [configs, restMs] of [
    [{ 'flush.messages': '1' }, 0],
    [{ 'flush.ms': '1000' }, 1000],
    [{}, 30_000],
  ] as [Record<string, string>, number][]) {
    await using scene = await Scene.start({ seed: 5 })
    const topic = scene.topic('t', configs)
    for (let i = 0; i < 10; i++) await scene.put(1, topic)
    scene.clock.advance(restMs)
    scene.cluster.stopReplication(1)
    await scene.cluster.brokerDown(1, { forgets: true })
    await scene.cluster.brokerUp(1)
    assert.equal(scene.cluster.replicas(topic, 0)[0]?.endOffset, 10)
  }
  await using scene = await Scene.start({ seed: 5 })
  const topic = scene.topic('t', { 'flush.ms': '100' })
  for (let i = 0; i < 10; i++) {
    await scene.put(1, topic)
    scene.clock.advance(100)
  }
  scene.cluster.stopReplication(1)
  await scene.cluster.brokerDown(1, { forgets: true })
  await scene.cluster.brokerUp(1)
  assert.ok((scene.cluster.replicas(topic, 0)[0]?.endOffset ?? 0) >= 9)
})

test('a crash without forgetting keeps even what was not replicated, until the new leader cuts it off', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  for (const id of [2, 3]) scene.cluster.stopReplication(id)
  await scene.put(1, topic)
  await scene.cluster.brokerDown(1)
  scene.cluster.setReplicationLag(1, 500)
  await scene.cluster.brokerUp(1)
  assert.match(scene.ends(topic), /^1:0\/1 out/)
  scene.clock.advance(500)
  assert.match(scene.ends(topic), /^1:0\/0/)
})

test("a broker's clock can differ from the others', which shows in the timestamps that it writes", async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t', { 'message.timestamp.type': 'LogAppendTime' })
  scene.cluster.setClockSkew(1, 5000)
  assert.equal((await scene.put(1, topic)).logAppendTimeMs, scene.clock.now() + 5000)
  scene.cluster.setClockSkew(1, -5000)
  assert.equal((await scene.put(1, topic)).logAppendTimeMs, scene.clock.now() - 5000)
  scene.clock.advance(100)
  await scene.cluster.brokerDown(1)
  assert.equal((await scene.put(2, topic)).logAppendTimeMs, scene.clock.now())
})

test('a broker whose clock is behind refuses timestamps that are too far ahead of it', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  scene.cluster.setClockSkew(1, -3_600_001)
  assert.equal((await scene.put(1, topic)).errorCode, ErrorCode.ERR_INVALID_TIMESTAMP)
  assert.throws(() => scene.cluster.setClockSkew(9, 1), /there is no broker 9/)
})

test('replicas share the bytes of their batches', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  await scene.until(scene.put(1, topic, { acks: -1, count: 3 }))
  scene.clock.advance(100)
  const records = await Promise.all([1, 2, 3].map(async id => (await scene.fetch(id, topic, 0)).records))
  for (const bytes of records) {
    assert.ok(bytes instanceof Uint8Array)
    assert.equal(readBack(bytes).partitionLeaderEpoch, 1)
  }
})
