/** A broker releases what a lost connection had acquired, and gives it to others: it is not given to the program any more. */
import { test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import { gunzipSync, gzipSync } from 'node:zlib'
import { EmbeddedCluster } from '@ottla/broker'
import { simulate } from '@ottla/broker/simulation'
import { AdminClient, Producer, ShareConsumer, type RecordCodec, type ShareMessage } from 'ottla'
import { gate } from '../behaviour/reading-ways.ts'

const TOPIC = 'jobs'
const GROUP = 'workers'
const COUNT = 20
const SHARE_FETCH = 78
const quiet = { logger: (): void => undefined }

/** Reads in some way until the consumer is closed. */
type Way = (consumer: ShareConsumer, onMessage: (message: ShareMessage) => Promise<void>) => Promise<void>

const ways: Record<string, Way> = {
  async poll(consumer, onMessage) {
    for (;;) {
      const event = await consumer.poll(100)
      if (event?.type === 'message') await onMessage(event.message)
    }
  },
  async 'for await'(consumer, onMessage) {
    for await (const message of consumer) await onMessage(message)
  },
  async run(consumer, onMessage) {
    await consumer.run({ concurrency: 1, handler: onMessage })
  },
}

for (const [name, way] of Object.entries(ways)) {
  test(`${name} gives nothing that a lost connection has released`, async t => {
    const cluster = await EmbeddedCluster.start()
    t.after(() => cluster.close())
    const producer = await fill(t, cluster)
    const first = consumer(t, cluster, 'first')
    const second = consumer(t, cluster, 'second')
    const hasOne = gate()
    const mayGoOn = gate()
    const hasLast = gate()
    const given: number[] = []
    const reading = way(first, async message => {
      given.push(message.offset)
      hasOne.open()
      if (message.offset === COUNT) hasLast.open()
      await mayGoOn.opened
    }).catch((error: unknown) => assert.match(String(error), /is closed/))
    await hasOne.opened
    // The first one must not be the next as well.
    const hasTakenAll = gate()
    const stop = cluster.control(async ({ apiKey, clientId }) => {
      if (apiKey === SHARE_FETCH && clientId === 'first') await hasTakenAll.opened
      return undefined
    })
    cluster.dropConnections(1)
    const taken = new Set<number>()
    while (taken.size < COUNT) {
      const event = await second.poll(1000)
      if (event?.type !== 'message') continue
      taken.add(event.message.offset)
      await second.commit()
    }
    await second.close()
    stop()
    hasTakenAll.open()
    mayGoOn.open()
    await producer.send({ topic: TOPIC, value: 'one more' })
    await hasLast.opened
    await first.close()
    await reading
    assert.deepEqual(given, [0, COUNT])
  })
}

test('a partition that another broker leads by now: nothing is given that the former leader had locked', async t => {
  const cluster = await EmbeddedCluster.start({ brokers: 2 })
  t.after(() => cluster.close())
  cluster.createTopic(TOPIC, { partitions: 1, replicationFactor: 2 })
  cluster.setLeader(TOPIC, 0, 1)
  const producer = await fill(t, cluster)
  const first = consumer(t, cluster, 'first')
  const second = consumer(t, cluster, 'second')
  const given = async (member: ShareConsumer): Promise<number> => {
    for (;;) {
      const event = await member.poll(1000)
      if (event?.type === 'message') return event.message.offset
    }
  }
  assert.equal(await given(first), 0)
  cluster.setLeader(TOPIC, 0, 2)
  const taken = new Set<number>()
  while (taken.size < COUNT) {
    taken.add(await given(second))
    await second.commit()
  }
  await second.close()
  // The former leader says who leads.
  await first.commit()
  await producer.send({ topic: TOPIC, value: 'one more' })
  assert.equal(await given(first), COUNT)
})

test('nothing of a response is given when the connection is lost while a part of it is being decompressed', async () => {
  const given = await simulate({ seed: 1, cluster: { brokers: 1 } }, async simulation => {
    const { cluster, network } = simulation
    const config = { 'bootstrap.servers': simulation.bootstrapServers }
    cluster.createTopic(TOPIC, { partitions: 2 })
    await beginAtTheStart(new AdminClient(config, { ...simulation.host('admin'), ...quiet }))
    const producer = new Producer(
      { ...config, 'compression.type': 'gzip', 'linger.ms': 100 },
      { ...simulation.host('writer'), ...quiet },
    )
    produce(producer, 2)
    await producer.close()
    let isLost = false
    const slowly: RecordCodec = {
      name: 'gzip',
      compress: records => gzipSync(records),
      async decompress(records) {
        if (!isLost) {
          isLost = true
          network.cut('reader', 'broker-1')
          await simulation.sleep(1000)
        }
        return gunzipSync(records)
      },
    }
    const reader = new ShareConsumer(
      { ...config, 'group.id': GROUP },
      { ...simulation.host('reader'), ...quiet, codecs: [slowly] },
    )
    reader.subscribe([TOPIC])
    const deliveries: number[] = []
    const reading = reader.run({ handler: ({ deliveryCount }) => void deliveries.push(deliveryCount) })
    await simulation.sleep(30_000)
    await reader.close()
    await reading
    return deliveries
  })
  assert.deepEqual(
    given,
    Array.from({ length: COUNT }, () => 2),
  )
})

async function fill(t: TestContext, cluster: EmbeddedCluster): Promise<Producer> {
  if (cluster.topics().length === 0) cluster.createTopic(TOPIC, { partitions: 1 })
  const servers = { 'bootstrap.servers': cluster.bootstrapServers }
  await beginAtTheStart(new AdminClient(servers, quiet))
  const producer = new Producer(servers, quiet)
  t.after(() => producer.close())
  produce(producer, 1)
  await producer.flush()
  return producer
}

async function beginAtTheStart(admin: AdminClient): Promise<void> {
  const entries = [{ name: 'share.auto.offset.reset', value: 'earliest', operation: 'set' as const }]
  await admin.incrementalAlterConfigs([{ type: 'group', name: GROUP, entries }])
  await admin.close()
}

function produce(producer: Producer, partitions: number): void {
  for (let i = 0; i < COUNT; i++)
    producer.produce({ topic: TOPIC, partition: i % partitions, value: String(i) }, () => undefined)
}

function consumer(t: TestContext, cluster: EmbeddedCluster, name: string): ShareConsumer {
  const made = new ShareConsumer(
    {
      'bootstrap.servers': cluster.bootstrapServers,
      'client.id': name,
      'group.id': GROUP,
      'fetch.wait.max.ms': 50,
      // It has all that it may have: no request is in flight whose failure would tell it.
      'max.poll.records': COUNT,
    },
    quiet,
  )
  t.after(() => made.close())
  made.subscribe([TOPIC])
  return made
}
