/** Asks the coordinator for the committed offsets of a group. */
import {
  ErrorCode,
  OffsetFetch,
  type Decoded,
  type OffsetFetchRequest,
  type OffsetFetchResponse,
} from '@ottla/protocol'
import type { Deadline } from '../../base/clock.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { KafkaError } from '../../errors.ts'
import { OFFSET_INVALID, type TopicPartition, type TopicPartitionOffset } from '../../types.ts'
import { byTopic } from '../group/member-metadata.ts'
import { memberAnswer, transientCode } from '../group/membership-errors.ts'
import type { MemberEpoch } from '../group/membership.ts'

// Later versions name topics by id, which is not needed here.
const NEWEST_VERSION = 9
const FIRST_WITH_GROUPS = 8
const FIRST_WITH_MEMBERS = 9

export interface CommittedOptions {
  readonly deadline: Deadline
  readonly signal?: AbortSignal | undefined
  /** See ClusterRequestOptions. */
  readonly failFast?: boolean | undefined
  /** Waits until transactions with offsets of the group have ended (`isolation.level=read_committed`, KIP-447). */
  readonly requireStable: boolean
  /** Called for each attempt, which needs the current epoch. */
  readonly membership?: () => MemberEpoch | null
  /** The epoch was stale; the next attempt follows after a backoff. */
  readonly onStale?: (code: number) => void
}

/**
 * The committed offsets in the order of the partitions; OFFSET_INVALID where there is none, errors per partition. A
 * transient error is retried until the deadline and never taken for "nothing committed".
 * Rejects with KafkaError: the group's error, ERR__TIMED_OUT, ERR__DESTROY; or the signal's reason.
 */
export async function fetchCommitted(
  cluster: Cluster,
  groupId: string,
  partitions: readonly TopicPartition[],
  options: CommittedOptions,
): Promise<TopicPartitionOffset[]> {
  const { deadline, signal, failFast, requireStable } = options
  const topics = byTopic(partitions).map(({ topic, partitions: partitionIndexes }) => ({
    name: topic,
    partitionIndexes,
  }))
  const body = (version: number): OffsetFetchRequest =>
    version >= FIRST_WITH_GROUPS
      ? {
          groups: [{ groupId, topics, ...(version >= FIRST_WITH_MEMBERS ? options.membership?.() : null) }],
          requireStable,
        }
      : { groupId, topics, ...(version >= 7 ? { requireStable } : {}) }
  const response = await cluster.request({ to: 'coordinator', type: 'group', key: groupId }, OffsetFetch, body, {
    deadline,
    signal,
    failFast,
    maxVersion: NEWEST_VERSION,
    errorOf: response => {
      const code = transientError(response)
      if (memberAnswer('OffsetFetch', code) === 'refresh-epoch') options.onStale?.(code)
      return code
    },
  })
  const code = groupError(response)
  if (code !== ErrorCode.ERR_NO_ERROR) throw KafkaError.of(code, `the committed offsets of group '${groupId}'`)
  const found = new Map<string, TopicPartitionOffset>()
  for (const topic of topicsOf(response)) {
    for (const p of topic.partitions) {
      const { name } = topic
      const answer: TopicPartitionOffset = {
        topic: name,
        partition: p.partitionIndex,
        offset: p.committedOffset < 0 ? OFFSET_INVALID : p.committedOffset,
        metadata: p.metadata,
        ...(p.committedLeaderEpoch >= 0 ? { leaderEpoch: p.committedLeaderEpoch } : {}),
        ...(p.errorCode === ErrorCode.ERR_NO_ERROR
          ? {}
          : { error: KafkaError.of(p.errorCode, `the committed offset of ${name} [${p.partitionIndex}]`) }),
      }
      found.set(`${name}\0${p.partitionIndex}`, answer)
    }
  }
  return partitions.map(({ topic, partition }) => {
    const answer = found.get(`${topic}\0${partition}`)
    if (answer !== undefined) return answer
    // A response that leaves a partition out says nothing about it.
    const error = KafkaError.of(ErrorCode.ERR__BAD_MSG, `the committed offset of ${topic} [${partition}]`)
    return { topic, partition, offset: OFFSET_INVALID, error }
  })
}

interface AnsweredTopic {
  readonly name: string
  readonly partitions: readonly {
    readonly partitionIndex: number
    readonly committedOffset: number
    readonly committedLeaderEpoch: number
    readonly metadata: string | null
    readonly errorCode: number
  }[]
}

// From version 8 on the response is for a list of groups.
function topicsOf(response: Decoded<OffsetFetchResponse>): readonly AnsweredTopic[] {
  return response.groups[0]?.topics ?? response.topics
}

function groupError(response: Decoded<OffsetFetchResponse>): number {
  return response.groups[0]?.errorCode ?? response.errorCode
}

function transientError(response: Decoded<OffsetFetchResponse>): number {
  const code = transientCode('OffsetFetch', groupError(response))
  if (code !== ErrorCode.ERR_NO_ERROR) return code
  for (const topic of topicsOf(response)) {
    // Other errors of single partitions are not transient errors of the coordinator.
    const unsettled = topic.partitions.find(p => p.errorCode === ErrorCode.ERR_UNSTABLE_OFFSET_COMMIT)
    if (unsettled !== undefined) return unsettled.errorCode
  }
  return ErrorCode.ERR_NO_ERROR
}
