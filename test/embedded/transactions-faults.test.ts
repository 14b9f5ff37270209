/** What the calls of a transactional producer do when coordinators refuse, move, vanish or take long. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Consumer, ErrorCode, errorName } from 'ottla'
import { fresh } from '../behaviour/world.ts'
import {
  hold,
  ADD_OFFSETS,
  ADD_PARTITIONS,
  END_TXN,
  FIND_COORDINATOR,
  INIT_PRODUCER_ID,
  PRODUCE,
  TXN_OFFSET_COMMIT,
  forEachVersion,
  kind,
  refusal,
  quiet,
} from './transaction-faults.ts'

const E = ErrorCode

forEachVersion((version, world) => {
  const { make, ready, newTopic, read, works } = world

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
    world.cluster.failNext(INIT_PRODUCER_ID, passing)
    world.cluster.failNext(END_TXN, passing)
    if (version === 1) {
      world.cluster.failNext(ADD_PARTITIONS, [...passing, E.ERR_UNKNOWN_TOPIC_OR_PART])
      world.cluster.failNext(ADD_OFFSETS, passing)
    }
    world.cluster.failNext(PRODUCE, [
      E.ERR_CONCURRENT_TRANSACTIONS,
      E.ERR_COORDINATOR_LOAD_IN_PROGRESS,
      E.ERR__TRANSPORT,
    ])
    world.cluster.failNext(TXN_OFFSET_COMMIT, [...passing, E.ERR_UNKNOWN_TOPIC_OR_PART])
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
      world.cluster.failNext(INIT_PRODUCER_ID, [code])
      const producer = make()
      assert.equal(await kind(() => producer.initTransactions()), `${errorName(code)} fatal`)
      assert.equal(await kind(() => producer.initTransactions()), `${errorName(code)} fatal`)
      assert.equal(producer.fatalError?.code, code)
    }
    world.cluster.failNext(FIND_COORDINATOR, [E.ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED])
    const unfound = make()
    assert.equal(await kind(() => unfound.initTransactions()), 'ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED fatal')
    const producer = make({ 'transaction.timeout.ms': 900_001 })
    assert.equal(await kind(() => producer.initTransactions()), 'ERR_INVALID_TRANSACTION_TIMEOUT fatal')
  })

  test('initTransactions that runs out of time goes on, and the same call learns how it ends', async () => {
    const topic = newTopic()
    const producer = make()
    const goOn = hold(world.cluster, INIT_PRODUCER_ID)
    assert.equal(await kind(() => producer.initTransactions(20)), 'ERR__TIMED_OUT again')
    assert.equal(await kind(() => producer.beginTransaction()), 'ERR__CONFLICT')
    assert.equal(await kind(() => producer.initTransactions(20)), 'ERR__TIMED_OUT again')
    goOn()
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
      const goOn = hold(world.cluster, END_TXN)
      assert.equal(await kind(() => producer[name](20)), 'ERR__TIMED_OUT again')
      assert.equal(await kind(() => producer[other]()), 'ERR__CONFLICT')
      assert.equal(await kind(() => producer.beginTransaction()), 'ERR__CONFLICT')
      assert.equal(await kind(() => producer.send({ topic, value: 'x' })), 'ERR__STATE')
      goOn()
      await producer[name](20_000)
    }
    assert.deepEqual(await read(topic), ['commitTransaction'])
    await works(producer, topic, 'a')
  })

  test('a commit whose flush runs out of time is taken up again; a signal ends the wait, too', async () => {
    const topic = newTopic()
    const producer = await ready()
    producer.beginTransaction()
    const goOn = hold(world.cluster, PRODUCE)
    producer.produce({ topic, partition: 0, value: 'slow' })
    assert.equal(await kind(() => producer.commitTransaction({ timeoutMs: 20 })), 'ERR__TIMED_OUT again')
    const given = new Error('given up')
    const waiting = producer.commitTransaction({ signal: AbortSignal.any([AbortSignal.abort(given)]) })
    assert.equal(await refusal(() => waiting), given)
    goOn()
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
        world.cluster.failNext(END_TXN, [code])
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
        world.cluster.failNext(api, [code])
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
        world.cluster.clearFaults()
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
      world.cluster.failNext(END_TXN, [code])
      assert.equal(await kind(() => producer.commitTransaction()), `${errorName(code)} abort`)
      assert.equal(await kind(() => producer.commitTransaction()), `${errorName(code)} abort`)
      await producer.abortTransaction()
      await works(producer, topic, `after ${errorName(code)}`)
    }
    if (version === 2) return
    producer.beginTransaction()
    await producer.send({ topic, partition: 0, value: 'never' })
    world.cluster.failNext(END_TXN, [E.ERR_INVALID_TXN_STATE])
    assert.equal(await kind(() => producer.commitTransaction()), 'ERR_INVALID_TXN_STATE fatal')
  })

  test('an abort that is refused for a reason that may pass is tried again by the program', async () => {
    const topic = newTopic()
    const producer = await ready()
    producer.beginTransaction()
    await producer.send({ topic, partition: 0, value: 'never' })
    world.cluster.failNext(END_TXN, [E.ERR_GROUP_AUTHORIZATION_FAILED])
    assert.equal(await kind(() => producer.abortTransaction()), 'ERR_GROUP_AUTHORIZATION_FAILED abort')
    assert.equal(await kind(() => producer.commitTransaction()), 'ERR_GROUP_AUTHORIZATION_FAILED abort')
    await producer.abortTransaction()
    await works(producer, topic, 'a')
    assert.deepEqual(await read(topic), ['a'])
  })

  test('the coordinators of the id and of the group move, and brokers go down, in the middle of a transaction', async () => {
    const topic = newTopic()
    const id = fresh('moving')
    const group = { groupId: fresh('group'), generationId: -1, memberId: '' }
    world.cluster.setCoordinator('transaction', id, 1)
    world.cluster.setCoordinator('group', group.groupId, 1)
    const producer = await ready({ 'transactional.id': id })
    producer.beginTransaction()
    await producer.send({ topic, partition: 0, value: 'a' })
    world.cluster.setCoordinator('transaction', id, 2)
    world.cluster.setCoordinator('group', group.groupId, 3)
    await producer.sendOffsetsToTransaction([{ topic, partition: 0, offset: 1 }], group)
    await world.cluster.brokerDown(2)
    const committing = producer.commitTransaction()
    await world.cluster.brokerUp(2)
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
      world.cluster.failNext(TXN_OFFSET_COMMIT, [code])
      assert.equal(await kind(() => producer.sendOffsetsToTransaction(offsets, group)), `${errorName(code)} abort`)
      await producer.abortTransaction()
    }
    producer.beginTransaction()
    const goOn = hold(world.cluster, TXN_OFFSET_COMMIT)
    assert.equal(await kind(() => producer.sendOffsetsToTransaction(offsets, group, 50)), 'ERR__TIMED_OUT again')
    goOn()
    await producer.sendOffsetsToTransaction(offsets, group)
    await producer.commitTransaction()
    await works(producer, topic, 'a')
    producer.beginTransaction()
    world.cluster.failNext(TXN_OFFSET_COMMIT, [E.ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED])
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
        'bootstrap.servers': world.cluster.bootstrapServers,
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

  test('a fatal error of a test, and close, end what is under way', async () => {
    const topic = newTopic()
    const dying = await ready()
    dying.beginTransaction()
    dying.testFatalError(E.ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, 'told so')
    assert.equal(await kind(() => dying.commitTransaction()), 'ERR_OUT_OF_ORDER_SEQUENCE_NUMBER fatal')
    const producer = await ready()
    producer.beginTransaction()
    await producer.send({ topic, partition: 0, value: 'never' })
    const goOn = hold(world.cluster, END_TXN)
    const committing = kind(() => producer.commitTransaction())
    await producer.close(50)
    goOn()
    assert.equal(await committing, 'ERR__DESTROY')
    assert.equal(await kind(() => producer.beginTransaction()), 'ERR__STATE')
  })
})
