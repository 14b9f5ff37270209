/** A log that is cut, or made anew, under a group: what is committed then, and what a member that comes after it reads. */
import { test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import { EmbeddedCluster } from '@ottla/broker'
import { Consumer, KafkaError, type ConsumerConfig, type Message } from 'ottla'
import { readers, type Next, type Reader } from '../behaviour/readers.ts'
import { plainClients } from '../behaviour/plain-world.ts'
import { fresh } from '../behaviour/world.ts'
import { createTopic } from '../harness/topics.ts'

const WAIT_MS = 30_000
const quiet = (): void => undefined

let cluster: EmbeddedCluster
const world = plainClients(async () => (cluster = await EmbeddedCluster.start({ brokers: 3 })))

/** Each message a batch of its own, so that the log can be cut between them. */
async function fill(topic: string, word: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await world.producer.send({ topic, partition: 0, value: `${word} ${i}` })
}

const words = (word: string, from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => `${word} ${from + i}`)

async function until(what: string, isTrue: () => Promise<boolean> | boolean): Promise<void> {
  const end = Date.now() + WAIT_MS
  while (!(await isTrue())) {
    assert.ok(Date.now() < end, `never came true: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}

async function committed(group: string, topic: string): Promise<number> {
  const [found] = await world.admin.listConsumerGroupOffsets(group, [{ topic, partition: 0 }])
  return found?.offset ?? NaN
}

/** One life of a member: what it reads until `goal` has been reached, and it is closed. */
async function live(
  t: TestContext,
  { read }: Reader,
  topic: string,
  config: Partial<ConsumerConfig>,
  goal: (seen: string[], consumer: Consumer) => Promise<void>,
  each: (message: Message, consumer: Consumer) => Promise<Next> = () => Promise.resolve('on'),
): Promise<string[]> {
  const consumer = new Consumer(
    {
      'bootstrap.servers': cluster.bootstrapServers,
      'auto.offset.reset': 'earliest',
      'auto.commit.interval.ms': 20,
      'fetch.wait.max.ms': 20,
      'topic.metadata.refresh.interval.ms': 100,
      ...(config['group.protocol'] === 'classic' ? { 'heartbeat.interval.ms': 100 } : {}),
      ...config,
    },
    { logger: quiet },
  )
  t.after(() => consumer.close(1000))
  const seen: string[] = []
  consumer.subscribe(topic)
  const reading = read(consumer, message => {
    seen.push(String(message.value))
    return each(message, consumer)
  })
  reading.catch(quiet)
  // With enable.auto.commit=false, the program commits what is stored from time to time.
  const byHand = setInterval(() => {
    if (config['enable.auto.commit'] !== false || consumer.closed) return
    consumer.commit().catch((error: unknown) => assert.ok(error instanceof KafkaError))
  }, 20)
  try {
    await goal(seen, consumer)
  } finally {
    clearInterval(byHand)
    await consumer.close()
  }
  await reading
  return seen
}

async function idOf(topic: string): Promise<string | undefined> {
  const [described] = await world.admin.describeTopics([topic])
  return described?.error === undefined ? described?.topicId : undefined
}

/** The producer, asking for the topic, may be the one who makes it. */
async function anew(topic: string): Promise<void> {
  const old = await idOf(topic)
  await world.admin.deleteTopics([topic])
  await until('the topic is made anew', async () => {
    const [created] = await world.admin.createTopics([{ topic, numPartitions: 1, replicationFactor: 3 }])
    if (created?.error === undefined) return true
    const id = await idOf(topic)
    return id !== undefined && id !== old
  })
}

const changes: Readonly<Record<string, { change: (topic: string) => Promise<void> | void; left: number }>> = {
  'cut off': { change: topic => cluster.truncate(topic, 0, 5), left: 5 },
  'made anew': { change: anew, left: 0 },
}

for (const [i, reader] of readers.entries()) {
  for (const [j, [name, { change, left }]] of Object.entries(changes).entries()) {
    // Each reader with both, in turn: the log is longer than it was, and shorter; the program commits, and the client.
    const isLonger = (i + j) % 2 === 1
    const [protocol, count, byItself] = isLonger ? (['consumer', 12, false] as const) : (['classic', 3, true] as const)
    const title = `${reader.name}, ${protocol}, enable.auto.commit=${byItself}: a log ${name} and ${count} messages`
    const start = async (t: TestContext): Promise<Scene> => {
      const [topic, group] = [fresh('reset'), fresh('reset')]
      await createTopic(cluster.bootstrapServers, topic, { numPartitions: 1, replicationFactor: 3 })
      await fill(topic, 'old', 10)
      const config = { 'group.id': group, 'group.protocol': protocol, 'enable.auto.commit': byItself }
      const goneTo = (offset: number): Promise<void> =>
        until(`${offset} is committed`, async () => (await committed(group, topic)) === offset)
      return {
        topic,
        goneTo,
        live: (goal, each) => live(t, reader, topic, config, goal, each),
        async rest() {
          assert.equal(await committed(group, topic), left + count)
          await fill(topic, 'last', 2)
          const seen = await live(t, reader, topic, config, () => goneTo(left + count + 2))
          assert.deepEqual(seen, words('last', 0, 2))
        },
      }
    }

    test(`${title}, under a reader`, async t => {
      const { topic, goneTo, live, rest } = await start(t)
      const seen = await live(async seen => {
        await goneTo(10)
        await change(topic)
        await fill(topic, 'new', count)
        await until('what is new is read', () => seen.length === 10 + count)
        await goneTo(left + count)
      })
      assert.deepEqual(seen, [...words('old', 0, 10), ...words('new', 0, count)])
      await rest()
    })

    test(`${title}, while nobody reads`, async t => {
      const { topic, goneTo, live, rest } = await start(t)
      assert.deepEqual(await live(() => goneTo(10)), words('old', 0, 10))
      await change(topic)
      await fill(topic, 'new', count)
      assert.deepEqual(await live(() => goneTo(left + count)), words('new', 0, count))
      await rest()
    })

    test(`${title}, while one is at work`, async t => {
      const { topic, goneTo, live, rest } = await start(t)
      let go = quiet
      const held = new Promise<void>(resolve => (go = resolve))
      t.after(() => go())
      const seen = await live(
        async (seen, consumer) => {
          await until('the last is at work', () => seen.length === 10)
          await change(topic)
          await fill(topic, 'new', count)
          await until('the change is known', () => consumer.getWatermarkOffsets(topic, 0).high === left + count)
          go()
          await goneTo(left + count)
        },
        async ({ value }) => {
          if (String(value) === 'old 9') await held
          return 'on'
        },
      )
      assert.deepEqual(seen, [...words('old', 0, 10), ...words('new', 0, count)])
      await rest()
    })
  }
}

interface Scene {
  readonly topic: string
  readonly goneTo: (offset: number) => Promise<void>
  readonly live: (
    goal: (seen: string[], consumer: Consumer) => Promise<void>,
    each?: (message: Message, consumer: Consumer) => Promise<Next>,
  ) => Promise<string[]>
  /** What is committed now, and what the next member reads. */
  readonly rest: () => Promise<void>
}
