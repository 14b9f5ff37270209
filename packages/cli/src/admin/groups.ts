import {
  ErrorCode,
  type AdminClient,
  type ConsumerGroupDescription,
  type ConsumerGroupMember,
  type ConsumerGroupState,
  type GroupType,
  type ListGroupsOptions,
  type MemberToRemove,
  type ShareGroupDescription,
  type TopicPartition,
} from 'ottla'
import { collect } from '../terminal/parsers.ts'
import type { Column } from '../terminal/table.ts'
import { UsageError } from '../terminal/terminal.ts'
import { parseTopicPartitions } from './arguments.ts'
import { lines, option, subject, verb, type AdminContext, type AdminSession } from './session.ts'
import { inOrder } from './shown.ts'

interface ListOptions {
  readonly state: readonly string[]
  readonly type: readonly string[]
}

/** Where a group is with one partition, and who has it. */
export interface GroupLag extends TopicPartition {
  /** null where nothing is committed. */
  readonly offset: number | null
  /** null where the partition could not be asked. */
  readonly endOffset: number | null
  readonly lag: number | null
  readonly memberId: string | null
  readonly clientId: string | null
  readonly host: string | null
}

type Described = ConsumerGroupDescription & { readonly offsets: readonly GroupLag[] }
type DescribedShare = ShareGroupDescription & { readonly type: 'share'; readonly offsets: readonly GroupLag[] }

export function addGroups(admin: AdminContext): AdminContext {
  const groups = subject(admin, 'groups', 'List, describe, reset and delete groups')
  const filters = [
    option('--state <state>', 'only groups in this state: Stable, Empty, ...; repeatable', collect, []),
    option('--type <type>', 'only groups of this type: classic, consumer, share; repeatable', collect, []),
  ]
  verb<ListOptions>(groups, 'list', 'All groups', filters, async (session, { state, type }) => {
    // The words are checked by the client, which knows them all.
    const wanted: ListGroupsOptions = { states: state as ConsumerGroupState[], types: type as GroupType[] }
    const client = await session.connect()
    const found = await client.listGroups({ ...session.limits, ...wanted })
    const columns = [
      { title: 'group', cell: g => g.groupId },
      { title: 'state', cell: g => g.state },
      { title: 'type', cell: g => g.type },
      { title: 'protocol', cell: g => g.protocol },
    ] satisfies Column<(typeof found.groups)[number]>[]
    session.emit(found, () => lines(found.groups, columns, 'no groups'))
    session.failures(found.errors)
  })

  const members = option('--members', 'the members and what they have, in place of the offsets')
  verb<{ members?: boolean }>(
    groups,
    'describe <groups...>',
    'State, members, committed offsets and how far they are behind',
    [members],
    async (session, options, ids) => {
      const client = await session.connect()
      const described = await Promise.all(ids.map(id => describe(client, session, id)))
      session.emit(described, () => described.flatMap(g => groupLines(g, options.members === true)))
      session.failures(described.map(g => g.error))
    },
  )

  verb(groups, 'delete <groups...>', 'Delete groups that have no members', [], async (session, _, ids) => {
    const client = await session.connect()
    session.done(await client.deleteConsumerGroups(ids, session.limits), ({ groupId }) => `deleted ${groupId}`)
  })

  verb(
    groups,
    'forget <group> <topics...>',
    'Forget committed offsets, written TOPIC or TOPIC:0,3',
    [],
    async (session, _, [group = '', ...topics]) => {
      const client = await session.connect()
      const partitions = await committedOf(client, session, group, topics)
      const results = await client.deleteConsumerGroupOffsets(group, partitions, session.limits)
      session.done(results, ({ topic, partition }) => `${group} has forgotten ${topic} [${partition}]`)
    },
  )

  const who = [
    option('--instance <id>', 'a static member by its group.instance.id; repeatable', collect, []),
    option('--member <id>', 'a member by its id; repeatable', collect, []),
    option('--all', 'all members'),
  ]
  verb<{ instance: readonly string[]; member: readonly string[]; all?: boolean }>(
    groups,
    'remove <group>',
    'Make members leave; they join again unless they are stopped',
    who,
    async (session, { instance, member, all }, [group = '']) => {
      const named: MemberToRemove[] = [
        ...instance.map(groupInstanceId => ({ groupInstanceId })),
        ...member.map(memberId => ({ memberId })),
      ]
      if ((all === true) === named.length > 0)
        throw new UsageError('name members with --instance or --member, or give --all')
      const client = await session.connect()
      const results = await client.removeMembersFromConsumerGroup(
        group,
        all === true ? undefined : named,
        session.limits,
      )
      session.done(results, r => `removed ${r.groupInstanceId ?? r.memberId}`)
    },
  )
  return groups
}

/** The partitions meant by `TOPIC` (all that the group has committed) and `TOPIC:0,3`. */
async function committedOf(
  client: AdminClient,
  session: AdminSession,
  group: string,
  topics: readonly string[],
): Promise<TopicPartition[]> {
  const asked = topics.map(parseTopicPartitions)
  const whole = asked.filter(t => t.partitions === undefined).map(t => t.topic)
  const committed = whole.length === 0 ? [] : await client.listConsumerGroupOffsets(group, undefined, session.limits)
  const none = whole.filter(topic => !committed.some(c => c.topic === topic))
  if (none.length > 0) throw new UsageError(`group '${group}' has committed nothing of ${none.join(', ')}`)
  return [
    ...committed.filter(c => whole.includes(c.topic)).map(({ topic, partition }) => ({ topic, partition })),
    ...asked.flatMap(({ topic, partitions }) => (partitions ?? []).map(partition => ({ topic, partition }))),
  ]
}

async function describe(client: AdminClient, session: AdminSession, id: string): Promise<Described | DescribedShare> {
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
  const partitions = [...new Map([...committed, ...owned].map(p => [key(p), p])).values()].sort(inOrder)
  const ends = await endOffsets(client, session, partitions)
  return {
    ...group,
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

/** A group of another kind answers as one that nobody is in. */
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

/** By partition; a partition that cannot be asked (its topic may be gone) is left out. */
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

/** How far behind a group is with one partition; what is not known is null. */
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
    // Offsets may have been committed of a topic that was made anew since.
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

function groupLines(group: Described | DescribedShare, members: boolean): string[] {
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
