/** Kafka's own command line tools on the embedded cluster. */
import { EmbeddedCluster } from '@ottla/broker'
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { runJava } from '../harness/java.ts'
import { javaTools, rows, type Step, type ToolRun } from '../real/java-tools.ts'

const typed = Array.from({ length: 100 }, (_, i) => `k${i}:v${i}`)
const keyAndValue = '--reader-property parse.key=true --reader-property key.separator=:'

/** What is run, in this order and in one JVM. The name is how the tests find what it printed. */
const script: readonly (readonly [name: string, line: string])[] = [
  ['cluster id', 'cluster cluster-id'],
  ['api versions', 'broker-api-versions'],
  ['topic made', 'topics --create --topic orders --partitions 3 --config retention.ms=3600000'],
  ['topic made twice', 'topics --create --topic orders'],
  ['topic altered', 'topics --alter --topic orders --partitions 4'],
  ['topic described', 'topics --describe --topic orders'],
  ['topics listed', 'topics --list'],
  ['topic configured', 'configs --alter --topic orders --add-config retention.ms=7200000'],
  ['topic configuration', 'configs --describe --topic orders'],
  ['group configured', 'configs --alter --group next --add-config consumer.heartbeat.interval.ms=100'],
  ['group configuration', 'configs --describe --group next'],
  ['sharers configured', 'configs --alter --group sharers --add-config share.auto.offset.reset=earliest'],
  ['typed', `console-producer --topic orders ${keyAndValue}`],
  [
    'read in a classic group',
    'console-consumer --topic orders --from-beginning --max-messages 100 --group classic --formatter-property print.key=true',
  ],
  [
    'read in a consumer group',
    'console-consumer --topic orders --from-beginning --max-messages 100 --group next --command-property group.protocol=consumer',
  ],
  ['read in a share group', 'console-share-consumer --topic orders --max-messages 100 --group sharers'],
  ['groups', 'groups --list'],
  ['group described', 'consumer-groups --describe --group classic'],
  ['members described', 'consumer-groups --describe --group next --members --verbose'],
  ['sharers described', 'share-groups --describe --group sharers'],
  ['group reset', 'consumer-groups --reset-offsets --group classic --topic orders --to-earliest --execute'],
  ['offsets deleted', 'consumer-groups --delete-offsets --group classic --topic orders'],
  ['group deleted', 'consumer-groups --delete --group next'],
  ['groups left', 'consumer-groups --list --state'],
  ['offsets', 'get-offsets --topic orders'],
  ['acls added', 'acls --add --allow-principal User:alice --consumer --topic orders --group classic'],
  ['acls listed', 'acls --list --topic orders'],
  ['acls removed', 'acls --remove --force --topic orders'],
  ['acls left', 'acls --list --topic orders'],
  ['producer-perf', 'producer-perf-test --topic perf --num-records 20000 --record-size 100 --throughput -1'],
  [
    'producer-perf in transactions',
    'producer-perf-test --topic perf --num-records 2000 --record-size 100 --throughput -1 --transactional-id perf --transaction-duration-ms 20',
  ],
  ['consumer-perf', 'consumer-perf-test --topic perf --num-records 22000'],
  ['sharers of perf', 'configs --alter --group perf-sharers --add-config share.auto.offset.reset=earliest'],
  ['share-consumer-perf', 'share-consumer-perf-test --topic perf --num-records 20000 --group perf-sharers'],
  ['latency', 'end-to-end-latency --topic latency --num-records 50 --producer-acks all --record-size 20'],
  ['transaction left open', 'transaction open orders'],
  ['transactions listed', 'transactions list'],
  ['transaction described', 'transactions describe --transactional-id open'],
  ['producers described', 'transactions describe-producers --topic orders --partition 0'],
  ['hanging', 'transactions find-hanging --broker-id 1 --max-transaction-timeout 1'],
  ['transaction terminated', 'transactions forceTerminateTransaction --transactionalId open'],
  ['transaction described again', 'transactions describe --transactional-id open'],
  ['topic deleted', 'topics --delete --topic orders'],
  ['topics left', 'topics --list'],
]

let cluster: EmbeddedCluster
const printed = new Map<string, ToolRun>()

before(async () => {
  cluster = await EmbeddedCluster.start({ brokers: 3, acls: [], superUsers: ['ANONYMOUS'] })
  const where = {
    plainBootstrapServers: cluster.bootstrapServers,
    javaTool: (className: string, args: readonly string[], stdin?: string | Buffer) =>
      runJava('4.3.1', className, args, stdin),
  }
  const steps: Step[] = [['input', typed.join('\n')]]
  for (const [, line] of script) steps.push(line.split(' ') as unknown as Step) // the first word is one of the tools
  const runs = await javaTools(where, steps)
  const names = script.filter(([, line]) => !line.startsWith('transaction ')).map(([name]) => name)
  for (const [i, name] of names.entries()) printed.set(name, runs[i] ?? { out: 'nothing came back', code: -1 })
})
after(() => cluster.close())

/** What the tool printed; it has to have ended well. */
function said(name: string): string {
  const { out, code } = printed.get(name) ?? { out: 'it was not run', code: -1 }
  assert.equal(code, 0, `${name}: ${out}`)
  return out
}

function linesOf(name: string): string[] {
  return said(name).split('\n')
}

test('every tool ends well, and those that are to fail do', () => {
  for (const name of printed.keys()) if (name !== 'topic made twice') said(name)
  assert.match(printed.get('topic made twice')?.out ?? '', /Topic 'orders' already exists/)
})

test('kafka-topics and kafka-configs see what they made', () => {
  assert.match(said('topic described'), /PartitionCount: 4\tReplicationFactor: 3\tConfigs: retention.ms=3600000/)
  assert.match(said('topic described'), /Partition: 3\tLeader: 1\tReplicas: 1,2,3\tIsr: 1,2,3/)
  assert.ok(linesOf('topics listed').includes('orders'))
  assert.match(said('topic configuration'), /retention.ms=7200000 .*DYNAMIC_TOPIC_CONFIG/)
  assert.match(said('group configuration'), /consumer.heartbeat.interval.ms=100 .*DYNAMIC_GROUP_CONFIG/)
  assert.ok(!linesOf('topics left').includes('orders'))
})

test('the console consumers of all types of groups read what the console producer wrote', () => {
  const values = typed.map(line => line.split(':')[1]).sort()
  const read = (name: string): string[] =>
    linesOf(name)
      .filter(line => /^v\d+$/.test(line))
      .sort()
  const pairs = linesOf('read in a classic group').filter(line => /^k\d+\tv\d+$/.test(line))
  assert.deepEqual(pairs.sort(), typed.map(line => line.replace(':', '\t')).sort())
  assert.deepEqual(read('read in a consumer group'), values)
  assert.deepEqual(read('read in a share group'), values)
})

test('kafka-consumer-groups, kafka-share-groups and kafka-get-offsets agree on where the groups are', () => {
  const types = rows(said('groups'), 'GROUP').map(row => `${row['GROUP'] ?? ''} ${row['TYPE'] ?? ''}`)
  assert.deepEqual(types.sort(), ['classic Classic', 'next Consumer', 'sharers Share'])
  const sum = (name: string, column: string): number =>
    rows(said(name), 'GROUP').reduce((total, row) => total + Number(row[column]), 0)
  assert.equal(sum('group described', 'CURRENT-OFFSET'), 100)
  assert.equal(sum('group described', 'LAG'), 0)
  assert.equal(sum('sharers described', 'LAG'), 0)
  assert.equal(sum('group reset', 'NEW-OFFSET'), 0)
  const ends = linesOf('offsets').filter(line => line.startsWith('orders:'))
  assert.equal(ends.reduce((total, line) => total + Number(line.split(':')[2]), 0), 100) // prettier-ignore
  assert.equal(said('offsets deleted').match(/Successful/g)?.length, 4)
  assert.match(said('group deleted'), /was successful/)
  assert.match(said('groups left'), /^classic +Empty/m)
  assert.doesNotMatch(said('groups left'), /^next/m)
})

test('kafka-acls adds, lists and removes', () => {
  assert.match(said('acls listed'), /principal=User:alice, host=\*, operation=READ, permissionType=ALLOW/)
  assert.doesNotMatch(said('acls left'), /alice/)
})

test('the performance tools send and receive all they should', () => {
  assert.match(said('producer-perf'), /^20000 records sent/m)
  assert.match(said('producer-perf in transactions'), /^2000 records sent/m)
  assert.match(said('consumer-perf'), /, 22000, /)
  assert.match(said('share-consumer-perf'), /, 2\d{4}, \d+$/m)
  assert.match(said('latency'), /Percentiles/)
})

test('kafka-transactions lists, describes and ends what was left open', () => {
  assert.match(said('transactions listed'), /^open\s.*Ongoing/m)
  assert.match(said('transactions listed'), /^perf\s.*CompleteCommit/m)
  assert.match(said('transaction described'), /\sopen\s.*Ongoing.*orders-0/)
  assert.equal(rows(said('producers described'), 'ProducerId').length, 2)
  assert.match(said('transaction described again'), /\sopen\s.*\sEmpty\s/)
})

test('kafka-broker-api-versions reads the versions of all brokers', () => {
  // From 0 on, as Kafka says, too (KAFKA-18659).
  assert.equal(said('api versions').match(/Produce\(0\): 0 to 13 \[usable: 13\]/g)?.length, 3)
})
