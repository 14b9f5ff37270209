/** Errors of real brokers that last, and topics that go while others are read. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  AdminClient,
  Consumer,
  type KafkaError,
  Producer,
  ShareConsumer,
  type AclBinding,
  type ClientConfig,
  type ConsumerConfig,
} from 'ottla'
import { as, fresh, type World } from '../behaviour/world.ts'
import { createTopic } from '../harness/topics.ts'
import { securedKafka } from './worlds.ts'

const PATIENCE_MS = 60_000
const quiet = { logger: (): void => undefined }
const soon: Partial<ConsumerConfig> = {
  'auto.offset.reset': 'earliest',
  'fetch.wait.max.ms': 100,
  'topic.metadata.refresh.interval.ms': 500,
}

let world: World
let admin: AdminClient
let producer: Producer

before(async () => {
  world = await securedKafka()
  admin = new AdminClient(as(world, 'admin'), quiet)
  producer = new Producer({ ...as(world, 'admin'), 'linger.ms': 0 }, quiet)
})

after(async () => {
  await Promise.all([admin.close(), producer.close()])
  await world.close()
})

async function write(topic: string, ...values: string[]): Promise<void> {
  for (const value of values) await producer.send({ topic, partition: 0, value })
}

async function hurryGroup(group: string): Promise<void> {
  const entries = [
    { name: 'consumer.heartbeat.interval.ms', value: '200', operation: 'set' },
    { name: 'share.heartbeat.interval.ms', value: '200', operation: 'set' },
    { name: 'share.auto.offset.reset', value: 'earliest', operation: 'set' },
  ] as const
  await admin.incrementalAlterConfigs([{ type: 'group', name: group, entries }])
}

/** Whoever reads, by whatever way, until it is closed. */
interface Reader {
  readonly name: string
  readonly seen: string[]
  readonly errors: KafkaError[]
  /** Rejects when the reading has ended with an error. */
  readonly reading: Promise<void>
  topics(): string[]
  close(): Promise<void>
}

const ways: Readonly<Record<string, (consumer: Consumer, seen: string[]) => Promise<void>>> = {
  poll: async (consumer, seen) => {
    while (!consumer.closed) {
      const event = await consumer.poll(100)
      if (event?.type === 'message') seen.push(String(event.message.value))
    }
  },
  'for await': async (consumer, seen) => {
    for await (const { value } of consumer) seen.push(String(value))
  },
  batches: async (consumer, seen) => {
    for await (const batch of consumer.batches()) for (const { value } of batch) seen.push(String(value))
  },
  partitions: async (consumer, seen) => {
    const streams: Promise<void>[] = []
    for await (const stream of consumer.partitions()) {
      const read = async (): Promise<void> => {
        for await (const { value } of stream) seen.push(String(value))
      }
      streams.push(read())
    }
    await Promise.all(streams)
  },
  run: async (consumer, seen) => {
    await consumer.run({ handler: ({ value }) => void seen.push(String(value)) })
  },
}

function read(way: string, config: ConsumerConfig, begin: (consumer: Consumer) => unknown, what = way): Reader {
  const consumer = new Consumer({ ...soon, ...config }, quiet)
  const errors: KafkaError[] = []
  consumer.on('error', ({ error }) => void errors.push(error))
  const seen: string[] = []
  const go = ways[way]
  assert.ok(go !== undefined)
  const reading = Promise.resolve(begin(consumer)).then(() => go(consumer, seen))
  // Looked at by whoever waits.
  reading.catch(() => undefined)
  const topics = (): string[] => [...new Set(consumer.assignment().map(({ topic }) => topic))]
  return { name: what, seen, errors, reading, topics, close: () => consumer.close() }
}

function share(config: ClientConfig, group: string, topics: string[]): Reader {
  const { 'topic.metadata.refresh.interval.ms': refresh, 'fetch.wait.max.ms': wait } = soon
  const pace = { 'topic.metadata.refresh.interval.ms': refresh, 'fetch.wait.max.ms': wait }
  const consumer = new ShareConsumer({ ...config, ...pace, 'group.id': group }, quiet)
  const errors: KafkaError[] = []
  consumer.on('error', ({ error }) => void errors.push(error))
  const seen: string[] = []
  const go = async (): Promise<void> => {
    consumer.subscribe(topics)
    while (!consumer.closed) {
      const event = await consumer.poll(100)
      if (event?.type === 'message') seen.push(String(event.message.value))
    }
  }
  const reading = go()
  reading.catch(() => undefined)
  const assigned = (): string[] => [...new Set(consumer.assignment().map(({ topic }) => topic))]
  return { name: 'share', seen, errors, reading, topics: assigned, close: () => consumer.close() }
}

/** Waits until it is so of all readers; rejects when one of them has ended. */
async function until(what: string, readers: readonly Reader[], done: (reader: Reader) => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  const ended = Promise.race(readers.map(({ reading }) => reading))
  for (;;) {
    const missing = readers.filter(reader => !done(reader))
    if (missing.length === 0) return
    const state = (): string =>
      missing.map(({ name, seen, errors }) => `${name}: ${seen.join()}; ${errors.join()}`).join('\n')
    assert.ok(performance.now() < deadline, `never: ${what}, of\n${state()}`)
    await Promise.race([sleep(20), ended])
  }
}

for (const protocol of ['classic', 'consumer'] as const) {
  test(`${protocol}: a topic that a pattern has found and that is deleted ends no reading of the others, and made anew is read`, async () => {
    const prefix = fresh('tenant')
    const [a, b] = [`${prefix}-a`, `${prefix}-b`]
    for (const topic of [a, b]) await createTopic(as(world, 'admin'), topic)
    await write(a, 'a1')
    await write(b, 'b1', 'b2')
    const readers: Reader[] = []
    try {
      for (const way of Object.keys(ways)) {
        const group = fresh('g')
        const pace = protocol === 'classic' ? { 'heartbeat.interval.ms': 200 } : {}
        if (protocol === 'consumer') await hurryGroup(group)
        const config = { ...as(world, 'admin'), ...pace, 'group.id': group, 'group.protocol': protocol }
        readers.push(read(way, config, consumer => consumer.subscribe(new RegExp(`^${prefix}-`))))
      }
      if (protocol === 'consumer') {
        const group = fresh('s')
        await hurryGroup(group)
        readers.push(share(as(world, 'admin'), group, [a, b]))
      }
      await until('both are read', readers, ({ seen }) => seen.length === 3)
      await admin.deleteTopics([b])
      await until('it is given up', readers, reader => reader.topics().join() === a)
      await write(a, 'a2')
      await until('the other is read on', readers, ({ seen }) => seen.includes('a2'))
      await createTopic(as(world, 'admin'), b)
      await write(b, 'b3', 'b4')
      await until('the new one is read from its start', readers, ({ seen }) => seen.includes('b4'))
      for (const { name, seen, errors } of readers) {
        assert.deepEqual([...seen].sort(), ['a1', 'a2', 'b1', 'b2', 'b3', 'b4'], name)
        // A broker may fail by itself while it deletes a topic; each kind of error is reported once.
        const kinds = new Set(errors.map(error => error.name))
        assert.equal(errors.length, kinds.size, `${name} was told ${errors.join('; ')}`)
        kinds.delete('ERR_UNKNOWN')
        assert.ok(kinds.size <= 1, `${name} was told ${errors.join('; ')}`)
      }
    } finally {
      await Promise.all(readers.map(reader => reader.close()))
    }
    await Promise.all(readers.map(({ reading }) => reading))
  })
}

const allow = (resourceType: 'topic' | 'group', name: string, operation: 'describe' | 'read'): AclBinding => ({
  resourceType,
  name,
  resourcePatternType: 'literal',
  principal: 'User:bob',
  host: '*',
  permissionType: 'allow',
  operation,
})

/** Each of them reads both topics, with a group of its own. */
async function everybody(topics: string[]): Promise<{ readers: Reader[]; groups: string[] }> {
  const bob = as(world, 'bob')
  const groups = ['classic', 'consumer', 'share', 'pattern'].map(fresh)
  const [classic = '', consumer = '', shared = '', pattern = ''] = groups
  for (const group of [consumer, shared]) await hurryGroup(group)
  await admin.createAcls(groups.map(group => allow('group', group, 'read')))
  const pace = { 'heartbeat.interval.ms': 200 }
  const assigned = topics.map(topic => ({ topic, partition: 0, offset: 0 }))
  const matching = new RegExp(`^(${topics.join('|')})$`)
  const readers = [
    read('poll', { ...bob, ...pace, 'group.id': classic }, each => each.subscribe(topics), 'classic'),
    read('for await', { ...bob, ...pace, 'group.id': pattern }, each => each.subscribe(matching), 'pattern'),
    read('poll', { ...bob, 'group.id': consumer, 'group.protocol': 'consumer' }, e => e.subscribe(topics), 'consumer'),
    read('poll', bob, each => each.assign(assigned), 'by hand'),
    share(bob, shared, topics),
  ]
  return { readers, groups }
}

test('A topic that may be seen and not read is told once, then rarely, holds up no other, and is read when it may be', async () => {
  const [dark, light] = [fresh('dark'), fresh('light')]
  for (const topic of [dark, light]) await createTopic(as(world, 'admin'), topic, { numPartitions: 6 })
  await admin.createAcls([allow('topic', dark, 'describe'), allow('topic', light, 'read')])
  await write(light, '1')
  await write(dark, '2')
  const { readers } = await everybody([dark, light])
  try {
    await until('it is told', readers, ({ errors }) => errors.length > 0)
    await until('the other is read', readers, ({ seen }) => seen.includes('1'))
    const before = readers.map(({ errors }) => errors.length)
    await sleep(3000)
    readers.forEach(({ name, errors }, i) => {
      const more = errors.length - (before[i] ?? 0)
      assert.ok(more <= 3, `${name} was told ${more} times in 3 s: ${errors.join('; ')}`)
      assert.ok(
        errors.every(error => error.name === 'ERR_TOPIC_AUTHORIZATION_FAILED'),
        `${name}: ${errors.join('; ')}`,
      )
    })
    await admin.createAcls([allow('topic', dark, 'read')])
    await until('it is read when it may be', readers, ({ seen }) => seen.includes('2'))
    for (const { name, seen } of readers) assert.deepEqual([...seen].sort(), ['1', '2'], name)
  } finally {
    await Promise.all(readers.map(reader => reader.close()))
  }
})

test('What is withdrawn while it is read and given back goes on where it was, and is told once, then rarely', async () => {
  const [kept, lent] = [fresh('kept'), fresh('lent')]
  for (const topic of [kept, lent]) await createTopic(as(world, 'admin'), topic)
  await admin.createAcls([
    allow('topic', lent, 'describe'),
    ...[kept, lent].map(topic => allow('topic', topic, 'read')),
  ])
  await write(kept, 'k1')
  await write(lent, '1', '2')
  const { readers } = await everybody([kept, lent])
  const filter = (name: string, operation: 'read') =>
    ({ resourceType: 'topic', name, resourcePatternType: 'literal', permissionType: 'any', operation }) as const
  try {
    await until('both are read', readers, ({ seen }) => seen.length === 3)
    await admin.deleteAcls([filter(lent, 'read')])
    await until('it is told', readers, ({ errors }) => errors.length > 0)
    await write(lent, '3')
    await write(kept, 'k2')
    await until('the other is read on', readers, ({ seen }) => seen.includes('k2'))
    await sleep(1000)
    for (const { name, errors } of readers) {
      assert.ok(errors.length <= 4, `${name}: ${errors.join('; ')}`)
      assert.ok(
        errors.every(error => error.name === 'ERR_TOPIC_AUTHORIZATION_FAILED'),
        `${name}: ${errors.join('; ')}`,
      )
    }
    await admin.createAcls([allow('topic', lent, 'read')])
    await write(lent, '4')
    await until('it is read on', readers, ({ seen }) => seen.includes('4'))
    for (const { name, seen } of readers) assert.deepEqual([...seen].sort(), ['1', '2', '3', '4', 'k1', 'k2'], name)
  } finally {
    await Promise.all(readers.map(reader => reader.close()))
  }
})
