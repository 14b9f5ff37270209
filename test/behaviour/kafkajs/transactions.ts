/** What kafkajs's specs ask of transactions: the producer's, and what consumers see of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CompressionTypes,
  KafkaJSNonRetriableError,
  KafkaJSProtocolError,
  type Consumer,
  type Producer,
  type ProducerConfig,
} from '@ottla/kafkajs'
import { fresh } from '../world.ts'
import { anything, facadeOf, messages, type PlainCluster, rejects, until } from './facade-world.ts'

/** @param start a cluster of one broker */
export function transactionScenarios(start: () => Promise<PlainCluster>): void {
  const facade = facadeOf(start)

  async function transactional(config: ProducerConfig = {}): Promise<Producer> {
    const producer = facade.producer({
      transactionalId: fresh('id'),
      idempotent: true,
      maxInFlightRequests: 1,
      ...config,
    })
    await producer.connect()
    return producer
  }

  /** Reads the topic from the beginning. */
  async function reading(topic: string, readUncommitted = false): Promise<{ seen: string[]; consumer: Consumer }> {
    const consumer = facade.consumer({ readUncommitted })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    const seen: string[] = []
    await consumer.run({ eachMessage: ({ message }) => Promise.resolve(void seen.push(String(message.value))) })
    return { seen, consumer }
  }

  test('what is committed is read, what is aborted is not', async () => {
    const topic = await facade.topic()
    const producer = await transactional()
    assert.equal(producer.isIdempotent(), true)
    const aborted = await producer.transaction()
    await aborted.send({ topic, messages: [{ value: 'aborted' }] })
    await aborted.abort()
    const committed = await producer.transaction()
    assert.equal(committed.isActive(), true)
    const [report] = await committed.send({ topic, messages: [{ value: 'first' }] })
    assert.equal(report?.errorCode, 0)
    await committed.sendBatch({ topicMessages: [{ topic, messages: [{ value: 'second' }] }] })
    const [careful, hasty] = [await reading(topic), await reading(topic, true)]
    await until('the hasty one reads what is open', () => hasty.seen.length === 3)
    assert.deepEqual(careful.seen, [])
    await committed.commit()
    assert.equal(committed.isActive(), false)
    await until('both have come', () => careful.seen.length === 2)
    assert.deepEqual(careful.seen, ['first', 'second'])
    assert.deepEqual(hasty.seen, ['aborted', 'first', 'second'])
  })

  test('one transaction at a time; none goes on after its end', async () => {
    const topic = await facade.topic()
    const producer = await transactional()
    const refusal = { name: 'KafkaJSNonRetriableError' }
    for (const end of ['commit', 'abort'] as const) {
      const transaction = await producer.transaction()
      await rejects(producer.transaction(), { ...refusal, message: /already an ongoing transaction/ })
      await transaction[end]()
      assert.equal(transaction.isActive(), false)
      await rejects(transaction.send({ topic, messages: [{ value: 'v' }] }), refusal)
      await rejects(transaction.sendBatch({ topicMessages: [] }), refusal)
      await rejects(transaction.sendOffsets({ consumerGroupId: 'g', topics: [] }), refusal)
      await rejects(transaction.commit(), refusal)
      await rejects(transaction.abort(), refusal)
    }
    await rejects(facade.producer().transaction(), error => error instanceof KafkaJSNonRetriableError)
  })

  test('without messages a transaction ends, too', async () => {
    const producer = await transactional()
    for (const end of ['commit', 'abort', 'commit'] as const) {
      const transaction = await producer.transaction()
      await transaction[end]()
    }
  })

  test('messages are compressed in transactions', async () => {
    const topic = await facade.topic()
    const producer = await transactional()
    for (const compression of [CompressionTypes.None, CompressionTypes.GZIP, CompressionTypes.LZ4]) {
      const transaction = await producer.transaction()
      await transaction.send({ topic, compression, messages: messages(3, `type-${compression}`) })
      await transaction.commit()
    }
    const { seen } = await reading(topic)
    await until('all have come', () => seen.length === 9)
    assert.deepEqual(
      seen,
      [0, 1, 3].flatMap(type => [0, 1, 2].map(i => `type-${type}-${i}`)),
    )
  })

  test('a transactional producer sends outside of transactions, too', async () => {
    const topic = await facade.topic()
    const producer = await transactional()
    await producer.send({ topic, messages: [{ value: 'before' }] })
    const transaction = await producer.transaction()
    await transaction.send({ topic, messages: [{ value: 'within' }] })
    await transaction.commit()
    await producer.send({ topic, messages: [{ value: 'after' }] })
    const { seen } = await reading(topic)
    await until('all have come', () => seen.length === 3)
    assert.deepEqual(seen, ['before', 'within', 'after'])
  })

  test('another producer with the same id takes over: what was open is aborted', async () => {
    const [topic, transactionalId] = [await facade.topic(), fresh('id')]
    const first = await transactional({ transactionalId, transactionTimeout: 100 })
    const left = await first.transaction()
    await left.send({ topic, messages: [{ value: 'left' }] })
    const second = await transactional({ transactionalId, transactionTimeout: 100 })
    const transaction = await second.transaction()
    await transaction.send({ topic, messages: [{ value: 'taken over' }] })
    await transaction.commit()
    const { seen } = await reading(topic)
    await until('it has come', () => seen.length === 1)
    assert.deepEqual(seen, ['taken over'])
    await rejects(
      left.commit(),
      error => error instanceof KafkaJSProtocolError || error instanceof KafkaJSNonRetriableError,
    )
  })

  test('disconnect aborts what is open', async () => {
    const topic = await facade.topic()
    const producer = await transactional()
    const transaction = await producer.transaction()
    await transaction.send({ topic, messages: [{ value: 'left' }] })
    await producer.disconnect()
    assert.equal(transaction.isActive(), false)
    const other = await transactional()
    const next = await other.transaction()
    await next.send({ topic, messages: [{ value: 'next' }] })
    await next.commit()
    const { seen } = await reading(topic)
    await until('it has come', () => seen.length === 1)
    assert.deepEqual(seen, ['next'])
  })

  test('eachBatch that resolves each message gets past the markers of transactions', async () => {
    const topic = await facade.topic()
    const producer = await transactional()
    const consumer = facade.consumer({ maxBytes: 170, maxBytesPerPartition: 170 })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    const seen: string[] = []
    await consumer.run({
      eachBatchAutoResolve: false,
      eachBatch: async ({ batch, resolveOffset, heartbeat, isRunning, isStale }) => {
        for (const message of batch.messages) {
          if (!isRunning() || isStale()) break
          seen.push(String(message.value))
          resolveOffset(message.offset)
          await heartbeat()
        }
      },
    })
    const transaction = await producer.transaction()
    for (const message of messages(20)) await transaction.send({ topic, messages: [message] })
    await transaction.commit()
    await until('the first have come', () => seen.length === 20)
    await producer.send({ topic, messages: messages(2, 'plain') })
    await until('the others have come', () => seen.length === 22)
    assert.deepEqual(seen.slice(20), ['plain-0', 'plain-1'])
  })

  test('what is no offset for a transaction is refused', async () => {
    const producer = await transactional()
    const transaction = await producer.transaction()
    const topics = [{ topic: 't', partitions: [{ partition: 0, offset: 'x' }] }]
    await rejects(transaction.sendOffsets({ consumerGroupId: '', topics: [] }), { name: 'KafkaJSNonRetriableError' })
    await rejects(transaction.sendOffsets({ consumerGroupId: 'g', topics }), { name: 'KafkaJSNonRetriableError' })
    await rejects(transaction.send(anything({ messages: [] })), { name: 'KafkaJSNonRetriableError' })
    await transaction.abort()
  })
}
