import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import { ApiKey, ApiVersions, Metadata } from '@ottla/protocol'
import { fresh } from '../behaviour/world.ts'
import { WireClient } from '../harness/wire-client.ts'
import { finished, ottla } from './cli-terminal.ts'

let cluster: EmbeddedCluster
let secured: EmbeddedCluster
let folder: string

before(async () => {
  cluster = await EmbeddedCluster.start({ brokers: 1, defaultPartitions: 2 })
  const sasl = { mechanisms: ['PLAIN' as const], users: { alice: 'alicepassword' } }
  secured = await EmbeddedCluster.start({ brokers: 1, sasl })
  folder = mkdtempSync(join(tmpdir(), 'ottla-cli-'))
})

after(async () => {
  await cluster.close()
  await secured.close()
  rmSync(folder, { recursive: true })
})

const on = (): string[] => ['-b', cluster.bootstrapServers]

/** What a topic holds, as `-f` shows it, in the order of partitions and offsets. */
async function contents(topic: string, ...options: string[]): Promise<string> {
  const { status, out, err } = await finished([
    'consume',
    ...on(),
    '-t',
    topic,
    '-o',
    'beginning',
    '-e',
    '-q',
    ...options,
  ])
  assert.equal(status, 0, err)
  return out
}

test('lines of standard input are produced and come out of consume', async () => {
  const topic = fresh('cli')
  const produced = await finished(['produce', ...on(), '-t', topic, '-p', '0'], 'one\ntwo\n\nfour')
  assert.deepEqual(produced, { status: 0, out: '', err: '' })
  assert.equal(await contents(topic), 'one\ntwo\n\nfour\n')
})

test('with transactional.id the input is one transaction, which is aborted when a message fails', async () => {
  const topic = fresh('cli')
  const txn = ['produce', ...on(), '-t', topic, '-p', '0', '-X', `transactional.id=${fresh('cli-txn')}`]
  assert.deepEqual(await finished(txn, 'one\ntwo'), { status: 0, out: '', err: '' })
  const { status, err } = await finished([...txn, '-X', 'message.max.bytes=1000'], `three\n${'x'.repeat(2000)}\nfour`)
  assert.equal(status, 1)
  assert.match(err, /aborted/)
  assert.equal(await contents(topic), 'one\ntwo\n')
  assert.equal(await contents(topic, '-X', 'isolation.level=read_uncommitted'), 'one\ntwo\nthree\nfour\n')
})

test('produce takes keys, headers, nulls and delimiters, consume shows them', async () => {
  const topic = fresh('cli')
  const shape = ['-K', ':', '-D', ';', '-H', 'a=1', '-H', 'b', '-Z', '-p', '0', '-z', 'gzip']
  const { status, err } = await finished(['produce', ...on(), '-t', topic, ...shape], 'k1:v1;k2:;:v3;')
  assert.equal(status, 0, err)
  const format = '%o %k=%s (%K,%S) %h\\n'
  assert.equal(
    await contents(topic, '-Z', '-f', format),
    '0 k1=v1 (2,2) a=1,b=NULL\n1 k2=NULL (2,-1) a=1,b=NULL\n2 NULL=v3 (-1,2) a=1,b=NULL\n',
  )
  const [first = ''] = (await contents(topic, '-J', '-c', '1')).split('\n')
  const line: unknown = JSON.parse(first)
  assert.deepEqual(
    { ...(line as object), ts: 0 },
    {
      topic,
      partition: 0,
      offset: 0,
      tstype: 'create',
      ts: 0,
      headers: ['a', '1', 'b', null],
      key: 'k1',
      payload: 'v1',
    },
  )
})

test('a file is one message, with -l its lines are', async () => {
  const topic = fresh('cli')
  const file = join(folder, 'two-lines')
  writeFileSync(file, 'x\ny\n')
  assert.equal((await finished(['produce', ...on(), '-t', topic, '-p', '0', file])).status, 0)
  assert.equal((await finished(['produce', ...on(), '-t', topic, '-p', '0', '-l', file])).status, 0)
  assert.equal(await contents(topic, '-D', '|'), 'x\ny\n|x|y|')
})

test('consume begins where -o says and ends after -c messages', async () => {
  const topic = fresh('cli')
  await finished(['produce', ...on(), '-t', topic, '-p', '0'], '0\n1\n2\n3\n4\n')
  const from = async (...options: string[]): Promise<string> => {
    const { out } = await finished(['consume', ...on(), '-p', '0', '-q', '-D', ' ', topic, ...options])
    return out
  }
  assert.equal(await from('-o', '3', '-e'), '3 4 ')
  assert.equal(await from('-o', '-2', '-e'), '3 4 ')
  assert.equal(await from('-o', 'end', '-e'), '')
  assert.equal(await from('-o', 's@0', '-c', '2'), '0 1 ')
})

test('the end of each partition is told on standard error', async () => {
  const topic = fresh('cli')
  await finished(['produce', ...on(), '-t', topic, '-p', '1'], 'a\n')
  const { err } = await finished(['consume', ...on(), '-t', topic, '-e'])
  assert.match(err, /end of .* \[0\] at offset 0/)
  assert.match(err, /end of .* \[1\] at offset 1/)
})

test('a group goes on where it was', async () => {
  const topic = fresh('cli')
  const group = fresh('group')
  await finished(['produce', ...on(), '-t', topic, '-p', '0'], 'a\nb\nc\n')
  const first = await finished(['consume', ...on(), '-G', group, '-c', '2', topic])
  assert.equal(first.out, 'a\nb\n')
  assert.match(first.err, /assigned/)
  const second = await finished(['consume', ...on(), '-G', group, '-e', '-q', topic])
  assert.deepEqual(second, { status: 0, out: 'c\n', err: '' })
})

test('consume runs until it is interrupted, and closes', async () => {
  const topic = fresh('cli')
  await finished(['produce', ...on(), '-t', topic, '-p', '0'], 'a\n')
  const running = ottla('consume', ...on(), '-q', topic)
  await running.printed('a\n')
  running.interrupt()
  assert.equal(await running.done, 0)
})

test('produce sends what it has read, and closes when it is interrupted', async () => {
  const topic = fresh('cli')
  cluster.createTopic(topic, { partitions: 1 })
  const running = ottla('produce', ...on(), '-t', topic)
  running.stdin.write('a\nb\n')
  const consumed = await finished(['consume', ...on(), '-q', '-c', '2', topic])
  assert.equal(consumed.out, 'a\nb\n')
  running.interrupt()
  assert.equal(await running.done, 0)
})

test('meta shows brokers and topics, the partitions of one, and JSON', async () => {
  const topic = fresh('cli')
  await finished(['produce', ...on(), '-t', topic], 'a\n')
  const all = await finished(['meta', ...on()])
  assert.equal(all.status, 0)
  assert.match(all.out, new RegExp(`${topic} +2 +1`))
  assert.match(all.out, new RegExp(cluster.bootstrapServers))
  const one = await finished(['meta', ...on(), '-t', topic])
  assert.match(one.out, /partition +leader +replicas/)
  const json: unknown = JSON.parse((await finished(['meta', ...on(), '-J', '-t', topic])).out)
  assert.equal((json as { topics: { topic: string }[] }).topics[0]?.topic, topic)
  const none = await finished(['meta', ...on(), '-t', 'not-there'])
  assert.equal(none.status, 1)
  assert.match(none.err, /not-there.*ERR_UNKNOWN_TOPIC_OR_PART.*ottla meta/)
})

test('query finds offsets by time', async () => {
  const topic = fresh('cli')
  await finished(['produce', ...on(), '-t', topic, '-p', '0'], 'a\nb\n')
  const { status, out } = await finished(['query', ...on(), '-t', `${topic}:0:-1`, '-t', `${topic}:0:0`])
  assert.equal(status, 0)
  assert.equal(out, `${topic} [0] offset 2\n${topic} [0] offset 0\n`)
})

test('properties come from -F files, and -X overrides them', async () => {
  const topic = fresh('cli')
  const file = join(folder, 'client.properties')
  writeFileSync(
    file,
    `# a comment\nbootstrap.servers=${secured.bootstrapServers}\nsecurity.protocol=SASL_PLAINTEXT\n` +
      'sasl.mechanism=PLAIN\nsasl.username=alice\nsasl.password=wrong\n',
  )
  const right = await finished(['produce', '-F', file, '-X', 'sasl.password=alicepassword', '-t', topic], 'a\n')
  assert.deepEqual(right, { status: 0, out: '', err: '' })
  const wrong = await finished(['produce', '-F', file, '-t', topic, '-q'], 'a\n')
  assert.equal(wrong.status, 1)
  assert.match(wrong.err, /^ottla produce: .*sasl\.password\n$/m)
})

test('a broker that is not there is told at once, with what to check', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  assert.ok(typeof address === 'object' && address !== null)
  const { status, err } = await finished(['meta', '-b', `127.0.0.1:${address.port}`])
  assert.equal(status, 1)
  assert.match(err, /check the address given with -b/)
  assert.equal(err.trim().split('\n').length, 1)
})

test('wrong usage has status 2 and says what is meant', async () => {
  const cases: [string[], RegExp][] = [
    [[], /Usage: ottla/],
    [['produse'], /unknown command/],
    [['produce', '-b', 'localhost:1'], /-t, --topic/],
    [['produce', '-t', 'x'], /no brokers: give -b/],
    [['consume', '-b', 'localhost:1'], /no topic: name one with -t/],
    [['consume', '-b', 'localhost:1', '-t', 'x', '-o', 'middle'], /-o middle/],
    [['consume', '-b', 'localhost:1', '-t', 'x', '-f', '%q'], /%q/],
    [['consume', '-b', 'localhost:1', '-t', 'x', '-c', 'many'], /whole number/],
    [['meta', '-b', 'localhost:1', '-X', 'nonsense'], /key=value/],
    [['meta', '-b', 'localhost:1', '-X', 'no.such.property=1'], /no\.such\.property/],
    [['meta', '-b', 'localhost:1', '-F', join(folder, 'missing')], /missing/],
    [['bench', 'produce', '-b', 'localhost:1', '--topic', 'x', '--api', 'poll'], /--api poll/],
    [['broker', '--sasl', 'alice'], /USER:PASSWORD/],
    [['broker', '--as', '0.8'], /Allowed choices are 2\.1, 3\.9, 4\.3/],
    [['broker', '--seed', 'x'], /whole number/],
  ]
  for (const [args, expected] of cases) {
    const { status, err } = await finished(args)
    assert.equal(status, 2, `${args.join(' ')}: ${err}`)
    assert.match(err, expected)
  }
})

test('help and version are no failures', async () => {
  const help = await finished(['consume', '--help'])
  assert.equal(help.status, 0)
  assert.match(help.out, /%s {2}value/)
  assert.match((await finished(['--version'])).out, /^\d+\.\d+\.\d+/)
})

test('a message that cannot be delivered fails the command, the others are delivered', async () => {
  const topic = fresh('cli')
  const { status, err } = await finished(
    ['produce', ...on(), '-t', topic, '-p', '0', '-X', 'message.max.bytes=1000'],
    `a\n${'x'.repeat(2000)}\nb\n`,
  )
  assert.equal(status, 1)
  assert.match(err, /1 of 3 messages were not delivered.*ERR_MSG_SIZE_TOO_LARGE/)
  assert.equal(await contents(topic), 'a\nb\n')
})

test('broker says where it listens, serves, and stops when asked', async () => {
  const broker = ottla('broker', '--port', '0', '--brokers', '2', '--partitions', '3')
  await broker.printed('\n')
  const line = /^listening on (127\.0\.0\.1:\d+,127\.0\.0\.1:\d+)\n$/.exec(broker.out())
  assert.ok(line)
  const address = line[1] ?? ''
  await finished(['produce', '-b', address, '-t', 'x'], 'a\n')
  assert.match((await finished(['meta', '-b', address])).out, /x +3/)
  broker.interrupt()
  assert.equal(await broker.done, 0)
})

test('broker opens several listeners, each with the users of its mechanism', async () => {
  const broker = ottla(
    ...['broker', '--listener', 'IN=PLAINTEXT://127.0.0.1:0', '--listener', 'OUT=SASL_PLAINTEXT://127.0.0.1:0'],
    ...['--sasl', 'alice:secret', '--sasl-mechanism', 'SCRAM-SHA-256', '--advertised', 'OUT=localhost'],
  )
  await broker.printed('localhost')
  const [, inner = '', outer = ''] = /^IN +(\S+)\nOUT +(localhost:\d+)$/m.exec(broker.out()) ?? []
  await finished(['produce', '-b', inner, '-t', 'shared'], 'a\n')
  const login = ['security.protocol=sasl_plaintext', 'sasl.mechanism=SCRAM-SHA-256', 'sasl.username=alice']
  const properties = [...login, 'sasl.password=secret'].flatMap(property => ['-X', property])
  const { status, out } = await finished(['meta', '-b', outer, ...properties])
  assert.equal(status, 0)
  assert.match(out, /localhost/)
  assert.match(out, /shared/)
  broker.interrupt()
  assert.equal(await broker.done, 0)
})

test('broker poses as an older release, with the same ids for the same seed', async () => {
  const ids: string[] = []
  for (let round = 0; round < 2; round++) {
    const broker = ottla('broker', '--port', '0', '--as', '3.9', '--seed', '7')
    await broker.printed('\n')
    const client = await WireClient.connect(broker.out().trim().replace('listening on ', ''))
    const { apiKeys } = await client.ask(ApiVersions, 2, {})
    assert.equal(apiKeys.find(({ apiKey }) => apiKey === ApiKey.EndTxn)?.maxVersion, 4)
    ids.push((await client.ask(Metadata, 9, { topics: [] })).clusterId ?? '')
    client.close()
    broker.interrupt()
    assert.equal(await broker.done, 0)
  }
  assert.notEqual(ids[0], '')
  assert.equal(ids[0], ids[1])
})

const resultFields =
  'peer,version,runtime,op,count,size,compression,acks,wall_s,cpu_user_s,cpu_sys_s,msgs_per_s,mb_per_s,maxrss_mb,' +
  'errors,checksum_ok'

test('bench measures every operation and prints one JSON line with the agreed fields', async () => {
  const topic = fresh('bench')
  const scratch = fresh('bench')
  const consume = { topic, count: 2000, extra: ',first_msg_s' }
  const runs = [
    { args: ['produce', '--keys', '--compression', 'gzip'], topic, count: 2500, extra: '' },
    { args: ['produce', '--api', 'send', '--warmup', '500'], topic: scratch, count: 2000, extra: '' },
    { args: ['consume', '--warmup', '500'], ...consume },
    { args: ['consume', '--warmup', '500', '--api', 'poll'], ...consume },
    { args: ['consume', '--warmup', '500', '--api', 'iterate'], ...consume },
    { args: ['latency'], topic: scratch, count: 20, extra: ',p50_us,p99_us,max_us' },
  ]
  for (const { args, count, extra, ...run } of runs) {
    const where = ['--brokers', cluster.bootstrapServers, '--topic', run.topic]
    const { status, out, err } = await finished(['bench', ...args, ...where, '--count', `${count}`, '--size', '50'])
    assert.deepEqual({ status, err }, { status: 0, err: '' }, args.join(' '))
    const result = JSON.parse(out) as Record<string, unknown> // one line, one object
    assert.equal(Object.keys(result).join(), resultFields + extra)
    const { peer, op, size, errors, checksum_ok: checksumOk } = result
    const expected = { peer: 'ottla', op: args[0], count, size: 50, errors: 0, checksumOk: true }
    assert.deepEqual({ peer, op, count: result['count'], size, errors, checksumOk }, expected)
  }
})

test('the demo runs on an embedded cluster, and all of its checks pass', async () => {
  const { status, out, err } = await finished(['demo', '-q'])
  assert.equal(status, 0, `${out}${err}`)
  assert.match(out, /All checks passed/)
  assert.doesNotMatch(out, /✗/)
  assert.equal(err, '')
})
