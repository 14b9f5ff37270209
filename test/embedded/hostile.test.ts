/**
 * Brokers whose answers are changed on the way, at random but the same for the same seed: whatever they say, every
 * call comes to an end, nothing is thrown where nobody can catch it, and no memory is claimed for what is not there.
 */
import assert from 'node:assert/strict'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import {
  ApiVersions,
  DescribeCluster,
  DescribeConfigs,
  DescribeGroups,
  Fetch,
  FindCoordinator,
  FrameSplitter,
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
import { AdminClient, Consumer, KafkaError, Producer, type ClientConfig } from 'ottla'

// More of them, for an hour at it: OTTLA_FUZZ_RUNS=5000 OTTLA_FUZZ_SEED=1
const runs = Number(process.env['OTTLA_FUZZ_RUNS'] ?? 8)
const seed = Number(process.env['OTTLA_FUZZ_SEED'] ?? 8)

/** What happens to the bytes of one answer to a request of that API. */
type Harm = (answer: Buffer, apiKey: number) => Buffer

/** Passes requests on as they are, and answers as `harm` makes them. */
class Corruptor {
  harm: Harm = answer => answer
  readonly #sockets = new Set<Socket>()
  readonly #server: Server

  private constructor(target: number) {
    this.#server = createServer(client => {
      const broker = connect({ host: '127.0.0.1', port: target })
      const requests = new FrameSplitter(1e8)
      const answers = new FrameSplitter(1e8)
      // Answers come in the order of the requests.
      const apiKeys: number[] = []
      for (const socket of [client, broker]) {
        this.#sockets.add(socket)
        socket.on('error', () => undefined)
        socket.on('close', () => {
          this.#sockets.delete(socket)
          client.destroy()
          broker.destroy()
        })
      }
      client.on('data', chunk => {
        requests.push(chunk, request => apiKeys.push(request.readInt16BE(0)))
        broker.write(chunk)
      })
      broker.on('data', chunk =>
        answers.push(chunk, answer => {
          const size = Buffer.alloc(4)
          size.writeInt32BE(answer.length)
          client.write(this.harm(Buffer.concat([size, answer]), apiKeys.shift() ?? -1))
        }),
      )
    })
  }

  static async start(target: number): Promise<Corruptor> {
    const corruptor = new Corruptor(target)
    await new Promise<void>(resolve => corruptor.#server.listen(0, '127.0.0.1', resolve))
    return corruptor
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise(resolve => this.#server.close(resolve))
  }
}

/** Where a change is made, as a share of the answer's length, and what it is. */
interface Change {
  readonly kind: 'flip' | 'int8' | 'int16' | 'int32' | 'int64' | 'varint' | 'cut' | 'grow'
  readonly place: number
  readonly value: number
}

const telling = [0, 1, -1, 0x7f, 0x80, 0x7fff, -0x8000, 0x7fffffff, -0x80000000, 0x00ffffff]

const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom('flip', 'int8', 'int16', 'int32', 'int64', 'varint', 'cut', 'grow'),
  place: fc.nat(1000).map(n => n / 1000),
  value: fc.oneof(fc.constantFrom(...telling), fc.integer()),
})

/** Changes what follows the size and the correlation id, so that most of it gets to the decoders. */
function apply(answer: Buffer, { kind, place, value }: Change): Buffer {
  const bytes = Buffer.from(answer)
  const at = Math.min(bytes.length - 1, 8 + Math.floor(place * Math.max(0, bytes.length - 8)))
  const room = bytes.length - at
  switch (kind) {
    case 'flip':
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (value & 7))
      return bytes
    case 'int8':
      bytes[at] = value
      return bytes
    case 'int16':
      if (room >= 2) bytes.writeInt16BE((value << 16) >> 16, at)
      return bytes
    case 'int32':
      if (room >= 4) bytes.writeInt32BE(value, at)
      return bytes
    case 'int64':
      if (room >= 8) bytes.writeBigInt64BE(BigInt.asIntN(64, BigInt(value) * 0x1_0000_0001n), at)
      return bytes
    case 'varint':
      for (let i = 0; i < Math.min(4, room - 1); i++) bytes[at + i] = 0x80 | (value >>> (7 * i))
      return bytes
    case 'cut': {
      const shorter = bytes.subarray(0, at)
      if (shorter.length >= 4) shorter.writeInt32BE(shorter.length - 4, 0)
      return shorter
    }
    case 'grow':
      return Buffer.concat([bytes, bytes.subarray(at)])
    default:
      return kind satisfies never
  }
}

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

const quick: ClientConfig = {
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
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), harmed, async (changes, apiKey) => {
        corruptor.harm = (answer, key) => (key === apiKey ? changes.reduce(apply, answer) : answer)
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
