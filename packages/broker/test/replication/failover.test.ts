import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode, OffsetForLeaderEpoch } from '@ottla/protocol'
import { Scene } from './scene.ts'

test('a tail that was not replicated is lost when its leader goes down, and truncated when that returns', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  await scene.until(scene.put(1, topic, { acks: -1, count: 2 }))
  scene.clock.advance(100)
  for (const id of [2, 3]) scene.cluster.stopReplication(id)
  await scene.put(1, topic)
  await scene.cluster.brokerDown(1)
  for (const id of [2, 3]) scene.cluster.resumeReplication(id)
  scene.clock.advance(100)
  assert.equal(scene.ends(topic), '1:2/3 out, 2:2/2 leads, 3:2/2')
  const { baseOffset } = await scene.until(scene.put(2, topic, { acks: -1, count: 3 }))
  assert.equal(baseOffset, 2)
  await scene.cluster.brokerUp(1)
  scene.clock.advance(100)
  assert.equal(scene.ends(topic), '1:5/5, 2:5/5 leads, 3:5/5')
  assert.deepEqual(scene.values(topic), ['value-0', 'value-1', 'value-0', 'value-1', 'value-2'])
})

test('what was acknowledged to a producer with acks=all survives its leader', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  const { errorCode } = await scene.until(scene.put(1, topic, { acks: -1, count: 3 }))
  assert.equal(errorCode, 0)
  // The followers have not learnt the high watermark yet, but they have the records.
  await scene.cluster.brokerDown(1)
  scene.clock.advance(100)
  assert.equal(scene.values(topic).length, 3)
})

test('a producer that waits for replicas is told when its broker no longer leads', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  for (const id of [2, 3]) scene.cluster.stopReplication(id)
  const { answer } = await scene.heldPut(1, topic)
  scene.cluster.setLeader(topic, 0, 2)
  const { errorCode, currentLeader } = await answer
  assert.equal(errorCode, ErrorCode.ERR_NOT_LEADER_FOR_PARTITION)
  assert.deepEqual(currentLeader, { leaderId: 2, leaderEpoch: 2 })
})

test('a producer that waits for replicas is told when the topic is deleted', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  for (const id of [2, 3]) scene.cluster.stopReplication(id)
  const { answer } = await scene.heldPut(1, topic)
  scene.cluster.deleteTopic(topic)
  assert.equal((await answer).errorCode, ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART)
})

test('others are elected only when the controller has noticed', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  await scene.cluster.brokerDown(1, { detectionDelayMs: 9000 })
  scene.clock.advance(8999)
  assert.equal((await scene.put(2, topic)).errorCode, ErrorCode.ERR_NOT_LEADER_FOR_PARTITION)
  scene.clock.advance(1)
  assert.equal((await scene.put(2, topic)).errorCode, 0)
  assert.match(scene.ends(topic), /2:0\/1 leads/)
})

test('a broker that is back before it was missed has lost its leadership all the same', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  await scene.cluster.brokerDown(1, { detectionDelayMs: 9000 })
  await scene.cluster.brokerUp(1)
  scene.clock.advance(10_000)
  assert.equal(scene.ends(topic), '1:0/0, 2:0/0 leads, 3:0/0')
  await scene.cluster.brokerDown(2, { moveLeaders: false })
  scene.clock.advance(10_000)
  assert.equal((await scene.put(1, topic)).errorCode, ErrorCode.ERR_NOT_LEADER_FOR_PARTITION)
  await scene.cluster.brokerUp(2)
  scene.clock.advance(100)
  assert.equal((await scene.put(2, topic)).errorCode, 0)
})

test('a follower that restarts before it was missed is in sync again only once it has caught up', async () => {
  await using scene = await Scene.start({ seed: 5 })
  const topic = scene.topic('t')
  for (let i = 0; i < 10; i++) await scene.until(scene.put(1, topic, { acks: -1 }))
  scene.clock.advance(100)
  await scene.cluster.brokerDown(3, { moveLeaders: false, forgets: true })
  scene.cluster.stopReplication(3)
  await scene.cluster.brokerUp(3)
  // It lacks what was acknowledged: as a member of the ISR it could be elected, and lose that.
  assert.match(scene.ends(topic), /^1:10\/10 leads, 2:10\/10, 3:\d+\/\d+ out$/)
  scene.cluster.resumeReplication(3)
  scene.clock.advance(100)
  assert.equal(scene.ends(topic), '1:10/10 leads, 2:10/10, 3:10/10')
})

test('a partition that was created while all of its replicas were down is led by the first that returns', async () => {
  await using scene = await Scene.start()
  await scene.cluster.brokerDown(1)
  scene.cluster.createTopic('alone', { partitions: 1, replicationFactor: 1 })
  await scene.cluster.brokerUp(1)
  assert.equal((await scene.put(1, 'alone', { acks: -1 })).errorCode, 0)
})

test('a new leader does not say where its log ends before it knows what is replicated (KIP-207)', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  for (const id of [2, 3]) scene.cluster.setReplicationLag(id, 10)
  await scene.put(1, topic)
  scene.clock.advance(20)
  assert.equal(scene.ends(topic), '1:1/1 leads, 2:0/1, 3:0/1')
  await scene.cluster.brokerDown(1)
  assert.deepEqual(await scene.listOffset(2, topic), { code: ErrorCode.ERR_OFFSET_NOT_AVAILABLE, offset: -1 })
  assert.deepEqual(await scene.listOffset(2, topic, -1, 4), { code: ErrorCode.ERR_LEADER_NOT_AVAILABLE, offset: -1 })
  assert.deepEqual(await scene.listOffset(2, topic, -2), { code: 0, offset: 0 })
  assert.equal((await scene.listOffset(2, topic, 1)).code, ErrorCode.ERR_OFFSET_NOT_AVAILABLE)
  scene.clock.advance(10)
  assert.deepEqual(await scene.listOffset(2, topic), { code: 0, offset: 1 })
})

test('consumers learn by leader epoch that their position was cut off (KIP-320)', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  await scene.until(scene.put(1, topic, { acks: -1, count: 2 }))
  await scene.cluster.brokerDown(1)
  scene.clock.advance(100)
  await scene.until(scene.put(2, topic, { acks: -1, count: 2 }))
  const fenced = await scene.fetch(2, topic, 2, { currentLeaderEpoch: 1 })
  assert.equal(fenced.errorCode, ErrorCode.ERR_FENCED_LEADER_EPOCH)
  const unknown = await scene.fetch(2, topic, 2, { currentLeaderEpoch: 3 })
  assert.equal(unknown.errorCode, ErrorCode.ERR_UNKNOWN_LEADER_EPOCH)
  const diverged = await scene.fetch(2, topic, 3, { currentLeaderEpoch: 2, lastFetchedEpoch: 1 })
  assert.deepEqual(diverged.divergingEpoch, { epoch: 1, endOffset: 2 })
  const partitions = [{ partition: 0, currentLeaderEpoch: 2, leaderEpoch: 1 }]
  const client = await scene.client(2)
  const answer = await client.ask(OffsetForLeaderEpoch, 4, { topics: [{ topic, partitions }] })
  const { errorCode, leaderEpoch, endOffset } = answer.topics[0]?.partitions[0] ?? {}
  assert.deepEqual([errorCode, leaderEpoch, endOffset], [0, 1, 2])
})

test('replicas that diverged several times are cut by epoch, not by high watermark (KIP-101, KIP-279)', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t', { 'unclean.leader.election.enable': 'true' })
  await scene.until(scene.put(1, topic, { acks: -1 }))
  scene.clock.advance(100)
  // Each leader in turn writes alone: epochs 1, 2 and 3 go on differently after the first record.
  for (const id of [1, 2, 3]) scene.cluster.stopReplication(id)
  await scene.put(1, topic, { count: 1 })
  scene.cluster.setLeader(topic, 0, 2)
  await scene.put(2, topic, { count: 5 })
  scene.cluster.setLeader(topic, 0, 3)
  await scene.put(3, topic, { count: 3 })
  scene.cluster.setLeader(topic, 0, 2)
  await scene.put(2, topic, { count: 4 })
  for (const id of [1, 2, 3]) scene.cluster.resumeReplication(id)
  scene.clock.advance(1000)
  assert.equal(scene.ends(topic), '1:10/10, 2:10/10 leads, 3:10/10')
  const values = await Promise.all([1, 2, 3].map(async id => (await scene.fetch(id, topic, 0)).records))
  assert.deepEqual(values[0], values[1])
  assert.deepEqual(values[2], values[1])
})

test('followers forget records that their leader has deleted, and start over if they had fewer', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t', { 'segment.ms': '1', 'retention.ms': '1000' })
  scene.cluster.stopReplication(3)
  for (let i = 0; i < 3; i++) await scene.put(1, topic)
  scene.clock.advance(31_000)
  assert.equal(scene.ends(topic), '1:3/3 leads, 2:3/3, 3:0/0 out')
  scene.cluster.runRetention()
  scene.clock.advance(100)
  for (const id of [1, 2]) assert.equal((await scene.fetch(id, topic, 0)).errorCode, ErrorCode.ERR_OFFSET_OUT_OF_RANGE)
  scene.cluster.resumeReplication(3)
  scene.clock.advance(100)
  assert.equal(scene.ends(topic), '1:3/3 leads, 2:3/3, 3:3/3')
  assert.equal((await scene.fetch(3, topic, 0)).errorCode, ErrorCode.ERR_OFFSET_OUT_OF_RANGE)
})

test('a new leader knows the producers from its own copy', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  const batch = (
    baseSequence: number,
  ): { seal: { producerId: bigint; producerEpoch: number; baseSequence: number } } => {
    return { seal: { producerId: 7n, producerEpoch: 0, baseSequence } }
  }
  await scene.until(scene.put(1, topic, { acks: -1, ...batch(0) }))
  scene.clock.advance(100)
  for (const id of [2, 3]) scene.cluster.stopReplication(id)
  await scene.put(1, topic, batch(1))
  await scene.cluster.brokerDown(1)
  // The replicated batch is a duplicate, the lost one is not, and what follows it leaves a gap.
  assert.equal((await scene.put(2, topic, batch(0))).baseOffset, 0)
  assert.equal((await scene.put(2, topic, batch(2))).errorCode, ErrorCode.ERR_OUT_OF_ORDER_SEQUENCE_NUMBER)
  assert.equal((await scene.put(2, topic, batch(1))).baseOffset, 1)
})
