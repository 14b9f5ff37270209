import type {
  AdminClient,
  ConsumerGroupState,
  GroupType,
  ListGroupsOptions,
  MemberToRemove,
  TopicPartition,
} from 'ottla'
import { collect } from '../terminal/parsers.ts'
import type { Column } from '../terminal/table.ts'
import { UsageError } from '../terminal/terminal.ts'
import { parseTopicPartitions } from './arguments.ts'
import { describeGroup, groupLines } from './group-description.ts'
import { lines, option, subject, verb, type AdminContext, type AdminSession } from './session.ts'

interface ListOptions {
  readonly state: readonly string[]
  readonly type: readonly string[]
}

export function addGroups(admin: AdminContext): AdminContext {
  const groups = subject(admin, 'groups', 'List, describe, reset and delete groups')
  const filters = [
    option('--state <state>', 'only groups in this state: Stable, Empty, ...; repeatable', collect, []),
    option('--type <type>', 'only groups of this type: classic, consumer, share; repeatable', collect, []),
  ]
  verb<ListOptions>(groups, 'list', 'List all groups', filters, async (session, { state, type }) => {
    // The client checks the words.
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
    session.reportErrors(found.errors)
  })

  const members = option('--members', 'the members and their partitions, instead of the offsets')
  verb<{ members?: boolean }>(
    groups,
    'describe <groups...>',
    'Show state, members, committed offsets and lag',
    [members],
    async (session, options, ids) => {
      const client = await session.connect()
      const described = await Promise.all(ids.map(id => describeGroup(client, session, id)))
      session.emit(described, () => described.flatMap(g => groupLines(g, options.members === true)))
      session.reportErrors(described.map(g => g.error))
    },
  )

  verb(groups, 'delete <groups...>', 'Delete groups that have no members', [], async (session, _, ids) => {
    const client = await session.connect()
    session.printResults(await client.deleteConsumerGroups(ids, session.limits), ({ groupId }) => `deleted ${groupId}`)
  })

  verb(
    groups,
    'forget <group> <topics...>',
    'Delete committed offsets of topics, written TOPIC or TOPIC:0,3',
    [],
    async (session, _, [group = '', ...topics]) => {
      const client = await session.connect()
      const partitions = await committedOf(client, session, group, topics)
      const results = await client.deleteConsumerGroupOffsets(group, partitions, session.limits)
      session.printResults(results, ({ topic, partition }) => `${group} has forgotten ${topic} [${partition}]`)
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
    'Remove members; they rejoin unless they are stopped',
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
      session.printResults(results, r => `removed ${r.groupInstanceId ?? r.memberId}`)
    },
  )
  return groups
}

/** The partitions named by `TOPIC` (all with a committed offset) and `TOPIC:0,3`. */
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
  if (none.length > 0) throw new UsageError(`group '${group}' has no committed offsets for ${none.join(', ')}`)
  return [
    ...committed.filter(c => whole.includes(c.topic)).map(({ topic, partition }) => ({ topic, partition })),
    ...asked.flatMap(({ topic, partitions }) => (partitions ?? []).map(partition => ({ topic, partition }))),
  ]
}
