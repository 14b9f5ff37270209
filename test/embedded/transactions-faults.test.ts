/** What a transactional producer does when coordinators and leaders refuse, move, vanish or take long. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import { Consumer, ErrorCode, Producer, errorName, type KafkaError, type ProducerConfig } from 'ottla'
import { fresh } from '../behaviour/world.ts'
import { closing } from '../harness/closing.ts'

const E = ErrorCode
const PRODUCE = 0
const FIND_COORDINATOR = 10
const INIT_PRODUCER_ID = 22
const ADD_PARTITIONS = 24
const ADD_OFFSETS = 25
const END_TXN = 26
const TXN_OFFSET_COMMIT = 28

const quiet = (): void => undefined

for (const [version, release] of [
  [2, '4.3'],
  [1, '3.9'],
] as const) {
  describe(`transactions of version ${version}`, () =>
    scenarios(version, () => EmbeddedCluster.start({ brokers: 3, as: release })))
}

function scenarios(version: 1 | 2, start: () => Promise<EmbeddedCluster>): void {
  let cluster: EmbeddedCluster

  before(async () => {
    cluster = await start()
  })

  after(async () => {
    await cluster.close()
  })

  function make(config: ProducerConfig = {}): Producer {
    const producer = new Producer(
      {
        'bootstrap.servers': cluster.bootstrapServers,
        'transactional.id': fresh('txn'),
        'linger.ms': 0,
        'retry.backoff.ms': 5,
        'retry.backoff.max.ms': 20,
        ...config,
      },
      { logger: quiet },
    )
    return closing(producer)
  }

  async function ready(config?: ProducerConfig): Promise<Producer> {
    const producer = make(config)
    await producer.initTransactions(20_000)
    return producer
  }

  function newTopic(partitions = 1): string {
    const topic = fresh('txn-faults')
    cluster.createTopic(topic, { partitions, replicationFactor: 3 })
    return topic
  }

  async function refusal(call: () => unknown): Promise<KafkaError> {
    try {
      await call()
    } catch (error) {
      return error as KafkaError // the library throws nothing else
    }
    assert.fail('it was not refused')
  }

  /** Name and kind of what a call is refused with. */
  async function kind(call: () => unknown): Promise<string> {
    const { name, isFatal, txnRequiresAbort, isRetriable } = await refusal(call)
    return `${name}${isFatal ? ' fatal' : ''}${txnRequiresAbort ? ' abort' : ''}${isRetriable ? ' again' : ''}`
  }

  /** Values that a reader of what is committed gets, of one partition. */
  async function read(topic: string): Promise<string[]> {
    await using consumer = new Consumer(
      { 'bootstrap.servers': cluster.bootstrapServers, 'enable.partition.eof': true, 'fetch.wait.max.ms': 20 },
      { logger: quiet },
    )
    await consumer.assign([{ topic, partition: 0, offset: 0 }])
    const values: string[] = []
    for (;;) {
      const event = await consumer.poll(10_000)
      assert.notEqual(event, null)
      if (event?.type === 'partition-eof') return values
      if (event?.type === 'message') values.push(String(event.message.value))
    }
  }

  /** That all is well with a producer: a transaction of it is seen. */
  async function works(producer: Producer, topic: string, value: string): Promise<void> {
    producer.beginTransaction()
    await producer.send({ topic, partition: 0, value })
    await producer.commitTransaction()
    assert.equal((await read(topic)).at(-1), value)
  }

  const passing = [
    E.ERR__TRANSPORT,
    E.ERR_COORDINATOR_NOT_AVAILABLE,
    E.ERR_NOT_COORDINATOR,
    E.ERR_COORDINATOR_LOAD_IN_PROGRESS,
    E.ERR_CONCURRENT_TRANSACTIONS,
  ]

  test('passing errors of every request are waited out', async () => {
    const topic = newTopic()
    const group = { groupId: fresh('group'), generationId: -1, memberId: '' }
    cluster.failNext(INIT_PRODUCER_ID, passing)
    cluster.failNext(END_TXN, passing)
    if (version === 1) {
      cluster.failNext(ADD_PARTITIONS, [...passing, E.ERR_UNKNOWN_TOPIC_OR_PART])
      cluster.failNext(ADD_OFFSETS, passing)
    }
    cluster.failNext(PRODUCE, [E.ERR_CONCURRENT_TRANSACTIONS, E.ERR_COORDINATOR_LOAD_IN_PROGRESS, E.ERR__TRANSPORT])
    cluster.failNext(TXN_OFFSET_COMMIT, [...passing, E.ERR_UNKNOWN_TOPIC_OR_PART])
    const producer = await ready()
    producer.beginTransaction()
    await producer.send({ topic, partition: 0, value: 'a' })
    await producer.sendOffsetsToTransaction([{ topic, partition: 0, offset: 1 }], group)
    await producer.commitTransaction()
    assert.deepEqual(await read(topic), ['a'])
    await works(producer, topic, 'b')
  })

  test('an id that may not be used, and a time-out that the broker refuses, are fatal', async () => {
    for (const code of [E.ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, E.ERR_CLUSTER_AUTHORIZATION_FAILED]) {
      cluster.failNext(INIT_PRODUCER_ID, [code])
      const producer = make()
      assert.equal(await kind(() => producer.initTransactions()), `${errorName(code)} fatal`)
      assert.equal(await kind(() => producer.initTransactions()), `${errorName(code)} fatal`)
      assert.equal(producer.fatalError?.code, code)
    }
    cluster.failNext(FIND_COORDINATOR, [E.ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED])
    const unfound = make()
    assert.equal(await kind(() => unfound.initTransactions()), 'ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED fatal')
    const producer = make({ 'transaction.timeout.ms': 900_001 })
    assert.equal(await kind(() => producer.initTransactions()), 'ERR_INVALID_TRANSACTION_TIMEOUT fatal')
  })

  test('initTransactions that runs out of time goes on, and the same call learns how it ends', async () => {
    const topic = newTopic()
    const producer = make()
    cluster.failNext(INIT_PRODUCER_ID, [{ code: 0, rttMs: 150 }])
    assert.equal(await kind(() => producer.initTransactions(20)), 'ERR__TIMED_OUT again')
    assert.equal(await kind(() => producer.beginTransaction()), 'ERR__CONFLICT')
    assert.equal(await kind(() => producer.initTransactions(20)), 'ERR__TIMED_OUT again')
    await producer.initTransactions(20_000)
    await works(producer, topic, 'a')
  })

  test('a commit, and an abort, that runs out of time goes on, and the same call learns how it ends', async () => {
    const topic = newTopic()
    const producer = await ready()
    for (const name of ['commitTransaction', 'abortTransaction'] as const) {
      const other = name === 'commitTransaction' ? 'abortTransaction' : 'commitTransaction'
      producer.beginTransaction()
      await producer.send({ topic, partition: 0, value: name })
      cluster.failNext(END_TXN, [{ code: 0, rttMs: 200 }])
      assert.equal(await kind(() => producer[name](20)), 'ERR__TIMED_OUT again')
      assert.equal(await kind(() => producer[other]()), 'ERR__CONFLICT')
      assert.equal(await kind(() => producer.beginTransaction()), 'ERR__CONFLICT')
      assert.equal(await kind(() => producer.send({ topic, value: 'x' })), 'ERR__STATE')
      await producer[name](20_000)
    }
    assert.deepEqual(await read(topic), ['commitTransaction'])
    await works(producer, topic, 'a')
  })

  test('a commit whose flush runs out of time is taken up again; a signal ends the wait, too', async () => {
    const topic = newTopic()
    const producer = await ready()
    producer.beginTransaction()
    cluster.failNext(PRODUCE, [{ code: 0, rttMs: 200 }])
    producer.produce({ topic, partition: 0, value: 'slow' })
    assert.equal(await kind(() => producer.commitTransaction({ timeoutMs: 20 })), 'ERR__TIMED_OUT again')
    const given = new Error('given up')
    const waiting = producer.commitTransaction({ signal: AbortSignal.any([AbortSignal.abort(given)]) })
    assert.equal(await refusal(() => waiting), given)
    await producer.commitTransaction()
    assert.deepEqual(await read(topic), ['slow'])
  })

  test('a coordinator that knows of a newer instance ends this one', async () => {
    const topic = newTopic()
    for (const code of [E.ERR_PRODUCER_FENCED, E.ERR_INVALID_PRODUCER_EPOCH]) {
      for (const name of ['commitTransaction', 'abortTransaction'] as const) {
        const producer = await ready()
        producer.beginTransaction()
        await producer.send({ topic, partition: 0, value: 'a' })
        cluster.failNext(END_TXN, [code])
        assert.equal(await kind(() => producer[name]()), 'ERR__FENCED fatal')
        assert.equal(await kind(() => producer[name]()), 'ERR__FENCED fatal')
        assert.equal(await kind(() => producer.beginTransaction()), 'ERR__FENCED fatal')
        assert.equal(await kind(() => producer.send({ topic, value: 'x' })), 'ERR__FATAL fatal')
      }
    }
  })

  test('an older instance never fences the newer one, whatever it is answered first', async () => {
    const topic = newTopic()
    const apis = version === 1 ? [ADD_PARTITIONS, ADD_OFFSETS] : []
    const codes = [
      E.ERR_INVALID_PRODUCER_EPOCH,
      E.ERR_PRODUCER_FENCED,
      E.ERR_UNKNOWN_PRODUCER_ID,
      E.ERR_INVALID_PRODUCER_ID_MAPPING,
      E.ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
      E.ERR_TRANSACTION_ABORTABLE,
      E.ERR_INVALID_TXN_STATE,
    ]
    for (const api of [...apis, PRODUCE, TXN_OFFSET_COMMIT, END_TXN]) {
      for (const code of codes) {
        const id = fresh('zombie')
        const older = await ready({ 'transactional.id': id, 'message.timeout.ms': 2000 })
        older.beginTransaction()
        await older.send({ topic, partition: 0, value: 'older' })
        const newer = await ready({ 'transactional.id': id })
        newer.beginTransaction()
        await newer.send({ topic, partition: 0, value: 'newer' })
        cluster.failNext(api, [code])
        const what = `${errorName(code)} to request ${api}`
        const attempts: (() => Promise<unknown>)[] = [
          () => older.send({ topic, partition: 0, value: 'zombie' }),
          () =>
            older.sendOffsetsToTransaction([{ topic, partition: 0, offset: 1 }], {
              groupId: fresh('group'),
              generationId: -1,
              memberId: '',
            }),
          () => older.commitTransaction(),
          () => older.abortTransaction(),
          () => older.abortTransaction(),
        ]
        for (const attempt of attempts) await attempt().catch(() => undefined)
        cluster.clearFaults()
        assert.notEqual(older.fatalError, null, what)
        await newer.commitTransaction().catch((error: unknown) => assert.fail(`${what}: ${String(error)}`))
        assert.equal((await read(topic)).at(-1), 'newer', what)
        await Promise.all([older.close(), newer.close()])
      }
    }
  })

  test('a commit that the coordinator cannot do is followed by an abort and by other transactions', async () => {
    const topic = newTopic()
    const producer = await ready()
    const codes: number[] = [E.ERR_UNKNOWN_PRODUCER_ID, E.ERR_INVALID_PRODUCER_ID_MAPPING, E.ERR_TRANSACTION_ABORTABLE]
    if (version === 2) codes.push(E.ERR_INVALID_TXN_STATE)
    for (const code of codes) {
      producer.beginTransaction()
      await producer.send({ topic, partition: 0, value: 'never' })
      cluster.failNext(END_TXN, [code])
      assert.equal(await kind(() => producer.commitTransaction()), `${errorName(code)} abort`)
      assert.equal(await kind(() => producer.commitTransaction()), `${errorName(code)} abort`)
      await producer.abortTransaction()
      await works(producer, topic, `after ${errorName(code)}`)
    }
    if (version === 2) return
    producer.beginTransaction()
    await producer.send({ topic, partition: 0, value: 'never' })
    cluster.failNext(END_TXN, [E.ERR_INVALID_TXN_STATE])
    assert.equal(await kind(() => producer.commitTransaction()), 'ERR_INVALID_TXN_STATE fatal')
  })

  test('an abort that is refused for a reason that may pass is tried again by the program', async () => {
    const topic = newTopic()
    const producer = await ready()
    producer.beginTransaction()
    await producer.send({ topic, partition: 0, value: 'never' })
    cluster.failNext(END_TXN, [E.ERR_GROUP_AUTHORIZATION_FAILED])
    assert.equal(await kind(() => producer.abortTransaction()), 'ERR_GROUP_AUTHORIZATION_FAILED abort')
    assert.equal(await kind(() => producer.commitTransaction()), 'ERR_GROUP_AUTHORIZATION_FAILED abort')
    await producer.abortTransaction()
    await works(producer, topic, 'a')
    assert.deepEqual(await read(topic), ['a'])
  })

  test('messages that are not delivered make the transaction fail, not the producer', async () => {
    const topic = newTopic()
    const producer = await ready()
    for (const code of [
      E.ERR_TOPIC_AUTHORIZATION_FAILED,
      E.ERR_INVALID_RECORD,
      E.ERR_TRANSACTION_ABORTABLE,
      E.ERR_INVALID_TXN_STATE,
    ]) {
      producer.beginTransaction()
      await producer.send({ topic, partition: 0, value: 'never' })
      cluster.failNext(PRODUCE, [code])
      assert.equal((await refusal(() => producer.send({ topic, partition: 0, value: 'never' }))).code, code)
      assert.equal(await kind(() => producer.send({ topic, partition: 0, value: 'never' })), 'ERR__STATE')
      const offsets = producer.sendOffsetsToTransaction([], { groupId: 'g', generationId: -1, memberId: '' })
      assert.equal(await kind(() => offsets), `${errorName(code)} abort`)
      assert.equal(await kind(() => producer.commitTransaction()), `${errorName(code)} abort`)
      await producer.abortTransaction()
      await works(producer, topic, `after ${errorName(code)}`)
    }
  })

  test('a broken sequence makes the transaction fail, and the numbers begin anew', async () => {
    const topic = newTopic()
    const producer = await ready()
    for (const code of [E.ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, E.ERR_UNKNOWN_PRODUCER_ID]) {
      producer.beginTransaction()
      await producer.send({ topic, partition: 0, value: 'never' })
      cluster.failNext(PRODUCE, [code])
      assert.equal((await refusal(() => producer.send({ topic, partition: 0, value: 'never' }))).code, code)
      assert.equal(await kind(() => producer.commitTransaction()), `${errorName(code)} abort`)
      await producer.abortTransaction()
      await works(producer, topic, `after ${errorName(code)}`)
    }
  })

  test('messages that run out of time, or are purged, cannot be committed', async () => {
    const topic = newTopic()
    const producer = await ready({ 'message.timeout.ms': 300 })
    producer.beginTransaction()
    await producer.send({ topic, partition: 0, value: 'never' })
    cluster.failNext(PRODUCE, Array(3).fill({ code: E.ERR_NOT_ENOUGH_REPLICAS, rttMs: 150 }))
    assert.equal(
      (await refusal(() => producer.send({ topic, partition: 0, value: 'late' }))).name,
      'ERR__MSG_TIMED_OUT',
    )
    assert.equal(await kind(() => producer.commitTransaction()), 'ERR__INCONSISTENT abort')
    await producer.abortTransaction()
    cluster.clearFaults()
    await works(producer, topic, 'after a time-out')
    producer.beginTransaction()
    await producer.send({ topic, partition: 0, value: 'never' })
    const purged = refusal(() => producer.send({ topic, partition: 0, value: 'purged' }))
    producer.purge()
    await purged
    assert.equal(await kind(() => producer.commitTransaction()), 'ERR__INCONSISTENT abort')
    await producer.abortTransaction()
    await works(producer, topic, 'after a purge')
  })

  test('an abort waits for what is under way, and all of it is reported', async () => {
    const topic = newTopic()
    const producer = await ready({ 'queue.buffering.max.messages': 6 })
    producer.beginTransaction()
    await producer.send({ topic, partition: 0, value: 'before' })
    cluster.failNext(PRODUCE, [{ code: 0, rttMs: 100 }])
    const names: string[] = []
    const sent = Array.from({ length: 20 }, (_, i) =>
      producer.send({ topic, partition: 0, value: `${i}` }).then(
        () => void names.push('ok'),
        (error: unknown) => void names.push((error as KafkaError).name),
      ),
    )
    await producer.abortTransaction()
    assert.equal(producer.outstanding, 0)
    await Promise.all(sent)
    assert.equal(names.length, 20)
    assert.ok(
      names.every(name => ['ok', 'ERR__PURGE_QUEUE', 'ERR__STATE'].includes(name)),
      String(names),
    )
    await works(producer, topic, 'a')
    assert.deepEqual(await read(topic), ['a'])
  })

  test('messages that are still being serialized belong to the commit, and not to what comes after an abort', async () => {
    const topic = newTopic()
    const value = async (data: string): Promise<string> => {
      await new Promise(resolve => setTimeout(resolve, 30))
      return data
    }
    const config = { 'bootstrap.servers': cluster.bootstrapServers, 'transactional.id': fresh('txn'), 'linger.ms': 0 }
    await using producer = new Producer(config, { logger: quiet, value })
    await producer.initTransactions()
    producer.beginTransaction()
    const sent = producer.send({ topic, partition: 0, value: 'slow' })
    await producer.commitTransaction()
    await sent
    producer.beginTransaction()
    const late = kind(() => producer.send({ topic, partition: 0, value: 'late' }))
    await producer.abortTransaction()
    producer.beginTransaction()
    await producer.send({ topic, partition: 0, value: 'next' })
    await producer.commitTransaction()
    assert.equal(await late, 'ERR__STATE')
    assert.deepEqual(await read(topic), ['slow', 'next'])
  })

  test('what comes back from a try during the abort is not tried again', async () => {
    const topic = newTopic()
    const producer = await ready()
    producer.beginTransaction()
    await producer.send({ topic, partition: 0, value: 'before' })
    cluster.failNext(PRODUCE, [{ code: E.ERR_NOT_ENOUGH_REPLICAS, rttMs: 100 }])
    const failing = refusal(() => producer.send({ topic, partition: 0, value: 'back' }))
    await new Promise(resolve => setImmediate(resolve))
    await producer.abortTransaction()
    assert.equal((await failing).name, 'ERR_NOT_ENOUGH_REPLICAS')
    await works(producer, topic, 'a')
    assert.deepEqual(await read(topic), ['a'])
  })

  test('the coordinators of the id and of the group move, and brokers go down, in the middle of a transaction', async () => {
    const topic = newTopic()
    const id = fresh('moving')
    const group = { groupId: fresh('group'), generationId: -1, memberId: '' }
    cluster.setCoordinator('transaction', id, 1)
    cluster.setCoordinator('group', group.groupId, 1)
    const producer = await ready({ 'transactional.id': id })
    producer.beginTransaction()
    await producer.send({ topic, partition: 0, value: 'a' })
    cluster.setCoordinator('transaction', id, 2)
    cluster.setCoordinator('group', group.groupId, 3)
    await producer.sendOffsetsToTransaction([{ topic, partition: 0, offset: 1 }], group)
    await cluster.brokerDown(2)
    const committing = producer.commitTransaction()
    await cluster.brokerUp(2)
    await committing
    await works(producer, topic, 'b')
    assert.deepEqual(await read(topic), ['a', 'b'])
  })

  test('offsets that are refused: what to do is told, and the producer goes on or does not', async () => {
    const topic = newTopic()
    const group = { groupId: fresh('group'), generationId: -1, memberId: '' }
    const offsets = [{ topic, partition: 0, offset: 1 }]
    const producer = await ready()
    const abortable = [
      E.ERR_ILLEGAL_GENERATION,
      E.ERR_UNKNOWN_MEMBER_ID,
      E.ERR_FENCED_INSTANCE_ID,
      E.ERR_GROUP_AUTHORIZATION_FAILED,
      E.ERR_TOPIC_AUTHORIZATION_FAILED,
      E.ERR_STALE_MEMBER_EPOCH,
    ]
    for (const code of abortable) {
      producer.beginTransaction()
      cluster.failNext(TXN_OFFSET_COMMIT, [code])
      assert.equal(await kind(() => producer.sendOffsetsToTransaction(offsets, group)), `${errorName(code)} abort`)
      await producer.abortTransaction()
    }
    producer.beginTransaction()
    cluster.failNext(TXN_OFFSET_COMMIT, [{ code: 0, rttMs: 200 }])
    assert.equal(await kind(() => producer.sendOffsetsToTransaction(offsets, group, 50)), 'ERR__TIMED_OUT again')
    await producer.sendOffsetsToTransaction(offsets, group)
    await producer.commitTransaction()
    await works(producer, topic, 'a')
    producer.beginTransaction()
    cluster.failNext(TXN_OFFSET_COMMIT, [E.ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED])
    const fatal = await kind(() => producer.sendOffsetsToTransaction(offsets, group))
    assert.equal(fatal, 'ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED fatal')
  })

  test('a transaction that takes longer than transaction.timeout.ms cannot be committed', async () => {
    const topic = newTopic()
    const producer = await ready({ 'transaction.timeout.ms': 1000 })
    producer.beginTransaction()
    await producer.send({ topic, partition: 0, value: 'never' })
    // The coordinator says nothing by itself: the partition's end does.
    await using reader = new Consumer(
      {
        'bootstrap.servers': cluster.bootstrapServers,
        'isolation.level': 'read_committed',
        'enable.partition.eof': true,
        'fetch.wait.max.ms': 20,
      },
      { logger: quiet },
    )
    await reader.assign([{ topic, partition: 0, offset: 0 }])
    let end = await reader.poll(10_000)
    while (end?.type !== 'partition-eof' || end.offset < 2) end = await reader.poll(10_000)
    const told = await kind(() => producer.commitTransaction())
    if (version === 1) {
      assert.equal(told, 'ERR__FENCED fatal')
      return
    }
    assert.equal(told, 'ERR_INVALID_TXN_STATE abort')
    await producer.abortTransaction()
    await works(producer, topic, 'a')
  })

  test('what is produced after the coordinator has given the transaction up makes it fail, not the producer', async () => {
    const topic = newTopic()
    const producer = await ready()
    producer.beginTransaction()
    await producer.send({ topic, partition: 0, value: 'never' })
    cluster.failNext(PRODUCE, [E.ERR_INVALID_PRODUCER_EPOCH])
    const name = 'ERR_INVALID_PRODUCER_EPOCH'
    assert.equal((await refusal(() => producer.send({ topic, partition: 0, value: 'never' }))).name, name)
    if (version === 2) {
      assert.equal(await kind(() => producer.commitTransaction()), 'ERR_INVALID_PRODUCER_EPOCH abort')
      await producer.abortTransaction()
      await works(producer, topic, 'a')
    }
  })

  if (version === 1) {
    test('partitions that may not be added make the transaction fail, and the messages are reported', async () => {
      const topic = newTopic()
      const producer = await ready()
      for (const code of [E.ERR_TOPIC_AUTHORIZATION_FAILED, E.ERR_UNKNOWN_PRODUCER_ID]) {
        producer.beginTransaction()
        cluster.failNext(ADD_PARTITIONS, [code])
        const error = await refusal(() => producer.send({ topic, partition: 0, value: 'never' }))
        assert.equal(error.name, 'ERR__PURGE_QUEUE')
        assert.equal((error.cause as KafkaError).code, code)
        assert.equal(await kind(() => producer.commitTransaction()), `${errorName(code)} abort`)
        await producer.abortTransaction()
        await works(producer, topic, `after ${errorName(code)}`)
      }
      producer.beginTransaction()
      cluster.failNext(ADD_PARTITIONS, [E.ERR_PRODUCER_FENCED])
      await refusal(() => producer.send({ topic, partition: 0, value: 'never' }))
      assert.equal(await kind(() => producer.commitTransaction()), 'ERR__FENCED fatal')
    })

    test('an abort does not wait for partitions that are being added', async () => {
      const topic = newTopic()
      const producer = await ready()
      producer.beginTransaction()
      cluster.failNext(ADD_PARTITIONS, Array(3).fill({ code: E.ERR_CONCURRENT_TRANSACTIONS, rttMs: 50 }))
      const purged = refusal(() => producer.send({ topic, partition: 0, value: 'never' }))
      await new Promise(resolve => setImmediate(resolve))
      await producer.abortTransaction()
      assert.equal((await purged).name, 'ERR__PURGE_QUEUE')
      cluster.clearFaults()
      await works(producer, topic, 'a')
    })
  }

  test('a fatal error of a test, and close, end what is under way', async () => {
    const topic = newTopic()
    const dying = await ready()
    dying.beginTransaction()
    dying.testFatalError(E.ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, 'told so')
    assert.equal(await kind(() => dying.commitTransaction()), 'ERR_OUT_OF_ORDER_SEQUENCE_NUMBER fatal')
    const producer = await ready()
    producer.beginTransaction()
    await producer.send({ topic, partition: 0, value: 'never' })
    cluster.failNext(END_TXN, [{ code: 0, rttMs: 5000 }])
    const committing = kind(() => producer.commitTransaction())
    await producer.close(50)
    assert.equal(await committing, 'ERR__DESTROY')
    assert.equal(await kind(() => producer.beginTransaction()), 'ERR__STATE')
  })
}
