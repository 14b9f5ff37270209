/** What clients say of themselves: `health()`, `explain()`, `onStateChange`, `statistics()`. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, test, type TestContext } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import {
  AdminClient,
  Consumer,
  ErrorCode,
  openClients,
  Producer,
  ShareConsumer,
  type AuthenticatedClient,
  type ConsumerConfig,
  type ProducerConfig,
} from 'ottla'

const quiet = (): void => undefined
const WAIT_MS = 20_000
const PRODUCE = 0
const fast = { 'reconnect.backoff.ms': 10, 'reconnect.backoff.max.ms': 20, 'retry.backoff.ms': 10 }

let cluster: EmbeddedCluster
beforeEach(async () => {
  cluster = await EmbeddedCluster.start({ brokers: 2, autoCreateTopics: false })
  cluster.createTopic('t', { partitions: 2 })
})
afterEach(() => cluster.close())

function producer(t: TestContext, config: Partial<ProducerConfig> = {}): Producer {
  const made = new Producer({ 'bootstrap.servers': cluster.bootstrapServers, ...fast, ...config }, { logger: quiet })
  t.after(() => made.close(0))
  return made
}

function consumer(t: TestContext, config: Partial<ConsumerConfig> = {}): Consumer {
  const servers = { 'bootstrap.servers': cluster.bootstrapServers, 'group.id': 'g' }
  const made = new Consumer({ ...servers, 'auto.offset.reset': 'earliest', ...fast, ...config }, { logger: quiet })
  t.after(() => made.close(1000))
  return made
}

const codes = (client: AuthenticatedClient): string[] => client.health().reasons.map(({ code }) => code)

async function until(isTrue: () => boolean, client: AuthenticatedClient): Promise<void> {
  const deadline = Date.now() + WAIT_MS
  while (!isTrue()) {
    assert.ok(Date.now() < deadline, JSON.stringify([client.health(), client.explain()], null, 1))
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}

const isOk = (client: AuthenticatedClient) => () => client.health().status === 'ok'

test('every kind of client: connecting, ok, closed; listeners hear of it, and it is listed while it is open', async t => {
  const servers = { 'bootstrap.servers': cluster.bootstrapServers }
  const options = { logger: quiet }
  const made: string[] = []
  for (const make of [
    () => producer(t),
    () => new Consumer({ ...servers, 'group.id': 'g' }, options),
    () => new ShareConsumer({ ...servers, 'group.id': 's' }, options),
    () => new AdminClient(servers, options),
  ]) {
    const client = make()
    const admin = AdminClient.from(client)
    made.push(client.statistics().name)
    const statuses: string[] = []
    const { status } = client.health()
    assert.deepEqual([status, codes(client)], ['down', ['connecting']])
    assert.match(client.explain()[0] ?? '', /^There is no connection yet: /)
    client.onStateChange(({ status: now }, { status: earlier }) => statuses.push(`${earlier} ${now}`))
    await until(isOk(client), client)
    assert.ok(openClients().some(each => each.client.name === client.statistics().name))
    await until(() => statuses.length === 1, client)
    await client.close()
    assert.deepEqual(codes(client), ['closed'])
    assert.match(client.explain().join(), /^The .* is closed\.$/)
    assert.deepEqual(statuses, ['down ok', 'ok down'])
    assert.equal(admin.health().status, 'down')
    await admin.close()
  }
  assert.deepEqual(
    openClients().filter(({ client }) => made.includes(client.name)),
    [],
  )
})

test('a broker that is down, and all of them: since when, and which', async t => {
  const sender = producer(t)
  await sender.send({ topic: 't', value: 'v' })
  await until(isOk(sender), sender)
  const begun = Date.now()
  await cluster.brokerDown(2)
  await sender.getMetadata().catch(quiet)
  // Only brokers that are connected to are known to be down.
  for (const partition of [0, 1]) sender.produce({ topic: 't', partition, value: 'v' })
  await cluster.brokerDown(1)
  await until(() => codes(sender).includes('no-broker'), sender)
  const { status, reasons } = sender.health()
  const [reason] = reasons
  assert.equal(status, 'down')
  assert.ok(reason !== undefined && reason.since >= begun - 1000 && reason.since <= Date.now())
  assert.match(reason.message, /^No broker can be reached: /)
  assert.equal(sender.explain()[0], reason.message)
  await cluster.brokerUp(1)
  await cluster.brokerUp(2)
  await sender.flush()
  await until(isOk(sender), sender)
})

test('a wrong password', async t => {
  await using secured = await EmbeddedCluster.start({ sasl: { mechanisms: ['PLAIN'], users: { alice: 'right' } } })
  const sasl = { 'security.protocol': 'sasl_plaintext', 'sasl.mechanisms': 'PLAIN', 'sasl.username': 'alice' } as const
  const config = { 'bootstrap.servers': secured.bootstrapServers, ...sasl, ...fast, 'sasl.password': 'wrong-one' }
  for (const client of [producer(t, config), consumer(t, config)]) {
    await until(() => codes(client).includes('authentication'), client)
    const { status, reasons } = client.health()
    assert.equal(status, 'down')
    assert.match(reasons[0]?.message ?? '', /ERR__AUTHENTICATION/)
    assert.doesNotMatch(JSON.stringify([reasons, client.explain()]), /wrong-one/)
    client.setSaslCredentials('alice', 'right')
    await until(() => !codes(client).includes('authentication'), client)
  }
})

test('a producer: a full queue, messages that wait, and why', async t => {
  const sender = producer(t, { 'queue.buffering.max.messages': 2, 'message.timeout.ms': 60_000 })
  await sender.send({ topic: 't', value: 'v' })
  assert.ok(sender.explain().includes('Every message has been reported: nothing waits to be sent.'))
  cluster.failPartition('t', 0, PRODUCE, Array<number>(500).fill(ErrorCode.ERR_NOT_ENOUGH_REPLICAS))
  for (let i = 0; i < 2; i++) sender.produce({ topic: 't', partition: 0, value: 'v' })
  await until(() => codes(sender).includes('queue-full'), sender)
  assert.equal(sender.health().status, 'degraded')
  await until(
    () => sender.explain().some(each => /^t \[0\]: are sent again in \d+ ms; last error: /.test(each)),
    sender,
  )
  assert.ok(sender.explain().some(each => each.startsWith('The queue is full (2 messages, ')))
  sender.purge()
  await until(isOk(sender), sender)
})

test('a producer: a topic that there is not, and a fatal error', async t => {
  const sender = producer(t, { 'topic.metadata.propagation.max.ms': 60_000 })
  sender.produce({ topic: 'missing', value: 'v' })
  await until(() => codes(sender).includes('topic'), sender)
  assert.ok(sender.explain().includes('Topic missing does not exist.'))
  sender.testFatalError(ErrorCode.ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, 'by a test')
  assert.deepEqual([sender.health().status, codes(sender)], ['down', ['fatal']])
  assert.match(sender.explain().join(), /failed for good: .*by a test.*Close it and make another one\.$/)
})

test('a producer: a transaction that has to be aborted', async t => {
  const sender = producer(t, { 'transactional.id': 'tx' })
  await sender.initTransactions()
  sender.beginTransaction()
  cluster.failPartition('t', 0, PRODUCE, [ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED])
  await assert.rejects(sender.send({ topic: 't', partition: 0, value: 'v' }))
  assert.deepEqual(codes(sender), ['transaction'])
  assert.match(sender.explain().join(), /The transaction has to be aborted: /)
  await sender.abortTransaction()
  assert.deepEqual(codes(sender), [])
})

test('a consumer: joining, a missing topic, a slow handler, and one that takes too long', async t => {
  const reader = consumer(t, {
    'ottla.partition.stall.ms': 100,
    'max.poll.interval.ms': 3000,
    'session.timeout.ms': 3000,
    'heartbeat.interval.ms': 300,
  })
  await producer(t).send({ topic: 't', value: 'v' })
  reader.subscribe(['t', 'missing'])
  await until(() => codes(reader).includes('topic'), reader)
  assert.ok(codes(reader).includes('joining'))
  reader.subscribe('t')
  let finish = quiet
  const stop = new AbortController()
  const begun = Date.now()
  const running = reader.run({
    signal: stop.signal,
    handler: () => new Promise<void>(resolve => (finish = resolve)),
  })
  await until(() => codes(reader).includes('slow-handler'), reader)
  assert.equal(reader.health().status, 'degraded')
  const reason = reader.health().reasons.find(({ code }) => code === 'slow-handler')
  assert.ok(reason !== undefined && reason.since >= begun - 5 && reason.since <= Date.now())
  assert.match(reason.message, /its handler has been processing offset 0/)
  await until(() => codes(reader).includes('poll-exceeded'), reader)
  assert.equal(reader.health().status, 'down')
  // It joins again, and gets the message again.
  await until(() => (finish(), codes(reader).length === 0), reader)
  stop.abort()
  const finishing = setInterval(() => finish(), 10)
  t.after(() => clearInterval(finishing))
  await running
})

test('a consumer: a partition without a valid offset', async t => {
  const reader = consumer(t, { 'auto.offset.reset': 'error' })
  reader.subscribe('t')
  const polling = reader.poll(WAIT_MS)
  await until(() => codes(reader).includes('partition'), reader)
  assert.match(reader.health().reasons[0]?.message ?? '', /^t \[0\], t \[1\]: has no valid offset/)
  await polling
})

test('a share consumer: joining, and what it says', async t => {
  const reader = new ShareConsumer(
    { 'bootstrap.servers': cluster.bootstrapServers, 'group.id': 's', ...fast },
    { logger: quiet },
  )
  t.after(() => reader.close(1000))
  await until(isOk(reader), reader)
  assert.ok(reader.explain().includes('Nothing is subscribed to: call subscribe.'))
  reader.subscribe('t')
  assert.deepEqual(codes(reader), ['joining'])
  const polling = reader.poll(2000)
  await until(isOk(reader), reader)
  await polling
  assert.ok(reader.explain().some(each => each.startsWith('The application is not asking')))
})

test('the statistics are there without an interval, and a look does not change those of an interval', async t => {
  const sender = producer(t)
  for (let i = 0; i < 3; i++) await sender.send({ topic: 't', partition: 0, value: 'v' })
  const { txmsgs, topics, brokers } = sender.statistics()
  assert.deepEqual([txmsgs, topics['t']?.partitions[0]?.txmsgs], [3, 3])
  assert.ok(Object.values(brokers).every(({ rtt }) => rtt.cnt === 0))
  const counted = producer(t, { 'statistics.interval.ms': 3_600_000 })
  await counted.send({ topic: 't', partition: 0, value: 'v' })
  const rounds = (): number => Object.values(counted.statistics().brokers).reduce((sum, { rtt }) => sum + rtt.cnt, 0)
  const first = rounds()
  assert.ok(first > 0 && rounds() >= first)
})
