/** What node-rdkafka's specs ask of its producers (`e2e/producer.spec.js`, `test/producer*`). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CODES,
  HighLevelProducer,
  KafkaConsumer,
  Producer,
  type DeliveryReport,
  type LibrdKafkaError,
  type Metadata,
  type ReadyInfo,
} from '@ottla/node-rdkafka'
import {
  anything,
  asError,
  called,
  connected,
  disconnected,
  disconnecting,
  nextEvent,
  rdkafkaWorldOf,
  readMessages,
  refused,
  textOf,
  type PlainCluster,
} from './rdkafka-world.ts'

type Reported = [error: LibrdKafkaError | null, report: DeliveryReport]

/** @param start a cluster of one broker */
export function producingScenarios(start: () => Promise<PlainCluster>): void {
  const world = rdkafkaWorldOf(start)

  const reportOf = (producer: Producer): Promise<Reported> => nextEvent<Reported>(producer, 'delivery-report')

  test('connecting brings metadata, ready and the callback', async () => {
    const producer = world.producer({ 'client.id': 'kafka-test' })
    const ready = nextEvent<[ReadyInfo, Metadata]>(producer, 'ready')
    assert.equal(producer.isConnected(), false)
    assert.equal(producer.connectedTime(), 0)
    const metadata = await called<Metadata>(done => producer.connect({}, done))
    const [{ name }, readyMetadata] = await ready
    assert.match(name, /^kafka-test#producer-\d+$/)
    assert.deepEqual(readyMetadata, metadata)
    assert.match(metadata.orig_broker_name, /^[^:]+:\d+\/\d+$/)
    assert.equal(typeof metadata.orig_broker_id, 'number')
    assert.ok(Array.isArray(metadata.topics))
    const [broker] = metadata.brokers
    assert.deepEqual(Object.keys(broker ?? {}), ['id', 'host', 'port'])
    assert.equal(producer.isConnected(), true)
    assert.ok(producer.connectedTime() >= 0)
    // Once more is no harm.
    assert.equal((await called<Metadata>(done => producer.connect(undefined, done))).brokers.length, 1)
  })

  test('metadata of all topics, and of one', async () => {
    const topic = await world.topic(2)
    const producer = await connected(world.producer())
    const all = await called<Metadata>(done => producer.getMetadata({}, done))
    assert.ok(all.topics.some(({ name }) => name === topic))
    const one = await called<Metadata>(done => producer.getMetadata({ topic, allTopics: false, timeout: 10_000 }, done))
    const [broker] = one.brokers
    const partition = { leader: broker?.id, replicas: [broker?.id], isrs: [broker?.id] }
    assert.deepEqual(one.topics, [
      {
        name: topic,
        partitions: [
          { id: 0, ...partition },
          { id: 1, ...partition },
        ],
      },
    ])
  })

  test('dr_cb: reports have keys and no values', async () => {
    const topic = await world.topic()
    const producer = await connected(world.producer({ dr_cb: true }))
    const report = reportOf(producer)
    assert.equal(producer.produce(topic, null, Buffer.from('value'), 'key', 1_700_000_000_000, { any: 'thing' }), true)
    assert.equal(producer.poll(), producer)
    const [error, given] = await report
    assert.equal(error, null)
    assert.deepEqual(given, {
      topic,
      partition: 0,
      offset: 0,
      key: Buffer.from('key'),
      opaque: { any: 'thing' },
      timestamp: 1_700_000_000_000,
      size: 5,
    })
  })

  test('dr_msg_cb: reports have values, empty and absent ones too', async () => {
    const topic = await world.topic()
    const producer = await connected(world.producer({ dr_msg_cb: true }))
    const send = async (value: Buffer | null, key: Buffer | string | null): Promise<DeliveryReport> => {
      const report = reportOf(producer)
      producer.produce(topic, 0, value, key)
      return (await report)[1]
    }
    const full = await send(Buffer.from('hai'), Buffer.from('key\0s'))
    assert.deepEqual([full.value, full.key, full.size], [Buffer.from('hai'), Buffer.from('key\0s'), 3])
    const empty = await send(Buffer.from(''), '')
    assert.deepEqual([empty.value, empty.key, empty.size], [Buffer.alloc(0), Buffer.alloc(0), 0])
    const none = await send(null, null)
    assert.deepEqual([none.value, none.key, none.size], [null, null, 0])
    assert.deepEqual(
      [full.offset, empty.offset, none.offset].map(offset => typeof offset),
      ['number', 'number', 'number'],
    )
  })

  test('dr_cb as a function is a listener', async () => {
    const topic = await world.topic()
    const reports: Reported[] = []
    const producer = await connected(world.producer({ dr_cb: (...values: Reported) => reports.push(values) }))
    producer.produce(topic, null, Buffer.from('value'))
    await called<void>(done => producer.flush(10_000, done))
    assert.deepEqual(
      reports.map(([error, report]) => [error, report.topic]),
      [[null, topic]],
    )
  })

  test('all of 10,000 messages are reported, in order', async () => {
    const topic = await world.topic()
    const producer = await connected(world.producer({ dr_cb: true }))
    const offsets: number[] = []
    const all = new Promise<void>((resolve, reject) => {
      producer.on('delivery-report', (error, report) => {
        // Whatever its type says: null if it was delivered.
        if ((error as LibrdKafkaError | null) !== null) reject(asError(error))
        offsets.push(report.offset)
        if (offsets.length === 10_000) resolve()
      })
    })
    for (let i = 0; i < 10_000; i++) producer.produce(topic, null, Buffer.from(`message ${i}`), null)
    await all
    assert.deepEqual(
      offsets,
      offsets.map((_, i) => i),
    )
  })

  test('a message that cannot be delivered is reported with its error', async () => {
    const producer = await connected(world.producer({ dr_cb: true }, { 'message.timeout.ms': 60_000 }))
    const topic = await world.topic()
    const report = reportOf(producer)
    producer.produce(topic, 7, Buffer.from('value'), 'key', null, 42)
    const [error, given] = await report
    assert.ok(error instanceof Error)
    assert.equal(error.code, CODES.ERRORS.ERR__UNKNOWN_PARTITION)
    assert.equal(error.errno, error.code)
    assert.equal(error.origin, 'local')
    assert.match(error.message, /^Local: /)
    assert.deepEqual([given.topic, given.partition, given.opaque, given.size], [topic, 7, 42, 5])
    assert.ok(given.offset < 0)
  })

  test('what is no message is refused at once', async () => {
    const topic = await world.topic()
    const producer = world.producer()
    assert.throws(() => producer.produce(topic, null, Buffer.from('x')), { message: 'Producer not connected' })
    assert.throws(() => producer.poll(), { code: CODES.ERRORS.ERR__STATE })
    await connected(producer)
    assert.throws(() => producer.produce(anything(null), null, Buffer.from('x')), { name: 'TypeError' })
    assert.throws(() => producer.produce(topic, null, anything('text')), {
      message: 'Message must be a buffer or null',
    })
    assert.throws(() => producer.produce(topic, null, anything(undefined)), { message: /buffer or null/ })
    assert.throws(() => producer.produce(topic, null, null, null, anything('now')), { message: /Timestamp/ })
    assert.throws(() => producer.produce(topic, null, Buffer.alloc(2_000_000)), {
      code: CODES.ERRORS.ERR_MSG_SIZE_TOO_LARGE,
    })
  })

  test('a full queue is an error, and has room again after a report', async () => {
    const topic = await world.topic()
    const producer = await connected(
      world.producer({ dr_cb: true, 'queue.buffering.max.messages': 2, 'queue.buffering.max.ms': 60_000 }),
    )
    producer.produce(topic, null, Buffer.from('1'))
    producer.produce(topic, null, Buffer.from('2'))
    assert.throws(() => producer.produce(topic, null, Buffer.from('3')), { code: CODES.ERRORS.ERR__QUEUE_FULL })
    await called<void>(done => producer.flush(10_000, done))
    producer.produce(topic, null, Buffer.from('3'))
    await called<void>(done => producer.flush(10_000, done))
  })

  test('flush says when its time is over', async () => {
    const topic = await world.topic()
    const producer = await connected(world.producer({ dr_cb: true }))
    producer.produce(topic, null, Buffer.from('x'))
    const error = await refused(done => producer.flush(0, done))
    assert.equal(error.code, CODES.ERRORS.ERR__TIMED_OUT)
  })

  test('disconnect delivers what is queued, then says so; and it can connect again', async () => {
    const topic = await world.topic()
    const producer = await connected(world.producer({ dr_cb: true, 'queue.buffering.max.ms': 60_000 }))
    const report = reportOf(producer)
    const event = nextEvent<[{ connectionOpened: number }]>(producer, 'disconnected')
    producer.produce(topic, null, Buffer.from('last'))
    await disconnected(producer)
    assert.equal((await report)[0], null)
    assert.ok((await event)[0].connectionOpened <= Date.now())
    assert.equal(producer.isConnected(), false)
    await connected(producer)
    producer.produce(topic, null, Buffer.from('first'))
    await called<void>(done => producer.flush(10_000, done))
    // Every call of disconnect is answered, the second one too.
    await Promise.all([disconnected(producer), disconnected(producer)])
    await disconnected(producer)
  })

  test('partitions: given, the default of the configuration, or chosen by partitioner_cb', async () => {
    const topic = await world.topic(4)
    const partitionOf = async (producer: Producer, given: number | null, key?: string): Promise<number> => {
      const report = reportOf(producer)
      producer.produce(topic, given, Buffer.from('x'), key)
      return (await report)[1].partition
    }
    const fixed = await connected(world.producer(anything({ dr_cb: true, partition: 2 })))
    assert.equal(await partitionOf(fixed, null), 2)
    assert.equal(await partitionOf(fixed, 3), 3)
    const seen: unknown[][] = []
    const partitioner = (...given: unknown[]): number => {
      seen.push(given)
      return 1
    }
    const chosen = await connected(world.producer({ dr_cb: true }, { partitioner_cb: partitioner }))
    assert.equal(await partitionOf(chosen, -1, 'key'), 1)
    assert.deepEqual(seen, [[topic, 'key', 4]])
  })

  test('high-level: a callback for each message, with its offset', async () => {
    const topic = await world.topic()
    const producer = await connected(world.highLevelProducer())
    const send = (value: string): Promise<number | null | undefined> =>
      called(done => producer.produce(topic, null, Buffer.from(value), null, Date.now(), done))
    assert.equal(await send('alliance4ever'), 0)
    assert.equal(await send('again'), 1)
    const headers = [{ name: 'value' }]
    assert.equal(
      await called<unknown>(done => producer.produce(topic, null, Buffer.from('x'), 'key', null, headers, done)),
      2,
    )
    const reader = await connected(world.consumer())
    reader.assign([{ topic, partition: 0, offset: 2 }])
    const [message] = await readMessages(reader, 1)
    assert.deepEqual(message?.headers, [{ name: Buffer.from('value') }])
  })

  test('high-level: without acks there is no offset', async () => {
    const topic = await world.topic()
    const producer = await connected(
      disconnecting(new HighLevelProducer({ 'bootstrap.servers': world.brokers, acks: 0 })),
    )
    assert.equal(
      await called<unknown>(done => producer.produce(topic, null, Buffer.from('x'), undefined, null, done)),
      null,
    )
  })

  test('high-level: serializers of all kinds', async () => {
    const topic = await world.topic()
    const producer = await connected(world.highLevelProducer())
    const send = (value: unknown, key: unknown): Promise<unknown> =>
      called(done => producer.produce(topic, null, value, key, null, done))
    producer.setValueSerializer((value: { text: string }) => Buffer.from(value.text))
    await send({ text: 'at once' }, null)
    producer.setKeySerializer((key: string) => Promise.resolve(`key of ${key}`))
    await send({ text: 'promised' }, 'bob')
    producer.setValueSerializer((value: { text: string }, cb: (error: unknown, value: Buffer) => void) => {
      setImmediate(() => cb(null, Buffer.from(value.text)))
    })
    await send({ text: 'called back' }, 'bob')
    const reader = await connected(world.consumer())
    reader.assign([{ topic, partition: 0, offset: 0 }])
    const read = await readMessages(reader, 3)
    assert.deepEqual(read.map(textOf), ['at once', 'promised', 'called back'])
    assert.deepEqual(
      read.map(({ key }) => key?.toString()),
      [undefined, 'key of bob', 'key of bob'],
    )
  })

  test('high-level: errors of serializers go to the callback', async () => {
    const topic = await world.topic()
    const producer = await connected(world.highLevelProducer())
    const send = (): Promise<Error> =>
      refused(done => producer.produce(topic, null, Buffer.from('x'), 'key', null, done))
    const problem = new Error('no')
    const serializer = (): never => {
      throw problem
    }
    producer.setValueSerializer(serializer)
    const error = await send()
    assert.equal(error.message, 'Could not serialize value: no')
    assert.deepEqual([Reflect.get(error, 'value'), Reflect.get(error, 'serializer')], [Buffer.from('x'), serializer])
    producer.setValueSerializer((value: Buffer) => value)
    producer.setKeySerializer(() => Promise.reject(problem))
    assert.equal(await send(), problem)
    producer.setKeySerializer((_: unknown, cb: (error: unknown, key: string) => void) => cb(problem, ''))
    assert.equal(await send(), problem)
    producer.setKeySerializer((key: string) => key)
    producer.setValueSerializer(() => anything('no buffer'))
    assert.match((await send()).message, /buffer or null/)
  })

  test('configurations are copied, and checked before anything is sent', () => {
    const conf = { 'metadata.broker.list': world.brokers, dr_cb: true }
    const topicConf = { acks: 1 }
    const producer = new Producer(conf, topicConf)
    assert.deepEqual([conf, topicConf], [{ 'metadata.broker.list': world.brokers, dr_cb: true }, { acks: 1 }])
    assert.deepEqual(Reflect.get(producer, 'topicConfig'), topicConf)
    assert.throws(() => new Producer(anything({ 'fetch.wibble': 1 })), { code: CODES.ERRORS.ERR__INVALID_ARG })
    assert.throws(() => new Producer({ 'client.id': 'x' }, anything({ foo: 'bar' })), /there is no property 'foo'/)
    for (const client of [Producer, HighLevelProducer, KafkaConsumer]) {
      assert.throws(() => new client(anything(undefined)), /needs a configuration/)
    }
    // As a function, too.
    assert.ok(Producer(conf) instanceof Producer)
    assert.ok(HighLevelProducer(conf) instanceof Producer)
  })

  test('what a listener throws is an uncaught exception, and the producer goes on', async () => {
    const topic = await world.topic()
    const producer = await connected(world.producer({ dr_cb: true }))
    const problem = new Error('of the listener')
    const caught: unknown[] = []
    const listen = (error: unknown): unknown => caught.push(error)
    process.prependListener('uncaughtException', listen)
    const others = process.listeners('uncaughtException').filter(each => each !== listen)
    for (const each of others) process.removeListener('uncaughtException', each)
    try {
      producer.once('delivery-report', () => {
        throw problem
      })
      producer.produce(topic, null, Buffer.from('x'))
      await called<void>(done => producer.flush(10_000, done))
      assert.deepEqual(caught, [problem])
      producer.produce(topic, null, Buffer.from('x'))
      await called<void>(done => producer.flush(10_000, done))
    } finally {
      process.removeListener('uncaughtException', listen)
      for (const each of others) process.on('uncaughtException', each)
    }
  })

  test('a cluster that cannot be reached: the callback gets the error, and so does connection.failure', async () => {
    const producer = disconnecting(new Producer({ 'metadata.broker.list': '127.0.0.1:1' }))
    const failure = nextEvent<[LibrdKafkaError]>(producer, 'connection.failure')
    const error = await refused(done => producer.connect({ timeout: 500 }, done))
    assert.equal((await failure)[0].code, error.code)
    assert.ok(
      [CODES.ERRORS.ERR__TIMED_OUT, CODES.ERRORS.ERR__TRANSPORT, CODES.ERRORS.ERR__ALL_BROKERS_DOWN].includes(
        error.code,
      ),
      `code ${error.code}`,
    )
    assert.equal(producer.isConnected(), false)
  })
}
