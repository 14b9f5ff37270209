/** Kafka's command line tools for operators, on the embedded cluster. */
import { EmbeddedCluster, type TelemetryPush } from '@ottla/broker'
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { runJava } from '../harness/java.ts'
import { javaTools, rows, type Step, type ToolRun } from '../real/java-tools.ts'

const client = '--entity-type users --entity-name alice --entity-type clients --entity-name batch'
const broker = '--entity-type brokers --entity-name 1'
const loggers = '--entity-type broker-loggers --entity-name 1'

/** What is run, in this order and in one JVM; MOVE is a file that asks for a move. */
const script: readonly (readonly [name: string, line: string])[] = [
  ['made', 'topics --create --topic moved --replica-assignment 1:2:3'],
  ['moved', 'reassign-partitions --execute --reassignment-json-file MOVE'],
  ['verified', 'reassign-partitions --verify --reassignment-json-file MOVE'],
  ['moves', 'reassign-partitions --list'],
  ['elected', 'leader-election --election-type preferred --topic moved --partition 0'],
  ['elected again', 'leader-election --election-type preferred --all-topic-partitions'],
  ['described', 'topics --describe --topic moved'],
  ['directories', 'log-dirs --describe --topic-list moved'],
  ['features', 'features describe'],
  ['downgraded', 'features downgrade --feature share.version=0'],
  ['features after', 'features describe'],
  ['quorum', 'metadata-quorum describe --status'],
  ['voters', 'metadata-quorum describe --replication'],
  ['quota set', `configs --alter ${client} --add-config producer_byte_rate=1024,request_percentage=20`],
  ['quota', `configs --describe ${client}`],
  ['quota gone', `configs --alter ${client} --delete-config producer_byte_rate,request_percentage`],
  ['broker set', `configs --alter ${broker} --add-config log.cleaner.threads=2`],
  ['all brokers set', 'configs --alter --entity-type brokers --entity-default --add-config log.cleaner.threads=3'],
  ['broker described', `configs --describe ${broker} --all`],
  ['loggers set', `configs --alter ${loggers} --add-config root=DEBUG`],
  ['loggers described', `configs --describe ${loggers}`],
  ['metrics wanted', 'client-metrics --alter --name producers --metrics org.apache.kafka.producer. --interval 100'],
  ['metrics', 'client-metrics --describe'],
  ['producer', 'producer-perf-test --topic moved --num-records 50 --record-size 10 --throughput 100'],
  ['metrics gone', 'client-metrics --delete --name producers'],
  ['metrics left', 'client-metrics --list'],
  ['endpoints', 'cluster list-endpoints'],
]

let cluster: EmbeddedCluster
let folder: string
const printed = new Map<string, ToolRun>()
const pushed: TelemetryPush[] = []

before(async () => {
  cluster = await EmbeddedCluster.start({ brokers: 3, onTelemetry: push => pushed.push(push) })
  folder = await mkdtemp(join(tmpdir(), 'ottla-move-'))
  const file = join(folder, 'move.json')
  await writeFile(
    file,
    JSON.stringify({ version: 1, partitions: [{ topic: 'moved', partition: 0, replicas: [2, 1] }] }),
  )
  const where = {
    plainBootstrapServers: cluster.bootstrapServers,
    javaTool: (className: string, args: readonly string[], stdin?: string | Buffer) =>
      runJava('4.3.1', className, args, stdin),
  }
  // The first word is one of the tools.
  const steps = script.map(([, line]) => line.replace('MOVE', file).split(' ') as unknown as Step)
  const runs = await javaTools(where, steps)
  for (const [i, [name]] of script.entries()) printed.set(name, runs[i] ?? { out: 'nothing came back', code: -1 })
})
after(async () => {
  await cluster.close()
  await rm(folder, { recursive: true })
})

/** What the tool printed; it has to have ended well. */
function said(name: string): string {
  const { out, code } = printed.get(name) ?? { out: 'it was not run', code: -1 }
  assert.equal(code, 0, `${name}: ${out}`)
  return out
}

test('every tool ends well', () => {
  for (const name of printed.keys()) said(name)
})

test('a partition is moved by kafka-reassign-partitions and gets its leader by kafka-leader-election', () => {
  assert.match(said('verified'), /moved-0 is completed/)
  assert.match(said('moves'), /No partition reassignments found/)
  assert.match(said('elected'), /Successfully completed leader election/)
  assert.match(said('described'), /Leader: 2\tReplicas: 2,1\t/)
})

test('kafka-log-dirs finds the replicas', () => {
  const line = said('directories')
    .split('\n')
    .find(each => each.startsWith('{'))
  const { brokers } = JSON.parse(line ?? '{}') as {
    brokers: { broker: number; logDirs: { partitions: unknown[] }[] }[]
  }
  assert.deepEqual(
    brokers.sort((a, b) => a.broker - b.broker).map(({ logDirs }) => logDirs[0]?.partitions.length),
    [1, 1, 0],
  )
})

test('kafka-features sees the level that it has put down', () => {
  assert.match(said('features'), /Feature: share.version.*FinalizedVersionLevel: 1/)
  assert.match(said('features after'), /Feature: share.version.*FinalizedVersionLevel: 0/)
})

test('kafka-metadata-quorum tells the voters and who leads them', () => {
  assert.match(said('quorum'), /LeaderId: +1$/m)
  assert.equal(rows(said('voters'), 'NodeId').length, 3)
})

test('kafka-configs sees the quotas, settings and levels that it has set', () => {
  const quota = said('quota')
  assert.match(quota, /request_percentage=20/)
  assert.match(quota, /producer_byte_rate=1024/)
  assert.match(said('broker described'), /log.cleaner.threads=2 .*DYNAMIC_BROKER_CONFIG:.*=2, .*DEFAULT_BROKER.*=3/)
  assert.match(said('loggers described'), /root=DEBUG/)
})

test('kafka-client-metrics sees its subscription, and that it is gone', () => {
  assert.match(said('metrics'), /interval.ms=100$/m)
  assert.match(said('metrics'), /metrics=org.apache.kafka.producer\./)
  assert.doesNotMatch(said('metrics left'), /producers/)
})

test('a Java producer pushes the metrics that are asked for', () => {
  const ofProducer = pushed.filter(({ metrics }) => Buffer.from(metrics).includes('org.apache.kafka.producer.'))
  assert.deepEqual([...new Set(ofProducer.map(({ clientId }) => clientId))], ['perf-producer-client'])
})
