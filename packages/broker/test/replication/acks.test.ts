import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode } from '@ottla/protocol'
import { EmbeddedCluster } from '../../src/index.ts'
import { Scene } from './scene.ts'

test('a write with acks=1 is answered before any follower has it', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  const { errorCode, baseOffset } = await scene.put(1, topic)
  assert.deepEqual([errorCode, baseOffset], [0, 0])
  assert.equal(scene.ends(topic), '1:0/1 leads, 2:0/0, 3:0/0')
})

test('followers copy, report what they have, and learn the high watermark from a later fetch', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  for (const id of [2, 3]) scene.cluster.setReplicationLag(id, 10)
  await scene.put(1, topic)
  scene.clock.advance(10)
  assert.equal(scene.ends(topic), '1:0/1 leads, 2:0/1, 3:0/1')
  scene.clock.advance(10)
  assert.equal(scene.ends(topic), '1:1/1 leads, 2:0/1, 3:0/1')
  scene.clock.advance(10)
  assert.equal(scene.ends(topic), '1:1/1 leads, 2:1/1, 3:1/1')
  assert.deepEqual(scene.values(topic), ['value-0'])
})

test('an idle cluster sets no timers for replication', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  await scene.client(1, 'writer')
  const before = scene.clock.pending
  await scene.put(1, topic)
  assert.ok(scene.clock.pending > before)
  scene.clock.advance(100)
  assert.equal(scene.clock.pending, before)
})

test('consumers read, and are told of, nothing beyond the high watermark', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  await scene.put(1, topic)
  const early = await scene.fetch(1, topic, 0)
  assert.deepEqual([early.highWatermark, early.lastStableOffset, early.records?.length], [0, 0, 0])
  // Beyond the high watermark, but not beyond the log: no error.
  assert.equal((await scene.fetch(1, topic, 1)).errorCode, 0)
  assert.equal((await scene.fetch(1, topic, 2)).errorCode, ErrorCode.ERR_OFFSET_OUT_OF_RANGE)
  assert.deepEqual(await scene.listOffset(1, topic), { code: 0, offset: 0 })
  assert.deepEqual(scene.values(topic), [])
  scene.clock.advance(100)
  const later = await scene.fetch(1, topic, 0)
  assert.deepEqual([later.highWatermark, later.lastStableOffset], [1, 1])
  assert.ok((later.records?.length ?? 0) > 0)
  assert.deepEqual(await scene.listOffset(1, topic), { code: 0, offset: 1 })
})

test('a waiting fetch gets a record when that is replicated', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  const { answer } = await scene.held(scene.client(1), () => scene.fetch(1, topic, 0, {}, { maxWaitMs: 60_000 }))
  await scene.put(1, topic)
  const { highWatermark, records } = await scene.until(answer)
  assert.equal(highWatermark, 1)
  assert.ok((records?.length ?? 0) > 0)
})

test('a write with acks=all is answered once all in-sync replicas have it', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  scene.cluster.setReplicationLag(2, 10)
  scene.cluster.setReplicationLag(3, 20)
  const start = scene.clock.now()
  const { errorCode } = await scene.until(scene.put(1, topic, { acks: -1 }))
  assert.equal(errorCode, 0)
  // The second fetch of the slower follower reports what the first has brought.
  assert.equal(scene.clock.now() - start, 40)
  assert.match(scene.ends(topic), /^1:1\/1 leads/)
})

test('a duplicate with acks=all waits as the first write does', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  const seal = { producerId: 7n, producerEpoch: 0, baseSequence: 0 }
  await scene.put(1, topic, { seal })
  const start = scene.clock.now()
  for (const id of [2, 3]) scene.cluster.setReplicationLag(id, 25)
  const again = await scene.until(scene.put(1, topic, { acks: -1, seal }))
  assert.deepEqual([again.errorCode, again.baseOffset], [0, 0])
  assert.equal(scene.clock.now() - start, 50)
  assert.equal((await scene.until(scene.put(1, topic, { acks: -1, seal }))).baseOffset, 0)
})

test('a write that followers do not copy times out, though it may be replicated later', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  scene.cluster.stopReplication(3)
  const answer = await scene.until(scene.put(1, topic, { acks: -1, timeoutMs: 1000 }), 100)
  assert.equal(answer.errorCode, ErrorCode.ERR_REQUEST_TIMED_OUT)
  scene.cluster.resumeReplication(3)
  scene.clock.advance(100)
  assert.equal(scene.ends(topic), '1:1/1 leads, 2:1/1, 3:1/1')
})

test('a connection gets its answers in order: a read waits behind a write with acks=all', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  await scene.client(1)
  const order: string[] = []
  const write = scene.put(1, topic, { acks: -1, from: 'reader' }).then(() => order.push('write'))
  const read = scene.listOffset(1, topic).then(({ offset }) => order.push(`read ${offset}`))
  await scene.until(Promise.all([write, read]))
  assert.deepEqual(order, ['write', 'read 1'])
})

test('dataDir is refused, and the commands need simulated replication', async () => {
  await assert.rejects(
    EmbeddedCluster.start({ replication: 'simulated', dataDir: 'never-made' }),
    /dataDir cannot be combined with replication: 'simulated'/,
  )
  await using shared = await EmbeddedCluster.start()
  assert.throws(() => shared.stopReplication(1), /stopReplication needs a cluster with replication: 'simulated'/)
})
