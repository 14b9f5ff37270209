/** Brokers with IPv6 addresses: what names them can be given back to a client. */
import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { test } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import { AdminClient, Consumer, KafkaError, Producer } from 'ottla'

const quiet = { logger: (): void => undefined }

test('This machine has the IPv6 loopback address that the other tests of this file need', () => {
  const addresses = Object.values(networkInterfaces()).flatMap(list => list?.map(({ address }) => address) ?? [])
  assert.ok(addresses.includes('::1'), `::1 is not among ${addresses.join(', ')}: enable IPv6 on the loopback device`)
})

test('A client takes the bootstrapServers of a cluster at ::1 as they are', async () => {
  await using cluster = await EmbeddedCluster.start({ brokers: 2, host: '::1' })
  assert.match(cluster.bootstrapServers, /^\[::1\]:\d+,\[::1\]:\d+$/)
  cluster.createTopic('t', { partitions: 2 })
  const servers = { 'bootstrap.servers': cluster.bootstrapServers }
  const producer = new Producer(servers, quiet)
  const consumer = new Consumer({ ...servers, 'group.id': 'g', 'auto.offset.reset': 'earliest' }, quiet)
  const admin = new AdminClient(servers, quiet)
  try {
    await producer.send({ topic: 't', value: 'x', partition: 0 })
    await producer.send({ topic: 't', value: 'y', partition: 1 })
    consumer.subscribe('t')
    const values = [await consumer.readMessage(), await consumer.readMessage()].map(m => String(m.value))
    assert.deepEqual(values.sort(), ['x', 'y'])
    const { nodes } = await admin.describeCluster()
    assert.deepEqual(new Set(nodes.map(({ host }) => host)), new Set(['::1']))
    const [broker] = await admin.describeConfigs([{ type: 'broker', name: '1' }])
    const listeners = broker?.entries['listeners']?.value
    assert.match(listeners ?? '', /^PLAINTEXT:\/\/\[::1\]:\d+$/)
  } finally {
    await Promise.all([producer.close(), consumer.close(), admin.close()])
  }
})

test('Errors name an IPv6 address in brackets', async () => {
  const cluster = await EmbeddedCluster.start({ host: '::1' })
  const { bootstrapServers } = cluster
  await cluster.close()
  const admin = new AdminClient({ 'bootstrap.servers': bootstrapServers }, quiet)
  try {
    await assert.rejects(admin.describeCluster({ requestTimeoutMs: 500 }), error => {
      assert.ok(error instanceof KafkaError)
      assert.ok(error.message.includes(bootstrapServers), error.message)
      return true
    })
  } finally {
    await admin.close()
  }
})
