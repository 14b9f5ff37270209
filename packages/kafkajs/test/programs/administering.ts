/** A program written against kafkajs: the admin client. Compiled against kafkajs and against the facade, never run. */
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  ConfigResourceTypes,
  ConfigSource,
  Kafka,
  ResourcePatternTypes,
  type AclEntry,
  type AclFilter,
  type Admin,
  type AdminConfig,
  type DeleteAclResponse,
  type DescribeAclResponse,
  type DescribeConfigResponse,
  type FetchOffsetsPartition,
  type GroupDescriptions,
  type GroupOverview,
  type IResourceConfig,
  type ITopicConfig,
  type ITopicMetadata,
  type ITopicPartitionConfig,
  type ListPartitionReassignmentsResponse,
  type OngoingPartitionReassignment,
  type PartitionReassignment,
  type ReplicaAssignment,
  type ResourceConfigQuery,
  type SeekEntry,
} from 'kafkajs'

const config: AdminConfig = { retry: { maxRetryTime: 1000, factor: 0, multiplier: 1 } }

async function topics(admin: Admin): Promise<void> {
  const replicaAssignment: ReplicaAssignment[] = [{ partition: 0, replicas: [1, 2] }]
  const wanted: ITopicConfig[] = [
    {
      topic: 'a',
      numPartitions: 3,
      replicationFactor: 2,
      configEntries: [{ name: 'cleanup.policy', value: 'compact' }],
    },
    { topic: 'b', replicaAssignment },
  ]
  const isNew: boolean = await admin.createTopics({
    topics: wanted,
    validateOnly: false,
    waitForLeaders: true,
    timeout: 5000,
  })
  const more: ITopicPartitionConfig[] = [{ topic: 'a', count: 6, assignments: [[1], [2], [3]] }]
  await admin.createPartitions({ topicPartitions: more, validateOnly: isNew, timeout: 5000 })
  const names: string[] = await admin.listTopics()
  const all: ITopicMetadata[] = (await admin.fetchTopicMetadata()).topics
  const one = await admin.fetchTopicMetadata({ topics: names.slice(0, 1) })
  for (const { name, partitions } of [...all, ...one.topics]) {
    for (const { partitionErrorCode, partitionId, leader, replicas, isr, offlineReplicas } of partitions) {
      lines.push(
        [name, partitionErrorCode, partitionId, leader, replicas.length, isr.length, offlineReplicas?.length].join(),
      )
    }
  }
  await admin.deleteTopicRecords({ topic: 'a', partitions: [{ partition: 0, offset: '-1' }] })
  await admin.deleteTopics({ topics: names, timeout: 1000 })
}

async function offsets(admin: Admin): Promise<void> {
  const ends = await admin.fetchTopicOffsets('a')
  lines.push(...ends.map(({ partition, offset, high, low }) => [partition, offset, high, low].join()))
  const partitions: SeekEntry[] = await admin.fetchTopicOffsetsByTimestamp('a', Date.now() - 1000)
  await admin.setOffsets({ groupId: 'g', topic: 'a', partitions })
  await admin.resetOffsets({ groupId: 'g', topic: 'a', earliest: true })
  const committed = await admin.fetchOffsets({ groupId: 'g', topics: ['a'], resolveOffsets: false })
  const entries: FetchOffsetsPartition[] = committed.flatMap(each => each.partitions)
  lines.push(...entries.map(({ partition, offset, metadata }) => `${partition} ${offset} ${metadata ?? ''}`))
}

async function cluster(admin: Admin): Promise<void> {
  const { brokers, controller, clusterId } = await admin.describeCluster()
  lines.push(clusterId, String(controller), ...brokers.map(({ nodeId, host, port }) => `${nodeId} ${host}:${port}`))
  const resources: ResourceConfigQuery[] = [
    { type: ConfigResourceTypes.TOPIC, name: 'a', configNames: ['retention.ms'] },
    { type: ConfigResourceTypes.BROKER, name: '1' },
  ]
  const described: DescribeConfigResponse = await admin.describeConfigs({ resources, includeSynonyms: true })
  for (const { configName, configValue, configSource, isDefault } of described.resources[0]?.configEntries ?? []) {
    if (configSource !== ConfigSource.DEFAULT_CONFIG && !isDefault) lines.push(`${configName}=${configValue}`)
  }
  const changed: IResourceConfig[] = [
    { type: ConfigResourceTypes.TOPIC, name: 'a', configEntries: [{ name: 'retention.ms', value: '1' }] },
  ]
  await admin.alterConfigs({ validateOnly: true, resources: changed })
  const moves: PartitionReassignment[] = [{ topic: 'a', partitionAssignment: [{ partition: 0, replicas: [2] }] }]
  await admin.alterPartitionReassignments({ topics: moves, timeout: 1000 })
  const moving: ListPartitionReassignmentsResponse = await admin.listPartitionReassignments({
    topics: [{ topic: 'a', partitions: [0] }],
  })
  const ongoing: OngoingPartitionReassignment | undefined = moving.topics[0]?.partitions[0]
  lines.push(String(ongoing?.partitionIndex), String(ongoing?.addingReplicas?.length))
}

async function groups(admin: Admin): Promise<void> {
  const list: GroupOverview[] = (await admin.listGroups()).groups
  const ids = list.filter(({ protocolType }) => protocolType === 'consumer').map(({ groupId }) => groupId)
  const described: GroupDescriptions = await admin.describeGroups(ids)
  const idle = described.groups.filter(({ state }) => state === 'Empty').map(({ groupId }) => groupId)
  for (const { groupId, errorCode, error } of await admin.deleteGroups(idle)) {
    lines.push(groupId, String(errorCode), error?.type ?? '')
  }
}

async function rules(admin: Admin): Promise<void> {
  const entry: AclEntry = {
    resourceType: AclResourceTypes.TOPIC,
    resourceName: 'a',
    resourcePatternType: ResourcePatternTypes.LITERAL,
    principal: 'User:alice',
    host: '*',
    operation: AclOperationTypes.ALL,
    permissionType: AclPermissionTypes.ALLOW,
  }
  const isDone: boolean = await admin.createAcls({ acl: [entry] })
  const filter: AclFilter = {
    resourceType: AclResourceTypes.ANY,
    resourcePatternType: ResourcePatternTypes.MATCH,
    operation: AclOperationTypes.ANY,
    permissionType: AclPermissionTypes.ANY,
    ...(isDone ? { resourceName: 'a', principal: 'User:alice', host: '*' } : {}),
  }
  const described: DescribeAclResponse = await admin.describeAcls(filter)
  const deleted: DeleteAclResponse = await admin.deleteAcls({ filters: [filter] })
  lines.push(
    String(described.resources[0]?.acls[0]?.principal),
    String(deleted.filterResponses[0]?.matchingAcls.length),
  )
}

const lines: string[] = []

async function main(): Promise<void> {
  const admin = new Kafka({ brokers: ['127.0.0.1:9092'] }).admin(config)
  const remove = admin.on(admin.events.CONNECT, ({ type, timestamp }) => void lines.push(type, String(timestamp)))
  admin.on('admin.network.request', ({ payload }) => void lines.push(payload.apiName, String(payload.apiVersion)))
  admin.on(admin.events.DISCONNECT, remove)
  await admin.connect()
  for (const part of [topics, offsets, cluster, groups, rules]) await part(admin)
  admin.logger().info('done', { lines: lines.length })
  await admin.disconnect()
}

export const program = { main }
