/** What Confluent's specs ask of `KafkaJS` consumers (`test/promisified/consumer`). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KafkaJS } from '@ottla/kafka-javascript'
import { fresh } from '../world.ts'
import { confluentWorldOf, textOf, until, type PlainCluster } from './confluent-world.ts'

const { ErrorCodes, PartitionAssigners } = KafkaJS

/** @param start a cluster of one broker */
export function consumingScenarios(start: () => Promise<PlainCluster>): void {
  const world = confluentWorldOf(start)

  const numbers = (count: number, from = 0): string[] => Array.from({ length: count }, (_, i) => String(from + i))

  for (const partitionsConsumedConcurrently of [1, 3]) {
    const of = `${partitionsConsumedConcurrently} at once`

    test(`eachMessage: every message of every partition, in order, ${of}`, async () => {
      const topic = await world.topic(3)
      for (const partition of [0, 1, 2]) await world.fill(topic, numbers(50), partition)
      const consumer = await world.consumer()
      const seen = new Map<number, string[]>()
      await consumer.subscribe({ topic })
      await consumer.run({
        partitionsConsumedConcurrently,
        eachMessage: async ({ topic: from, partition, message, heartbeat }) => {
          assert.equal(from, topic)
          await heartbeat()
          seen.set(partition, [...(seen.get(partition) ?? []), textOf(message)])
        },
      })
      await until(() => [...seen.values()].flat().length === 150, 'all messages')
      for (const partition of [0, 1, 2]) assert.deepEqual(seen.get(partition), numbers(50))
    })

    test(`eachMessage: one that fails comes again, and nothing after it before, ${of}`, async () => {
      const topic = await world.topic()
      await world.fill(topic, numbers(5))
      const consumer = await world.consumer()
      const seen: string[] = []
      await consumer.subscribe({ topic })
      await consumer.run({
        partitionsConsumedConcurrently,
        eachMessage: async ({ message }) => {
          seen.push(textOf(message))
          if (textOf(message) === '2' && seen.filter(each => each === '2').length < 3) throw new Error('not yet')
        },
      })
      await until(() => seen.includes('4'), 'the last message')
      assert.deepEqual(seen, ['0', '1', '2', '2', '2', '3', '4'])
      assert.ok(world.lines.some(([level, message]) => level === 'error' && message.includes('not yet')))
    })
  }

  test('eachBatch: at most js.consumer.max.batch.size messages, with their offsets and lags', async () => {
    const topic = await world.topic()
    await world.fill(topic, numbers(70))
    const consumer = await world.consumer()
    const batches: KafkaJS.Batch[] = []
    await consumer.subscribe({ topics: [topic] })
    await consumer.run({ eachBatch: async ({ batch }) => void batches.push(batch) })
    await until(() => batches.reduce((sum, { messages }) => sum + messages.length, 0) === 70, 'all messages')
    assert.ok(batches.every(({ messages }) => messages.length <= 32))
    const [first] = batches
    assert.equal(first?.firstOffset(), '0')
    assert.equal(first.lastOffset(), String(first.messages.length - 1))
    assert.equal(first.highWatermark, '70')
    assert.equal(first.offsetLagLow(), '69')
    assert.equal(first.offsetLag(), String(70 - first.messages.length))
    assert.equal(first.isEmpty(), false)
    const one = await world.consumer({}, { 'js.consumer.max.batch.size': 1 })
    const sizes: number[] = []
    await one.subscribe({ topic })
    await one.run({ eachBatch: async ({ batch }) => void sizes.push(batch.messages.length) })
    await until(() => sizes.length === 70, 'all batches')
    assert.ok(sizes.every(size => size === 1))
    const bad = world.kafka().consumer({ kafkaJS: { groupId: 'g' }, 'js.consumer.max.batch.size': 0 })
    await assert.rejects(bad.connect(), { code: ErrorCodes.ERR__INVALID_ARG })
  })

  test('eachBatch: what is not resolved comes again', async () => {
    const topic = await world.topic()
    await world.fill(topic, numbers(6))
    const consumer = await world.consumer({ autoCommit: false })
    const firsts: string[] = []
    await consumer.subscribe({ topic })
    await consumer.run({
      eachBatchAutoResolve: false,
      eachBatch: async ({ batch, resolveOffset, commitOffsetsIfNecessary, isRunning, isStale }) => {
        assert.deepEqual([isRunning(), isStale()], [true, false])
        firsts.push(String(batch.firstOffset()))
        resolveOffset(String(batch.firstOffset()))
        resolveOffset('0')
        await commitOffsetsIfNecessary()
      },
    })
    await until(() => firsts.includes('5'), 'the last message')
    assert.deepEqual(firsts, numbers(6))
    await until(async () => (await consumer.committed())[0]?.offset === '6', 'the commit of everything')
  })

  test('autoCommit: offsets are committed at the interval, and when the consumer leaves', async () => {
    const topic = await world.topic()
    await world.fill(topic, numbers(4))
    const groupId = fresh('group')
    const first = await world.consumer({ groupId, autoCommitInterval: 100 })
    const seen: string[] = []
    const eachMessage = async ({ message }: KafkaJS.EachMessagePayload): Promise<void> =>
      void seen.push(textOf(message))
    await first.subscribe({ topic })
    await first.run({ eachMessage })
    await until(async () => (await first.committed([{ topic, partition: 0 }]))[0]?.offset === '4', 'a commit')
    await first.disconnect()
    await world.fill(topic, ['4'])
    const second = await world.consumer({ groupId })
    await second.subscribe({ topic })
    await second.run({ eachMessage })
    await until(() => seen.length >= 5, 'the next message')
    assert.deepEqual(seen, numbers(5))
  })

  test('commitOffsets: given, and all that is processed; storeOffsets; committed', async () => {
    const topic = await world.topic()
    await world.fill(topic, numbers(4))
    const consumer = await world.consumer({ autoCommit: false })
    let seen = 0
    await consumer.subscribe({ topic })
    await consumer.run({
      eachMessage: async () => {
        seen++
      },
    })
    await until(() => seen === 4, 'all messages')
    const place = { topic, partition: 0 }
    assert.deepEqual((await consumer.committed([place]))[0]?.offset, null)
    await consumer.commitOffsets([{ ...place, offset: '2', metadata: 'so far', leaderEpoch: 0 }])
    const [given] = await consumer.committed([place])
    assert.deepEqual([given?.offset, given?.metadata], ['2', 'so far'])
    consumer.storeOffsets([{ ...place, offset: '3' }])
    await consumer.commitOffsets()
    assert.equal((await consumer.committed([place]))[0]?.offset, '3')
    await consumer.commitOffsets()
    await assert.rejects(consumer.commitOffsets([{ ...place, offset: '-5' }]), { code: ErrorCodes.ERR__INVALID_ARG })
  })

  test('seek: before the assignment, from a handler, and to logical offsets', async () => {
    const topic = await world.topic()
    await world.fill(topic, numbers(6))
    const consumer = await world.consumer()
    const seen: string[] = []
    await consumer.subscribe({ topic })
    consumer.seek({ topic, partition: 0, offset: '4' })
    await consumer.run({
      eachMessage: async ({ message }) => {
        seen.push(textOf(message))
        if (seen.length === 2) consumer.seek({ topic, partition: 0, offset: '1' })
      },
    })
    await until(() => seen.length >= 7, 'messages after the seek')
    assert.deepEqual(seen, ['4', '5', '1', '2', '3', '4', '5'])
    consumer.seek({ topic, partition: 0, offset: '-2' })
    await until(() => seen.length >= 13, 'messages from the beginning')
    assert.deepEqual(seen.slice(7), numbers(6))
    assert.throws(() => consumer.seek({ topic, partition: 0, offset: '-9' }), { code: ErrorCodes.ERR__INVALID_ARG })
  })

  test('pause in a handler, also before it fails, and resume by what pause gives', async () => {
    const topic = await world.topic()
    await world.fill(topic, numbers(4))
    const consumer = await world.consumer()
    const seen: string[] = []
    let resume: (() => void) | null = null
    await consumer.subscribe({ topic })
    await consumer.run({
      eachMessage: async ({ message, pause }) => {
        seen.push(textOf(message))
        if (textOf(message) !== '1' || resume !== null) return
        resume = pause()
        throw new Error('later')
      },
    })
    await until(() => resume !== null, 'the pause')
    assert.deepEqual(consumer.paused(), [{ topic, partitions: [0] }])
    await new Promise(resolve => setTimeout(resolve, 300))
    assert.deepEqual(seen, ['0', '1'])
    resume!() // set by the handler
    await until(() => seen.length >= 5, 'the rest')
    assert.deepEqual(seen, ['0', '1', '1', '2', '3'])
    assert.deepEqual(consumer.paused(), [])
  })

  test('eachBatch: a pause makes the batch stale; what was not resolved comes after resume', async () => {
    const topic = await world.topic()
    await world.fill(topic, numbers(6))
    const consumer = await world.consumer()
    const seen: string[] = []
    let stale = false
    await consumer.subscribe({ topic })
    await consumer.run({
      eachBatch: async ({ batch, resolveOffset, isStale, pause }) => {
        for (const message of batch.messages) {
          if (isStale()) break
          seen.push(textOf(message))
          resolveOffset(message.offset)
          if (message.offset === '2' && !stale) {
            const resume = pause()
            stale = isStale()
            setTimeout(resume, 200)
          }
        }
      },
    })
    await until(() => seen.length >= 6, 'all messages')
    assert.equal(stale, true)
    assert.deepEqual(seen, numbers(6))
  })

  test('subscribe: patterns, further topics, and replace', async () => {
    const prefix = fresh('pattern')
    const admin = await world.admin()
    const topics = [`${prefix}-a`, `${prefix}-b`]
    await admin.createTopics({ topics: [...topics, `x-${prefix}`].map(topic => ({ topic, numPartitions: 1 })) })
    const consumer = await world.consumer()
    await assert.rejects(consumer.subscribe({ topic: new RegExp(prefix) }), /begins with \^/)
    await assert.rejects(consumer.subscribe({ topics: [new RegExp(`^${prefix}`, 'i')] }), /has no flags/)
    await assert.rejects(consumer.subscribe({ topics: [1] } as never), { code: ErrorCodes.ERR__INVALID_ARG })
    await assert.rejects(consumer.subscribe({ topic: 't', fromBeginning: true } as never), /option of the consumer/)
    await consumer.subscribe({ topics: [new RegExp(`^${prefix}`)] })
    await consumer.run({ eachMessage: async () => undefined })
    const assigned = (): string[] =>
      consumer
        .assignment()
        .map(({ topic }) => topic)
        .sort()
    await until(() => assigned().length === 2, 'both topics')
    assert.deepEqual(assigned(), topics)
    await consumer.subscribe({ topic: `x-${prefix}` })
    await until(() => assigned().length === 3, 'the third topic')
    await consumer.subscribe({ topics: [`x-${prefix}`], replace: true })
    await until(() => assigned().length === 1, 'that alone')
    assert.deepEqual(assigned(), [`x-${prefix}`])
  })

  test('options that belong to the consumer are refused in run; a second run, stop', async () => {
    const topic = await world.topic()
    const consumer = await world.consumer()
    await consumer.subscribe({ topic })
    await assert.rejects(consumer.run({ autoCommit: true } as never), /option of the consumer/)
    await assert.rejects(consumer.run({ autoCommitThreshold: 1 } as never), { code: ErrorCodes.ERR__NOT_IMPLEMENTED })
    await consumer.run({ eachMessage: async () => undefined })
    await assert.rejects(consumer.run({}), { code: ErrorCodes.ERR__STATE })
    await assert.rejects(consumer.stop(), { code: ErrorCodes.ERR__NOT_IMPLEMENTED })
    const unconnected = world.kafka().consumer({ kafkaJS: { groupId: 'g' } })
    await assert.rejects(unconnected.run({}), { code: ErrorCodes.ERR__STATE })
    assert.throws(() => unconnected.assignment(), { code: ErrorCodes.ERR__STATE })
  })

  const kinds: [name: string, block: Partial<KafkaJS.ConsumerConfig>, beside: object][] = [
    ['roundrobin', {}, {}],
    ['cooperative-sticky', { partitionAssigners: [PartitionAssigners.cooperativeSticky] }, {}],
    ['the consumer protocol', {}, { 'group.protocol': 'consumer' }],
  ]
  for (const [name, block, beside] of kinds) {
    test(`two members share the partitions, and nothing is lost: ${name}`, async () => {
      const topic = await world.topic(4)
      const groupId = fresh('group')
      const seen: string[] = []
      const eachMessage = async ({ message }: KafkaJS.EachMessagePayload): Promise<void> =>
        void seen.push(textOf(message))
      const member = async (): Promise<KafkaJS.Consumer> => {
        const consumer = await world.consumer({ groupId, ...block }, beside)
        await consumer.subscribe({ topic })
        await consumer.run({ eachMessage, partitionsConsumedConcurrently: 2 })
        return consumer
      }
      for (const partition of [0, 1, 2, 3]) await world.fill(topic, numbers(10, partition * 10), partition)
      const first = await member()
      await until(() => first.assignment().length === 4, 'all partitions')
      const second = await member()
      await until(() => first.assignment().length === 2 && second.assignment().length === 2, 'two each')
      assert.equal(second.rebalanceProtocol(), name === 'roundrobin' ? 'EAGER' : 'COOPERATIVE')
      for (const partition of [0, 1, 2, 3]) await world.fill(topic, [String(40 + partition)], partition)
      await first.disconnect()
      await until(() => second.assignment().length === 4, 'all partitions of the second')
      await until(() => new Set(seen).size === 44, 'all messages')
    })
  }

  test('rebalance_cb: sees every rebalance, and may choose where to begin', async () => {
    const topic = await world.topic()
    await world.fill(topic, numbers(5))
    const codes: number[] = []
    const seen: string[] = []
    const consumer = await world.consumer(
      {},
      {
        rebalance_cb: async (error: { code: number }, partitions: KafkaJS.TopicPartition[]) => {
          codes.push(error.code)
          await new Promise(resolve => setImmediate(resolve))
          return error.code === ErrorCodes.ERR__ASSIGN_PARTITIONS
            ? partitions.map(each => ({ ...each, offset: 3 }))
            : undefined
        },
      },
    )
    await consumer.subscribe({ topic })
    await consumer.run({ eachMessage: async ({ message }) => void seen.push(textOf(message)) })
    await until(() => seen.length === 2, 'two messages')
    assert.deepEqual(seen, ['3', '4'])
    await consumer.subscribe({ topics: [await world.topic()], replace: true })
    await until(() => codes.includes(ErrorCodes.ERR__REVOKE_PARTITIONS), 'a revocation')
    assert.equal(codes[0], ErrorCodes.ERR__ASSIGN_PARTITIONS)
  })

  test('rebalance_cb: with the functions that it gets', async () => {
    const topic = await world.topic(2)
    interface Fns {
      assign(partitions: object[]): void
      assignmentLost(): boolean
    }
    const consumer = await world.consumer(
      {},
      {
        rebalance_cb: (error: { code: number }, partitions: KafkaJS.TopicPartition[], fns: Fns) => {
          assert.equal(fns.assignmentLost(), false)
          if (error.code === ErrorCodes.ERR__ASSIGN_PARTITIONS) fns.assign(partitions.slice(0, 1))
        },
      },
    )
    await consumer.subscribe({ topic })
    await consumer.run({ eachMessage: async () => undefined })
    await until(() => consumer.assignment().length > 0, 'an assignment')
    assert.equal(consumer.assignment().length, 1)
  })

  test('disconnect lets a handler end, which may seek and commit, and rebalance_cb sees the revocation', async () => {
    const topic = await world.topic()
    await world.fill(topic, numbers(2))
    const codes: number[] = []
    const done: string[] = []
    const consumer = await world.consumer({}, { rebalance_cb: ({ code }: { code: number }) => void codes.push(code) })
    let begun = (): void => undefined
    const running = new Promise<void>(resolve => (begun = resolve))
    let leave = (): void => undefined
    const leaving = new Promise<void>(resolve => (leave = resolve))
    await consumer.subscribe({ topic })
    await consumer.run({
      eachMessage: async ({ message: { offset } }) => {
        begun()
        await leaving
        consumer.seek({ topic, partition: 0, offset })
        await consumer.commitOffsets([{ topic, partition: 0, offset: '1' }])
        done.push(offset)
      },
    })
    await running
    const disconnected = consumer.disconnect()
    leave()
    await disconnected
    assert.deepEqual(done, ['0'])
    assert.deepEqual(codes, [ErrorCodes.ERR__ASSIGN_PARTITIONS, ErrorCodes.ERR__REVOKE_PARTITIONS])
  })

  test('pause and resume of whole topics', async () => {
    const topic = await world.topic(2)
    const seen: string[] = []
    const consumer = await world.consumer()
    await consumer.subscribe({ topic })
    await consumer.run({ eachMessage: async ({ message }) => void seen.push(textOf(message)) })
    await until(() => consumer.assignment().length === 2, 'an assignment')
    consumer.pause([{ topic }])
    assert.deepEqual(consumer.paused(), [{ topic, partitions: [0, 1] }])
    await world.fill(topic, ['a'])
    consumer.resume([{ topic }])
    assert.deepEqual(consumer.paused(), [])
    await until(() => seen.length === 1, 'a message')
  })

  test('committed has what was committed before, awaited or not', async () => {
    const topic = await world.topic(3)
    const consumer = await world.consumer({ autoCommit: false })
    await consumer.subscribe({ topic })
    await consumer.run({ eachMessage: async () => undefined })
    await until(() => consumer.assignment().length === 3, 'an assignment')
    const commits = [0, 1, 2].map(partition =>
      consumer.commitOffsets([{ topic, partition, offset: '7', metadata: 'm' }]),
    )
    const committed = await consumer.committed()
    assert.deepEqual(
      committed.map(({ offset, metadata }) => [offset, metadata]),
      Array.from({ length: 3 }, () => ['7', 'm']),
    )
    await Promise.all(commits)
  })
}
