/** `consumer.run`: many messages at once, in the requested order, committed up to the lowest unfinished message. */
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { Consumer, json, type ConsumerConfig, type Message } from 'ottla'
import { plainClients, type PlainWorld } from './plain-world.ts'
import { fresh } from './world.ts'
import { createTopic } from '../harness/topics.ts'

const quiet = (): void => undefined
const WAIT_MS = 30_000

/** @param start a cluster */
export function consumerRunScenarios(start: () => Promise<PlainWorld>): void {
  const world = plainClients(start)

  function configOf(group: string): ConsumerConfig {
    return {
      'bootstrap.servers': world.bootstrapServers,
      'group.id': group,
      'auto.offset.reset': 'earliest',
      'auto.commit.interval.ms': 100,
      'heartbeat.interval.ms': 100,
      'fetch.wait.max.ms': 50,
    }
  }

  async function topicWith(partitions: number, count: number, keyOf?: (i: number) => string): Promise<string> {
    const topic = fresh('run')
    await createTopic(world.bootstrapServers, topic, { numPartitions: partitions, replicationFactor: 1 })
    const messages = Array.from({ length: count }, (_, i) => ({
      topic,
      partition: i % partitions,
      key: keyOf?.(i) ?? null,
      value: String(i),
    }))
    for (const { error } of await world.producer.sendBatch(messages)) assert.equal(error, undefined)
    return topic
  }

  async function committed(group: string, topic: string, partitions: number): Promise<number[]> {
    const asked = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
    return (await world.admin.listConsumerGroupOffsets(group, asked)).map(({ offset }) => offset)
  }

  async function until(what: string, done: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = Date.now() + WAIT_MS
    while (!(await done())) {
      assert.ok(Date.now() < deadline, `never came true: ${what}`)
      await new Promise(resolve => setTimeout(resolve, 10))
    }
  }

  for (const order of ['partition', 'key', 'none'] as const) {
    test(`order ${order}: as many at once as allowed, each message once, committed at the end`, async () => {
      const [topic, group] = [await topicWith(3, 300, i => `key-${i % 15}`), fresh('run')]
      const consumer = new Consumer(configOf(group), { logger: quiet })
      consumer.subscribe(topic)
      const stop = new AbortController()
      const begun: Message[] = []
      const last = new Map<string, number>()
      let [atWork, most] = [0, 0]
      await consumer.run({
        concurrency: 8,
        order,
        signal: stop.signal,
        handler: async message => {
          most = Math.max(most, ++atWork)
          begun.push(message)
          const lane = order === 'partition' ? String(message.partition) : `${message.partition} ${String(message.key)}`
          if (order !== 'none') {
            assert.ok((last.get(lane) ?? -1) < message.offset, `${lane} is out of order`)
            last.set(lane, Infinity)
          }
          await new Promise(resolve => setTimeout(resolve, Math.random() * 4))
          last.set(lane, message.offset)
          atWork--
          if (begun.length === 300) stop.abort()
        },
      })
      assert.equal(new Set(begun.map(({ value }) => String(value))).size, 300)
      assert.ok(order === 'partition' ? most <= 3 : most <= 8, String(most))
      assert.ok(most > 1)
      assert.deepEqual(await committed(group, topic, 3), [100, 100, 100])
      await consumer.close()
    })
  }

  test('nothing behind an unfinished message is committed, and it comes again', async () => {
    const [topic, group] = [await topicWith(1, 50), fresh('run')]
    const first = new Consumer(configOf(group), { logger: quiet })
    first.subscribe(topic)
    let release = quiet
    const stuck = new Promise<void>(resolve => (release = resolve))
    const done = new Set<string>()
    const stop = new AbortController()
    const running = first.run({
      concurrency: 10,
      order: 'none',
      drainMs: 200,
      signal: stop.signal,
      handler: async ({ value }) => {
        if (String(value) === '7') await stuck
        else done.add(String(value))
      },
    })
    await until('the others are done', () => done.size === 49)
    await until('what can be is committed', async () => (await committed(group, topic, 1))[0] === 7)
    stop.abort()
    await running
    release()
    await first.close()
    assert.deepEqual(await committed(group, topic, 1), [7])
    const second = new Consumer(configOf(group), { logger: quiet })
    second.subscribe(topic)
    assert.equal(String((await second.readMessage(WAIT_MS)).value), '7')
    await second.close()
  })

  test('a failing message is retried, then dead-lettered with its origin and the error', async () => {
    const [topic, group, aside] = [await topicWith(1, 5), fresh('run'), await topicWith(1, 0)]
    await world.producer.send({ topic, partition: 0, key: 'k', value: 'no JSON', headers: { h: 'kept' } })
    await world.producer.send({ topic, partition: 0, value: '99' })
    const consumer = new Consumer(configOf(group), { logger: quiet, value: json<number>() })
    consumer.subscribe(topic)
    const tries: number[] = []
    const stop = new AbortController()
    await consumer.run({
      retry: { retries: 2, backoffMs: 1 },
      deadLetter: { topic: aside, producer: world.producer },
      signal: stop.signal,
      handler: ({ value }, { attempt }) => {
        if (value === 3) {
          tries.push(attempt)
          throw new Error('never three')
        }
        if (value === 1 && attempt === 1) throw new Error('not at once')
        if (value === 99) stop.abort()
      },
    })
    await consumer.close()
    assert.deepEqual(tries, [1, 2, 3])
    assert.deepEqual(await committed(group, topic, 1), [7])
    const reader = new Consumer(configOf(fresh('run')), { logger: quiet })
    reader.subscribe(aside)
    const letters = [await reader.readMessage(WAIT_MS), await reader.readMessage(WAIT_MS)]
    await reader.close()
    const shown = letters.map(({ value, key, headers }) => {
      const texts = Object.fromEntries(headers.map(header => [header.key, String(header.value)]))
      return [String(value), String(key), texts['ottla.origin.offset'], texts['ottla.attempts'], texts['h']]
    })
    assert.deepEqual(shown, [
      ['3', 'null', '3', '3', undefined],
      ['no JSON', 'k', '5', '1', 'kept'],
    ])
    const errors = letters.map(({ headers }) => String(headers.find(({ key }) => key === 'ottla.error')?.value))
    assert.match(errors[0] ?? '', /never three/)
    assert.match(errors[1] ?? '', /deserialize|JSON/i)
  })

  test('without a dead-letter topic, a failing message ends the run, and comes again', async () => {
    const [topic, group] = [await topicWith(1, 5), fresh('run')]
    const consumer = new Consumer(configOf(group), { logger: quiet })
    consumer.subscribe(topic)
    const failing = consumer.run({
      handler: ({ value }) => {
        if (String(value) === '2') throw new Error('not two')
      },
    })
    await assert.rejects(failing, /not two/)
    assert.deepEqual(await committed(group, topic, 1), [2])
    await assert.rejects(consumer.run({ concurrency: 0, handler: quiet }), /concurrency=0/)
    await consumer.close()
  })

  test('a stop between two attempts leaves the message as it is: not dead-lettered, not processed, not failed', async () => {
    for (const withPlace of [true, false]) {
      const [topic, group, aside] = [await topicWith(1, 3), fresh('run'), await topicWith(1, 0)]
      const consumer = new Consumer(configOf(group), { logger: quiet })
      consumer.subscribe(topic)
      const stop = new AbortController()
      const began = Date.now()
      await consumer.run({
        retry: { retries: 5, backoffMs: 60_000, backoffMaxMs: 60_000 },
        ...(withPlace ? { deadLetter: { topic: aside, producer: world.producer } } : {}),
        signal: stop.signal,
        handler: ({ value }) => {
          if (String(value) !== '1') return
          setTimeout(() => stop.abort(), 50)
          throw new Error('not yet')
        },
      })
      assert.ok(Date.now() - began < WAIT_MS, 'the pause between tries was not cut short')
      await consumer.close()
      assert.deepEqual(await committed(group, topic, 1), [1])
      assert.equal((await world.producer.queryWatermarkOffsets(aside, 0)).high, 0)
    }
  })

  test('a partition with a stuck handler does not hold up the others', async () => {
    const [topic, group] = [await topicWith(2, 2000), fresh('run')]
    const consumer = new Consumer(configOf(group), { logger: quiet })
    consumer.subscribe(topic)
    const stop = new AbortController()
    let release = quiet
    const stuck = new Promise<void>(resolve => (release = resolve))
    const done = [0, 0]
    const running = consumer.run({
      concurrency: 2,
      signal: stop.signal,
      handler: async ({ partition }) => {
        if (partition === 0 && done[0] === 0) await stuck
        done[partition] = (done[partition] ?? 0) + 1
      },
    })
    await until('the other partition is done', () => done[1] === 1000)
    release()
    await until('both are', () => done[0] === 1000)
    stop.abort()
    await running
    await consumer.close()
    assert.deepEqual(await committed(group, topic, 2), [1000, 1000])
  })

  test('without automatic commits, the run commits processed messages', async () => {
    const [topic, group] = [await topicWith(1, 20), fresh('run')]
    const consumer = new Consumer({ ...configOf(group), 'enable.auto.commit': false }, { logger: quiet })
    consumer.subscribe(topic)
    let count = 0
    const running = consumer.run({
      handler: () => {
        count++
      },
    })
    await until('it is committed while it runs', async () => (await committed(group, topic, 1))[0] === 20)
    await world.producer.send({ topic, partition: 0, value: 'one more' })
    await until('that is done', () => count === 21)
    await consumer.close()
    await running
    assert.deepEqual(await committed(group, topic, 1), [21])
  })

  test('members join and leave: running handlers are finished and committed before their partition moves', async () => {
    const [topic, group] = [await topicWith(6, 600), fresh('run')]
    const owners = new Map<string, number>()
    const member = (id: number): { consumer: Consumer; running: Promise<void> } => {
      const config = { ...configOf(group), 'partition.assignment.strategy': 'cooperative-sticky' }
      const consumer = new Consumer(config, { logger: quiet })
      consumer.subscribe(topic)
      const running = consumer.run({
        concurrency: 4,
        handler: async ({ value }) => {
          await new Promise(resolve => setTimeout(resolve, 5))
          const text = String(value)
          assert.equal(owners.get(text), undefined, `${text} was worked on twice`)
          owners.set(text, id)
        },
      })
      return { consumer, running }
    }
    const first = member(1)
    await until('the first is running', () => owners.size > 20)
    const second = member(2)
    await until('the second is running', () => [...owners.values()].includes(2))
    const third = member(3)
    await until('the third is running', () => [...owners.values()].includes(3))
    await second.consumer.close()
    await second.running
    await until('everything is done', () => owners.size === 600)
    for (const { consumer, running } of [first, third]) {
      await consumer.close()
      await running
    }
    assert.deepEqual(await committed(group, topic, 6), [100, 100, 100, 100, 100, 100])
  })
}
