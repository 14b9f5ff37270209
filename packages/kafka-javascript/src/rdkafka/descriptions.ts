/** What `ottla` says of groups, topics and offsets, in Confluent's shapes. */
import { toLibrdKafkaError } from '@ottla/node-rdkafka/parts'
import type {
  AclOperation,
  BrokerMetadata,
  ConsumerGroupDescription,
  ConsumerGroupListings,
  ConsumerGroupMember,
  ConsumerGroupState,
  ConsumerGroupType,
  KafkaError,
  TopicDescription as OttlaTopic,
  TopicPartition,
  TopicPartitionOffset,
} from 'ottla'
import { AclOperationTypes, ConsumerGroupStates, ConsumerGroupTypes } from '../enums.ts'
import type {
  GroupDescription,
  GroupOverviews,
  MemberDescription,
  Node,
  TopicDescription,
  TopicPartitionOffsetAndMetadata,
  Uuid,
} from '../types/admin.ts'
import type { LibrdKafkaError } from '@ottla/node-rdkafka'

const states: readonly (readonly [ConsumerGroupStates, ConsumerGroupState])[] = [
  [ConsumerGroupStates.PREPARING_REBALANCE, 'PreparingRebalance'],
  [ConsumerGroupStates.COMPLETING_REBALANCE, 'CompletingRebalance'],
  [ConsumerGroupStates.STABLE, 'Stable'],
  [ConsumerGroupStates.DEAD, 'Dead'],
  [ConsumerGroupStates.EMPTY, 'Empty'],
]

const types: readonly (readonly [ConsumerGroupTypes, ConsumerGroupType])[] = [
  [ConsumerGroupTypes.CONSUMER, 'consumer'],
  [ConsumerGroupTypes.CLASSIC, 'classic'],
]

export function stateName(state: ConsumerGroupStates): ConsumerGroupState {
  return states.find(([number]) => number === state)?.[1] ?? 'Unknown'
}

export function typeName(type: ConsumerGroupTypes): ConsumerGroupType {
  return types.find(([number]) => number === type)?.[1] ?? 'unknown'
}

/** The states of the consumer protocol that have no number of their own are unknown. */
function stateOf(state: ConsumerGroupState): ConsumerGroupStates {
  return states.find(([, name]) => name === state)?.[0] ?? ConsumerGroupStates.UNKNOWN
}

function typeOf(type: ConsumerGroupType): ConsumerGroupTypes {
  return types.find(([, name]) => name === type)?.[0] ?? ConsumerGroupTypes.UNKNOWN
}

function operationsOf(operations: readonly AclOperation[]): AclOperationTypes[] {
  return operations.map(operation => {
    const name = operation.toUpperCase().replaceAll('-', '_')
    return Object.hasOwn(AclOperationTypes, name)
      ? AclOperationTypes[name as keyof typeof AclOperationTypes]
      : AclOperationTypes.UNKNOWN
  })
}

/** The field of an error, if there is one. */
export function errorOf(error: KafkaError | undefined): { error?: LibrdKafkaError } {
  return error === undefined ? {} : { error: toLibrdKafkaError(error) }
}

function authorizedOf(operations: readonly AclOperation[] | undefined): { authorizedOperations?: AclOperationTypes[] } {
  return operations === undefined ? {} : { authorizedOperations: operationsOf(operations) }
}

export function toOverviews({ groups, errors }: ConsumerGroupListings): GroupOverviews {
  return {
    groups: groups.map(({ groupId, isSimple, state, type }) => ({
      groupId,
      protocolType: protocolType(isSimple),
      isSimpleConsumerGroup: isSimple,
      state: stateOf(state),
      type: typeOf(type),
    })),
    errors: errors.map(toLibrdKafkaError),
  }
}

/** A simple group has no members: programs only commit to it. */
function protocolType(isSimple: boolean): string {
  return isSimple ? 'simple' : 'consumer'
}

/** Whether a description leaves open that the group is a simple one. */
export function mayBeSimple({ state, protocol }: ConsumerGroupDescription): boolean {
  return state === 'Empty' && protocol === ''
}

export function toGroup(group: ConsumerGroupDescription, isSimple: boolean): GroupDescription {
  const { groupId, error, members, protocol, state, type, coordinator, authorizedOperations } = group
  return {
    groupId,
    ...errorOf(error),
    members: members.map(toMember),
    isSimpleConsumerGroup: isSimple,
    protocolType: protocolType(isSimple),
    protocol,
    partitionAssignor: protocol,
    state: stateOf(state),
    type: typeOf(type),
    coordinator: coordinator === null ? { id: -1, host: '', port: -1 } : toNode(coordinator),
    ...authorizedOf(authorizedOperations),
  }
}

/** Deprecated, and part of the shape. */
const neverThere = { memberAssignment: null, memberMetadata: null }

function toMember(member: ConsumerGroupMember): MemberDescription {
  const { memberId, clientId, host, groupInstanceId, assignment, targetAssignment } = member
  return {
    clientHost: host,
    clientId,
    memberId,
    ...neverThere,
    ...(groupInstanceId === undefined ? {} : { groupInstanceId }),
    assignment: { topicPartitions: assignment.map(toPlace) },
    ...(targetAssignment === undefined ? {} : { targetAssignment: { topicPartitions: targetAssignment.map(toPlace) } }),
  }
}

function toPlace({ topic, partition }: TopicPartition): TopicPartition {
  return { topic, partition }
}

function toNode({ id, host, port, rack }: BrokerMetadata): Node {
  return { id, host, port, ...(rack === undefined ? {} : { rack }) }
}

export function toOffsetAndMetadata(given: TopicPartitionOffset): TopicPartitionOffsetAndMetadata {
  const { topic, partition, offset, metadata = null, leaderEpoch, error } = given
  return {
    topic,
    partition,
    offset,
    metadata,
    ...(leaderEpoch === undefined || leaderEpoch < 0 ? {} : { leaderEpoch }),
    ...errorOf(error),
  }
}

/** @param brokers all of the cluster */
export function toTopic(topic: OttlaTopic, brokers: readonly BrokerMetadata[]): TopicDescription {
  const node = (id: number): Node => {
    const broker = brokers.find(each => each.id === id)
    return broker === undefined ? { id, host: '', port: -1 } : toNode(broker)
  }
  return {
    name: topic.topic,
    topicId: toUuid(topic.topicId),
    isInternal: topic.isInternal,
    partitions: topic.partitions.map(({ partition, leader, isr, replicas }) => ({
      partition,
      leader: leader < 0 ? null : node(leader),
      isr: isr.map(node),
      replicas: replicas.map(node),
    })),
    ...errorOf(topic.error),
    ...authorizedOf(topic.authorizedOperations),
  }
}

/** @param id in base64 */
function toUuid(id: string): Uuid {
  const bytes = Buffer.from(id, 'base64')
  const base64 = bytes.toString('base64url')
  return {
    mostSignificantBits: bytes.readBigInt64BE(0),
    leastSignificantBits: bytes.readBigInt64BE(8),
    base64str: base64,
    base64,
  }
}
