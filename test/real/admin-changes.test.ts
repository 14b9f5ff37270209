/** What AdminClient changes, as Kafka's own tools see it afterwards; and what they change, as AdminClient sees it. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { AdminClient, Consumer, ErrorCode, Producer, type DelegationToken, type KafkaError } from 'ottla'
import { as, fresh, type World } from '../behaviour/world.ts'
import { sharedKafka, type SharedKafka } from '../harness/shared.ts'
import { javaTools, rows, type Step, type ToolRun } from './java-tools.ts'

const grown = fresh('changes-grown')
const gone = fresh('changes-gone')
const settled = fresh('changes-settled')
const moved = fresh('changes-moved')
const made = fresh('changes-made')
const staying = fresh('changes-staying')
const oldGroup = fresh('changes-old')
const emptiedGroup = fresh('changes-emptied')
const deletedGroup = fresh('changes-deleted')
const shareGroup = fresh('changes-share')
const deletedShareGroup = fresh('changes-share-deleted')
const user = fresh('changes-user')
const folder = mkdtempSync(join(tmpdir(), 'ottla-changes-'))
const quiet = (): void => undefined

let kafka: SharedKafka
let admin: AdminClient
let secured: AdminClient
let runs: ToolRun[]
let steps: Step[]
let logDir: string
let renewed: DelegationToken
let expired: DelegationToken

before(async () => {
  kafka = await sharedKafka('secured')
  const servers = { 'bootstrap.servers': kafka.plainBootstrapServers }
  admin = new AdminClient(servers, { logger: quiet })
  const { bootstrapServers } = kafka
  const world: World = { kind: 'kafka', bootstrapServers, kill: nothing, restart: nothing, close: nothing }
  secured = new AdminClient(as(world, 'admin'), { logger: quiet })
  const one = { numPartitions: 1, replicationFactor: 1 }
  await done(
    admin.createTopics([
      { topic: grown, numPartitions: 2, replicationFactor: 1 },
      { topic: gone, ...one },
      { topic: settled, ...one, config: { 'retention.ms': 86_400_000, 'segment.bytes': 1_048_576 } },
      { topic: moved, replicaAssignment: [[1]] },
      { topic: staying, ...one },
    ]),
  )
  const producer = new Producer(servers, { logger: quiet })
  for (const topic of [settled, staying]) for (let i = 0; i < 8; i++) await producer.send({ topic, value: `${i}` })
  await producer.close()
  await change()
  const login = join(folder, 'admin.properties')
  const jaas = 'org.apache.kafka.common.security.plain.PlainLoginModule required'
  writeFileSync(
    login,
    `security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.jaas.config=${jaas} username="admin" password="adminpassword";\n`,
  )
  const loggedIn = ['--bootstrap-server', kafka.bootstrapServers, '--command-config', login]
  steps = [
    ['topics', '--describe', '--topic', grown],
    ['topics', '--list'],
    ['topics', '--describe', '--topic', moved],
    ['configs', '--describe', '--entity-type', 'topics', '--entity-name', settled],
    ['acls', '--list', '--principal', `User:${user}`],
    ['log-dirs', '--describe', '--topic-list', staying],
    ['consumer-groups', '--list', '--state'],
    ['consumer-groups', '--describe', '--group', oldGroup],
    ['consumer-groups', '--describe', '--group', emptiedGroup, '--state'],
    ['groups', '--list'],
    ['share-groups', '--describe', '--group', shareGroup],
    ['cluster', 'list-endpoints'],
    ['cluster', 'unregister', '--id', '99'],
    ['features', 'upgrade', '--feature', 'no.such.feature=1'],
    ['delegation-tokens', '--describe', '--owner-principal', 'User:admin', ...loggedIn],
    [
      'delegation-tokens',
      '--create',
      '--max-life-time-period',
      '3600000',
      '--renewer-principal',
      `User:${user}`,
      ...loggedIn,
    ],
    [
      'topics',
      '--create',
      '--topic',
      made,
      '--partitions',
      '3',
      '--replication-factor',
      '2',
      '--config',
      'retention.ms=7777',
    ],
  ]
  runs = await javaTools(kafka, steps)
})

after(async () => {
  await secured.close()
  await admin.close()
  await kafka.close()
  rmSync(folder, { recursive: true })
})

/** Everything that Kafka's tools are to see. */
async function change(): Promise<void> {
  await done(admin.createPartitions([{ topic: grown, increaseTo: 5 }]))
  await done(admin.deleteTopics([gone]))
  await done(
    admin.alterConfigs([{ type: 'topic', name: settled, entries: [{ name: 'cleanup.policy', value: 'compact' }] }]),
  )
  await done(admin.alterPartitionReassignments([{ topic: moved, partition: 0, replicas: [2, 3] }]))
  await until(async () => (await admin.listPartitionReassignments([{ topic: moved, partition: 0 }])).length === 0)
  const [described] = await admin.describeTopics([staying])
  const brokerId = described?.partitions[0]?.leader ?? -1
  const [dirs] = await admin.describeLogDirs([brokerId])
  logDir = dirs?.logDirs[0]?.path ?? ''
  await done(admin.alterReplicaLogDirs([{ brokerId, topic: staying, partition: 0, path: logDir }]))

  const rule = {
    resourceType: 'topic',
    resourcePatternType: 'literal',
    principal: `User:${user}`,
    host: '*',
    permissionType: 'allow',
  } as const
  await done(
    admin.createAcls([
      { ...rule, name: settled, operation: 'read' },
      { ...rule, name: settled, operation: 'write' },
      { ...rule, name: staying, operation: 'read' },
    ]),
  )
  const [deleted] = await admin.deleteAcls([{ resourceType: 'topic', name: settled, principal: `User:${user}` }])
  assert.deepEqual([deleted?.error, deleted?.bindings.length], [undefined, 2])

  const offsets = [settled, staying].map(topic => ({ topic, partition: 0, offset: 5 }))
  for (const group of [oldGroup, deletedGroup]) await done(admin.alterConsumerGroupOffsets(group, offsets))
  await done(admin.deleteConsumerGroupOffsets(oldGroup, [{ topic: settled, partition: 0 }]))
  await done(admin.deleteConsumerGroups([deletedGroup]))
  const member = new Consumer(
    {
      'bootstrap.servers': kafka.plainBootstrapServers,
      'group.id': emptiedGroup,
      'group.instance.id': 'static',
      'auto.offset.reset': 'earliest',
    },
    { logger: quiet },
  )
  member.subscribe(staying)
  await member.readMessage(30_000)
  // Static members stay in the group when they go.
  await member.close()
  await done(admin.removeMembersFromConsumerGroup(emptiedGroup, [{ groupInstanceId: 'static' }]))

  const starts = [settled, staying].map(topic => ({ topic, partition: 0, startOffset: 3 }))
  for (const group of [shareGroup, deletedShareGroup]) await done(admin.alterShareGroupOffsets(group, starts))
  await done(admin.deleteShareGroupOffsets(shareGroup, [settled]))
  await done(admin.deleteShareGroups([deletedShareGroup]))

  renewed = await secured.createDelegationToken({ renewers: ['User:alice'], maxLifetimeMs: 3_600_000 })
  expired = await secured.createDelegationToken({})
  await until(() => isTaken(secured.renewDelegationToken(renewed.hmac, { renewPeriodMs: 1_800_000 })))
  await until(() => isTaken(secured.expireDelegationToken(expired.hmac, { expiryPeriodMs: -1 })))
  await until(async () => {
    const known = await secured.describeDelegationToken()
    const ids = new Set(known.map(({ tokenId }) => tokenId))
    return ids.has(renewed.tokenId) && !ids.has(expired.tokenId)
  })
}

test('topics that were grown, deleted and moved', () => {
  assert.match(tool('topics', '--describe', '--topic', grown), /PartitionCount: 5\t/)
  const names = tool('topics', '--list').split('\n')
  assert.deepEqual([names.includes(grown), names.includes(gone)], [true, false])
  assert.match(tool('topics', '--describe', '--topic', moved), /Replicas: 2,3\t/)
})

test('settings that were replaced as a whole', () => {
  const dynamic = [...tool('configs').matchAll(/^ {2}(\S+)=(\S+) sensitive=/gm)].map(([, name, value]) => [name, value])
  assert.deepEqual(dynamic, [['cleanup.policy', 'compact']])
})

test('access rules that were deleted', () => {
  const out = tool('acls')
  assert.match(out, new RegExp(`name=${staying}, `))
  assert.ok(!out.includes(settled))
})

test('a replica whose directory was named', () => {
  const out = tool('log-dirs')
  const json = JSON.parse(out.slice(out.indexOf('{'))) as {
    brokers: { logDirs: { logDir: string; partitions: { partition: string }[] }[] }[]
  }
  const found = json.brokers.flatMap(({ logDirs }) => logDirs).filter(({ partitions }) => partitions.length > 0)
  assert.deepEqual(
    found.map(each => [each.logDir, each.partitions.map(({ partition }) => partition)]),
    [[logDir, [`${staying}-0`]]],
  )
})

test('groups: those that are listed, offsets and members that are gone', async () => {
  const listed = rows(tool('consumer-groups', '--list'), 'GROUP')
  const { groups, errors } = await admin.listConsumerGroups()
  assert.deepEqual(errors, [])
  const own = (id: string): boolean => id.startsWith('changes-')
  assert.deepEqual(
    groups
      .filter(({ groupId }) => own(groupId))
      .map(({ groupId, state }) => `${groupId} ${state}`)
      .sort(),
    listed
      .filter(({ GROUP = '' }) => own(GROUP))
      .map(({ GROUP, STATE }) => `${GROUP} ${STATE}`)
      .sort(),
  )
  assert.ok(!listed.some(({ GROUP }) => GROUP === deletedGroup))
  const left = rows(tool('consumer-groups', '--describe', '--group', oldGroup), 'GROUP')
  assert.deepEqual(
    left.map(row => [row['TOPIC'], row['CURRENT-OFFSET']]),
    [[staying, '5']],
  )
  const [state] = rows(tool('consumer-groups', '--describe', '--group', emptiedGroup, '--state'), 'GROUP')
  assert.deepEqual([state?.['STATE'], state?.['#MEMBERS']], ['Empty', '0'])
})

test('share groups: offsets that were set and deleted, a group that is gone', () => {
  const left = rows(tool('share-groups'), 'GROUP').filter(({ GROUP }) => GROUP === shareGroup)
  assert.deepEqual(
    left.map(row => [row['TOPIC'], row['START-OFFSET']]),
    [[staying, '3']],
  )
  const all = rows(tool('groups'), 'GROUP').map(({ GROUP }) => GROUP)
  assert.deepEqual([all.includes(shareGroup), all.includes(deletedShareGroup)], [true, false])
})

test('the cluster: its brokers, and who is in charge', async () => {
  const endpoints = rows(tool('cluster', 'list-endpoints'), 'ID').map(({ ID, HOST, PORT }) => `${ID} ${HOST}:${PORT}`)
  const { nodes, controllerId } = await admin.describeCluster()
  const metadata = await admin.getMetadata({ allTopics: true })
  assert.deepEqual(nodes.map(({ id, host, port }) => `${id} ${host}:${port}`).sort(), endpoints.sort())
  assert.deepEqual(metadata.brokers.map(({ id, host, port }) => `${id} ${host}:${port}`).sort(), endpoints)
  assert.deepEqual(
    metadata.topics.map(({ topic }) => topic).filter(name => name === grown || name === gone),
    [grown],
  )
  // In KRaft any broker passes on what is for the controller.
  for (const id of [controllerId, await admin.controllerId()]) assert.ok(nodes.some(node => node.id === id))
})

test('what makes no sense is refused for both: brokers, features and voters that there are not', async () => {
  assert.match(runOf('cluster', 'unregister').out, /BrokerIdNotRegistered/)
  await assert.rejects(admin.unregisterBroker(99), { code: ErrorCode.ERR_BROKER_ID_NOT_REGISTERED })
  const run = runOf('features', 'upgrade')
  assert.notEqual(run.code, 0)
  const [updated] = await admin.updateFeatures([
    { feature: 'no.such.feature', maxVersionLevel: 1, upgradeType: 'upgrade' },
  ])
  assert.ok(updated?.error !== undefined, run.out)
  // The voters of this quorum are named in its configuration: nobody can add to them, or take any away.
  const voter = { voterId: 9, directoryId: 'AAAAAAAAAAAAAAAAAAAAAQ' }
  const listeners = [{ name: 'CONTROLLER', host: '127.0.0.1', port: 1 }]
  for (const change of [admin.addRaftVoter(voter, listeners), admin.removeRaftVoter(voter)]) {
    await assert.rejects(change, { code: ErrorCode.ERR_UNSUPPORTED_VERSION })
  }
})

test('delegation tokens: made, renewed, gone, and made by the tool', async () => {
  const lines = rows(tool('delegation-tokens', '--describe'), 'TOKENID')
  assert.ok(lines.some(({ TOKENID }) => TOKENID === renewed.tokenId))
  assert.ok(!lines.some(({ TOKENID }) => TOKENID === expired.tokenId))
  const [known] = (await secured.describeDelegationToken()).filter(({ tokenId }) => tokenId === renewed.tokenId)
  assert.ok(known)
  const line = lines.find(({ TOKENID }) => TOKENID === renewed.tokenId)
  assert.equal(line?.['HMAC'], Buffer.from(known.hmac).toString('base64'))
  assert.equal(line['OWNER'], 'User:admin')
  const [, created] = /tokenId : (\S+)/.exec(tool('delegation-tokens', '--create')) ?? []
  const all = await secured.describeDelegationToken()
  const theirs = all.find(({ tokenId }) => tokenId === created)
  assert.deepEqual(theirs?.renewers, [`User:${user}`])
})

test('a topic that the tool has made', async () => {
  assert.equal(runOf('topics', '--create').code, 0)
  const [described] = await admin.describeTopics([made])
  assert.deepEqual(
    described?.partitions.map(({ replicas }) => replicas.length),
    [2, 2, 2],
  )
  const [config] = await admin.describeConfigs([{ type: 'topic', name: made }])
  assert.equal(config?.entries['retention.ms']?.value, '7777')
})

function runOf(...words: string[]): ToolRun {
  const run = runs[steps.findIndex(step => words.every((word, i) => step[i] === word))]
  assert.ok(run, words.join(' '))
  return run
}

/** What the tool with these first words printed. */
function tool(...words: string[]): string {
  const run = runOf(...words)
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

/** Whether the broker that was asked knew the token already. */
async function isTaken(asked: Promise<unknown>): Promise<boolean> {
  try {
    await asked
    return true
  } catch (error) {
    assert.equal((error as KafkaError).code, ErrorCode.ERR_DELEGATION_TOKEN_NOT_FOUND)
    return false
  }
}

async function nothing(): Promise<void> {
  await Promise.resolve()
}
