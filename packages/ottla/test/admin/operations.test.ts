import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode, ZERO_UUID } from '@ottla/protocol'
import { alterConfigs, listConfigResources } from '../../src/admin/configs.ts'
import {
  createDelegationToken,
  describeDelegationToken,
  renewDelegationToken,
} from '../../src/admin/delegation-tokens.ts'
import { describeFeatures, updateFeatures } from '../../src/admin/features.ts'
import { removeMembers } from '../../src/admin/group-members.ts'
import { addRaftVoter, describeMetadataQuorum, unregisterBroker } from '../../src/admin/quorum.ts'
import { alterClientQuotas, describeClientQuotas } from '../../src/admin/quotas.ts'
import {
  alterShareGroupOffsets,
  deleteShareGroupOffsets,
  describeShareGroups,
  listShareGroupOffsets,
} from '../../src/admin/share-groups.ts'
import { refused, scriptedCall } from './scripted-cluster.ts'

const zero = { topic: 'a', partition: 0 }

test('quotas are found by exact name, default and any', async () => {
  const entity = [{ entityType: 'user', entityName: null }]
  const { call, sent } = scriptedCall({
    DescribeClientQuotas: () => ({
      errorCode: 0,
      errorMessage: null,
      entries: [{ entity, values: [{ key: 'producer_byte_rate', value: 10 }] }],
    }),
  })
  const filter = {
    components: [
      { type: 'user', match: 'exact', name: 'u' },
      { type: 'client-id', match: 'default' },
      { type: 'ip', match: 'any' },
    ],
    strict: true,
  } as const
  assert.deepEqual(await describeClientQuotas(call, filter), [
    { entity: { user: null }, quotas: { producer_byte_rate: 10 } },
  ])
  assert.deepEqual(sent[0]?.body, {
    components: [
      { entityType: 'user', matchType: 0, match: 'u' },
      { entityType: 'client-id', matchType: 1, match: null },
      { entityType: 'ip', matchType: 2, match: null },
    ],
    strict: true,
  })
})

test('quotas are altered by entity, whatever the order of its parts in the answer', async () => {
  const { call, sent } = scriptedCall({
    AlterClientQuotas: () => ({
      entries: [
        {
          errorCode: ErrorCode.ERR_INVALID_REQUEST,
          errorMessage: 'no such key',
          entity: [
            { entityType: 'client-id', entityName: null },
            { entityType: 'user', entityName: 'u' },
          ],
        },
      ],
    }),
  })
  const entity = { user: 'u', 'client-id': null }
  const [result] = await alterClientQuotas(call, [{ entity, quotas: { a: 1.5, b: null } }])
  assert.equal(result?.error?.code, ErrorCode.ERR_INVALID_REQUEST)
  assert.deepEqual(sent[0]?.body, {
    entries: [
      {
        entity: [
          { entityType: 'user', entityName: 'u' },
          { entityType: 'client-id', entityName: null },
        ],
        ops: [
          { key: 'a', value: 1.5, remove: false },
          { key: 'b', value: 0, remove: true },
        ],
      },
    ],
    validateOnly: false,
  })
  await refused(alterClientQuotas(call, [{ entity, quotas: { a: NaN } }]), /quota 'a' of .* must be a number/)
  await refused(alterClientQuotas(call, [{ entity: {}, quotas: { a: 1 } }]), /entity is empty/)
  await refused(alterClientQuotas(call, [{ entity: { host: 'x' } as never, quotas: { a: 1 } }]), /must be one of user/)
  assert.equal(sent.length, 1)
})

test('values of the quorum that the leader does not know are null', async () => {
  const replica = { replicaId: 1, replicaDirectoryId: ZERO_UUID, logEndOffset: 9 }
  const { call } = scriptedCall({
    DescribeQuorum: () => ({
      errorCode: 0,
      errorMessage: null,
      topics: [
        {
          topicName: '__cluster_metadata',
          partitions: [
            {
              partitionIndex: 0,
              errorCode: 0,
              errorMessage: null,
              leaderId: 1,
              leaderEpoch: 2,
              highWatermark: 9,
              currentVoters: [{ ...replica, lastFetchTimestamp: -1, lastCaughtUpTimestamp: 1000 }],
              observers: [],
            },
          ],
        },
      ],
      nodes: [],
    }),
  })
  assert.deepEqual(await describeMetadataQuorum(call), {
    leaderId: 1,
    leaderEpoch: 2,
    highWatermark: 9,
    voters: [{ replicaId: 1, logEndOffset: 9, lastFetchTimestamp: null, lastCaughtUpTimestamp: 1000 }],
    observers: [],
    nodes: [],
  })
})

test('a voter is added with its listeners, and a broker unregistered, at the controller', async () => {
  const { call, sent } = scriptedCall({
    AddRaftVoter: () => ({ errorCode: 0, errorMessage: null }),
    UnregisterBroker: () => ({ errorCode: ErrorCode.ERR_BROKER_ID_NOT_REGISTERED, errorMessage: null }),
  })
  const listeners = [{ name: 'CONTROLLER', host: 'h', port: 9093 }]
  await addRaftVoter(call, { voterId: 4, directoryId: 'AAAAAAAAAAAAAAAAAAAAAQ' }, listeners)
  assert.deepEqual(sent[0]?.target, { to: 'controller' })
  await refused(addRaftVoter(call, { voterId: 4, directoryId: 'short' }, listeners), /directoryId must be a UUID/)
  await assert.rejects(unregisterBroker(call, 4), { code: ErrorCode.ERR_BROKER_ID_NOT_REGISTERED })
})

test('features are returned by name', async () => {
  const { call } = scriptedCall({
    ApiVersions: () => ({
      errorCode: 0,
      supportedFeatures: [{ name: 'group.version', minVersion: 0, maxVersion: 1 }],
      finalizedFeatures: [{ name: 'group.version', minVersionLevel: 1, maxVersionLevel: 1 }],
      finalizedFeaturesEpoch: -1,
    }),
  })
  assert.deepEqual(await describeFeatures(call), {
    supported: { 'group.version': { min: 0, max: 1 } },
    finalized: { 'group.version': { min: 1, max: 1 } },
    finalizedEpoch: null,
  })
})

test('an error of the whole feature update is that of each feature, and a missing list means success', async () => {
  const answers = [
    { errorCode: ErrorCode.ERR_FEATURE_UPDATE_FAILED, errorMessage: 'no', results: [] },
    { errorCode: 0, errorMessage: null, results: [] },
    { errorCode: 0, errorMessage: null, results: [{ feature: 'a', errorCode: 95, errorMessage: null }] },
  ]
  const { call, sent } = scriptedCall({ UpdateFeatures: () => answers.shift() })
  const updates = [
    { feature: 'a', maxVersionLevel: 2 },
    { feature: 'b', maxVersionLevel: 0, upgradeType: 'safe-downgrade' },
  ] as const
  const codes = async (): Promise<unknown> => (await updateFeatures(call, updates)).map(r => r.error?.code)
  assert.deepEqual(await codes(), [ErrorCode.ERR_FEATURE_UPDATE_FAILED, ErrorCode.ERR_FEATURE_UPDATE_FAILED])
  assert.deepEqual(await codes(), [undefined, undefined])
  assert.deepEqual(await codes(), [ErrorCode.ERR_INVALID_UPDATE_VERSION, ErrorCode.ERR__BAD_MSG])
  assert.deepEqual(sent[0]?.body, {
    timeoutMs: 30_000,
    validateOnly: false,
    featureUpdates: [
      { feature: 'a', maxVersionLevel: 2, upgradeType: 1 },
      { feature: 'b', maxVersionLevel: 0, upgradeType: 2 },
    ],
  })
})

const wireToken = {
  principalType: 'User',
  principalName: 'alice:x',
  tokenRequesterPrincipalType: '',
  tokenRequesterPrincipalName: '',
  tokenId: 'id',
  hmac: Buffer.from('secret'),
}

test('a token is created for its owner, and returned with its secret', async () => {
  const { call, sent } = scriptedCall({
    CreateDelegationToken: () => ({
      ...wireToken,
      errorCode: 0,
      issueTimestampMs: 1,
      expiryTimestampMs: 2,
      maxTimestampMs: 3,
    }),
    DescribeDelegationToken: () => ({
      errorCode: 0,
      tokens: [{ ...wireToken, issueTimestamp: 1, expiryTimestamp: 2, maxTimestamp: 3, renewers: [] }],
    }),
  })
  const expected = {
    tokenId: 'id',
    hmac: Buffer.from('secret'),
    owner: 'User:alice:x',
    requester: 'User:alice:x',
    issueTimestamp: 1,
    expiryTimestamp: 2,
    maxTimestamp: 3,
    renewers: [],
  }
  assert.deepEqual(await createDelegationToken(call, { owner: 'User:alice:x' }), expected)
  assert.deepEqual(await describeDelegationToken(call, ['User:alice:x']), [expected])
  assert.deepEqual(sent[1]?.body, { owners: [{ principalType: 'User', principalName: 'alice:x' }] })
  await createDelegationToken(call, {})
  await refused(createDelegationToken(call, { renewers: ['bob'] }), /renewers\[0\] must look like 'User:alice'/)
})

test('the error of a wrong secret does not contain the secret', async () => {
  const { call } = scriptedCall({})
  await refused(renewDelegationToken(call, 'hush' as never, -1), /^(?!.*hush).*hmac must be bytes/)
})

test('members are removed by name, and all of them if none is named', async () => {
  const response = {
    errorCode: 0,
    members: [
      { memberId: 'given', groupInstanceId: 'one', errorCode: 0 },
      { memberId: 'm2', groupInstanceId: null, errorCode: ErrorCode.ERR_UNKNOWN_MEMBER_ID },
    ],
  }
  const { call, sent } = scriptedCall({
    LeaveGroup: () => response,
    ConsumerGroupDescribe: () => ({ groups: [{ errorCode: ErrorCode.ERR_GROUP_ID_NOT_FOUND, members: [] }] }),
    DescribeGroups: () => ({
      groups: [
        {
          errorCode: 0,
          errorMessage: null,
          groupId: 'g',
          groupState: 'Stable',
          protocolType: 'connect',
          protocolData: '',
          members: ['one', null].map((groupInstanceId, i) => ({
            memberId: `m${i + 1}`,
            groupInstanceId,
            clientId: '',
            clientHost: '',
            memberMetadata: Buffer.alloc(0),
            memberAssignment: Buffer.alloc(0),
          })),
          authorizedOperations: 0,
        },
      ],
    }),
  })
  const results = await removeMembers(call, 'g', [{ groupInstanceId: 'one' }, { memberId: 'm2' }], 'why not')
  assert.deepEqual(results[0], { groupInstanceId: 'one' })
  assert.equal(results[1]?.error?.code, ErrorCode.ERR_UNKNOWN_MEMBER_ID)
  assert.deepEqual(sent[0]?.body, {
    groupId: 'g',
    members: [
      { memberId: '', groupInstanceId: 'one', reason: 'why not' },
      { memberId: 'm2', groupInstanceId: null, reason: 'why not' },
    ],
  })
  assert.equal((await removeMembers(call, 'g', undefined, undefined)).length, 2)
  await refused(removeMembers(call, 'g', [{} as never], undefined), /members\[0\] must have either/)
})

test('share groups: members, offsets and their deletion', async () => {
  const { call } = scriptedCall({
    ShareGroupDescribe: ({ target }) => {
      const groupId = target.to === 'coordinator' ? target.key : ''
      const members = [
        {
          memberId: 'm',
          rackId: 'r',
          memberEpoch: 3,
          clientId: 'c',
          clientHost: '/h',
          subscribedTopicNames: ['a'],
          assignment: { topicPartitions: [{ topicId: ZERO_UUID, topicName: 'a', partitions: [0] }] },
        },
      ]
      const errorCode = groupId === 'gone' ? ErrorCode.ERR_GROUP_ID_NOT_FOUND : 0
      const about = { groupState: 'Stable', groupEpoch: 3, assignmentEpoch: 3, assignorName: 'simple' }
      return {
        groups: [{ ...about, errorCode, errorMessage: null, groupId, members, authorizedOperations: -(2 ** 31) }],
      }
    },
    DescribeShareGroupOffsets: () => ({
      groups: [
        {
          groupId: 's',
          errorCode: 0,
          errorMessage: null,
          topics: [
            {
              topicName: 'a',
              topicId: ZERO_UUID,
              partitions: [
                { partitionIndex: 0, startOffset: 5, leaderEpoch: 1, lag: 2, errorCode: 0, errorMessage: null },
              ],
            },
          ],
        },
      ],
    }),
    AlterShareGroupOffsets: () => ({ errorCode: ErrorCode.ERR_NON_EMPTY_GROUP, errorMessage: null, responses: [] }),
    DeleteShareGroupOffsets: () => ({
      errorCode: 0,
      errorMessage: null,
      responses: [{ topicName: 'a', topicId: ZERO_UUID, errorCode: 0, errorMessage: null }],
    }),
  })
  const [group, gone] = await describeShareGroups(call, ['s', 'gone'], false)
  assert.deepEqual(group?.members, [
    {
      memberId: 'm',
      memberEpoch: 3,
      clientId: 'c',
      host: '/h',
      rack: 'r',
      subscribedTopics: ['a'],
      assignment: [zero],
    },
  ])
  assert.equal(gone?.error?.code, ErrorCode.ERR_GROUP_ID_NOT_FOUND)
  const offsets = await listShareGroupOffsets(call, 's', [{ topic: 'a', partition: 1 }, zero])
  assert.equal(offsets[0]?.error?.code, ErrorCode.ERR__BAD_MSG)
  assert.deepEqual(offsets[1], { ...zero, startOffset: 5, lag: 2, leaderEpoch: 1 })
  const altering = alterShareGroupOffsets(call, 's', [{ ...zero, startOffset: 0 }])
  await assert.rejects(altering, { code: ErrorCode.ERR_NON_EMPTY_GROUP })
  const [a, b] = await deleteShareGroupOffsets(call, 's', ['a', 'b'])
  assert.deepEqual(a, { topic: 'a' })
  assert.equal(b?.error?.code, ErrorCode.ERR__BAD_MSG)
})

test('a replaced configuration goes to the controller, that of a broker to the broker', async () => {
  const { call, sent } = scriptedCall({
    AlterConfigs: ({ target }) => ({
      responses:
        target.to === 'node'
          ? [{ errorCode: 0, errorMessage: null, resourceType: 4, resourceName: '1' }]
          : [{ errorCode: ErrorCode.ERR_INVALID_CONFIG, errorMessage: 'no', resourceType: 2, resourceName: 'a' }],
    }),
    ListConfigResources: () => ({
      errorCode: 0,
      configResources: [
        { resourceName: 'm', resourceType: 16 },
        { resourceName: 'x', resourceType: 99 },
      ],
    }),
  })
  const results = await alterConfigs(call, [
    { type: 'topic', name: 'a', entries: [{ name: 'retention.ms', value: 1 }] },
    { type: 'broker', name: '1', entries: [] },
  ])
  assert.deepEqual(
    results.map(r => r.error?.code),
    [ErrorCode.ERR_INVALID_CONFIG, undefined],
  )
  assert.deepEqual(
    sent.map(s => s.target).toSorted((x, y) => (x.to < y.to ? -1 : 1)),
    [{ to: 'controller' }, { to: 'node', id: 1 }],
  )
  assert.deepEqual(await listConfigResources(call, ['client-metrics']), [{ type: 'client-metrics', name: 'm' }])
  await refused(
    alterConfigs(call, [{ type: 'broker-logger', name: '', entries: [] }]),
    /broker id in resources\[0\].name must not be empty/,
  )
})
