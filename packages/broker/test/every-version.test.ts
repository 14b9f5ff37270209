/** Every request that the cluster serves, at every version that it says it does. */
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import * as protocol from '@ottla/protocol'
import {
  type ApiKey,
  ApiVersions,
  BatchWriter,
  ErrorCode,
  ProtocolError,
  apis,
  type Api,
  type Decoded,
} from '@ottla/protocol'
import { EmbeddedCluster } from '../src/index.ts'
import { WireClient } from './wire-client.ts'

let cluster: EmbeddedCluster
let client: WireClient
let topicId = ''

before(async () => {
  cluster = await EmbeddedCluster.start({ acls: [], superUsers: ['User:ANONYMOUS'], onTelemetry: () => undefined })
  cluster.createTopic('t', { partitions: 2 })
  client = await WireClient.connect(cluster.bootstrapServers)
  const metadata = await client.ask(protocol.Metadata, 12, { topics: [{ name: 't' }] })
  topicId = metadata.topics[0]?.topicId ?? ''
})

after(async () => {
  client.close()
  await cluster.close()
})

function batch(): Buffer {
  const writer = new BatchWriter()
  writer.append('k', 'v', null, 1000)
  return Buffer.from(writer.seal({}))
}

const member = { groupId: 'g', memberId: 'nobody', generationId: 1 }
const nobody = { producerId: 1, producerEpoch: 1 }
const voter = { clusterId: null, voterId: 99, voterDirectoryId: 'x'.repeat(21) + 'g' }
const open = { principalFilter: null, hostFilter: null, operation: 1, permissionType: 1 }

/** Requests about what is there and about what is not, for each API; a list because some answers differ in form. */
const bodies: Partial<Record<keyof typeof ApiKey, (version: number) => object[]>> = {
  ApiVersions: () => [{ clientSoftwareName: 'x', clientSoftwareVersion: '1' }],
  Metadata: version => [
    { topics: [{ name: 't' }, { name: 'bad name' }], ...(version >= 4 ? { allowAutoTopicCreation: true } : {}) },
    { topics: version === 0 ? [] : null },
    ...(version >= 10 ? [{ topics: [{ name: version >= 12 ? null : '', topicId: 'x'.repeat(21) + 'g' }] }] : []),
  ],
  Produce: version =>
    ['t', 'missing'].map(name => ({
      acks: -1,
      timeoutMs: 1000,
      topicData: [
        {
          ...(version >= 13 ? { topicId: name === 't' ? topicId : 'y'.repeat(21) + 'g' } : { name }),
          partitionData: [
            { index: 0, records: batch() },
            { index: 9, records: Buffer.from('garbage') },
          ],
        },
      ],
    })),
  Fetch: version =>
    ['t', 'missing'].map(topic => ({
      maxWaitMs: 1,
      minBytes: 1,
      maxBytes: 1e6,
      topics: [
        {
          ...(version >= 13 ? { topicId: topic === 't' ? topicId : 'y'.repeat(21) + 'g' } : { topic }),
          partitions: [
            { partition: 0, fetchOffset: 0, partitionMaxBytes: 1e6 },
            { partition: 1, fetchOffset: 99, partitionMaxBytes: 1e6 },
          ],
        },
      ],
    })),
  ListOffsets: version => [
    {
      replicaId: -1,
      topics: ['t', 'missing'].map(name => ({
        name,
        partitions: [-1, -2, ...(version >= 7 ? [-3] : []), 5].map((timestamp, partitionIndex) => ({
          partitionIndex,
          timestamp,
        })),
      })),
    },
  ],
  OffsetForLeaderEpoch: () => [
    { topics: ['t', 'missing'].map(topic => ({ topic, partitions: [{ partition: 0, leaderEpoch: 0 }] })) },
  ],
  FindCoordinator: version => [version >= 4 ? { keyType: 0, coordinatorKeys: ['g', 'h'] } : { key: 'g' }],
  JoinGroup: version => [
    {
      groupId: `joined-${version}`,
      sessionTimeoutMs: 6000,
      memberId: '',
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.alloc(1) }],
    },
    { groupId: 'g', sessionTimeoutMs: 0, memberId: '', protocolType: 'consumer', protocols: [] },
  ],
  SyncGroup: () => [{ ...member, assignments: [] }],
  Heartbeat: () => [member],
  LeaveGroup: version => [
    version >= 3 ? { groupId: 'g', members: [{ memberId: 'nobody' }] } : { groupId: 'g', memberId: 'nobody' },
  ],
  OffsetCommit: version => [
    {
      groupId: 'g',
      memberId: '',
      generationIdOrMemberEpoch: -1,
      topics: [
        {
          ...(version >= 10 ? { topicId } : { name: 't' }),
          partitions: [0, 9].map(partitionIndex => ({ partitionIndex, committedOffset: 3, committedMetadata: 'm' })),
        },
      ],
    },
  ],
  OffsetFetch: version => [
    version >= 8
      ? {
          groups: [
            { groupId: 'g', topics: [{ ...(version >= 10 ? { topicId } : { name: 't' }), partitionIndexes: [0, 1] }] },
            { groupId: 'g', topics: null },
          ],
        }
      : { groupId: 'g', topics: [{ name: 't', partitionIndexes: [0, 1] }] },
  ],
  OffsetDelete: () => [{ groupId: 'g', topics: [{ name: 't', partitions: [{ partitionIndex: 1 }] }] }],
  ListGroups: version => [version >= 4 ? { statesFilter: ['Empty'] } : {}],
  DescribeGroups: () => [{ groups: ['g', 'missing'] }],
  ConsumerGroupHeartbeat: version => {
    const groupId = `consumers-${version}`
    const joins = { memberEpoch: 0, rebalanceTimeoutMs: 1000, subscribedTopicNames: ['t'], topicPartitions: [] }
    return [
      { groupId, memberId: 'a', ...joins },
      { groupId, memberId: 'nobody', memberEpoch: 1 },
      { groupId, memberId: 'b', ...joins, serverAssignor: 'nonsense' },
    ]
  },
  ConsumerGroupDescribe: version => [{ groupIds: [`consumers-${version - 1}`, 'missing', 'g'] }],
  ShareGroupHeartbeat: () => [
    { groupId: 'sharers', memberId: 'a', memberEpoch: 0, subscribedTopicNames: ['t'] },
    { groupId: 'missing', memberId: 'a', memberEpoch: 1 },
  ],
  ShareGroupDescribe: () => [{ groupIds: ['sharers', 'missing', 'g'] }],
  ShareFetch: version =>
    [0, 1, 9].map(shareSessionEpoch => ({
      groupId: 'sharers',
      memberId: `a-${version}`,
      shareSessionEpoch,
      maxWaitMs: 1,
      minBytes: 1,
      maxBytes: 1e6,
      maxRecords: 10,
      batchSize: 10,
      topics: [topicId, 'y'.repeat(21) + 'g'].map(id => ({
        topicId: id,
        partitions: [{ partitionIndex: 0, acknowledgementBatches: [] }],
      })),
      forgottenTopicsData: [],
    })),
  ShareAcknowledge: version =>
    [2, 9].map(shareSessionEpoch => ({
      groupId: 'sharers',
      memberId: `a-${version}`,
      shareSessionEpoch,
      topics: [
        {
          topicId,
          partitions: [
            { partitionIndex: 0, acknowledgementBatches: [{ firstOffset: 0, lastOffset: 0, acknowledgeTypes: [1] }] },
          ],
        },
      ],
    })),
  DescribeShareGroupOffsets: () => [
    { groups: [{ groupId: 'sharers', topics: null }] },
    { groups: [{ groupId: 'missing', topics: [{ topicName: 't', partitions: [0, 9] }] }] },
  ],
  AlterShareGroupOffsets: () =>
    ['sharers', 'new-sharers'].map(groupId => ({
      groupId,
      topics: [{ topicName: 't', partitions: [0, 9].map(partitionIndex => ({ partitionIndex, startOffset: 0 })) }],
    })),
  DeleteShareGroupOffsets: () =>
    ['sharers', 'missing'].map(groupId => ({ groupId, topics: [{ topicName: 't' }, { topicName: 'missing' }] })),
  DeleteGroups: () => [{ groupsNames: ['missing'] }],
  CreateTopics: version => [
    {
      timeoutMs: 1000,
      topics: [
        {
          name: `made-${version}`,
          numPartitions: 1,
          replicationFactor: 1,
          assignments: [],
          configs: [{ name: 'retention.ms', value: '1000' }],
        },
        { name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] },
      ],
    },
  ],
  DeleteTopics: version => [
    {
      timeoutMs: 1000,
      ...(version >= 6
        ? { topics: ['missing'].map(name => ({ name, topicId: protocol.ZERO_UUID })) }
        : { topicNames: ['missing'] }),
    },
  ],
  CreatePartitions: () => [
    { topics: ['t', 'missing'].map(name => ({ name, count: 1, assignments: null })), timeoutMs: 1, validateOnly: true },
  ],
  DeleteRecords: () => [
    { topics: ['t', 'missing'].map(name => ({ name, partitions: [{ partitionIndex: 0, offset: 0 }] })), timeoutMs: 1 },
  ],
  DescribeConfigs: () => [
    { resources: [4, 8, 16, 77].map(resourceType => ({ resourceType, resourceName: '1', configurationKeys: null })) },
    { resources: ['t', 'missing'].map(resourceName => ({ resourceType: 2, resourceName, configurationKeys: null })) },
  ],
  AlterConfigs: () => [
    { resources: [{ resourceType: 2, resourceName: 't', configs: [{ name: 'x', value: 'y' }] }], validateOnly: true },
  ],
  IncrementalAlterConfigs: () => [
    {
      validateOnly: false,
      resources: ['t', 'missing'].map(resourceName => ({
        resourceType: 2,
        resourceName,
        configs: [{ name: 'retention.ms', configOperation: 0, value: '5000' }],
      })),
    },
  ],
  ListConfigResources: version => [{}, ...(version >= 1 ? [{ resourceTypes: [2, 4] }, { resourceTypes: [9] }] : [])],
  CreateAcls: () => [
    {
      creations: [
        {
          resourceType: 2,
          resourceName: 't',
          resourcePatternType: 3,
          principal: 'User:a',
          host: '*',
          operation: 3,
          permissionType: 3,
        },
      ],
    },
  ],
  DescribeAcls: () => [{ ...open, resourceTypeFilter: 1, resourceNameFilter: null, patternTypeFilter: 3 }],
  DeleteAcls: () => [
    { filters: [{ ...open, resourceTypeFilter: 1, resourceNameFilter: 'nothing', patternTypeFilter: 3 }] },
  ],
  DescribeUserScramCredentials: () => [{ users: null }, { users: [{ name: 'nobody' }] }],
  AlterUserScramCredentials: () => [
    {
      deletions: [{ name: 'nobody', mechanism: 1 }],
      upsertions: [
        { name: 'x', mechanism: 1, iterations: 4096, salt: Buffer.alloc(4), saltedPassword: Buffer.alloc(32) },
      ],
    },
  ],
  CreateDelegationToken: version => [
    {
      ...(version >= 3 ? { ownerPrincipalType: null, ownerPrincipalName: null } : {}),
      renewers: [{ principalType: 'User', principalName: 'x' }],
      maxLifetimeMs: -1,
    },
  ],
  RenewDelegationToken: () => [{ hmac: Buffer.alloc(4), renewPeriodMs: -1 }],
  ExpireDelegationToken: () => [{ hmac: Buffer.alloc(4), expiryTimePeriodMs: -1 }],
  DescribeDelegationToken: () => [{ owners: null }],
  ElectLeaders: version =>
    [0, ...(version >= 1 ? [1, 9] : [])].map(electionType => ({
      ...(version >= 1 ? { electionType } : {}),
      topicPartitions: electionType === 1 ? null : [{ topic: 't', partitions: [0, 9] }],
    })),
  AlterPartitionReassignments: () => [
    {
      topics: ['t', 'missing'].map(name => ({
        name,
        partitions: [[1], [7], null].map((replicas, i) => ({ partitionIndex: i % 2, replicas })),
      })),
    },
  ],
  ListPartitionReassignments: () => [{ topics: null }, { topics: [{ name: 't', partitionIndexes: [0, 9] }] }],
  UpdateFeatures: version =>
    ['share.version', 'missing'].map(feature => ({
      featureUpdates: [{ feature, maxVersionLevel: 1, ...(version >= 1 ? { upgradeType: 1 } : {}) }],
    })),
  DescribeQuorum: () =>
    ['__cluster_metadata', 't'].map(topicName => ({ topics: [{ topicName, partitions: [{ partitionIndex: 0 }] }] })),
  AddRaftVoter: () => [{ ...voter, timeoutMs: 1000, listeners: [{ name: 'CONTROLLER', host: 'x', port: 1 }] }],
  RemoveRaftVoter: () => [voter],
  UnregisterBroker: () => [{ brokerId: 99 }],
  DescribeLogDirs: () => [{ topics: null }, { topics: [{ topic: 't', partitions: [0, 9] }] }],
  AlterReplicaLogDirs: () => [
    { dirs: ['/embedded/broker-1', '/x'].map(path => ({ path, topics: [{ name: 't', partitions: [0, 9] }] })) },
  ],
  DescribeClientQuotas: () => [
    { components: [], strict: false },
    { components: [{ entityType: 'user', matchType: 9, match: null }], strict: true },
  ],
  AlterClientQuotas: () =>
    ['producer_byte_rate', 'missing'].map(key => ({
      entries: [{ entity: [{ entityType: 'user', entityName: 'x' }], ops: [{ key, value: 1e6, remove: false }] }],
      validateOnly: false,
    })),
  GetTelemetrySubscriptions: () => [{ clientInstanceId: protocol.ZERO_UUID }],
  PushTelemetry: () =>
    ['x'.repeat(21) + 'g', protocol.ZERO_UUID].map(clientInstanceId => ({
      ...{ clientInstanceId, subscriptionId: 1, terminating: false, compressionType: 0, metrics: Buffer.alloc(1) },
    })),
  DescribeCluster: () => [{ includeClusterAuthorizedOperations: true }],
  DescribeTopicPartitions: () => [{ topics: [{ name: 't' }, { name: 'missing' }] }],
  InitProducerId: () => [
    { transactionalId: null, transactionTimeoutMs: 1000 },
    { transactionalId: 'txn', transactionTimeoutMs: 1000 },
  ],
  AddPartitionsToTxn: version =>
    version >= 4
      ? [{ transactions: [{ transactionalId: 'missing', ...nobody, topics: [{ name: 't', partitions: [0, 9] }] }] }]
      : [
          {
            v3AndBelowTransactionalId: 'missing',
            v3AndBelowProducerId: 1,
            v3AndBelowProducerEpoch: 1,
            v3AndBelowTopics: [{ name: 't', partitions: [0] }],
          },
        ],
  AddOffsetsToTxn: () => [{ transactionalId: 'missing', ...nobody, groupId: 'g' }],
  TxnOffsetCommit: () => [
    {
      transactionalId: 'missing',
      groupId: 'g',
      ...nobody,
      topics: [
        {
          name: 't',
          partitions: [0, 9].map(partitionIndex => ({ partitionIndex, committedOffset: 3, committedMetadata: 'm' })),
        },
      ],
    },
  ],
  EndTxn: () => [{ transactionalId: 'missing', ...nobody, committed: true }],
  WriteTxnMarkers: () => [
    {
      markers: [
        {
          ...nobody,
          transactionResult: false,
          coordinatorEpoch: 0,
          topics: ['t', 'missing'].map(name => ({ name, partitionIndexes: [0] })),
        },
      ],
    },
  ],
  DescribeTransactions: () => [{ transactionalIds: ['txn', 'missing'] }],
  ListTransactions: () => [{ stateFilters: ['Empty', 'Nonsense'], producerIdFilters: [] }],
  DescribeProducers: () => [{ topics: ['t', 'missing'].map(name => ({ name, partitionIndexes: [0, 9] })) }],
  SaslHandshake: () => [{ mechanism: 'PLAIN' }],
  SaslAuthenticate: () => [{ authBytes: Buffer.from('\0a\0b') }],
}

test('each is answered in a form that a client can read, for what is there and for what is not', async () => {
  const versions: Decoded<protocol.ApiVersionsResponse> = await client.ask(ApiVersions, 3, {
    clientSoftwareName: 'x',
    clientSoftwareVersion: '1',
  })
  assert.ok(versions.apiKeys.length >= 30)
  for (const { apiKey, minVersion, maxVersion } of versions.apiKeys) {
    const name = apis.find(api => api.key === apiKey)?.name as keyof typeof ApiKey
    const api = (protocol as unknown as Record<string, Api<object, object>>)[name]
    const make = bodies[name]
    assert.ok(api !== undefined && make !== undefined, `there is no request for ${name}`)
    for (let version = minVersion; version <= maxVersion; version++) {
      for (const body of make(version)) {
        // An authentication that fails ends the connection, so that it gets one of its own.
        const own = name.startsWith('Sasl') ? await WireClient.connect(cluster.bootstrapServers) : null
        try {
          assert.ok(await (own ?? client).ask(api, version, body), `${name} ${version}`)
        } catch (error) {
          const why = error instanceof ProtocolError || error instanceof Error ? error.message : String(error)
          assert.fail(`${name} version ${version}: ${why} for ${JSON.stringify(body)}`)
        } finally {
          own?.close()
        }
      }
    }
  }
})

test('an ApiVersions request of the future is answered in version 0 with the range that is known', async () => {
  const own = await WireClient.connect(cluster.bootstrapServers)
  const future: typeof ApiVersions = {
    ...ApiVersions,
    maxVersion: 99,
    readResponse: r => ApiVersions.readResponse(r, 0),
  }
  const answer = await own.ask({ ...future, writeRequest: (w, m) => ApiVersions.writeRequest(w, m, 4) }, 99, {
    clientSoftwareName: 'x',
    clientSoftwareVersion: '1',
  })
  assert.equal(answer.errorCode, ErrorCode.ERR_UNSUPPORTED_VERSION)
  assert.equal(answer.apiKeys[0]?.apiKey, ApiVersions.key)
  own.close()
})

test('garbage, frames that are too large and half requests end one connection and nothing else', async () => {
  for (const bytes of [
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    Buffer.from([0x7f, 0xff, 0xff, 0xff]),
    Buffer.from([0, 0, 0, 2, 1, 2]),
  ]) {
    const own = await WireClient.connect(cluster.bootstrapServers)
    own.write(bytes)
    await own.closed
  }
  const half = await WireClient.connect(cluster.bootstrapServers)
  half.write(Buffer.from([0, 0, 1, 0, 1, 2]))
  half.close()
  await half.closed
  assert.ok(await client.ask(protocol.DescribeCluster, 0, { includeClusterAuthorizedOperations: false }))
})

test('a fetch waits for data and is woken by it', async () => {
  const reader = await WireClient.connect(cluster.bootstrapServers)
  cluster.createTopic('wake', { partitions: 1 })
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1e6 }]
  const waiting = reader.ask(protocol.Fetch, 12, {
    maxWaitMs: 60_000,
    minBytes: 1,
    topics: [{ topic: 'wake', partitions }],
  })
  const topicData = [{ name: 'wake', partitionData: [{ index: 0, records: batch() }] }]
  await client.ask(protocol.Produce, 9, { acks: -1, timeoutMs: 1000, topicData })
  const answer = await waiting
  assert.equal(answer.responses[0]?.partitions[0]?.highWatermark, 1)
  reader.close()
})

test('what the user may not do is refused as a broker refuses it', async () => {
  const strict = await EmbeddedCluster.start({ acls: [] })
  strict.createTopic('t', { partitions: 1 })
  const own = await WireClient.connect(strict.bootstrapServers)
  const metadata = await own.ask(protocol.Metadata, 9, { topics: [{ name: 't' }, { name: 'missing' }] })
  for (const topic of metadata.topics) assert.equal(topic.errorCode, ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED)
  const all = await own.ask(protocol.Metadata, 9, { topics: null })
  assert.deepEqual(all.topics, [])
  const topicData = [{ name: 't', partitionData: [{ index: 0, records: batch() }] }]
  const produced = await own.ask(protocol.Produce, 9, { acks: 1, timeoutMs: 1000, topicData })
  assert.equal(produced.responses[0]?.partitionResponses[0]?.errorCode, ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED)
  const found = await own.ask(protocol.FindCoordinator, 3, { key: 'g' })
  assert.equal(found.errorCode, ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED)
  const acls = await own.ask(protocol.DescribeAcls, 3, {
    ...open,
    resourceTypeFilter: 1,
    resourceNameFilter: null,
    patternTypeFilter: 3,
  })
  assert.equal(acls.errorCode, ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED)
  own.close()
  await strict.close()
})
