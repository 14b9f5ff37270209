import {
  ConsumerGroupDescribe,
  DeleteGroups,
  DescribeGroups,
  ErrorCode,
  Reader,
  readConsumerProtocolAssignment,
  type ConsumerGroupDescribeResponse,
  type Decoded,
  type DescribeGroupsResponse,
} from '@ottla/protocol'
import { KafkaError } from '../errors.ts'
import type { BrokerMetadata, TopicPartition } from '../types.ts'
import { aclOperations, type AclOperation } from './acl-words.ts'
import { requireNames } from './arguments.ts'
import { coordinatorMoved, isItemError, itemError, missingAnswer, withError, type AdminCall } from './call.ts'
import { node } from './cluster.ts'

/**
 * States of a group, in the brokers' spelling.
 * @since 0.1.0
 */
export type ConsumerGroupState =
  | 'Unknown'
  | 'PreparingRebalance'
  | 'CompletingRebalance'
  | 'Stable'
  | 'Dead'
  | 'Empty'
  | 'Assigning'
  | 'Reconciling'
  | 'NotReady'
/**
 * `classic`: JoinGroup and SyncGroup; `consumer`: KIP-848.
 * @since 0.1.0
 */
export type ConsumerGroupType = 'unknown' | 'classic' | 'consumer'

/**
 * One consumer group and its members.
 * @since 0.1.0
 */
export interface ConsumerGroupDescription {
  groupId: string
  state: ConsumerGroupState
  type: ConsumerGroupType
  /** The assignor in use: `range`, `uniform`, ... */
  protocol: string
  coordinator: BrokerMetadata | null
  members: ConsumerGroupMember[]
  /** With `includeAuthorizedOperations`. */
  authorizedOperations?: AclOperation[]
  error?: KafkaError
}

/**
 * One member of a group.
 * @since 0.1.0
 */
export interface ConsumerGroupMember {
  memberId: string
  clientId: string
  host: string
  groupInstanceId?: string
  assignment: TopicPartition[]
  /** As the member and the group's leader wrote them, in the format of their assignor (groups of type `classic`). */
  memberMetadata?: Buffer
  memberAssignment?: Buffer
  /** The assignment that the member is moving to (groups of type `consumer`). */
  targetAssignment?: TopicPartition[]
}

/**
 * The outcome for one group.
 * @since 0.1.0
 */
export interface ConsumerGroupResult {
  groupId: string
  error?: KafkaError
}

export const groupStates: readonly ConsumerGroupState[] = [
  'Unknown',
  'PreparingRebalance',
  'CompletingRebalance',
  'Stable',
  'Dead',
  'Empty',
  'Assigning',
  'Reconciling',
  'NotReady',
]
const CONSUMER_PROTOCOL = 'consumer'

export async function describeConsumerGroups(
  call: AdminCall,
  groups: readonly string[],
  includeAuthorizedOperations: boolean,
): Promise<ConsumerGroupDescription[]> {
  requireNames(groups, 'groups')
  return Promise.all(
    groups.map(async groupId => {
      try {
        const modern = await describeModern(call, groupId, includeAuthorizedOperations)
        return modern ?? (await describeClassic(call, groupId, includeAuthorizedOperations))
      } catch (error) {
        if (!isItemError(error)) throw error
        return nothingKnown(groupId, error)
      }
    }),
  )
}

export async function deleteConsumerGroups(call: AdminCall, groups: readonly string[]): Promise<ConsumerGroupResult[]> {
  requireNames(groups, 'groups')
  const { deadline, signal } = call
  return Promise.all(
    groups.map(async groupId => {
      const subject = `group '${groupId}'`
      try {
        const response = await call.cluster.request(
          { to: 'coordinator', type: 'group', key: groupId },
          DeleteGroups,
          { groupsNames: [groupId] },
          { deadline, signal, errorOf: r => coordinatorMoved(r.results.map(g => g.errorCode)) },
        )
        const answer = response.results.find(r => r.groupId === groupId)
        const error = answer === undefined ? missingAnswer(subject) : itemError(answer.errorCode, null, subject)
        return { groupId, ...withError(error) }
      } catch (error) {
        if (!isItemError(error)) throw error
        return { groupId, error }
      }
    }),
  )
}

/** Undefined if this is not a KIP-848 group, or the broker does not support such groups. */
async function describeModern(
  call: AdminCall,
  groupId: string,
  includeAuthorizedOperations: boolean,
): Promise<ConsumerGroupDescription | undefined> {
  const { deadline, signal } = call
  try {
    const response = await call.cluster.request(
      { to: 'coordinator', type: 'group', key: groupId },
      ConsumerGroupDescribe,
      { groupIds: [groupId], includeAuthorizedOperations },
      { deadline, signal, errorOf: r => coordinatorMoved(r.groups.map(g => g.errorCode)) },
    )
    const group = response.groups[0]
    if (group === undefined) throw missingAnswer(`group '${groupId}'`)
    if (notModern.has(group.errorCode)) return undefined
    const error = itemError(group.errorCode, group.errorMessage, `group '${groupId}'`)
    if (error !== undefined) return nothingKnown(groupId, error)
    const operations = aclOperations(group.authorizedOperations)
    return {
      groupId,
      state: stateOf(group.groupState),
      type: 'consumer',
      protocol: group.assignorName,
      coordinator: await coordinatorNode(call, groupId),
      members: group.members.map(modernMember),
      ...(operations === undefined ? {} : { authorizedOperations: operations }),
    }
  } catch (error) {
    if (error instanceof KafkaError && error.code === ErrorCode.ERR__UNSUPPORTED_FEATURE) return undefined
    throw error
  }
}

const notModern: ReadonlySet<number> = new Set([ErrorCode.ERR_GROUP_ID_NOT_FOUND, ErrorCode.ERR_UNSUPPORTED_VERSION])

async function describeClassic(
  call: AdminCall,
  groupId: string,
  includeAuthorizedOperations: boolean,
): Promise<ConsumerGroupDescription> {
  const { deadline, signal } = call
  const response = await call.cluster.request(
    { to: 'coordinator', type: 'group', key: groupId },
    DescribeGroups,
    version =>
      // Brokers before 2.3 do not support it (KIP-430).
      includeAuthorizedOperations && version >= 3
        ? { groups: [groupId], includeAuthorizedOperations }
        : { groups: [groupId] },
    { deadline, signal, errorOf: r => coordinatorMoved(r.groups.map(g => g.errorCode)) },
  )
  const group = response.groups[0]
  if (group === undefined) throw missingAnswer(`group '${groupId}'`)
  const error = itemError(group.errorCode, group.errorMessage, `group '${groupId}'`)
  if (error !== undefined) return nothingKnown(groupId, error)
  const operations = aclOperations(group.authorizedOperations)
  return {
    groupId,
    state: stateOf(group.groupState),
    type: 'classic',
    protocol: group.protocolData,
    coordinator: await coordinatorNode(call, groupId),
    members: group.members.map(member => classicMember(group.protocolType, member)),
    ...(operations === undefined ? {} : { authorizedOperations: operations }),
  }
}

type ModernMember = Decoded<ConsumerGroupDescribeResponse>['groups'][number]['members'][number]
type ClassicMember = Decoded<DescribeGroupsResponse>['groups'][number]['members'][number]

function modernMember(member: ModernMember): ConsumerGroupMember {
  return {
    memberId: member.memberId,
    clientId: member.clientId,
    host: member.clientHost,
    ...(member.instanceId === null ? {} : { groupInstanceId: member.instanceId }),
    assignment: partitionsOf(member.assignment.topicPartitions, t => t.topicName),
    targetAssignment: partitionsOf(member.targetAssignment.topicPartitions, t => t.topicName),
  }
}

function classicMember(protocolType: string, member: ClassicMember): ConsumerGroupMember {
  return {
    memberId: member.memberId,
    clientId: member.clientId,
    host: member.clientHost,
    ...(member.groupInstanceId === null ? {} : { groupInstanceId: member.groupInstanceId }),
    assignment: protocolType === CONSUMER_PROTOCOL ? readAssignment(member.memberAssignment) : [],
    memberMetadata: Buffer.from(member.memberMetadata),
    memberAssignment: Buffer.from(member.memberAssignment),
  }
}

/** Reads the assignment that a group's leader wrote: bytes of another client, which may be malformed. */
function readAssignment(bytes: Uint8Array): TopicPartition[] {
  // Empty while the group rebalances.
  if (bytes.length === 0) return []
  try {
    const reader = new Reader(bytes)
    const version = Math.min(Math.max(reader.int16(), 0), HIGHEST_ASSIGNMENT_VERSION)
    return partitionsOf(readConsumerProtocolAssignment(reader, version).assignedPartitions, t => t.topic)
  } catch (cause) {
    throw new KafkaError(ErrorCode.ERR__BAD_MSG, "a member's assignment cannot be read", { cause })
  }
}

const HIGHEST_ASSIGNMENT_VERSION = 3

function partitionsOf<T extends { partitions: number[] }>(
  topics: readonly T[],
  nameOf: (topic: T) => string,
): TopicPartition[] {
  return topics.flatMap(t => t.partitions.map(partition => ({ topic: nameOf(t), partition })))
}

export async function coordinatorNode(call: AdminCall, groupId: string): Promise<BrokerMetadata | null> {
  const { id, host, port, rack } = await call.cluster.coordinator('group', groupId, call.deadline, call.signal)
  return node(id, host, port, rack)
}

function nothingKnown(groupId: string, error: KafkaError): ConsumerGroupDescription {
  return { groupId, state: 'Unknown', type: 'unknown', protocol: '', coordinator: null, members: [], error }
}

export function stateOf(name: string): ConsumerGroupState {
  return groupStates.find(state => state === name) ?? 'Unknown'
}
