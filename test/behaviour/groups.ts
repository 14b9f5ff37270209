/** Responses to members of groups of both protocols. The expected ones are those of Kafka 4.3.1. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ErrorCode, type Decoded, type JoinGroupResponse } from '@ottla/protocol'
import { GroupConversation, subscription } from './group-conversation.ts'
import { fresh } from './world.ts'

function same(actual: unknown, expected: unknown): void {
  assert.deepEqual(actual, expected)
}

/** Error code, generation, whether it leads, number of members in the response. */
function short(answer: Decoded<JoinGroupResponse>): unknown[] {
  return [answer.errorCode, answer.generationId, answer.leader === answer.memberId, answer.members.length]
}

/** @param start a cluster of one broker */
export function groupScenarios(
  start: () => Promise<{ readonly bootstrapServers: string; close(): Promise<void> }>,
): void {
  let world: Awaited<ReturnType<typeof start>>
  let c: GroupConversation
  before(async () => {
    world = await start()
    c = await GroupConversation.begin(world.bootstrapServers)
  })
  after(async () => {
    c.end()
    await world.close()
  })

  test('classic: invalid joins', async () => {
    const group = await c.group()
    const a = await c.member(group)
    same((await a.join({ groupId: '' })).errorCode, ErrorCode.ERR_INVALID_GROUP_ID)
    same((await a.join({ sessionTimeoutMs: 3_600_000 })).errorCode, ErrorCode.ERR_INVALID_SESSION_TIMEOUT)
    same((await a.join({ memberId: 'nobody' })).errorCode, ErrorCode.ERR_UNKNOWN_MEMBER_ID)
    same((await a.join({ protocols: [] })).errorCode, ErrorCode.ERR_INCONSISTENT_GROUP_PROTOCOL)
    same((await a.join({ protocolType: '' })).errorCode, ErrorCode.ERR_INCONSISTENT_GROUP_PROTOCOL)
    same(short(await a.join()), [ErrorCode.ERR_MEMBER_ID_REQUIRED, -1, false, 0])
    same(short(await a.join()), [0, 1, true, 1])
    const b = await c.member(group)
    same((await b.join({ protocolType: 'other' })).errorCode, ErrorCode.ERR_INCONSISTENT_GROUP_PROTOCOL)
    const other = [{ name: 'other', metadata: Buffer.alloc(1) }]
    same((await b.join({ protocols: other })).errorCode, ErrorCode.ERR_INCONSISTENT_GROUP_PROTOCOL)
    same((await b.join({ memberId: 'nobody' })).errorCode, ErrorCode.ERR_UNKNOWN_MEMBER_ID)
  })

  test('classic: a group from its first member to its last', async () => {
    const group = await c.group()
    const a = await c.member(group)
    const b = await c.member(group)
    same(short(await a.joinTwice()), [0, 1, true, 1])
    same(await c.describe(group), {
      errorCode: 0,
      groupState: 'CompletingRebalance',
      protocolType: 'consumer',
      protocolData: '',
      members: [{ metadata: false, assignment: 'nothing', groupInstanceId: null }],
    })
    same(await c.commit(group, a.id, 1), [ErrorCode.ERR_REBALANCE_IN_PROGRESS])
    same(await a.heartbeat(1), 0)
    same(await a.heartbeat(0), ErrorCode.ERR_ILLEGAL_GENERATION)
    same(await a.heartbeat(1, null, 'nobody'), ErrorCode.ERR_UNKNOWN_MEMBER_ID)
    same(await a.heartbeat(1, 'nobody'), ErrorCode.ERR_UNKNOWN_MEMBER_ID)
    same(await a.sync(0), `error ${ErrorCode.ERR_ILLEGAL_GENERATION}`)
    same(await a.sync(1, {}, { memberId: 'nobody' }), `error ${ErrorCode.ERR_UNKNOWN_MEMBER_ID}`)
    same(await a.sync(1, {}, { protocolName: 'other' }), `error ${ErrorCode.ERR_INCONSISTENT_GROUP_PROTOCOL}`)
    same(await a.sync(1, { [a.id]: [0, 1, 2, 3] }), '0,1,2,3')
    same(await a.sync(1), '0,1,2,3')
    same(await c.commit(group, a.id, 1), [0])
    same(await c.describe(group), {
      errorCode: 0,
      groupState: 'Stable',
      protocolType: 'consumer',
      protocolData: 'range',
      members: [{ metadata: true, assignment: '0,1,2,3', groupInstanceId: null }],
    })
    same(await c.list(group), 'consumer,Stable,classic')
    same(await c.list(group, ['stable'], ['Classic']), 'consumer,Stable,classic')
    same(await c.list(group, ['Empty']), null)
    same(await c.list(group, [], ['consumer']), null)

    const joining = b.joinTwice()
    let code = 0
    while (code === 0) code = await a.heartbeat(1)
    same(code, ErrorCode.ERR_REBALANCE_IN_PROGRESS)
    same(await a.sync(1), `error ${ErrorCode.ERR_REBALANCE_IN_PROGRESS}`)
    same(await c.commit(group, a.id, 1), [0])
    same(short(await a.join()), [0, 2, true, 2])
    same(short(await joining), [0, 2, false, 0])
    same(await c.commit(group, a.id, 1), [ErrorCode.ERR_ILLEGAL_GENERATION])
    const waiting = b.sync(2)
    same(await a.sync(2, { [a.id]: [0, 1], [b.id]: [2, 3] }), '0,1')
    same(await waiting, '2,3')
    same(short(await b.join()), [0, 2, false, 0])

    same(await c.commit(group, '', -1), [ErrorCode.ERR_UNKNOWN_MEMBER_ID])
    same(await c.deleteOffset(group), [0, ErrorCode.ERR_GROUP_SUBSCRIBED_TO_TOPIC])
    same(await c.deleteOffset(group, 'no-such-topic'), [0, ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART])
    same(await c.delete(group), ErrorCode.ERR_NON_EMPTY_GROUP)
    same(await b.leave({ memberId: 'nobody' }, { memberId: b.id }), [0, ErrorCode.ERR_UNKNOWN_MEMBER_ID, 0])
    same(await a.heartbeat(2), ErrorCode.ERR_REBALANCE_IN_PROGRESS)
    same(await a.leave(), [0, 0])
    same(await a.heartbeat(2), ErrorCode.ERR_UNKNOWN_MEMBER_ID)
    same(await c.list(group), 'consumer,Empty,classic')
    same(await c.commit(group, '', -1, { partitions: [1] }), [0])
    same(await c.offsets(group), '0:7,1:7')
    same(await c.deleteOffset(group), [0, 0])
    same(await c.offsets(group, true), '1:7')
    same(await c.delete(group), 0)
    same(await c.delete(group), ErrorCode.ERR_GROUP_ID_NOT_FOUND)
    same(await c.offsets(group), '0:-1,1:-1')
  })

  test('classic: static members', async () => {
    const group = await c.group()
    const a = await c.member(group)
    const groupInstanceId = 'i'
    same(short(await a.join({ groupInstanceId })), [0, 1, true, 1])
    same(await a.sync(1, { [a.id]: [0, 1] }, { groupInstanceId }), '0,1')
    const before = a.id
    const back = await a.join({ groupInstanceId, memberId: '' })
    same([...short(back), back.skipAssignment], [0, 1, true, 1, true])
    same(await a.heartbeat(1, groupInstanceId, before), ErrorCode.ERR_FENCED_INSTANCE_ID)
    same(await a.heartbeat(1, groupInstanceId), 0)
    const refused = await a.join({ groupInstanceId, memberId: before })
    same(refused.errorCode, ErrorCode.ERR_FENCED_INSTANCE_ID)
    same(await a.sync(1, {}, { groupInstanceId, memberId: before }), `error ${ErrorCode.ERR_FENCED_INSTANCE_ID}`)
    same(await a.sync(1, {}, { groupInstanceId }), '0,1')
    const older = await a.join({ groupInstanceId, memberId: '' }, 8)
    same([older.errorCode, older.generationId, older.leader === older.memberId], [0, 1, false])
    same(await a.leave({ memberId: before, groupInstanceId }), [0, ErrorCode.ERR_FENCED_INSTANCE_ID])
    same(await a.leave({ memberId: '', groupInstanceId: 'j' }), [0, ErrorCode.ERR_UNKNOWN_MEMBER_ID])
    same(await a.leave({ memberId: '', groupInstanceId }), [0, 0])
    same(await c.list(group), 'consumer,Empty,classic')
  })

  test('offsets from outside a group, and of partitions that do not exist', async () => {
    const group = await c.group()
    same(await c.commit(group, '', 1, { version: 8 }), [ErrorCode.ERR_ILLEGAL_GENERATION])
    same(await c.commit(group, '', 1, { version: 9 }), [ErrorCode.ERR_GROUP_ID_NOT_FOUND])
    same(await c.commit(group, '', -1, { topic: 'no-such-topic' }), [ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART])
    same(await c.list(group), null)
    same(await c.describe(group), {
      errorCode: 0,
      groupState: 'Dead',
      protocolType: '',
      protocolData: '',
      members: [],
    })
    const gone = { errorCode: ErrorCode.ERR_GROUP_ID_NOT_FOUND, groupState: 'Dead', protocolType: '', protocolData: '' }
    same(await c.describe(group, 6), { ...gone, members: [] })
    same(await c.deleteOffset(group), [ErrorCode.ERR_GROUP_ID_NOT_FOUND])
    same(await c.commit(group, '', -1, { partitions: [0, 99] }), [0, ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART])
    same(await c.commit(group, '', -1, { metadata: 'm'.repeat(4097) }), [ErrorCode.ERR_OFFSET_METADATA_TOO_LARGE])
    const unknownId = Buffer.alloc(16, 7).toString('base64url')
    same(await c.commit(group, '', -1, { version: 10, topic: unknownId }), [ErrorCode.ERR_UNKNOWN_TOPIC_ID])
    same(await c.commit(group, '', -1, { version: 10, topic: c.topicId, partitions: [1] }), [0])
    same(await c.list(group), ',Empty,classic')
    same(await c.offsets(group), '0:7,1:7')
    same(await c.deleteOffset(group), [0, 0])
  })

  test('consumer protocol: invalid requests', async () => {
    const group = await c.group()
    const invalid = ErrorCode.ERR_INVALID_REQUEST
    const codeOf = async (...args: Parameters<GroupConversation['heartbeat']>): Promise<number> =>
      (await c.heartbeat(...args)).errorCode
    same(await codeOf(group, '', 0), invalid)
    same(await codeOf('', 'a', 0), invalid)
    same(await codeOf(group, 'a', 0, { instanceId: '' }), invalid)
    same(await codeOf(group, 'a', 0, { rackId: '' }), invalid)
    same(await codeOf(group, 'a', 0, { rebalanceTimeoutMs: -1 }), invalid)
    same(await codeOf(group, 'a', 0, { topicPartitions: null }), invalid)
    same(await codeOf(group, 'a', 0, { subscribedTopicNames: null }), invalid)
    same(await codeOf(group, 'a', -2), invalid)
    same(await codeOf(group, 'a', -3), invalid)
    same(await codeOf(group, 'a', 0, { serverAssignor: 'nonsense' }), ErrorCode.ERR_UNSUPPORTED_ASSIGNOR)
    same(await codeOf(group, 'a', 0, { subscribedTopicRegex: '(' }), ErrorCode.ERR_INVALID_REGULAR_EXPRESSION)
    same(await codeOf(group, 'a', 1), ErrorCode.ERR_GROUP_ID_NOT_FOUND)
    same(await codeOf(group, 'a', -1), ErrorCode.ERR_GROUP_ID_NOT_FOUND)
    same(await c.describeConsumers(group), ErrorCode.ERR_GROUP_ID_NOT_FOUND)
    same(await c.list(group), null)
    await c.commit(group, '', -1)
    same(await codeOf(group, 'a', 1), ErrorCode.ERR_GROUP_ID_NOT_FOUND)
    same(await c.describeConsumers(group), ErrorCode.ERR_GROUP_ID_NOT_FOUND)
  })

  test('consumer protocol: two members, from the first assignment to the last leave', async () => {
    const group = await c.group()
    same(await c.heartbeat(group, 'a', 0), { errorCode: 0, epoch: 2, has: '0,1,2,3' })
    same(await c.heartbeat(group, 'a', 2), { errorCode: 0, epoch: 2, has: null })
    same(await c.list(group), 'consumer,Stable,consumer')
    same(await c.heartbeat(group, 'b', 0), { errorCode: 0, epoch: 3, has: '' })
    same(await c.list(group), 'consumer,Reconciling,consumer')
    const given = await c.owning(group, 'a', 2, 0, 1, 2, 3)
    same([given.errorCode, given.epoch, given.has?.length], [0, 2, 3])
    const kept = (given.has ?? '').split(',').map(Number)
    const rest = [0, 1, 2, 3].filter(partition => !kept.includes(partition))
    same(await c.heartbeat(group, 'b', 3), { errorCode: 0, epoch: 3, has: null })
    same(await c.describeConsumers(group), {
      groupState: 'Reconciling',
      groupEpoch: 3,
      assignmentEpoch: 3,
      assignorName: 'uniform',
      members: [
        { member: 'a', instance: null, epoch: 2, type: 1, has: '0,1,2,3', target: kept.join() },
        { member: 'b', instance: null, epoch: 3, type: 1, has: '', target: rest.join() },
      ],
    })
    same(await c.owning(group, 'a', 2, ...kept), { errorCode: 0, epoch: 3, has: null })
    same(await c.heartbeat(group, 'b', 3), { errorCode: 0, epoch: 3, has: rest.join() })
    same(await c.list(group), 'consumer,Stable,consumer')

    const [first = 0] = kept
    same(await c.commit(group, 'a', 3, { partitions: [first] }), [0])
    same(await c.commit(group, 'a', 2, { partitions: [first] }), [0])
    same(await c.commit(group, 'a', 2, { partitions: rest }), [113, 113])
    same(await c.commit(group, 'a', 4), [ErrorCode.ERR_STALE_MEMBER_EPOCH])
    same(await c.commit(group, 'a', 3, { version: 8 }), [ErrorCode.ERR_UNSUPPORTED_VERSION])
    same(await c.commit(group, 'nobody', 3), [ErrorCode.ERR_UNKNOWN_MEMBER_ID])
    same(await c.commit(group, '', -1), [ErrorCode.ERR_UNKNOWN_MEMBER_ID])
    same(await c.offsets(group, true, 'a', 2), `error ${ErrorCode.ERR_STALE_MEMBER_EPOCH}`)
    same(await c.offsets(group, true, 'nobody', 3), `error ${ErrorCode.ERR_UNKNOWN_MEMBER_ID}`)
    same(await c.offsets(group, true, 'a', 3), `${first}:7`)
    same(await c.deleteOffset(group), [0, ErrorCode.ERR_GROUP_SUBSCRIBED_TO_TOPIC])
    same(await c.delete(group), ErrorCode.ERR_NON_EMPTY_GROUP)
    same(await c.describe(group, 6), {
      errorCode: ErrorCode.ERR_GROUP_ID_NOT_FOUND,
      groupState: 'Dead',
      protocolType: '',
      protocolData: '',
      members: [],
    })

    same((await c.heartbeat(group, 'a', 4)).errorCode, ErrorCode.ERR_FENCED_MEMBER_EPOCH)
    same((await c.heartbeat(group, 'b', 2)).errorCode, ErrorCode.ERR_FENCED_MEMBER_EPOCH)
    same((await c.heartbeat(group, 'nobody', 3)).errorCode, ErrorCode.ERR_UNKNOWN_MEMBER_ID)
    same((await c.heartbeat(group, 'nobody', -1)).errorCode, ErrorCode.ERR_UNKNOWN_MEMBER_ID)
    same(await c.heartbeat(group, 'b', -1), { errorCode: 0, epoch: -1, has: null })
    same(await c.becomes(group, 'a', 3, { epoch: 4 }), { errorCode: 0, epoch: 4, has: '0,1,2,3' })
    same(await c.heartbeat(group, 'a', 0), { errorCode: 0, epoch: 4, has: '0,1,2,3' })
    same(await c.heartbeat(group, 'a', -1), { errorCode: 0, epoch: -1, has: null })
    same(await c.list(group), 'consumer,Empty,consumer')
    same(await c.delete(group), 0)
  })

  test('consumer protocol: other topics, patterns, assignors', async () => {
    const group = await c.group()
    const prefix = fresh('pattern')
    await c.newTopic(`${prefix}-1`, 1)
    const none = { subscribedTopicNames: [] }
    same(await c.heartbeat(group, 'a', 0, none), { errorCode: 0, epoch: 1, has: '' })
    // Kafka resolves the topics in the background.
    same(await c.rejoins(group, 'a', { ...none, subscribedTopicRegex: `${prefix}-.*` }, '0'), [0, '0'])
    same((await c.heartbeat(group, 'c', 0, { subscribedTopicRegex: '[' })).errorCode, 128)

    const ranged = await c.group()
    same(await c.heartbeat(ranged, 'a', 0, { serverAssignor: 'range' }), { errorCode: 0, epoch: 2, has: '0,1,2,3' })
    same(await c.heartbeat(ranged, 'b', 0, { serverAssignor: 'range' }), { errorCode: 0, epoch: 3, has: '' })
    same(await c.owning(ranged, 'a', 2, 0, 1, 2, 3), { errorCode: 0, epoch: 2, has: '0,1' })
    same(await c.owning(ranged, 'a', 2, 0, 1), { errorCode: 0, epoch: 3, has: null })
    same(await c.heartbeat(ranged, 'b', 3), { errorCode: 0, epoch: 3, has: '2,3' })
  })

  test('consumer protocol: static members', async () => {
    const group = await c.group()
    const instanceId = 'i'
    same(await c.heartbeat(group, 'a', 0, { instanceId }), { errorCode: 0, epoch: 2, has: '0,1,2,3' })
    same((await c.heartbeat(group, 'x', 0, { instanceId })).errorCode, ErrorCode.ERR_UNRELEASED_INSTANCE_ID)
    same(await c.heartbeat(group, 'a', -2, { instanceId }), { errorCode: 0, epoch: -2, has: null })
    same(await c.heartbeat(group, 'b', 0, { instanceId }), { errorCode: 0, epoch: 2, has: '0,1,2,3' })
    same((await c.heartbeat(group, 'a', 2, { instanceId })).errorCode, ErrorCode.ERR_FENCED_INSTANCE_ID)
    same((await c.heartbeat(group, 'b', 2, { instanceId: 'j' })).errorCode, ErrorCode.ERR_UNKNOWN_MEMBER_ID)
    same((await c.heartbeat(group, 'a', -1, { instanceId })).errorCode, ErrorCode.ERR_FENCED_INSTANCE_ID)
    same((await c.heartbeat(group, 'b', -1, { instanceId })).errorCode, 0)
    same(await c.list(group), 'consumer,Empty,consumer')
  })

  test('a classic group becomes a consumer group and a classic group again, with its members', async () => {
    const group = await c.group()
    const a = await c.member(group)
    const b = await c.member(group)
    same(short(await a.joinTwice()), [0, 1, true, 1])
    same(await a.sync(1, { [a.id]: [0, 1, 2, 3] }), '0,1,2,3')
    same(await c.heartbeat(group, 'new', 0), { errorCode: 0, epoch: 2, has: '' })
    same(await c.list(group), 'consumer,Reconciling,consumer')
    same(await a.heartbeat(1), ErrorCode.ERR_REBALANCE_IN_PROGRESS)
    const owned = [{ name: 'range', metadata: subscription(c.topic) }]
    const joined = await a.join({ protocols: owned })
    same([joined.errorCode, joined.generationId, joined.protocolName, joined.leader], [0, 2, 'range', ''])
    same((await a.sync(2)).length, 3)
    same((await c.becomes(group, 'new', 2, {})).errorCode, 0)
    same(await a.heartbeat(2), 0)
    same((await c.heartbeat(group, a.id, 2)).errorCode, 0)
    same(await a.heartbeat(2), ErrorCode.ERR_UNKNOWN_MEMBER_ID)
    const required = await b.join()
    same(short(required), [ErrorCode.ERR_MEMBER_ID_REQUIRED, -1, false, 0])
    const third = await b.join()
    same([third.errorCode, third.generationId], [0, 3])
    same(await b.sync(3), '')
    same((await c.heartbeat(group, a.id, -1)).errorCode, 0)
    same((await c.heartbeat(group, 'new', -1)).errorCode, 0)
    same(await c.list(group), 'consumer,PreparingRebalance,classic')
    same(await b.heartbeat(3), ErrorCode.ERR_ILLEGAL_GENERATION)
    same(short(await b.join()), [0, 5, true, 1])
  })
}
