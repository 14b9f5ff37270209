/** The admin client. */
import type { KafkaJSProtocolError } from '../errors.ts'
import type { RetryOptions } from './retry.ts'
import type { GroupDescriptions } from './consumer.ts'
import type {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  ConfigResourceTypes,
  ConfigSource,
  ResourcePatternTypes,
} from './enums.ts'
import type {
  ConnectEvent,
  DisconnectEvent,
  InstrumentationEvent,
  RemoveInstrumentationEventListener,
  RequestEvent,
  RequestQueueSizeEvent,
  RequestTimeoutEvent,
} from './events.ts'
import type { Logger } from './logging.ts'
import type { FetchOffsetsPartition, PartitionMetadata, SeekEntry, TopicPartitions } from './metadata.ts'
import type { ListPartitionReassignmentsResponse, PartitionReassignment, ReplicaAssignment } from './reassignments.ts'

/** What `kafka.admin(config)` takes. */
export interface AdminConfig {
  /** How calls are tried again. */
  retry?: RetryOptions
}

/** A setting and its value. */
export interface IResourceConfigEntry {
  name: string
  value: string
}

/** A topic to create. */
export interface ITopicConfig {
  topic: string
  /** The broker's default without it. */
  numPartitions?: number
  /** The broker's default without it. */
  replicationFactor?: number
  /** The replicas of each partition, instead of the two numbers. */
  replicaAssignment?: ReplicaAssignment[]
  configEntries?: IResourceConfigEntry[]
}

/** A topic that is to have more partitions. */
export interface ITopicPartitionConfig {
  topic: string
  /** How many partitions it shall have. */
  count: number
  /** The replicas of each new partition. */
  assignments?: number[][]
}

/** A topic and its partitions. */
export interface ITopicMetadata {
  name: string
  partitions: PartitionMetadata[]
}

/** A topic or broker whose settings are wanted. */
export interface ResourceConfigQuery {
  type: ConfigResourceTypes
  name: string
  /** All without it. */
  configNames?: string[]
}

/** Another place that gives a setting a value. */
export interface ConfigSynonyms {
  configName: string
  configValue: string
  configSource: ConfigSource
}

/** A setting: its value, and where that comes from. */
export interface ConfigEntries {
  configName: string
  configValue: string
  isDefault: boolean
  configSource: ConfigSource
  isSensitive: boolean
  readOnly: boolean
  configSynonyms: ConfigSynonyms[]
}

/** What `admin.describeConfigs` resolves with; `throttleTime` in ms. */
export interface DescribeConfigResponse {
  resources: {
    configEntries: ConfigEntries[]
    errorCode: number
    errorMessage: string
    resourceName: string
    resourceType: ConfigResourceTypes
  }[]
  throttleTime: number
}

/** All settings that a topic or broker is to have; those that are missing get their defaults back. */
export interface IResourceConfig {
  type: ConfigResourceTypes
  name: string
  configEntries: IResourceConfigEntry[]
}

/** Who may, or may not, do what from where. */
export interface Acl {
  principal: string
  host: string
  operation: AclOperationTypes
  permissionType: AclPermissionTypes
}

/** What a rule is about. */
export interface AclResource {
  resourceType: AclResourceTypes
  resourceName: string
  resourcePatternType: ResourcePatternTypes
}

/** A rule for one resource. */
export type AclEntry = Acl & AclResource
/** A resource and its rules. */
export type DescribeAclResource = AclResource & { acls: Acl[] }

/** What `admin.describeAcls` resolves with; `throttleTime` in ms. */
export interface DescribeAclResponse {
  throttleTime: number
  errorCode: number
  errorMessage?: string
  resources: DescribeAclResource[]
}

/** Which rules are meant; what is left out matches all. */
export interface AclFilter {
  resourceType: AclResourceTypes
  resourceName?: string
  resourcePatternType: ResourcePatternTypes
  principal?: string
  host?: string
  operation: AclOperationTypes
  permissionType: AclPermissionTypes
}

/** A rule that was deleted, or why it was not. */
export interface MatchingAcl {
  errorCode: number
  errorMessage?: string
  resourceType: AclResourceTypes
  resourceName: string
  resourcePatternType: ResourcePatternTypes
  principal: string
  host: string
  operation: AclOperationTypes
  permissionType: AclPermissionTypes
}

/** What one filter has deleted. */
export interface DeleteAclFilterResponses {
  errorCode: number
  errorMessage?: string
  matchingAcls: MatchingAcl[]
}

/** What `admin.deleteAcls` resolves with; `throttleTime` in ms. */
export interface DeleteAclResponse {
  throttleTime: number
  filterResponses: DeleteAclFilterResponses[]
}

/** A group that exists; `consumer` is the type of groups of consumers. */
export type GroupOverview = { groupId: string; protocolType: string }
/** Whether a group has been deleted: `errorCode` is 0 then. */
export type DeleteGroupsResult = { groupId: string; errorCode?: number; error?: KafkaJSProtocolError }

/** Names of an admin client's events. */
export type AdminEvents = {
  CONNECT: 'admin.connect'
  DISCONNECT: 'admin.disconnect'
  REQUEST: 'admin.network.request'
  REQUEST_TIMEOUT: 'admin.network.request_timeout'
  REQUEST_QUEUE_SIZE: 'admin.network.request_queue_size'
}

/** What `kafka.admin()` returns. Its calls reject with KafkaJSError. */
export type Admin = {
  /** Rejects if no broker can be reached. */
  connect(): Promise<void>
  disconnect(): Promise<void>
  listTopics(): Promise<string[]>
  /** @returns false if all of them exist already */
  createTopics(options: {
    validateOnly?: boolean
    /** Whether to wait until all partitions can be written to. True by default. */
    waitForLeaders?: boolean
    /** How long it may take, ms. */
    timeout?: number
    topics: ITopicConfig[]
  }): Promise<boolean>
  deleteTopics(options: { topics: string[]; timeout?: number }): Promise<void>
  createPartitions(options: {
    validateOnly?: boolean
    timeout?: number
    topicPartitions: ITopicPartitionConfig[]
  }): Promise<boolean>
  fetchTopicMetadata(options?: { topics: string[] }): Promise<{ topics: ITopicMetadata[] }>
  /** What a group has committed; with `resolveOffsets`, commits the end of what has no offset. */
  fetchOffsets(options: {
    groupId: string
    topics?: string[]
    resolveOffsets?: boolean
  }): Promise<{ topic: string; partitions: FetchOffsetsPartition[] }[]>
  /** `low` is the first offset of a partition, `high` and `offset` that of the next message. */
  fetchTopicOffsets(topic: string): Promise<(SeekEntry & { high: string; low: string })[]>
  /** The first offset at or after a time (ms since the epoch), or the end. */
  fetchTopicOffsetsByTimestamp(topic: string, timestamp?: number): Promise<SeekEntry[]>
  describeCluster(): Promise<{
    brokers: { nodeId: number; host: string; port: number }[]
    controller: number | null
    clusterId: string
  }>
  /** The group must have no members. */
  setOffsets(options: { groupId: string; topic: string; partitions: SeekEntry[] }): Promise<void>
  /** To the beginning or the end of the topic. The group must have no members. */
  resetOffsets(options: { groupId: string; topic: string; earliest: boolean }): Promise<void>
  describeConfigs(configs: {
    resources: ResourceConfigQuery[]
    includeSynonyms: boolean
  }): Promise<DescribeConfigResponse>
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- kafkajs's own type
  alterConfigs(configs: { validateOnly: boolean; resources: IResourceConfig[] }): Promise<any>
  listGroups(): Promise<{ groups: GroupOverview[] }>
  deleteGroups(groupIds: string[]): Promise<DeleteGroupsResult[]>
  describeGroups(groupIds: string[]): Promise<GroupDescriptions>
  describeAcls(options: AclFilter): Promise<DescribeAclResponse>
  deleteAcls(options: { filters: AclFilter[] }): Promise<DeleteAclResponse>
  createAcls(options: { acl: AclEntry[] }): Promise<boolean>
  /** What is before each offset. */
  deleteTopicRecords(options: { topic: string; partitions: SeekEntry[] }): Promise<void>
  alterPartitionReassignments(request: { topics: PartitionReassignment[]; timeout?: number }): Promise<void>
  listPartitionReassignments(request: {
    topics?: TopicPartitions[]
    timeout?: number
  }): Promise<ListPartitionReassignmentsResponse>
  logger(): Logger
  on(
    eventName: AdminEvents['CONNECT'],
    listener: (event: ConnectEvent) => void,
  ): RemoveInstrumentationEventListener<typeof eventName>
  on(
    eventName: AdminEvents['DISCONNECT'],
    listener: (event: DisconnectEvent) => void,
  ): RemoveInstrumentationEventListener<typeof eventName>
  on(
    eventName: AdminEvents['REQUEST'],
    listener: (event: RequestEvent) => void,
  ): RemoveInstrumentationEventListener<typeof eventName>
  on(
    eventName: AdminEvents['REQUEST_QUEUE_SIZE'],
    listener: (event: RequestQueueSizeEvent) => void,
  ): RemoveInstrumentationEventListener<typeof eventName>
  on(
    eventName: AdminEvents['REQUEST_TIMEOUT'],
    listener: (event: RequestTimeoutEvent) => void,
  ): RemoveInstrumentationEventListener<typeof eventName>
  on(
    eventName: AdminEvents[keyof AdminEvents],
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a listener for several events takes any payload
    listener: (event: InstrumentationEvent<any>) => void,
  ): RemoveInstrumentationEventListener<typeof eventName>
  /** Names for `on`. */
  readonly events: AdminEvents
}
