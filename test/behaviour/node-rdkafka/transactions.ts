/** What node-rdkafka's specs ask of transactions (`e2e/producer-transaction.spec.js`). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CODES, type LibrdKafkaError, type Producer, type TopicPartitionOffset } from '@ottla/node-rdkafka'
import { fresh } from '../world.ts'
import {
  called,
  connected,
  nextEvent,
  rdkafkaWorldOf,
  readMessages,
  refused,
  textOf,
  type PlainCluster,
} from './rdkafka-world.ts'

/** @param start a cluster of one broker */
export function transactionScenarios(start: () => Promise<PlainCluster>): void {
  const world = rdkafkaWorldOf(start)

  const transactional = (id = fresh('id')): Promise<Producer> =>
    connected(world.producer({ 'transactional.id': id, dr_cb: true }))

  async function readCommitted(topic: string, isolation: 'read_committed' | 'read_uncommitted'): Promise<unknown[]> {
    const consumer = await connected(world.consumer({ 'isolation.level': isolation, 'enable.partition.eof': true }))
    const read: unknown[] = []
    consumer.on('data', message => read.push(textOf(message)))
    const end = nextEvent(consumer, 'partition.eof')
    consumer.assign([{ topic, partition: 0, offset: 0 }])
    consumer.consume()
    await end
    return read
  }

  test('consume, produce and commit offsets in a transaction; abort another', async () => {
    const [from, to] = [await world.topic(), await world.topic()]
    await world.fill(from, ['A', 'B', 'C'])
    const producer = await transactional()
    await called<void>(done => producer.initTransactions(30_000, done))
    const consumer = await connected(world.consumer({ 'enable.auto.commit': false }))
    consumer.subscribe([from])
    const [, second] = await readMessages(consumer, 2)
    assert.equal(textOf(second!), 'B')
    const position = consumer.position()
    await called<void>(done => producer.beginTransaction(done))
    producer.produce(to, -1, second!.value)
    await called<void>(done => producer.sendOffsetsToTransaction(position, consumer, done))
    await called<void>(done => producer.commitTransaction(done))
    const committed = (): Promise<TopicPartitionOffset[]> => called(done => consumer.committed(10_000, done))
    assert.equal(JSON.stringify(await committed()), JSON.stringify(position))

    const [third] = await readMessages(consumer, 1)
    await called<void>(done => producer.beginTransaction(done))
    producer.produce(to, -1, third!.value)
    await called<void>(done => producer.sendOffsetsToTransaction(consumer.position(), consumer, 10_000, done))
    await called<void>(done => producer.flush(10_000, done))
    assert.deepEqual(await readCommitted(to, 'read_uncommitted'), ['B', 'C'])
    assert.deepEqual(await readCommitted(to, 'read_committed'), ['B'])
    await called<void>(done => producer.abortTransaction(10_000, done))
    assert.equal(JSON.stringify(await committed()), JSON.stringify(position))
    assert.deepEqual(await readCommitted(to, 'read_committed'), ['B'])
  })

  test('calls out of order are errors that say what they are', async () => {
    const producer = await transactional()
    const early: LibrdKafkaError = await refused(done => producer.beginTransaction(done))
    assert.equal(early.code, CODES.ERRORS.ERR__STATE)
    assert.deepEqual([early.isFatal, early.isRetriable, early.isTxnRequiresAbort], [false, false, false])
    const plain = await connected(world.producer())
    const error = await refused(done => plain.initTransactions(done))
    assert.equal(error.code, CODES.ERRORS.ERR__NOT_CONFIGURED)
    const unconnected = world.producer({ 'transactional.id': fresh('id') })
    assert.equal((await refused(done => unconnected.initTransactions(done))).code, CODES.ERRORS.ERR__STATE)
  })

  test('a producer whose id another one has taken is fenced for good', async () => {
    const id = fresh('id')
    const topic = await world.topic()
    const first = await transactional(id)
    await called<void>(done => first.initTransactions(done))
    await called<void>(done => first.beginTransaction(done))
    const second = await transactional(id)
    await called<void>(done => second.initTransactions(done))
    first.produce(topic, 0, Buffer.from('x'))
    const error: LibrdKafkaError = await refused(done => first.commitTransaction(done))
    assert.equal(error.isFatal, true)
    assert.equal(error.code, CODES.ERRORS.ERR__FENCED)
  })
}
