/** Scenarios of librdkafka's own tests for consumers; the table is test/CONSUMER-SCENARIOS.md. */
import { afterEach, beforeEach, test } from 'node:test'
import assert from 'node:assert/strict'
import { EmbeddedCluster } from '@ottla/broker'
import {
  AdminClient,
  Consumer,
  ErrorCode,
  Producer,
  offsetTail,
  type ConsumerConfig,
  type KafkaError,
  type TopicPartition,
} from 'ottla'

const FETCH = 1
const WAIT_MS = 20_000
const quiet = (): void => undefined

let cluster: EmbeddedCluster
let producer: Producer
let names = 0
const closing: { close(): Promise<void> }[] = []
const fresh = (prefix: string): string => `${prefix}-${++names}`

beforeEach(async () => {
  cluster = await EmbeddedCluster.start({ brokers: 3, racks: ['a', 'b', 'c'] })
  producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers, 'linger.ms': 0 }, { logger: quiet })
})

afterEach(async () => {
  await Promise.all(closing.splice(0).map(client => client.close()))
  await producer.close()
  await cluster.close()
})

function consumer(config: Partial<ConsumerConfig> = {}): Consumer {
  const made = new Consumer(
    {
      'bootstrap.servers': cluster.bootstrapServers,
      'group.id': fresh('group'),
      'auto.offset.reset': 'earliest',
      'fetch.wait.max.ms': 50,
      'retry.backoff.ms': 20,
      'reconnect.backoff.ms': 20,
      'reconnect.backoff.max.ms': 100,
      ...config,
    },
    { logger: quiet },
  )
  closing.push(made)
  return made
}

function topic(partitions = 1): string {
  const name = fresh('topic')
  cluster.createTopic(name, { partitions, replicationFactor: 3 })
  return name
}

async function fill(name: string, count: number, partition = 0, from = 0): Promise<void> {
  const messages = Array.from({ length: count }, (_, i) => ({ topic: name, partition, value: String(from + i) }))
  for (const { error } of await producer.sendBatch(messages)) assert.equal(error, undefined)
}

async function take(reader: Consumer, count: number): Promise<string[]> {
  const values: string[] = []
  while (values.length < count) values.push(String((await reader.readMessage(WAIT_MS)).value))
  return values
}

const numbers = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => String(from + i))

/** Polls all the time until something is so. */
async function polling(readers: readonly Consumer[], done: () => boolean): Promise<void> {
  const deadline = Date.now() + WAIT_MS
  while (!done()) {
    assert.ok(Date.now() < deadline, `never came true: ${done.toString()}`)
    await Promise.all(readers.map(reader => reader.poll(20)))
  }
}

/** Brokers that were asked for messages since the last look. */
function fetchedFrom(): Set<number> {
  const brokers = cluster.requests('stop').filter(({ apiKey }) => apiKey === FETCH)
  cluster.requests('start')
  return new Set(brokers.map(({ brokerId }) => brokerId))
}

test('a consumer reads from the replica in its rack, from the leader while that is down, and knows its own way back', async () => {
  const name = topic()
  cluster.setLeader(name, 0, 1)
  await fill(name, 10)
  const reader = consumer({ 'client.rack': 'b', 'topic.metadata.refresh.interval.ms': 100, 'metadata.max.age.ms': 300 })
  await reader.assign([{ topic: name, partition: 0, offset: 0 }])
  assert.deepEqual(await take(reader, 10), numbers(0, 10))
  cluster.requests('start')
  await fill(name, 10, 0, 10)
  assert.deepEqual(await take(reader, 10), numbers(10, 20))
  assert.ok(fetchedFrom().has(2))
  await cluster.brokerDown(2)
  await fill(name, 10, 0, 20)
  assert.deepEqual(await take(reader, 10), numbers(20, 30))
  await cluster.brokerUp(2)
  fetchedFrom()
  await polling([reader], () => fetchedFrom().has(2))
  await fill(name, 10, 0, 30)
  assert.deepEqual(await take(reader, 10), numbers(30, 40))
})

test('a leader that sends a consumer where it gets no answer costs no message', async () => {
  const name = topic()
  cluster.setLeader(name, 0, 1)
  const { ERR_NOT_LEADER_FOR_PARTITION, ERR_OFFSET_OUT_OF_RANGE, ERR_UNKNOWN_TOPIC_OR_PART } = ErrorCode
  cluster.failNextOn(3, FETCH, [ERR_NOT_LEADER_FOR_PARTITION, ERR_OFFSET_OUT_OF_RANGE, ERR_UNKNOWN_TOPIC_OR_PART])
  await fill(name, 20)
  const reader = consumer({ 'client.rack': 'c' })
  await reader.assign([{ topic: name, partition: 0, offset: 0 }])
  assert.deepEqual(await take(reader, 20), numbers(0, 20))
  // The leader goes on believing that it is there.
  cluster.refuseConnections(3)
  cluster.dropConnections(3)
  await fill(name, 5, 0, 20)
  assert.deepEqual(await take(reader, 5), numbers(20, 25))
})

test('a partition with nothing but aborted messages is read to its end', async () => {
  const name = topic()
  const writer = new Producer(
    { 'bootstrap.servers': cluster.bootstrapServers, 'transactional.id': fresh('tx') },
    { logger: quiet },
  )
  closing.push(writer)
  await writer.initTransactions()
  for (let i = 0; i < 3; i++) {
    writer.beginTransaction()
    for (let n = 0; n < 50; n++) writer.produce({ topic: name, partition: 0, value: 'never' })
    await writer.flush()
    await writer.abortTransaction()
  }
  const reader = consumer({ 'enable.partition.eof': true })
  await reader.assign([{ topic: name, partition: 0, offset: 0 }])
  const event = await reader.poll(WAIT_MS)
  assert.equal(event?.type, 'partition-eof')
  assert.equal(reader.position()[0]?.offset, 153)
  await fill(name, 1)
  assert.deepEqual(await take(reader, 1), ['0'])
})

test('a message larger than any limit of a fetch is read all the same', async () => {
  const name = topic(2)
  const large = 'x'.repeat(400_000)
  await producer.send({ topic: name, partition: 0, value: 'before' })
  await producer.send({ topic: name, partition: 0, value: large })
  await producer.send({ topic: name, partition: 0, value: 'after' })
  await fill(name, 5, 1)
  const reader = consumer({
    'message.max.bytes': 1000,
    'fetch.message.max.bytes': 1000,
    'fetch.max.bytes': 2000,
    'receive.message.max.bytes': 10_000_000,
  })
  reader.subscribe(name)
  const seen = (await take(reader, 8)).map(value => (value === large ? 'large' : value))
  assert.deepEqual(seen.sort(), [...numbers(0, 5), 'after', 'before', 'large'])
})

test('an empty topic has an end, which is told once', async () => {
  const name = topic(3)
  const reader = consumer({ 'enable.partition.eof': true })
  reader.subscribe(name)
  const ends: number[] = []
  reader.on('partition-eof', ({ partition }) => ends.push(partition))
  await polling([reader], () => ends.length === 3)
  await reader.poll(200)
  assert.deepEqual(ends.sort(), [0, 1, 2])
  await fill(name, 1, 1)
  await polling([reader], () => ends.length === 4)
  assert.equal(ends[3], 1)
})

test('a partition that there is not is told of, and the others are read', async () => {
  const name = topic(1)
  await fill(name, 3)
  const reader = consumer()
  const errors: KafkaError[] = []
  reader.on('error', ({ error }) => errors.push(error))
  await reader.assign([
    { topic: name, partition: 0, offset: 0 },
    { topic: name, partition: 7, offset: 0 },
  ])
  const values: string[] = []
  await polling([reader], () => errors.length > 0)
  assert.equal(errors[0]?.code, ErrorCode.ERR__UNKNOWN_PARTITION)
  assert.match(errors[0].message, new RegExp(`${name} \\[7\\]`))
  await reader.seek([{ topic: name, partition: 0, offset: offsetTail(3) }])
  values.push(...(await take(reader, 3)))
  assert.deepEqual(values, numbers(0, 3))
})

test('that all brokers are down is told once, until one has been there', async () => {
  const name = topic(1)
  await fill(name, 1)
  const reader = consumer()
  const down: KafkaError[] = []
  reader.on('error', ({ error }) => {
    if (error.code === ErrorCode.ERR__ALL_BROKERS_DOWN) down.push(error)
  })
  await reader.assign([{ topic: name, partition: 0, offset: 0 }])
  await take(reader, 1)
  for (let round = 1; round <= 2; round++) {
    for (const id of [1, 2, 3]) await cluster.brokerDown(id)
    await polling([reader], () => down.length === round)
    await reader.poll(500)
    assert.equal(down.length, round)
    for (const id of [1, 2, 3]) await cluster.brokerUp(id)
    await fill(name, 1, 0, round)
    assert.deepEqual(await take(reader, 1), [String(round)])
  }
})

test('members that prefer different strategies agree on one that all have', async () => {
  const name = topic(4)
  const group = fresh('strategies')
  const preferences = ['range,roundrobin', 'roundrobin,range', 'roundrobin']
  const members = preferences.map(strategies =>
    consumer({ 'group.id': group, 'partition.assignment.strategy': strategies, 'heartbeat.interval.ms': 50 }),
  )
  for (const member of members) member.subscribe(name)
  await polling(
    members,
    () =>
      members.every(member => member.assignment().length > 0) &&
      members.flatMap(member => member.assignment()).length === 4,
  )
  const admin = AdminClient.from(producer)
  const [described] = await admin.describeConsumerGroups([group])
  assert.equal(described?.protocol, 'roundrobin')
})

for (const [name, config] of [
  ['range', {}],
  ['cooperative-sticky', { 'partition.assignment.strategy': 'cooperative-sticky' }],
  ['the consumer protocol', { 'group.protocol': 'consumer' }],
] as const) {
  test(`members with different subscriptions get what they subscribe to, and all of it is read: ${name}`, async () => {
    const [first, second, both] = [topic(4), topic(2), fresh('asymmetric')]
    const quick = name === 'the consumer protocol' ? {} : { 'heartbeat.interval.ms': 50 }
    const member = (topics: string[]): Consumer => {
      const made = consumer({ 'group.id': both, ...config, ...quick })
      made.subscribe(topics)
      return made
    }
    if (name === 'the consumer protocol') {
      const entries = [{ name: 'consumer.heartbeat.interval.ms', value: '50', operation: 'set' }] as const
      await AdminClient.from(producer).incrementalAlterConfigs([{ type: 'group', name: both, entries }])
    }
    const subscriptions = [[first], [first, second], [second]]
    const members = subscriptions.map(member)
    const owned = (): TopicPartition[] => members.flatMap(one => one.assignment())
    const keys = (): Set<string> => new Set(owned().map(({ topic: of, partition }) => `${of}/${partition}`))
    await polling(members, () => owned().length === 6 && keys().size === 6 && members[0]?.assignment().length !== 0)
    members.forEach((one, i) => {
      for (const { topic: of } of one.assignment()) assert.ok(subscriptions[i]?.includes(of), `${of} for member ${i}`)
    })
    await fill(first, 8, 3)
    await fill(second, 4, 1, 100)
    const seen: string[] = []
    for (const one of members) one.on('error', ({ error }) => assert.fail(error.message))
    const deadline = Date.now() + WAIT_MS
    while (seen.length < 12) {
      assert.ok(Date.now() < deadline, `read ${seen.length} of 12`)
      for (const one of members) {
        const event = await one.poll(20)
        if (event?.type === 'message') seen.push(String(event.message.value))
      }
    }
    assert.deepEqual(seen.sort(), [...numbers(0, 8), ...numbers(100, 104)].sort())
  })
}
