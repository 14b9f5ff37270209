import { ErrorCode, OffsetCommit, OffsetDelete, OffsetFetch } from '@ottla/protocol'
import { groupByTopic } from '../base/grouping.ts'
import { OFFSET_INVALID, type TopicPartition, type TopicPartitionOffset } from '../types.ts'
import { requireInteger, requireName, requirePartitions } from './arguments.ts'
import { coordinatorMoved, itemError, missingAnswer, withError, type AdminCall, type AdminOptions } from './call.ts'
import { partitionSubject } from './fan-out.ts'

/**
 * Options of `listConsumerGroupOffsets`.
 * @since 0.1.0
 */
export interface ListConsumerGroupOffsetsOptions extends AdminOptions {
  /** Wait for offsets of open transactions (KIP-447). Default false. */
  readonly requireStableOffsets?: boolean
}

// From version 10 on topics are named by id; names suffice here, where it does not matter whether a topic was
// recreated.
const LAST_VERSION_BY_NAME = 9
// From version 8 on, a request is for several groups.
const FIRST_VERSION_BY_GROUP = 8
// From version 2 on, null stands for all topics.
const FIRST_VERSION_OF_ALL = 2
const NO_OFFSET = -1

/**
 * A group's committed offsets, for all its partitions if none are named.
 * Rejects with the broker's error if it concerns the group as a whole.
 */
export async function listConsumerGroupOffsets(
  call: AdminCall,
  groupId: string,
  partitions: readonly TopicPartition[] | undefined,
  requireStable: boolean,
): Promise<TopicPartitionOffset[]> {
  requireName(groupId, 'group')
  if (partitions !== undefined) requirePartitions(partitions, 'partitions')
  const topics = partitions === undefined ? null : wireTopics(partitions)
  const { deadline, signal } = call
  const response = await call.cluster.request(
    { to: 'coordinator', type: 'group', key: groupId },
    OffsetFetch,
    version => ({
      ...(version >= FIRST_VERSION_BY_GROUP ? { groups: [{ groupId, topics }] } : { groupId, topics }),
      ...(requireStable && version >= 7 ? { requireStable } : {}),
    }),
    {
      deadline,
      signal,
      ...(topics === null ? { minVersion: FIRST_VERSION_OF_ALL } : {}),
      maxVersion: LAST_VERSION_BY_NAME,
      errorOf: r => {
        const moved = coordinatorMoved([r.errorCode, ...r.groups.map(g => g.errorCode)])
        return moved === ErrorCode.ERR_NO_ERROR && requireStable ? unstable(r.groups) : moved
      },
    },
  )
  const group = response.groups[0] ?? response
  const error = itemError(group.errorCode, null, `group '${groupId}'`)
  if (error !== undefined) throw error
  const found = group.topics.flatMap(t =>
    t.partitions.map((p): TopicPartitionOffset => {
      const item = { topic: t.name, partition: p.partitionIndex }
      return {
        ...item,
        offset: p.committedOffset === NO_OFFSET ? OFFSET_INVALID : p.committedOffset,
        metadata: p.metadata,
        ...(p.committedLeaderEpoch >= 0 ? { leaderEpoch: p.committedLeaderEpoch } : {}),
        ...withError(itemError(p.errorCode, null, partitionSubject(item))),
      }
    }),
  )
  return partitions === undefined ? found : inOrder(partitions, found)
}

/** Commits on behalf of a group, which must have no members. */
export async function alterConsumerGroupOffsets(
  call: AdminCall,
  groupId: string,
  offsets: readonly TopicPartitionOffset[],
): Promise<TopicPartitionOffset[]> {
  requireName(groupId, 'group')
  requirePartitions(offsets, 'partitions')
  for (const o of offsets) requireInteger(o.offset, `the offset of ${partitionSubject(o)}`, 0, Number.MAX_SAFE_INTEGER)
  const topics = groupByTopic(offsets, o => ({
    partitionIndex: o.partition,
    committedOffset: o.offset,
    committedMetadata: o.metadata ?? '',
    ...(o.leaderEpoch === undefined ? {} : { committedLeaderEpoch: o.leaderEpoch }),
  }))
  const { deadline, signal } = call
  const response = await call.cluster.request(
    { to: 'coordinator', type: 'group', key: groupId },
    OffsetCommit,
    { groupId, generationIdOrMemberEpoch: -1, memberId: '', topics },
    {
      deadline,
      signal,
      maxVersion: LAST_VERSION_BY_NAME,
      errorOf: r => coordinatorMoved(r.topics.flatMap(t => t.partitions.map(p => p.errorCode))),
    },
  )
  const codes = partitionCodes(response.topics)
  return offsets.map(o => ({ ...o, ...withError(partitionError(o, codes)) }))
}

/**
 * Deletes committed offsets of a group, which must not be subscribed to the topics (KIP-496).
 * Rejects with the broker's error if it concerns the group as a whole.
 */
export async function deleteConsumerGroupOffsets(
  call: AdminCall,
  groupId: string,
  partitions: readonly TopicPartition[],
): Promise<TopicPartitionOffset[]> {
  requireName(groupId, 'group')
  requirePartitions(partitions, 'partitions')
  const topics = groupByTopic(partitions, p => ({ partitionIndex: p.partition }))
  const { deadline, signal } = call
  const response = await call.cluster.request(
    { to: 'coordinator', type: 'group', key: groupId },
    OffsetDelete,
    { groupId, topics },
    { deadline, signal, errorOf: r => coordinatorMoved([r.errorCode]) },
  )
  const error = itemError(response.errorCode, null, `group '${groupId}'`)
  if (error !== undefined) throw error
  const codes = partitionCodes(response.topics)
  return partitions.map(({ topic, partition }) => {
    return { topic, partition, offset: OFFSET_INVALID, ...withError(partitionError({ topic, partition }, codes)) }
  })
}

/** The code that makes the cluster retry while an offset belongs to an open transaction. */
function unstable(groups: readonly { topics: readonly { partitions: readonly { errorCode: number }[] }[] }[]): number {
  const found = groups.some(g =>
    g.topics.some(t => t.partitions.some(p => p.errorCode === ErrorCode.ERR_UNSTABLE_OFFSET_COMMIT)),
  )
  return found ? ErrorCode.ERR_UNSTABLE_OFFSET_COMMIT : ErrorCode.ERR_NO_ERROR
}

function wireTopics(partitions: readonly TopicPartition[]): { name: string; partitionIndexes: number[] }[] {
  return groupByTopic(partitions, p => p.partition).map(t => ({ name: t.name, partitionIndexes: t.partitions }))
}

function inOrder(asked: readonly TopicPartition[], found: readonly TopicPartitionOffset[]): TopicPartitionOffset[] {
  const byPartition = new Map(found.map(f => [partitionSubject(f), f]))
  return asked.map(({ topic, partition }) => {
    const subject = partitionSubject({ topic, partition })
    return byPartition.get(subject) ?? { topic, partition, offset: OFFSET_INVALID, error: missingAnswer(subject) }
  })
}

function partitionCodes(
  topics: readonly { name: string; partitions: readonly { partitionIndex: number; errorCode: number }[] }[],
): Map<string, number> {
  return new Map(
    topics.flatMap(t =>
      t.partitions.map(p => [partitionSubject({ topic: t.name, partition: p.partitionIndex }), p.errorCode] as const),
    ),
  )
}

function partitionError(item: TopicPartition, codes: ReadonlyMap<string, number>): ReturnType<typeof itemError> {
  const subject = partitionSubject(item)
  const code = codes.get(subject)
  return code === undefined ? missingAnswer(subject) : itemError(code, null, subject)
}
