/** What Confluent's specs ask of `KafkaJS` producers (`test/promisified/producer`). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KafkaJS } from '@ottla/kafka-javascript'
import { fresh } from '../world.ts'
import { confluentWorldOf, textOf, until, type PlainCluster } from './confluent-world.ts'

const { ErrorCodes, KafkaJSError, KafkaJSProtocolError } = KafkaJS

/** @param start a cluster of one broker */
export function producingScenarios(start: () => Promise<PlainCluster>): void {
  const world = confluentWorldOf(start)

  /** All messages of a topic, once there are so many. */
  const read = async (
    topic: string,
    count: number,
    block: Partial<KafkaJS.ConsumerConfig> = {},
  ): Promise<KafkaJS.KafkaMessage[]> => {
    const consumer = await world.consumer(block)
    const messages: KafkaJS.KafkaMessage[] = []
    await consumer.subscribe({ topic })
    await consumer.run({ eachMessage: async ({ message }) => void messages.push(message) })
    await until(() => messages.length >= count, `${count} messages`)
    await consumer.disconnect()
    return messages
  }

  test('send: keys, values, headers and timestamps arrive; the metadata has the first offset of each partition', async () => {
    const topic = await world.topic(2)
    const producer = await world.producer()
    const time = '1700000000000'
    const sent = await producer.send({
      topic,
      messages: [
        { key: 'k', value: 'a', partition: 0, timestamp: time, headers: { one: 'x', two: ['y', Buffer.from('z')] } },
        { key: Buffer.from('b'), value: Buffer.from('b'), partition: 1 },
        { value: null, partition: 0 },
      ],
    })
    const expected = [0, 1].map(partition => ({
      topicName: topic,
      partition,
      errorCode: 0,
      baseOffset: '0',
      logAppendTime: '-1',
      logStartOffset: '0',
    }))
    assert.deepEqual(
      sent.sort((a, b) => a.partition - b.partition),
      expected,
    )
    const messages = await read(topic, 3)
    const first = messages.find(message => textOf(message) === 'a')
    assert.equal(first?.timestamp, time)
    assert.equal(first.offset, '0')
    assert.deepEqual(first.key, Buffer.from('k'))
    assert.deepEqual({ ...first.headers }, { one: Buffer.from('x'), two: [Buffer.from('y'), Buffer.from('z')] })
    assert.equal(messages.find(({ value }) => value === null)?.headers, undefined)
  })

  test('send: the messages of the program are left as they are', async () => {
    const topic = await world.topic()
    const producer = await world.producer()
    const message = Object.freeze({ value: 'a', headers: Object.freeze({ h: 'v' }) })
    await producer.send({ topic, messages: [message] })
    assert.deepEqual(message, { value: 'a', headers: { h: 'v' } })
  })

  test('sendBatch: several topics; none at all', async () => {
    const topics = [await world.topic(), await world.topic()]
    const producer = await world.producer()
    const sent = await producer.sendBatch({
      topicMessages: topics.map(topic => ({ topic, messages: [{ value: 'a' }, { value: 'b' }] })),
    })
    assert.deepEqual(
      sent.map(({ topicName, baseOffset }) => [topicName, baseOffset]).sort(),
      topics.map(each => [each, '0']).sort(),
    )
    assert.deepEqual(await producer.sendBatch({ topicMessages: [] }), [])
  })

  test('many sends at once are all delivered, in order', async () => {
    const topic = await world.topic()
    const producer = await world.producer({ idempotent: true })
    const values = Array.from({ length: 500 }, (_, i) => String(i))
    await Promise.all(values.map(value => producer.send({ topic, messages: [{ value, partition: 0 }] })))
    assert.deepEqual((await read(topic, 500)).map(textOf), values)
  })

  test('what a broker refuses rejects with its code', async () => {
    const producer = await world.producer()
    const topic = 'not/a/topic'
    await assert.rejects(producer.send({ topic, messages: [{ value: 'a' }] }), (error: KafkaJS.KafkaJSError) => {
      assert.ok(error instanceof KafkaJSError && KafkaJS.isKafkaJSError(error))
      assert.equal(error.code, ErrorCodes.ERR_TOPIC_EXCEPTION)
      assert.equal(error.type, 'ERR_TOPIC_EXCEPTION')
      return true
    })
    const small = await world.topic()
    const admin = await world.admin()
    await admin.deleteTopics({ topics: [small] })
    const name = fresh('confluent')
    await admin.createTopics({
      topics: [{ topic: name, configEntries: [{ name: 'max.message.bytes', value: '200' }] }],
    })
    await assert.rejects(
      producer.send({ topic: name, messages: [{ value: 'a'.repeat(1000) }] }),
      (error: KafkaJS.KafkaJSError) =>
        error instanceof KafkaJSProtocolError && error.code === ErrorCodes.ERR_MSG_SIZE_TOO_LARGE,
    )
  })

  test('options of kafkajs that belong to the producer are refused, with where they go', async () => {
    const topic = await world.topic()
    const producer = await world.producer()
    for (const key of ['acks', 'timeout', 'compression']) {
      const record = { topic, messages: [{ value: 'a' }], [key]: 1 }
      const refusal = {
        code: ErrorCodes.ERR__INVALID_ARG,
        message: new RegExp(`'${key}' is an option of the producer`),
      }
      await assert.rejects(producer.send(record), refusal)
      await assert.rejects(producer.sendBatch({ topicMessages: [], [key]: 1 }), refusal)
    }
    assert.throws(() => new KafkaJS.Kafka({ brokers: [world.brokers] } as never), /move it into the block/)
    assert.throws(() => world.kafka().producer({ idempotent: true } as never), /move it into the block/)
  })

  test('acks and compression of the producer', async () => {
    for (const block of [
      { acks: 0 },
      { acks: 1, compression: KafkaJS.CompressionTypes.GZIP },
      { compression: KafkaJS.CompressionTypes.ZSTD },
    ]) {
      const topic = await world.topic()
      const producer = await world.producer(block)
      const [sent] = await producer.send({ topic, messages: [{ value: 'a' }] })
      assert.equal(sent?.baseOffset, block.acks === 0 ? undefined : '0')
      assert.deepEqual((await read(topic, 1)).map(textOf), ['a'])
    }
  })

  test('flush sends what lingers, and is heard of after the sends', async () => {
    const topic = await world.topic()
    const producer = await world.producer({}, { 'linger.ms': 60_000 })
    let settled = 0
    const sends = ['a', 'b'].map(value => producer.send({ topic, messages: [{ value }] }).then(() => settled++))
    await producer.flush({ timeout: 30_000 })
    assert.equal(settled, 2)
    await Promise.all(sends)
    // Also when nothing else is under way.
    const alone = producer.send({ topic, messages: [{ value: 'c' }] }).then(() => settled++)
    await new Promise(resolve => setTimeout(resolve, 200))
    assert.equal(settled, 2)
    await producer.flush({ timeout: 30_000 })
    await alone
    await assert.rejects(producer.flush({}), { code: ErrorCodes.ERR__INVALID_ARG })
  })

  test('connect once; calls before and after are refused; disconnect without connect', async () => {
    const producer = world.kafka().producer()
    await producer.disconnect()
    await assert.rejects(producer.send({ topic: 't', messages: [] }), { code: ErrorCodes.ERR__STATE })
    await producer.connect()
    await assert.rejects(producer.connect(), { code: ErrorCodes.ERR__STATE })
    await producer.disconnect()
    await producer.disconnect()
    await assert.rejects(producer.send({ topic: 't', messages: [] }), { code: ErrorCodes.ERR__STATE })
    const wrong = world.kafka().producer({ 'no.such.property': 1 } as never)
    await assert.rejects(wrong.connect(), { code: ErrorCodes.ERR__INVALID_ARG })
  })

  test('disconnect while connecting waits for that', async () => {
    const producer = world.kafka().producer()
    const connecting = producer.connect()
    await producer.disconnect()
    await connecting
    await assert.rejects(producer.send({ topic: 't', messages: [] }), { code: ErrorCodes.ERR__STATE })
  })

  test('transactions: committed, aborted, and with offsets', async () => {
    const [from, to] = [await world.topic(), await world.topic()]
    await world.fill(from, ['0', '1', '2'])
    const groupId = fresh('group')
    const consumer = await world.consumer({ groupId, autoCommit: false })
    let seen = 0
    await consumer.subscribe({ topic: from })
    await consumer.run({
      eachMessage: async () => {
        seen++
      },
    })
    await until(() => seen === 3, 'three messages')
    const producer = await world.producer({ transactionalId: fresh('tx') })
    const aborted = await producer.transaction()
    assert.equal(producer.isActive(), true)
    await assert.rejects(producer.transaction(), { code: ErrorCodes.ERR__STATE })
    await aborted.send({ topic: to, messages: [{ value: 'aborted' }] })
    await aborted.abort()
    assert.equal(producer.isActive(), false)
    const committed = await producer.transaction()
    await committed.send({ topic: to, messages: [{ value: 'committed' }] })
    // As text, too: so come keys of an object.
    const topics = [{ topic: from, partitions: [{ partition: '0' as unknown as number, offset: '2' }] }]
    await committed.sendOffsets({ consumer, topics })
    await committed.commit()
    await assert.rejects(producer.commit(), { code: ErrorCodes.ERR__STATE })
    assert.deepEqual((await read(to, 1)).map(textOf), ['committed'])
    assert.deepEqual((await read(to, 2, { readUncommitted: true })).map(textOf), ['aborted', 'committed'])
    assert.deepEqual(
      (await consumer.committed()).map(({ offset }) => offset),
      ['2'],
    )
  })

  test('a transactional producer sends nothing without a transaction', async () => {
    const topic = await world.topic()
    const producer = await world.producer({ transactionalId: fresh('tx') })
    await assert.rejects(producer.send({ topic, messages: [{ value: 'a' }] }), { code: ErrorCodes.ERR__STATE })
  })

  test('statistics go to stats_cb', async () => {
    let json = ''
    await world.producer(
      {},
      { 'statistics.interval.ms': 100, stats_cb: ({ message }: { message: string }) => (json = message) },
    )
    await until(() => json !== '', 'statistics')
    assert.equal((JSON.parse(json) as { type: string }).type, 'producer')
  })
}
