/** What `RdKafka.AdminClient` takes and gives. Times are in ms; `timeout` is 5000 by default. */
import type {
  GlobalConfig,
  KafkaConsumer,
  LibrdKafkaError,
  NewTopic,
  Producer,
  TopicPartition,
  TopicPartitionOffset,
} from '@ottla/node-rdkafka'
import type { AclOperationTypes, ConsumerGroupStates, ConsumerGroupTypes, IsolationLevel } from './enums.ts'

/** A partition; with an error where a call about it has failed. */
export interface FailingTopicPartition extends TopicPartition {
  error?: LibrdKafkaError
}

/** An offset, with what was committed with it. */
export interface TopicPartitionOffsetAndMetadata extends TopicPartitionOffset {
  error?: LibrdKafkaError
  metadata?: string | null
}

/** A group in a list. */
export interface GroupOverview {
  groupId: string
  protocolType: string
  isSimpleConsumerGroup: boolean
  state: ConsumerGroupStates
  type: ConsumerGroupTypes
}

/** What a member reads. */
export interface MemberAssignment {
  topicPartitions: TopicPartition[]
}

/** A member of a group. */
export interface MemberDescription {
  clientHost: string
  clientId: string
  memberId: string
  /** @deprecated always null */
  memberAssignment: Buffer | null
  /** @deprecated always null */
  memberMetadata: Buffer | null
  groupInstanceId?: string
  assignment: MemberAssignment
  /** What it is to read, in a group of the consumer protocol. */
  targetAssignment?: MemberAssignment
}

/** A broker's address. */
export interface Node {
  id: number
  host: string
  port: number
  rack?: string
}

/** An id of 128 bits. */
export interface Uuid {
  mostSignificantBits: bigint
  leastSignificantBits: bigint
  base64str: string
  /** The same, as the package really names it. */
  base64: string
}

/** A group as its coordinator describes it. */
export interface GroupDescription {
  groupId: string
  error?: LibrdKafkaError
  members: MemberDescription[]
  protocol: string
  isSimpleConsumerGroup: boolean
  protocolType: string
  partitionAssignor: string
  state: ConsumerGroupStates
  type: ConsumerGroupTypes
  coordinator: Node
  authorizedOperations?: AclOperationTypes[]
}

/** What `describeGroups` gives. */
export interface GroupDescriptions {
  groups: GroupDescription[]
}

/** What became of a group that was to be deleted; `errorCode` is 0 if it is gone. */
export interface DeleteGroupsResult {
  groupId: string
  errorCode?: number
  error?: LibrdKafkaError
}

/** A group, and the partitions whose offsets are asked for: all without `partitions`. */
export interface ListGroupOffsets {
  groupId: string
  partitions?: TopicPartition[] | null
}

/** The offsets of a group. */
export interface GroupResults {
  groupId: string
  error?: LibrdKafkaError
  partitions: TopicPartitionOffsetAndMetadata[]
}

/** What became of the records of a partition. */
export interface DeleteRecordsResult {
  topic: string
  partition: number
  /** The offset of the first record that is left. */
  lowWatermark: number
  error?: LibrdKafkaError
}

/** A partition, with its brokers. */
export interface TopicPartitionInfo {
  partition: number
  leader: Node | null
  isr: Node[]
  replicas: Node[]
}

/** A topic as the cluster describes it. */
export interface TopicDescription {
  name: string
  topicId: Uuid
  isInternal: boolean
  partitions: TopicPartitionInfo[]
  error?: LibrdKafkaError
  authorizedOperations?: AclOperationTypes[]
}

/** What offset `listOffsets` asks for: that of the first record at a time or later, or a logical one. */
export interface OffsetSpecInstance {
  readonly timestamp: number
}

/** The class of what `listOffsets` asks for; `timestamp` is in ms since the epoch. */
export interface OffsetSpecConstructor {
  new (timestamp: number): OffsetSpecInstance
  readonly prototype: OffsetSpecInstance
  EARLIEST: OffsetSpecInstance
  LATEST: OffsetSpecInstance
  MAX_TIMESTAMP: OffsetSpecInstance
}

/** A partition, and the offset that is asked for. */
export interface TopicPartitionOffsetSpec {
  topic: string
  partition: number
  offset: OffsetSpecInstance
}

/** An offset that was asked for; -1 if there is none. */
export interface ListOffsetsResult {
  topic: string
  partition: number
  offset: number
  error?: LibrdKafkaError
  leaderEpoch?: number
  timestamp: number
}

/** Which groups `listGroups` lists: those in one of the states, of one of the types. */
export interface ListGroupsOptions {
  timeout?: number
  matchConsumerGroupStates?: ConsumerGroupStates[]
  matchConsumerGroupTypes?: ConsumerGroupTypes[]
}

/** What `listGroups` gives: the groups, and the errors of brokers that could not be asked. */
export interface GroupOverviews {
  groups: GroupOverview[]
  errors: LibrdKafkaError[]
}

/** Whether a description says what this client may do. */
export interface DescribeOptions {
  timeout?: number
  includeAuthorizedOperations?: boolean
}

/** A callback: an error, or a result. */
export type AdminCallback<T> = (err: LibrdKafkaError, result: T) => unknown

/** Administers a cluster. */
export interface IAdminClient {
  createTopic(topic: NewTopic, cb?: (err: LibrdKafkaError) => void): void
  createTopic(topic: NewTopic, timeout?: number, cb?: (err: LibrdKafkaError) => void): void

  deleteTopic(topic: string, cb?: (err: LibrdKafkaError) => void): void
  deleteTopic(topic: string, timeout?: number, cb?: (err: LibrdKafkaError) => void): void

  /** Adds partitions until the topic has so many. */
  createPartitions(topic: string, desiredPartitions: number, cb?: (err: LibrdKafkaError) => void): void
  createPartitions(
    topic: string,
    desiredPartitions: number,
    timeout?: number,
    cb?: (err: LibrdKafkaError) => void,
  ): void

  listTopics(cb?: AdminCallback<string[]>): void
  listTopics(options?: { timeout?: number }, cb?: AdminCallback<string[]>): void

  listGroups(cb?: AdminCallback<GroupOverviews>): void
  listGroups(options?: ListGroupsOptions, cb?: AdminCallback<GroupOverviews>): void

  describeGroups(groupIds: string[], cb?: AdminCallback<GroupDescriptions>): void
  describeGroups(groupIds: string[], options?: DescribeOptions, cb?: AdminCallback<GroupDescriptions>): void

  deleteGroups(groupIds: string[], cb?: AdminCallback<DeleteGroupsResult[]>): void
  deleteGroups(groupIds: string[], options?: { timeout?: number }, cb?: AdminCallback<DeleteGroupsResult[]>): void

  /** Of one group. */
  listConsumerGroupOffsets(
    listGroupOffsets: ListGroupOffsets[],
    options?: { timeout?: number; requireStableOffsets?: boolean },
    cb?: AdminCallback<GroupResults[]>,
  ): void

  /** Deletes what is before the offsets; -1 is the end. `operationTimeout` is 60,000 by default. */
  deleteRecords(
    delRecords: TopicPartitionOffset[],
    options?: { timeout?: number; operationTimeout?: number },
    cb?: AdminCallback<DeleteRecordsResult[]>,
  ): void

  describeTopics(topics: string[], options?: DescribeOptions, cb?: AdminCallback<TopicDescription[]>): void

  listOffsets(
    partitions: TopicPartitionOffsetSpec[],
    options?: { timeout?: number; isolationLevel?: IsolationLevel },
    cb?: AdminCallback<ListOffsetsResult[]>,
  ): void

  disconnect(): void
}

/** Listeners by the names of their events: `ready`, `event.error`, `event.log`, `event.stats`. */
export interface EventHandlers {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- Confluent's own type: programs name the parameters of their listeners as they like, which `unknown` or `never` would refuse
  [event_key: string]: (...args: any[]) => void
}

/** Makes admin clients. */
export interface AdminClientFactory {
  /** Connects in the background. */
  create(conf: GlobalConfig, eventHandlers?: EventHandlers): IAdminClient
  /** Shares the connections of a client that is connected, for as long as that is. */
  createFrom(existingClient: Producer | KafkaConsumer, eventHandlers?: EventHandlers): IAdminClient
}
