import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode, Writer, writeConsumerProtocolAssignment } from '@ottla/protocol'
import {
  alterConsumerGroupOffsets,
  deleteConsumerGroupOffsets,
  listConsumerGroupOffsets,
} from '../../src/admin/group-offsets.ts'
import { listConsumerGroups } from '../../src/admin/group-listings.ts'
import { deleteConsumerGroups, describeConsumerGroups } from '../../src/admin/groups.ts'
import { KafkaError } from '../../src/errors.ts'
import { OFFSET_INVALID } from '../../src/types.ts'
import { scriptedCall } from './scripted-cluster.ts'

const NOT_ASKED = -(2 ** 31)

function withCode(code: number): (error: unknown) => boolean {
  return error => error instanceof KafkaError && error.code === code
}

function assignmentBytes(): Buffer {
  const w = new Writer()
  w.int16(1)
  writeConsumerProtocolAssignment(w, { assignedPartitions: [{ topic: 'a', partitions: [0, 2] }], userData: null }, 1)
  return Buffer.concat(w.finish())
}

test('listConsumerGroups asks every broker and returns the groups of those that answer', async () => {
  const group = (groupId: string, protocolType: string): object => ({
    groupId,
    protocolType,
    groupState: 'Stable',
    groupType: 'classic',
  })
  const { call, sent } = scriptedCall(
    {
      ListGroups: ({ target }) => {
        if (target.to !== 'node' || target.id === 2) throw new KafkaError(ErrorCode.ERR__TIMED_OUT, 'no answer')
        const groups = target.id === 1 ? [group('z', 'consumer'), group('connect', 'connect')] : [group('a', '')]
        return { errorCode: 0, groups }
      },
    },
    { brokers: [1, 2, 3] },
  )
  const { groups, errors } = await listConsumerGroups(call, { states: ['Stable'] })
  assert.deepEqual(groups, [
    { groupId: 'a', state: 'Stable', type: 'classic', isSimple: true },
    { groupId: 'z', state: 'Stable', type: 'classic', isSimple: false },
  ])
  assert.deepEqual(
    errors.map(e => e.code),
    [ErrorCode.ERR__TIMED_OUT],
  )
  assert.deepEqual(sent[0]?.body, { statesFilter: ['Stable'], typesFilter: [] })
})

test('describeConsumerGroups falls back to the classic request, and reads what the group leader assigned', async () => {
  const member = { groupInstanceId: null, clientId: 'c', clientHost: '/1.2.3.4', memberMetadata: Buffer.alloc(0) }
  const { call, sent } = scriptedCall({
    ConsumerGroupDescribe: () => ({
      groups: [{ errorCode: ErrorCode.ERR_GROUP_ID_NOT_FOUND, errorMessage: 'no consumer group', members: [] }],
    }),
    DescribeGroups: () => ({
      groups: [
        {
          errorCode: 0,
          errorMessage: null,
          groupId: 'g',
          groupState: 'Stable',
          protocolType: 'consumer',
          protocolData: 'range',
          members: [
            { ...member, memberId: 'm1', memberAssignment: assignmentBytes() },
            { ...member, memberId: 'm2', groupInstanceId: 'static', memberAssignment: Buffer.alloc(0) },
          ],
          authorizedOperations: NOT_ASKED,
        },
      ],
    }),
  })
  assert.deepEqual(await describeConsumerGroups(call, ['g'], false), [
    {
      groupId: 'g',
      state: 'Stable',
      type: 'classic',
      protocol: 'range',
      coordinator: { id: 1, host: 'localhost', port: 9001 },
      members: [
        {
          memberId: 'm1',
          clientId: 'c',
          host: '/1.2.3.4',
          assignment: [
            { topic: 'a', partition: 0 },
            { topic: 'a', partition: 2 },
          ],
          memberMetadata: Buffer.alloc(0),
          memberAssignment: Buffer.from(assignmentBytes()),
        },
        {
          memberId: 'm2',
          clientId: 'c',
          host: '/1.2.3.4',
          groupInstanceId: 'static',
          assignment: [],
          memberMetadata: Buffer.alloc(0),
          memberAssignment: Buffer.alloc(0),
        },
      ],
    },
  ])
  assert.deepEqual(
    sent.map(s => s.target),
    [
      { to: 'coordinator', type: 'group', key: 'g' },
      { to: 'coordinator', type: 'group', key: 'g' },
    ],
  )
})

test('describeConsumerGroups returns the target assignment of a group of the new protocol', async () => {
  const assignment = (partitions: number[]): object => ({
    topicPartitions: [{ topicId: '', topicName: 'a', partitions }],
  })
  const { call } = scriptedCall({
    ConsumerGroupDescribe: () => ({
      groups: [
        {
          errorCode: 0,
          errorMessage: null,
          groupState: 'Reconciling',
          assignorName: 'uniform',
          members: [
            {
              memberId: 'm',
              instanceId: null,
              clientId: 'c',
              clientHost: 'h',
              assignment: assignment([0]),
              targetAssignment: assignment([0, 1]),
            },
          ],
          authorizedOperations: 1 << 3,
        },
      ],
    }),
  })
  const [group] = await describeConsumerGroups(call, ['g'], true)
  assert.equal(group?.type, 'consumer')
  assert.equal(group.state, 'Reconciling')
  assert.deepEqual(group.authorizedOperations, ['read'])
  assert.deepEqual(
    group.members[0]?.targetAssignment?.map(p => p.partition),
    [0, 1],
  )
})

test('an assignment that cannot be decoded is the error of its group', async () => {
  const { call } = scriptedCall({
    ConsumerGroupDescribe: () => {
      throw new KafkaError(ErrorCode.ERR__UNSUPPORTED_FEATURE, 'too old')
    },
    DescribeGroups: () => ({
      groups: [
        {
          errorCode: 0,
          errorMessage: null,
          groupState: 'Stable',
          protocolType: 'consumer',
          members: [{ groupInstanceId: null, memberAssignment: Buffer.from([0, 1, 127, 255, 255, 255]) }],
          authorizedOperations: NOT_ASKED,
        },
      ],
    }),
  })
  const [group] = await describeConsumerGroups(call, ['g'], false)
  assert.equal(group?.error?.code, ErrorCode.ERR__BAD_MSG)
})

test('deleteConsumerGroups returns an error for each group', async () => {
  const { call } = scriptedCall({
    DeleteGroups: ({ target }) => {
      const key = target.to === 'coordinator' ? target.key : ''
      return { results: [{ groupId: key, errorCode: key === 'busy' ? ErrorCode.ERR_NON_EMPTY_GROUP : 0 }] }
    },
  })
  const [idle, busy] = await deleteConsumerGroups(call, ['idle', 'busy'])
  assert.deepEqual(idle, { groupId: 'idle' })
  assert.equal(busy?.error?.code, ErrorCode.ERR_NON_EMPTY_GROUP)
  await assert.rejects(deleteConsumerGroups(call, ['a', 'a']), withCode(ErrorCode.ERR__INVALID_ARG))
})

test('listConsumerGroupOffsets keeps the order of the call, with OFFSET_INVALID where nothing was committed', async () => {
  const partition = (partitionIndex: number, committedOffset: number): object => ({
    partitionIndex,
    committedOffset,
    committedLeaderEpoch: 4,
    metadata: 'm',
    errorCode: 0,
  })
  const { call, sent } = scriptedCall({
    OffsetFetch: () => ({
      errorCode: 0,
      topics: [],
      groups: [{ errorCode: 0, topics: [{ name: 'a', partitions: [partition(0, 5), partition(1, -1)] }] }],
    }),
  })
  const asked = [
    { topic: 'a', partition: 1 },
    { topic: 'a', partition: 0 },
  ]
  const [one, zero] = await listConsumerGroupOffsets(call, 'g', asked, true)
  assert.equal(one?.offset, OFFSET_INVALID)
  assert.deepEqual(zero, { topic: 'a', partition: 0, offset: 5, metadata: 'm', leaderEpoch: 4 })
  assert.deepEqual(sent[0]?.body, {
    groups: [{ groupId: 'g', topics: [{ name: 'a', partitionIndexes: [1, 0] }] }],
    requireStable: true,
  })
})

test('listConsumerGroupOffsets reads the response of a broker before 3.0 as well, and its error', async () => {
  const { call } = scriptedCall({
    OffsetFetch: () => ({ errorCode: ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED, topics: [], groups: [] }),
  })
  const rejected = listConsumerGroupOffsets(call, 'g', undefined, false)
  await assert.rejects(rejected, withCode(ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED))
})

test('alterConsumerGroupOffsets returns errors by partition', async () => {
  const { call, sent } = scriptedCall({
    OffsetCommit: () => ({
      topics: [
        {
          name: 'a',
          partitions: [
            { partitionIndex: 0, errorCode: 0 },
            { partitionIndex: 1, errorCode: ErrorCode.ERR_UNKNOWN_MEMBER_ID },
          ],
        },
      ],
    }),
  })
  const [ok, refused] = await alterConsumerGroupOffsets(call, 'g', [
    { topic: 'a', partition: 0, offset: 7 },
    { topic: 'a', partition: 1, offset: 8, metadata: 'why' },
  ])
  assert.deepEqual(ok, { topic: 'a', partition: 0, offset: 7 })
  assert.equal(refused?.error?.code, ErrorCode.ERR_UNKNOWN_MEMBER_ID)
  assert.deepEqual(sent[0]?.body, {
    groupId: 'g',
    generationIdOrMemberEpoch: -1,
    memberId: '',
    topics: [
      {
        name: 'a',
        partitions: [
          { partitionIndex: 0, committedOffset: 7, committedMetadata: '' },
          { partitionIndex: 1, committedOffset: 8, committedMetadata: 'why' },
        ],
      },
    ],
  })
  const negative = alterConsumerGroupOffsets(call, 'g', [{ topic: 'a', partition: 0, offset: -1 }])
  await assert.rejects(negative, withCode(ErrorCode.ERR__INVALID_ARG))
})

test('deleteConsumerGroupOffsets rejects for the group and returns errors by partition', async () => {
  const { call } = scriptedCall({
    OffsetDelete: () => ({ errorCode: 0, topics: [{ name: 'a', partitions: [{ partitionIndex: 0, errorCode: 86 }] }] }),
  })
  const [result] = await deleteConsumerGroupOffsets(call, 'g', [{ topic: 'a', partition: 0 }])
  assert.equal(result?.error?.code, ErrorCode.ERR_GROUP_SUBSCRIBED_TO_TOPIC)
})
