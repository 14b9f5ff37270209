/** Requests about groups without permission, and to brokers that do not coordinate them. */
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import {
  AlterShareGroupOffsets,
  BatchWriter,
  ConsumerGroupDescribe,
  ConsumerGroupHeartbeat,
  DeleteGroups,
  DeleteShareGroupOffsets,
  DescribeGroups,
  DescribeShareGroupOffsets,
  ErrorCode,
  Heartbeat,
  JoinGroup,
  LeaveGroup,
  ListGroups,
  OffsetCommit,
  OffsetDelete,
  OffsetFetch,
  Produce,
  ShareAcknowledge,
  ShareFetch,
  ShareGroupDescribe,
  ShareGroupHeartbeat,
  SyncGroup,
} from '@ottla/protocol'
import type { AclBinding } from '../../src/security/acls.ts'
import { EmbeddedCluster } from '../../src/index.ts'
import { WireClient } from '../wire-client.ts'

const everyone = {
  resourcePatternType: 'literal',
  principal: 'User:*',
  host: '*',
  permissionType: 'allow',
} as const satisfies Partial<AclBinding>

const bindings: AclBinding[] = [
  { ...everyone, resourceType: 'group', name: 'mine', operation: 'all' },
  { ...everyone, resourceType: 'topic', name: 'seen', operation: 'read' },
  { ...everyone, resourceType: 'topic', name: 'hidden', operation: 'read' },
]

const denied = ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED
const groupId = 'other'
const memberId = 'm'
const joins = { memberId, memberEpoch: 0, rebalanceTimeoutMs: 1000, topicPartitions: [] }
const fetches = { shareSessionEpoch: 0, maxWaitMs: 0, minBytes: 0, maxBytes: 1, maxRecords: 1, batchSize: 1 }

let cluster: EmbeddedCluster
let client: WireClient

before(async () => {
  cluster = await EmbeddedCluster.start({ acls: bindings })
  cluster.createTopic('seen', { partitions: 1 })
  cluster.createTopic('unseen', { partitions: 1 })
  client = await WireClient.connect(cluster.bootstrapServers)
})

after(async () => {
  client.close()
  await cluster.close()
})

function commit(topic: string): Promise<number | undefined> {
  const partitions = [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }]
  return client
    .ask(OffsetCommit, 8, {
      groupId: 'mine',
      memberId: '',
      generationIdOrMemberEpoch: -1,
      topics: [{ name: topic, partitions }],
    })
    .then(answer => answer.topics[0]?.partitions[0]?.errorCode)
}

async function produceOne(to: WireClient): Promise<void> {
  const writer = new BatchWriter()
  writer.append(null, 'v', null, 1000)
  const records = Buffer.from(writer.seal({}))
  const topicData = [{ name: 't', partitionData: [{ index: 0, records }] }]
  await to.ask(Produce, 9, { acks: -1, timeoutMs: 1000, topicData })
}

test('every request about a group is refused without permission', async () => {
  const codes: Record<string, number | undefined> = {}
  const member = { groupId, memberId, generationId: 1 }
  const joined = await client.ask(JoinGroup, 5, {
    groupId,
    memberId: '',
    sessionTimeoutMs: 6000,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
  })
  codes['JoinGroup'] = joined.errorCode
  codes['SyncGroup'] = (await client.ask(SyncGroup, 3, { ...member, assignments: [] })).errorCode
  codes['Heartbeat'] = (await client.ask(Heartbeat, 3, member)).errorCode
  codes['LeaveGroup'] = (await client.ask(LeaveGroup, 3, { groupId, members: [{ memberId }] })).errorCode
  codes['OffsetDelete'] = (await client.ask(OffsetDelete, 0, { groupId, topics: [] })).errorCode
  const described = await client.ask(DescribeGroups, 5, { groups: [groupId] })
  codes['DescribeGroups'] = described.groups[0]?.errorCode
  codes['DeleteGroups'] = (await client.ask(DeleteGroups, 2, { groupsNames: [groupId] })).results[0]?.errorCode
  codes['ConsumerGroupHeartbeat'] = (
    await client.ask(ConsumerGroupHeartbeat, 1, { groupId, ...joins, subscribedTopicNames: ['seen'] })
  ).errorCode
  const asked = { groupIds: [groupId], includeAuthorizedOperations: false }
  codes['ConsumerGroupDescribe'] = (await client.ask(ConsumerGroupDescribe, 1, asked)).groups[0]?.errorCode
  codes['ShareGroupDescribe'] = (await client.ask(ShareGroupDescribe, 1, asked)).groups[0]?.errorCode
  codes['ShareGroupHeartbeat'] = (
    await client.ask(ShareGroupHeartbeat, 1, { groupId, memberId, memberEpoch: 0, subscribedTopicNames: ['seen'] })
  ).errorCode
  const fetched = await client.ask(ShareFetch, 1, {
    groupId,
    memberId,
    ...fetches,
    topics: [],
    forgottenTopicsData: [],
  })
  codes['ShareFetch'] = fetched.errorCode
  const acknowledged = await client.ask(ShareAcknowledge, 1, { groupId, memberId, shareSessionEpoch: 1, topics: [] })
  codes['ShareAcknowledge'] = acknowledged.errorCode
  const offsets = await client.ask(DescribeShareGroupOffsets, 0, { groups: [{ groupId, topics: null }] })
  codes['DescribeShareGroupOffsets'] = offsets.groups[0]?.errorCode
  codes['AlterShareGroupOffsets'] = (await client.ask(AlterShareGroupOffsets, 0, { groupId, topics: [] })).errorCode
  codes['DeleteShareGroupOffsets'] = (await client.ask(DeleteShareGroupOffsets, 0, { groupId, topics: [] })).errorCode
  assert.deepEqual(codes, Object.fromEntries(Object.keys(codes).map(name => [name, denied])))
})

test('version 1 of OffsetFetch reports an error of the group for each partition', async () => {
  const topics = [{ name: 'seen', partitionIndexes: [0, 1] }]
  const answer = await client.ask(OffsetFetch, 1, { groupId, topics })
  assert.deepEqual(
    answer.topics[0]?.partitions.map(({ errorCode, committedOffset }) => [errorCode, committedOffset]),
    [
      [denied, -1],
      [denied, -1],
    ],
  )
})

test('all offsets of a group are those of the topics that the client may describe', async () => {
  assert.equal(await commit('seen'), 0)
  assert.equal(await commit('unseen'), ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED)
  assert.equal(await commit('hidden'), ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART)
  const groups = [{ groupId: 'mine', topics: null }]
  const all = await client.ask(OffsetFetch, 8, { groups, requireStable: false })
  assert.deepEqual(
    all.groups[0]?.topics.map(({ name }) => name),
    ['seen'],
  )
  const some = [{ groupId: 'mine', topics: [{ name: 'unseen', partitionIndexes: [0] }] }]
  const refused = await client.ask(OffsetFetch, 8, { groups: some, requireStable: false })
  const code = refused.groups[0]?.topics[0]?.partitions[0]?.errorCode
  assert.equal(code, ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED)
  const deleted = await client.ask(OffsetDelete, 0, {
    groupId: 'mine',
    topics: [{ name: 'unseen', partitions: [{ partitionIndex: 0 }] }],
  })
  assert.equal(deleted.topics[0]?.partitions[0]?.errorCode, ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED)
})

test('groups that the client may not describe are not listed', async () => {
  const answer = await client.ask(ListGroups, 5, { statesFilter: [], typesFilter: [] })
  assert.deepEqual(
    answer.groups.map(({ groupId: id }) => id),
    ['mine'],
  )
})

test('a member cannot read topics that it may not describe', async () => {
  const body = { groupId: 'mine', ...joins, subscribedTopicNames: ['unseen'] }
  const consumer = await client.ask(ConsumerGroupHeartbeat, 1, body)
  assert.equal(consumer.errorCode, ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED)
  const share = await client.ask(ShareGroupHeartbeat, 1, {
    groupId: 'mine',
    memberId,
    memberEpoch: 0,
    subscribedTopicNames: ['unseen'],
  })
  assert.equal(share.errorCode, ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED)
  const pattern = { groupId: 'mine', ...joins, subscribedTopicRegex: '.*seen' }
  const found = await client.ask(ConsumerGroupHeartbeat, 1, pattern)
  assert.equal(found.errorCode, 0)
  assert.equal(found.assignment?.topicPartitions.length, 1, 'a pattern finds only what may be known')
})

test('a broker that does not coordinate a group says so', async () => {
  await using two = await EmbeddedCluster.start({ brokers: 2 })
  two.setCoordinator('group', 'g', 1)
  const wrong = await WireClient.connect(two.bootstrapServers, 1)
  const body = { groupId: 'g', ...joins, subscribedTopicNames: ['t'] }
  assert.equal((await wrong.ask(ConsumerGroupHeartbeat, 1, body)).errorCode, ErrorCode.ERR_NOT_COORDINATOR)
  const share = { groupId: 'g', memberId, memberEpoch: 0, subscribedTopicNames: ['t'] }
  assert.equal((await wrong.ask(ShareGroupHeartbeat, 1, share)).errorCode, ErrorCode.ERR_NOT_COORDINATOR)
  const offsets = await wrong.ask(OffsetFetch, 8, { groups: [{ groupId: 'g', topics: null }], requireStable: false })
  assert.equal(offsets.groups[0]?.errorCode, ErrorCode.ERR_NOT_COORDINATOR)
  wrong.close()
})

test('a share group member whose connection breaks releases its records', async () => {
  await using own = await EmbeddedCluster.start()
  own.createTopic('t', { partitions: 1 })
  const admin = await WireClient.connect(own.bootstrapServers)
  const groupIdOf = { groupId: 'g' }
  const share = { ...groupIdOf, memberEpoch: 0, subscribedTopicNames: ['t'] }
  const told = await admin.ask(ShareGroupHeartbeat, 1, { ...share, memberId: 'a' })
  const topicId = told.assignment?.topicPartitions[0]?.topicId ?? ''
  const topics = [{ topicId, partitions: [{ partitionIndex: 0, acknowledgementBatches: [] }] }]
  const body = {
    ...groupIdOf,
    ...fetches,
    maxBytes: 1e6,
    maxRecords: 10,
    batchSize: 10,
    topics,
    forgottenTopicsData: [],
  }
  const first = await WireClient.connect(own.bootstrapServers)
  await first.ask(ShareFetch, 1, { ...body, memberId: 'a' })
  await produceOne(admin)
  const given = await first.ask(ShareFetch, 1, { ...body, memberId: 'a', shareSessionEpoch: 1 })
  assert.equal(given.responses[0]?.partitions[0]?.acquiredRecords.length, 1)
  const waiting = admin.ask(ShareFetch, 1, { ...body, memberId: 'b', maxWaitMs: 60_000 })
  first.close()
  const again = await waiting
  assert.equal(again.responses[0]?.partitions[0]?.acquiredRecords[0]?.deliveryCount, 2)
  admin.close()
})
