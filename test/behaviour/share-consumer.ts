/** `ShareConsumer`: many consumers share the messages of partitions; one has a message at a time (KIP-932). */
import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import {
  ErrorCode,
  KafkaError,
  Producer,
  ShareConsumer,
  json,
  type ShareConsumerConfig,
  type ShareConsumerOptions,
  type ShareMessage,
} from 'ottla'
import { plainClients, type PlainWorld } from './plain-world.ts'
import { fresh } from './world.ts'
import { closing } from '../harness/closing.ts'
import { createTopic } from '../harness/topics.ts'

const quiet = (): void => undefined
const WAIT_MS = 30_000

/** @param start a cluster that serves share groups */
export function shareConsumerScenarios(start: () => Promise<PlainWorld>): void {
  const world = plainClients(start)

  function consumer<K = Buffer, V = Buffer>(
    group: string,
    config: Partial<ShareConsumerConfig> = {},
    options: ShareConsumerOptions<K, V> = {},
  ): ShareConsumer<K, V> {
    const made = new ShareConsumer<K, V>(
      { 'bootstrap.servers': world.bootstrapServers, 'group.id': group, 'fetch.wait.max.ms': 100, ...config },
      { logger: quiet, ...options },
    )
    return closing(made)
  }

  /** A group that reads from the beginning. */
  async function group(settings: Record<string, string> = {}): Promise<string> {
    const name = fresh('sharers')
    const entries = {
      'share.auto.offset.reset': 'earliest',
      'share.assignment.interval.ms': '0',
      'share.heartbeat.interval.ms': '200',
      ...settings,
    }
    const [altered] = await world.admin.incrementalAlterConfigs([
      {
        type: 'group',
        name,
        entries: Object.entries(entries).map(([key, value]) => ({ name: key, value, operation: 'set' as const })),
      },
    ])
    assert.equal(altered?.error, undefined)
    return name
  }

  async function topicOf(partitions: number): Promise<string> {
    const topic = fresh('share')
    await createTopic(world.bootstrapServers, topic, { numPartitions: partitions, replicationFactor: 1 })
    return topic
  }

  async function send(topic: string, values: readonly string[], partitions = 1): Promise<void> {
    const messages = values.map((value, i) => ({ topic, partition: i % partitions, value }))
    for (const { error } of await world.producer.sendBatch(messages)) assert.equal(error, undefined)
  }

  async function topicWith(count: number, partitions = 1): Promise<string> {
    const topic = await topicOf(partitions)
    await send(topic, numbers(count), partitions)
    return topic
  }

  async function message<K, V>(from: ShareConsumer<K, V>): Promise<ShareMessage<K, V>> {
    for (;;) {
      const event = await from.poll(WAIT_MS)
      assert.ok(event, 'no message came')
      if (event.type === 'message') return event.message
      if (event.type === 'error') throw event.error
    }
  }

  const text = (each: { value: unknown }): string => String(each.value)

  async function take(from: ShareConsumer, count: number): Promise<string[]> {
    const values: string[] = []
    while (values.length < count) values.push(text(await message(from)))
    return values
  }

  /** Asserts that a new member gets nothing: every message is processed, or locked by another member. */
  async function nothingLeft(name: string, topic: string): Promise<void> {
    const last = consumer(name)
    last.subscribe(topic)
    await until('the last one has joined', async () => {
      assert.equal(await last.poll(20), null)
      return last.assignment().length > 0
    })
    assert.equal(await last.poll(500), null)
    await last.close()
  }

  async function until(what: string, isTrue: () => Promise<boolean> | boolean): Promise<void> {
    const end = Date.now() + WAIT_MS
    while (!(await isTrue())) {
      assert.ok(Date.now() < end, `never came true: ${what}`)
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }

  // These tests mostly wait: for heartbeats, and for locks to end.
  describe('share groups', { concurrency: true }, () => {
    test('asking for the next message accepts the one before; nothing is delivered twice', async () => {
      const [topic, name] = [await topicWith(100), await group()]
      const first = consumer(name)
      first.subscribe(topic)
      assert.deepEqual(await take(first, 100), numbers(100))
      await first.commit()
      assert.equal(await first.poll(300), null)
      assert.deepEqual(first.assignment(), [{ topic, partition: 0 }])
      assert.deepEqual(first.subscription(), [topic])
      await first.close()
      await nothingLeft(name, topic)
    })

    test('for await ends at close, and the message at which it was left comes again', async () => {
      const [topic, name] = [await topicWith(5), await group()]
      const first = consumer(name)
      first.subscribe(topic)
      const seen: string[] = []
      for await (const each of first) {
        assert.equal(each.deliveryCount, 1)
        seen.push(text(each))
        if (seen.length === 3) break
      }
      await first.close()
      const second = consumer(name)
      second.subscribe([topic])
      const rest: string[] = []
      for await (const each of second) {
        rest.push(`${text(each)} x${each.deliveryCount}`)
        if (rest.length === 3) void second.close()
      }
      assert.deepEqual(seen, ['0', '1', '2'])
      assert.deepEqual(rest.map(each => each.slice(0, 1)).sort(), ['2', '3', '4'])
    })

    test('accepted, released and rejected messages go their ways', async () => {
      const [topic, name] = [await topicWith(4), await group()]
      const first = consumer(name, { 'share.acknowledgement.mode': 'explicit' })
      first.subscribe(topic)
      const acknowledged: number[] = []
      first.on('acknowledged', ({ offsets: done, error }) => {
        assert.equal(error, undefined)
        acknowledged.push(...done)
      })
      const given: ShareMessage[] = []
      while (given.length < 4) given.push(await message(first))
      const [zero, one, two, three] = given as [ShareMessage, ShareMessage, ShareMessage, ShareMessage]
      first.acknowledge(zero)
      first.acknowledge(two, 'reject')
      first.acknowledge(one, 'release')
      first.acknowledge(three, 'accept')
      assert.throws(() => first.acknowledge(three), { code: ErrorCode.ERR__STATE })
      assert.throws(() => first.acknowledge({ ...zero }), { code: ErrorCode.ERR__INVALID_ARG })
      assert.deepEqual(await first.commit(), [{ topic, partition: 0 }])
      assert.deepEqual(acknowledged.sort(), [0, 1, 2, 3])
      const again = await message(first)
      assert.deepEqual([text(again), again.deliveryCount], ['1', 2])
      first.acknowledge(again)
      await first.commit()
      assert.equal(await first.poll(200), null)
      assert.deepEqual(await first.commit(), [])
    })

    test('a message without an acknowledgement comes again when its lock ends, up to the delivery limit', async () => {
      const [topic, name] = [
        await topicWith(1),
        await group({ 'share.record.lock.duration.ms': '1000', 'share.delivery.count.limit': '4' }),
      ]
      const first = consumer(name, { 'share.acknowledgement.mode': 'explicit' })
      first.subscribe(topic)
      const seen = [await message(first)]
      // On a machine that is busy, a delivery may come after its lock has ended, and is dropped.
      for (let next = await first.poll(3000); next !== null; next = await first.poll(3000)) {
        if (next.type === 'message') seen.push(next.message)
      }
      const counts = seen.map(({ deliveryCount }) => deliveryCount)
      assert.ok(
        counts.length >= 2 && counts.every((count, i) => count > (counts[i - 1] ?? 0) && count <= 4),
        counts.join(),
      )
      for (const each of seen) {
        assert.equal(each.offset, seen[0]?.offset)
        assert.throws(() => first.acknowledge(each), { code: ErrorCode.ERR__STATE })
      }
    })

    test('a renewed lock lasts for as long as processing takes', async () => {
      const [topic, name] = [await topicWith(2), await group({ 'share.record.lock.duration.ms': '3000' })]
      const first = consumer(name, { 'share.acknowledgement.mode': 'explicit' })
      const other = consumer(name)
      first.subscribe(topic)
      const slow = await message(first)
      other.subscribe(topic)
      const ends = Date.now() + 5000
      while (Date.now() < ends) {
        first.acknowledge(slow, 'renew')
        assert.deepEqual(await first.commit(), [{ topic, partition: 0 }])
        await new Promise(resolve => setTimeout(resolve, 300))
      }
      first.acknowledge(slow, 'accept')
      await first.close()
      const rest = await message(other)
      assert.notEqual(rest.offset, slow.offset)
      await other.commit()
      assert.equal(await other.poll(3500), null)
    })

    test('run renews the locks of running handlers, releases failed messages, and close waits for handlers', async () => {
      const [topic, name] = [await topicWith(12, 2), await group({ 'share.record.lock.duration.ms': '3000' })]
      const first = consumer(name, {}, { value: json<number>() })
      first.subscribe(topic)
      const done: string[] = []
      let most = 0
      let atWork = 0
      const running = first.run({
        concurrency: 4,
        handler: async each => {
          most = Math.max(most, ++atWork)
          try {
            if (each.value === 3) await new Promise(resolve => setTimeout(resolve, 5000))
            else await new Promise(resolve => setTimeout(resolve, 5))
            if (each.value === 5 && each.deliveryCount === 1) throw new Error('not this time')
            if (each.value === 7) return 'reject'
            done.push(`${each.value} x${each.deliveryCount}`)
            return 'accept'
          } finally {
            atWork--
          }
        },
        onError: (error, each) => {
          assert.match(String(error), /not this time/)
          return each.deliveryCount === 1 ? 'release' : 'reject'
        },
      })
      await until('all but the rejected one are done', () => done.length === 11)
      await first.close()
      await running
      assert.ok(most > 1 && most <= 4, `${most} at once`)
      const expected = numbers(12)
        .filter(each => each !== '7')
        .map(each => (each === '5' ? '5 x2' : `${each} x1`))
      assert.deepEqual(done.sort(), expected.sort())
      await nothingLeft(name, topic)
    })

    test('two consumers share the messages of one partition', async () => {
      const [topic, name] = [await topicOf(1), await group()]
      const config: Partial<ShareConsumerConfig> = { 'max.poll.records': 20 }
      const [one, two] = [consumer(name, config), consumer(name, config)]
      const seen = new Map<string, number>()
      const counts = [0, 0]
      one.subscribe(topic)
      two.subscribe(topic)
      await until('both have the partition', () => one.assignment().length + two.assignment().length === 2)
      await send(topic, numbers(1000))
      const work = async (from: ShareConsumer, i: number): Promise<void> => {
        while (seen.size < 1000) {
          const event = await from.poll(100)
          if (event?.type !== 'message') continue
          seen.set(text(event.message), (seen.get(text(event.message)) ?? 0) + 1)
          counts[i] = (counts[i] ?? 0) + 1
          await new Promise(resolve => setImmediate(resolve))
        }
      }
      await Promise.all([work(one, 0), work(two, 1)])
      assert.ok((counts[0] ?? 0) > 0 && (counts[1] ?? 0) > 0, `${counts.join(' and ')} messages`)
      assert.deepEqual(
        [...seen.values()].filter(count => count > 1),
        [],
      )
    })

    test('several groups each get every message, also with other topics', async () => {
      const [topic, other] = [await topicWith(50, 3), await topicWith(10, 1)]
      const [a, b] = [consumer(await group()), consumer(await group())]
      a.subscribe([topic, other])
      b.subscribe(topic)
      const all = [...numbers(50), ...numbers(10)].sort()
      assert.deepEqual((await take(a, 60)).sort(), all)
      assert.deepEqual((await take(b, 50)).sort(), numbers(50).sort())
      b.subscribe(other)
      assert.deepEqual((await take(b, 10)).sort(), numbers(10).sort())
      await b.unsubscribe()
      assert.deepEqual([b.subscription(), b.assignment()], [[], []])
      b.subscribe(new RegExp(`^${other}$`))
      await send(other, ['later'])
      assert.equal(text(await message(b)), 'later')
    })

    test('every codec, keys and headers', async () => {
      const [topic, name] = [await topicOf(2), await group()]
      for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
        const own = new Producer(
          { 'bootstrap.servers': world.bootstrapServers, 'compression.type': codec },
          { logger: quiet },
        )
        const messages = Array.from({ length: 40 }, (_, i) => ({
          topic,
          key: `${codec}-${i}`,
          value: 'x'.repeat(200),
          headers: { codec },
        }))
        for (const { error } of await own.sendBatch(messages)) assert.equal(error, undefined)
        await own.close()
      }
      const first = consumer(name)
      first.subscribe(topic)
      const keys = new Set<string>()
      while (keys.size < 200) {
        const { key, value, headers } = await message(first)
        keys.add(String(key))
        assert.equal(String(value), 'x'.repeat(200))
        assert.equal(String(headers[0]?.value), String(key).split('-')[0])
      }
      assert.equal(keys.size, 200)
    })

    test('aborted messages are not delivered to a group that reads committed ones', async () => {
      const [topic, name] = [await topicOf(1), await group({ 'share.isolation.level': 'read_committed' })]
      const writer = new Producer(
        { 'bootstrap.servers': world.bootstrapServers, 'transactional.id': fresh('share-tx') },
        { logger: quiet },
      )
      await writer.initTransactions()
      for (const [i, commits] of [true, false, true].entries()) {
        writer.beginTransaction()
        for (let j = 0; j < 5; j++) writer.produce({ topic, partition: 0, value: `${i}-${j}` })
        if (commits) await writer.commitTransaction()
        else await writer.abortTransaction()
      }
      await writer.close()
      const first = consumer(name)
      first.subscribe(topic)
      const values = await take(first, 10)
      assert.deepEqual(
        values,
        [0, 2].flatMap(i => [0, 1, 2, 3, 4].map(j => `${i}-${j}`)),
      )
      await first.commit()
      assert.equal(await first.poll(300), null)
    })

    test('close releases prefetched messages, without counting a delivery', async () => {
      const [topic, name] = [await topicWith(30), await group()]
      const first = consumer(name, { 'share.acknowledgement.mode': 'explicit' })
      first.subscribe(topic)
      first.acknowledge(await message(first))
      await message(first)
      await first.close()
      await first.close()
      await assert.rejects(first.poll(0), { code: ErrorCode.ERR__STATE })
      const second = consumer(name)
      second.subscribe(topic)
      assert.deepEqual((await take(second, 29)).map(Number).sort(byNumber), numbers(30).map(Number).slice(1))
    })

    test('unsubscribe releases prefetched messages, but not those the application has', async () => {
      const [topic, name] = [await topicWith(20), await group()]
      const first = consumer(name, { 'share.acknowledgement.mode': 'explicit' })
      first.subscribe(topic)
      const one = await message(first)
      await first.unsubscribe()
      const second = consumer(name)
      second.subscribe(topic)
      assert.deepEqual((await take(second, 19)).map(Number).sort(byNumber), numbers(20).map(Number).slice(1))
      first.acknowledge(one)
      assert.deepEqual(await first.commit(), [{ topic, partition: 0 }])
      await second.commit()
      assert.equal(await second.poll(300), null)
    })

    test('a message that cannot be deserialized is reported, released, and can be rejected', async () => {
      const [topic, name] = [await topicOf(1), await group()]
      await send(topic, ['{"a":1}', 'no json', '{"a":2}'])
      const first = consumer(name, {}, { value: json<{ a: number }>() })
      first.subscribe(topic)
      assert.deepEqual((await message(first)).value, { a: 1 })
      const bad = await first.poll(WAIT_MS)
      assert.ok(bad?.type === 'error' && bad.error instanceof KafkaError)
      assert.equal(bad.error.code, ErrorCode.ERR__VALUE_DESERIALIZATION)
      const { rawMessage } = bad.error as KafkaError & { rawMessage: ShareMessage }
      assert.equal(String(rawMessage.value), 'no json')
      first.acknowledge(rawMessage, 'reject')
      assert.deepEqual((await message(first)).value, { a: 2 })
      await first.commit()
      assert.equal(await first.poll(300), null)
    })

    test('a topic that is deleted and recreated is read from its beginning', async () => {
      const [topic, name] = [await topicWith(5), await group()]
      const first = consumer(name, { 'topic.metadata.refresh.interval.ms': 200 })
      first.subscribe(topic)
      assert.deepEqual(await take(first, 5), numbers(5))
      await first.commit()
      await world.admin.deleteTopics([topic])
      await until('it is gone', async () => (await world.admin.describeTopics([topic]))[0]?.error !== undefined)
      await until('it can be made', async () => {
        const [made] = await world.admin.createTopics([{ topic, numPartitions: 1, replicationFactor: 1 }])
        return made?.error === undefined || made.error.code === ErrorCode.ERR_TOPIC_ALREADY_EXISTS
      })
      await send(topic, ['new'])
      for (;;) {
        const event = await first.poll(WAIT_MS)
        assert.ok(event, 'the new topic is not read')
        if (event.type === 'message') {
          assert.equal(text(event.message), 'new')
          break
        }
      }
    })

    test('an application that does not poll leaves the group with an event, and rejoins', async () => {
      const [topic, name] = [await topicWith(3), await group()]
      const first = consumer(name, { 'max.poll.interval.ms': 1000 })
      const codes: number[] = []
      first.on('error', ({ error }) => codes.push(error.code))
      first.subscribe(topic)
      const one = await message(first)
      await until('it has left', () => codes.includes(ErrorCode.ERR__MAX_POLL_EXCEEDED))
      await until('the group is empty', async () => {
        const [described] = await world.admin.describeShareGroups([name])
        return described?.members.length === 0
      })
      const second = consumer(name)
      second.subscribe(topic)
      assert.deepEqual(await take(second, 2), ['1', '2'])
      await second.close()
      first.acknowledge(one)
      const event = await first.poll(WAIT_MS)
      assert.equal(event?.type === 'error' && event.error.code, ErrorCode.ERR__MAX_POLL_EXCEEDED)
      assert.deepEqual(await take(first, 1), ['2'])
    })
  })
}

function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, i) => String(i))
}

function byNumber(a: number, b: number): number {
  return a - b
}
