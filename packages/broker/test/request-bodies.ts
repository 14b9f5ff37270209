/** One or more requests for each API, about existing and about missing things. */
import * as protocol from '@ottla/protocol'
import { BatchWriter, type ApiKey } from '@ottla/protocol'

/** Bodies for a version, with Kafka's field names; a list because some responses differ in form. */
export type RequestBodies = Partial<Record<keyof typeof ApiKey, (version: number) => object[]>>

/** One record. */
export function batch(): Buffer {
  const writer = new BatchWriter()
  writer.append('k', 'v', null, 1000)
  return Buffer.from(writer.seal({}))
}

const member = { groupId: 'g', memberId: 'nobody', generationId: 1 }
const nobody = { producerId: 1n, producerEpoch: 1 }
const voter = { clusterId: null, voterId: 99, voterDirectoryId: 'x'.repeat(21) + 'g' }
const open = { principalFilter: null, hostFilter: null, operation: 1, permissionType: 1 }

/** @param topicId - of the topic `t` with two partitions */
export function requestBodies(topicId: string): RequestBodies {
  return {
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
              {
                groupId: 'g',
                topics: [{ ...(version >= 10 ? { topicId } : { name: 't' }), partitionIndexes: [0, 1] }],
              },
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
    StreamsGroupHeartbeat: () => [
      {
        groupId: 'streams',
        memberId: 'a',
        memberEpoch: 0,
        endpointInformationEpoch: 0,
        rebalanceTimeoutMs: 1000,
        processId: 'p',
        activeTasks: [],
        standbyTasks: [],
        warmupTasks: [],
        userEndpoint: { host: 'localhost', port: 80 },
        topology: {
          epoch: 0,
          subtopologies: [
            {
              subtopologyId: '0',
              sourceTopics: ['t'],
              sourceTopicRegex: [],
              stateChangelogTopics: [],
              repartitionSinkTopics: [],
              repartitionSourceTopics: [],
              copartitionGroups: [],
            },
          ],
        },
      },
      { groupId: 'missing', memberId: 'a', memberEpoch: 1, endpointInformationEpoch: 0 },
    ],
    StreamsGroupDescribe: () => [{ groupIds: ['streams', 'missing', 'g'] }],
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
      {
        topics: ['t', 'missing'].map(name => ({ name, count: 1, assignments: null })),
        timeoutMs: 1,
        validateOnly: true,
      },
    ],
    DeleteRecords: () => [
      {
        topics: ['t', 'missing'].map(name => ({ name, partitions: [{ partitionIndex: 0, offset: 0 }] })),
        timeoutMs: 1,
      },
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
              v3AndBelowProducerId: 1n,
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
}
