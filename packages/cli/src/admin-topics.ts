import type { NewTopic, PartitionDescription, TopicDescription } from 'ottla'
import { parseIds, parsePair, parsePartition } from './admin-arguments.ts'
import { lines, option, subject, verb, type AdminContext } from './admin-session.ts'
import { collect, integer } from './options.ts'
import type { Column } from './table.ts'
import { UsageError } from './terminal.ts'

interface CreateOptions {
  readonly partitions?: number
  readonly replicas?: number
  readonly config: readonly string[]
  readonly dryRun?: boolean
}

export function addTopics(admin: AdminContext): void {
  const topics = subject(admin, 'topics', 'Create, list, describe and delete topics')
  const internal = option('--internal', "also show Kafka's own topics")
  verb<{ internal?: boolean }>(topics, 'list', 'All topics', [internal], async (session, options) => {
    const client = await session.connect()
    const metadata = await client.getMetadata({ allTopics: true })
    const shown = metadata.topics
      .filter(t => options.internal === true || !t.isInternal)
      .map(({ topic, topicId, isInternal, partitions, error }) => ({
        topic,
        topicId,
        isInternal,
        partitions: partitions.length,
        replicas: partitions[0]?.replicas.length ?? 0,
        ...(error === undefined ? {} : { error }),
      }))
      .sort((a, b) => (a.topic < b.topic ? -1 : 1))
    const columns = [
      { title: 'topic', cell: t => t.topic },
      { title: 'partitions', cell: t => t.partitions, right: true },
      { title: 'replicas', cell: t => t.replicas, right: true },
      { title: 'id', cell: t => t.topicId },
    ] satisfies Column<(typeof shown)[number]>[]
    session.table(shown, columns, 'no topics')
  })

  verb(topics, 'describe <topics...>', 'The partitions of topics', [], async (session, _, names) => {
    const client = await session.connect()
    const described = await client.describeTopics(names, session.limits)
    session.emit(described, () => described.flatMap(topicLines))
    session.failures(described.map(t => t.error))
  })

  const createOptions = [
    option('-p, --partitions <number>', "how many; by default the broker's num.partitions", integer(1)),
    option('-r, --replicas <number>', "how many; by default the broker's default.replication.factor", integer(1)),
    option('-c, --config <name=value>', "configuration that differs from the broker's; repeatable", collect, []),
    option('--dry-run', 'have the broker check it, and create nothing'),
  ]
  verb<CreateOptions>(topics, 'create <topics...>', 'Create topics', createOptions, async (session, options, names) => {
    const { partitions, replicas, dryRun = false } = options
    const config = Object.fromEntries(options.config.map(parsePair))
    const wanted = names.map((topic): NewTopic => ({
      topic,
      ...(partitions === undefined ? {} : { numPartitions: partitions }),
      ...(replicas === undefined ? {} : { replicationFactor: replicas }),
      config,
    }))
    const client = await session.connect()
    const results = await client.createTopics(wanted, { ...session.limits, validateOnly: dryRun })
    session.done(results, ({ topic }) => (dryRun ? `${topic} could be created` : `created ${topic}`))
  })

  verb(topics, 'delete <topics...>', 'Delete topics and all that is in them', [], async (session, _, names) => {
    const client = await session.connect()
    session.done(await client.deleteTopics(names, session.limits), ({ topic }) => `deleted ${topic}`)
  })
}

export function addPartitions(admin: AdminContext): void {
  const partitions = subject(admin, 'partitions', 'Add partitions, and move them between brokers')
  const dryRun = option('--dry-run', 'have the broker check it, and add nothing')
  verb<{ dryRun?: boolean }>(
    partitions,
    'grow <topic> <count>',
    'Add partitions until there are so many; keys land in other partitions from then on',
    [dryRun],
    async (session, options, [topic = '', count = '']) => {
      if (!/^[1-9]\d*$/.test(count)) throw new UsageError(`${count}: the number of partitions is a whole number`)
      const client = await session.connect()
      const wanted = [{ topic, increaseTo: Number(count) }]
      const validateOnly = options.dryRun === true
      const results = await client.createPartitions(wanted, { ...session.limits, validateOnly })
      session.done(results, () =>
        validateOnly ? `${topic} could have ${count} partitions` : `${topic} has ${count} partitions`,
      )
    },
  )

  verb(
    partitions,
    'move <moves...>',
    'Move partitions, written TOPIC:PARTITION=1,2,3, the preferred leader first; goes on in the background',
    [],
    async (session, _, moves) => {
      const wanted = moves.map(text => {
        const [where, brokers] = parsePair(text)
        return { ...parsePartition(where), replicas: parseIds(brokers, text) }
      })
      const client = await session.connect()
      const results = await client.alterPartitionReassignments(wanted, session.limits)
      session.done(results, ({ topic, partition }) => `${topic} [${partition}] is being moved`)
    },
  )

  verb(
    partitions,
    'cancel <partitions...>',
    'Call off moves, written TOPIC:PARTITION',
    [],
    async (session, _, list) => {
      const wanted = list.map(text => ({ ...parsePartition(text), replicas: null }))
      const client = await session.connect()
      const results = await client.alterPartitionReassignments(wanted, session.limits)
      session.done(results, ({ topic, partition }) => `${topic} [${partition}] stays where it was`)
    },
  )

  verb(partitions, 'moving', 'The moves that are under way', [], async session => {
    const client = await session.connect()
    const moving = await client.listPartitionReassignments(undefined, session.limits)
    const columns = [
      { title: 'topic', cell: m => m.topic },
      { title: 'partition', cell: m => m.partition, right: true },
      { title: 'replicas', cell: m => m.replicas.join(',') },
      { title: 'adding', cell: m => m.addingReplicas.join(',') },
      { title: 'removing', cell: m => m.removingReplicas.join(',') },
    ] satisfies Column<(typeof moving)[number]>[]
    session.emit(moving, () => lines(moving, columns, 'no partition is being moved'))
  })
}

export function addLeaders(admin: AdminContext): void {
  const leaders = subject(admin, 'leaders', 'Elect leaders')
  const options = [
    option('--all', 'all partitions that need it'),
    option('--unclean', 'let a replica lead that lacks records, which are lost then; only where there is no leader'),
  ]
  verb<{ all?: boolean; unclean?: boolean }>(
    leaders,
    'elect [partitions...]',
    'Make the preferred replicas of partitions lead, written TOPIC:PARTITION',
    options,
    async (session, { all, unclean }, list) => {
      if ((all === true) === list.length > 0) throw new UsageError('name the partitions, or give --all')
      const wanted = all === true ? undefined : list.map(parsePartition)
      const client = await session.connect()
      const results = await client.electLeaders(unclean === true ? 'unclean' : 'preferred', wanted, session.limits)
      const needless = results.filter(r => r.error?.name === 'ERR_ELECTION_NOT_NEEDED')
      for (const r of needless) session.note(`${r.topic} [${r.partition}] has the leader that it should have`)
      session.done(
        results.filter(r => !needless.includes(r)),
        ({ topic, partition }) => `${topic} [${partition}] has a new leader`,
      )
    },
  )
}

const partitionColumns: Column<PartitionDescription>[] = [
  { title: 'partition', cell: p => p.partition, right: true },
  { title: 'leader', cell: p => (p.leader < 0 ? 'none' : p.leader), right: true },
  { title: 'replicas', cell: p => p.replicas.join(',') },
  { title: 'in sync', cell: p => p.isr.join(',') },
  { title: 'offline', cell: p => p.offlineReplicas.join(',') },
]

function topicLines(topic: TopicDescription): string[] {
  if (topic.error !== undefined) return []
  const internal = topic.isInternal ? ', internal' : ''
  return [`topic ${topic.topic}, id ${topic.topicId}${internal}`, ...lines(topic.partitions, partitionColumns), '']
}
