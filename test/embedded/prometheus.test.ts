/** @ottla/prometheus with prom-client: what a scrape finds of clients on the embedded cluster. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test, type TestContext } from 'node:test'
import { Registry } from 'prom-client'
import { EmbeddedCluster } from '@ottla/broker'
import { collectMetrics } from '@ottla/prometheus'
import { AdminClient, Consumer, Producer } from 'ottla'

const quiet = (): void => undefined
const PARTITIONS = 200

let cluster: EmbeddedCluster
before(async () => {
  cluster = await EmbeddedCluster.start({ autoCreateTopics: false })
  cluster.createTopic('orders', { partitions: PARTITIONS })
})
after(() => cluster.close())

interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Reads the exposition format. */
function parsed(text: string): Sample[] {
  return [...text.matchAll(/^([a-z_]+)(?:\{(.*)\})? (\S+)$/gm)].map(([, name = '', labels = '', value]) => ({
    name,
    labels: Object.fromEntries(
      [...labels.matchAll(/([a-z_]+)="([^"]*)"/g)].map(([, key = '', word = '']) => [key, word]),
    ),
    value: Number(value),
  }))
}

async function clients(t: TestContext): Promise<{ producer: Producer; consumer: Consumer }> {
  const servers = { 'bootstrap.servers': cluster.bootstrapServers }
  const producer = new Producer({ ...servers, 'client.id': 'shop' }, { logger: quiet })
  const consumer = new Consumer(
    { ...servers, 'client.id': 'billing', 'group.id': `group-${t.name}`, 'auto.offset.reset': 'earliest' },
    { logger: quiet },
  )
  t.after(() => Promise.all([producer.close(), consumer.close()]))
  for (let partition = 0; partition < 10; partition++) await producer.send({ topic: 'orders', partition, value: 'v' })
  consumer.subscribe('orders')
  return { producer, consumer }
}

async function handle(consumer: Consumer, count: number): Promise<void> {
  const stop = new AbortController()
  let handled = 0
  await consumer.run({
    signal: stop.signal,
    handler: () => {
      if (++handled === count) stop.abort()
    },
  })
}

test('a scrape has the numbers of the statistics, and series by topic only', async t => {
  const register = new Registry()
  t.after(collectMetrics({ register }))
  const { producer, consumer } = await clients(t)
  await handle(consumer, 10)
  await consumer.commit().catch(quiet)
  const found = parsed(await register.metrics())
  const value = (name: string, labels: Record<string, string>): number | undefined =>
    found.find(each => each.name === name && Object.entries(labels).every(([key, word]) => each.labels[key] === word))
      ?.value
  const sent = producer.statistics()
  const read = consumer.statistics()
  const own = { client: sent.name, client_id: 'shop' }
  const its = { client: read.name, client_id: 'billing' }
  assert.equal(value('ottla_client_health', { ...own, status: 'ok' }), 1)
  assert.equal(value('ottla_client_health', { ...own, status: 'down' }), 0)
  assert.equal(value('ottla_producer_messages_total', { ...own, topic: 'orders' }), sent.txmsgs)
  assert.equal(value('ottla_producer_queue_messages', own), 0)
  assert.equal(value('ottla_producer_queue_limit_messages', own), sent.msg_max)
  assert.equal(value('ottla_consumer_messages_total', { ...its, topic: 'orders' }), read.rxmsgs)
  assert.equal(value('ottla_consumer_lag_messages', { ...its, topic: 'orders' }), 0)
  assert.equal(value('ottla_consumer_partitions', { ...its, topic: 'orders' }), PARTITIONS)
  assert.ok((value('ottla_consumer_rebalances_total', its) ?? 0) > 0)
  assert.equal(value('ottla_broker_up', { ...own, broker: '1' }), 1)
  assert.ok((value('ottla_client_requests_total', { ...own, api: 'Produce' }) ?? 0) > 0)
  assert.ok((value('ottla_request_duration_seconds_count', { client_id: 'shop', api: 'Produce' }) ?? 0) > 0)
  assert.equal(value('ottla_process_duration_seconds_count', { client_id: 'billing', outcome: 'done' }), 10)
  assert.ok(found.every(({ labels }) => labels['partition'] === undefined))
  assert.ok(found.length < 400, String(found.length))
})

test('by partition, of the clients that are named only; a counter does not grow by being scraped', async t => {
  const register = new Registry()
  const { producer, consumer } = await clients(t)
  await using admin = new AdminClient({ 'bootstrap.servers': cluster.bootstrapServers }, { logger: quiet })
  const end = collectMetrics({ register, clients: [producer], perPartition: true })
  await admin.clusterId()
  for (let i = 0; i < 2; i++) {
    const found = parsed(await register.metrics())
    const names = new Set(found.flatMap(({ labels: { client } }) => (client === undefined ? [] : [client])))
    assert.deepEqual([...names], [producer.statistics().name])
    const sent = found.filter(({ name }) => name === 'ottla_producer_messages_total')
    assert.equal(sent.length, PARTITIONS)
    assert.equal(sent.find(({ labels }) => labels['partition'] === '3')?.value, 1)
    await new Promise(resolve => setImmediate(resolve))
  }
  end()
  assert.equal((await register.metrics()).trim(), '')
  await consumer.close()
  // Once more: the names are free again.
  collectMetrics({ register, clients: [producer] })()
})

test('the dashboard and the alerts ask for metrics that there are', async t => {
  const register = new Registry()
  t.after(collectMetrics({ register }))
  const folder = new URL('../../packages/prometheus/monitoring/', import.meta.url)
  const texts = ['dashboard.json', 'rules.yml'].map(name => readFileSync(new URL(name, folder), 'utf8'))
  const known = new Set(register.getMetricsAsArray().map(({ name }) => name))
  const asked = new Set(texts.flatMap(text => text.match(/\bottla_[a-z0-9_]+/g) ?? []))
  assert.ok(asked.size > 15)
  for (const name of asked) assert.ok(known.has(name.replace(/_(bucket|sum|count)$/, '')), name)
})
