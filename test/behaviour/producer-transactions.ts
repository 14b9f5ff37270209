/** Transactional producers, and what readers see of them. Real or embedded, version 1 or 2 of transactions. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Consumer, ErrorCode, Producer, type KafkaError, type ProducerConfig } from 'ottla'
import { plainClients, type PlainWorld } from './plain-world.ts'
import { fresh } from './world.ts'
import { closing } from '../harness/closing.ts'
import { createTopic } from '../harness/topics.ts'

const quiet = (): void => undefined
const PARTITIONS = 3

/** Registers the tests; `start` starts a broker without security. */
export function producerTransactionScenarios(start: () => Promise<PlainWorld>): void {
  const world = plainClients(start)

  function make(id = fresh('txn'), config: Partial<ProducerConfig> = {}): Producer {
    const base = { 'bootstrap.servers': world.bootstrapServers, 'linger.ms': 1, 'transactional.id': id }
    return closing(new Producer({ ...base, ...config }, { logger: quiet }))
  }

  async function ready(id?: string, config?: Partial<ProducerConfig>): Promise<Producer> {
    const producer = make(id, config)
    await producer.initTransactions(20_000)
    return producer
  }

  async function newTopic(): Promise<string> {
    const topic = fresh('txn-topic')
    await createTopic(world.bootstrapServers, topic, { numPartitions: PARTITIONS })
    return topic
  }

  /** The visible values of every partition, in order. */
  async function read(topic: string, isolation: 'read_committed' | 'read_uncommitted'): Promise<string[][]> {
    await using consumer = new Consumer(
      {
        'bootstrap.servers': world.bootstrapServers,
        'auto.offset.reset': 'earliest',
        'enable.partition.eof': true,
        'isolation.level': isolation,
        'fetch.wait.max.ms': 50,
      },
      { logger: quiet },
    )
    const values: string[][] = Array.from({ length: PARTITIONS }, () => [])
    await consumer.assign(values.map((_, partition) => ({ topic, partition, offset: 0 })))
    for (let open = PARTITIONS; open > 0;) {
      const event = await consumer.poll(10_000)
      assert.notEqual(event, null)
      if (event?.type === 'partition-eof') open--
      if (event?.type === 'message') values[event.message.partition]?.push(String(event.message.value))
    }
    return values
  }

  /** The error of a refused call. */
  async function refusal(call: () => unknown): Promise<KafkaError> {
    try {
      await call()
    } catch (error) {
      return error as KafkaError // the client throws nothing else
    }
    assert.fail('it was not refused')
  }

  const code = async (call: () => unknown): Promise<string> => (await refusal(call)).name

  test('committed messages are visible, aborted ones are not', async () => {
    const topic = await newTopic()
    const producer = await ready()
    producer.beginTransaction()
    const send = (value: string, partition: number): Promise<unknown> => producer.send({ topic, partition, value })
    await Promise.all([send('a', 0), send('b', 1)])
    assert.deepEqual(await read(topic, 'read_committed'), [[], [], []])
    assert.deepEqual(await read(topic, 'read_uncommitted'), [['a'], ['b'], []])
    producer.produce({ topic, partition: 0, value: 'c' })
    await producer.commitTransaction()
    assert.deepEqual(await read(topic, 'read_committed'), [['a', 'c'], ['b'], []])
    producer.beginTransaction()
    await Promise.all([send('d', 0), send('e', 2)])
    await producer.abortTransaction()
    producer.beginTransaction()
    await send('f', 2)
    await producer.commitTransaction()
    assert.deepEqual(await read(topic, 'read_committed'), [['a', 'c'], ['b'], ['f']])
    assert.deepEqual(await read(topic, 'read_uncommitted'), [['a', 'c', 'd'], ['b'], ['e', 'f']])
  })

  test('transactions in quick succession keep their order and end with a whole number of messages', async () => {
    const topic = await newTopic()
    const producer = await ready()
    for (let i = 0; i < 20; i++) {
      producer.beginTransaction()
      for (let j = 0; j < 30; j++) producer.produce({ topic, partition: j % PARTITIONS, value: `${i}.${j}` })
      if (i % 3 === 1) await producer.abortTransaction()
      else await producer.commitTransaction()
    }
    const kept = Array.from({ length: 20 }, (_, i) => i).filter(i => i % 3 !== 1)
    for (const [partition, values] of (await read(topic, 'read_committed')).entries()) {
      const mine = Array.from({ length: 30 }, (_, j) => j).filter(j => j % PARTITIONS === partition)
      assert.deepEqual(
        values,
        kept.flatMap(i => mine.map(j => `${i}.${j}`)),
      )
    }
  })

  test('an empty transaction ends without a request to the coordinator', async () => {
    const producer = await ready()
    for (let i = 0; i < 3; i++) {
      producer.beginTransaction()
      await producer.commitTransaction()
      producer.beginTransaction()
      await producer.abortTransaction()
    }
  })

  test('calls out of order are refused, and so are messages outside transactions', async () => {
    const topic = await newTopic()
    const message = { topic, value: 'x' }
    const producer = make()
    for (const call of ['beginTransaction', 'commitTransaction', 'abortTransaction'] as const) {
      assert.equal(await code(() => producer[call]()), 'ERR__STATE', call)
    }
    assert.equal(await code(() => producer.produce(message)), 'ERR__STATE')
    await producer.initTransactions()
    assert.equal(await code(() => producer.initTransactions()), 'ERR__STATE')
    assert.equal(await code(() => producer.send(message)), 'ERR__STATE')
    assert.equal(await code(() => producer.commitTransaction()), 'ERR__STATE')
    producer.beginTransaction()
    assert.equal(await code(() => producer.beginTransaction()), 'ERR__STATE')
    producer.produce(message)
    const commit = producer.commitTransaction()
    assert.equal(await code(() => producer.commitTransaction()), 'ERR__PREV_IN_PROGRESS')
    assert.equal(await code(() => producer.abortTransaction()), 'ERR__CONFLICT')
    await commit
    await using plain = new Producer({ 'bootstrap.servers': world.bootstrapServers }, { logger: quiet })
    assert.equal(await code(() => plain.initTransactions()), 'ERR__NOT_CONFIGURED')
    assert.equal(await code(() => plain.beginTransaction()), 'ERR__NOT_CONFIGURED')
  })

  test('an abort gives up queued messages, and reports them', async () => {
    const topic = await newTopic()
    const producer = await ready(undefined, { 'linger.ms': 10_000 })
    const outcomes: (string | undefined)[] = []
    producer.beginTransaction()
    for (let i = 0; i < 5; i++) {
      producer.produce({ topic, partition: 0, value: `${i}` }, report => outcomes.push(report.error?.name))
    }
    await producer.abortTransaction()
    assert.deepEqual(outcomes, Array(5).fill('ERR__PURGE_QUEUE'))
    producer.beginTransaction()
    const sent = producer.send({ topic, partition: 0, value: 'kept' })
    await producer.commitTransaction()
    await sent
    assert.deepEqual(await read(topic, 'read_committed'), [['kept'], [], []])
  })

  test('a newer instance fences the older one, and aborts its open transaction', async () => {
    const topic = await newTopic()
    const id = fresh('fenced')
    const older = await ready(id)
    const errors: KafkaError[] = []
    older.on('error', ({ error }) => errors.push(error))
    older.beginTransaction()
    await older.send({ topic, partition: 0, value: 'older' })
    const newer = await ready(id)
    newer.beginTransaction()
    await newer.send({ topic, partition: 0, value: 'newer' })
    const error = await refusal(() => older.commitTransaction())
    assert.deepEqual([error.name, error.isFatal, error.txnRequiresAbort], ['ERR__FENCED', true, false])
    assert.equal(older.fatalError?.code, ErrorCode.ERR__FENCED)
    assert.equal(await code(() => older.abortTransaction()), 'ERR__FENCED')
    assert.equal(await code(() => older.produce({ topic, value: 'x' })), 'ERR__FATAL')
    assert.deepEqual(
      errors.map(e => [e.name, e.isFatal]),
      [['ERR__FATAL', true]],
    )
    await newer.commitTransaction()
    assert.deepEqual(await read(topic, 'read_committed'), [['newer'], [], []])
  })

  test('an instance that produces after it was fenced gets an error', async () => {
    const topic = await newTopic()
    const id = fresh('fenced')
    const older = await ready(id)
    older.beginTransaction()
    await older.send({ topic, partition: 0, value: 'older' })
    const newer = await ready(id)
    const report = await refusal(() => older.send({ topic, partition: 0, value: 'too late' }))
    assert.ok(['ERR__PURGE_QUEUE', 'ERR_INVALID_PRODUCER_EPOCH'].includes(report.name), report.name)
    const error = await refusal(() => older.commitTransaction())
    assert.deepEqual([error.name, error.isFatal], ['ERR__FENCED', true])
    newer.beginTransaction()
    await newer.send({ topic, partition: 0, value: 'newer' })
    await newer.commitTransaction()
    assert.deepEqual(await read(topic, 'read_committed'), [['newer'], [], []])
  })

  // Whatever the older instance does next, with or without messages in its transaction.
  const attempts: Record<string, (older: Producer, topic: string) => Promise<unknown>> = {
    produces: (older, topic) => older.send({ topic, partition: 0, value: 'too late' }),
    'produces to another partition': (older, topic) => older.send({ topic, partition: 1, value: 'too late' }),
    'sends offsets': (older, topic) =>
      older.sendOffsetsToTransaction([{ topic, partition: 0, offset: 1 }], {
        groupId: fresh('group'),
        generationId: -1,
        memberId: '',
      }),
    commits: older => older.commitTransaction(),
    aborts: older => older.abortTransaction(),
  }
  for (const [does, attempt] of Object.entries(attempts)) {
    for (const used of [true, false]) {
      // An empty transaction ends without a request.
      if (!used && (does === 'commits' || does === 'aborts')) continue
      const what = used ? 'something' : 'nothing'
      test(`a fenced instance that ${does} with ${what} in its transaction fails, and the newer one's open transaction survives`, async () => {
        const topic = await newTopic()
        const id = fresh('zombie')
        const older = await ready(id)
        older.beginTransaction()
        if (used) await older.send({ topic, partition: 0, value: 'older' })
        const newer = await ready(id)
        newer.beginTransaction()
        await newer.send({ topic, partition: 0, value: 'newer' })
        await attempt(older, topic).catch(() => undefined)
        assert.equal(await code(() => older.abortTransaction()), 'ERR__FENCED')
        assert.equal(older.fatalError?.code, ErrorCode.ERR__FENCED)
        await newer.send({ topic, partition: 0, value: 'newer again' })
        await newer.commitTransaction()
        assert.deepEqual((await read(topic, 'read_committed'))[0], ['newer', 'newer again'])
        newer.beginTransaction()
        await newer.send({ topic, partition: 0, value: 'next' })
        await newer.commitTransaction()
        assert.deepEqual((await read(topic, 'read_committed'))[0], ['newer', 'newer again', 'next'])
      })
    }
  }

  test('statistics contain the state', async () => {
    const producer = make(undefined, { 'statistics.interval.ms': 20 })
    const state = async (): Promise<unknown> => {
      for await (const event of producer.events()) {
        if (event.type !== 'stats') continue
        const { eos } = JSON.parse(event.json) as { eos: Record<string, unknown> }
        return [eos['idemp_state'], eos['txn_state'], eos['txn_may_enq'], Number(eos['producer_id']) >= 0]
      }
      return null
    }
    assert.deepEqual(await state(), ['Init', 'Init', false, false])
    await producer.initTransactions()
    assert.deepEqual(await state(), ['Assigned', 'Ready', false, true])
    producer.beginTransaction()
    assert.deepEqual(await state(), ['Assigned', 'InTransaction', true, true])
    await producer.abortTransaction()
  })

  test('close aborts an open transaction', async () => {
    const topic = await newTopic()
    const producer = await ready()
    producer.beginTransaction()
    await producer.send({ topic, partition: 0, value: 'never' })
    await producer.close()
    const other = await ready()
    other.beginTransaction()
    await other.send({ topic, partition: 0, value: 'seen' })
    await other.commitTransaction()
    assert.deepEqual(await read(topic, 'read_committed'), [['seen'], [], []])
  })
}
