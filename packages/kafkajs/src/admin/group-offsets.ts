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
/** The metadata of an offset that was committed for a logical one: every client of the group goes on where it was meant. */
const meant: ReadonlyMap<number, string> = new Map([
  [LATEST, 'kafkajs:latest'],
  [EARLIEST, 'kafkajs:earliest'],
])

/**
 * What the group has committed for all partitions of these topics: -1 where there is nothing; as in kafkajs, -1 or -2 where
 * that was set and nothing has been committed since.
 */
export async function fetchOffsets(admin: SharedAdmin, options: FetchOptions): Promise<TopicOffsets[]> {
  const { resolveOffsets = false } = options
  const groupId = requireName(options.groupId, 'groupId')
  const topics = requireArray(options.topics ?? [], 'topics')
  const partitions = topics.length === 0 ? undefined : await partitionsOf(admin, topics)
  const committed = await admin.call(client => client.listConsumerGroupOffsets(groupId, partitions))
  throwFirst(committed)
  const byTopic = new Map<string, FetchOffsetsPartition[]>()
  for (const { topic, partition, offset, metadata } of committed) {
    const logical = [...meant.keys()].find(each => meant.get(each) === metadata)
    const entry =
      logical === undefined
        ? { partition, offset: String(Math.max(offset, LATEST)), metadata: metadata || null }
        : { partition, offset: String(logical), metadata: null }
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
  const isLogical = entries.some(({ offset }) => offset < 0)
  const ends = isLogical ? await endsOf(admin, topic) : new Map<number, ReadonlyMap<number, number>>()
  const offsets = entries.map(entry => {
    const { partition, offset } = entry
    if (offset >= 0) return entry
    const end = ends.get(offset)?.get(partition)
    if (end === undefined) throw invalid(`Invalid offset ${offset} for partition ${partition} of "${topic}"`)
    return { ...entry, offset: end, metadata: meant.get(offset) ?? null }
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

/** Commits what -1 and -2 mean now: the end of those partitions for which nothing is committed, too. */
async function resolved(
  admin: SharedAdmin,
  groupId: string,
  { topic, partitions }: TopicOffsets,
): Promise<TopicOffsets> {
  if (partitions.every(({ offset }) => Number(offset) >= 0)) return { topic, partitions }
  const ends = await endsOf(admin, topic)
  const changed: FetchOffsetsPartition[] = []
  const complete = partitions.map(entry => {
    const end = ends.get(Number(entry.offset))?.get(entry.partition)
    if (end === undefined) return entry
    const changedEntry = { ...entry, offset: String(end) }
    changed.push(changedEntry)
    return changedEntry
  })
  if (changed.length > 0) await setOffsets(admin, { groupId, topic, partitions: changed })
  return { topic, partitions: complete }
}

/** Where logical offsets lead, by partition. */
async function endsOf(admin: SharedAdmin, topic: string): Promise<ReadonlyMap<number, ReadonlyMap<number, number>>> {
  const [latest = new Map<number, number>(), earliest = new Map<number, number>()] = await offsetsOf(admin, topic, [
    'latest',
    'earliest',
  ])
  return new Map([
    [LATEST, latest],
    [EARLIEST, earliest],
  ])
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
