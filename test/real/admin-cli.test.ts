/** `ottla admin` on real Kafka, as a person and as a program use it. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { AdminClient, Consumer, Producer } from 'ottla'
import { fresh } from '../behaviour/world.ts'
import { finished } from '../embedded/cli-terminal.ts'
import { sharedKafka, type SharedKafka } from '../harness/shared.ts'

let kafka: SharedKafka

before(async () => {
  kafka = await sharedKafka('secured')
})
after(() => kafka.close())

/** Runs to the end, which must be a good one. */
async function admin(...words: string[]): Promise<string> {
  const { status, out, err } = await finished(['admin', '-b', kafka.plainBootstrapServers, ...words])
  assert.equal(status, 0, `${words.join(' ')}: ${out}${err}`)
  return out
}

async function json<T>(...words: string[]): Promise<T> {
  return JSON.parse(await admin(...words, '--json')) as T // the test says what it expects and compares it
}

/** Runs to an end that must be a failure; what it said about it. */
async function failed(status: number, ...words: string[]): Promise<string> {
  const result = await finished(['admin', ...words, '-b', kafka.plainBootstrapServers])
  assert.equal(result.status, status, result.out + result.err)
  return result.err
}

async function newTopic(partitions: number): Promise<string> {
  const topic = fresh('admin-cli')
  const at = ['-p', String(partitions), '-r', '3', '-c', 'retention.ms=1000000']
  assert.equal(await admin('topics', 'create', topic, ...at), `created ${topic}\n`)
  // The brokers learn of it one after the other; the first question goes to the only address that is named.
  for (const server of kafka.plainBootstrapServers.split(',')) {
    while ((await finished(['meta', '-b', server, '-t', topic])).status !== 0);
  }
  return topic
}

test('topics: created, listed, described, grown and deleted', async () => {
  const topic = await newTopic(2)
  const spare = fresh('admin-cli')
  assert.equal(await admin('topics', 'create', spare, '--dry-run'), `${spare} could be created\n`)
  const list = (await admin('topics', 'list')).split('\n').find(line => line.startsWith(topic))
  assert.match(list ?? '', /^\S+ +2 +3 +[\w-]{22}$/)
  assert.match(await admin('topics', 'describe', topic), /partition +leader +replicas +in sync +offline\n +0 +[123] /)
  assert.equal(await admin('partitions', 'grow', topic, '3'), `${topic} has 3 partitions\n`)
  assert.match(await failed(1, 'topics', 'create', topic), /already exists.*ERR_TOPIC_ALREADY_EXISTS/i)
  assert.match(await failed(2, 'partitions', 'grow', topic, 'many'), /whole number/)
  assert.deepEqual(await json('topics', 'delete', topic), [{ topic }])
})

test('configurations: what differs from the defaults is shown, set and unset', async () => {
  const topic = await newTopic(1)
  assert.match(await admin('configs', 'describe', 'topic', topic), /retention\.ms +1000000 +dynamic-topic/)
  await admin('configs', 'set', 'topic', topic, 'cleanup.policy=compact', 'retention.ms=5')
  await admin('configs', 'append', 'topic', topic, 'cleanup.policy=delete')
  await admin('configs', 'unset', 'topics', topic, 'retention.ms')
  for (;;) {
    const out = await admin('configs', 'describe', 'topic', topic)
    if (/cleanup\.policy +compact,delete/.test(out) && !out.includes('retention.ms')) break
  }
  assert.match(await admin('configs', 'describe', 'topic', topic, '--all'), /compression\.type +producer +default/)
  assert.match(await failed(1, 'configs', 'set', 'topic', topic, 'retention.ms=never'), /ERR_INVALID_CONFIG/)
  assert.match(await failed(2, 'configs', 'set', 'tpoic', topic, 'a=b'), /one of topic, broker/)
})

test('groups: lag of a member, a reset that is only shown, one that is done, and the end of the group', async () => {
  const topic = await newTopic(2)
  const group = fresh('admin-cli-group')
  const servers = { 'bootstrap.servers': kafka.plainBootstrapServers }
  const producer = new Producer(servers)
  // Not long ago: what is older than the topic's retention.ms would be deleted by a broker that runs for minutes.
  const begun = Date.now()
  for (let i = 0; i < 10; i++) await producer.send({ topic, partition: 0, value: `${i}`, timestamp: begun + i })
  await producer.close()
  const consumer = new Consumer({
    ...servers,
    'group.id': group,
    'client.id': 'reader',
    'auto.offset.reset': 'earliest',
  })
  consumer.subscribe(topic)
  for (let i = 0; i < 4; i++) await consumer.readMessage(20_000)
  await consumer.commit([{ topic, partition: 0, offset: 4 }])

  const described = await admin('groups', 'describe', group)
  assert.match(described, /^group \S+, classic, Stable, range, 1 member, coordinator [123]\n/)
  assert.match(described, /topic +partition +offset +end +lag +member +client +host\n/)
  assert.match(described, new RegExp(`${topic} +0 +4 +10 +6 +\\S+ +reader +/127`))
  assert.match(described, new RegExp(`${topic} +1 +- +0 +- +\\S+ +reader`))
  assert.match(await admin('groups', 'describe', group, '--members'), new RegExp(`reader +\\S+ +${topic}:0,1`))
  const busy = await failed(1, 'groups', 'reset', group, '--all-topics', '--to-earliest', '--execute')
  assert.match(busy, /has a member: stop it first/)
  await consumer.close()

  const zero = ['-t', `${topic}:0`]
  const reset = (...words: string[]): Promise<Reset> => json<Reset>('groups', 'reset', group, ...zero, ...words)
  const [shown] = (await reset('--shift-by', '-3')).offsets
  const committed = shown?.from ?? 0
  assert.deepEqual(shown, { topic, partition: 0, from: committed, to: committed - 3 })
  const seventh = new Date(begun + 7).toISOString()
  assert.equal((await reset('--to-datetime', seventh, '--dry-run')).offsets[0]?.to, 7)
  assert.equal((await reset('--to-current')).offsets[0]?.to, committed, 'nothing has been changed so far')
  assert.deepEqual(await reset('--to-offset', '99', '--execute'), {
    group,
    dryRun: false,
    offsets: [{ topic, partition: 0, from: committed, to: 10 }],
  })
  assert.deepEqual((await reset('--to-earliest')).offsets, [{ topic, partition: 0, from: 10, to: 0 }])
  assert.match(await failed(2, 'groups', 'reset', group, ...zero), /give exactly one of --to-earliest/)

  assert.match(await admin('groups', 'list', '--state', 'Empty'), new RegExp(`${group} +Empty +classic +consumer`))
  assert.match(await admin('groups', 'forget', group, topic), new RegExp(`forgotten ${topic} \\[0\\]`))
  assert.equal(await admin('groups', 'delete', group), `deleted ${group}\n`)
  assert.match(await failed(1, 'groups', 'describe', group), /ERR_GROUP_ID_NOT_FOUND/)
})

test('a share group is described where it is, too', async () => {
  const topic = await newTopic(1)
  const group = fresh('admin-cli-share')
  const client = new AdminClient({ 'bootstrap.servers': kafka.plainBootstrapServers })
  const [altered] = await client.alterShareGroupOffsets(group, [{ topic, partition: 0, startOffset: 0 }])
  assert.equal(altered?.error, undefined)
  await client.close()
  const described = await admin('groups', 'describe', group)
  assert.match(described, new RegExp(`^group ${group}, share, Empty, [^]*${topic} +0 +0 +`))
  assert.match(await admin('groups', 'list', '--type', 'share'), new RegExp(`${group} +Empty +share +share`))
  assert.equal(await admin('groups', 'delete', group), `deleted ${group}\n`)
})

interface Reset {
  group: string
  dryRun: boolean
  offsets: { topic: string; partition: number; from: number | null; to: number }[]
}

test('access rules: created, listed and deleted, but not all of them by a slip', async () => {
  const topic = fresh('admin-cli')
  const words = ['--topic', topic, '--principal', 'User:carol', '--operation', 'read', '--operation', 'describe']
  assert.equal((await admin('acls', 'create', ...words, '--prefixed')).split('\n').length, 3)
  const listed = (): Promise<object[]> => json<object[]>('acls', 'list', '--topic', topic)
  while ((await listed()).length !== 2);
  for (;;) {
    const out = await admin('acls', 'list', '--topic', topic)
    if (/topic +\S+\.\.\. +User:carol +\* +allow +describe\n.*allow +read/.test(out)) break
  }
  assert.match(await failed(2, 'acls', 'delete'), /name the ACLs to delete/)
  await admin('acls', 'delete', '--topic', topic)
  while ((await listed()).length !== 0);
})

test('users and quotas: a password from standard input, and limits', async () => {
  const user = fresh('admin-cli-user')
  const on = ['-b', kafka.plainBootstrapServers]
  const set = await finished(['admin', 'users', 'set', user, '--mechanism', 'scram-sha-256', ...on], 'secret\n')
  assert.deepEqual(set, { status: 0, out: `${user} has a new password\n`, err: '' })
  for (;;) {
    const { status, out } = await finished(['admin', 'users', 'list', user, ...on])
    if (status === 0) assert.match(out, new RegExp(`${user} +SCRAM-SHA-256 \\(8192\\)`))
    if (status === 0) break
  }
  await admin('users', 'delete', user, '--mechanism', 'SCRAM-SHA-256')

  await admin('quotas', 'set', 'producer_byte_rate=1024', '--user', user, '--client', 'c')
  for (;;) {
    const out = await admin('quotas', 'list', '--user', user)
    if (new RegExp(`user ${user}, client-id c +producer_byte_rate=1024`).test(out)) break
  }
  await admin('quotas', 'unset', 'producer_byte_rate', '--user', user, '--client', 'c')
  assert.match(await failed(2, 'quotas', 'set', 'producer_byte_rate=1'), /name an entity/)
})

test('records, leaders and moves', async () => {
  const topic = await newTopic(1)
  const servers = { 'bootstrap.servers': kafka.plainBootstrapServers }
  const producer = new Producer(servers)
  for (let i = 0; i < 3; i++) await producer.send({ topic, partition: 0, value: `${i}` })
  await producer.close()
  assert.equal(await admin('records', 'delete', `${topic}:0:2`), `${topic} [0] begins at 2\n`)
  const elected = await finished(['admin', '-b', kafka.plainBootstrapServers, 'leaders', 'elect', `${topic}:0`])
  assert.deepEqual(elected, { status: 0, out: '', err: `% ${topic} [0] needs no election\n` })
  assert.equal(await admin('partitions', 'move', `${topic}:0=3,1`), `${topic} [0] is being moved\n`)
  while ((await json<{ topic: string }[]>('partitions', 'moving')).some(m => m.topic === topic));
  for (;;) {
    const out = await admin('topics', 'describe', topic)
    if (/ 3,1 /.test(out)) break
  }
  assert.match(await admin('cluster', 'dirs', '-t', topic, '--broker', '3'), new RegExp(`3 +\\S+data3 +${topic} +0`))
  const producers = await admin('transactions', 'producers', `${topic}:0`)
  assert.match(producers, /topic +partition +producer|no producers/)
})

test('transactions: one is fenced, described and listed', async () => {
  const id = fresh('admin-cli-id')
  assert.match(await admin('transactions', 'fence', id), new RegExp(`^${id} is at epoch 0 of producer \\d+\n`))
  assert.match(await admin('transactions', 'describe', id), new RegExp(`${id} +Empty +\\d+ +0 `))
  assert.match(await admin('transactions', 'list', '--state', 'Empty'), new RegExp(`${id} +Empty`))
  assert.match(await failed(1, 'transactions', 'describe', fresh('nobody')), /ERR_TRANSACTIONAL_ID_NOT_FOUND/)
})

test('the cluster: brokers, quorum and features', async () => {
  const described = await json<{ clusterId: string; nodes: object[] }>('cluster', 'describe')
  assert.equal(described.nodes.length, 3)
  assert.match(await admin('cluster', 'describe'), new RegExp(`^cluster ${described.clusterId}\n\nbroker  address`))
  assert.match(await admin('cluster', 'quorum'), /^leader [123], epoch \d+, high watermark \d+\n[^]*\n +[123] +leader/)
  assert.match(await admin('cluster', 'features'), /metadata\.version +\d+ to \d+ +\d+/)
  assert.match(await failed(1, 'cluster', 'unregister', '77'), /ERR_BROKER_ID_NOT_REGISTERED/)
})

test('kcat’s letters show the metadata and find offsets', async () => {
  const topic = await newTopic(1)
  const listed = await finished(['-b', kafka.plainBootstrapServers, '-L', '-t', topic])
  assert.equal(listed.status, 0, listed.err)
  assert.match(listed.out, new RegExp(`topic ${topic}`))
  const found = await finished(['-b', kafka.plainBootstrapServers, '-Q', '-t', `${topic}:0:-1`])
  assert.deepEqual(found, { status: 0, out: `${topic} [0] offset 0\n`, err: '' })
})
