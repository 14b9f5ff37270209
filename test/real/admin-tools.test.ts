/** What AdminClient tells, beside what Kafka's own tools print about the same cluster. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { AdminClient, Consumer, ErrorCode, Producer, type ConfigSource, type KafkaError } from 'ottla'
import { fresh } from '../behaviour/world.ts'
import { finished } from '../embedded/cli-terminal.ts'
import { sharedKafka, type SharedKafka } from '../harness/shared.ts'
import { isScene, javaTools, rows, type Step, type ToolRun } from './java-tools.ts'

const topic = fresh('tools')
const transactional = fresh('tools-transactions')
const signal = fresh('tools-signal')
const group = fresh('tools-group')
const modernGroup = fresh('tools-modern')
const idleGroup = fresh('tools-idle')
const shareGroup = fresh('tools-share')
const transactionalId = fresh('tools-id')
const user = fresh('tools-user')
const subscription = fresh('tools-metrics')

const steps = [
  ['transaction', transactionalId, transactional],
  ['member', modernGroup, topic],
  ['share', shareGroup, signal],
  ['topics', '--describe', '--topic', topic],
  ['configs', '--describe', '--entity-type', 'topics', '--entity-name', topic, '--all'],
  ['configs', '--describe', '--entity-type', 'users', '--entity-name', user],
  ['acls', '--list', '--topic', topic],
  ['get-offsets', '--topic', topic, '--time', '-1'],
  ['get-offsets', '--topic', topic, '--time', '-2'],
  ['consumer-groups', '--describe', '--group', group],
  ['consumer-groups', '--describe', '--group', group, '--members', '--verbose'],
  ['consumer-groups', '--describe', '--group', group, '--state'],
  ['consumer-groups', '--reset-offsets', '--group', idleGroup, '--topic', topic, '--shift-by', '-6', '--dry-run'],
  ['consumer-groups', '--describe', '--group', modernGroup, '--members', '--verbose'],
  ['consumer-groups', '--describe', '--group', modernGroup, '--state'],
  ['groups', '--list'],
  ['share-groups', '--describe', '--group', shareGroup],
  ['transactions', 'list'],
  ['transactions', 'describe', '--transactional-id', transactionalId],
  ['transactions', 'describe-producers', '--topic', transactional, '--partition', '0'],
  ['log-dirs', '--describe', '--topic-list', topic],
  ['leader-election', '--election-type', 'preferred', '--topic', topic, '--partition', '0'],
  ['reassign-partitions', '--list'],
  ['features', 'describe'],
  ['metadata-quorum', 'describe', '--replication'],
  ['metadata-quorum', 'describe', '--status'],
  ['client-metrics', '--list'],
  ['cluster', 'cluster-id'],
] as const satisfies readonly Step[]

const rule = {
  resourceType: 'topic',
  name: topic,
  resourcePatternType: 'literal',
  principal: `User:${user}`,
  host: '*',
  operation: 'read',
  permissionType: 'allow',
} as const

let kafka: SharedKafka
let admin: AdminClient
let consumer: Consumer
let runs: ToolRun[]
let modern: Awaited<ReturnType<AdminClient['describeConsumerGroups']>>
let sharing: Awaited<ReturnType<AdminClient['describeShareGroups']>>

before(async () => {
  kafka = await sharedKafka('secured')
  const servers = { 'bootstrap.servers': kafka.plainBootstrapServers }
  admin = new AdminClient(servers)
  const created = await admin.createTopics([
    {
      topic,
      replicaAssignment: [
        [1, 2, 3],
        [2, 3, 1],
      ],
      config: { 'retention.ms': 86_400_000 },
    },
    { topic: transactional, numPartitions: 1 },
    { topic: signal, numPartitions: 1 },
  ])
  for (const { error } of created) assert.equal(error, undefined)
  await until(async () =>
    (await admin.describeTopics([topic, transactional, signal])).every(t => t.error === undefined),
  )

  const producer = new Producer(servers)
  for (let i = 0; i < 13; i++) await producer.send({ topic, partition: i < 10 ? 0 : 1, value: `${i}` })
  assert.deepEqual(await admin.deleteRecords([{ topic, partition: 0, offset: 2 }]), [
    { topic, partition: 0, lowWatermark: 2 },
  ])
  consumer = new Consumer({ ...servers, 'group.id': group, 'client.id': 'reader', 'auto.offset.reset': 'earliest' })
  consumer.subscribe(topic)
  for (let i = 0; i < 11; i++) await consumer.readMessage(20_000)
  await consumer.commit()
  await done(
    admin.alterConsumerGroupOffsets(idleGroup, [
      { topic, partition: 0, offset: 9 },
      { topic, partition: 1, offset: 3 },
    ]),
  )

  await done(
    admin.incrementalAlterConfigs([
      {
        type: 'group',
        name: shareGroup,
        entries: [{ name: 'share.auto.offset.reset', value: 'earliest', operation: 'set' }],
      },
      {
        type: 'client-metrics',
        name: subscription,
        entries: [{ name: 'interval.ms', value: 60_000, operation: 'set' }],
      },
    ]),
  )
  await done(admin.createAcls([rule]))
  await done(admin.alterClientQuotas([{ entity: { user }, quotas: { producer_byte_rate: 4096 } }]))
  await done(
    admin.alterUserScramCredentials([{ user, mechanism: 'SCRAM-SHA-512', iterations: 5000, password: 'secret' }]),
  )

  const printing = javaTools(kafka, steps)
  await until(async () => {
    sharing = await admin.describeShareGroups([shareGroup])
    return (sharing[0]?.members[0]?.assignment.length ?? 0) > 0
  })
  modern = await admin.describeConsumerGroups([modernGroup])
  await producer.send({ topic: signal, partition: 0, value: 'go on' })
  runs = await printing
  await producer.close()
})

after(async () => {
  await consumer.close()
  await admin.close()
  await kafka.close()
})

test('topics: leaders, replicas and those in sync', async () => {
  const [described] = await admin.describeTopics([topic])
  const lines = tool('topics').matchAll(/Partition: (\d+)\tLeader: (\d+)\tReplicas: ([\d,]+)\tIsr: ([\d,]+)/g)
  assert.deepEqual(
    described?.partitions.map(p => [p.partition, p.leader, p.replicas.join(), p.isr.join()].map(String)),
    [...lines].map(line => line.slice(1)),
  )
  assert.match(tool('topics'), new RegExp(`TopicId: ${described.topicId}`))
})

test('configurations: every value of a topic, and where it comes from', async () => {
  const [described] = await admin.describeConfigs([{ type: 'topic', name: topic }])
  const lines = [
    ...tool('configs', '--describe', '--entity-type', 'topics').matchAll(
      /^ {2}(\S+?)=(.*) sensitive=(\w+) synonyms=\{(.*)\}$/gm,
    ),
  ]
  const entries = Object.entries(described?.entries ?? {})
  assert.ok(lines.length > 20)
  assert.deepEqual(
    lines.map(([, name, value]) => [name, value]),
    entries.map(([name, entry]) => [name, entry.value ?? 'null']).toSorted(byFirst),
  )
  const synonyms = lines.map(([, name, , , list]) => [name, list])
  const ours = entries.map(([name, entry]) => {
    const list = entry.synonyms.map(s => `${javaSource(s.source)}:${s.name}=${s.value}`)
    return [name, list.join(', ')]
  })
  assert.deepEqual(synonyms, ours.toSorted(byFirst))
})

test('users: quotas and SCRAM credentials', async () => {
  const out = tool('configs', '--describe', '--entity-type', 'users')
  const quotas = await admin.describeClientQuotas({ components: [{ type: 'user', match: 'exact', name: user }] })
  assert.deepEqual(quotas, [{ entity: { user }, quotas: { producer_byte_rate: 4096 } }])
  assert.match(out, /producer_byte_rate=4096\.0/)
  const [scram] = await admin.describeUserScramCredentials([user])
  assert.deepEqual(scram?.credentials, [{ mechanism: 'SCRAM-SHA-512', iterations: 5000 }])
  assert.match(out, /SCRAM-SHA-512=iterations=5000/)
})

test('access rules', async () => {
  assert.deepEqual(await admin.describeAcls({ resourceType: 'topic', name: topic }), [rule])
  assert.match(tool('acls'), new RegExp(`principal=User:${user}, host=\\*, operation=READ, permissionType=ALLOW`))
})

test('offsets: the first and the next of each partition', async () => {
  for (const [spec, time] of [
    ['latest', '-1'],
    ['earliest', '-2'],
  ] as const) {
    const offsets = await admin.listOffsets([0, 1].map(partition => ({ topic, partition, spec })))
    const lines = tool('get-offsets', '--topic', topic, '--time', time).trim().split('\n')
    assert.deepEqual(
      offsets.map(o => `${topic}:${o.partition}:${o.offset}`),
      lines,
    )
  }
})

test('a consumer group: state, assignor, members and committed offsets', async () => {
  const [described] = await admin.describeConsumerGroups([group])
  const [state] = rows(
    tool('consumer-groups', '--describe', '--group', group, '--state').replace(/COORDINATOR \(ID\)/, 'COORDINATOR ID'),
    'GROUP',
  )
  const { coordinator } = described ?? {}
  assert.equal(state?.['COORDINATOR'], `${coordinator?.host}:${coordinator?.port}`)
  assert.equal(state['ID'], `(${coordinator?.id})`)
  assert.equal(state['ASSIGNMENT-STRATEGY'], described?.protocol)
  assert.equal(state['STATE'], described?.state)
  assert.equal(state['#MEMBERS'], String(described?.members.length))

  const offsets = await admin.listConsumerGroupOffsets(group)
  const lines = rows(tool('consumer-groups'), 'GROUP')
  assert.deepEqual(
    lines.map(line => [line['TOPIC'], line['PARTITION'], line['CURRENT-OFFSET']]).toSorted(),
    offsets.map(o => [o.topic, String(o.partition), String(o.offset)]).toSorted(),
  )
  const [member] = described?.members ?? []
  assert.equal(lines[0]?.['CONSUMER-ID'], member?.memberId)
  assert.equal(lines[0]?.['HOST'], member?.host)
  assert.equal(lines[0]?.['CLIENT-ID'], member?.clientId)
  assert.match(tool('consumer-groups', '--describe', '--group', group, '--members'), new RegExp(`${topic}:0,1`))
})

test('a group of the new protocol: its member, what it has and where it is heading', () => {
  const [described] = modern
  const [member] = described?.members ?? []
  const both = [0, 1].map(partition => ({ topic, partition }))
  assert.equal(described?.type, 'consumer')
  assert.equal(member?.clientId, 'joiner')
  assert.deepEqual(member.assignment, both)
  assert.deepEqual(member.targetAssignment, both)
  const [shown] = rows(tool('consumer-groups', '--describe', '--group', modernGroup, '--members'), 'GROUP')
  assert.equal(shown?.['CONSUMER-ID'], member.memberId)
  assert.equal(shown['HOST'], member.host)
  assert.equal(shown['CLIENT-ID'], member.clientId)
  const state = tool('consumer-groups', '--describe', '--group', modernGroup, '--state')
  assert.match(state, new RegExp(`${described.protocol} +${described.state} +1`))
})

test('ottla admin groups: the lag, and what a reset would do', async () => {
  const run = async (...words: string[]): Promise<unknown> => {
    const { status, out, err } = await finished([
      'admin',
      'groups',
      ...words,
      '--json',
      '-b',
      kafka.plainBootstrapServers,
    ])
    assert.equal(status, 0, err)
    return JSON.parse(out)
  }
  const [described] = (await run('describe', group)) as { offsets: GroupLag[] }[] // the command's own shape
  assert.deepEqual(
    described?.offsets.map(o => [o.topic, o.partition, o.offset, o.endOffset, o.lag, o.memberId].map(String)),
    rows(tool('consumer-groups'), 'GROUP')
      .map(line => ['TOPIC', 'PARTITION', 'CURRENT-OFFSET', 'LOG-END-OFFSET', 'LAG', 'CONSUMER-ID'].map(w => line[w]))
      .toSorted(),
  )
  const reset = await run('reset', idleGroup, '-t', topic, '--shift-by', '-6')
  const { offsets } = reset as { offsets: { partition: number; to: number }[] } // the command's own shape
  const lines = rows(tool('consumer-groups', '--reset-offsets'), 'GROUP')
  assert.deepEqual(
    offsets.map(o => [o.partition, o.to].map(String)),
    lines.map(line => [line['PARTITION'], line['NEW-OFFSET']]).toSorted(),
  )
})

test('groups of every kind', async () => {
  const { groups, errors } = await admin.listGroups()
  assert.deepEqual(errors, [])
  const ours = groups.filter(g => [group, shareGroup].includes(g.groupId))
  const lines = rows(tool('groups'), 'GROUP').filter(line => [group, shareGroup].includes(line['GROUP'] ?? ''))
  assert.deepEqual(
    ours.map(g => [g.groupId, g.type, g.protocol]).toSorted(),
    lines.map(line => [line['GROUP'], line['TYPE']?.toLowerCase(), line['PROTOCOL']]).toSorted(),
  )
})

test('a share group: its member, and where it is', async () => {
  const [described] = sharing
  assert.equal(described?.state, 'Stable')
  assert.equal(described.members[0]?.clientId, 'sharer')
  assert.deepEqual(described.members[0].subscribedTopics, [signal])
  assert.deepEqual(described.members[0].assignment, [{ topic: signal, partition: 0 }])
  const [line] = rows(tool('share-groups'), 'GROUP')
  const [offset] = await admin.listShareGroupOffsets(shareGroup)
  assert.deepEqual(
    [line?.['TOPIC'], line?.['PARTITION'], line?.['START-OFFSET'], line?.['LAG']],
    [offset?.topic, String(offset?.partition), String(offset?.startOffset), String(offset?.lag)],
  )
})

test('transactions and the producers behind them', async () => {
  const { transactions } = await admin.listTransactions({ states: ['Ongoing'] })
  const mine = transactions.find(t => t.transactionalId === transactionalId)
  const listed = rows(tool('transactions'), 'TransactionalId').find(line => line['TransactionalId'] === transactionalId)
  assert.deepEqual(
    [listed?.['Coordinator'], listed?.['ProducerId'], listed?.['TransactionState']],
    [String(mine?.coordinatorId), String(mine?.producerId), mine?.state],
  )
  const [described] = await admin.describeTransactions([transactionalId])
  const [shown] = rows(tool('transactions', 'describe'), 'CoordinatorId')
  assert.deepEqual(
    [shown?.['ProducerEpoch'], shown?.['TransactionTimeoutMs'], shown?.['CurrentTransactionStartTimeMs']],
    [described?.producerEpoch, described?.timeoutMs, described?.startTimestamp].map(String),
  )
  assert.equal(shown?.['TopicPartitions'], `${transactional}-0`)
  assert.deepEqual(described?.partitions, [{ topic: transactional, partition: 0 }])
  const [{ producers } = { producers: [] }] = await admin.describeProducers([{ topic: transactional, partition: 0 }])
  const [producer] = rows(tool('transactions', 'describe-producers'), 'ProducerId')
  assert.deepEqual(
    [producer?.['ProducerId'], producer?.['LastSequence'], producer?.['CurrentTransactionStartOffset']],
    [producers[0]?.producerId, producers[0]?.lastSequence, producers[0]?.currentTransactionStartOffset].map(String),
  )
})

test('a transaction that was left open is aborted on its partition, and its producer shut out', async () => {
  const zero = { topic: transactional, partition: 0 }
  const [before] = await admin.describeProducers([zero])
  const [producer] = before?.producers ?? []
  assert.equal(producer?.currentTransactionStartOffset, 0)
  const { producerId, producerEpoch, coordinatorEpoch } = producer
  await admin.abortTransaction({ ...zero, producerId, producerEpoch, coordinatorEpoch })
  const [after] = await admin.describeProducers([zero])
  assert.equal(after?.producers[0]?.currentTransactionStartOffset, null)

  const [fenced] = await admin.fenceProducers([transactionalId])
  assert.equal(fenced?.error, undefined)
  assert.ok(fenced?.producerId !== producerId || fenced.producerEpoch > producerEpoch)
  const [described] = await admin.describeTransactions([transactionalId])
  assert.notEqual(described?.state, 'Ongoing')
  assert.deepEqual(described?.partitions, [])
})

test('directories: what each broker keeps of a topic', async () => {
  const partitions = [0, 1].map(partition => ({ topic, partition }))
  const brokers = await admin.describeLogDirs(undefined, { partitions })
  const json =
    tool('log-dirs')
      .split('\n')
      .find(line => line.startsWith('{')) ?? '{}'
  const theirs = JSON.parse(json) as { brokers: { broker: number; logDirs: JavaLogDir[] }[] } // as the tool writes it
  const flat = theirs.brokers.flatMap(b =>
    b.logDirs.flatMap(d => d.partitions.map(p => [b.broker, d.logDir, p.partition, p.size, p.offsetLag])),
  )
  const ours = brokers.flatMap(b =>
    b.logDirs.flatMap(d =>
      d.replicas.map(r => [b.brokerId, d.path, `${r.topic}-${r.partition}`, r.sizeBytes, r.offsetLag]),
    ),
  )
  assert.equal(ours.length, 6)
  assert.deepEqual(ours.toSorted(), flat.toSorted())
})

test('elections and reassignments that are not needed', async () => {
  const [elected] = await admin.electLeaders('preferred', [{ topic, partition: 0 }])
  assert.equal(elected?.error?.code, ErrorCode.ERR_ELECTION_NOT_NEEDED)
  assert.match(tool('leader-election'), /already elected/)
  assert.deepEqual(await admin.listPartitionReassignments([{ topic, partition: 0 }]), [])
  assert.doesNotMatch(tool('reassign-partitions'), new RegExp(topic))
})

test('the metadata quorum', async () => {
  const quorum = await admin.describeMetadataQuorum()
  const lines = rows(tool('metadata-quorum', 'describe', '--replication'), 'NodeId')
  assert.deepEqual(
    [...quorum.voters, ...quorum.observers].map(r => String(r.replicaId)).toSorted(),
    lines.map(line => line['NodeId']).toSorted(),
  )
  assert.match(tool('metadata-quorum', 'describe', '--status'), new RegExp(`LeaderId: +${quorum.leaderId}\n`))
  assert.equal(quorum.nodes.length, 3)
})

test('features: supported, and in force', async () => {
  const { supported, finalized } = await admin.describeFeatures()
  const lines = [
    ...tool('features').matchAll(/Feature: (\S+).*SupportedMaxVersion: (\S+).*FinalizedVersionLevel: (\S+)/g),
  ]
  assert.deepEqual(lines.map(([, name]) => name).toSorted(), Object.keys(supported).toSorted())
  for (const [, name = '', max, level] of lines) {
    // The tool gives these numbers names.
    if (name === 'metadata.version') continue
    assert.equal(String(supported[name]?.max), max)
    assert.equal(String(finalized[name]?.max ?? 0), level)
  }
})

test('metrics subscriptions, and the cluster’s id', async () => {
  const resources = await admin.listConfigResources(['client-metrics'])
  const lines = tool('client-metrics').trim().split('\n')
  assert.ok(lines.includes(subscription))
  assert.deepEqual(
    resources.find(r => r.name === subscription),
    { type: 'client-metrics', name: subscription },
  )
  assert.equal(tool('cluster').trim(), `Cluster ID: ${await admin.clusterId()}`)
})

interface GroupLag {
  topic: string
  partition: number
  offset: number
  endOffset: number
  lag: number
  memberId: string
}

interface JavaLogDir {
  logDir: string
  partitions: { partition: string; size: number; offsetLag: number }[]
}

/** What the tool with these first words printed. */
function tool(...words: string[]): string {
  const printing = steps.filter(([what]) => !isScene(what))
  const index = printing.findIndex(step => words.every((word, i) => step[i] === word))
  const run = runs[index]
  assert.ok(run, words.join(' '))
  assert.equal(run.code, 0, run.out)
  return run.out
}

async function done(results: Promise<{ error?: KafkaError }[]>): Promise<void> {
  for (const { error } of await results) assert.equal(error, undefined)
}

/** Brokers learn of changes one after the other: asks again until all of it is there. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise(resolve => setTimeout(resolve, 50))
}

function byFirst(a: (string | undefined)[], b: (string | undefined)[]): number {
  return (a[0] ?? '') < (b[0] ?? '') ? -1 : 1
}

const javaSources: Partial<Record<ConfigSource, string>> = {
  'dynamic-topic': 'DYNAMIC_TOPIC_CONFIG',
  'static-broker': 'STATIC_BROKER_CONFIG',
  'dynamic-default-broker': 'DYNAMIC_DEFAULT_BROKER_CONFIG',
  default: 'DEFAULT_CONFIG',
}

function javaSource(source: ConfigSource): string {
  return javaSources[source] ?? source
}
