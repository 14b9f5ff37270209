/** Kafka's own command line tools, many runs of them in one JVM. */
import assert from 'node:assert/strict'
import type { SharedKafka } from '../harness/shared.ts'

export interface ToolRun {
  /** Standard output and error. */
  readonly out: string
  readonly code: number
}

const classes = {
  'broker-api-versions': 'org.apache.kafka.tools.BrokerApiVersionsCommand',
  'console-consumer': 'org.apache.kafka.tools.consumer.ConsoleConsumer',
  'console-producer': 'org.apache.kafka.tools.ConsoleProducer',
  'console-share-consumer': 'org.apache.kafka.tools.consumer.ConsoleShareConsumer',
  'consumer-perf-test': 'org.apache.kafka.tools.ConsumerPerformance',
  'end-to-end-latency': 'org.apache.kafka.tools.EndToEndLatency',
  'producer-perf-test': 'org.apache.kafka.tools.ProducerPerformance',
  'share-consumer-perf-test': 'org.apache.kafka.tools.ShareConsumerPerformance',
  'verifiable-consumer': 'org.apache.kafka.tools.VerifiableConsumer',
  'verifiable-producer': 'org.apache.kafka.tools.VerifiableProducer',
  acls: 'org.apache.kafka.tools.AclCommand',
  'client-metrics': 'org.apache.kafka.tools.ClientMetricsCommand',
  cluster: 'org.apache.kafka.tools.ClusterTool',
  configs: 'kafka.admin.ConfigCommand',
  'consumer-groups': 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
  'delegation-tokens': 'org.apache.kafka.tools.DelegationTokenCommand',
  features: 'org.apache.kafka.tools.FeatureCommand',
  'get-offsets': 'org.apache.kafka.tools.GetOffsetShell',
  groups: 'org.apache.kafka.tools.GroupsCommand',
  'leader-election': 'org.apache.kafka.tools.LeaderElectionCommand',
  'log-dirs': 'org.apache.kafka.tools.LogDirsCommand',
  'metadata-quorum': 'org.apache.kafka.tools.MetadataQuorumCommand',
  'reassign-partitions': 'org.apache.kafka.tools.reassign.ReassignPartitionsCommand',
  'share-groups': 'org.apache.kafka.tools.consumer.group.ShareGroupCommand',
  topics: 'org.apache.kafka.tools.TopicCommand',
  transactions: 'org.apache.kafka.tools.TransactionsCommand',
} as const

/** `[tool, ...arguments]`, or what else AdminTools of test/java does. */
export type Step = readonly [keyof typeof classes | Scene, ...string[]]

/** Steps that print nothing. */
export type Scene = 'transaction' | 'member' | 'share' | 'input'

const scenes: ReadonlySet<string> = new Set<Scene>(['transaction', 'member', 'share', 'input'])

export function isScene(what: Step[0]): what is Scene {
  return scenes.has(what)
}

/** Runs all steps, one after the other; resolves with what each tool printed. */
export async function javaTools(
  kafka: Pick<SharedKafka, 'plainBootstrapServers' | 'javaTool'>,
  steps: readonly Step[],
): Promise<ToolRun[]> {
  const servers = kafka.plainBootstrapServers
  const lines = steps.map(([what, ...args]) => {
    if (isScene(what)) return JSON.stringify([what, servers, ...args])
    // Some have to log in, and say where.
    if (args.includes('--bootstrap-server')) return JSON.stringify([classes[what], ...args])
    const where = ['--bootstrap-server', servers]
    // The cluster tool wants the word first.
    const all = what === 'cluster' ? [...args, ...where] : [...where, ...args]
    return JSON.stringify([classes[what], ...all])
  })
  const { stdout, stderr, code } = await kafka.javaTool('AdminTools', [], lines.join('\n'))
  assert.equal(code, 0, stderr)
  return stdout
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as ToolRun) // as AdminTools writes it
}

/** A table as the tools print them: one object a row, by the words of the first line that begins with `first`. */
export function rows(out: string, first: string): Record<string, string>[] {
  const lines = out.split('\n').filter(line => line.trim() !== '')
  const from = lines.findIndex(line => line.trimStart().startsWith(first))
  assert.ok(from >= 0, `no line begins with ${first}:\n${out}`)
  const words = (line: string): string[] => line.trim().split(/\s{1,}/)
  const titles = words(lines[from] ?? '')
  return lines.slice(from + 1).map(line => {
    const cells = words(line)
    return Object.fromEntries(titles.map((title, i) => [title, cells[i] ?? '']))
  })
}
