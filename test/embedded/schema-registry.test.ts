import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AdminClient, Consumer, Producer, string } from 'ottla'
import { EmbeddedCluster } from '@ottla/broker'
import { SchemaRegistry, type AvroValue } from '@ottla/schema-registry'

const orderSchema = {
  type: 'record',
  name: 'Order',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'customer', type: 'string' },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
  ],
} as const

type Order = AvroValue<typeof orderSchema>

interface Topics {
  orders: { key: string; value: Order }
}

async function started(t: TestContext) {
  const cluster = await EmbeddedCluster.start({ schemaRegistry: true })
  t.after(() => cluster.close())
  const bootstrap = { 'bootstrap.servers': cluster.bootstrapServers } as const
  const reading = { ...bootstrap, 'group.id': 'g', 'auto.offset.reset': 'earliest' } as const
  return { cluster, bootstrap, reading, registry: new SchemaRegistry({ url: cluster.schemaRegistryUrl }) }
}

for (const idIn of ['prefix', 'header'] as const) {
  test(`typed topics are written and read with schemas named in a ${idIn}`, async t => {
    const { registry, bootstrap, reading } = await started(t)
    const orders = registry.avro({ schema: orderSchema, idIn })
    await using producer = new Producer<Topics>(bootstrap, { topics: { orders: { value: orders } } })
    const value: Order = { id: 1, customer: 'alice', at: new Date(1_700_000_000_000) }
    await producer.send({ topic: 'orders', key: 'k', value })
    producer.produce({ topic: 'orders', key: 'k', value: { ...value, id: 2 } })
    await producer.send({ topic: 'orders', key: 'k', value: null })
    await producer.flush()
    await using consumer = new Consumer<Topics>(reading, {
      topics: { orders: { key: string, value: registry.avro<Order>() } },
    })
    consumer.subscribe('orders')
    const read: (Order | null)[] = []
    while (read.length < 3) read.push((await consumer.readMessage(10_000)).value)
    assert.deepEqual(
      read.sort((a, b) => (a?.id ?? 9) - (b?.id ?? 9)),
      [value, { ...value, id: 2 }, null],
    )
    assert.deepEqual(await registry.subjects(), ['orders-value'])
  })
}

test('a message that cannot be read goes to the dead letters, with its schema named', async t => {
  const { registry, bootstrap, reading } = await started(t)
  await using producer = new Producer(bootstrap)
  await using admin = new AdminClient(bootstrap)
  await admin.createTopics([{ topic: 'orders', numPartitions: 1, replicationFactor: 1 }])
  const id = await registry.register('orders-value', orderSchema)
  await producer.send({ topic: 'orders', value: Buffer.from([0, 0, 0, 0, id, 2]) })
  const good = await registry
    .avro({ schema: orderSchema })
    .serialize({ id: 5, customer: 'x', at: new Date(0) }, { topic: 'orders', field: 'value', headers: [] })
  await producer.send({ topic: 'orders', value: good })
  await using consumer = new Consumer<Buffer, Order>(reading, { value: registry.avro<Order>() })
  consumer.subscribe('orders')
  const done = new AbortController()
  const handled: number[] = []
  await consumer.run({
    signal: done.signal,
    deadLetter: { topic: 'dead', producer },
    handler: ({ value }) => {
      handled.push(value?.id ?? 0)
      done.abort()
    },
  })
  assert.deepEqual(handled, [5])
  await using dead = new Consumer({ ...reading, 'group.id': 'dead' })
  dead.subscribe('dead')
  const letter = await dead.readMessage(10_000)
  assert.deepEqual(letter.value, Buffer.from([0, 0, 0, 0, id, 2]))
  const words = letter.headers.map(({ value }) => value?.toString()).join('\n')
  assert.match(words, new RegExp(`schema ${id}: the data ends before its schema does`))
})

test('the registry keeps its records in the topic _schemas, as long as the cluster keeps its data', async t => {
  const dataDir = mkdtempSync(join(tmpdir(), 'ottla-schemas-'))
  t.after(() => rmSync(dataDir, { recursive: true }))
  {
    await using cluster = await EmbeddedCluster.start({ schemaRegistry: true, dataDir })
    const registry = new SchemaRegistry({ url: cluster.schemaRegistryUrl })
    await registry.register('orders-value', orderSchema)
    const [message] = cluster.messages('_schemas')
    assert.equal(message?.key?.toString(), '{"keytype":"SCHEMA","subject":"orders-value","version":1,"magic":1}')
  }
  await using cluster = await EmbeddedCluster.start({ schemaRegistry: true, dataDir })
  const registry = new SchemaRegistry({ url: cluster.schemaRegistryUrl })
  assert.equal((await registry.getLatest('orders-value')).id, 1)
})

test('a cluster without a registry says so', async () => {
  await using cluster = await EmbeddedCluster.start()
  assert.throws(() => cluster.schemaRegistryUrl, { message: /start it with schemaRegistry: true/ })
})
