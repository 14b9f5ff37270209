import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '@ottla/protocol'
import type { AdminCall } from '../../src/admin/call.ts'
import { alterConfigs, incrementalAlterConfigs } from '../../src/admin/configs.ts'
import {
  createDelegationToken,
  expireDelegationToken,
  renewDelegationToken,
} from '../../src/admin/delegation-tokens.ts'
import { updateFeatures } from '../../src/admin/features.ts'
import { removeMembers } from '../../src/admin/group-members.ts'
import {
  alterConsumerGroupOffsets,
  deleteConsumerGroupOffsets,
  listConsumerGroupOffsets,
} from '../../src/admin/group-offsets.ts'
import { deleteConsumerGroups, describeConsumerGroups } from '../../src/admin/groups.ts'
import { electLeaders } from '../../src/admin/leaders.ts'
import { addRaftVoter, removeRaftVoter, unregisterBroker } from '../../src/admin/quorum.ts'
import { alterClientQuotas } from '../../src/admin/quotas.ts'
import { alterPartitionReassignments, listPartitionReassignments } from '../../src/admin/reassignments.ts'
import { alterUserScramCredentials } from '../../src/admin/scram.ts'
import { createAcls, deleteAcls } from '../../src/admin/security.ts'
import {
  alterShareGroupOffsets,
  deleteShareGroupOffsets,
  describeShareGroups,
  listShareGroupOffsets,
} from '../../src/admin/share-groups.ts'
import { createPartitions, createTopics, deleteTopics } from '../../src/admin/topics.ts'
import { describeTransactions, fenceProducers } from '../../src/admin/transactions.ts'
import { scriptedCall, topicLedBy } from './scripted-cluster.ts'

const zero = { topic: 'a', partition: 0 }
const resource = { type: 'topic', name: 'a' } as const
const voter = { voterId: 1, directoryId: 'AAAAAAAAAAAAAAAAAAAAAQ' }
const rule = {
  resourceType: 'topic',
  name: 'a',
  resourcePatternType: 'literal',
  principal: 'User:x',
  host: '*',
  operation: 'read',
  permissionType: 'allow',
} as const

type Case = readonly [api: string, call: (call: AdminCall) => Promise<unknown>, response: (errorCode: number) => object]

const errorMessage = null
const whole = (errorCode: number): object => ({ errorCode, errorMessage, topics: [], responses: [], results: [] })

const atController: readonly Case[] = [
  [
    'CreateTopics',
    c => createTopics(c, [{ topic: 'a' }]),
    errorCode => ({ topics: [{ name: 'a', topicId: '', errorCode, errorMessage }] }),
  ],
  [
    'DeleteTopics',
    c => deleteTopics(c, ['a']),
    errorCode => ({ responses: [{ name: 'a', topicId: '', errorCode, errorMessage }] }),
  ],
  [
    'CreatePartitions',
    c => createPartitions(c, [{ topic: 'a', increaseTo: 2 }]),
    errorCode => ({ results: [{ name: 'a', errorCode, errorMessage }] }),
  ],
  ['CreateAcls', c => createAcls(c, [rule]), errorCode => ({ results: [{ errorCode, errorMessage }] })],
  [
    'DeleteAcls',
    c => deleteAcls(c, [{}]),
    errorCode => ({ filterResults: [{ errorCode, errorMessage, matchingAcls: [] }] }),
  ],
  [
    'IncrementalAlterConfigs',
    c => incrementalAlterConfigs(c, [{ ...resource, entries: [{ name: 'x', operation: 'delete' }] }]),
    errorCode => ({ responses: [{ errorCode, errorMessage, resourceType: 2, resourceName: 'a' }] }),
  ],
  [
    'AlterConfigs',
    c => alterConfigs(c, [{ ...resource, entries: [] }]),
    errorCode => ({ responses: [{ errorCode, errorMessage, resourceType: 2, resourceName: 'a' }] }),
  ],
  [
    'AlterUserScramCredentials',
    c => alterUserScramCredentials(c, [{ user: 'x', mechanism: 'SCRAM-SHA-256', delete: true }]),
    errorCode => ({ results: [{ user: 'x', errorCode, errorMessage }] }),
  ],
  [
    'AlterClientQuotas',
    c => alterClientQuotas(c, [{ entity: { user: 'x' }, quotas: { producer_byte_rate: 1 } }]),
    errorCode => ({ entries: [{ errorCode, errorMessage, entity: [{ entityType: 'user', entityName: 'x' }] }] }),
  ],
  [
    'ElectLeaders',
    c => electLeaders(c, 'preferred', undefined),
    errorCode => ({ errorCode, replicaElectionResults: [] }),
  ],
  ['AlterPartitionReassignments', c => alterPartitionReassignments(c, [{ ...zero, replicas: null }], true), whole],
  ['ListPartitionReassignments', c => listPartitionReassignments(c, undefined), whole],
  ['UpdateFeatures', c => updateFeatures(c, [{ feature: 'x', maxVersionLevel: 1 }]), whole],
  ['AddRaftVoter', c => addRaftVoter(c, voter, [{ name: 'C', host: 'h', port: 1 }]), whole],
  ['RemoveRaftVoter', c => removeRaftVoter(c, voter), whole],
  ['UnregisterBroker', c => unregisterBroker(c, 1), whole],
  [
    'CreateDelegationToken',
    c => createDelegationToken(c, {}),
    errorCode => ({ errorCode, hmac: Buffer.of(1), renewers: [] }),
  ],
  ['RenewDelegationToken', c => renewDelegationToken(c, Buffer.of(1), -1), whole],
  ['ExpireDelegationToken', c => expireDelegationToken(c, Buffer.of(1), -1), whole],
]

const group = (errorCode: number): object => ({ groups: [{ groupId: 'g', errorCode, errorMessage, members: [] }] })

const atCoordinator: readonly Case[] = [
  ['DeleteGroups', c => deleteConsumerGroups(c, ['g']), errorCode => ({ results: [{ groupId: 'g', errorCode }] })],
  ['ConsumerGroupDescribe', c => describeConsumerGroups(c, ['g'], false), group],
  ['ShareGroupDescribe', c => describeShareGroups(c, ['g'], false), group],
  [
    'OffsetFetch',
    c => listConsumerGroupOffsets(c, 'g', undefined, false),
    errorCode => ({ errorCode: 0, topics: [], groups: [{ groupId: 'g', errorCode, topics: [] }] }),
  ],
  [
    'OffsetFetch',
    c => listConsumerGroupOffsets(c, 'g', undefined, true),
    errorCode => ({
      errorCode: 0,
      topics: [],
      groups: [
        {
          groupId: 'g',
          errorCode: 0,
          topics: [
            {
              name: 'a',
              partitions: [
                {
                  partitionIndex: 0,
                  errorCode: errorCode === 0 ? 0 : ErrorCode.ERR_UNSTABLE_OFFSET_COMMIT,
                  committedOffset: 1,
                  committedLeaderEpoch: -1,
                  metadata: '',
                },
              ],
            },
          ],
        },
      ],
    }),
  ],
  [
    'OffsetCommit',
    c => alterConsumerGroupOffsets(c, 'g', [{ ...zero, offset: 1 }]),
    errorCode => ({ topics: [{ name: 'a', partitions: [{ partitionIndex: 0, errorCode }] }] }),
  ],
  ['OffsetDelete', c => deleteConsumerGroupOffsets(c, 'g', [zero]), whole],
  [
    'LeaveGroup',
    c => removeMembers(c, 'g', [{ memberId: 'm' }], undefined),
    errorCode => ({ errorCode, members: [{ memberId: 'm', groupInstanceId: null, errorCode: 0 }] }),
  ],
  [
    'DescribeShareGroupOffsets',
    c => listShareGroupOffsets(c, 'g', undefined),
    errorCode => ({ groups: [{ groupId: 'g', errorCode, errorMessage, topics: [] }] }),
  ],
  ['AlterShareGroupOffsets', c => alterShareGroupOffsets(c, 'g', [{ ...zero, startOffset: 0 }]), whole],
  ['DeleteShareGroupOffsets', c => deleteShareGroupOffsets(c, 'g', ['a']), whole],
  [
    'DescribeTransactions',
    c => describeTransactions(c, ['t']),
    errorCode => ({ transactionStates: [{ errorCode, transactionalId: 't', topics: [], transactionStartTimeMs: -1 }] }),
  ],
  ['InitProducerId', c => fenceProducers(c, ['t']), errorCode => ({ errorCode, producerId: 1n, producerEpoch: 0 })],
]

for (const [where, code, cases] of [
  ['controller', ErrorCode.ERR_NOT_CONTROLLER, atController],
  ['coordinator', ErrorCode.ERR_NOT_COORDINATOR, atCoordinator],
] as const) {
  test(`every request for the ${where} is sent again when it has moved`, async () => {
    for (const [api, ask, response] of cases) {
      const codes = [code, 0]
      const { call, sent } = scriptedCall({ [api]: () => response(codes.shift() ?? 0) })
      await ask(call)
      assert.deepEqual(sent.map(s => [s.api, s.target.to]), [[api, where], [api, where]], api) // prettier-ignore
    }
  })
}

test('what a controller mutation quota has delayed is retried, and nothing else is', async () => {
  const codes = [[0, ErrorCode.ERR_THROTTLING_QUOTA_EXCEEDED, ErrorCode.ERR_TOPIC_ALREADY_EXISTS], [0]]
  const names: string[][] = []
  const { call, clock } = scriptedCall(
    {
      CreateTopics: ({ body }) => {
        const { topics } = body as { topics: { name: string }[] } // the request's own shape
        names.push(topics.map(t => t.name))
        const answers = codes.shift() ?? []
        return {
          topics: topics.map((t, i) => ({ name: t.name, topicId: '', errorCode: answers[i] ?? 0, errorMessage })),
        }
      },
    },
    { topics: [topicLedBy('a', [1])] },
  )
  const creating = createTopics(call, [{ topic: 'a' }, { topic: 'b' }, { topic: 'c' }])
  await clock.advance(1000)
  const results = await creating
  assert.deepEqual(
    results.map(r => [r.topic, r.error?.code]),
    [
      ['a', undefined],
      ['b', undefined],
      ['c', ErrorCode.ERR_TOPIC_ALREADY_EXISTS],
    ],
  )
  assert.deepEqual(names, [['a', 'b', 'c'], ['b']])
})
