/** Our clients on a cluster whose replicas lag and lose their tails, as those of a real one. */
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import assert from 'node:assert/strict'
import { EmbeddedCluster, type EmbeddedClusterOptions } from '@ottla/broker'
import { AdminClient, Consumer, Producer, type ConsumerConfig, type ProducerConfig } from 'ottla'
import { closing } from '../harness/closing.ts'

const TOPIC = 't'
const WAIT_MS = 20_000
const quiet = (): void => undefined

async function simulated(
  configs: Record<string, string> = {},
  options: EmbeddedClusterOptions = {},
): Promise<EmbeddedCluster> {
  const cluster = await EmbeddedCluster.start({ brokers: 3, replication: 'simulated', seed: 3, ...options })
  cluster.createTopic(TOPIC, { partitions: 1, replicationFactor: 3, configs })
  cluster.setLeader(TOPIC, 0, 1)
  return cluster
}

function producerFor(cluster: EmbeddedCluster, config: Partial<ProducerConfig> = {}): Producer {
  const common = { 'bootstrap.servers': cluster.bootstrapServers, 'linger.ms': 0, 'retry.backoff.ms': 20 }
  return closing(new Producer({ ...common, ...config }, { logger: quiet }))
}

function consumerFor(cluster: EmbeddedCluster, config: Partial<ConsumerConfig> = {}): Consumer {
  return closing(
    new Consumer(
      {
        'bootstrap.servers': cluster.bootstrapServers,
        'group.id': 'g',
        'auto.offset.reset': 'earliest',
        'enable.auto.commit': false,
        'fetch.wait.max.ms': 50,
        'retry.backoff.ms': 20,
        'topic.metadata.refresh.interval.ms': 200,
        ...config,
      },
      { logger: quiet },
    ),
  )
}

async function take(reader: Consumer, count: number): Promise<string[]> {
  const values: string[] = []
  while (values.length < count) values.push(String((await reader.readMessage(WAIT_MS)).value))
  return values
}

/** Waits for a state of the cluster that its own timers bring about. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await turn()
}

function values(cluster: EmbeddedCluster): string[] {
  return cluster.messages(TOPIC).map(({ value }) => String(value))
}

function areEqual(cluster: EmbeddedCluster, endOffset: number): boolean {
  return cluster
    .replicas(TOPIC, 0)
    .every(each => each.inSync && each.endOffset === endOffset && each.highWatermark === endOffset)
}

test('with acks=1 a failover loses what was acknowledged but not replicated', async () => {
  await using cluster = await simulated()
  const producer = producerFor(cluster, { acks: 1, 'enable.idempotence': false })
  await producer.send({ topic: TOPIC, partition: 0, value: 'replicated' })
  await until(() => areEqual(cluster, 1))
  for (const id of [2, 3]) cluster.stopReplication(id)
  const lost = await producer.send({ topic: TOPIC, partition: 0, value: 'lost' })
  assert.equal(lost.offset, 1)
  await cluster.brokerDown(1)
  for (const id of [2, 3]) cluster.resumeReplication(id)
  const after = await producer.send({ topic: TOPIC, partition: 0, value: 'after' })
  assert.equal(after.offset, 1)
  await cluster.brokerUp(1)
  await until(() => areEqual(cluster, 2))
  assert.deepEqual(values(cluster), ['replicated', 'after'])
  await producer.close()
})

test('with acks=all nothing that was acknowledged is lost, whoever fails', async () => {
  await using cluster = await simulated({ 'min.insync.replicas': '2' })
  const producer = producerFor(cluster, { acks: 'all' })
  const acknowledged: string[] = []
  for (const down of [1, 2, 3, 1]) {
    const sent = Array.from({ length: 20 }, async (_, i) => {
      const value = `${down}-${i}-${acknowledged.length}`
      await producer.send({ topic: TOPIC, partition: 0, value })
      acknowledged.push(value)
    })
    await cluster.brokerDown(down)
    await Promise.all(sent)
    await cluster.brokerUp(down)
    await until(() => cluster.replicas(TOPIC, 0).every(({ inSync }) => inSync))
  }
  const kept = values(cluster)
  assert.equal(acknowledged.length, 80)
  assert.deepEqual([...kept].sort(), [...acknowledged].sort())
  await producer.close()
})

test('an idempotent producer meets a leader that lacks its last batches, and writes them again in their order', async () => {
  await using cluster = await simulated()
  const producer = producerFor(cluster, { 'enable.idempotence': true })
  await producer.send({ topic: TOPIC, partition: 0, value: 'first' })
  for (const id of [2, 3]) cluster.stopReplication(id)
  const sent = ['second', 'third', 'fourth'].map(value => producer.send({ topic: TOPIC, partition: 0, value }))
  // Appended, but not acknowledged.
  await until(() => cluster.replicas(TOPIC, 0)[0]?.endOffset !== 1)
  await cluster.brokerDown(1)
  for (const id of [2, 3]) cluster.resumeReplication(id)
  await Promise.all(sent)
  assert.deepEqual(values(cluster), ['first', 'second', 'third', 'fourth'])
  await producer.close()
})

test('a consumer reads on after its leader is gone, and never reads what is lost', async () => {
  await using cluster = await simulated()
  const producer = producerFor(cluster, { acks: 1, 'enable.idempotence': false })
  const reader = consumerFor(cluster)
  await reader.assign([{ topic: TOPIC, partition: 0, offset: 0 }])
  for (const value of ['a', 'b']) await producer.send({ topic: TOPIC, partition: 0, value })
  assert.deepEqual(await take(reader, 2), ['a', 'b'])
  for (const id of [2, 3]) cluster.stopReplication(id)
  await producer.send({ topic: TOPIC, partition: 0, value: 'lost' })
  await cluster.brokerDown(1)
  for (const id of [2, 3]) cluster.resumeReplication(id)
  for (const value of ['c', 'd']) await producer.send({ topic: TOPIC, partition: 0, value })
  assert.deepEqual(await take(reader, 2), ['c', 'd'])
  await reader.close()
  await producer.close()
})

test('a consumer that has read what an unclean election loses goes on where the logs part', async () => {
  await using cluster = await simulated({ 'unclean.leader.election.enable': 'true' })
  const producer = producerFor(cluster, { acks: 'all', 'enable.idempotence': false })
  const reader = consumerFor(cluster)
  await reader.assign([{ topic: TOPIC, partition: 0, offset: 0 }])
  await producer.send({ topic: TOPIC, partition: 0, value: 'kept' })
  await until(() => areEqual(cluster, 1))
  for (const id of [2, 3]) await cluster.brokerDown(id)
  for (const value of ['read 1', 'read 2', 'read 3']) await producer.send({ topic: TOPIC, partition: 0, value })
  assert.deepEqual(await take(reader, 4), ['kept', 'read 1', 'read 2', 'read 3'])
  await cluster.brokerDown(1)
  await cluster.brokerUp(3)
  await cluster.brokerUp(2)
  await producer.send({ topic: TOPIC, partition: 0, value: 'instead' })
  assert.deepEqual(await take(reader, 1), ['instead'])
  await cluster.brokerUp(1)
  await until(() => areEqual(cluster, 2))
  assert.deepEqual(values(cluster), ['kept', 'instead'])
  await reader.close()
  await producer.close()
})

test('a producer that only knows a zombie leader loses what that acknowledges with acks=1', async () => {
  await using cluster = await simulated()
  const producer = producerFor(cluster, { acks: 1, 'enable.idempotence': false })
  await producer.send({ topic: TOPIC, partition: 0, value: 'before' })
  await until(() => areEqual(cluster, 1))
  cluster.setMetadataLag(1, Infinity)
  cluster.fenceBroker(1)
  await producer.send({ topic: TOPIC, partition: 0, value: 'zombie' })
  const zombie = cluster.replicas(TOPIC, 0)[0]
  assert.deepEqual([zombie?.isLeader, zombie?.inSync, zombie?.endOffset], [true, false, 2])
  cluster.setMetadataLag(1, 0)
  cluster.unfenceBroker(1)
  await producer.send({ topic: TOPIC, partition: 0, value: 'after' })
  await until(() => areEqual(cluster, 2))
  assert.deepEqual(values(cluster), ['before', 'after'])
  await producer.close()
})

test('with acks=all a zombie leader acknowledges nothing: the producer finds the new leader', async () => {
  await using cluster = await simulated()
  const producer = producerFor(cluster, { acks: 'all', 'request.timeout.ms': 500 })
  await producer.send({ topic: TOPIC, partition: 0, value: 'before' })
  cluster.setMetadataLag(1, 300)
  cluster.setLeader(TOPIC, 0, 2)
  await producer.send({ topic: TOPIC, partition: 0, value: 'after' })
  await until(() => areEqual(cluster, 2))
  assert.deepEqual(values(cluster), ['before', 'after'])
  await producer.close()
})

test('a group goes on after its coordinator, and keeps its committed offsets', async () => {
  await using cluster = await simulated()
  const producer = producerFor(cluster)
  for (const value of ['a', 'b', 'c']) await producer.send({ topic: TOPIC, partition: 0, value })
  const reader = consumerFor(cluster, { 'session.timeout.ms': 10_000, 'heartbeat.interval.ms': 100 })
  reader.subscribe([TOPIC])
  assert.deepEqual(await take(reader, 3), ['a', 'b', 'c'])
  await reader.commit()
  const admin = closing(new AdminClient({ 'bootstrap.servers': cluster.bootstrapServers }, { logger: quiet }))
  const described = (await admin.describeConsumerGroups(['g']))[0]
  const coordinator = described?.coordinator?.id ?? assert.fail('the group has no coordinator')
  await admin.close()
  await cluster.brokerDown(coordinator)
  await producer.send({ topic: TOPIC, partition: 0, value: 'd' })
  assert.deepEqual(await take(reader, 1), ['d'])
  await reader.commit()
  const [committed] = await reader.committed([{ topic: TOPIC, partition: 0 }])
  assert.equal(committed?.offset, 4)
  await reader.close()
  await producer.close()
})

test('a transaction survives the leader of its partition and its coordinator', async () => {
  await using cluster = await simulated()
  const producer = producerFor(cluster, { 'transactional.id': 'txn', 'transaction.timeout.ms': 30_000 })
  await producer.initTransactions()
  for (const down of [1, 2, 3]) {
    await producer.transaction(async () => {
      await producer.send({ topic: TOPIC, partition: 0, value: `${down} begun` })
      await cluster.brokerDown(down)
      await producer.send({ topic: TOPIC, partition: 0, value: `${down} ended` })
    })
    await cluster.brokerUp(down)
    await until(() => cluster.replicas(TOPIC, 0).every(({ inSync }) => inSync))
  }
  const expected = [1, 2, 3].flatMap(down => [`${down} begun`, `${down} ended`])
  await until(() => values(cluster).length >= expected.length)
  assert.deepEqual(values(cluster), expected)
  await producer.close()
})
