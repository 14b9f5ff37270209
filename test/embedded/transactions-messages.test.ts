/** What becomes of the messages of a transaction when leaders refuse them, or time runs out. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode, Producer, errorName, type KafkaError } from 'ottla'
import { fresh } from '../behaviour/world.ts'
import { ADD_PARTITIONS, PRODUCE, forEachVersion, kind, refusal, quiet } from './transaction-faults.ts'

const E = ErrorCode

forEachVersion((version, world) => {
  const { ready, newTopic, read, works } = world

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
      world.cluster.failNext(PRODUCE, [code])
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
      world.cluster.failNext(PRODUCE, [code])
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
    world.cluster.failNext(PRODUCE, Array(3).fill({ code: E.ERR_NOT_ENOUGH_REPLICAS, rttMs: 150 }))
    assert.equal(
      (await refusal(() => producer.send({ topic, partition: 0, value: 'late' }))).name,
      'ERR__MSG_TIMED_OUT',
    )
    assert.equal(await kind(() => producer.commitTransaction()), 'ERR__INCONSISTENT abort')
    await producer.abortTransaction()
    world.cluster.clearFaults()
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
    world.cluster.failNext(PRODUCE, [{ code: 0, rttMs: 100 }])
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
    const config = {
      'bootstrap.servers': world.cluster.bootstrapServers,
      'transactional.id': fresh('txn'),
      'linger.ms': 0,
    }
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
    world.cluster.failNext(PRODUCE, [{ code: E.ERR_NOT_ENOUGH_REPLICAS, rttMs: 100 }])
    const failing = refusal(() => producer.send({ topic, partition: 0, value: 'back' }))
    await new Promise(resolve => setImmediate(resolve))
    await producer.abortTransaction()
    assert.equal((await failing).name, 'ERR_NOT_ENOUGH_REPLICAS')
    await works(producer, topic, 'a')
    assert.deepEqual(await read(topic), ['a'])
  })

  test('what is produced after the coordinator has given the transaction up makes it fail, not the producer', async () => {
    const topic = newTopic()
    const producer = await ready()
    producer.beginTransaction()
    await producer.send({ topic, partition: 0, value: 'never' })
    world.cluster.failNext(PRODUCE, [E.ERR_INVALID_PRODUCER_EPOCH])
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
        world.cluster.failNext(ADD_PARTITIONS, [code])
        const error = await refusal(() => producer.send({ topic, partition: 0, value: 'never' }))
        assert.equal(error.name, 'ERR__PURGE_QUEUE')
        assert.equal((error.cause as KafkaError).code, code)
        assert.equal(await kind(() => producer.commitTransaction()), `${errorName(code)} abort`)
        await producer.abortTransaction()
        await works(producer, topic, `after ${errorName(code)}`)
      }
      producer.beginTransaction()
      world.cluster.failNext(ADD_PARTITIONS, [E.ERR_PRODUCER_FENCED])
      await refusal(() => producer.send({ topic, partition: 0, value: 'never' }))
      assert.equal(await kind(() => producer.commitTransaction()), 'ERR__FENCED fatal')
    })

    test('an abort does not wait for partitions that are being added', async () => {
      const topic = newTopic()
      const producer = await ready()
      producer.beginTransaction()
      world.cluster.failNext(ADD_PARTITIONS, Array(3).fill({ code: E.ERR_CONCURRENT_TRANSACTIONS, rttMs: 50 }))
      const purged = refusal(() => producer.send({ topic, partition: 0, value: 'never' }))
      await new Promise(resolve => setImmediate(resolve))
      await producer.abortTransaction()
      assert.equal((await purged).name, 'ERR__PURGE_QUEUE')
      world.cluster.clearFaults()
      await works(producer, topic, 'a')
    })
  }
})
