/** The test companion (`@ottla/broker/testing`) with clients: groups of all types, transactions, what is left behind. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from '@ottla/broker/simulation'
import { simulatedCluster, startTestCluster } from '@ottla/broker/testing'
import { Consumer, Producer, ShareConsumer } from 'ottla'
import { closing } from '../harness/closing.ts'

const PATIENT = { timeoutMs: 60_000 }
const orders = { partitions: 2, messages: [0, 0, 1].map(partition => ({ partition, value: 'order' })) }

for (const protocol of ['classic', 'consumer'] as const) {
  test(`a wait sees what a group of the ${protocol} protocol does`, async () => {
    await using cluster = await startTestCluster({ topics: { orders } })
    const consumer = new Consumer({
      'bootstrap.servers': cluster.bootstrapServers,
      'group.id': 'billing',
      'group.protocol': protocol,
      'auto.offset.reset': 'earliest',
      'client.id': 'biller',
    })
    try {
      consumer.subscribe('orders')
      const reading = consumer.readMessage(60_000)
      const { type, members } = await cluster.waitForGroup('billing', { members: 1, ...PATIENT })
      assert.equal(type, protocol)
      assert.equal(members[0]?.clientId, 'biller')
      assert.deepEqual(members[0].assigned.map(({ topic, partition }) => `${topic} ${partition}`).sort(), [
        'orders 0',
        'orders 1',
      ])
      await reading
      await assert.rejects(
        cluster.waitForCommitted('billing', 'orders', { timeoutMs: 20 }),
        /partition 0 at .* of 2, partition 1 at .* of 1; the group is Stable with 1 member$/,
      )
      await consumer.readMessage(60_000)
      await consumer.readMessage(60_000)
      await consumer.commit()
      const committed = await cluster.waitForCommitted('billing', 'orders', PATIENT)
      assert.deepEqual(committed.map(({ partition, offset }) => [partition, offset]).sort(), [
        [0, 2],
        [1, 1],
      ])
      await cluster.waitForCommitted('billing', 'orders', { offsets: { 0: 2 } })
    } finally {
      await consumer.close()
    }
    await cluster.waitForGroup('billing', { members: 0, ...PATIENT })
  })
}

test('in a share group what is acknowledged counts as committed', async () => {
  await using cluster = await startTestCluster({ topics: { orders } })
  const consumer = closing(
    new ShareConsumer({ 'bootstrap.servers': cluster.bootstrapServers, 'group.id': 'packing', 'client.id': 'packer' }),
  )
  consumer.subscribe('orders')
  const reading = consumer.poll(60_000)
  const { type, members } = await cluster.waitForGroup('packing', PATIENT)
  assert.deepEqual([type, members[0]?.clientId, members[0]?.assigned.length], ['share', 'packer', 2])
  // A share group starts at the end.
  await cluster.waitForCommitted('packing', 'orders', PATIENT)
  await cluster.produce('orders', [{ value: 'late' }])
  assert.notEqual(await reading, null)
  await assert.rejects(cluster.waitForCommitted('packing', 'orders', { timeoutMs: 20 }), /at 2 of 3/)
  // Asking for the next message accepts the one before.
  await Promise.all([consumer.poll(1000), cluster.waitForCommitted('packing', 'orders', PATIENT)])
})

test('messages of an open transaction are not there yet, and a wait says so', async () => {
  await using cluster = await startTestCluster({ topics: { orders: { partitions: 1 } } })
  const producer = closing(
    new Producer({ 'bootstrap.servers': cluster.bootstrapServers, 'transactional.id': 'billing' }),
  )
  await producer.initTransactions()
  producer.beginTransaction()
  await producer.send({ topic: 'orders', value: 'x' })
  await assert.rejects(
    cluster.waitForMessages('orders', { timeoutMs: 50 }),
    /saw 0 messages \(partition 0: offsets 0 to 0\), and more in transactions that have not ended$/,
  )
  await producer.commitTransaction()
  assert.equal((await cluster.waitForMessages('orders', PATIENT)).length, 1)
})

test('in a storm of a simulation a wait has virtual patience', async () => {
  await simulate({ seed: 5 }, async simulation => {
    const cluster = await simulatedCluster(simulation, { topics: ['orders'] })
    const producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers }, simulation.host('shop'))
    const storm = simulation.storm({ ms: 60_000 })
    for (let i = 0; i < 20; i++) {
      producer.produce({ topic: 'orders', value: `${i}` })
      await simulation.sleep(3000)
    }
    await storm
    await cluster.waitForMessages('orders', { count: 20 })
    await producer.close()
  })
})
