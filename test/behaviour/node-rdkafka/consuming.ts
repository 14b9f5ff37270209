/** What node-rdkafka's specs ask of its consumers (`e2e/consumer.spec.js`, `e2e/both.spec.js`). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CODES,
  Topic,
  type EofEvent,
  type KafkaConsumer,
  type LibrdKafkaError,
  type Message,
} from '@ottla/node-rdkafka'
import { fresh } from '../world.ts'
import {
  anything,
  called,
  connected,
  disconnected,
  nextEvent,
  rdkafkaWorldOf,
  readMessages,
  refused,
  textOf,
  until,
  type PlainCluster,
} from './rdkafka-world.ts'

/** @param start a cluster of one broker */
export function consumingScenarios(start: () => Promise<PlainCluster>): void {
  const world = rdkafkaWorldOf(start)

  const take = (consumer: KafkaConsumer, count: number): Promise<Message[]> =>
    called(done => consumer.consume(count, done))

  test('what can be said before and after connecting', async () => {
    const topic = await world.topic()
    const consumer = world.consumer()
    assert.equal(consumer.rebalanceProtocol(), 'NONE')
    assert.throws(() => consumer.subscribe([topic]), { code: CODES.ERRORS.ERR__STATE })
    assert.throws(() => consumer.consume(), { message: 'Connect must be called before consume' })
    assert.throws(() => consumer.commit(), { code: CODES.ERRORS.ERR__STATE })
    await connected(consumer)
    assert.deepEqual([consumer.subscription(), consumer.assignments(), consumer.position()], [[], [], []])
    assert.throws(() => consumer.subscribe(anything(topic)), { message: 'First parameter must be an array' })
    assert.throws(() => consumer.subscribe([]), { code: CODES.ERRORS.ERR__INVALID_ARG })
  })

  test('subscribe and unsubscribe take effect at once, and are events', async () => {
    const topic = await world.topic()
    const consumer = await connected(world.consumer())
    const subscribed = nextEvent<[string[]]>(consumer, 'subscribed')
    assert.equal(consumer.subscribe([topic]), consumer)
    assert.deepEqual(await subscribed, [[topic]])
    assert.deepEqual([consumer.subscription(), consumer.assignments()], [[topic], []])
    const unsubscribed = Promise.all([nextEvent(consumer, 'unsubscribed'), nextEvent(consumer, 'unsubscribe')])
    consumer.unsubscribe()
    assert.deepEqual([consumer.subscription(), consumer.assignments()], [[], []])
    await unsubscribed
  })

  test('assign and unassign take effect at once', async () => {
    const topic = await world.topic(3)
    const consumer = await connected(world.consumer())
    const partition = (number: number): object => ({ topic, partition: number })
    const from = (number: number, offset: number = Topic.OFFSET_STORED): object => ({ ...partition(number), offset })
    consumer.assign([{ topic, partition: 0 }])
    assert.deepEqual(consumer.assignments(), [from(0)])
    assert.deepEqual(consumer.position(), [partition(0)])
    assert.deepEqual(consumer.subscription(), [])
    consumer.incrementalAssign([{ topic, partition: 2, offset: Topic.OFFSET_BEGINNING }])
    assert.deepEqual(consumer.assignments(), [from(0), from(2, Topic.OFFSET_BEGINNING)])
    consumer.incrementalUnassign([{ topic, partition: 0 }])
    assert.deepEqual(consumer.assignments(), [from(2, Topic.OFFSET_BEGINNING)])
    consumer.assign([])
    assert.deepEqual(consumer.assignments(), [])
    consumer.assign([{ topic, partition: 1 }])
    consumer.unassign()
    assert.deepEqual(consumer.assignments(), [])
    assert.throws(() => consumer.assign([anything({ topic })]), { name: 'TypeError' })
  })

  test('messages have their shape', async () => {
    const topic = await world.topic()
    const producer = await connected(world.producer())
    const headers = [
      { a: 'text' },
      { b: Buffer.from([0, 255]) },
      { c: anything<string>(100) },
      { d: anything<string>(1.11) },
    ]
    producer.produce(topic, null, Buffer.from('value'), 'key', 1_700_000_000_000, '', headers)
    producer.produce(topic, null, Buffer.from(''), '')
    producer.produce(topic, null, null, null)
    const consumer = await connected(world.consumer())
    consumer.subscribe([topic])
    const [full, empty, none] = await readMessages(consumer, 3)
    assert.deepEqual(full, {
      value: Buffer.from('value'),
      size: 5,
      key: Buffer.from('key'),
      topic,
      offset: 0,
      partition: 0,
      timestamp: 1_700_000_000_000,
      headers: [
        { a: Buffer.from('text') },
        { b: Buffer.from([0, 255]) },
        { c: Buffer.from('100') },
        { d: Buffer.from('1.11') },
      ],
    })
    assert.deepEqual([empty?.value, empty?.key, empty?.size], [Buffer.alloc(0), Buffer.alloc(0), 0])
    assert.deepEqual([none?.value, none?.key, none?.size, none?.headers], [null, null, 0, undefined])
    assert.deepEqual(consumer.position(), [{ offset: 3, partition: 0, topic }])
    assert.deepEqual(consumer.assignments(), [{ partition: 0, topic, offset: Topic.OFFSET_STORED }])
  })

  test('consume(number): as many as there are, after the timeout; data events for each', async () => {
    const topic = await world.topic()
    await world.fill(topic, ['1', '2', '3'])
    const consumer = await connected(world.consumer())
    const seen: (string | null)[] = []
    consumer.on('data', message => seen.push(textOf(message)))
    consumer.setDefaultConsumeTimeout(200)
    consumer.subscribe([topic])
    await until('two messages', async () => {
      const messages = await take(consumer, 2)
      return messages.length === 2
    })
    const rest = await take(consumer, 2)
    assert.deepEqual(rest.map(textOf), ['3'])
    assert.deepEqual(await take(consumer, 10), [])
    assert.deepEqual(seen, ['1', '2', '3'])
    assert.throws(() => consumer.consume(1, anything('no function')), { name: 'TypeError' })
  })

  test('calls of consume(number) that overlap share the messages in their order', async () => {
    const topic = await world.topic()
    await world.fill(topic, ['1', '2', '3'])
    const consumer = await connected(world.consumer())
    consumer.setDefaultConsumeTimeout(60_000)
    consumer.assign([{ topic, partition: 0, offset: 0 }])
    const [first, second] = await Promise.all([take(consumer, 1), take(consumer, 2)])
    assert.deepEqual([first.map(textOf), second.map(textOf)], [['1'], ['2', '3']])
    // Calls that get nothing end at the same time.
    consumer.setDefaultConsumeTimeout(100)
    assert.deepEqual(await Promise.all([take(consumer, 1), take(consumer, 1)]), [[], []])
  })

  test('consume(): the flow calls back and emits data until disconnect', async () => {
    const topic = await world.topic()
    await world.fill(topic, ['1', '2'])
    const consumer = await connected(world.consumer())
    const emitted: (string | null)[] = []
    const calledBack: (string | null)[] = []
    consumer.on('data', message => emitted.push(textOf(message)))
    consumer.subscribe([topic])
    consumer.consume((error, message) => {
      assert.equal(error, null)
      // One message at a time, whatever its type says.
      calledBack.push(textOf(anything<Message>(message)))
    })
    assert.throws(() => consumer.consume(), { message: 'Consume was already called' })
    await until('both', () => calledBack.length === 2)
    await world.fill(topic, ['3'])
    await until('the third', () => calledBack.length === 3)
    await disconnected(consumer)
    assert.deepEqual(
      [emitted, calledBack],
      [
        ['1', '2', '3'],
        ['1', '2', '3'],
      ],
    )
    // And once more, from where it was committed.
    await world.fill(topic, ['4'])
    await connected(consumer)
    consumer.subscribe([topic])
    consumer.consume()
    await until('the fourth', () => emitted.length === 4)
    assert.deepEqual(emitted.slice(3), ['4'])
  })

  test('partition.eof comes where the partition ends', async () => {
    const topic = await world.topic()
    const consumer = await connected(world.consumer({ 'enable.partition.eof': true }))
    const events: [string, number][] = []
    consumer.on('data', ({ offset }) => events.push(['data', offset]))
    consumer.on('partition.eof', (end: EofEvent) => {
      assert.deepEqual([end.topic, end.partition], [topic, 0])
      events.push(['eof', end.offset])
    })
    consumer.subscribe([topic])
    consumer.consume()
    const count = (most: number) => (): boolean => events.length >= most
    await until('the end', count(1))
    await world.fill(topic, ['1'])
    await until('another end', count(3))
    await world.fill(topic, ['2'])
    await until('yet another end', count(5))
    assert.deepEqual(events, [
      ['eof', 0],
      ['data', 0],
      ['eof', 1],
      ['data', 1],
      ['eof', 2],
    ])
  })

  test('at the end of a partition, consume(number) returns what it has, whatever its timeout', async () => {
    const topic = await world.topic()
    await world.fill(topic, ['1', '2'])
    const consumer = await connected(world.consumer({ 'enable.partition.eof': true }))
    consumer.setDefaultConsumeTimeout(10_000_000)
    consumer.subscribe([topic])
    assert.deepEqual((await take(consumer, 100_000)).map(textOf), ['1', '2'])
  })

  test('a topic that does not exist: a warning in the flow, an error of consume(number)', async () => {
    const topic = fresh('missing')
    const flowing = await connected(world.consumer())
    const warning = nextEvent<[LibrdKafkaError]>(flowing, 'warning')
    flowing.subscribe([topic])
    flowing.consume()
    assert.equal((await warning)[0].code, CODES.ERRORS.ERR_UNKNOWN_TOPIC_OR_PART)
    const taking = await connected(world.consumer())
    taking.setDefaultConsumeTimeout(60_000)
    taking.subscribe([topic])
    const error = await refused(done => taking.consume(1, done))
    assert.equal(error.code, CODES.ERRORS.ERR_UNKNOWN_TOPIC_OR_PART)
    assert.deepEqual([(error as LibrdKafkaError).origin, error.message.startsWith('Broker: ')], ['kafka', true])
  })

  test('patterns: regular expressions, and strings that begin with ^', async () => {
    const prefix = fresh('pattern')
    const producer = await connected(world.producer())
    const admin = world.admin()
    for (const name of ['a', 'b']) {
      await called<void>(done =>
        admin.createTopic({ topic: `${prefix}-${name}`, num_partitions: 1, replication_factor: 1 }, done),
      )
      producer.produce(`${prefix}-${name}`, null, Buffer.from(name))
    }
    await called<void>(done => producer.flush(10_000, done))
    for (const pattern of [new RegExp(`^${prefix}-.*`), `^${prefix}-.*`]) {
      const consumer = await connected(world.consumer())
      consumer.subscribe([pattern])
      const read = await readMessages(consumer, 2)
      assert.deepEqual(read.map(textOf).sort(), ['a', 'b'])
      await disconnected(consumer)
    }
  })

  test('seek, pause and resume', async () => {
    const topic = await world.topic()
    await world.fill(topic, ['0', '1', '2'])
    const consumer = await connected(world.consumer())
    consumer.setDefaultConsumeTimeout(200)
    const here = { topic, partition: 0 }
    consumer.assign([{ ...here, offset: 0 }])
    // At once after assign, with timeouts of any kind.
    await called<void>(done => consumer.seek({ ...here, offset: 1 }, 0, done))
    assert.deepEqual((await readMessages(consumer, 2)).map(textOf), ['1', '2'])
    await called<void>(done => consumer.seek({ ...here, offset: anything('beginning') }, null, done))
    assert.deepEqual((await readMessages(consumer, 1)).map(textOf), ['0'])
    assert.equal(consumer.pause([here, { topic, partition: 7 }]), 0)
    assert.deepEqual(await take(consumer, 1), [])
    assert.equal(consumer.resume([here]), 0)
    assert.deepEqual((await readMessages(consumer, 1)).map(textOf), ['1'])
    const error = await refused(done => consumer.seek({ topic, partition: 7, offset: 0 }, 1000, done))
    assert.ok(error.message.includes(topic))
    assert.throws(() => consumer.seek({ ...here, offset: anything('middle') }, 1, () => undefined), {
      name: 'TypeError',
    })
  })

  test('offsets of a partition, and for times', async () => {
    const topic = await world.topic()
    const producer = await connected(world.producer())
    for (const time of [1000, 2000, 3000]) producer.produce(topic, 0, Buffer.from('x'), null, time)
    await called<void>(done => producer.flush(10_000, done))
    const consumer = await connected(world.consumer())
    for (const client of [producer, consumer]) {
      assert.deepEqual(await called(done => client.queryWatermarkOffsets(topic, 0, 10_000, done)), {
        lowOffset: 0,
        highOffset: 3,
      })
    }
    const times = await called(done => consumer.offsetsForTimes([{ topic, partition: 0, offset: 1500 }], 10_000, done))
    assert.deepEqual(times, [{ offset: 1, partition: 0, topic }])
    consumer.assign([{ topic, partition: 0, offset: 0 }])
    await readMessages(consumer, 3)
    assert.deepEqual(consumer.getWatermarkOffsets(topic, 0), { lowOffset: 0, highOffset: 3 })
  })

  test('disconnect: before and after subscribing, within consume, and while connecting', async () => {
    const topic = await world.topic()
    const idle = await connected(world.consumer())
    await disconnected(idle)
    const subscribed = await connected(world.consumer())
    subscribed.subscribe([topic])
    await disconnected(subscribed)
    const waiting = await connected(world.consumer())
    waiting.setDefaultConsumeTimeout(600_000)
    waiting.subscribe([topic])
    const pending = take(waiting, 1)
    await disconnected(waiting)
    assert.deepEqual(await pending, [])
    const connecting = world.consumer()
    const failure = refused(done => connecting.connect({}, done))
    await disconnected(connecting)
    assert.ok((await failure) instanceof Error)
    assert.equal(connecting.isConnected(), false)
  })

  test('logs and statistics are events, unless event_cb is false', async () => {
    const consumer = world.consumer({ debug: 'all', 'statistics.interval.ms': 100 })
    const log = nextEvent<[{ severity: number; fac: string; message: string }]>(consumer, 'event.log')
    const stats = nextEvent<[{ message: string }]>(consumer, 'event.stats')
    await connected(consumer)
    const [{ severity, fac, message }] = await log
    assert.deepEqual([typeof severity, typeof fac, typeof message], ['number', 'string', 'string'])
    assert.equal((JSON.parse((await stats)[0].message) as { type: string }).type, 'consumer')
    const silent = world.consumer({ debug: 'all', event_cb: false })
    silent.on('event.log', () => assert.fail('an event'))
    await connected(silent)
  })
}
