/** Offsets committed with a transaction: consume, transform, produce. Real or embedded, version 1 or 2 of transactions. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Consumer, Producer, type ConsumerConfig, type KafkaError, type Message } from 'ottla'
import { plainClients, type PlainWorld } from './plain-world.ts'
import { fresh } from './world.ts'
import { closing } from '../harness/closing.ts'
import { createTopic } from '../harness/topics.ts'

const quiet = (): void => undefined

/** Registers the tests; `start` starts a broker without security. */
export function exactlyOnceScenarios(start: () => Promise<PlainWorld>): void {
  const world = plainClients(start)

  function producer(id = fresh('eos')): Producer {
    const config = { 'bootstrap.servers': world.bootstrapServers, 'linger.ms': 1, 'transactional.id': id }
    return closing(new Producer(config, { logger: quiet }))
  }

  function consumer(group: string, config: Partial<ConsumerConfig> = {}): Consumer {
    const base: ConsumerConfig = {
      'bootstrap.servers': world.bootstrapServers,
      'group.id': group,
      'enable.auto.commit': false,
      'auto.offset.reset': 'earliest',
      'session.timeout.ms': 6000,
      'heartbeat.interval.ms': 200,
      'fetch.wait.max.ms': 50,
      'isolation.level': 'read_committed',
    }
    return closing(new Consumer({ ...base, ...config }, { logger: quiet }))
  }

  /** Creates a topic with these values, spread over its partitions. */
  async function topicWith(values: readonly string[], numPartitions = 2): Promise<string> {
    const topic = fresh('eos-topic')
    await createTopic(world.bootstrapServers, topic, { numPartitions })
    if (values.length === 0) return topic
    await using plain = new Producer({ 'bootstrap.servers': world.bootstrapServers }, { logger: quiet })
    const reports = await plain.sendBatch(values.map((value, i) => ({ topic, value, partition: i % numPartitions })))
    assert.ok(reports.every(report => report.error === undefined))
    return topic
  }

  async function committed(group: string, topic: string): Promise<number[]> {
    const offsets = await world.admin.listConsumerGroupOffsets(group, [
      { topic, partition: 0 },
      { topic, partition: 1 },
    ])
    return offsets.map(({ offset }) => offset)
  }

  async function values(topic: string, count: number): Promise<string[]> {
    await using reader = consumer(fresh('eos-reader'))
    reader.subscribe(topic)
    const all: string[] = []
    while (all.length < count) all.push(String((await reader.readMessage(10_000)).value))
    return all.sort()
  }

  async function refusal(call: () => Promise<unknown>): Promise<KafkaError> {
    try {
      await call()
    } catch (error) {
      return error as KafkaError // the client throws nothing else
    }
    assert.fail('it was not refused')
  }

  test('offsets count with the commit, and not after an abort', async () => {
    const input = await topicWith(['a', 'b', 'c'], 2)
    const output = await topicWith([])
    const group = fresh('eos-group')
    const reader = consumer(group)
    const tx = producer()
    await tx.initTransactions()
    reader.subscribe(input)
    const messages: Message[] = []
    while (messages.length < 3) messages.push(await reader.readMessage(10_000))
    const offsets = [
      { topic: input, partition: 0, offset: 2, metadata: 'so far' },
      { topic: input, partition: 1, offset: 1 },
      { topic: input, partition: 1, offset: -1001 },
    ]
    tx.beginTransaction()
    tx.produce({ topic: output, value: 'aborted' })
    await tx.sendOffsetsToTransaction(offsets, reader.groupMetadata())
    await tx.abortTransaction()
    assert.deepEqual(await committed(group, input), [-1001, -1001])
    tx.beginTransaction()
    tx.produce({ topic: output, value: 'committed' })
    await tx.sendOffsetsToTransaction(offsets, reader.groupMetadata())
    await tx.sendOffsetsToTransaction([], reader.groupMetadata())
    await tx.commitTransaction()
    assert.deepEqual(await values(output, 1), ['committed'])
    const after = await reader.committed([{ topic: input, partition: 0 }])
    assert.deepEqual(
      after.map(o => [o.offset, o.metadata]),
      [[2, 'so far']],
    )
    assert.deepEqual(await committed(group, input), [2, 1])
    tx.beginTransaction()
    await tx.sendOffsetsToTransaction([{ topic: input, partition: 0, offset: 1 }], reader.groupMetadata())
    await tx.commitTransaction()
    assert.deepEqual(
      (await reader.committed([{ topic: input, partition: 0 }])).map(o => o.offset),
      [1],
    )
  })

  test('a consumer that is no longer a member cannot commit (KIP-447), and the producer continues', async () => {
    const input = await topicWith(['a'])
    const group = fresh('eos-group')
    const reader = consumer(group)
    const tx = producer()
    await tx.initTransactions()
    reader.subscribe(input)
    await reader.readMessage(10_000)
    const metadata = reader.groupMetadata()
    const offsets = [{ topic: input, partition: 0, offset: 1 }]
    for (const stale of [{ generationId: metadata.generationId + 7 }, { memberId: 'nobody' }]) {
      tx.beginTransaction()
      const error = await refusal(() => tx.sendOffsetsToTransaction(offsets, { ...metadata, ...stale }))
      assert.ok(['ERR_ILLEGAL_GENERATION', 'ERR_UNKNOWN_MEMBER_ID'].includes(error.name), error.name)
      assert.deepEqual([error.txnRequiresAbort, error.isFatal, error.isRetriable], [true, false, false])
      assert.equal((await refusal(() => tx.commitTransaction())).txnRequiresAbort, true)
      await tx.abortTransaction()
    }
    tx.beginTransaction()
    await tx.sendOffsetsToTransaction(offsets, metadata)
    await tx.commitTransaction()
    assert.deepEqual(
      (await reader.committed([{ topic: input, partition: 0 }])).map(o => o.offset),
      [1],
    )
  })

  test('transaction(work) commits what the work produced, or nothing when it throws', async () => {
    const output = await topicWith([])
    const tx = producer()
    const result = await tx.transaction(async t => {
      t.produce({ topic: output, value: 'not waited for' })
      const { offset } = await t.send({ topic: output, value: 'waited for' })
      return offset
    })
    assert.ok(result >= 0)
    const wrong = new Error('of the work')
    const failing = tx.transaction(async t => {
      await t.send({ topic: output, value: 'never' })
      throw wrong
    })
    assert.equal(await refusal(() => failing), wrong)
    await tx.transaction(t => t.send({ topic: output, value: 'afterwards' }))
    assert.deepEqual(await values(output, 3), ['afterwards', 'not waited for', 'waited for'])
  })

  test('transactional(consumer, work): members join, fail and leave, and each message is there once', async () => {
    const count = 400
    const expected = Array.from({ length: count }, (_, i) => `v${i}`)
    const input = await topicWith(expected)
    const output = await topicWith([])
    const group = fresh('eos-group')
    const stopping = new AbortController()
    const finished = new AbortController()

    const work = async (limit: number, signal: AbortSignal): Promise<void> => {
      await using reader = consumer(group, { 'partition.assignment.strategy': 'cooperative-sticky' })
      reader.subscribe(input)
      await using tx = producer()
      let batches = 0
      const transform = (batch: Iterable<Message>, t: Producer): void => {
        if (++batches > limit) throw new Error('enough')
        for (const { value } of batch) t.produce({ topic: output, value: `${String(value)}!` })
      }
      await tx.transactional(reader, transform, { maxMessages: 20, signal })
    }

    const failing = refusal(() => work(3, finished.signal))
    assert.equal((await failing).message, 'enough')
    const leaving = work(1000, stopping.signal)
    setTimeout(() => stopping.abort(), 300)
    const staying = work(1000, finished.signal)
    await leaving
    const seen = await values(output, count)
    finished.abort()
    await staying
    assert.deepEqual(seen, expected.map(value => `${value}!`).sort())
    assert.deepEqual(await committed(group, input), [count / 2, count / 2])
  })

  test('transactional refuses a consumer with automatic commits', async () => {
    const reader = consumer(fresh('eos-group'), { 'enable.auto.commit': true })
    const error = await refusal(() => producer().transactional(reader, () => undefined))
    assert.equal(error.name, 'ERR__INVALID_ARG')
  })
}
