/** A broker releases what a lost connection had acquired, and gives it to others: it is not given to the program any more. */
import { test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import { EmbeddedCluster } from '@ottla/broker'
import { AdminClient, Producer, ShareConsumer, type ShareMessage } from 'ottla'
import { gate } from '../behaviour/reading-ways.ts'

const TOPIC = 'jobs'
const GROUP = 'workers'
const COUNT = 20
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
    const first = consumer(t, cluster)
    const second = consumer(t, cluster)
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
    cluster.dropConnections(1)
    const taken = new Set<number>()
    while (taken.size < COUNT) {
      const event = await second.poll(1000)
      if (event?.type !== 'message') continue
      taken.add(event.message.offset)
      await second.commit()
    }
    await second.close()
    mayGoOn.open()
    await producer.send({ topic: TOPIC, value: 'one more' })
    await hasLast.opened
    await first.close()
    await reading
    assert.deepEqual(given, [0, COUNT])
  })
}

async function fill(t: TestContext, cluster: EmbeddedCluster): Promise<Producer> {
  cluster.createTopic(TOPIC, { partitions: 1 })
  const servers = { 'bootstrap.servers': cluster.bootstrapServers }
  const admin = new AdminClient(servers, quiet)
  t.after(() => admin.close())
  const entries = [{ name: 'share.auto.offset.reset', value: 'earliest', operation: 'set' as const }]
  await admin.incrementalAlterConfigs([{ type: 'group', name: GROUP, entries }])
  const producer = new Producer(servers, quiet)
  t.after(() => producer.close())
  for (let i = 0; i < COUNT; i++) producer.produce({ topic: TOPIC, value: String(i) }, () => undefined)
  await producer.flush()
  return producer
}

function consumer(t: TestContext, cluster: EmbeddedCluster): ShareConsumer {
  const made = new ShareConsumer(
    {
      'bootstrap.servers': cluster.bootstrapServers,
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
