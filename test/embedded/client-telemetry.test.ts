/** Clients push metrics to brokers that ask for them (KIP-714, KIP-1076). */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, test, type TestContext } from 'node:test'
import { EmbeddedCluster, type EmbeddedClusterOptions, type TelemetryPush } from '@ottla/broker'
import { decodeMetrics, type Metric, type MetricsData } from '@ottla/protocol'
import {
  AdminClient,
  Consumer,
  ErrorCode,
  KafkaError,
  Producer,
  ShareConsumer,
  type ConsumerConfig,
  type ProducerConfig,
} from 'ottla'

const quiet = (): void => undefined
const WAIT_MS = 20_000
const GET_SUBSCRIPTIONS = 71
const PUSH = 72
const PRODUCER = 'org.apache.kafka.producer.'
const CONSUMER = 'org.apache.kafka.consumer.'

let cluster: EmbeddedCluster
let pushed: TelemetryPush[]
beforeEach(() => {
  pushed = []
})
afterEach(() => cluster.close())

async function start(options: EmbeddedClusterOptions = {}): Promise<void> {
  cluster = await EmbeddedCluster.start({ defaultPartitions: 1, onTelemetry: push => pushed.push(push), ...options })
  cluster.createTopic('t', { partitions: 1 })
}

/** Asks for metrics, every 100 ms. */
async function ask(metrics: string, match = ''): Promise<void> {
  await using admin = new AdminClient({ 'bootstrap.servers': cluster.bootstrapServers, 'enable.metrics.push': false })
  const settings = { metrics, 'interval.ms': '100', match }
  const entries = Object.entries(settings).map(([name, value]) => ({ name, value, operation: 'set' as const }))
  const [result] = await admin.incrementalAlterConfigs([{ type: 'client-metrics', name: 'all', entries }])
  assert.equal(result?.error, undefined)
}

function producer(t: TestContext, config: Partial<ProducerConfig> = {}): Producer {
  const made = new Producer({ 'bootstrap.servers': cluster.bootstrapServers, ...config }, { logger: quiet })
  t.after(() => made.close(0))
  return made
}

function consumer(t: TestContext, config: Partial<ConsumerConfig> = {}): Consumer {
  const servers = { 'bootstrap.servers': cluster.bootstrapServers, 'group.id': 'billing' }
  const made = new Consumer({ ...servers, 'auto.offset.reset': 'earliest', ...config }, { logger: quiet })
  t.after(() => made.close())
  made.subscribe('t')
  return made
}

async function until<T>(find: () => T | undefined): Promise<T> {
  const deadline = Date.now() + WAIT_MS
  for (;;) {
    const found = find()
    if (found !== undefined) return found
    assert.ok(Date.now() < deadline, `${pushed.length} pushes`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}

const dataOf = ({ metrics }: TelemetryPush): MetricsData => {
  const [data] = decodeMetrics(metrics)
  assert.ok(data !== undefined)
  return data
}
const metricOf = (push: TelemetryPush, name: string): Metric | undefined =>
  dataOf(push).metrics.find(each => each.name === name)
const valuesOf = (push: TelemetryPush, name: string): number[] =>
  (metricOf(push, name)?.points ?? []).map(({ value }) => value)
const from = (clientId: string): TelemetryPush[] => pushed.filter(each => each.clientId === clientId)

test("a producer pushes Kafka's standard metrics, and once more when it is closed", async t => {
  await start()
  await ask('*')
  const sender = producer(t, { 'client.id': 'shop', 'transactional.id': 'orders', 'client.rack': 'west' })
  await sender.transaction(async tx => {
    await tx.send({ topic: 't', value: 'v' })
  })
  const id = await sender.clientInstanceId()
  // The first one may come before the message.
  const isWhole = (push: TelemetryPush): boolean => (valuesOf(push, `${PRODUCER}request.latency.max`)[0] ?? 0) > 0
  const first = await until(() => from('shop').find(isWhole))
  assert.equal(first.clientInstanceId, id)
  assert.equal(first.terminating, false)
  const { resource, scope, metrics } = dataOf(first)
  assert.deepEqual(resource, { client_rack: 'west', transactional_id: 'orders' })
  assert.equal(scope.name, sender.name)
  assert.deepEqual(metrics.map(({ name, kind }) => `${name} ${kind}`).sort(), [
    `${PRODUCER}connection.creation.rate gauge`,
    `${PRODUCER}connection.creation.total delta`,
    `${PRODUCER}node.request.latency.avg gauge`,
    `${PRODUCER}node.request.latency.max gauge`,
    `${PRODUCER}produce.throttle.time.avg gauge`,
    `${PRODUCER}produce.throttle.time.max gauge`,
    `${PRODUCER}record.queue.time.avg gauge`,
    `${PRODUCER}record.queue.time.max gauge`,
    `${PRODUCER}request.latency.avg gauge`,
    `${PRODUCER}request.latency.max gauge`,
  ])
  // A receiver that puts units into names would tell us from Kafka's own clients, which send none.
  assert.deepEqual([...new Set(metrics.map(({ unit }) => unit))], [''])
  const [latency] = metricOf(first, `${PRODUCER}node.request.latency.max`)?.points ?? []
  assert.equal(latency?.attributes['node_id'], 1)
  assert.ok(latency.value > 0 && latency.atMs >= latency.startMs)
  const { brokers } = sender.statistics()
  await sender.close()
  const last = from('shop').at(-1)
  assert.deepEqual([last?.terminating, last?.clientInstanceId], [true, id])
  // Each push has what has happened since the one before.
  const total = from('shop').flatMap(push => valuesOf(push, `${PRODUCER}connection.creation.total`))
  assert.equal(
    total.reduce((sum, value) => sum + value, 0),
    Object.values(brokers).reduce((sum, { connects }) => sum + connects, 0),
  )
})

test('a consumer pushes what it fetched, committed and has; a share consumer does, too', async t => {
  await start()
  await ask(CONSUMER)
  const sender = producer(t)
  await sender.send({ topic: 't', value: 'v' })
  const reader = consumer(t, { 'client.id': 'reader', 'group.instance.id': 'one' })
  await reader.readMessage(WAIT_MS)
  await reader.commit()
  const push = await until(() =>
    from('reader').find(each => valuesOf(each, `${CONSUMER}coordinator.commit.latency.max`)[0]),
  )
  assert.deepEqual(dataOf(push).resource, {
    group_id: 'billing',
    group_instance_id: 'one',
    group_member_id: reader.memberId,
  })
  assert.deepEqual(valuesOf(push, `${CONSUMER}coordinator.assigned.partitions`), [1])
  const seen = (name: string): number[] => from('reader').flatMap(each => valuesOf(each, `${CONSUMER}${name}`))
  assert.ok(seen('fetch.manager.fetch.latency.max').some(value => value > 0))
  assert.ok(seen('coordinator.rebalance.latency.max').some(value => value > 0))
  assert.ok(seen('coordinator.rebalance.latency.total').some(value => value > 0))
  const ratios = seen('poll.idle.ratio.avg')
  assert.ok(ratios.every(value => value >= 0 && value <= 1) && ratios.some(value => value > 0))
  const servers = { 'bootstrap.servers': cluster.bootstrapServers }
  const share = new ShareConsumer({ ...servers, 'group.id': 'queue', 'client.id': 'share' }, { logger: quiet })
  t.after(() => share.close())
  share.subscribe('t')
  const sharing = new AbortController()
  const running = share.run({ signal: sharing.signal, handler: () => sharing.abort() })
  const ofShare = await until(() => from('share')[0])
  assert.equal(dataOf(ofShare).resource['group_id'], 'queue')
  const total = (name: string): number =>
    from('share')
      .flatMap(each => valuesOf(each, `${CONSUMER}share.${name}`))
      .reduce((sum, value) => sum + value, 0)
  await until(() => total('fetch.manager.fetch.total') > 0 || undefined)
  await sender.send({ topic: 't', value: 'v' })
  await running
  await until(() => total('fetch.manager.acknowledgements.send.total') > 0 || undefined)
  assert.equal(total('fetch.manager.acknowledgements.send.total'), 1)
  assert.ok(total('fetch.manager.bytes.consumed.total') > 0 && total('coordinator.heartbeat.total') > 0)
})

test("an application's own metrics go with them, if they are asked for", async t => {
  await start()
  await ask('com.example.')
  const sender = producer(t, { 'client.id': 'shop' })
  let total = 5
  const attributes = { store: 'north' }
  const name = 'com.example.orders'
  const endOrders = sender.addMetric({ name, type: 'sum', unit: '{order}', attributes, value: () => total })
  sender.addMetric({ name: 'com.example.open', description: 'Open orders.', value: () => 2.5 })
  sender.addMetric({ name: 'org.example.other', value: () => 1 })
  sender.addMetric({
    name: 'com.example.broken',
    value: () => {
      throw new Error('no')
    },
  })
  const first = await until(() => from('shop').find(push => valuesOf(push, name)[0] === 5))
  assert.deepEqual(
    dataOf(first).metrics.map(metric => [metric.name, metric.kind, metric.unit, metric.points[0]?.value]),
    [
      [name, 'delta', '{order}', 5],
      ['com.example.open', 'gauge', '', 2.5],
    ],
  )
  assert.deepEqual(metricOf(first, name)?.points[0]?.attributes, attributes)
  total = 7
  await until(() => from('shop').find(push => valuesOf(push, name)[0] === 2))
  endOrders()
  await until(() => from('shop').find(push => metricOf(push, name) === undefined))
})

test('a new subscription counts from the next push on; one for other clients does not', async t => {
  await start()
  await ask(`${PRODUCER}connection.`, 'client_id=shop')
  const sender = producer(t, { 'client.id': 'shop' })
  const other = producer(t, { 'client.id': 'other' })
  await Promise.all([sender, other].map(each => each.send({ topic: 't', value: 'v' })))
  const first = await until(() => from('shop')[0])
  assert.equal(dataOf(first).metrics.length, 2)
  await ask(`${PRODUCER}record.`, 'client_id=shop')
  await until(() => from('shop').find(push => metricOf(push, `${PRODUCER}record.queue.time.max`)))
  assert.equal(from('other').length, 0)
})

test('what a broker refuses: another codec, a pause, or no more pushes', async t => {
  await start()
  await ask('*')
  const refusals = [ErrorCode.ERR_UNSUPPORTED_COMPRESSION_TYPE, ErrorCode.ERR_THROTTLING_QUOTA_EXCEEDED]
  const codecs: number[] = []
  const end = cluster.control(({ apiKey, body }) => {
    if (apiKey === PUSH) codecs.push((body as { compressionType: number }).compressionType)
  })
  t.after(end)
  cluster.failNext(PUSH, refusals)
  const sender = producer(t, { 'client.id': 'shop' })
  await sender.send({ topic: 't', value: 'v' })
  await until(() => from('shop')[0])
  assert.notEqual(codecs[0], codecs[1])
  cluster.failNext(PUSH, [ErrorCode.ERR_INVALID_RECORD])
  const count = await until(() => (codecs.length > 3 ? codecs.length : undefined))
  await new Promise(resolve => setTimeout(resolve, 500))
  assert.ok(codecs.length <= count + 1, 'it goes on')
  await sender.send({ topic: 't', value: 'v' })
})

test('when its broker is gone, another one gets the metrics', async t => {
  await start({ brokers: 2 })
  await ask('*')
  const sender = producer(t, { 'client.id': 'shop', 'reconnect.backoff.ms': 10 })
  await sender.send({ topic: 't', value: 'v' })
  const { brokerId } = await until(() => from('shop')[0])
  await sender.clientInstanceId()
  await cluster.brokerDown(brokerId)
  await until(() => from('shop').find(push => push.brokerId !== brokerId))
  assert.equal(new Set(from('shop').map(push => push.clientInstanceId)).size, 1)
})

test('without a receiver, or with enable.metrics.push=false, nothing is asked and there is no id', async t => {
  const asked: number[] = []
  for (const onTelemetry of [undefined, quiet]) {
    cluster = await EmbeddedCluster.start({
      defaultPartitions: 1,
      ...(onTelemetry === undefined ? {} : { onTelemetry }),
    })
    const end = cluster.control(({ apiKey }) => {
      if (apiKey === GET_SUBSCRIPTIONS || apiKey === PUSH) asked.push(apiKey)
    })
    t.after(end)
    const sender = producer(t, onTelemetry === undefined ? {} : { 'enable.metrics.push': false })
    await sender.send({ topic: 't', value: 'v' })
    const code = onTelemetry === undefined ? ErrorCode.ERR__TIMED_OUT : ErrorCode.ERR__NOT_CONFIGURED
    await assert.rejects(
      sender.clientInstanceId(50),
      (error: unknown) => error instanceof KafkaError && error.code === code,
    )
    await sender.close()
    // That of the last round is closed after the test.
    if (onTelemetry === undefined) await cluster.close()
  }
  assert.deepEqual(asked, [])
})
