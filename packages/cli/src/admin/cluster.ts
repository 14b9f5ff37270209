import type { BrokerMetadata, FeatureUpdate, LogDirReplica, QuorumReplica } from 'ottla'
import { hostPort } from '../terminal/host-port.ts'
import { collect } from '../terminal/parsers.ts'
import type { Column } from '../terminal/table.ts'
import { UsageError } from '../terminal/terminal.ts'
import { parsePair, parseTopicPartitions } from './arguments.ts'
import { lines, option, subject, verb, type AdminContext } from './session.ts'
import { byTopicAndPartition, timeText } from './display.ts'

interface DirsOptions {
  readonly broker: readonly string[]
  readonly topic: readonly string[]
}

interface FeatureOptions {
  readonly downgrade?: boolean
  readonly unsafeDowngrade?: boolean
  readonly dryRun?: boolean
}

export function addCluster(admin: AdminContext): void {
  const cluster = subject(admin, 'cluster', 'Brokers, controllers, directories and features')
  verb(cluster, 'describe', 'Show the cluster id and the brokers', [], async session => {
    const client = await session.connect()
    const described = await client.describeCluster(session.limits)
    const columns = [
      { title: 'broker', cell: n => n.id, right: true },
      { title: 'address', cell: n => hostPort(n.host, n.port) },
      { title: 'rack', cell: n => n.rack ?? '' },
      { title: '', cell: n => (n.id === described.controllerId ? 'controller' : '') },
    ] satisfies Column<BrokerMetadata>[]
    const title = `cluster ${described.clusterId ?? '(without an id)'}`
    session.emit(described, () => [title, '', ...lines(described.nodes, columns)])
  })

  verb(cluster, 'quorum', 'Show the controllers and their lag', [], async session => {
    const client = await session.connect()
    const quorum = await client.describeMetadataQuorum(session.limits)
    const end = Math.max(...[...quorum.voters, ...quorum.observers].map(r => r.logEndOffset))
    const role = (r: QuorumReplica): string =>
      r.replicaId === quorum.leaderId ? 'leader' : quorum.voters.includes(r) ? 'voter' : 'observer'
    const columns = [
      { title: 'node', cell: r => r.replicaId, right: true },
      { title: 'role', cell: role },
      { title: 'end', cell: r => r.logEndOffset, right: true },
      { title: 'lag', cell: r => end - r.logEndOffset, right: true },
      { title: 'last fetch', cell: r => timeText(r.lastFetchTimestamp) },
      { title: 'caught up', cell: r => timeText(r.lastCaughtUpTimestamp) },
    ] satisfies Column<QuorumReplica>[]
    const { leaderId, leaderEpoch, highWatermark } = quorum
    const title = `leader ${leaderId}, epoch ${leaderEpoch}, high watermark ${highWatermark}`
    session.emit(quorum, () => [title, '', ...lines([...quorum.voters, ...quorum.observers], columns)])
  })

  verb(cluster, 'features', 'Show supported features, and the levels in force', [], async session => {
    const client = await session.connect()
    const features = await client.describeFeatures(session.limits)
    const columns = [
      { title: 'feature', cell: name => name },
      { title: 'supported', cell: name => levels(features.supported[name]) },
      { title: 'in force', cell: name => features.finalized[name]?.max ?? 0, right: true },
    ] satisfies Column<string>[]
    session.emit(features, () => lines(Object.keys(features.supported).sort(), columns, 'no features'))
  })

  const featureOptions = [
    option('--downgrade', 'to a lower level, if no data is lost'),
    option('--unsafe-downgrade', 'to a lower level, even if data is lost'),
    option('--dry-run', 'let the broker check it, and change nothing'),
  ]
  verb<FeatureOptions>(
    cluster,
    'set-feature <features...>',
    'Set feature levels, written NAME=LEVEL',
    featureOptions,
    async (session, options, list) => {
      const { downgrade, unsafeDowngrade, dryRun = false } = options
      const upgradeType =
        unsafeDowngrade === true ? 'unsafe-downgrade' : downgrade === true ? 'safe-downgrade' : 'upgrade'
      const wanted = list.map((text): FeatureUpdate => {
        const [feature, level] = parsePair(text)
        if (!/^\d+$/.test(level)) throw new UsageError(`${text}: the level must be a whole number`)
        return { feature, maxVersionLevel: Number(level), upgradeType }
      })
      const client = await session.connect()
      const results = await client.updateFeatures(wanted, { ...session.limits, validateOnly: dryRun })
      session.printResults(results, ({ feature }) => `${feature} ${dryRun ? 'could be' : 'is'} changed`)
    },
  )

  const dirsOptions = [
    option('--broker <id>', 'only this broker; repeatable', collect, []),
    option('-t, --topic <topic>', 'only this topic; repeatable', collect, []),
  ]
  verb<DirsOptions>(
    cluster,
    'dirs',
    "Show the replicas in the brokers' log directories",
    dirsOptions,
    async (session, options) => {
      const topics = options.topic.map(parseTopicPartitions)
      const ids = options.broker.map(brokerId)
      const client = await session.connect()
      const brokers = await client.describeLogDirs(ids.length === 0 ? undefined : ids, session.limits)
      const wanted = (r: LogDirReplica): boolean =>
        topics.length === 0 || topics.some(t => t.topic === r.topic && (t.partitions?.includes(r.partition) ?? true))
      const shown = brokers.map(broker => ({
        ...broker,
        logDirs: broker.logDirs.map(dir => ({
          ...dir,
          replicas: dir.replicas.filter(wanted).sort(byTopicAndPartition),
        })),
      }))
      const rows = shown.flatMap(b =>
        b.logDirs.flatMap(d => d.replicas.map(r => ({ ...r, broker: b.brokerId, path: d.path }))),
      )
      const columns = [
        { title: 'broker', cell: r => r.broker, right: true },
        { title: 'directory', cell: r => r.path },
        { title: 'topic', cell: r => r.topic },
        { title: 'partition', cell: r => r.partition, right: true },
        { title: 'bytes', cell: r => r.sizeBytes, right: true },
        { title: 'lag', cell: r => r.offsetLag, right: true },
        { title: '', cell: r => (r.isFuture ? 'being moved here' : '') },
      ] satisfies Column<(typeof rows)[number]>[]
      session.emit(shown, () => lines(rows, columns, 'no replicas'))
      session.reportErrors(shown.flatMap(b => [b.error, ...b.logDirs.map(d => d.error)]))
    },
  )

  verb(
    cluster,
    'move-dir <moves...>',
    'Move replicas to other directories, written TOPIC:PARTITION:BROKER=PATH',
    [],
    async (session, _, list) => {
      const wanted = list.map(text => {
        const [, topic, partition, broker, path] = /^(.+):(\d+):(\d+)=(.+)$/.exec(text) ?? []
        if (topic === undefined || path === undefined)
          throw new UsageError(`${text}: write it as TOPIC:PARTITION:BROKER=PATH`)
        return { topic, partition: Number(partition), brokerId: Number(broker), path }
      })
      const client = await session.connect()
      const results = await client.alterReplicaLogDirs(wanted, session.limits)
      session.printResults(results, r => `${r.topic} [${r.partition}] on broker ${r.brokerId} is being moved`)
    },
  )

  verb(
    cluster,
    'unregister <broker>',
    'Unregister a broker that is gone for good',
    [],
    async (session, _, [text = '']) => {
      const id = brokerId(text)
      const client = await session.connect()
      await client.unregisterBroker(id, session.limits)
      session.printResult({ brokerId: id }, `broker ${id} is unregistered`)
    },
  )
}

function brokerId(text: string): number {
  if (!/^\d+$/.test(text)) throw new UsageError(`${text}: the broker id must be a whole number`)
  return Number(text)
}

function levels(versions: { min: number; max: number } | undefined): string {
  return versions === undefined ? '' : `${versions.min} to ${versions.max}`
}
