import {
  AlterShareGroupOffsets,
  DeleteShareGroupOffsets,
  DescribeShareGroupOffsets,
  ShareGroupDescribe,
} from '@ottla/protocol'
import { groupByTopic } from '../base/grouping.ts'
import type { KafkaError } from '../errors.ts'
import type { BrokerMetadata, TopicPartition } from '../types.ts'
import { aclOperations, type AclOperation } from './acl-words.ts'
import { requireInteger, requireName, requireNames, requirePartitions } from './arguments.ts'
import { coordinatorMoved, isItemError, itemError, missingAnswer, withError, type AdminCall } from './call.ts'
import { partitionSubject } from './fan-out.ts'
import { coordinatorNode, stateOf, type ConsumerGroupState } from './groups.ts'
import { partitionsInOrder, type PartitionResult } from './leaders.ts'

/**
 * One share group (KIP-932) and its members.
 * @since 0.1.0
 */
export interface ShareGroupDescription {
  groupId: string
  state: ConsumerGroupState
  /** The assignor in use: `simple`. */
  assignor: string
  groupEpoch: number
  assignmentEpoch: number
  coordinator: BrokerMetadata | null
  members: ShareGroupMember[]
  /** With `includeAuthorizedOperations`. */
  authorizedOperations?: AclOperation[]
  error?: KafkaError
}

/**
 * One member of a share group.
 * @since 0.1.0
 */
export interface ShareGroupMember {
  memberId: string
  memberEpoch: number
  clientId: string
  host: string
  rack?: string
  subscribedTopics: string[]
  /** The partitions that it gets records of; other members may have them, too. */
  assignment: TopicPartition[]
}

/**
 * A share group's progress in a partition.
 * @since 0.1.0
 */
export interface ShareGroupOffset extends TopicPartition {
  /** Everything before it is settled; -1 if the group has not begun. */
  startOffset: number
  /** Records from there to the end; -1 if the broker does not report it (before Kafka 4.2). */
  lag: number
  leaderEpoch?: number
  error?: KafkaError
}

/**
 * A share group's new start offset in a partition.
 * @since 0.1.0
 */
export interface ShareGroupOffsetAlteration extends TopicPartition {
  readonly startOffset: number
}

/**
 * The outcome for one topic.
 * @since 0.1.0
 */
export interface ShareGroupTopicResult {
  topic: string
  error?: KafkaError
}

export async function describeShareGroups(
  call: AdminCall,
  groups: readonly string[],
  includeAuthorizedOperations: boolean,
): Promise<ShareGroupDescription[]> {
  requireNames(groups, 'groups')
  return Promise.all(
    groups.map(async groupId => {
      try {
        return await describeOne(call, groupId, includeAuthorizedOperations)
      } catch (error) {
        if (!isItemError(error)) throw error
        return nothingKnown(groupId, error)
      }
    }),
  )
}

async function describeOne(
  call: AdminCall,
  groupId: string,
  includeAuthorizedOperations: boolean,
): Promise<ShareGroupDescription> {
  const { deadline, signal } = call
  const response = await call.cluster.request(
    { to: 'coordinator', type: 'group', key: groupId },
    ShareGroupDescribe,
    { groupIds: [groupId], includeAuthorizedOperations },
    { deadline, signal, errorOf: r => coordinatorMoved(r.groups.map(g => g.errorCode)) },
  )
  const group = response.groups[0]
  const subject = `share group '${groupId}'`
  if (group === undefined) throw missingAnswer(subject)
  const error = itemError(group.errorCode, group.errorMessage, subject)
  if (error !== undefined) return nothingKnown(groupId, error)
  const operations = aclOperations(group.authorizedOperations)
  return {
    groupId,
    state: stateOf(group.groupState),
    assignor: group.assignorName,
    groupEpoch: group.groupEpoch,
    assignmentEpoch: group.assignmentEpoch,
    coordinator: await coordinatorNode(call, groupId),
    members: group.members.map(member => ({
      memberId: member.memberId,
      memberEpoch: member.memberEpoch,
      clientId: member.clientId,
      host: member.clientHost,
      ...(member.rackId === null ? {} : { rack: member.rackId }),
      subscribedTopics: member.subscribedTopicNames,
      assignment: member.assignment.topicPartitions.flatMap(t =>
        t.partitions.map(partition => ({ topic: t.topicName, partition })),
      ),
    })),
    ...(operations === undefined ? {} : { authorizedOperations: operations }),
  }
}

/**
 * A group's start offsets, for all its partitions if none are named.
 * Rejects with the broker's error if it concerns the group as a whole.
 */
export async function listShareGroupOffsets(
  call: AdminCall,
  groupId: string,
  partitions: readonly TopicPartition[] | undefined,
): Promise<ShareGroupOffset[]> {
  requireName(groupId, 'group')
  if (partitions !== undefined) requirePartitions(partitions, 'partitions')
  const topics =
    partitions === undefined
      ? null
      : groupByTopic(partitions, p => p.partition).map(t => ({ topicName: t.name, partitions: t.partitions }))
  const { deadline, signal } = call
  const response = await call.cluster.request(
    { to: 'coordinator', type: 'group', key: groupId },
    DescribeShareGroupOffsets,
    { groups: [{ groupId, topics }] },
    { deadline, signal, errorOf: r => coordinatorMoved(r.groups.map(g => g.errorCode)) },
  )
  const subject = `share group '${groupId}'`
  const group = response.groups[0]
  if (group === undefined) throw missingAnswer(subject)
  const error = itemError(group.errorCode, group.errorMessage, subject)
  if (error !== undefined) throw error
  const found = group.topics.flatMap(t =>
    t.partitions.map((p): ShareGroupOffset => {
      const item = { topic: t.topicName, partition: p.partitionIndex }
      return {
        ...item,
        startOffset: p.startOffset,
        lag: p.lag,
        ...(p.leaderEpoch >= 0 ? { leaderEpoch: p.leaderEpoch } : {}),
        ...withError(itemError(p.errorCode, p.errorMessage, partitionSubject(item))),
      }
    }),
  )
  if (partitions === undefined) return found
  const bySubject = new Map(found.map(f => [partitionSubject(f), f]))
  return partitions.map(({ topic, partition }) => {
    const item = { topic, partition }
    const missing = { ...item, startOffset: -1, lag: -1, error: missingAnswer(partitionSubject(item)) }
    return bySubject.get(partitionSubject(item)) ?? missing
  })
}

/** Rejects with the broker's error if it concerns the group as a whole. */
export async function alterShareGroupOffsets(
  call: AdminCall,
  groupId: string,
  offsets: readonly ShareGroupOffsetAlteration[],
): Promise<PartitionResult[]> {
  requireName(groupId, 'group')
  requirePartitions(offsets, 'offsets')
  for (const o of offsets) {
    requireInteger(o.startOffset, `startOffset of ${partitionSubject(o)}`, 0, Number.MAX_SAFE_INTEGER)
  }
  const topics = groupByTopic(offsets, o => ({ partitionIndex: o.partition, startOffset: o.startOffset }))
  const { deadline, signal } = call
  const response = await call.cluster.request(
    { to: 'coordinator', type: 'group', key: groupId },
    AlterShareGroupOffsets,
    { groupId, topics: topics.map(t => ({ topicName: t.name, partitions: t.partitions })) },
    { deadline, signal, errorOf: r => coordinatorMoved([r.errorCode]) },
  )
  const error = itemError(response.errorCode, response.errorMessage, `share group '${groupId}'`)
  if (error !== undefined) throw error
  const found = response.responses.flatMap(t =>
    t.partitions.map((p): PartitionResult => {
      const item = { topic: t.topicName, partition: p.partitionIndex }
      return { ...item, ...withError(itemError(p.errorCode, p.errorMessage, partitionSubject(item))) }
    }),
  )
  return partitionsInOrder(offsets, found)
}

/** Rejects with the broker's error if it concerns the group as a whole. */
export async function deleteShareGroupOffsets(
  call: AdminCall,
  groupId: string,
  topics: readonly string[],
): Promise<ShareGroupTopicResult[]> {
  requireName(groupId, 'group')
  requireNames(topics, 'topics')
  const { deadline, signal } = call
  const response = await call.cluster.request(
    { to: 'coordinator', type: 'group', key: groupId },
    DeleteShareGroupOffsets,
    { groupId, topics: topics.map(topicName => ({ topicName })) },
    { deadline, signal, errorOf: r => coordinatorMoved([r.errorCode]) },
  )
  const error = itemError(response.errorCode, response.errorMessage, `share group '${groupId}'`)
  if (error !== undefined) throw error
  const answers = new Map(response.responses.map(t => [t.topicName, t]))
  return topics.map(topic => {
    const answer = answers.get(topic)
    const subject = `topic '${topic}'`
    const failure =
      answer === undefined ? missingAnswer(subject) : itemError(answer.errorCode, answer.errorMessage, subject)
    return { topic, ...withError(failure) }
  })
}

function nothingKnown(groupId: string, error: KafkaError): ShareGroupDescription {
  const nothing = { state: 'Unknown', assignor: '', groupEpoch: -1, assignmentEpoch: -1 } as const
  return { groupId, ...nothing, coordinator: null, members: [], error }
}
