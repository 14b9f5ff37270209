/** Clients of others on the embedded cluster, and ours on a cluster that poses as older releases. */
import { EmbeddedCluster, type KafkaRelease } from '@ottla/broker'
import { CompressionTypes, Kafka, Partitioners, logLevel } from 'kafkajs'
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { AdminClient, Consumer, Producer } from 'ottla'

test('KafkaJS administers, produces compressed and consumes in a group over SASL', async () => {
  const cluster = await EmbeddedCluster.start({
    brokers: 3,
    sasl: { mechanisms: ['PLAIN'], users: { alice: 'secret' } },
  })
  const options = { brokers: cluster.bootstrapServers.split(','), logLevel: logLevel.NOTHING }
  const kafka = new Kafka({ ...options, sasl: { mechanism: 'plain', username: 'alice', password: 'secret' } })
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: 'orders', numPartitions: 3 }], waitForLeaders: true })
  assert.ok((await admin.listTopics()).includes('orders'))
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
  await producer.connect()
  const messages = Array.from({ length: 100 }, (_, i) => ({ key: `k${i}`, value: `v${i}`, headers: { h: 'x' } }))
  await producer.send({ topic: 'orders', compression: CompressionTypes.GZIP, messages })
  const consumer = kafka.consumer({ groupId: 'g' })
  await consumer.connect()
  await consumer.subscribe({ topic: 'orders', fromBeginning: true })
  const seen = new Set<string>()
  await new Promise<void>((resolve, reject) => {
    const eachMessage = ({ message }: { message: { value: Buffer | null } }): Promise<void> => {
      seen.add(String(message.value))
      if (seen.size === messages.length) resolve()
      return Promise.resolve()
    }
    consumer.run({ eachMessage }).catch(reject)
  })
  await consumer.disconnect()
  assert.equal((await admin.fetchOffsets({ groupId: 'g', topics: ['orders'] })).length, 1)
  await admin.deleteTopics({ topics: ['orders'] })
  await Promise.all([producer.disconnect(), admin.disconnect()])
  const stranger = new Kafka({
    ...options,
    retry: { retries: 0 },
    sasl: { mechanism: 'plain', username: 'alice', password: 'wrong' },
  })
  await assert.rejects(stranger.admin().connect(), /[Aa]uthentication/)
  await cluster.close()
})

for (const release of ['2.1', '3.9', '4.3'] satisfies KafkaRelease[]) {
  test(`our clients work on a cluster that knows what Kafka ${release} knew`, async () => {
    const cluster = await EmbeddedCluster.start({ brokers: 2, as: release })
    const settings = { 'bootstrap.servers': cluster.bootstrapServers }
    const admin = new AdminClient(settings)
    const [created] = await admin.createTopics([{ topic: 't', numPartitions: 2, replicationFactor: 1 }])
    assert.equal(created?.error, undefined)
    const producer = new Producer({ ...settings, 'compression.type': 'lz4' })
    for (let i = 0; i < 50; i++) await producer.send({ topic: 't', key: `k${i}`, value: `v${i}` })
    const consumer = new Consumer({ ...settings, 'group.id': 'g', 'auto.offset.reset': 'earliest' })
    consumer.subscribe('t')
    const seen = new Set<string>()
    while (seen.size < 50) seen.add(String((await consumer.readMessage(20_000)).value))
    await consumer.close()
    const offsets = await admin.listConsumerGroupOffsets('g')
    assert.equal(
      offsets.reduce((sum, { offset }) => sum + offset, 0),
      50,
    )
    await Promise.all([producer.close(), admin.close()])
    await cluster.close()
  })
}
