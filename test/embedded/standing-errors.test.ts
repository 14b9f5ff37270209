/** Errors that last, and topics that go while others are read. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import {
  AdminClient,
  Consumer,
  KafkaError,
  Producer,
  ShareConsumer,
  type ConsumerConfig,
  type RebalanceEvent,
} from 'ottla'

const WAIT_MS = 20_000
const quiet = (): void => undefined
const allow = (resourceType: 'topic' | 'group', name: string, operation: 'describe' | 'read') =>
  ({
    resourceType,
    name,
    resourcePatternType: 'literal',
    principal: 'User:bob',
    host: '*',
    permissionType: 'allow',
    operation,
  }) as const

interface Read {
  readonly consumer: Consumer
  readonly seen: string[]
  readonly errors: KafkaError[]
  /** Rejects when the reading has ended with an error. */
  readonly reading: Promise<void>
}

/** What readMessage rejects with when there is nothing yet, and at the end. */
const patient = new Set(['ERR__TIMED_OUT', 'ERR__DESTROY', 'ERR__STATE'])

/** Every way of reading: until the consumer is closed. */
const ways: Readonly<Record<string, (consumer: Consumer, seen: string[]) => Promise<void>>> = {
  poll: async (consumer, seen) => {
    while (!consumer.closed) {
      const event = await consumer.poll(50)
      if (event?.type === 'message') seen.push(String(event.message.value))
    }
  },
  readMessage: async (consumer, seen) => {
    while (!consumer.closed) {
      try {
        seen.push(String((await consumer.readMessage(50)).value))
      } catch (error) {
        if (!(error instanceof KafkaError) || !patient.has(error.name)) throw error
      }
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
      streams.push(
        (async () => {
          for await (const { value } of stream) seen.push(String(value))
        })(),
      )
    }
    await Promise.all(streams)
  },
  run: consumerRun,
}

async function consumerRun(consumer: Consumer, seen: string[]): Promise<void> {
  await consumer.run({ handler: ({ value }) => void seen.push(String(value)) })
}

function settings(cluster: EmbeddedCluster, config: Partial<ConsumerConfig> = {}): ConsumerConfig {
  return {
    'bootstrap.servers': cluster.bootstrapServers,
    'group.id': 'g',
    'auto.offset.reset': 'earliest',
    'fetch.wait.max.ms': 20,
    'retry.backoff.ms': 10,
    'retry.backoff.max.ms': 50,
    'topic.metadata.refresh.interval.ms': 100,
    'topic.metadata.refresh.fast.interval.ms': 20,
    ...(config['group.protocol'] === 'consumer' ? {} : { 'heartbeat.interval.ms': 50 }),
    ...config,
  }
}

async function until(what: string, done: () => boolean, failed: Promise<unknown>): Promise<void> {
  const deadline = performance.now() + WAIT_MS
  while (!done()) {
    assert.ok(performance.now() < deadline, `never: ${what}`)
    await Promise.race([new Promise(resolve => setTimeout(resolve, 10)), failed])
  }
}

async function withCluster(
  work: (parts: {
    cluster: EmbeddedCluster
    admin: AdminClient
    write: (topic: string, value: string) => Promise<void>
  }) => Promise<void>,
): Promise<void> {
  await using cluster = await EmbeddedCluster.start({ autoCreateTopics: false })
  await using admin = new AdminClient({ 'bootstrap.servers': cluster.bootstrapServers }, { logger: quiet })
  await using producer = new Producer(
    { 'bootstrap.servers': cluster.bootstrapServers, 'linger.ms': 0, 'topic.metadata.refresh.fast.interval.ms': 20 },
    { logger: quiet },
  )
  const write = async (topic: string, value: string): Promise<void> => {
    await producer.send({ topic, partition: 0, value })
  }
  await work({ cluster, admin, write })
}

function begin(
  cluster: EmbeddedCluster,
  way: string,
  config: Partial<ConsumerConfig>,
  start: (consumer: Consumer) => unknown,
): Read {
  const consumer = new Consumer(settings(cluster, config), { logger: quiet })
  const errors: KafkaError[] = []
  consumer.on('error', ({ error }) => void errors.push(error))
  const seen: string[] = []
  const read = ways[way]
  assert.ok(read !== undefined)
  const reading = Promise.resolve(start(consumer)).then(() => read(consumer, seen))
  // Looked at by whoever waits.
  reading.catch(quiet)
  return { consumer, seen, errors, reading }
}

const subscriptions: Readonly<Record<string, (consumer: Consumer) => unknown>> = {
  'a pattern': consumer => consumer.subscribe(/^tenant-/),
  'a pattern of JavaScript alone': consumer => consumer.subscribe(/^tenant-(?!x)/),
  'several names': consumer => consumer.subscribe(['tenant-a', 'tenant-b']),
  'partitions by hand': consumer =>
    consumer.assign([
      { topic: 'tenant-a', partition: 0, offset: 0 },
      { topic: 'tenant-b', partition: 0, offset: 0 },
    ]),
}

for (const protocol of ['classic', 'consumer'] as const) {
  for (const [what, start] of Object.entries(subscriptions)) {
    for (const way of Object.keys(ways)) {
      if (protocol === 'consumer' && what === 'partitions by hand') continue
      test(`${protocol}, ${what}, ${way}: a topic that is deleted ends no reading of the others, and made anew it is read from its start`, () =>
        withCluster(async ({ cluster, admin, write }) => {
          for (const topic of ['tenant-a', 'tenant-b'])
            cluster.createTopic(topic, { partitions: 1, replicationFactor: 1 })
          if (protocol === 'consumer') {
            const entries = [{ name: 'consumer.heartbeat.interval.ms', value: '50', operation: 'set' }] as const
            await admin.incrementalAlterConfigs([{ type: 'group', name: 'g', entries }])
          }
          await write('tenant-a', 'a1')
          for (const value of ['b1', 'b2']) await write('tenant-b', value)
          const { consumer, seen, errors, reading } = begin(cluster, way, { 'group.protocol': protocol }, start)
          try {
            await until('both are read', () => seen.length === 3, reading)
            await admin.deleteTopics(['tenant-b'])
            if (what === 'partitions by hand') await until('it is told', () => errors.length > 0, reading)
            else
              await until(
                'it is given up',
                () => consumer.assignment().every(({ topic }) => topic === 'tenant-a'),
                reading,
              )
            await write('tenant-a', 'a2')
            await until('the other is read on', () => seen.includes('a2'), reading)
            cluster.createTopic('tenant-b', { partitions: 1, replicationFactor: 1 })
            for (const value of ['b3', 'b4', 'b5']) await write('tenant-b', value)
            await until('the new one is read from its start', () => seen.includes('b5'), reading)
            await write('tenant-a', 'a3')
            await until('and the other', () => seen.includes('a3'), reading)
            assert.deepEqual([...seen].sort(), ['a1', 'a2', 'a3', 'b1', 'b2', 'b3', 'b4', 'b5'])
            assert.ok(errors.length <= 1, `told ${errors.map(({ message }) => message).join('; ')}`)
          } finally {
            await consumer.close()
          }
          await reading
        }))
    }
  }
}

test('a topic that is deleted and made anew between two looks is another one, whatever its length', () =>
  withCluster(async ({ cluster, admin, write }) => {
    cluster.createTopic('t', { partitions: 1, replicationFactor: 1 })
    for (const value of ['1', '2']) await write('t', value)
    const consumer = new Consumer(
      settings(cluster, { 'topic.metadata.refresh.interval.ms': 500, 'enable.auto.commit': false }),
      { logger: quiet },
    )
    try {
      await consumer.assign([{ topic: 't', partition: 0, offset: 0 }])
      for (const value of ['1', '2']) assert.equal(String((await consumer.readMessage(WAIT_MS)).value), value)
      await admin.deleteTopics(['t'])
      cluster.createTopic('t', { partitions: 1, replicationFactor: 1 })
      for (const value of ['3', '4', '5']) await write('t', value)
      const seen: string[] = []
      while (seen.at(-1) !== '5') {
        const event = await consumer.poll(WAIT_MS)
        if (event?.type === 'message') seen.push(String(event.message.value))
      }
      assert.deepEqual(seen, ['3', '4', '5'])
    } finally {
      await consumer.close()
    }
  }))

test('a pattern that finds nothing ends no reading, then or when something comes', () =>
  withCluster(async ({ cluster, admin, write }) => {
    const { consumer, seen, reading } = begin(cluster, 'for await', {}, each => each.subscribe(/^tenant-/))
    try {
      for (const value of ['1', '2']) {
        cluster.createTopic('tenant-a', { partitions: 1, replicationFactor: 1 })
        await write('tenant-a', value)
        await until('it is read', () => seen.includes(value), reading)
        await admin.deleteTopics(['tenant-a'])
        await until('it is given up', () => consumer.assignment().length === 0, reading)
      }
    } finally {
      await consumer.close()
    }
  }))

test('a reader whose only topics are not there is told so', () =>
  withCluster(async ({ cluster }) => {
    const { consumer, reading } = begin(cluster, 'for await', {}, each => each.subscribe(['no-such', 'nor-this']))
    await assert.rejects(reading, { name: 'ERR_UNKNOWN_TOPIC_OR_PART' })
    await consumer.close()
  }))

test('a share consumer reads on when one of its topics is deleted', () =>
  withCluster(async ({ cluster, admin, write }) => {
    for (const topic of ['tenant-a', 'tenant-b']) cluster.createTopic(topic, { partitions: 1, replicationFactor: 1 })
    const entries = (['heartbeat.interval.ms', 'auto.offset.reset'] as const).map(
      name =>
        ({ name: `share.${name}`, value: name === 'auto.offset.reset' ? 'earliest' : '50', operation: 'set' }) as const,
    )
    await admin.incrementalAlterConfigs([{ type: 'group', name: 'g', entries }])
    const consumer = new ShareConsumer(
      {
        'bootstrap.servers': cluster.bootstrapServers,
        'group.id': 'g',
        'fetch.wait.max.ms': 20,
        'topic.metadata.refresh.interval.ms': 100,
      },
      { logger: quiet },
    )
    consumer.subscribe(['tenant-a', 'tenant-b'])
    const seen: string[] = []
    const reading = (async () => {
      for await (const { value } of consumer) seen.push(String(value))
    })()
    reading.catch(quiet)
    try {
      await write('tenant-a', 'a1')
      await write('tenant-b', 'b1')
      await until('both are read', () => seen.length === 2, reading)
      await admin.deleteTopics(['tenant-b'])
      await until('it is given up', () => consumer.assignment().length === 1, reading)
      await write('tenant-a', 'a2')
      await until('the other is read on', () => seen.includes('a2'), reading)
    } finally {
      await consumer.close()
    }
    await reading
  }))

async function secured(
  work: (parts: {
    cluster: EmbeddedCluster
    admin: AdminClient
    write: (topic: string, value: string) => Promise<void>
    login: Partial<ConsumerConfig>
  }) => Promise<void>,
): Promise<void> {
  await using cluster = await EmbeddedCluster.start({
    brokers: 2,
    sasl: { mechanisms: ['PLAIN'], users: { admin: 'a', bob: 'b' } },
    superUsers: ['admin'],
    acls: [allow('topic', 'dark', 'describe'), allow('topic', 'light', 'read'), allow('group', 'g', 'read')],
  })
  for (const topic of ['dark', 'light']) cluster.createTopic(topic, { partitions: 20, replicationFactor: 1 })
  const as = (name: string, password: string) => ({
    'bootstrap.servers': cluster.bootstrapServers,
    'security.protocol': 'sasl_plaintext' as const,
    'sasl.mechanisms': 'PLAIN',
    'sasl.username': name,
    'sasl.password': password,
  })
  await using admin = new AdminClient(as('admin', 'a'), { logger: quiet })
  await using producer = new Producer({ ...as('admin', 'a'), 'linger.ms': 0 }, { logger: quiet })
  const write = async (topic: string, value: string): Promise<void> => {
    await producer.send({ topic, partition: 0, value })
  }
  const { 'bootstrap.servers': _, ...login } = as('bob', 'b')
  await work({ cluster, admin, write, login })
}

for (const way of Object.keys(ways)) {
  test(`${way}: a topic that may be seen and not read is told rarely, costs few requests, and holds up no other`, () =>
    secured(async ({ cluster, admin, write, login }) => {
      await write('light', '1')
      const { consumer, seen, errors, reading } = begin(
        cluster,
        way,
        { ...login, 'retry.backoff.ms': 100, 'retry.backoff.max.ms': 1000, 'fetch.wait.max.ms': 500 },
        each => each.subscribe(['dark', 'light']),
      )
      try {
        await until('it is told', () => errors.length > 0, reading)
        await until('the other is read', () => seen.includes('1'), reading)
        cluster.requests('start')
        const before = errors.length
        await new Promise(resolve => setTimeout(resolve, 2500))
        const fetches = cluster.requests('stop').filter(({ apiName }) => apiName === 'Fetch').length
        assert.ok(errors.length - before <= 2, `told ${errors.length - before} times in 2.5 s`)
        assert.ok(fetches <= 60, `${fetches} fetches in 2.5 s`)
        await write('dark', '2')
        await admin.createAcls([allow('topic', 'dark', 'read')])
        await until('it is read when it may be', () => seen.includes('2'), reading)
      } finally {
        await consumer.close()
      }
      await reading
    }))
}

test('a reader of nothing but a topic that it may not read is told so', () =>
  secured(async ({ cluster, login }) => {
    const { consumer, errors, reading } = begin(cluster, 'for await', login, each => each.subscribe('dark'))
    try {
      await assert.rejects(reading, { name: 'ERR_TOPIC_AUTHORIZATION_FAILED' })
      assert.equal(errors.length, 1)
    } finally {
      await consumer.close()
    }
  }))

for (const strategy of ['range', 'roundrobin', 'cooperative-sticky', 'consumer'] as const) {
  test(`${strategy}: a program that does not poll is told once, and again when it happens again`, () =>
    withCluster(async ({ cluster }) => {
      cluster.createTopic('t', { partitions: 2, replicationFactor: 1 })
      const consumer = new Consumer(
        settings(cluster, {
          'max.poll.interval.ms': 500,
          ...(strategy === 'consumer'
            ? { 'group.protocol': 'consumer' }
            : { 'partition.assignment.strategy': strategy, 'session.timeout.ms': 500 }),
        }),
        { logger: quiet },
      )
      const heard: string[] = []
      consumer.on('error', ({ error }) => void heard.push(error.name))
      consumer.subscribe('t', ({ type, partitions }: RebalanceEvent) => void heard.push(`${type} ${partitions.length}`))
      const polled = async (): Promise<void> => {
        const deadline = performance.now() + WAIT_MS
        while (consumer.assignment().length < 2 || heard.at(-1) !== 'assign 2') {
          assert.ok(performance.now() < deadline, heard.join(', '))
          await consumer.poll(20)
        }
      }
      try {
        await polled()
        for (let round = 0; round < 2; round++) {
          heard.length = 0
          await new Promise(resolve => setTimeout(resolve, 2500))
          await polled()
          assert.deepEqual(heard, ['ERR__MAX_POLL_EXCEEDED', 'lost 2', 'assign 2'])
        }
      } finally {
        await consumer.close()
      }
    }))
}

test('a member of a share group that does not poll is told once, and again when it happens again', () =>
  withCluster(async ({ cluster }) => {
    cluster.createTopic('t', { partitions: 1, replicationFactor: 1 })
    const consumer = new ShareConsumer(
      { 'bootstrap.servers': cluster.bootstrapServers, 'group.id': 'g', 'max.poll.interval.ms': 500 },
      { logger: quiet },
    )
    const heard: string[] = []
    consumer.on('error', ({ error }) => void heard.push(error.name))
    consumer.subscribe('t')
    try {
      for (let round = 0; round < 2; round++) {
        const deadline = performance.now() + WAIT_MS
        while (consumer.assignment().length === 0) {
          assert.ok(performance.now() < deadline)
          await consumer.poll(20)
        }
        heard.length = 0
        await new Promise(resolve => setTimeout(resolve, 2500))
        assert.deepEqual(heard, ['ERR__MAX_POLL_EXCEEDED'])
        await consumer.poll(20)
      }
    } finally {
      await consumer.close()
    }
  }))
