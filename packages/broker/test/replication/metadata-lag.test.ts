import { test } from 'node:test'
import assert from 'node:assert/strict'
import { DescribeTopicPartitions, ErrorCode, FindCoordinator, Metadata, type Decoded } from '@ottla/protocol'
import { Scene } from './scene.ts'

interface Known {
  readonly code: number
  readonly brokers: readonly number[]
  readonly leader: number | undefined
  readonly epoch: number | undefined
  readonly isr: readonly number[] | undefined
}

/** What a broker says of partition 0 of a topic. */
async function ask(scene: Scene, broker: number, name: string): Promise<Known> {
  const client = await scene.client(broker)
  const answer = await client.ask(Metadata, 12, { topics: [{ name }], allowAutoTopicCreation: false })
  const topic = answer.topics[0] ?? assert.fail('there is no topic in the answer')
  const partition: Decoded<typeof answer>['topics'][number]['partitions'][number] | undefined = topic.partitions[0]
  return {
    code: topic.errorCode,
    brokers: answer.brokers.map(({ nodeId }) => nodeId).sort(),
    leader: partition?.leaderId,
    epoch: partition?.leaderEpoch,
    isr: partition?.isrNodes,
  }
}

test('a broker that lags behind the controller does not know of a new topic, nor of a deleted one', async () => {
  await using scene = await Scene.start()
  scene.cluster.setMetadataLag(3, 500)
  const topic = scene.topic('t')
  assert.equal((await ask(scene, 1, topic)).code, 0)
  assert.equal((await ask(scene, 3, topic)).code, ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART)
  assert.equal((await scene.put(3, topic)).errorCode, ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART)
  scene.clock.advance(500)
  assert.equal((await ask(scene, 3, topic)).leader, 1)
  scene.cluster.deleteTopic(topic)
  assert.equal((await ask(scene, 1, topic)).code, ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART)
  assert.equal((await ask(scene, 3, topic)).code, 0)
  scene.clock.advance(500)
  assert.equal((await ask(scene, 3, topic)).code, ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART)
})

test('a broker that was down while a topic was created and changed knows each of its partitions when it is back', async () => {
  await using scene = await Scene.start()
  await scene.cluster.brokerDown(3)
  scene.cluster.createTopic('t', { partitions: 3, replicationFactor: 3 })
  // The change of the first partition comes after those of all three.
  scene.cluster.setLeader('t', 0, 2)
  await scene.cluster.brokerUp(3)
  scene.clock.advance(100)
  const leaders = async (broker: number): Promise<unknown> => {
    const client = await scene.client(broker)
    const answer = await client.ask(Metadata, 12, { topics: [{ name: 't' }], allowAutoTopicCreation: false })
    return answer.topics[0]?.partitions.map(({ partitionIndex, leaderId }) => `${partitionIndex} led by ${leaderId}`)
  }
  assert.deepEqual(await leaders(3), ['0 led by 2', '1 led by 2', '2 led by 1'])
  assert.deepEqual(await leaders(3), await leaders(1))
  for (const partition of [0, 1, 2]) {
    const replicas = scene.cluster.replicas('t', partition)
    assert.deepEqual(replicas.filter(({ inSync }) => inSync).length, 3)
  }
})

test('a topic that is created by asking a lagging broker is unknown to that at first', async () => {
  await using scene = await Scene.start()
  scene.cluster.setMetadataLag(2, 100)
  const create = async (): Promise<number | undefined> => {
    const client = await scene.client(2)
    const answer = await client.ask(Metadata, 12, { topics: [{ name: 'new' }], allowAutoTopicCreation: true })
    return answer.topics[0]?.errorCode
  }
  assert.equal(await create(), ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART)
  assert.equal(await create(), ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART)
  scene.clock.advance(100)
  assert.equal(await create(), 0)
})

test('brokers name leaders, in-sync replicas and live brokers as they know them', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  scene.cluster.setMetadataLag(3, 500)
  await scene.cluster.brokerDown(1)
  assert.deepEqual(await ask(scene, 2, topic), { code: 0, brokers: [2, 3], leader: 2, epoch: 2, isr: [2, 3] })
  const stale = { code: 0, brokers: [1, 2, 3], leader: 1, epoch: 1, isr: [1, 2, 3] }
  assert.deepEqual(await ask(scene, 3, topic), stale)
  const client = await scene.client(3)
  const described = await client.ask(DescribeTopicPartitions, 0, {
    topics: [{ name: topic }],
    responsePartitionLimit: 10,
    cursor: null,
  })
  assert.equal(described.topics[0]?.partitions[0]?.leaderId, 1)
  scene.clock.advance(500)
  assert.deepEqual(await ask(scene, 3, topic), { code: 0, brokers: [2, 3], leader: 2, epoch: 2, isr: [2, 3] })
  assert.deepEqual(await ask(scene, 3, 'other'), {
    ...{ code: ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART, brokers: [2, 3] },
    ...{ leader: undefined, epoch: undefined, isr: undefined },
  })
})

test('a death that the controller has not noticed shows nowhere', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  await scene.cluster.brokerDown(1, { detectionDelayMs: 1000 })
  assert.deepEqual((await ask(scene, 2, topic)).brokers, [1, 2, 3])
  scene.clock.advance(1000)
  assert.deepEqual((await ask(scene, 2, topic)).brokers, [2, 3])
})

test('lowering the lag makes a broker hear at once of what it has missed', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  scene.cluster.setMetadataLag(3, Infinity)
  scene.cluster.setLeader(topic, 0, 2)
  scene.clock.advance(1e9)
  assert.equal((await ask(scene, 3, topic)).leader, 1)
  scene.cluster.setMetadataLag(3, 0)
  assert.equal((await ask(scene, 3, topic)).leader, 2)
})

test('a zombie leader takes writes with acks=1, and loses them when it hears of the new leader', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  await scene.until(scene.put(1, topic, { acks: -1 }))
  scene.clock.advance(100)
  scene.cluster.setMetadataLag(1, 60_000)
  scene.cluster.fenceBroker(1)
  assert.equal((await scene.put(1, topic, { count: 2 })).baseOffset, 1)
  assert.equal((await scene.until(scene.put(2, topic, { acks: -1, count: 3 }))).baseOffset, 1)
  scene.clock.advance(100)
  assert.equal(scene.ends(topic), '1:1/3 leads out, 2:4/4 leads, 3:4/4')
  // It serves its own log up to its own high watermark, whatever has happened elsewhere.
  const read = await scene.fetch(1, topic, 0)
  assert.deepEqual([read.errorCode, read.highWatermark], [0, 1])
  assert.deepEqual(await scene.listOffset(1, topic), { code: 0, offset: 1 })
  const ahead = await scene.fetch(1, topic, 1, { currentLeaderEpoch: 2 })
  assert.equal(ahead.errorCode, ErrorCode.ERR_UNKNOWN_LEADER_EPOCH)
  scene.clock.advance(60_000)
  assert.equal((await scene.put(1, topic)).errorCode, ErrorCode.ERR_NOT_LEADER_FOR_PARTITION)
  assert.equal(scene.ends(topic), '1:4/4 out, 2:4/4 leads, 3:4/4')
  scene.cluster.unfenceBroker(1)
  scene.clock.advance(100)
  assert.equal(scene.ends(topic), '1:4/4, 2:4/4 leads, 3:4/4')
})

test('a zombie leader acknowledges nothing with acks=all, as nobody fetches from it any more', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  scene.cluster.setMetadataLag(1, 120_000)
  scene.cluster.setLeader(topic, 0, 2)
  const late = await scene.until(scene.put(1, topic, { acks: -1, timeoutMs: 60_000 }), 1000, 200_000)
  assert.equal(late.errorCode, ErrorCode.ERR_REQUEST_TIMED_OUT)
  // It cannot take the others out of the ISR, though it misses them: the controller does not listen to a former leader.
  assert.equal(scene.ends(topic), '1:0/1 leads out, 2:0/0 leads, 3:0/0')
  const { answer } = await scene.heldPut(1, topic, { timeoutMs: 100_000 })
  scene.clock.advance(60_000)
  assert.equal((await answer).errorCode, ErrorCode.ERR_NOT_LEADER_FOR_PARTITION)
  scene.clock.advance(100)
  assert.equal(scene.ends(topic), '1:0/0, 2:0/0 leads, 3:0/0')
})

test('a follower that does not know the new leader yet copies nothing', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  scene.cluster.setMetadataLag(3, 1000)
  scene.cluster.setLeader(topic, 0, 2)
  await scene.put(2, topic)
  scene.clock.advance(900)
  assert.equal(scene.ends(topic), '1:0/1, 2:0/1 leads, 3:0/0')
  scene.clock.advance(200)
  assert.equal(scene.ends(topic), '1:1/1, 2:1/1 leads, 3:1/1')
})

test('a new leader that has not heard of its election yet takes no writes', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  scene.cluster.setMetadataLag(2, 1000)
  await scene.cluster.brokerDown(1)
  assert.equal((await ask(scene, 3, topic)).leader, 2)
  assert.equal((await scene.put(2, topic)).errorCode, ErrorCode.ERR_NOT_LEADER_FOR_PARTITION)
  const ahead = await scene.fetch(2, topic, 0, { currentLeaderEpoch: 2 })
  assert.equal(ahead.errorCode, ErrorCode.ERR_UNKNOWN_LEADER_EPOCH)
  scene.clock.advance(1000)
  assert.equal((await scene.until(scene.put(2, topic, { acks: -1 }))).errorCode, 0)
})

test('a frozen leader loses its partitions once it is fenced, and finds out when it goes on', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  scene.cluster.pauseBroker(1)
  await scene.client(1, 'writer')
  const queued = scene.put(1, topic)
  scene.cluster.fenceBroker(1)
  assert.equal((await scene.until(scene.put(2, topic, { acks: -1 }))).errorCode, 0)
  scene.cluster.resumeBroker(1)
  assert.equal((await queued).errorCode, ErrorCode.ERR_NOT_LEADER_FOR_PARTITION)
  scene.cluster.unfenceBroker(1)
  scene.clock.advance(100)
  assert.equal(scene.ends(topic), '1:1/1, 2:1/1 leads, 3:1/1')
})

test('a lagging broker names the coordinator that it knows, which sends clients on', async () => {
  await using scene = await Scene.start()
  const find = async (broker: number): Promise<number | undefined> => {
    const client = await scene.client(broker)
    const answer = await client.ask(FindCoordinator, 4, { keyType: 0, coordinatorKeys: ['g'] })
    return answer.coordinators[0]?.nodeId
  }
  const first = (await find(1)) ?? assert.fail('there is no coordinator')
  const [asked = 0, other = 0] = [1, 2, 3].filter(id => id !== first)
  scene.cluster.setMetadataLag(asked, 1000)
  await scene.cluster.brokerDown(first)
  assert.equal(await find(asked), first)
  assert.notEqual(await find(other), first)
  scene.clock.advance(1000)
  assert.equal(await find(asked), await find(other))
})

test('a broker that is added knows everything, and can take over partitions', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  await scene.until(scene.put(1, topic, { acks: -1 }))
  const id = await scene.cluster.addBroker()
  assert.equal((await ask(scene, id, topic)).leader, 1)
  await scene.cluster.removeBroker(1)
  scene.clock.advance(100)
  assert.equal(scene.ends(topic), '2:1/1 leads, 3:1/1')
  assert.deepEqual(scene.values(topic), ['value-0'])
  await scene.cluster.removeBroker(id)
  assert.equal(await scene.cluster.addBroker(), id)
  assert.equal((await ask(scene, 3, topic)).leader, 2)
})
