import type { NewTopic, PartitionDescription, TopicDescription } from 'ottla'
import { collect, integer } from '../terminal/parsers.ts'
import type { Column } from '../terminal/table.ts'
import { parsePair } from './arguments.ts'
import { lines, option, subject, verb, type AdminContext } from './session.ts'

interface CreateOptions {
  readonly partitions?: number
  readonly replicas?: number
  readonly config: readonly string[]
  readonly dryRun?: boolean
}

export function addTopics(admin: AdminContext): void {
  const topics = subject(admin, 'topics', 'Create, list, describe and delete topics')
  const internal = option('--internal', "also show Kafka's own topics")
  verb<{ internal?: boolean }>(topics, 'list', 'List all topics', [internal], async (session, options) => {
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

  verb(topics, 'describe <topics...>', 'Show the partitions of topics', [], async (session, _, names) => {
    const client = await session.connect()
    const described = await client.describeTopics(names, session.limits)
    session.emit(described, () => described.flatMap(topicLines))
    session.reportErrors(described.map(t => t.error))
  })

  const createOptions = [
    option('-p, --partitions <number>', "number of partitions; by default the broker's num.partitions", integer(1)),
    option(
      '-r, --replicas <number>',
      "number of replicas; by default the broker's default.replication.factor",
      integer(1),
    ),
    option(
      '-c, --config <name=value>',
      "configuration that differs from the broker's default; repeatable",
      collect,
      [],
    ),
    option('--dry-run', 'let the broker check it, and create nothing'),
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
    session.printResults(results, ({ topic }) => (dryRun ? `${topic} could be created` : `created ${topic}`))
  })

  verb(topics, 'delete <topics...>', 'Delete topics and their messages', [], async (session, _, names) => {
    const client = await session.connect()
    session.printResults(await client.deleteTopics(names, session.limits), ({ topic }) => `deleted ${topic}`)
  })
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
