/** The calls of an admin client that concern what groups have committed. */
import type { TopicPartition } from 'ottla'
import { GroupDescriber } from '../translate/groups.ts'
import { offsetOf, partitionOf } from '../translate/offsets.ts'
import type { SharedAdmin } from '../translate/shared-admin.ts'
import type { Admin } from '../types/admin.ts'
import type { FetchOffsetsPartition } from '../types/metadata.ts'
import { invalid, requireArray, requireName, requirePartitions } from './arguments.ts'
import { offsetsOf } from './topic-offsets.ts'
import { throwFirst } from './results.ts'

type FetchOptions = Parameters<Admin['fetchOffsets']>[0]
type SetOptions = Parameters<Admin['setOffsets']>[0]
type ResetOptions = Parameters<Admin['resetOffsets']>[0]
type TopicOffsets = { topic: string; partitions: FetchOffsetsPartition[] }

/** Logical offsets: the end, and the first message. */
const LATEST = -1
const EARLIEST = -2
const NONE = '-1'

/** What the group has committed for all partitions of these topics; -1 where there is nothing. */
export async function fetchOffsets(admin: SharedAdmin, options: FetchOptions): Promise<TopicOffsets[]> {
  const { resolveOffsets = false } = options
  const groupId = requireName(options.groupId, 'groupId')
  const topics = requireArray(options.topics ?? [], 'topics')
  const partitions = topics.length === 0 ? undefined : await partitionsOf(admin, topics)
  const committed = await admin.call(client => client.listConsumerGroupOffsets(groupId, partitions))
  throwFirst(committed)
  const byTopic = new Map<string, FetchOffsetsPartition[]>()
  for (const { topic, partition, offset, metadata } of committed) {
    const entry = { partition, offset: offset >= 0 ? String(offset) : NONE, metadata: metadata || null }
    byTopic.set(topic, [...(byTopic.get(topic) ?? []), entry])
  }
  const found = [...byTopic].map(([topic, entries]) => ({ topic, partitions: entries }))
  return resolveOffsets ? Promise.all(found.map(each => resolved(admin, groupId, each))) : found
}

/** Moves a group that nobody is in; an offset of -1 is the end, -2 the first message. */
export async function setOffsets(admin: SharedAdmin, options: SetOptions): Promise<void> {
  const groupId = requireName(options.groupId, 'groupId')
  const topic = requireName(options.topic, 'topic')
  const given = requirePartitions(options.partitions)
  const entries = given.map(each => ({
    topic,
    partition: partitionOf(each.partition),
    offset: offsetOf(each.offset),
  }))
  await requireStopped(admin, groupId)
  const ends = entries.some(({ offset }) => offset < 0) ? await offsetsOf(admin, topic, ['latest', 'earliest']) : []
  const [latest, earliest] = ends
  const offsets = entries.map(entry => {
    const { partition, offset } = entry
    const end = offset === LATEST ? latest?.get(partition) : offset === EARLIEST ? earliest?.get(partition) : offset
    if (end === undefined || end < 0) throw invalid(`Invalid offset ${offset} for partition ${partition} of "${topic}"`)
    return { ...entry, offset: end }
  })
  throwFirst(await admin.call(client => client.alterConsumerGroupOffsets(groupId, offsets)))
}

/** Moves a group that nobody is in to the end of a topic, or to its first messages. */
export async function resetOffsets(admin: SharedAdmin, options: ResetOptions): Promise<void> {
  const groupId = requireName(options.groupId, 'groupId')
  const topic = requireName(options.topic, 'topic')
  const offset = String((options.earliest as boolean | undefined) === true ? EARLIEST : LATEST)
  const partitions = await partitionsOf(admin, [topic])
  await setOffsets(admin, { groupId, topic, partitions: partitions.map(({ partition }) => ({ partition, offset })) })
}

/** Commits the end of those partitions for which nothing is committed. */
async function resolved(
  admin: SharedAdmin,
  groupId: string,
  { topic, partitions }: TopicOffsets,
): Promise<TopicOffsets> {
  const missing = partitions.filter(({ offset }) => offset === NONE)
  if (missing.length === 0) return { topic, partitions }
  const [latest] = await offsetsOf(admin, topic, ['latest'])
  const complete = partitions.map(entry =>
    entry.offset === NONE ? { ...entry, offset: String(latest?.get(entry.partition) ?? NONE) } : entry,
  )
  const wasMissing = new Set(missing.map(({ partition }) => partition))
  await setOffsets(admin, { groupId, topic, partitions: complete.filter(({ partition }) => wasMissing.has(partition)) })
  return { topic, partitions: complete }
}

async function partitionsOf(admin: SharedAdmin, topics: readonly string[]): Promise<TopicPartition[]> {
  const described = await Promise.all([...new Set(topics)].map(topic => admin.topic(topic)))
  return described.flatMap(({ topic, partitions }) =>
    partitions
      .map(({ partition }) => partition)
      .sort((a, b) => a - b)
      .map(partition => ({ topic, partition })),
  )
}

/** Rejects if the group has members: they would go on from where they are. */
async function requireStopped(admin: SharedAdmin, groupId: string): Promise<void> {
  const { state } = await new GroupDescriber(await admin.client(), admin.plan).describe(groupId)
  if (state === 'Empty' || state === 'Dead') return
  throw invalid(`The consumer group must have no running instances, current state: ${state}`)
}
