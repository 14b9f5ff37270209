/** Metrics that clients push (KIP-714), as a plug-in of a real broker receives them: ours, Java's and librdkafka's. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, before, test } from 'node:test'
import { AdminClient, Consumer, Producer, ShareConsumer } from 'ottla'
import type { Peer } from '../foreign/peer.ts'
import { java, librdkafka } from '../foreign/programs.ts'
import { startKafka, type KafkaCluster } from '../harness/kafka.ts'
import { createTopic } from '../harness/topics.ts'

const quiet = (): void => undefined
const LIMIT_MS = 60_000
const INTERVAL_MS = 250
/** Long enough for a subscription and a push or two, mostly. */
const REST_MS = 500

interface Metric {
  readonly name: string
  readonly unit: string
  readonly type: string
  readonly temporality?: string
  readonly monotonic?: boolean
  readonly points: readonly {
    readonly attributes: Readonly<Record<string, string | number>>
    readonly value: number
    readonly startNanos: string
    readonly atNanos: string
  }[]
}

/** A push as test/java/src/TelemetryReporter.java writes it. */
interface Push {
  readonly clientId: string
  readonly clientInstanceId: string
  readonly terminating: boolean
  readonly contentType: string
  readonly resource: Readonly<Record<string, string>>
  readonly metrics: readonly Metric[]
}

const folder = mkdtempSync(join(tmpdir(), 'ottla-telemetry-'))
const file = join(folder, 'pushes.jsonl')
let cluster: KafkaCluster
let servers: { 'bootstrap.servers': string }

before(async () => {
  cluster = await startKafka({
    brokers: 1,
    plugins: ['TelemetryReporter'],
    config: { 'metric.reporters': 'TelemetryReporter', 'ottla.telemetry.file': file },
  })
  servers = { 'bootstrap.servers': cluster.bootstrapServers }
  await using admin = new AdminClient({ ...servers, 'enable.metrics.push': false }, { logger: quiet })
  const settings = { metrics: '*', 'interval.ms': String(INTERVAL_MS) }
  const entries = Object.entries(settings).map(([name, value]) => ({ name, value, operation: 'set' as const }))
  const [result] = await admin.incrementalAlterConfigs([{ type: 'client-metrics', name: 'all', entries }])
  assert.equal(result?.error, undefined)
  await createTopic(cluster.bootstrapServers, 'orders', { numPartitions: 2 })
})
after(async () => {
  await cluster.close()
  rmSync(folder, { recursive: true, force: true })
})

const received: Push[] = []
let readLength = 0

/** What the broker has had so far from that client. */
function pushes(clientId: string): Push[] {
  const text = readFileSync(file, 'utf8')
  const end = text.lastIndexOf('\n') + 1
  for (const line of text.slice(readLength, end).split('\n')) if (line !== '') received.push(JSON.parse(line) as Push)
  readLength = end
  return received.filter(push => push.clientId === clientId)
}

async function until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + LIMIT_MS
  while (!(await isTrue())) {
    assert.ok(Date.now() < deadline, what)
    await sleep(100)
  }
}

/** What tells metrics apart, beside their name. */
interface Descriptor {
  readonly unit: string
  readonly type: string
  readonly temporality?: string
  readonly monotonic?: boolean
  /** Names of the attributes of its points. */
  readonly attributes: readonly string[]
}

/** All metrics that a client has pushed, by name. */
function described(clientId: string): Map<string, Descriptor> {
  const found = new Map<string, Descriptor>()
  for (const { name, points, ...more } of pushes(clientId).flatMap(({ metrics }) => metrics)) {
    found.set(name, { ...more, attributes: Object.keys(points[0]?.attributes ?? {}) })
  }
  return found
}

const roles = ['producer', 'consumer', 'share'] as const
type Role = (typeof roles)[number]

const PREFIX = 'org.apache.kafka.'
/** What is pushed once a client of that role has done something. */
const late: Readonly<Record<Role, string>> = {
  producer: `${PREFIX}producer.node.request.latency.avg`,
  consumer: `${PREFIX}consumer.node.request.latency.avg`,
  share: `${PREFIX}consumer.share.fetch.manager.fetch.latency.avg`,
}

/** What KIP-714 requires of producers and consumers. */
const required: Readonly<Record<'producer' | 'consumer', readonly string[]>> = {
  producer: [
    'connection.creation.rate',
    'connection.creation.total',
    'node.request.latency.avg',
    'node.request.latency.max',
    'produce.throttle.time.avg',
    'produce.throttle.time.max',
    'record.queue.time.avg',
    'record.queue.time.max',
  ],
  consumer: [
    'connection.creation.rate',
    'connection.creation.total',
    'coordinator.assigned.partitions',
    'coordinator.commit.latency.avg',
    'coordinator.commit.latency.max',
    'coordinator.rebalance.latency.avg',
    'coordinator.rebalance.latency.max',
    'coordinator.rebalance.latency.total',
    'fetch.manager.fetch.latency.avg',
    'fetch.manager.fetch.latency.max',
    'node.request.latency.avg',
    'node.request.latency.max',
    'poll.idle.ratio.avg',
  ],
}

const hasPushed = (name: string, role: Role): boolean => described(`${name}-${role}`).has(late[role])

/** What has been pushed of ours under that name, added up. */
function total(role: Role, name: string): number {
  return pushes(`ottla-${role}`)
    .flatMap(({ metrics }) => metrics.filter(each => each.name === PREFIX + name).flatMap(({ points }) => points))
    .reduce((sum, { value }) => sum + value, 0)
}

/** Metrics that are not 0 after some work. */
const worked: readonly (readonly [Role, string])[] = [
  ['producer', 'producer.connection.creation.total'],
  ['producer', 'producer.request.latency.max'],
  ['producer', 'producer.record.queue.time.max'],
  ['consumer', 'consumer.coordinator.assigned.partitions'],
  ['consumer', 'consumer.coordinator.commit.latency.max'],
  ['consumer', 'consumer.coordinator.rebalance.latency.total'],
  ['consumer', 'consumer.poll.idle.ratio.avg'],
  ['share', 'consumer.share.fetch.manager.acknowledgements.send.total'],
  ['share', 'consumer.share.fetch.manager.bytes.consumed.total'],
  ['share', 'consumer.share.coordinator.heartbeat.total'],
]
const values = Array.from({ length: 20 }, (_, i) => String(i))

/** A producer, a consumer and a share consumer at work until the broker has had their metrics; then they close. */
async function ours(): Promise<void> {
  const named = (role: Role): { 'bootstrap.servers': string; 'client.id': string } => {
    return { ...servers, 'client.id': `ottla-${role}` }
  }
  const producer = new Producer(named('producer'), { logger: quiet })
  const group = { 'auto.offset.reset': 'earliest', 'auto.commit.interval.ms': 200 } as const
  const consumer = new Consumer({ ...named('consumer'), 'group.id': 'ottla', ...group }, { logger: quiet })
  const share = new ShareConsumer({ ...named('share'), 'group.id': 'ottla-share' }, { logger: quiet })
  consumer.subscribe('orders')
  share.subscribe('orders')
  const stop = new AbortController()
  const running = [consumer, share].map(each => each.run({ signal: stop.signal, handler: quiet }))
  await until('pushes of ours', async () => {
    await producer.sendBatch(values.map(value => ({ topic: 'orders', value })))
    return roles.every(role => hasPushed('ottla', role)) && worked.every(([role, name]) => total(role, name) > 0)
  })
  stop.abort()
  await Promise.all(running)
  await Promise.all([producer.close(), consumer.close(), share.close()])
}

/** The same with the clients of others. */
async function theirs(name: string, peer: Peer): Promise<void> {
  const ask = (order: string, more: Record<string, unknown>): Promise<unknown> =>
    peer.ask({ do: order, topic: 'orders', ...more })
  await ask('join', { member: 'c', group: name, protocol: 'classic', assignor: 'range', client: `${name}-consumer` })
  await ask('share', { member: 's', group: `${name}-share`, client: `${name}-share` })
  const work = { values, codec: 'none', idempotence: false, client: `${name}-producer`, restMs: REST_MS }
  await until(`pushes of ${name}`, async () => {
    await ask('produce', work)
    return roles.every(role => hasPushed(name, role))
  })
  for (const member of ['c', 's']) await ask('leave', { member })
  await peer.close()
}

test('Java’s clients, librdkafka’s and ours push metrics of the same work, with its values', async () => {
  writeFileSync(file, '')
  const { bootstrapServers } = cluster
  await Promise.all([
    ours(),
    java(bootstrapServers).then(peer => theirs('java', peer)),
    librdkafka(bootstrapServers).then(peer => theirs('librdkafka', peer)),
  ])
})

test('ours are named and described like Java’s: names, units, types, temporality and attributes', () => {
  for (const role of roles) {
    const javas = described(`java-${role}`)
    for (const [name, descriptor] of described(`ottla-${role}`)) {
      assert.deepEqual(javas.get(name), descriptor, `${role}: ${name}`)
    }
  }
})

test('all that librdkafka pushes, ours do, described in the same way', () => {
  for (const role of roles) {
    const own = described(`ottla-${role}`)
    for (const [name, { attributes, ...descriptor }] of described(`librdkafka-${role}`)) {
      const found = own.get(name)
      assert.ok(found !== undefined, `${role}: ${name}`)
      const { attributes: ownAttributes, ...ownDescriptor } = found
      assert.deepEqual(ownDescriptor, descriptor, `${role}: ${name}`)
      // It has a name of its own for one of them, 'node.id'.
      assert.equal(ownAttributes.length, attributes.length)
    }
  }
})

test('what KIP-714 requires is there', () => {
  for (const role of ['producer', 'consumer'] as const) {
    const own = described(`ottla-${role}`)
    assert.deepEqual(
      required[role].filter(name => !own.has(`${PREFIX}${role}.${name}`)),
      [],
    )
  }
})

test('each client has one instance id, says whose it is, and ends with one terminating push', () => {
  const ids = roles.map(role => {
    const own = pushes(`ottla-${role}`)
    assert.deepEqual(
      own.map(({ terminating }) => terminating),
      own.map((_, i) => i === own.length - 1),
    )
    assert.deepEqual([...new Set(own.map(({ contentType }) => contentType))], ['OTLP'])
    // Those of a group come with the first answer of its coordinator.
    assert.deepEqual(
      Object.keys(own.at(-1)?.resource ?? {}),
      Object.keys(pushes(`java-${role}`).at(-1)?.resource ?? {}),
    )
    const [id, ...others] = new Set(own.map(({ clientInstanceId }) => clientInstanceId))
    assert.deepEqual(others, [])
    return id
  })
  assert.equal(new Set(ids).size, roles.length)
})
