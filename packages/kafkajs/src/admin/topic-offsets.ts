/** The calls of an admin client that ask where topics begin and end. */
import type { OffsetSpec } from 'ottla'
import type { SharedAdmin } from '../translate/shared-admin.ts'
import type { SeekEntry } from '../types/metadata.ts'
import { invalid, requireName, shown } from './arguments.ts'

type TopicOffset = SeekEntry & { high: string; low: string }

/** Timestamps that stand for an end of the log. */
const LATEST = -1
const EARLIEST = -2

/** Where each partition begins and ends. */
export async function fetchTopicOffsets(admin: SharedAdmin, topic: string): Promise<TopicOffset[]> {
  const [high, low] = await offsetsOf(admin, requireName(topic, 'topic'), ['latest', 'earliest'])
  return [...(high ?? [])].map(([partition, offset]) => ({
    partition,
    offset: String(offset),
    high: String(offset),
    low: String(low?.get(partition) ?? offset),
  }))
}

/** The first offset of each partition that is not older; its end where there is none. */
export async function fetchTopicOffsetsByTimestamp(
  admin: SharedAdmin,
  topic: string,
  timestamp?: number,
): Promise<SeekEntry[]> {
  const [high, found] = await offsetsOf(admin, requireName(topic, 'topic'), ['latest', specOf(timestamp)])
  return [...(high ?? [])].map(([partition, end]) => {
    const offset = found?.get(partition) ?? end
    return { partition, offset: String(offset >= 0 ? offset : end) }
  })
}

/**
 * The offsets of each partition, in order of the partitions; a map for each question. Rejects with kafkajs's errors.
 * Transactions that are open end a partition, as they do for consumers that read what is committed.
 */
export async function offsetsOf(
  admin: SharedAdmin,
  topic: string,
  specs: readonly OffsetSpec[],
): Promise<Map<number, number>[]> {
  const { partitions } = await admin.topic(topic)
  const numbers = partitions.map(({ partition }) => partition).sort((a, b) => a - b)
  return admin.call(client =>
    Promise.all(
      specs.map(async spec => {
        const queries = numbers.map(partition => ({ topic, partition, spec }))
        const listed = await client.listOffsets(queries, { isolationLevel: 'read_committed' })
        const error = listed.find(each => each.error !== undefined)?.error
        if (error !== undefined) throw error
        return new Map(listed.map(({ partition, offset }) => [partition, offset]))
      }),
    ),
  )
}

function specOf(timestamp: unknown): OffsetSpec {
  if (timestamp === undefined || timestamp === null) return 'latest'
  // Those of messages are digits.
  const ms = Number(timestamp)
  if (ms === LATEST) return 'latest'
  if (ms === EARLIEST) return 'earliest'
  if (!Number.isInteger(ms)) throw invalid(`Invalid timestamp ${shown(timestamp)}`)
  return { timestamp: ms }
}
