import type { Command } from 'commander'
import { AdminClient, KafkaError, type Metadata } from 'ottla'
import { firstContact } from '../client/connect.ts'
import { explain } from '../client/explain.ts'
import {
  addClusterOptions,
  clientOptions,
  clusterProperties,
  requireBrokers,
  type ClusterOptions,
} from '../client/options.ts'
import { hostPort } from '../terminal/host-port.ts'
import { tableLines, type Column } from '../terminal/table.ts'
import { DONE, FAILED, type Terminal } from '../terminal/terminal.ts'

interface MetaOptions extends ClusterOptions {
  readonly topic?: string
  readonly json?: boolean
}

type Topic = Metadata['topics'][number]
type Broker = Metadata['brokers'][number]
type Partition = Topic['partitions'][number]

export function addMeta(program: Command, terminal: Terminal, exit: (status: number) => void): void {
  const command = program
    .command('meta')
    .description('Show brokers and topics (kcat -L)')
    .option('-t, --topic <topic>', 'show the partitions of this topic')
    .option('-J, --json', 'print one JSON object')
  addClusterOptions(command).action(async (options: MetaOptions) => {
    exit(await meta(options, terminal))
  })
}

async function meta(options: MetaOptions, terminal: Terminal): Promise<number> {
  const config = requireBrokers(clusterProperties(options))
  const shared = clientOptions(terminal, options)
  const admin = new AdminClient(config, shared)
  try {
    const { topic } = options
    const metadata = await firstContact(admin, topic === undefined ? {} : { topic })
    const lines = options.json === true ? [JSON.stringify(metadata, jsonError)] : describe(metadata, topic)
    terminal.stdout.write(`${lines.join('\n')}\n`)
    const error = topic === undefined ? undefined : metadata.topics[0]?.error
    if (error === undefined) return DONE
    terminal.stderr.write(`ottla meta: ${explain(error)}\n`)
    return FAILED
  } finally {
    await admin.close()
    shared.record?.close()
  }
}

/** The output as text: the cluster, its brokers, and its topics or the partitions of one. */
export function describe(metadata: Metadata, topic: string | undefined): string[] {
  const { clusterId, controllerId, brokers, topics } = metadata
  const lines = [
    `cluster ${clusterId ?? '(without an id)'}`,
    '',
    ...tableLines(brokers, brokerColumns(controllerId)),
    '',
  ]
  if (topic === undefined) {
    lines.push(...(topics.length === 0 ? ['no topics'] : tableLines(topics.toSorted(byName), topicColumns)))
    return lines
  }
  const found = topics.find(t => t.topic === topic)
  if (found === undefined || found.error !== undefined) return lines.slice(0, -1)
  lines.push(`topic ${topic}, id ${found.topicId}`, '', ...tableLines(found.partitions, partitionColumns))
  return lines
}

function brokerColumns(controllerId: number): Column<Broker>[] {
  return [
    { title: 'broker', cell: b => b.id, right: true },
    { title: 'address', cell: b => hostPort(b.host, b.port) },
    { title: 'rack', cell: b => b.rack ?? '' },
    { title: '', cell: b => (b.id === controllerId ? 'controller' : '') },
  ]
}

const topicColumns: Column<Topic>[] = [
  { title: 'topic', cell: t => t.topic },
  { title: 'partitions', cell: t => t.partitions.length, right: true },
  { title: 'replicas', cell: t => t.partitions[0]?.replicas.length ?? 0, right: true },
  { title: 'leaderless', cell: t => t.partitions.filter(p => p.leader < 0).length || '', right: true },
  {
    title: 'under-replicated',
    cell: t => t.partitions.filter(p => p.isr.length < p.replicas.length).length || '',
    right: true,
  },
  { title: '', cell: t => (t.error === undefined ? (t.isInternal ? 'internal' : '') : explain(t.error)) },
]

const partitionColumns: Column<Partition>[] = [
  { title: 'partition', cell: p => p.partition, right: true },
  { title: 'leader', cell: p => (p.leader < 0 ? 'none' : p.leader), right: true },
  { title: 'replicas', cell: p => p.replicas.join(',') },
  { title: 'in sync', cell: p => p.isr.join(',') },
  { title: 'offline', cell: p => p.offlineReplicas.join(',') },
]

function byName(a: Topic, b: Topic): number {
  return a.topic < b.topic ? -1 : 1
}

/** An Error has no enumerable fields, so JSON.stringify would print `{}`. */
function jsonError(key: string, value: unknown): unknown {
  if (key !== 'error' || !(value instanceof KafkaError)) return value
  const { code, name, message } = value
  return { code, name, message }
}
