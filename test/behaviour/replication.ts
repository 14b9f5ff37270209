/**
 * What becomes of messages, offsets, groups and locks when brokers die: the same from Kafka 4.3.1 and from an embedded
 * cluster with `replication: 'simulated'`, on which the simulation builds.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  ErrorCode,
  FindCoordinator,
  Heartbeat,
  IncrementalAlterConfigs,
  InitProducerId,
  OffsetCommit,
  OffsetFetch,
  ShareFetch,
  ShareGroupHeartbeat,
} from '@ottla/protocol'
import { closing } from '../harness/closing.ts'
import { WireClient } from '../harness/wire-client.ts'
import { ClassicMemberTalk } from './group-conversation.ts'
import { ReplicationConversation, patiently } from './replication-conversation.ts'
import { fresh } from './world.ts'

const GROUP_RESOURCE = 32
const GROUP = 0
const TRANSACTION = 1
const ALL = -1
const COMMITTED = 7
const E = ErrorCode

/** Brokers 1, 2 and 3, without authentication. */
export interface ReplicatedWorld {
  readonly bootstrapServers: string
  /** Ends a broker like a crash, which loses nothing that it has written. */
  kill(brokerId: number): Promise<void>
  restart(brokerId: number): Promise<void>
  /** From now on the brokers copy nothing. */
  hold(...brokerIds: number[]): Promise<void>
  release(...brokerIds: number[]): void
  close(): Promise<void>
}

function same(actual: unknown, expected: unknown): void {
  assert.deepEqual(actual, expected)
}

const refused = (code: number): string => `error ${code}`

export function replicationScenarios(start: () => Promise<ReplicatedWorld>): void {
  let world: ReplicatedWorld

  before(async () => {
    world = await start()
  })

  after(() => world.close())

  test('a leader and coordinator dies, and its followers lack what it has written last', async () => {
    const c = new ReplicationConversation(world.bootstrapServers)
    const [one, all, shared] = [fresh('acks-one'), fresh('acks-all'), fresh('shared')]
    for (const topic of [one, all]) {
      await c.createTopic(topic, [1, 2, 3])
      same(await c.produce(1, topic, 'kept', ALL), 0)
    }
    const sharedId = await c.createTopic(shared, [1, 2, 3])
    same(await c.produce(1, shared, 'locked', ALL), 0)
    const sharers = await shareGroup(c, shared)
    same(await acquired(c, 1, sharers, sharedId), ['0-0 x1'])
    const group = await groupOn(c, 1)
    const member = new ClassicMemberTalk(closing(await WireClient.connect(world.bootstrapServers, 0)), group, one)
    const { generationId } = await member.joinTwice()
    same(await member.sync(generationId, { [member.id]: [0] }), '0')
    same(await commit(c, 1, group, one, { memberId: member.id, generationId }), 0)
    const transactionalId = await transactionalIdOn(c, 1)
    const begun = await producerId(c, 1, transactionalId)
    const first = await c.state(1, one)

    await world.hold(2, 3)
    same(await c.produce(1, one, 'lost', 1), 1)
    same(await c.produce(1, all, 'in doubt', ALL, 500), refused(E.ERR_REQUEST_TIMED_OUT))
    // Nobody reads what could be lost.
    for (const topic of [one, all]) same(await c.fetch(1, topic, 0), { highWatermark: 1, values: ['kept'] })
    await world.kill(1)
    world.release(2, 3)

    for (const topic of [one, all, shared]) {
      await c.becomes(2, topic, ({ leader, isr }) => leader > 1 && String(isr) === '2,3')
      await c.becomes(3, topic, ({ leader, isr }) => leader > 1 && String(isr) === '2,3')
    }
    const second = await c.state(2, one)
    const [leader, other] = second.leader === 2 ? [2, 3] : [3, 2]
    assert.ok(second.leaderEpoch > first.leaderEpoch)
    for (const topic of [one, all]) {
      const leads = (await c.state(2, topic)).leader
      // The offset is given again.
      same(await c.produceAnew(leads, topic, 'instead', ALL), 1)
      same(await c.fetch(leads, topic, 0), { highWatermark: 2, values: ['kept', 'instead'] })
    }
    // A reader of the former leader's tail is told where the logs part (KIP-320).
    same(await c.endOfEpoch(leader, one, first.leaderEpoch), [first.leaderEpoch, 1])
    const parted = `epoch ${first.leaderEpoch} ends at 1`
    same(await c.fetch(leader, one, 2, { lastFetchedEpoch: first.leaderEpoch }), parted)
    const fetchIn = (currentLeaderEpoch: number): Promise<unknown> => c.fetch(leader, one, 1, { currentLeaderEpoch })
    same(await fetchIn(first.leaderEpoch), refused(E.ERR_FENCED_LEADER_EPOCH))
    same(await fetchIn(second.leaderEpoch), { highWatermark: 2, values: ['instead'] })
    same(await fetchIn(second.leaderEpoch + 1), refused(E.ERR_UNKNOWN_LEADER_EPOCH))
    same(await c.produce(other, one, 'elsewhere', 1), refused(E.ERR_NOT_LEADER_FOR_PARTITION))

    const coordinator = await patiently('the new coordinator', async () => {
      const found = await coordinatorOf(c, 2, group)
      return found > 1 ? found : null
    })
    const beat = { groupId: group, generationId, memberId: member.id }
    const code = await patiently('the heartbeat', async () => {
      const { errorCode } = await c.ask(coordinator, Heartbeat, 4, beat)
      return isCoordinatorCode(errorCode) ? null : errorCode
    })
    same(code, 0)
    same((await c.ask(5 - coordinator, Heartbeat, 4, beat)).errorCode, E.ERR_NOT_COORDINATOR)
    same(await committed(c, coordinator, group, one), COMMITTED)
    const stale = { memberId: member.id, generationId: generationId + 1 }
    same(await commit(c, coordinator, group, one, stale), E.ERR_ILLEGAL_GENERATION)
    same(await commit(c, coordinator, group, one, { memberId: member.id, generationId }), 0)

    const again = await patiently('the new transaction coordinator', async () => {
      const found = await coordinatorOf(c, 2, transactionalId, TRANSACTION)
      return found > 1 ? producerId(c, found, transactionalId) : null
    })
    same(again, { ...begun, producerEpoch: begun.producerEpoch + 1 })

    // The new leader knows nothing of the former one's locks.
    same(await acquired(c, (await c.state(2, shared)).leader, sharers, sharedId), ['0-0 x1'])

    await world.restart(1)
    for (const topic of [one, all]) {
      const { leaderEpoch } = await c.becomes(leader, topic, ({ isr }) => String(isr) === '1,2,3')
      same(leaderEpoch, second.leaderEpoch)
      // It has cut off its tail, and has what was written meanwhile.
      const copy = await patiently(`broker 1's copy of ${topic}`, async () => {
        const found = await c.fetch(1, topic, 0)
        return JSON.stringify(found).includes('instead') ? found : null
      })
      same(copy, { highWatermark: 2, values: ['kept', 'instead'] })
    }
  })

  test('the only broker in sync dies: others lead at once where an unclean election is allowed, else when it is back', async () => {
    const c = new ReplicationConversation(world.bootstrapServers)
    const [strict, clean, unclean] = [fresh('strict'), fresh('clean'), fresh('unclean')]
    await c.createTopic(strict, [1, 2], { 'min.insync.replicas': '2' })
    await c.createTopic(clean, [1, 2], { 'min.insync.replicas': '1', 'unclean.leader.election.enable': 'false' })
    await c.createTopic(unclean, [1, 2], { 'min.insync.replicas': '1', 'unclean.leader.election.enable': 'true' })
    const topics = [strict, clean, unclean]
    for (const topic of topics) same(await c.produce(1, topic, 'kept', ALL), 0)
    const first = await c.state(1, unclean)

    await world.kill(2)
    for (const topic of topics) await c.becomes(1, topic, ({ isr }) => String(isr) === '1')
    same(await c.state(1, unclean), { leader: 1, leaderEpoch: first.leaderEpoch, isr: [1] })
    // A leader hears of it after its own answers to Metadata.
    await patiently('a refusal', async () => {
      const answer = await c.produce(1, strict, 'refused', ALL, 100)
      return answer === refused(E.ERR_NOT_ENOUGH_REPLICAS) ? answer : null
    })
    for (const topic of [clean, unclean]) {
      same(await c.produce(1, topic, 'alone', ALL), 1)
      same(await c.fetch(1, topic, 0), { highWatermark: 2, values: ['kept', 'alone'] })
    }

    await world.kill(1)
    await world.restart(2)
    await c.becomes(2, clean, ({ leader }) => leader === -1)
    same(await c.produce(2, clean, 'nowhere', 1), refused(E.ERR_NOT_LEADER_FOR_PARTITION))
    const second = await c.becomes(2, unclean, ({ leader }) => leader === 2)
    same(second.isr, [2])
    assert.ok(second.leaderEpoch > first.leaderEpoch)
    same(await c.produceAnew(2, unclean, 'instead', ALL), 1)
    const parted = `epoch ${first.leaderEpoch} ends at 1`
    same(await c.fetch(2, unclean, 3, { lastFetchedEpoch: first.leaderEpoch }), parted)

    await world.restart(1)
    await c.becomes(1, clean, ({ leader, isr }) => leader === 1 && String(isr) === '1,2')
    same(await c.fetch(1, clean, 0), { highWatermark: 2, values: ['kept', 'alone'] })
    await c.becomes(1, unclean, ({ leader, isr }) => leader === 2 && String(isr) === '1,2')
    const copy = await patiently("broker 1's copy", async () => {
      const found = await c.fetch(1, unclean, 0)
      return JSON.stringify(found).includes('instead') ? found : null
    })
    same(copy, { highWatermark: 2, values: ['kept', 'instead'] })
  })
}

function isCoordinatorCode(code: number): boolean {
  return (
    code === E.ERR_COORDINATOR_LOAD_IN_PROGRESS ||
    code === E.ERR_COORDINATOR_NOT_AVAILABLE ||
    code === E.ERR_NOT_COORDINATOR
  )
}

/** The broker id; -1 while there is none. */
async function coordinatorOf(
  c: ReplicationConversation,
  broker: number,
  key: string,
  keyType = GROUP,
): Promise<number> {
  const answer = await c.ask(broker, FindCoordinator, 4, { keyType, coordinatorKeys: [key] })
  return answer.coordinators[0]?.errorCode === 0 ? answer.coordinators[0].nodeId : -1
}

/** A group of which this broker is the coordinator. */
function groupOn(c: ReplicationConversation, broker: number): Promise<string> {
  return patiently(`a group on broker ${broker}`, async () => {
    const group = fresh('group')
    return (await coordinatorOf(c, broker, group)) === broker ? group : null
  })
}

/** A transactional id of which this broker is the coordinator. */
function transactionalIdOn(c: ReplicationConversation, broker: number): Promise<string> {
  return patiently(`a transactional id on broker ${broker}`, async () => {
    const id = fresh('transactional-id')
    return (await coordinatorOf(c, broker, id, TRANSACTION)) === broker ? id : null
  })
}

/** A new epoch of the id's producer. */
function producerId(
  c: ReplicationConversation,
  coordinator: number,
  transactionalId: string,
): Promise<{ readonly producerId: bigint; readonly producerEpoch: number }> {
  return patiently(`a producer id for ${transactionalId}`, async () => {
    const body = { transactionalId, transactionTimeoutMs: 60_000 }
    const answer = await c.ask(coordinator, InitProducerId, 4, body)
    const { producerEpoch } = answer
    return answer.errorCode === 0 ? { producerId: answer.producerId, producerEpoch } : null
  })
}

/** The error code. */
async function commit(
  c: ReplicationConversation,
  coordinator: number,
  groupId: string,
  name: string,
  { memberId, generationId }: { readonly memberId: string; readonly generationId: number },
): Promise<number> {
  const partitions = [{ partitionIndex: 0, committedOffset: COMMITTED, committedMetadata: '' }]
  const body = { groupId, memberId, generationIdOrMemberEpoch: generationId, topics: [{ name, partitions }] }
  const answer = await c.ask(coordinator, OffsetCommit, 8, body)
  return answer.topics[0]?.partitions[0]?.errorCode ?? -1
}

async function committed(
  c: ReplicationConversation,
  coordinator: number,
  groupId: string,
  name: string,
): Promise<number> {
  const groups = [{ groupId, memberId: null, memberEpoch: -1, topics: [{ name, partitionIndexes: [0] }] }]
  const answer = await c.ask(coordinator, OffsetFetch, 9, { groups, requireStable: false })
  return answer.groups[0]?.topics[0]?.partitions[0]?.committedOffset ?? -1
}

interface Sharer {
  readonly groupId: string
  readonly memberId: string
}

/** A member that is assigned the topic, in a group that reads from the beginning. */
async function shareGroup(c: ReplicationConversation, topic: string): Promise<Sharer> {
  const sharer = { groupId: fresh('sharers'), memberId: 'sharer' }
  const configs = [
    { name: 'share.auto.offset.reset', configOperation: 0, value: 'earliest' },
    { name: 'share.assignment.interval.ms', configOperation: 0, value: '0' },
  ]
  const resources = [{ resourceType: GROUP_RESOURCE, resourceName: sharer.groupId, configs }]
  await c.ask(1, IncrementalAlterConfigs, 1, { validateOnly: false, resources })
  await patiently('the share group', async () => {
    const coordinator = await coordinatorOf(c, 1, sharer.groupId)
    const body = { ...sharer, memberEpoch: 0, subscribedTopicNames: [topic] }
    const answer = await c.ask(coordinator, ShareGroupHeartbeat, 1, body)
    return answer.errorCode === 0 && answer.assignment?.topicPartitions.length === 1 ? answer : null
  })
  return sharer
}

/** What a new session of the member acquires from the partition. */
function acquired(c: ReplicationConversation, leader: number, sharer: Sharer, topicId: string): Promise<string[]> {
  let shareSessionEpoch = 0
  return patiently(`records for ${sharer.groupId}`, async () => {
    const partitions = [{ partitionIndex: 0, acknowledgementBatches: [] }]
    const answer = await c.ask(leader, ShareFetch, 2, {
      ...sharer,
      shareSessionEpoch,
      maxWaitMs: 500,
      minBytes: 1,
      maxBytes: 1e6,
      maxRecords: 500,
      batchSize: 500,
      shareAcquireMode: 0,
      isRenewAck: false,
      topics: shareSessionEpoch === 0 ? [{ topicId, partitions }] : [],
      forgottenTopicsData: [],
    })
    shareSessionEpoch = answer.errorCode === 0 ? shareSessionEpoch + 1 : 0
    const found = answer.responses[0]?.partitions[0]?.acquiredRecords ?? []
    if (found.length === 0) return null
    return found.map(each => `${each.firstOffset}-${each.lastOffset} x${each.deliveryCount}`)
  })
}
