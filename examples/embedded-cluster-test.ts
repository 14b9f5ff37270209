/** Testing an application without Apache Kafka: a cluster in the test's own process, with faults on demand. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import { Consumer, ErrorCode, Producer } from 'ottla'

let cluster: EmbeddedCluster

before(async () => {
  cluster = await EmbeddedCluster.start({ brokers: 3, defaultPartitions: 2 })
})
after(() => cluster.close())

test('what is produced is consumed', async () => {
  const producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers })
  await producer.send({ topic: 'greetings', value: 'hello' })
  await producer.close()

  const consumer = new Consumer({
    'bootstrap.servers': cluster.bootstrapServers,
    'group.id': 'readers',
    'auto.offset.reset': 'earliest',
  })
  consumer.subscribe('greetings')
  const message = await consumer.readMessage(10_000)
  assert.equal(message.value?.toString(), 'hello')
  await consumer.close()
})

test('the application never sees a transient error of the broker', async () => {
  const PRODUCE = 0
  cluster.failNext(PRODUCE, [ErrorCode.ERR_NOT_LEADER_FOR_PARTITION, ErrorCode.ERR_NOT_ENOUGH_REPLICAS])
  const producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers })
  const report = await producer.send({ topic: 'greetings', value: 'delivered all the same' })
  assert.equal(report.status, 'persisted')
  await producer.close()
})
