/** The cluster as partition assigners see it, and what they make. */
import type { CompressionTypes } from './enums.ts'
import type { Logger } from './logging.ts'
import type { Assignment, BrokerMetadata, PartitionMetadata, TopicOffsets, TopicPartitions } from './metadata.ts'
import type { Message } from './producer.ts'
import type { ListPartitionReassignmentsResponse, PartitionReassignment } from './reassignments.ts'

/** Makes an assigner for a group; for `partitionAssigners` of a consumer. */
export type PartitionAssigner = (config: { cluster: Cluster; groupId: string; logger: Logger }) => Assigner

/** How the leader of a group assigns partitions. */
export type Assigner = {
  name: string
  version: number
  assign(group: { members: GroupMember[]; topics: string[] }): Promise<GroupMemberAssignment[]>
  /** What this member tells the leader. */
  protocol(subscription: { topics: string[] }): GroupState
}

/** A member of a group; `AssignerProtocol.MemberMetadata` decodes its metadata. */
export type GroupMember = { memberId: string; memberMetadata: Buffer }
/** What a member is to read; `AssignerProtocol.MemberAssignment` encodes it. */
export type GroupMemberAssignment = { memberId: string; memberAssignment: Buffer }
/** The name of an assigner, and what a member tells the leader with it. */
export type GroupState = { name: string; metadata: Buffer }

/** Writes values as bytes and reads them. */
export interface ISerializer<T> {
  encode(value: T): Buffer
  decode(buffer: Buffer): T | null
}

/** What a member of a group tells its leader: its topics, and data for the assigner. */
export type MemberMetadata = { version: number; topics: string[]; userData: Buffer }
/** What a member of a group is assigned, and data of the assigner. */
export type MemberAssignment = { version: number; assignment: Assignment; userData: Buffer }

/** Where a group's coordinator is. */
export interface CoordinatorMetadata {
  errorCode: number
  coordinator: { nodeId: number; host: string; port: number }
}

/** What is in `T` and not in `U`, forbidden. */
export type Without<T, U> = { [P in Exclude<keyof T, keyof U>]?: never }
/** Either of two types, but not both. */
export type XOR<T, U> = T | U extends object ? (Without<T, U> & U) | (Without<U, T> & T) : T | U

/** The cluster, for partition assigners: brokers, topics and offsets. */
export type Cluster = {
  getNodeIds(): number[]
  metadata(): Promise<BrokerMetadata>
  removeBroker(options: { host: string; port: number }): void
  addMultipleTargetTopics(topics: string[]): Promise<void>
  isConnected(): boolean
  connect(): Promise<void>
  disconnect(): Promise<void>
  refreshMetadata(): Promise<void>
  refreshMetadataIfNecessary(): Promise<void>
  addTargetTopic(topic: string): Promise<void>
  findBroker(node: { nodeId: string }): Promise<Broker>
  findControllerBroker(): Promise<Broker>
  findTopicPartitionMetadata(topic: string): PartitionMetadata[]
  findLeaderForPartitions(topic: string, partitions: number[]): { [leader: string]: number[] }
  findGroupCoordinator(group: { groupId: string }): Promise<Broker>
  findGroupCoordinatorMetadata(group: { groupId: string }): Promise<CoordinatorMetadata>
  defaultOffset(config: { fromBeginning: boolean }): number
  fetchTopicsOffset(
    topics: ({ topic: string; partitions: { partition: number }[] } & XOR<
      { fromBeginning: boolean },
      { fromTimestamp: number }
    >)[],
  ): Promise<TopicOffsets[]>
}

/** The versions that a broker knows, by API key. */
export interface ApiVersions {
  [apiKey: number]: { minVersion: number; maxVersion: number }
}

/* eslint-disable @typescript-eslint/no-explicit-any -- kafkajs's own types of raw responses */
/** A broker, for partition assigners: metadata and groups. Its other requests reject with KafkaJSNotImplemented. */
export type Broker = {
  isConnected(): boolean
  connect(): Promise<void>
  disconnect(): Promise<void>
  apiVersions(): Promise<ApiVersions>
  metadata(topics: string[]): Promise<BrokerMetadata>
  describeGroups: (options: { groupIds: string[] }) => Promise<any>
  offsetCommit(request: {
    groupId: string
    groupGenerationId: number
    memberId: string
    retentionTime?: number
    topics: TopicOffsets[]
  }): Promise<any>
  offsetFetch(request: { groupId: string; topics: TopicOffsets[] }): Promise<{ responses: TopicOffsets[] }>
  fetch(request: {
    replicaId?: number
    isolationLevel?: number
    maxWaitTime?: number
    minBytes?: number
    maxBytes?: number
    topics: { topic: string; partitions: { partition: number; fetchOffset: string; maxBytes: number }[] }[]
    rackId?: string
  }): Promise<any>
  produce(request: {
    topicData: { topic: string; partitions: { partition: number; firstSequence?: number; messages: Message[] }[] }[]
    transactionalId?: string
    producerId?: number
    producerEpoch?: number
    acks?: number
    timeout?: number
    compression?: CompressionTypes
  }): Promise<any>
  alterPartitionReassignments(request: { topics: PartitionReassignment[]; timeout?: number }): Promise<any>
  listPartitionReassignments(request: {
    topics?: TopicPartitions[]
    timeout?: number
  }): Promise<ListPartitionReassignmentsResponse>
}
/* eslint-enable @typescript-eslint/no-explicit-any */
