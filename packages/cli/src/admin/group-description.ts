/** Finds and formats what `ottla admin groups describe` prints. */
import {
  ErrorCode,
  type AdminClient,
  type ConsumerGroupDescription,
  type ConsumerGroupMember,
  type ShareGroupDescription,
  type TopicPartition,
} from 'ottla'
import type { Column } from '../terminal/table.ts'
import { lines, type AdminSession } from './session.ts'
import { byTopicAndPartition } from './display.ts'

/** The position of a group in one partition, and the member that owns it. */
export interface GroupLag extends TopicPartition {
  /** null if nothing is committed. */
  readonly offset: number | null
  /** null if the end could not be queried. */
  readonly endOffset: number | null
  readonly lag: number | null
  readonly memberId: string | null
  readonly clientId: string | null
  readonly host: string | null
}

type Described = ConsumerGroupDescription & { readonly offsets: readonly GroupLag[] }
type DescribedShare = ShareGroupDescription & { readonly type: 'share'; readonly offsets: readonly GroupLag[] }

/** Describes a consumer group or, if there is none of that name, a share group. */
export async function describeGroup(
  client: AdminClient,
  session: AdminSession,
  id: string,
): Promise<Described | DescribedShare> {
  const [group] = await client.describeConsumerGroups([id], session.limits)
  if (group === undefined) throw new Error(`no answer about group '${id}'`)
  if (group.error?.code === ErrorCode.ERR_GROUP_ID_NOT_FOUND || isOther(group)) {
    const share = await describeShare(client, session, id)
    if (share !== undefined) return share
  }
  if (group.error !== undefined) return { ...group, offsets: [] }
  const committed = await client.listConsumerGroupOffsets(id, undefined, session.limits)
  const owned = group.members.flatMap(member => member.assignment.map(partition => ({ ...partition, member })))
  const offsets = new Map(committed.map(c => [key(c), c.offset]))
  const owners = new Map(owned.map(o => [key(o), o.member]))
  const partitions = [...new Map([...committed, ...owned].map(p => [key(p), p])).values()].sort(byTopicAndPartition)
  const ends = await endOffsets(client, session, partitions)
  return {
    ...group,
    // What their assignors wrote is for programs.
    members: group.members.map(({ memberMetadata: _metadata, memberAssignment: _assignment, ...member }) => member),
    offsets: partitions.map(({ topic, partition }) => {
      const offset = offsets.get(key({ topic, partition })) ?? -1
      return lagOf(
        { topic, partition },
        offset,
        ends.get(key({ topic, partition })),
        owners.get(key({ topic, partition })),
      )
    }),
  }
}

/** Brokers describe a group of another type as a dead one. */
function isOther(group: ConsumerGroupDescription): boolean {
  return group.error === undefined && group.state === 'Dead'
}

async function describeShare(
  client: AdminClient,
  session: AdminSession,
  id: string,
): Promise<DescribedShare | undefined> {
  const [share] = await client.describeShareGroups([id], session.limits)
  if (share === undefined || share.error !== undefined) return undefined
  const offsets = await client.listShareGroupOffsets(id, undefined, session.limits)
  return {
    ...share,
    type: 'share',
    offsets: offsets.map(({ topic, partition, startOffset, lag }) => ({
      ...{ topic, partition, memberId: null, clientId: null, host: null },
      offset: startOffset < 0 ? null : startOffset,
      endOffset: startOffset < 0 || lag < 0 ? null : startOffset + lag,
      lag: lag < 0 ? null : lag,
    })),
  }
}

/** By partition; one that cannot be queried (its topic may be deleted) is left out. */
async function endOffsets(
  client: AdminClient,
  session: AdminSession,
  partitions: readonly TopicPartition[],
): Promise<Map<string, number>> {
  if (partitions.length === 0) return new Map()
  const queries = partitions.map(({ topic, partition }) => ({ topic, partition, spec: 'latest' as const }))
  const found = await client.listOffsets(queries, session.limits)
  return new Map(found.filter(f => f.error === undefined).map(f => [key(f), f.offset]))
}

/** The lag of a group in one partition; unknown values are null. */
export function lagOf(
  { topic, partition }: TopicPartition,
  committed: number,
  end: number | undefined,
  owner: ConsumerGroupMember | undefined,
): GroupLag {
  const offset = committed < 0 ? null : committed
  const endOffset = end ?? null
  return {
    topic,
    partition,
    offset,
    endOffset,
    // The committed offset may be that of a topic that has since been deleted and created again.
    lag: offset === null || endOffset === null ? null : Math.max(0, endOffset - offset),
    memberId: owner?.memberId ?? null,
    clientId: owner?.clientId ?? null,
    host: owner?.host ?? null,
  }
}

const offsetColumns: Column<GroupLag>[] = [
  { title: 'topic', cell: o => o.topic },
  { title: 'partition', cell: o => o.partition, right: true },
  { title: 'offset', cell: o => o.offset ?? '-', right: true },
  { title: 'end', cell: o => o.endOffset ?? '-', right: true },
  { title: 'lag', cell: o => o.lag ?? '-', right: true },
  { title: 'member', cell: o => o.memberId ?? '' },
  { title: 'client', cell: o => o.clientId ?? '' },
  { title: 'host', cell: o => o.host ?? '' },
]

interface MemberRow {
  readonly memberId: string
  readonly clientId: string
  readonly host: string
  readonly groupInstanceId?: string
  readonly assignment: readonly TopicPartition[]
}

const memberColumns: Column<MemberRow>[] = [
  { title: 'member', cell: m => m.memberId },
  { title: 'instance', cell: m => m.groupInstanceId ?? '' },
  { title: 'client', cell: m => m.clientId },
  { title: 'host', cell: m => m.host },
  { title: 'partitions', cell: m => byTopic(m.assignment) },
]

/** A line about the group's state, then a table of its offsets or members. */
export function groupLines(group: Described | DescribedShare, members: boolean): string[] {
  if (group.error !== undefined) return []
  const assignor = 'assignor' in group ? group.assignor : group.protocol
  const where = group.coordinator === null ? '' : `, coordinator ${group.coordinator.id}`
  const how = assignor === '' ? '' : `, ${assignor}`
  const count = group.members.length === 1 ? '1 member' : `${group.members.length} members`
  const title = `group ${group.groupId}, ${group.type}, ${group.state}${how}, ${count}${where}`
  const rows: readonly MemberRow[] = group.members
  const table = members
    ? lines(rows, memberColumns, 'no members')
    : lines(group.offsets, offsetColumns, 'nothing is committed')
  return [title, ...table, '']
}

/** `orders:0,1 payments:3` */
function byTopic(partitions: readonly TopicPartition[]): string {
  const topics = new Map<string, number[]>()
  for (const { topic, partition } of partitions) topics.set(topic, [...(topics.get(topic) ?? []), partition])
  return [...topics].map(([topic, list]) => `${topic}:${list.sort((a, b) => a - b).join(',')}`).join(' ')
}

function key({ topic, partition }: TopicPartition): string {
  return `${topic}:${partition}`
}
