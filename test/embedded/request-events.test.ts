/** `request` events: every request that a broker answers, or does not answer in time. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import { AdminClient, Consumer, ErrorCode, Producer, type EventOf } from 'ottla'
import { closing } from '../harness/closing.ts'
import { createTopic } from '../harness/topics.ts'
import { fresh } from '../behaviour/world.ts'
import { until } from '../behaviour/reading-ways.ts'

const quiet = (): void => undefined
type RequestEvent = EventOf<'request'>

let cluster: EmbeddedCluster
before(async () => {
  cluster = await EmbeddedCluster.start()
})
after(() => cluster.close())

test('producers, consumers and admin clients report their requests to listeners only', async () => {
  const config = { 'bootstrap.servers': cluster.bootstrapServers }
  const topic = fresh('requests')
  await createTopic(cluster.bootstrapServers, topic, { numPartitions: 1, replicationFactor: 1 })
  const seen: RequestEvent[] = []
  const listen = (event: RequestEvent): void => void seen.push(event)
  const producer = closing(new Producer(config, { logger: quiet })).on('request', listen)
  await producer.send({ topic, value: 'v' })
  const consumer = closing(
    new Consumer({ ...config, 'group.id': fresh('group'), 'auto.offset.reset': 'earliest' }, { logger: quiet }),
  )
  consumer.on('request', listen)
  consumer.subscribe(topic)
  // The queue of events has none of them.
  for (let event = await consumer.poll(10_000); event?.type !== 'message'; event = await consumer.poll(10_000)) {
    assert.notEqual((event as { readonly type: string } | null)?.type, 'request')
  }
  const admin = closing(new AdminClient(config, { logger: quiet })).on('request', listen)
  await admin.describeCluster()
  const names = new Set(seen.map(({ apiName }) => apiName))
  for (const name of ['ApiVersions', 'Metadata', 'Produce', 'JoinGroup', 'Fetch', 'DescribeCluster']) {
    assert.ok(names.has(name), `no ${name} among ${[...names].join(', ')}`)
  }
  for (const { brokerName, apiKey, apiVersion, correlationId, sentAt, durationMs, sizeBytes, error } of seen) {
    assert.ok(brokerName.startsWith(cluster.bootstrapServers), brokerName)
    assert.ok(apiKey >= 0 && apiVersion >= 0 && correlationId >= 0 && durationMs >= 0 && sizeBytes > 0)
    assert.ok(Math.abs(sentAt - Date.now()) < 3_600_000)
    assert.equal(error, undefined)
  }

  const before = seen.length
  admin.off('request', listen)
  await admin.describeCluster()
  assert.equal(seen.slice(before).filter(({ apiName }) => apiName === 'DescribeCluster').length, 0)
})

test('a request without an answer has an error', async () => {
  const seen: RequestEvent[] = []
  const config = { 'bootstrap.servers': cluster.bootstrapServers, 'socket.timeout.ms': 300, 'fetch.wait.max.ms': 100 }
  const admin = closing(new AdminClient(config, { logger: quiet }))
  await admin.describeCluster()
  admin.on('request', event => void seen.push(event))
  cluster.pauseBroker(1)
  try {
    await assert.rejects(admin.describeCluster({ requestTimeoutMs: 2000 }))
    await until('it is reported', () => seen.some(({ error }) => error?.code === ErrorCode.ERR__TIMED_OUT))
  } finally {
    cluster.resumeBroker(1)
  }
})
