/** Brokers of a real cluster die, hang and come back under a group. */
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import { AdminClient, Consumer, Producer, type ConsumerConfig, type RebalanceEvent } from 'ottla'
import { fresh } from '../behaviour/world.ts'
import { startKafka, type KafkaBroker, type KafkaCluster } from '../harness/kafka.ts'
import { createTopic } from '../harness/topics.ts'

const quiet = (): void => undefined

let cluster: KafkaCluster
let admin: AdminClient
let producer: Producer

before(async () => {
  cluster = await startKafka({ brokers: 3 })
  const config = { 'bootstrap.servers': cluster.bootstrapServers }
  admin = new AdminClient(config, { logger: quiet })
  producer = new Producer({ ...config, 'linger.ms': 0, 'socket.timeout.ms': 5000 }, { logger: quiet })
})

after(async () => {
  await producer.close(5000)
  await admin.close()
  await cluster.close()
})

function consumer(config: Partial<ConsumerConfig>): Consumer {
  return new Consumer(
    {
      'bootstrap.servers': cluster.bootstrapServers,
      'auto.offset.reset': 'earliest',
      'session.timeout.ms': 10_000,
      'heartbeat.interval.ms': 300,
      'socket.timeout.ms': 5000,
      ...config,
    },
    { logger: quiet },
  )
}

function broker(id: number): KafkaBroker {
  const found = cluster.brokers.find(each => each.id === id)
  assert.ok(found)
  return found
}

async function topicOf(partitions: number): Promise<string> {
  const topic = fresh('outage')
  await createTopic(cluster.bootstrapServers, topic, { numPartitions: partitions, replicationFactor: 3 })
  return topic
}

/** Sends `count` messages with values `from`, `from + 1` ..., one after the other. */
async function write(topic: string, from: number, count: number): Promise<void> {
  const messages = Array.from({ length: count }, (_, i) => ({ topic, key: `k${i}`, value: String(from + i) }))
  for (const report of await producer.sendBatch(messages)) assert.equal(report.error, undefined)
}

/** Polls until the condition holds; `seen` collects the values. */
async function readUntil(readers: readonly Consumer[], seen: Set<string>, done: () => boolean): Promise<void> {
  const deadline = performance.now() + 90_000
  await Promise.all(
    readers.map(async reader => {
      while (!done()) {
        assert.ok(performance.now() < deadline, `never came true: ${done.toString()} (${seen.size} seen)`)
        const event = await reader.poll(100)
        if (event?.type === 'message') seen.add(String(event.message.value))
      }
    }),
  )
}

async function coordinatorOf(group: string): Promise<number> {
  const [described] = await admin.describeConsumerGroups([group])
  assert.ok(described?.coordinator)
  return described.coordinator.id
}

test('a group outlives the death of its coordinator, without a word to the program', async () => {
  const topic = await topicOf(4)
  const group = fresh('group')
  const seen = new Set<string>()
  const events: RebalanceEvent['type'][] = []
  // Longer than a busy machine may take to elect a new coordinator: a member that cannot be heard for that long is lost.
  const reader = consumer({ 'group.id': group, 'auto.commit.interval.ms': 200, 'session.timeout.ms': 45_000 })
  reader.subscribe(topic, event => void events.push(event.type))
  await write(topic, 0, 100)
  await readUntil([reader], seen, () => seen.size === 100)
  const id = await coordinatorOf(group)
  await broker(id).kill9()
  await write(topic, 100, 100)
  await readUntil([reader], seen, () => seen.size === 200)
  const next = await coordinatorOf(group)
  assert.notEqual(next, id)
  await reader.commit().catch(() => undefined) // what the interval has not committed yet, if anything
  await broker(id).restart()
  await reader.close()
  assert.deepEqual(events, ['assign', 'revoke'])
  const again = consumer({ 'group.id': group })
  again.subscribe(topic)
  await write(topic, 200, 10)
  const rest = new Set<string>()
  await readUntil([again], rest, () => [...rest].filter(value => Number(value) >= 200).length === 10)
  assert.equal(rest.size, 10, 'nothing that was committed comes again')
  await again.close()
})

test('a broker that hangs holds up its own partitions only, until it is back', async () => {
  const topic = await topicOf(6)
  const [described] = await admin.describeTopics([topic])
  assert.ok(described)
  const reader = consumer({ 'fetch.wait.max.ms': 100 })
  await reader.assign(described.partitions.map(({ partition }) => ({ topic, partition, offset: 0 })))
  const seen = new Set<string>()
  await write(topic, 0, 60)
  await readUntil([reader], seen, () => seen.size === 60)
  const hanging = broker(described.partitions[0]?.leader ?? 1)
  hanging.pause()
  try {
    const others = described.partitions.filter(p => p.leader !== hanging.id)
    for (const { partition } of others) {
      const report = await producer.send({ topic, partition, value: `while-${partition}` })
      assert.equal(report.error, undefined)
    }
    await readUntil([reader], seen, () => others.every(p => seen.has(`while-${p.partition}`)))
  } finally {
    hanging.resume()
  }
  for (const { partition } of described.partitions)
    await producer.send({ topic, partition, value: `after-${partition}` })
  await readUntil([reader], seen, () => described.partitions.every(p => seen.has(`after-${p.partition}`)))
  await reader.close()
})

test('two members go on when every broker is restarted, one after the other', async () => {
  const topic = await topicOf(6)
  const group = fresh('group')
  const seen = new Set<string>()
  const readers = [consumer({ 'group.id': group }), consumer({ 'group.id': group })]
  for (const reader of readers) reader.subscribe(topic)
  let written = 0
  for (const { id } of cluster.brokers) {
    await write(topic, written, 100)
    written += 100
    await readUntil(readers, seen, () => seen.size === written)
    await broker(id).stop()
    await broker(id).restart()
  }
  await write(topic, written, 100)
  written += 100
  await readUntil(readers, seen, () => seen.size === written)
  await readUntil(readers, seen, () => readers.every(reader => reader.assignment().length === 3))
  await Promise.all(readers.map(reader => reader.close()))
})
