/** What kafkajs's specs ask of offsets: what is committed when, seeks, transactions' offsets. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Consumer, EachBatchPayload, OffsetsByTopicPartition } from '@ottla/kafkajs'
import { AdminClient } from 'ottla'
import { lasting } from '../../harness/each-test/open-things.ts'
import { fresh } from '../world.ts'
import { anything, facadeOf, messages, pause, type PlainCluster, rejects, until } from './facade-world.ts'

const quiet = (): void => undefined

/** @param start a cluster of one broker */
export function offsetScenarios(start: () => Promise<PlainCluster>): void {
  const facade = facadeOf(start)
  let admin: AdminClient | undefined
  after(() => admin?.close())

  async function sent(topic: string, count: number): Promise<void> {
    const producer = facade.producer()
    await producer.connect()
    await producer.send({ topic, messages: messages(count) })
  }

  async function subscribed(topic: string, groupId: string, config: object = {}): Promise<Consumer> {
    const consumer = facade.consumer({ groupId, ...config })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    return consumer
  }

  async function committed(groupId: string, topic: string): Promise<number> {
    admin ??= lasting(new AdminClient({ 'bootstrap.servers': facade.brokers.join(',') }, { logger: quiet }))
    return (await admin.listConsumerGroupOffsets(groupId, [{ topic, partition: 0 }]))[0]?.offset ?? NaN
  }

  test('with autoCommit a batch is committed when it is processed', async () => {
    const [topic, groupId] = [await facade.topic(), fresh('group')]
    await sent(topic, 10)
    const consumer = await subscribed(topic, groupId)
    let count = 0
    await consumer.run({ eachMessage: () => Promise.resolve(void count++) })
    await until('they are processed', () => count === 10)
    await until('they are committed', async () => (await committed(groupId, topic)) === 10)
  })

  test('stop commits what is processed, and nothing that is not', async () => {
    const [topic, groupId] = [await facade.topic(), fresh('group')]
    await sent(topic, 100)
    const consumer = await subscribed(topic, groupId)
    let count = 0
    await consumer.run({
      eachMessage: async () => {
        count++
        await pause(5)
      },
    })
    await until('some are processed', () => count > 10)
    await consumer.disconnect()
    assert.ok(count < 100)
    assert.equal(await committed(groupId, topic), count)
  })

  for (const [name, options] of [
    ['autoCommitThreshold', { autoCommitThreshold: 3 }],
    ['autoCommitInterval', { autoCommitInterval: 20 }],
  ] as const) {
    test(`${name} commits in the middle of a batch`, async () => {
      const [topic, groupId] = [await facade.topic(), fresh('group')]
      await sent(topic, 10)
      const consumer = await subscribed(topic, groupId)
      let release = quiet
      const stuck = new Promise<void>(resolve => (release = resolve))
      await consumer.run({
        ...options,
        eachMessage: async ({ message }) => {
          if (message.offset === '7') await stuck
          await pause(10)
        },
      })
      await until('some are committed', async () => (await committed(groupId, topic)) >= 6)
      assert.ok((await committed(groupId, topic)) <= 7)
      release()
    })
  }

  test('without autoCommit nothing is committed but what the program commits', async () => {
    const [topic, groupId] = [await facade.topic(), fresh('group')]
    await sent(topic, 3)
    const consumer = await subscribed(topic, groupId)
    const seen: string[] = []
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ message }) => {
        seen.push(message.offset)
        if (seen.length === 1) {
          await consumer.commitOffsets([{ topic, partition: 0, offset: '1', metadata: 'event-1' }])
        }
      },
    })
    await until('all have come', () => seen.length === 3)
    await consumer.disconnect()
    assert.deepEqual(seen, ['0', '1', '2'])
    const [found] = (await admin?.listConsumerGroupOffsets(groupId, [{ topic, partition: 0 }])) ?? []
    assert.deepEqual([found?.offset, found?.metadata], [1, 'event-1'])
  })

  test('what cannot be committed is refused', async () => {
    const consumer = facade.consumer()
    const commit = (offset: unknown): Promise<void> => consumer.commitOffsets([anything(offset)])
    await rejects(commit({ topic: null }), { name: 'KafkaJSNonRetriableError', message: 'Invalid topic null' })
    await rejects(commit({ topic: 't', partition: 'ABC' }), { message: /expected a number received ABC/ })
    await rejects(commit({ topic: 't', partition: 0, offset: 'ABC' }), { message: /expected a long received ABC/ })
    await rejects(commit({ topic: 't', partition: 0, offset: '-1' }), { message: /must not be a negative number/ })
    await rejects(commit({ topic: 't', partition: 0, offset: '1', metadata: 7 }), {
      message: /Invalid offset metadata/,
    })
    await rejects(commit({ topic: 't', partition: 0, offset: '1' }), { message: /consumer#run must be called first/ })
    const seek = (offset: unknown) => (): void => consumer.seek(anything(offset))
    assert.throws(seek({ topic: null }), /Invalid topic null/)
    assert.throws(seek({ topic: 't', partition: 'ABC' }), /expected a number received ABC/)
    assert.throws(seek({ topic: 't', partition: 0, offset: 'ABC' }), /expected a long received ABC/)
    assert.throws(seek({ topic: 't', partition: 0, offset: '-32' }), /must not be a negative number/)
    assert.throws(seek({ topic: 't', partition: 0, offset: '1' }), /consumer#run must be called first/)
  })

  test('eachBatch resolves what it has processed; the rest comes again', async () => {
    const [topic, groupId] = [await facade.topic(), fresh('group')]
    await sent(topic, 10)
    const consumer = await subscribed(topic, groupId)
    const batches: string[][] = []
    const uncommitted: OffsetsByTopicPartition[] = []
    await consumer.run({
      eachBatchAutoResolve: false,
      eachBatch: async ({ batch, resolveOffset, uncommittedOffsets, commitOffsetsIfNecessary, heartbeat }) => {
        batches.push(batch.messages.map(({ offset }) => offset))
        for (const { offset } of batch.messages.slice(0, 4)) resolveOffset(offset)
        uncommitted.push(uncommittedOffsets())
        await commitOffsetsIfNecessary()
        await heartbeat()
      },
    })
    await until('all are resolved', async () => (await committed(groupId, topic)) === 10)
    assert.deepEqual(
      batches.map(([first]) => first),
      ['0', '4', '8'],
    )
    const partitions = [{ partition: '0', offset: '4' }]
    assert.deepEqual(uncommitted[0], { topics: [{ topic, partitions }] })
  })

  test('commitOffsetsIfNecessary commits the offsets that it is given', async () => {
    const [topic, groupId] = [await facade.topic(), fresh('group')]
    await sent(topic, 5)
    const consumer = await subscribed(topic, groupId)
    await consumer.run({
      autoCommit: false,
      eachBatch: ({ commitOffsetsIfNecessary }) =>
        commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition: 0, offset: '2' }] }] }),
    })
    await until('they are committed', async () => (await committed(groupId, topic)) === 2)
  })

  test('seek right after run takes effect when the partition is assigned; the last one counts', async () => {
    const [topic, groupId] = [await facade.topic(), fresh('group')]
    await sent(topic, 5)
    const consumer = await subscribed(topic, groupId)
    const seen: string[] = []
    const running = consumer.run({ eachMessage: ({ message }) => Promise.resolve(void seen.push(message.offset)) })
    consumer.seek({ topic, partition: 0, offset: '1' })
    consumer.seek({ topic, partition: 0, offset: '3' })
    await running
    await until('they have come', () => seen.length === 2)
    assert.deepEqual(seen, ['3', '4'])
  })

  for (const [offset, expected] of [
    ['-2', ['0', '1', '2']],
    ['100', ['0', '1', '2']],
  ] as const) {
    test(`seek to ${offset} of three messages`, async () => {
      const [topic, groupId] = [await facade.topic(), fresh('group')]
      await sent(topic, 3)
      const consumer = await subscribed(topic, groupId)
      const seen: string[] = []
      const running = consumer.run({ eachMessage: ({ message }) => Promise.resolve(void seen.push(message.offset)) })
      consumer.seek({ topic, partition: 0, offset })
      await running
      await until('they have come', () => seen.length >= 3)
      assert.deepEqual(seen, expected)
    })
  }

  test('seek within eachMessage drops the rest of the batch', async () => {
    const [topic, groupId] = [await facade.topic(), fresh('group')]
    await sent(topic, 10)
    const consumer = await subscribed(topic, groupId)
    const seen: string[] = []
    await consumer.run({
      eachMessage: ({ message }) => {
        seen.push(message.offset)
        if (seen.length === 3) consumer.seek({ topic, partition: 0, offset: '1' })
        return Promise.resolve()
      },
    })
    await until('the end is reached', () => seen.at(-1) === '9')
    assert.deepEqual(seen.slice(0, 5), ['0', '1', '2', '1', '2'])
    assert.equal(seen.length, 12)
  })

  test('a batch is stale once a seek has moved the partition, and resolves nothing any more', async () => {
    const [topic, groupId] = [await facade.topic(), fresh('group')]
    await sent(topic, 10)
    const consumer = await subscribed(topic, groupId)
    const seen: string[] = []
    await consumer.run({
      eachBatch: async ({ batch, isStale, resolveOffset, heartbeat }) => {
        for (const { offset } of batch.messages) {
          if (isStale()) break
          seen.push(offset)
          if (seen.length === 2) consumer.seek({ topic, partition: 0, offset: '0' })
          resolveOffset(offset)
          await heartbeat()
        }
      },
    })
    await until('the end is reached', () => seen.at(-1) === '9')
    assert.deepEqual(seen.slice(0, 4), ['0', '1', '0', '1'])
    await until('all are committed', async () => (await committed(groupId, topic)) === 10)
  })

  for (const autoCommit of [true, false]) {
    test(`the offset of a seek is committed with autoCommit only: ${autoCommit}`, async () => {
      const [topic, groupId] = [await facade.topic(), fresh('group')]
      await sent(topic, 3)
      const consumer = await subscribed(topic, groupId)
      const seen: string[] = []
      const running = consumer.run({
        autoCommit,
        eachMessage: ({ message }) => Promise.resolve(void seen.push(message.offset)),
      })
      consumer.seek({ topic, partition: 0, offset: '3' })
      await running
      if (autoCommit) await until('it is committed', async () => (await committed(groupId, topic)) === 3)
      consumer.seek({ topic, partition: 0, offset: '2' })
      await until('one has come', () => seen.length === 1)
      assert.deepEqual(seen, ['2'])
      await consumer.disconnect()
      assert.equal(await committed(groupId, topic), autoCommit ? 3 : -1001)
    })
  }

  for (const end of ['commit', 'abort'] as const) {
    test(`offsets that a transaction takes along count if it commits: ${end}`, async () => {
      const [topic, groupId] = [await facade.topic(), fresh('group')]
      await sent(topic, 10)
      const kafka = facade.kafka()
      const consumer = facade.consumer({ groupId }, kafka)
      await consumer.connect()
      await consumer.subscribe({ topic, fromBeginning: true })
      let payload: EachBatchPayload | null = null
      let seen: string[] = []
      const offsets: OffsetsByTopicPartition[] = []
      const options = {
        autoCommit: false,
        eachBatch: (given: EachBatchPayload) => {
          payload = given
          for (const { offset } of given.batch.messages) {
            seen.push(offset)
            given.resolveOffset(offset)
            offsets.push(given.uncommittedOffsets())
          }
          return Promise.resolve()
        },
      }
      await consumer.run(options)
      await until('all have come', () => seen.length === 10)
      const producer = facade.producer({ transactionalId: fresh('tx'), maxInFlightRequests: 1 }, kafka)
      await producer.connect()
      const transaction = await producer.transaction()
      const { topics } = offsets[7] as OffsetsByTopicPartition
      await transaction.sendOffsets({ consumerGroupId: groupId, topics })
      await transaction[end]()
      assert.deepEqual(offsets[7], { topics: [{ topic, partitions: [{ partition: '0', offset: '8' }] }] })
      await consumer.stop()
      seen = []
      await consumer.run(options)
      const expected = end === 'commit' ? ['8', '9'] : messages(10).map((_, i) => String(i))
      await until('the rest has come', () => seen.length === expected.length)
      assert.deepEqual(seen, expected)
      const last = await producer.transaction()
      const rest = (payload as unknown as EachBatchPayload).uncommittedOffsets()
      assert.deepEqual(rest, { topics: [{ topic, partitions: [{ partition: '0', offset: '10' }] }] })
      await last.sendOffsets({ consumerGroupId: groupId, topics: rest.topics })
      await last.commit()
      assert.deepEqual((payload as unknown as EachBatchPayload).uncommittedOffsets(), { topics: [] })
    })
  }
}
