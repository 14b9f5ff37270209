/** Typed topics at run time: each topic's own serializers and deserializers, in every way to write and to read. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import {
  AdminClient,
  Consumer,
  ErrorCode,
  KafkaError,
  Producer,
  ShareConsumer,
  int32,
  json,
  string,
  type ConsumedMessage,
} from 'ottla'

interface Order {
  readonly amount: number
}

interface Topics {
  orders: { key: string; value: Order }
  clicks: { key: number; value: string }
  raw: { value: Buffer }
}

const serializers = { orders: { value: json<Order>() }, clicks: { key: int32 } }
const deserializers = { orders: { key: string, value: json<Order>() }, clicks: { key: int32, value: string } }
const options = { logger: () => undefined }
const wanted = ['clicks 7 home', 'orders customer-7 12', 'raw null bytes']

let cluster: EmbeddedCluster
let groups = 0

before(async () => {
  cluster = await EmbeddedCluster.start({ defaultPartitions: 1 })
  for (const topic of ['orders', 'clicks', 'raw']) cluster.createTopic(topic, { partitions: 1 })
  await using producer = new Producer<Topics>(
    { 'bootstrap.servers': cluster.bootstrapServers },
    { ...options, topics: serializers },
  )
  const sent = await producer.send({ topic: 'orders', key: 'customer-7', value: { amount: 12 } })
  assert.deepEqual([sent.key, sent.value], ['customer-7', { amount: 12 }])
  producer.produce({ topic: 'clicks', key: 7, value: 'home' })
  const [raw] = await producer.sendBatch([{ topic: 'raw', value: Buffer.from('bytes') }])
  assert.equal(raw?.error, undefined)
  assert.equal(await producer.flush(10_000), 0)
})

after(() => cluster.close())

/** The message in words; each branch uses what the types promise. */
function worded(message: ConsumedMessage<Topics>): string {
  if (message.topic === 'orders') return `orders ${message.key} ${message.value?.amount}`
  if (message.topic === 'clicks') return `clicks ${message.key?.toFixed(0)} ${message.value?.trim()}`
  return `raw ${String(message.key)} ${message.value?.toString('latin1')}`
}

function reader(): Consumer<Topics> {
  const config = {
    'bootstrap.servers': cluster.bootstrapServers,
    'group.id': `typed-${++groups}`,
    'auto.offset.reset': 'earliest',
  } as const
  const consumer = new Consumer<Topics>(config, { ...options, topics: deserializers })
  consumer.subscribe(['orders', 'clicks', 'raw'])
  return consumer
}

const ways: Readonly<Record<string, (consumer: Consumer<Topics>, seen: string[]) => Promise<void>>> = {
  'for await': async (consumer, seen) => {
    for await (const message of consumer) if (seen.push(worded(message)) === wanted.length) break
  },
  readMessage: async (consumer, seen) => {
    while (seen.length < wanted.length) seen.push(worded(await consumer.readMessage(10_000)))
  },
  poll: async (consumer, seen) => {
    while (seen.length < wanted.length) {
      const event = await consumer.poll(10_000)
      if (event?.type === 'message') seen.push(worded(event.message))
    }
  },
  batches: async (consumer, seen) => {
    for await (const batch of consumer.batches()) {
      for (const message of batch.messages) seen.push(worded(message))
      if (seen.length === wanted.length) break
    }
  },
  partitions: async (consumer, seen) => {
    for await (const stream of consumer.partitions()) {
      for await (const message of stream) {
        seen.push(worded(message))
        break
      }
      if (seen.length === wanted.length) break
    }
  },
  run: async (consumer, seen) => {
    const end = new AbortController()
    const handler = (message: ConsumedMessage<Topics>): void => {
      if (seen.push(worded(message)) === wanted.length) end.abort()
    }
    await consumer.run({ handler, signal: end.signal })
  },
}

for (const [way, read] of Object.entries(ways)) {
  test(`${way} gives each topic's messages the types of the topic`, async () => {
    await using consumer = reader()
    const seen: string[] = []
    await read(consumer, seen)
    assert.deepEqual(seen.sort(), wanted)
  })
}

test('a transaction writes typed messages and takes typed batches', async () => {
  for (const topic of ['orders', 'sums']) cluster.createTopic(`${topic}-txn`, { partitions: 1 })
  type Ledger = { 'orders-txn': { value: Order }; 'sums-txn': { value: number } }
  const config = { 'bootstrap.servers': cluster.bootstrapServers }
  await using producer = new Producer<Ledger>(
    { ...config, 'transactional.id': 'ledger' },
    { ...options, topics: { 'orders-txn': { value: json<Order>() }, 'sums-txn': { value: int32 } } },
  )
  await producer.transaction(async tx => {
    await Promise.all([1, 2, 3].map(amount => tx.send({ topic: 'orders-txn', value: { amount } })))
  })
  const group = { ...config, 'group.id': 'ledger', 'auto.offset.reset': 'earliest' } as const
  const topics = { 'orders-txn': { value: json<Order>() }, 'sums-txn': { value: int32 } }
  await using consumer = new Consumer<Ledger>({ ...group, 'enable.auto.commit': false }, { ...options, topics })
  consumer.subscribe('orders-txn')
  const end = new AbortController()
  let sum = 0
  const work = producer.transactional(
    consumer,
    (batch, tx) => {
      if (batch.topic !== 'orders-txn') return
      for (const { value } of batch) sum += value?.amount ?? 0
      tx.produce({ topic: 'sums-txn', value: sum })
      if (sum === 6) end.abort()
    },
    { signal: end.signal },
  )
  await work
  await using sums = new Consumer<Ledger>({ ...group, 'group.id': 'sums' }, { ...options, topics })
  sums.subscribe('sums-txn')
  let last = 0
  while (last < 6) {
    const message = await sums.readMessage(10_000)
    if (message.topic === 'sums-txn') last = message.value ?? 0
  }
  assert.equal(last, 6)
})

test('a share consumer gives each topic’s messages the types of the topic', async () => {
  const config = { 'bootstrap.servers': cluster.bootstrapServers }
  await using admin = new AdminClient(config)
  const entries = [{ name: 'share.auto.offset.reset', value: 'earliest', operation: 'set' as const }]
  const [altered] = await admin.incrementalAlterConfigs([{ type: 'group', name: 'typed-share', entries }])
  assert.equal(altered?.error, undefined)
  await using consumer = new ShareConsumer<Topics>(
    { ...config, 'group.id': 'typed-share' },
    { ...options, topics: deserializers },
  )
  consumer.subscribe(['orders', 'clicks', 'raw'])
  const seen: string[] = []
  for await (const message of consumer) {
    if (message.topic === 'orders') seen.push(`orders ${message.key} ${message.value?.amount}`)
    else seen.push(`${message.topic} ${String(message.key)} ${String(message.value)}`)
    if (seen.length === wanted.length) break
  }
  assert.deepEqual(seen.sort(), wanted)
})

test('a message that its topic’s deserializer cannot read is reported as such; other topics are not touched', async () => {
  cluster.createTopic('broken', { partitions: 1 })
  const config = { 'bootstrap.servers': cluster.bootstrapServers }
  await using plain = new Producer(config, options)
  await plain.sendBatch([
    { topic: 'broken', value: '{' },
    { topic: 'broken', value: '1' },
  ])
  await using consumer = new Consumer<{ broken: { value: number } }>(
    { ...config, 'group.id': 'broken', 'auto.offset.reset': 'earliest' },
    { ...options, topics: { broken: { value: json<number>() } } },
  )
  consumer.subscribe('broken')
  await assert.rejects(consumer.readMessage(10_000), error => {
    assert.ok(error instanceof KafkaError)
    return error.code === ErrorCode.ERR__VALUE_DESERIALIZATION
  })
  assert.equal((await consumer.readMessage(10_000)).value, 1)
})
