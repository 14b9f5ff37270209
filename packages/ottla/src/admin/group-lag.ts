/** How far groups are behind. */
import type { TopicPartition } from '../types.ts'
import { KafkaError } from '../errors.ts'
import type { IsolationLevel } from '../cluster/queries.ts'
import { requireName } from './arguments.ts'
import { settle, withError, type AdminCall, type AdminOptions } from './call.ts'
import { listOffsets } from './cluster.ts'
import { listConsumerGroupOffsets } from './group-offsets.ts'

/**
 * Options of `groupLag`.
 * @since 0.1.0
 */
export interface GroupLagOptions extends AdminOptions {
  /** `read_committed`: up to the last stable offset, as consumers with that `isolation.level` read. */
  readonly isolationLevel?: 'read_uncommitted' | 'read_committed'
}

/**
 * How far a group is behind in one partition.
 * @since 0.1.0
 */
export interface GroupPartitionLag extends TopicPartition {
  readonly committed: number
  /** The high watermark, or the last stable offset (`isolationLevel`); -1 if unknown. */
  readonly end: number
  /**
   * The offsets between them. Some may be transaction markers, or have been compacted: only who reads them knows. -1 if
   * the end is unknown.
   */
  readonly lag: number
  readonly error?: KafkaError
}

/**
 * How far a group is behind.
 * @since 0.1.0
 */
export interface GroupLag {
  readonly groupId: string
  /** Every partition for which the group has committed an offset. */
  readonly partitions: readonly GroupPartitionLag[]
  readonly error?: KafkaError
}

export async function groupLag(
  call: AdminCall,
  groupIds: readonly string[],
  isolation: IsolationLevel,
): Promise<GroupLag[]> {
  for (const groupId of groupIds) requireName(groupId, 'group')
  const all = await Promise.all(groupIds.map(id => settle(listConsumerGroupOffsets(call, id, undefined, false))))
  const ends = new Map<string, { readonly end: number; readonly error: KafkaError | undefined }>()
  const asked = all.flatMap(offsets => (offsets instanceof KafkaError ? [] : offsets))
  const queries = [...new Map(asked.map(each => [keyOf(each), each])).values()].map(({ topic, partition }) => {
    return { topic, partition, spec: 'latest' as const }
  })
  for (const listed of queries.length === 0 ? [] : await listOffsets(call, queries, isolation)) {
    ends.set(keyOf(listed), { end: listed.error === undefined ? listed.offset : -1, error: listed.error })
  }
  return groupIds.map((groupId, i) => {
    const offsets = all[i] ?? []
    if (offsets instanceof KafkaError) return { groupId, partitions: [], error: offsets }
    const committed = offsets.filter(({ offset }) => offset >= 0)
    return {
      groupId,
      partitions: committed.map(({ topic, partition, offset, error }): GroupPartitionLag => {
        const { end = -1, error: unknown } = ends.get(keyOf({ topic, partition })) ?? {}
        const lag = end < 0 ? -1 : Math.max(0, end - offset)
        return { topic, partition, committed: offset, end, lag, ...withError(error ?? unknown) }
      }),
    }
  })
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}\0${partition}`
}
