// What has to work on every runtime, as one program that a user could have written: `node conformance.mjs [NAME ...]`.
// Prints a line for each check, and ends with status 1 if one has failed.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { eventually, startTestCluster } from '@ottla/broker/testing'
import { AdminClient, Consumer, Producer, ShareConsumer } from 'ottla'

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const PATIENT = { timeoutMs: 30_000 }
const LIMIT_MS = 60_000
const isDeno = 'Deno' in globalThis

const checks = {
  /** Every codec, small batches and large ones; the large ones are compressed beside the event loop where that is possible. */
  async codecs() {
    const cluster = await started({ topics: { t: { partitions: 1 } } })
    const large = 'a message that repeats itself, '.repeat(10_000)
    const expected = []
    for (const codec of CODECS) {
      const producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers, 'compression.codec': codec })
      for (const value of [`${codec} small`, `${codec} ${large}`]) {
        await producer.send({ topic: 't', key: codec, value, headers: { codec } })
        expected.push(value)
      }
      await producer.close()
    }
    const messages = await consumed(cluster, 'codecs', 't', expected.length)
    same(
      messages.map(({ value }) => String(value)),
      expected,
    )
    same(
      messages.map(({ headers }) => String(headers[0]?.value)),
      CODECS.flatMap(codec => [codec, codec]),
    )
  },

  /** Two members of each protocol share the partitions; when one leaves, the other goes on where it was. */
  async groups() {
    const cluster = await started({ topics: { t: { partitions: 4 } } })
    // Members hear of a rebalance with a heartbeat.
    await groupSettings(cluster, 'consumer', { 'consumer.heartbeat.interval.ms': '100' })
    for (const protocol of ['classic', 'consumer']) {
      const seen = []
      const join = () => {
        const consumer = new Consumer({
          'bootstrap.servers': cluster.bootstrapServers,
          'group.id': protocol,
          'group.protocol': protocol,
          'auto.offset.reset': 'latest',
          ...(protocol === 'classic' ? { 'heartbeat.interval.ms': 100 } : {}),
        })
        consumer.subscribe('t')
        const running = consumer.run({ handler: ({ value }) => void seen.push(Number(String(value))) })
        return { consumer, running }
      }
      const [first, second] = [join(), join()]
      const { members } = await cluster.waitForGroup(protocol, { members: 2, ...PATIENT })
      same(
        members.map(({ assigned }) => assigned.length),
        [2, 2],
      )
      const numbers = from => Array.from({ length: 40 }, (_, i) => from + i)
      await eventually(async () => {
        // Those who join at the end have a position before anything is written.
        await cluster.produce(
          't',
          [0, 1, 2, 3].map(partition => ({ partition, value: '-1' })),
        )
        return seen.length >= 8
      }, PATIENT)
      await cluster.produce(
        't',
        numbers(0).map(n => ({ value: `${n}` })),
      )
      await eventually(() => seen.filter(n => n >= 0).length === 40, PATIENT)
      await second.consumer.close()
      await second.running
      await cluster.produce(
        't',
        numbers(40).map(n => ({ value: `${n}` })),
      )
      await eventually(() => seen.filter(n => n >= 0).length === 80, PATIENT)
      await first.consumer.close()
      await first.running
      await cluster.waitForCommitted(protocol, 't', PATIENT)
      same(
        seen.filter(n => n >= 0).sort((a, b) => a - b),
        [...numbers(0), ...numbers(40)],
      )
    }
  },

  /** A committed and an aborted transaction, and consume-transform-produce with the offsets in the transaction. */
  async transactions() {
    const values = ['a', 'b', 'c']
    const cluster = await started({
      topics: { in: { partitions: 1, messages: values.map(value => ({ value })) }, out: { partitions: 1 } },
    })
    const servers = { 'bootstrap.servers': cluster.bootstrapServers }
    const producer = new Producer({ ...servers, 'transactional.id': 'conformance' })
    const consumer = new Consumer({
      ...servers,
      'group.id': 'transactions',
      'auto.offset.reset': 'earliest',
      'enable.auto.commit': false,
    })
    await producer.initTransactions()
    producer.beginTransaction()
    producer.produce({ topic: 'out', value: 'never seen' })
    await producer.flush()
    await producer.abortTransaction()
    consumer.subscribe('in')
    const stop = new AbortController()
    const work = (batch, tx) => {
      for (const { value } of batch) tx.produce({ topic: 'out', value: String(value).toUpperCase() })
    }
    const running = producer.transactional(consumer, work, { signal: stop.signal })
    await cluster.waitForCommitted('transactions', 'in', PATIENT)
    stop.abort()
    await running
    await Promise.all([producer.close(), consumer.close()])
    const messages = await consumed(cluster, 'readers', 'out', 3, { 'isolation.level': 'read_committed' })
    same(
      messages.map(({ value }) => String(value)),
      ['A', 'B', 'C'],
    )
  },

  /** A share group: each message goes to one member, and one that is released comes again. */
  async share() {
    const values = ['a', 'b', 'c', 'd']
    const cluster = await started({ topics: { t: { messages: values.map(value => ({ value })) } } })
    await groupSettings(cluster, 'workers', { 'share.auto.offset.reset': 'earliest' })
    const jobs = new ShareConsumer({ 'bootstrap.servers': cluster.bootstrapServers, 'group.id': 'workers' })
    jobs.subscribe('t')
    const stop = new AbortController()
    const seen = []
    const handler = ({ value, deliveryCount }) => {
      if (String(value) === 'b' && deliveryCount === 1) throw new Error('not now')
      seen.push(`${value} ${deliveryCount}`)
    }
    const running = jobs.run({ handler, onError: () => 'release', signal: stop.signal })
    await cluster.waitForCommitted('workers', 't', PATIENT)
    stop.abort()
    await running
    await jobs.close()
    same(seen.sort(), ['a 1', 'b 2', 'c 1', 'd 1'])
  },

  /** SCRAM of both kinds, and PLAIN; a wrong password is refused in words. */
  async scram() {
    const cluster = await started({
      sasl: { mechanisms: ['SCRAM-SHA-256', 'SCRAM-SHA-512', 'PLAIN'], users: { alice: 'correct horse' } },
      topics: ['t'],
    })
    const settings = (mechanism, password) => ({
      'bootstrap.servers': cluster.bootstrapServers,
      'security.protocol': 'sasl_plaintext',
      'sasl.mechanisms': mechanism,
      'sasl.username': 'alice',
      'sasl.password': password,
    })
    for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512', 'PLAIN']) {
      const producer = new Producer(settings(mechanism, 'correct horse'))
      await producer.send({ topic: 't', value: mechanism })
      await producer.close()
      const intruder = new Producer(settings(mechanism, 'battery staple'))
      same((await firstError(intruder)).name, 'ERR__AUTHENTICATION')
      await intruder.close(0)
    }
    same((await cluster.messages('t')).length, 3)
  },

  /** TLS with certificates on both sides; a broker whose certificate nobody here has signed is refused. */
  async tls() {
    const tls = name => fileURLToPath(new URL(`../fixtures/tls/${name}.pem`, import.meta.url))
    const read = name => readFileSync(tls(name))
    const cluster = await started({
      tls: { key: read('server-key'), cert: read('server-cert'), ca: read('client-cert'), clientAuth: 'required' },
      topics: ['t'],
    })
    const settings = authority => ({
      'bootstrap.servers': cluster.bootstrapServers,
      'security.protocol': 'ssl',
      'ssl.ca.location': tls(authority),
      'ssl.certificate.location': tls('client-cert'),
      'ssl.key.location': tls('client-key'),
    })
    const producer = new Producer(settings('server-cert'))
    await producer.send({ topic: 't', value: 'encrypted' })
    await producer.close()
    const distrustful = new Producer(settings('other-cert'))
    same((await firstError(distrustful)).name, 'ERR__SSL')
    await distrustful.close(0)
    same((await cluster.messages('t')).length, 1)
  },

  /** What a cluster has in a folder is there when it comes back: messages, offsets, transactions. */
  async dataDir() {
    const dataDir = mkdtempSync(join(tmpdir(), 'ottla-conformance-'))
    try {
      const before = await started({ dataDir, topics: { t: { partitions: 1, messages: [{ value: 'kept' }] } } })
      await consumed(before, 'readers', 't', 1)
      const producer = new Producer({ 'bootstrap.servers': before.bootstrapServers, 'compression.codec': 'zstd' })
      await producer.send({ topic: 't', value: 'kept, too '.repeat(100) })
      await producer.close()
      await before.close()
      const { embedded: after } = await started({ dataDir })
      same(
        after.messages('t').map(({ value }) => String(value).slice(0, 9)),
        ['kept', 'kept, too'],
      )
      same(
        after.committedOffsets('readers').map(({ offset }) => offset),
        [1],
      )
      await clusters.at(-1).close()
    } finally {
      rmSync(dataDir, { recursive: true, force: true })
    }
  },

  /** Clients in a worker thread, the cluster in this one; the worker ends by itself. */
  async workers() {
    const cluster = await started({ topics: { t: { partitions: 1 } } })
    const worker = new Worker(fileURLToPath(new URL('worker.mjs', import.meta.url)), {
      workerData: { bootstrapServers: cluster.bootstrapServers, codecs: CODECS },
    })
    const exited = once(worker, 'exit')
    const [read] = await once(worker, 'message')
    const [code] = await exited
    same({ code, read }, { code: 0, read: CODECS })
  },

  /** The command line: a cluster in a process of its own, produce, consume, stop. */
  async commands() {
    const cluster = command('broker', '--port', '0')
    try {
      const address = /listening on (\S+)/.exec(await firstLine(cluster))?.[1] ?? ''
      const producing = command('produce', '-b', address, '-t', 't', '-K', ':', '-z', 'lz4')
      producing.stdin.end('alice:hello\nbob:good morning\n')
      same(await ended(producing), { code: 0, out: '', err: '' })
      const { code, out, err } = await ended(command('consume', '-b', address, '-t', 't', '-e', '-q', '-K', ':'))
      same({ code, lines: out.trim().split('\n').sort() }, { code: 0, lines: ['alice:hello', 'bob:good morning'] }, err)
      same((await ended(command('meta', '-b', '127.0.0.1:1'))).code, 1)
    } finally {
      cluster.kill('SIGTERM')
    }
    // Deno names the signal that was sent as the child's end, whatever the child did about it.
    same((await ended(cluster)).code, isDeno ? null : 0)
  },
}

/** Sets what brokers keep about a group. */
async function groupSettings(cluster, name, settings) {
  const admin = new AdminClient({ 'bootstrap.servers': cluster.bootstrapServers })
  const entries = Object.entries(settings).map(([key, value]) => ({ name: key, value, operation: 'set' }))
  const [result] = await admin.incrementalAlterConfigs([{ type: 'group', name, entries }])
  await admin.close()
  if (result?.error !== undefined && result.error !== null) throw result.error
}

/** The clusters of the check that runs. */
const clusters = []

async function started(options) {
  const cluster = await startTestCluster(options)
  clusters.push(cluster)
  return cluster
}

/** What a consumer of its own group reads from the beginning, committed at the end. */
async function consumed(cluster, groupId, topic, count, more = {}) {
  const consumer = new Consumer({
    'bootstrap.servers': cluster.bootstrapServers,
    'group.id': groupId,
    'auto.offset.reset': 'earliest',
    ...more,
  })
  consumer.subscribe(topic)
  const messages = []
  try {
    while (messages.length < count) messages.push(await consumer.readMessage(30_000))
    for (const message of messages) message.value?.toString()
  } finally {
    await consumer.close()
  }
  return messages
}

/** The command line in a process of this runtime. */
function command(...args) {
  const bin = fileURLToPath(new URL('../../packages/cli/bin/ottla.js', import.meta.url))
  const how = isDeno ? ['run', '-A'] : []
  return spawn(process.execPath, [...how, bin, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
}

function firstLine(child) {
  child.stdin.end()
  return new Promise(resolve => {
    let text = ''
    child.stdout.on('data', chunk => {
      text += chunk
      if (text.includes('\n')) resolve(text)
    })
  })
}

function firstError(client) {
  return new Promise(resolve => client.on('error', ({ error }) => resolve(error)))
}

async function ended(child) {
  let out = ''
  let err = ''
  child.stdout.on('data', chunk => (out += chunk))
  child.stderr.on('data', chunk => (err += chunk))
  if (!child.stdin.writableEnded) child.stdin.end()
  const code = child.exitCode ?? (await once(child, 'close'))[0]
  return { code, out, err }
}

function same(actual, expected, more = '') {
  const [is, should] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (is !== should) throw new Error(`it is ${is}, and should be ${should} ${more}`)
}

async function within(ms, what, work) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} has not ended after ${ms} ms`)), ms)
  })
  try {
    await Promise.race([work(), late])
  } finally {
    clearTimeout(timer)
  }
}

async function main(names) {
  for (const name of names.length > 0 ? names : Object.keys(checks)) {
    try {
      await within(LIMIT_MS, name, checks[name])
      console.log(`ok ${name}`)
    } catch (error) {
      process.exitCode = 1
      console.log(`FAILED ${name}: ${error?.stack ?? error}`)
    } finally {
      for (const cluster of clusters.splice(0)) await cluster.close()
    }
  }
  console.log('done')
}

await main(process.argv.slice(2))
