import { test } from 'node:test'
import assert from 'node:assert/strict'
import {
  ErrorCode,
  FindCoordinator,
  Heartbeat,
  InitProducerId,
  JoinGroup,
  OffsetCommit,
  OffsetFetch,
  SyncGroup,
  type Decoded,
  type JoinGroupResponse,
  type SyncGroupResponse,
} from '@ottla/protocol'
import { INTERNAL_TOPIC_PARTITIONS, OFFSETS_TOPIC } from '../../src/topics/internal-topics.ts'
import { Scene } from './scene.ts'

const GROUP = 'g'

async function coordinator(scene: Scene, keyType = 0, key = GROUP): Promise<number> {
  for (const id of [1, 2, 3]) {
    const client = await scene.client(id).catch(() => null)
    if (client === null) continue
    const answer = await client.ask(FindCoordinator, 4, { keyType, coordinatorKeys: [key] })
    return answer.coordinators[0]?.nodeId ?? -1
  }
  return -1
}

async function join(
  scene: Scene,
  broker: number,
  memberId: string,
  name: string,
  groupInstanceId: string | null = null,
): Promise<Decoded<JoinGroupResponse>> {
  const client = await scene.client(broker, name)
  return client.ask(JoinGroup, 5, {
    groupId: GROUP,
    sessionTimeoutMs: 30_000,
    rebalanceTimeoutMs: 30_000,
    memberId,
    groupInstanceId,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.from('m') }],
  })
}

async function sync(
  scene: Scene,
  broker: number,
  memberId: string,
  generationId: number,
  name: string,
): Promise<Decoded<SyncGroupResponse>> {
  const client = await scene.client(broker, name)
  const assignments = [{ memberId, assignment: Buffer.from('all') }]
  return client.ask(SyncGroup, 3, { groupId: GROUP, generationId, memberId, groupInstanceId: null, assignments })
}

async function heartbeat(
  scene: Scene,
  broker: number,
  memberId: string,
  generationId: number,
  groupInstanceId: string | null = null,
): Promise<number> {
  const client = await scene.client(broker)
  const answer = await client.ask(Heartbeat, 4, { groupId: GROUP, generationId, memberId, groupInstanceId })
  return answer.errorCode
}

/** A group with one member, in its first generation. */
async function stableMember(scene: Scene, broker: number): Promise<{ memberId: string; generationId: number }> {
  const { memberId } = await join(scene, broker, '', 'one')
  const { generationId } = await join(scene, broker, memberId, 'one')
  assert.equal((await sync(scene, broker, memberId, generationId, 'one')).errorCode, 0)
  return { memberId, generationId }
}

/** Makes another broker lead the offsets topic. @returns its id */
function moveCoordinator(scene: Scene, from: number): number {
  const [next = 0] = [1, 2, 3].filter(id => id !== from)
  for (let partition = 0; partition < INTERNAL_TOPIC_PARTITIONS; partition++) {
    scene.cluster.setLeader(OFFSETS_TOPIC, partition, next)
  }
  return next
}

test('a new coordinator has to read what it coordinates before it serves', async () => {
  await using scene = await Scene.start()
  const first = await coordinator(scene)
  scene.clock.advance(100)
  const { memberId, generationId } = await stableMember(scene, first)
  await scene.cluster.brokerDown(first)
  const next = await coordinator(scene)
  assert.notEqual(next, first)
  const loading = ErrorCode.ERR_COORDINATOR_LOAD_IN_PROGRESS
  assert.equal(await heartbeat(scene, next, memberId, generationId), loading)
  scene.clock.advance(49)
  assert.equal(await heartbeat(scene, next, memberId, generationId), loading)
  scene.clock.advance(1)
  // The generation was complete, so that it was stored.
  assert.equal(await heartbeat(scene, next, memberId, generationId), 0)
})

test('a new coordinator knows the last instance of a static member, which replaced the one before without a rebalance', async () => {
  await using scene = await Scene.start()
  const first = await coordinator(scene)
  scene.clock.advance(100)
  const before = await join(scene, first, '', 'one', 'static')
  await sync(scene, first, before.memberId, before.generationId, 'one')
  const after = await join(scene, first, '', 'two', 'static')
  assert.equal(after.generationId, before.generationId)
  await scene.cluster.brokerDown(first)
  const next = await coordinator(scene)
  scene.clock.advance(100)
  const { generationId } = after
  assert.equal(await heartbeat(scene, next, after.memberId, generationId, 'static'), 0)
  const fenced = ErrorCode.ERR_FENCED_INSTANCE_ID
  assert.equal(await heartbeat(scene, next, before.memberId, generationId, 'static'), fenced)
})

test('the time that a coordinator needs can be set, and transactions wait for it, too', async () => {
  await using scene = await Scene.start()
  scene.cluster.setCoordinatorLoadTime(5000)
  const first = await coordinator(scene, 1, 'txn')
  const init = async (
    broker: number,
  ): Promise<Decoded<{ errorCode: number; producerId: bigint; producerEpoch: number }>> => {
    const client = await scene.client(broker)
    const request = { transactionTimeoutMs: 60_000, producerId: -1n, producerEpoch: -1 }
    return client.ask(InitProducerId, 4, { transactionalId: 'txn', ...request })
  }
  const { producerId } = await init(first)
  await scene.cluster.brokerDown(first)
  const next = await coordinator(scene, 1, 'txn')
  scene.clock.advance(4999)
  assert.equal((await init(next)).errorCode, ErrorCode.ERR_COORDINATOR_LOAD_IN_PROGRESS)
  scene.clock.advance(1)
  const again = await init(next)
  assert.deepEqual([again.errorCode, again.producerId, again.producerEpoch], [0, producerId, 1])
})

test('members that wait in a rebalance are sent away when the coordinator moves, and new ones are forgotten', async () => {
  await using scene = await Scene.start()
  const first = await coordinator(scene)
  scene.clock.advance(100)
  const old = await stableMember(scene, first)
  const { memberId } = await join(scene, first, '', 'two')
  const waiting = join(scene, first, memberId, 'two')
  // The rebalance waits for the first member.
  while ((await heartbeat(scene, first, old.memberId, old.generationId)) === 0) await Promise.resolve()
  const next = moveCoordinator(scene, first)
  assert.equal((await waiting).errorCode, ErrorCode.ERR_NOT_COORDINATOR)
  assert.equal(await heartbeat(scene, first, old.memberId, old.generationId), ErrorCode.ERR_NOT_COORDINATOR)
  scene.clock.advance(50)
  // Only complete generations are stored: the old member still is one, the new one never was.
  assert.equal(await heartbeat(scene, next, old.memberId, old.generationId), 0)
  assert.equal((await join(scene, next, memberId, 'three')).errorCode, ErrorCode.ERR_UNKNOWN_MEMBER_ID)
})

test('a member that waits for its assignment is sent away when the coordinator moves', async () => {
  await using scene = await Scene.start()
  const first = await coordinator(scene)
  scene.clock.advance(100)
  const one = await stableMember(scene, first)
  const { memberId } = await join(scene, first, '', 'two')
  const second = join(scene, first, memberId, 'two')
  while ((await heartbeat(scene, first, one.memberId, one.generationId)) === 0) await Promise.resolve()
  await join(scene, first, one.memberId, 'one')
  const { generationId } = await second
  await scene.client(first, 'two')
  const waiting = sync(scene, first, memberId, generationId, 'two')
  await heartbeat(scene, first, memberId, generationId)
  const next = moveCoordinator(scene, first)
  assert.equal((await waiting).errorCode, ErrorCode.ERR_NOT_COORDINATOR)
  scene.clock.advance(50)
  assert.equal(await heartbeat(scene, next, one.memberId, one.generationId), 0)
  assert.equal(await heartbeat(scene, next, memberId, generationId), ErrorCode.ERR_UNKNOWN_MEMBER_ID)
})

test('committed offsets survive the coordinator', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  const first = await coordinator(scene)
  const client = await scene.client(first)
  const partitions = [{ partitionIndex: 0, committedOffset: 5, committedMetadata: null }]
  const committed = await client.ask(OffsetCommit, 8, {
    groupId: GROUP,
    generationIdOrMemberEpoch: -1,
    memberId: '',
    topics: [{ name: topic, partitions }],
  })
  assert.equal(committed.topics[0]?.partitions[0]?.errorCode, 0)
  await scene.cluster.brokerDown(first)
  scene.clock.advance(100)
  const next = await scene.client(await coordinator(scene))
  const topics = [{ name: topic, partitionIndexes: [0] }]
  const fetched = await next.ask(OffsetFetch, 7, { groupId: GROUP, topics, requireStable: false })
  assert.equal(fetched.topics[0]?.partitions[0]?.committedOffset, 5)
})

test('a coordinator that was replaced refuses requests even before it has heard of that', async () => {
  await using scene = await Scene.start()
  const first = await coordinator(scene)
  scene.clock.advance(100)
  const { memberId, generationId } = await stableMember(scene, first)
  scene.cluster.setMetadataLag(first, 10_000)
  scene.cluster.fenceBroker(first)
  assert.equal(await heartbeat(scene, first, memberId, generationId), ErrorCode.ERR_NOT_COORDINATOR)
})
