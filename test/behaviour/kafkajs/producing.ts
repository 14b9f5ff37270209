/** What kafkajs's specs ask of its producer (`src/producer`). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CompressionTypes,
  KafkaJSConnectionError,
  KafkaJSError,
  KafkaJSNonRetriableError,
  KafkaJSNumberOfRetriesExceeded,
  KafkaJSProtocolError,
  Partitioners,
  type PartitionerArgs,
  type ProducerRecord,
} from '@ottla/kafkajs'
import { Consumer, type Message } from 'ottla'
import { closing } from '../../harness/closing.ts'
import { fresh } from '../world.ts'
import { anything, facadeOf, messages, nextEvent, type PlainCluster, rejects, until } from './facade-world.ts'

const quiet = (): void => undefined
/** Whatever the types say. */

/** @param start a cluster of one broker */
export function producingScenarios(start: () => Promise<PlainCluster>): void {
  const facade = facadeOf(start)

  async function readAll(topic: string, count: number): Promise<Message[]> {
    const consumer = closing(
      new Consumer(
        { 'bootstrap.servers': facade.brokers, 'group.id': fresh('reader'), 'auto.offset.reset': 'earliest' },
        { logger: quiet },
      ),
    )
    consumer.subscribe(topic)
    const read: Message[] = []
    while (read.length < count) read.push(await consumer.readMessage(60_000))
    await consumer.close()
    return read
  }

  const entry = (topicName: string, partition: number, baseOffset: string): object => ({
    topicName,
    partition,
    errorCode: 0,
    baseOffset,
    logAppendTime: '-1',
    logStartOffset: '0',
  })

  test('what cannot be sent is refused before anything is sent', async () => {
    const producer = facade.producer()
    await rejects(producer.send(anything({ topic: null })), { message: 'Invalid topic' })
    await rejects(producer.send(anything({ topic: 't', messages: null })), {
      message: 'Invalid messages array [null] for topic "t"',
    })
    await rejects(producer.send(anything({ topic: 't', messages: [{ foo: 'bar' }] })), {
      name: 'KafkaJSNonRetriableError',
      message: 'Invalid message without value for topic "t": {"foo":"bar"}',
    })
    await rejects(producer.send({ topic: 't', messages: [], acks: 7 }), { message: /Invalid acks 7/ })
  })

  test('it sends only while it is connected', async () => {
    const producer = facade.producer()
    const record: ProducerRecord = { topic: 't', messages: messages(1) }
    await rejects(producer.send(record), { name: 'KafkaJSError', message: /The producer is disconnected/ })
    await producer.connect()
    const disconnecting = producer.disconnect()
    await rejects(producer.send(record), { name: 'KafkaJSNonRetriableError', message: /The producer is disconnecting/ })
    await disconnecting
    await rejects(producer.send(record), { message: /The producer is disconnected/ })
    // And again.
    await producer.connect()
    const topic = await facade.topic()
    assert.equal((await producer.send({ topic, messages: messages(1) })).length, 1)
  })

  test('its events: connect, requests, disconnect; other names are refused', async () => {
    const producer = facade.producer()
    assert.throws(() => producer.on(anything('NON_EXISTENT_EVENT'), quiet), {
      name: 'KafkaJSNonRetriableError',
      message: /Event name should be one of producer\.events\.CONNECT/,
    })
    const seen: string[] = []
    producer.on(producer.events.CONNECT, ({ type }) => seen.push(type))
    const remove = producer.on(producer.events.DISCONNECT, ({ type }) => seen.push(type))
    const request = nextEvent<{ type: string; payload: Record<string, unknown> }>(producer, producer.events.REQUEST)
    await producer.connect()
    const { type, payload } = await request
    assert.equal(type, 'producer.network.request')
    assert.equal(payload['apiName'], 'ApiVersions')
    assert.equal(payload['clientId'], 'kafkajs')
    assert.ok(facade.brokers.includes(payload['broker'] as string))
    for (const name of ['apiKey', 'apiVersion', 'correlationId', 'createdAt', 'sentAt', 'duration', 'size']) {
      assert.equal(typeof payload[name], 'number', name)
    }
    await producer.disconnect()
    assert.deepEqual(seen, ['producer.connect', 'producer.disconnect'])
    remove()
    await producer.connect()
    await producer.disconnect()
    assert.deepEqual(seen, ['producer.connect', 'producer.disconnect', 'producer.connect'])
  })

  test('a listener that throws harms nobody', async () => {
    const lines: string[] = []
    const kafka = facade.kafka({ logLevel: 1, logCreator: () => entry => lines.push(entry.log.message) })
    const producer = facade.producer({}, kafka)
    producer.on(producer.events.CONNECT, () => {
      throw new Error('no')
    })
    producer.on(producer.events.CONNECT, () => Promise.reject(new Error('later')) as unknown as void)
    await producer.connect()
    await until('both are logged', () => lines.length === 2)
    assert.deepEqual(lines, ['Failed to execute listener: no', 'Failed to execute listener: later'])
  })

  for (const idempotent of [false, true]) {
    const acks = idempotent ? -1 : 1
    const kind = idempotent ? 'idempotent' : 'plain'

    test(`send resolves with the offset of the first message of each partition: ${kind}`, async () => {
      const topic = await facade.topic(2)
      const producer = facade.producer({ idempotent })
      assert.equal(producer.isIdempotent(), idempotent)
      await producer.connect()
      const send = (): Promise<unknown> =>
        producer.send({
          topic,
          acks,
          messages: messages(10).map((message, i) => ({ ...message, partition: i < 4 ? 0 : 1 })),
        })
      assert.deepEqual(await send(), [entry(topic, 0, '0'), entry(topic, 1, '0')])
      assert.deepEqual(await send(), [entry(topic, 0, '4'), entry(topic, 1, '6')])
      assert.deepEqual(await producer.send({ topic, acks, messages: [] }), [])
      assert.deepEqual(await producer.sendBatch({ acks, topicMessages: [] }), [])
    })

    test(`sendBatch sends to several topics, and joins what is for one: ${kind}`, async () => {
      const [first, second] = [await facade.topic(), await facade.topic()]
      const producer = facade.producer({ idempotent })
      await producer.connect()
      const result = await producer.sendBatch({
        acks,
        topicMessages: [
          { topic: first, messages: messages(2, 'a') },
          { topic: second, messages: messages(1, 'b') },
          { topic: first, messages: messages(1, 'c') },
        ],
      })
      assert.deepEqual(result, [entry(first, 0, '0'), entry(second, 0, '0')])
      const read = await readAll(first, 3)
      assert.deepEqual(
        read.map(({ value }) => String(value)),
        ['a-0', 'a-1', 'c-0'],
      )
    })
  }

  test('an idempotent producer takes only acks=-1, and retries', async () => {
    const producer = facade.producer({ idempotent: true })
    await producer.connect()
    for (const acks of [0, 1]) {
      await rejects(producer.send({ topic: 't', acks, messages: messages(1) }), {
        name: 'KafkaJSNonRetriableError',
        message: /invalidates the idempotent producer's EoS guarantees/,
      })
    }
    const make = (): unknown => facade.kafka().producer({ idempotent: true, retry: { retries: 0 } })
    assert.throws(make, { name: 'KafkaJSNonRetriableError', message: /must allow retries/ })
  })

  test('acks=0 resolves with nothing', async () => {
    const topic = await facade.topic()
    const producer = facade.producer()
    await producer.connect()
    assert.deepEqual(await producer.send({ topic, acks: 0, messages: messages(10) }), [])
    assert.equal((await readAll(topic, 10)).length, 10)
  })

  test('keys, values, headers and times arrive as they were given', async () => {
    const topic = await facade.topic()
    const producer = facade.producer()
    await producer.connect()
    await producer.send({
      topic,
      messages: [
        { value: null },
        { key: null, value: Buffer.from([0, 255]) },
        { key: Buffer.from('k'), value: '', timestamp: '1700000000001' },
        {
          value: 'h',
          headers: { one: 'x', several: ['a', Buffer.from('b')], none: undefined, bytes: Buffer.from('c') },
        },
        // Whatever the types say, kafkajs writes other values as text.
        anything({ key: 7, value: 42, headers: { n: 1 } }),
      ],
    })
    const read = await readAll(topic, 5)
    assert.deepEqual(
      read.map(({ key, value }) => [key?.toString() ?? null, value?.toString('latin1') ?? null]),
      [
        [null, null],
        [null, '\0\xff'],
        ['k', ''],
        [null, 'h'],
        ['7', '42'],
      ],
    )
    assert.equal(read[2]?.timestamp, 1_700_000_000_001)
    const headers = read[3]?.headers.map(({ key, value }) => [key, value?.toString() ?? null])
    assert.deepEqual(headers, [
      ['one', 'x'],
      ['several', 'a'],
      ['several', 'b'],
      ['none', null],
      ['bytes', 'c'],
    ])
    assert.equal(read[4]?.headers[0]?.value?.toString(), '1')
  })

  test('every compression is built in', async () => {
    const topic = await facade.topic()
    const producer = facade.producer()
    await producer.connect()
    const types = [
      CompressionTypes.None,
      CompressionTypes.GZIP,
      CompressionTypes.Snappy,
      CompressionTypes.LZ4,
      CompressionTypes.ZSTD,
    ]
    for (const compression of types) {
      await producer.send({ topic, compression, messages: [{ value: String(compression).repeat(1000) }] })
    }
    const read = await readAll(topic, types.length)
    assert.deepEqual(
      read.map(({ value }) => value?.toString()),
      types.map(type => String(type).repeat(1000)),
    )
    await rejects(producer.send({ topic, compression: anything(9), messages: messages(1) }), /Unknown compression/)
  })

  test('the default partitioner puts keys where Java does, and deals the others out in turn', async () => {
    const topic = await facade.topic(3)
    const producer = facade.producer()
    await producer.connect()
    // By Kafka's DefaultPartitioner.
    const expected = { a: 0, b: 0, c: 2, 'key-1': 2, 'key-2': 0 }
    const choose = Partitioners.DefaultPartitioner()
    const partitionMetadata = [0, 1, 2].map(partitionId => ({
      partitionErrorCode: 0,
      partitionId,
      leader: 1,
      replicas: [1],
      isr: [1],
    }))
    for (const [key, partition] of Object.entries(expected)) {
      const chosen = choose({ topic, partitionMetadata, message: { key, value: '' } })
      const [result] = await producer.send({ topic, messages: [{ key, value: '' }] })
      assert.equal(result?.partition, chosen, key)
      assert.ok(partition >= 0)
    }
    const spread = await producer.send({ topic, messages: [{ value: '1' }, { value: '2' }, { value: '3' }] })
    assert.deepEqual(spread.map(({ partition }) => partition).sort(), [0, 1, 2])
    await producer.send({ topic, messages: [{ key: 'a', value: 'x', partition: 1 }] })
  })

  test('a partitioner of its own sees the partitions and the whole message', async () => {
    const topic = await facade.topic(4)
    const seen: PartitionerArgs[] = []
    const producer = facade.producer({
      createPartitioner: () => args => {
        seen.push(args)
        return 3
      },
    })
    await producer.connect()
    const message = { key: 'k', value: 'v', partition: 1, headers: { h: '1' } }
    const [result] = await producer.send({ topic, messages: [message] })
    assert.equal(result?.partition, 3)
    assert.equal(seen[0]?.topic, topic)
    assert.deepEqual(seen[0].message, message)
    assert.deepEqual(
      seen[0].partitionMetadata.map(({ partitionId }) => partitionId),
      [0, 1, 2, 3],
    )
    assert.ok(seen[0].partitionMetadata.every(({ leader, isr }) => leader >= 0 && isr.length === 1))
  })

  test('a partition that does not exist is an error, and no message is lost silently', async () => {
    const topic = await facade.topic(1)
    const producer = facade.producer({ retry: { retries: 0 } })
    await producer.connect()
    const sending = producer.send({ topic, messages: [{ value: 'x', partition: 5 }] })
    await rejects(sending, { name: /KafkaJS/, message: /partition 5|returned 5|partition/ })
  })

  test('a topic that does not exist is created, unless the producer may not', async () => {
    const topic = fresh('auto')
    const producer = facade.producer()
    await producer.connect()
    const [result] = await producer.send({ topic, messages: messages(1) })
    assert.equal(result?.baseOffset, '0')
    const careful = facade.producer({ allowAutoTopicCreation: false, retry: { retries: 1, initialRetryTime: 10 } })
    await careful.connect()
    await rejects(careful.send({ topic: fresh('missing'), messages: messages(1) }), (error: unknown) => {
      assert.ok(error instanceof KafkaJSNumberOfRetriesExceeded)
      assert.equal(error.retryCount, 1)
      assert.ok(error.cause instanceof KafkaJSProtocolError)
      assert.equal(error.cause.type, 'UNKNOWN_TOPIC_OR_PARTITION')
      assert.equal(error.cause.code, 3)
      return true
    })
  })

  test('an invalid topic name is refused, and the producer can still be used', async () => {
    const topic = await facade.topic()
    const producer = facade.producer()
    await producer.connect()
    await rejects(producer.send({ topic: `${topic}-abc)(*&^%`, messages: messages(1) }), {
      name: 'KafkaJSProtocolError',
      type: 'INVALID_TOPIC_EXCEPTION',
      code: 17,
      retriable: false,
    })
    assert.equal((await producer.send({ topic, messages: messages(1) })).length, 1)
  })

  test('concurrent sends of an idempotent producer are all written once', async () => {
    const topic = await facade.topic()
    const producer = facade.producer({ idempotent: true })
    await producer.connect()
    await Promise.all(messages(50).map(message => producer.send({ topic, messages: [message] })))
    const read = await readAll(topic, 50)
    assert.equal(new Set(read.map(({ value }) => String(value))).size, 50)
  })

  test('brokers may be a function; what is wrong with it is said', async () => {
    let calls = 0
    const brokers = (): Promise<string[]> => {
      calls++
      return Promise.resolve(facade.brokers)
    }
    const producer = facade.producer({}, facade.kafka({ brokers }))
    await producer.connect()
    assert.equal(calls, 1)
    const failing = async (given: unknown): Promise<unknown> =>
      facade
        .producer({}, facade.kafka({ brokers: anything(given), retry: { retries: 1, initialRetryTime: 5 } }))
        .connect()
    await rejects(
      failing(() => Promise.reject(new Error('discovery'))),
      { name: 'KafkaJSNumberOfRetriesExceeded', message: 'Failed to connect: "config.brokers" threw: discovery' },
    )
    await rejects(failing(undefined), { message: 'Failed to connect: brokers should not be null' })
    await rejects(failing([]), { message: 'Failed to connect: brokers array is empty' })
    await rejects(failing([7]), { message: 'Failed to connect: broker at index 0 is invalid "number"' })
  })

  test('connect rejects when no broker can be reached, and says why', async () => {
    const kafka = facade.kafka({
      brokers: ['127.0.0.1:1'],
      connectionTimeout: 100,
      retry: { retries: 2, initialRetryTime: 50 },
    })
    const producer = facade.producer({}, kafka)
    await rejects(producer.connect(), (error: unknown) => {
      assert.ok(error instanceof KafkaJSNumberOfRetriesExceeded)
      assert.ok(error instanceof KafkaJSNonRetriableError)
      assert.ok(error instanceof KafkaJSError)
      assert.ok(error.cause instanceof KafkaJSConnectionError)
      assert.equal(error.cause.code, 'ECONNREFUSED')
      assert.equal(error.cause.broker, '127.0.0.1:1')
      return true
    })
    await rejects(producer.send({ topic: 't', messages: messages(1) }), /disconnected/)
  })

  test('it gives access to its logger', () => {
    const lines: string[] = []
    const kafka = facade.kafka({
      logLevel: 4,
      logCreator: () => entry => lines.push(`${entry.namespace} ${entry.label}`),
    })
    const logger = facade.producer({}, kafka).logger()
    logger.info('one')
    logger.debug('two')
    logger.namespace('Mine').error('three')
    assert.deepEqual(lines, ['Producer INFO', 'Mine ERROR'])
  })
}
