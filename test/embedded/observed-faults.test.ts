/** The table "When something breaks" of docs/observability.md: each row in health, lag, traces and metrics. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, afterEach, before, beforeEach, test, type TestContext } from 'node:test'
import { registerInstrumentations } from '@opentelemetry/instrumentation'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base'
import { Registry } from 'prom-client'
import { EmbeddedCluster, type EmbeddedClusterOptions } from '@ottla/broker'
import { OttlaInstrumentation } from '@ottla/opentelemetry'
import { collectMetrics } from '@ottla/prometheus'
import {
  Consumer,
  ErrorCode,
  openClients,
  Producer,
  type AuthenticatedClient,
  type ConsumerConfig,
  type ProducerConfig,
} from 'ottla'

const quiet = (): void => undefined
const WAIT_MS = 20_000
const PRODUCE = 0
const fast = { 'reconnect.backoff.ms': 10, 'reconnect.backoff.max.ms': 20, 'retry.backoff.ms': 10 }
const spans = new InMemorySpanExporter()
const register = new Registry()
let endTracing = quiet
let endCollecting = quiet
let cluster: EmbeddedCluster

before(() => {
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] })
  endTracing = registerInstrumentations({ tracerProvider, instrumentations: [new OttlaInstrumentation()] })
  endCollecting = collectMetrics({ register })
})
after(() => {
  endTracing()
  endCollecting()
})
beforeEach(() => spans.reset())
afterEach(() => cluster.close())

async function start(options: EmbeddedClusterOptions = {}): Promise<void> {
  cluster = await EmbeddedCluster.start({ brokers: 2, autoCreateTopics: false, ...options })
  cluster.createTopic('t', { partitions: 1 })
  cluster.setLeader('t', 0, 1)
}

function producer(t: TestContext, config: Partial<ProducerConfig> = {}): Producer {
  const servers = { 'bootstrap.servers': cluster.bootstrapServers, 'client.id': 'shop' }
  const made = new Producer({ ...servers, ...fast, ...config }, { logger: quiet })
  t.after(() => made.close(0))
  return made
}

function consumer(t: TestContext, config: Partial<ConsumerConfig> = {}): Consumer {
  const servers = { 'bootstrap.servers': cluster.bootstrapServers, 'group.id': 'g', 'client.id': 'billing' }
  const made = new Consumer({ ...servers, 'auto.offset.reset': 'earliest', ...fast, ...config }, { logger: quiet })
  t.after(() => made.close(1000))
  made.subscribe('t')
  return made
}

async function until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + WAIT_MS
  while (!(await isTrue())) {
    const seen = openClients().map(each => [each.client.name, each.health()])
    assert.ok(Date.now() < deadline, `${what}: ${JSON.stringify(seen)}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

const says = (client: AuthenticatedClient, code: string): boolean =>
  client.health().reasons.some(reason => reason.code === code)
const named = (name: string): ReadableSpan[] => spans.getFinishedSpans().filter(each => each.name === name)

/** The sum of the series with these labels, as Prometheus gets them. */
async function metric(name: string, labels: string): Promise<number> {
  const wanted = labels.split(',')
  return (await register.metrics())
    .split('\n')
    .filter(line => line.startsWith(`${name}{`) && wanted.every(label => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}

const page = readFileSync(new URL('../../docs/observability.md', import.meta.url), 'utf8')
const rows = [
  ...(page.split('## When something breaks')[1]?.split('\n## ')[0] ?? '').matchAll(/^\| ([a-z][^|]*?) +\|/gm),
]

const tests: Record<string, (t: TestContext) => Promise<void>> = {
  'a broker cannot be reached': async t => {
    await start()
    cluster.setCoordinator('group', 'g', 2)
    const sender = producer(t, { 'message.timeout.ms': 60_000 })
    const reader = consumer(t)
    const reading = reader.run({ handler: quiet })
    await sender.send({ topic: 't', value: 'v' })
    cluster.refuseConnections(1)
    cluster.dropConnections(1)
    sender.produce({ topic: 't', value: 'v' })
    await until('health', () => says(sender, 'broker-down') && says(reader, 'broker-down'))
    await until('broker_up', async () => (await metric('ottla_broker_up', 'client_id="shop",broker="1"')) === 0)
    assert.equal(await metric('ottla_client_health', 'client_id="shop",status="degraded"'), 1)
    const [lag] = await reader.lag(300).catch(() => [null])
    assert.ok(lag === null || lag?.error !== undefined, 'the lag is not known')
    assert.equal(named('send t').length, 1, 'the second message is still on its way')
    cluster.refuseConnections(2)
    cluster.dropConnections(2)
    await until('the last one', () => says(sender, 'no-broker') && says(reader, 'no-broker'))
    assert.equal(sender.health().status, 'down')
    assert.equal(await metric('ottla_client_health', 'client_id="shop",status="down"'), 1)
    await Promise.all([1, 2].map(id => cluster.acceptConnections(id)))
    await until('the trace', () => named('send t').length === 2)
    await until('health again', () => !says(sender, 'no-broker'))
    await reader.close()
    await reading
    // One that is not delivered in time.
    cluster.refuseConnections(1)
    cluster.dropConnections(1)
    const hasty = producer(t, { 'message.timeout.ms': 300 })
    await assert.rejects(hasty.send({ topic: 't', value: 'v' }), { name: 'ERR__MSG_TIMED_OUT' })
    const late = named('send t').at(-1)
    assert.equal(late?.attributes['error.type'], 'ERR__MSG_TIMED_OUT')
    assert.ok(late.duration[0] * 1000 + late.duration[1] / 1e6 >= 299, 'it went on until then')
  },

  'a handler is slow': async t => {
    await start()
    const sender = producer(t)
    const reader = consumer(t, { 'ottla.partition.stall.ms': 100, 'auto.commit.interval.ms': 50 })
    for (let i = 0; i < 3; i++) await sender.send({ topic: 't', value: 'v' })
    let calls = 0
    let finish = quiet
    t.after(() => finish())
    // From the second message on.
    const running = reader.run({
      handler: () => (++calls === 1 ? undefined : new Promise<void>(resolve => (finish = resolve))),
    })
    await until('health', () => says(reader, 'slow-handler'))
    await until(
      'the metric',
      async () => (await metric('ottla_consumer_lag_messages', 'client_id="billing",topic="t"')) === 2,
    )
    const [lag] = await reader.lag()
    assert.equal(lag?.lag, 2)
    await sender.send({ topic: 't', value: 'v' })
    let lagMs = Infinity
    await until('both grow', async () => {
      const [grown] = await reader.lag()
      const before = lagMs
      lagMs = grown?.lagMs ?? Infinity
      return grown?.lag === 3 && lagMs > before && lagMs < Infinity
    })
    await until(
      'the metric grows',
      async () => (await metric('ottla_consumer_lag_messages', 'client_id="billing",topic="t"')) === 3,
    )
    assert.equal(named('process t').length, 1)
    finish()
    await until('the trace', () => named('process t').length > 1)
    const [, slow] = named('process t')
    assert.ok(
      slow !== undefined && slow.duration[0] * 1000 + slow.duration[1] / 1e6 >= 100,
      'the span says how long it took',
    )
    assert.ok((await metric('ottla_process_duration_seconds_sum', 'topic="t"')) >= 0.1)
    const finishing = setInterval(() => finish(), 10)
    t.after(() => clearInterval(finishing))
    await reader.close()
    await running
    const limits = { 'max.poll.interval.ms': 3000, 'session.timeout.ms': 3000, 'heartbeat.interval.ms': 300 }
    const slower = consumer(t, { ...limits, 'group.id': 'slower' })
    let release = quiet
    t.after(() => release())
    const stuck = slower.run({ handler: () => new Promise<void>(resolve => (release = resolve)) })
    await until('the limit', () => says(slower, 'poll-exceeded'))
    assert.equal(slower.health().status, 'down')
    const releasing = setInterval(() => release(), 10)
    t.after(() => clearInterval(releasing))
    await slower.close()
    await stuck
  },

  'a password is wrong': async t => {
    await start({ sasl: { mechanisms: ['PLAIN'], users: { alice: 'right' } } })
    const sasl = {
      'security.protocol': 'sasl_plaintext',
      'sasl.mechanisms': 'PLAIN',
      'sasl.username': 'alice',
    } as const
    const sender = producer(t, { ...sasl, 'sasl.password': 'wrong-one', 'message.timeout.ms': 500 })
    const reader = consumer(t, { ...sasl, 'sasl.password': 'wrong-one' })
    await assert.rejects(sender.send({ topic: 't', value: 'v' }))
    await until('health', () => says(sender, 'authentication') && says(reader, 'authentication'))
    assert.deepEqual([sender.health().status, reader.health().status], ['down', 'down'])
    assert.equal(await metric('ottla_client_health', 'client_id="shop",status="down"'), 1)
    assert.ok(
      (await metric('ottla_client_problem_since_timestamp_seconds', 'client_id="billing",code="authentication"')) > 0,
    )
    assert.deepEqual(await reader.lag(), [], 'it has no partitions')
    const [sent] = named('send t')
    assert.equal(sent?.attributes['error.type'], 'ERR__MSG_TIMED_OUT')
    assert.doesNotMatch(
      (await register.metrics()) + JSON.stringify(named('send t').map(each => each.status)),
      /wrong-one/,
    )
  },

  'a queue is full': async t => {
    await start()
    const sender = producer(t, { 'queue.buffering.max.messages': 2, 'message.timeout.ms': 60_000 })
    const reader = consumer(t, { 'auto.commit.interval.ms': 50 })
    await sender.send({ topic: 't', value: 'v' })
    const reading = reader.run({ handler: quiet })
    cluster.failPartition('t', 0, PRODUCE, Array<number>(500).fill(ErrorCode.ERR_NOT_ENOUGH_REPLICAS))
    for (let i = 0; i < 2; i++) sender.produce({ topic: 't', value: 'v' })
    assert.throws(() => sender.produce({ topic: 't', value: 'v' }), { name: 'ERR__QUEUE_FULL' })
    await until('health', () => says(sender, 'queue-full'))
    assert.equal(sender.health().status, 'degraded')
    assert.equal(await metric('ottla_producer_queue_messages', 'client_id="shop"'), 2)
    assert.equal(await metric('ottla_producer_queue_limit_messages', 'client_id="shop"'), 2)
    assert.deepEqual(
      named('send t').map(({ attributes }) => attributes['error.type']),
      [undefined, 'ERR__QUEUE_FULL'],
    )
    await until('the lag', async () => (await reader.lag())[0]?.lag === 0)
    assert.equal(await metric('ottla_consumer_lag_messages', 'client_id="billing",topic="t"'), 0)
    sender.purge()
    await reader.close()
    await reading
  },
}

for (const [name, row] of Object.entries(tests)) test(`${name}: health, lag, traces and metrics show it`, row)

test('the page has these rows', () => {
  assert.deepEqual(
    rows.map(([, title]) => title).filter(title => title !== 'what happens'),
    Object.keys(tests),
  )
})
