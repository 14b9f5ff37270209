/** Scenarios of librdkafka's own tests that need a cluster which misbehaves on command; the table is test/PRODUCER-SCENARIOS.md. */
import { afterEach, beforeEach, test } from 'node:test'
import assert from 'node:assert/strict'
import { EmbeddedCluster } from '@ottla/broker'
import { AdminClient, Consumer, ErrorCode, Producer, type DeliveryReport, type ProducerConfig } from 'ottla'

const FETCH = 1
const PRODUCE = 0
const METADATA = 3
const WAIT_MS = 20_000
const quiet = (): void => undefined

let cluster: EmbeddedCluster
const closing: { close(): Promise<void> }[] = []

beforeEach(async () => {
  cluster = await EmbeddedCluster.start({ brokers: 3 })
})

afterEach(async () => {
  for (const client of closing.splice(0)) await client.close()
  await cluster.close()
})

function producer(config: Partial<ProducerConfig> = {}): Producer {
  const made = new Producer(
    {
      'bootstrap.servers': cluster.bootstrapServers,
      'linger.ms': 0,
      'retry.backoff.ms': 20,
      'reconnect.backoff.ms': 20,
      'reconnect.backoff.max.ms': 100,
      ...config,
    },
    { logger: quiet },
  )
  closing.push(made)
  return made
}

function topic(name: string, partitions = 1): string {
  cluster.createTopic(name, { partitions, replicationFactor: 3 })
  return name
}

const valuesOf = (name: string): string[] => cluster.messages(name).map(({ value }) => String(value))

async function until(done: () => boolean): Promise<void> {
  const deadline = Date.now() + WAIT_MS
  while (!done()) {
    assert.ok(Date.now() < deadline, `never came true: ${done.toString()}`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}

test('a broker that stops in the middle: messages in flight run out of time in doubt, once, and later ones go through', async () => {
  const name = topic('stopped')
  const alice = producer({ 'message.timeout.ms': 1000 })
  await alice.send({ topic: name, value: 'before' })
  for (const id of [1, 2, 3]) cluster.pauseBroker(id)
  const reports: DeliveryReport[] = []
  alice.produce({ topic: name, value: 'stuck' }, report => reports.push(report))
  await until(() => reports.length === 1)
  assert.equal(reports[0]?.error?.code, ErrorCode.ERR__MSG_TIMED_OUT)
  assert.equal(reports[0].status, 'possibly-persisted')
  for (const id of [1, 2, 3]) cluster.resumeBroker(id)
  const after = await alice.send({ topic: name, value: 'after' })
  assert.equal(after.status, 'persisted')
  assert.equal(reports.length, 1)
})

for (const idempotent of [true, false]) {
  const what = idempotent ? 'is there once' : 'is delivered, perhaps twice'
  test(`what was written though the answer was lost ${what}${idempotent ? ' with idempotence' : ''}`, async () => {
    const name = topic('lost-answer')
    const alice = producer({ 'enable.idempotence': idempotent })
    await alice.send({ topic: name, value: 'first' })
    const lost = { code: ErrorCode.ERR__TRANSPORT, carriedOut: true }
    cluster.failNext(PRODUCE, [lost, { code: ErrorCode.ERR_REQUEST_TIMED_OUT, carriedOut: true }, { cutAfterBytes: 9 }])
    const report = await alice.send({ topic: name, value: 'second' })
    assert.equal(report.status, 'persisted')
    const last = await alice.send({ topic: name, value: 'third' })
    assert.equal(last.status, 'persisted')
    const values = valuesOf(name)
    if (idempotent) assert.deepEqual(values, ['first', 'second', 'third'])
    else assert.deepEqual([...new Set(values)], ['first', 'second', 'third'])
  })
}

test('messages survive while no broker and no metadata can be had', async () => {
  const name = topic('survivors', 4)
  const alice = producer({ 'enable.idempotence': true })
  await alice.send({ topic: name, value: 'known' })
  for (const id of [1, 2, 3]) await cluster.brokerDown(id)
  const sent = Array.from({ length: 100 }, (_, i) => alice.send({ topic: name, value: String(i) }))
  cluster.failNext(METADATA, [ErrorCode.ERR_LEADER_NOT_AVAILABLE, ErrorCode.ERR__TRANSPORT])
  for (const id of [3, 1, 2]) await cluster.brokerUp(id)
  for (const report of await Promise.all(sent)) assert.equal(report.status, 'persisted')
  assert.equal(valuesOf(name).length, 101)
})

test('with no broker at all messages run out of time, calls too, and close returns', async () => {
  const servers = cluster.bootstrapServers
  await cluster.close()
  const alice = producer({ 'bootstrap.servers': servers, 'message.timeout.ms': 300 })
  const errors = new Set<string>()
  alice.on('error', ({ error }) => errors.add(error.name))
  await assert.rejects(alice.send({ topic: 'nowhere', value: 'x' }), { code: ErrorCode.ERR__MSG_TIMED_OUT })
  await assert.rejects(
    alice.getMetadata({ timeoutMs: 200 }),
    (error: { isTimeout?: boolean }) => error.isTimeout === true,
  )
  await until(() => errors.has('ERR__ALL_BROKERS_DOWN'))
  await alice.close(1000)
})

test('partitions that are added while a program produces get messages', async () => {
  const name = topic('growing', 2)
  const alice = producer({ 'topic.metadata.refresh.interval.ms': 100, 'sticky.partitioning.linger.ms': 0 })
  const admin = new AdminClient({ 'bootstrap.servers': cluster.bootstrapServers }, { logger: quiet })
  closing.push(admin)
  await alice.send({ topic: name, value: 'first' })
  const [grown] = await admin.createPartitions([{ topic: name, increaseTo: 6 }])
  assert.equal(grown?.error, undefined)
  const reached = new Set<number>()
  const deadline = Date.now() + WAIT_MS
  while (reached.size < 6) {
    assert.ok(Date.now() < deadline, `only ${reached.size} partitions get messages`)
    reached.add((await alice.send({ topic: name, value: 'x' })).partition)
  }
})

test('a topic that is deleted and made anew gets the messages that follow', async () => {
  const name = topic('anew', 3)
  const alice = producer({ 'enable.idempotence': true })
  for (let i = 0; i < 10; i++) await alice.send({ topic: name, value: `old ${i}` })
  cluster.deleteTopic(name)
  topic(name, 3)
  const sent = Array.from({ length: 30 }, (_, i) => alice.send({ topic: name, value: `new ${i}` }))
  for (const report of await Promise.all(sent)) assert.equal(report.status, 'persisted')
  assert.deepEqual(valuesOf(name).sort(), Array.from({ length: 30 }, (_, i) => `new ${i}`).sort())
})

test('a consumer creates the topic that it subscribes to only with allow.auto.create.topics', async () => {
  const servers = { 'bootstrap.servers': cluster.bootstrapServers }
  const there = (): boolean => cluster.requests().some(({ apiName }) => apiName === 'JoinGroup')
  for (const allowed of [false, true]) {
    const name = `created-${allowed}`
    const bob = new Consumer(
      { ...servers, 'group.id': name, 'allow.auto.create.topics': allowed, 'topic.metadata.refresh.interval.ms': 50 },
      { logger: quiet },
    )
    closing.push(bob)
    cluster.requests('start')
    bob.subscribe(name)
    const admin = new AdminClient(servers, { logger: quiet })
    closing.push(admin)
    if (allowed) {
      const deadline = Date.now() + WAIT_MS
      while (bob.assignment().length === 0) {
        assert.ok(Date.now() < deadline, 'the topic is not created')
        await bob.poll(20)
      }
    } else {
      await assert.rejects(bob.readMessage(WAIT_MS), { code: ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART })
      await until(there)
    }
    const { topics } = await admin.getMetadata({ allTopics: true })
    assert.equal(
      topics.some(one => one.topic === name),
      allowed,
    )
    cluster.requests('stop')
  }
})

test('a fetch that is waited for holds up neither commits nor messages to the same broker', async () => {
  const name = topic('held')
  cluster.setLeader(name, 0, 1)
  cluster.setCoordinator('group', 'held', 1)
  const alice = producer()
  await alice.send({ topic: name, value: 'first' })
  const bob = new Consumer(
    { 'bootstrap.servers': cluster.bootstrapServers, 'group.id': 'held', 'auto.offset.reset': 'earliest' },
    { logger: quiet },
  )
  closing.push(bob)
  bob.subscribe(name)
  const message = await bob.readMessage(WAIT_MS)
  let release = quiet
  const released = new Promise<undefined>(resolve => (release = () => resolve(undefined)))
  let held = 0
  const end = cluster.control(async ({ apiKey }) => {
    if (apiKey !== FETCH) return undefined
    held++
    return released
  })
  await until(() => held > 0)
  const [committed] = await bob.commitMessage(message)
  assert.equal(committed?.error, undefined)
  assert.equal((await alice.send({ topic: name, value: 'second' })).status, 'persisted')
  end()
  release()
  assert.equal(String((await bob.readMessage(WAIT_MS)).value), 'second')
})
