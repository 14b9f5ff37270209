/** How far a consumer is behind: `consumer.lag()`. */
import { RecordBatch } from '@ottla/protocol'
import type { Cluster } from '../cluster/cluster.ts'
import type { ClientContext } from '../cluster/context.ts'
import { LATEST_TIMESTAMP, listOffsets, type QueryOptions } from '../cluster/queries.ts'
import type { KafkaError } from '../errors.ts'
import { OFFSET_INVALID, type TopicPartition } from '../types.ts'
import { fetchCommitted } from './offsets/committed-offsets.ts'
import type { Assignment } from './partition/assignment.ts'
import type { Cursor } from './partition/cursor.ts'
import type { RunHooks } from './run/hooks.ts'

/**
 * How far a consumer is behind in one partition.
 * @since 0.1.0
 */
export interface PartitionLag extends TopicPartition {
  /** The next offset to deliver; OFFSET_INVALID until it is known. */
  readonly position: number
  /** What the group has committed; OFFSET_INVALID for nothing, or without a group. */
  readonly committed: number
  readonly highWatermark: number
  /**
   * Messages that are not committed (not delivered, without a group), up to the last stable offset under
   * `isolation.level=read_committed`. Transaction markers and aborted messages do not count as far as they have been
   * fetched; beyond that every offset counts. -1 if unknown.
   */
  readonly lag: number
  /**
   * How old the first message is that has not been delivered or, in a `run`, not been processed, ms; 0 when there is
   * none. Left out while that message has not been fetched, or has no timestamp.
   */
  readonly lagMs?: number
  /** Why the lag is unknown, or taken from the last fetch. */
  readonly error?: KafkaError
}

/** Asks the leaders for the ends, and the coordinator for what is committed. Rejects like those requests. */
export async function consumerLag(
  {
    context,
    cluster,
    assignment,
    ownership,
  }: {
    readonly context: ClientContext
    readonly cluster: Cluster
    readonly assignment: Assignment
    readonly ownership: { readonly hooks: RunHooks | null }
  },
  options: QueryOptions,
): Promise<PartitionLag[]> {
  const { cursors } = assignment
  const groupId = context.settings['group.id']
  if (cursors.length === 0) return []
  const queries = cursors.map(({ topic, partition }) => ({ topic, partition, timestamp: LATEST_TIMESTAMP }))
  const [ends, committed] = await Promise.all([
    listOffsets(cluster, context, queries, options),
    groupId === undefined ? [] : fetchCommitted(cluster, groupId, queries, { ...options, requireStable: false }),
  ])
  assignment.passGaps(cursors)
  const now = context.clock.wallTime()
  return cursors.map((cursor, i): PartitionLag => {
    const { topic, partition, position, fetching } = cursor
    const listed = ends[i]
    const error = listed?.error ?? committed[i]?.error
    const end = Math.max(listed?.offset ?? OFFSET_INVALID, fetching.end)
    const own = committed[i]?.offset ?? OFFSET_INVALID
    const openSince = ownership.hooks?.openSince(cursor) ?? null
    const hasAll = openSince === null && position >= 0 && position >= end
    const ageMs = hasAll ? 0 : ageOf(openSince ?? timestampOfNext(cursor), now)
    return {
      topic,
      partition,
      position,
      committed: own,
      highWatermark: Math.max(end, fetching.high),
      lag: messagesBehind(cursor, own, end, groupId !== undefined),
      ...(ageMs === null ? {} : { lagMs: ageMs }),
      ...(error === undefined ? {} : { error }),
    }
  })
}

/** @param end the first offset that cannot be read yet */
function messagesBehind(cursor: Cursor, committed: number, end: number, hasGroup: boolean): number {
  const { position, fetchOffset, offsets } = cursor
  if (end < 0 || position < 0) return -1
  const done = !hasGroup ? position : committed >= 0 ? offsets.behindGap(committed) : offsets.start
  // Another member, or the application, has committed more than this consumer has read.
  if (done > position) return Math.max(0, end - done)
  const delivered = position - done - offsets.gaps.between(done, position)
  return delivered + Math.min(messagesQueued(cursor), fetchOffset - position) + Math.max(0, end - fetchOffset)
}

function messagesQueued({ queued, records }: Cursor): number {
  let messages = records?.remaining ?? 0
  for (let i = 0; i < queued.entries.length; i++) {
    const entry = queued.entries.peek(i)
    if (entry instanceof RecordBatch) messages += entry.recordCount
  }
  return messages
}

function ageOf(timestamp: number, now: number): number | null {
  return timestamp < 0 ? null : Math.max(0, now - timestamp)
}

/** Its batch's first one; -1 if unknown. */
function timestampOfNext({ queued, records }: Cursor): number {
  const entry = records !== null && records.remaining > 0 ? queued.open : firstBatch(queued.entries)
  return entry?.baseTimestamp ?? -1
}

function firstBatch(entries: Cursor['queued']['entries']): RecordBatch | null {
  for (let i = 0; i < entries.length; i++) {
    const entry = entries.peek(i)
    if (entry instanceof RecordBatch) return entry
  }
  return null
}
