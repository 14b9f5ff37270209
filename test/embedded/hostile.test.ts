/**
 * Brokers whose answers are changed on the way, at random but the same for the same seed: whatever they say, every
 * call comes to an end, nothing is thrown where nobody can catch it, and no memory is claimed for what is not there.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import {
  ApiVersions,
  DescribeCluster,
  DescribeConfigs,
  DescribeGroups,
  Fetch,
  FindCoordinator,
  Heartbeat,
  InitProducerId,
  JoinGroup,
  ListGroups,
  ListOffsets,
  Metadata,
  OffsetCommit,
  OffsetFetch,
  Produce,
  SaslAuthenticate,
  SaslHandshake,
  SyncGroup,
} from '@ottla/protocol'
import fc from 'fast-check'
import {
  AdminClient,
  Consumer,
  KafkaError,
  Producer,
  type ClientConfig,
  type ConsumerConfig,
  type ProducerConfig,
} from 'ottla'
import { changed, changes as anyChanges, Corruptor } from '../harness/corruptor.ts'

// More of them, for an hour at it: OTTLA_FUZZ_RUNS=5000 OTTLA_FUZZ_SEED=1
const runs = Number(process.env['OTTLA_FUZZ_RUNS'] ?? 8)
const seed = Number(process.env['OTTLA_FUZZ_SEED'] ?? 8)

// What the clients below ask for.
const harmed = fc
  .constantFrom(
    ...[Produce, Fetch, ListOffsets, Metadata, OffsetCommit, OffsetFetch, FindCoordinator, JoinGroup, Heartbeat],
    ...[
      SyncGroup,
      DescribeGroups,
      ListGroups,
      ApiVersions,
      InitProducerId,
      DescribeConfigs,
      DescribeCluster,
      SaslHandshake,
      SaslAuthenticate,
    ],
  )
  .map(api => api.key)

let cluster: EmbeddedCluster
let corruptor: Corruptor
const uncaught: unknown[] = []
const onUncaught = (error: unknown): void => {
  uncaught.push(error)
}

before(async () => {
  const users = { alice: 'secret' }
  cluster = await EmbeddedCluster.start({ sasl: { mechanisms: ['SCRAM-SHA-256'], users } })
  cluster.createTopic('t', { partitions: 2 })
  const producer = new Producer({ ...access(cluster.bootstrapServers), 'compression.codec': 'gzip' })
  await producer.sendBatch(Array.from({ length: 200 }, (_, i) => ({ topic: 't', value: `${i}`, headers: { h: 'x' } })))
  await producer.close()
  corruptor = await Corruptor.start(Number(cluster.bootstrapServers.split(':')[1]))
  process.on('unhandledRejection', onUncaught)
  process.on('uncaughtException', onUncaught)
})

after(async () => {
  process.off('unhandledRejection', onUncaught)
  process.off('uncaughtException', onUncaught)
  await corruptor.close()
  await cluster.close()
})

function access(bootstrapServers: string): ClientConfig {
  return {
    'bootstrap.servers': bootstrapServers,
    'security.protocol': 'sasl_plaintext',
    'sasl.mechanisms': 'SCRAM-SHA-256',
    'sasl.username': 'alice',
    'sasl.password': 'secret',
  }
}

const quick: Partial<ConsumerConfig & ProducerConfig> = {
  'socket.timeout.ms': 1000,
  'socket.connection.setup.timeout.ms': 1000,
  'reconnect.backoff.ms': 5,
  'reconnect.backoff.max.ms': 20,
  'retry.backoff.ms': 5,
  'retry.backoff.max.ms': 20,
  'message.timeout.ms': 400,
  'fetch.wait.max.ms': 20,
  'fetch.error.backoff.ms': 5,
  'enable.idempotence': true,
}

/** Uses the cluster for a moment, through whatever is between; resolves when all of it is over. */
async function use(config: ClientConfig): Promise<void> {
  const options = { logger: () => undefined }
  const told = (error: unknown): void => {
    // A signal's or a time-out's; never a TypeError or a RangeError from within.
    assert.ok(error instanceof KafkaError, error instanceof Error ? error.stack : String(error))
  }
  const producer = new Producer(config, options)
  const consumer = new Consumer({ ...config, 'group.id': 'g', 'auto.offset.reset': 'earliest' }, options)
  const admin = new AdminClient(config, options)
  const limits = { requestTimeoutMs: 300 }
  const member = new Consumer({ ...config, 'group.id': 'members', 'session.timeout.ms': 6000 }, options)
  const joining = async (): Promise<void> => {
    member.subscribe(['t'])
    for (let i = 0; i < 20; i++) await member.poll(20)
    await member.commit()
  }
  const reading = async (): Promise<void> => {
    await consumer.assign([0, 1].map(partition => ({ topic: 't', partition, offset: 0 })))
    for (let i = 0; i < 50; i++) await consumer.poll(10)
  }
  const everything = [
    producer.send({ topic: 't', value: 'x' }),
    producer.getMetadata({ timeoutMs: 300 }),
    reading(),
    joining(),
    consumer.queryWatermarkOffsets('t', 0, 300),
    consumer.committed([{ topic: 't', partition: 0 }], 300),
    admin.describeCluster(limits),
    admin.describeTopics(['t'], limits),
    admin.describeConfigs([{ type: 'topic', name: 't' }], limits),
    admin.listConsumerGroups(limits),
    admin.describeConsumerGroups(['g'], limits),
  ]
  for (const outcome of await Promise.allSettled(everything)) {
    if (outcome.status === 'rejected') told(outcome.reason)
  }
  await Promise.all(
    [producer.close(100), consumer.close(100), member.close(100), admin.close()].map(each => each.catch(told)),
  )
}

test(
  'answers with changed bytes end in answers or in errors, for every kind of client',
  { timeout: 60_000 + runs * 3000 },
  async () => {
    const before = process.memoryUsage()
    await fc.assert(
      fc.asyncProperty(anyChanges, harmed, async (changes, apiKey) => {
        corruptor.harm = (answer, key) => (key === apiKey ? changed(answer, changes) : answer)
        await use({ ...access(corruptor.address), ...quick })
        assert.deepEqual(uncaught, [])
      }),
      { numRuns: runs, seed, endOnFailure: true },
    )
    const grown = process.memoryUsage().rss - before.rss
    assert.ok(grown < 300e6, `the process grew by ${Math.round(grown / 1e6)} MB`)
  },
)

test('a batch that would grow beyond receive.message.max.bytes is refused, whatever its codec, and the rest is read', async () => {
  for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
    const topic = `bomb-${codec}`
    cluster.createTopic(topic, { partitions: 2 })
    const producer = new Producer({
      ...access(cluster.bootstrapServers),
      'compression.codec': codec,
      'message.max.bytes': 8_000_000,
    })
    await producer.send({ topic, partition: 0, value: Buffer.alloc(5_000_000) })
    await producer.send({ topic, partition: 1, value: 'harmless' })
    await producer.close()
    const consumer = new Consumer(
      {
        ...access(cluster.bootstrapServers),
        'group.id': topic,
        'fetch.max.bytes': 1_000_000,
        'receive.message.max.bytes': 1_000_512,
      },
      { logger: () => undefined },
    )
    const refusal = new Promise<KafkaError>(resolve => consumer.on('error', ({ error }) => resolve(error)))
    await consumer.assign([0, 1].map(partition => ({ topic, partition, offset: 0 })))
    assert.equal(String((await consumer.readMessage(10_000)).value), 'harmless')
    // The bomb's turn comes when the program asks for more.
    const more = consumer.readMessage(10_000).catch(() => undefined)
    const error = await refusal
    assert.equal(error.name, 'ERR__BAD_MSG')
    assert.match(error.message, new RegExp(`${topic} \\[0\\] cannot be read from offset 0 on: .*(more than|limit)`))
    await consumer.close()
    await more
  }
})
