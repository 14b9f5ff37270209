/** Commits that are still under way when their partitions go to another member, or the consumer is closed. */
import { test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import { EmbeddedCluster } from '@ottla/broker'
import type { OffsetCommitRequest } from '@ottla/protocol'
import { Consumer, ErrorCode, type ConsumerConfig, type KafkaError, type TopicPartitionOffset } from 'ottla'
import { plainClients } from '../behaviour/plain-world.ts'
import { until } from '../behaviour/reading-ways.ts'

const quiet = (): void => undefined

let cluster: EmbeddedCluster
let names = 0
const world = plainClients(async () => (cluster = await EmbeddedCluster.start()))

const protocols: Readonly<Record<string, Partial<ConsumerConfig>>> = {
  EAGER: { 'partition.assignment.strategy': 'range', 'heartbeat.interval.ms': 50 },
  COOPERATIVE: { 'partition.assignment.strategy': 'cooperative-sticky', 'heartbeat.interval.ms': 50 },
  CONSUMER: { 'group.protocol': 'consumer' },
}

const refusals = [
  ErrorCode.ERR_COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.ERR_NOT_COORDINATOR,
  ErrorCode.ERR_REQUEST_TIMED_OUT,
]

class Scene {
  readonly topic = `late-${++names}`
  readonly group = `late-${names}`
  readonly #t: TestContext
  readonly #config: Partial<ConsumerConfig>
  /** Commits of `one` are refused, with one passing error after the other. */
  isRefusing = true
  refused = 0

  constructor(t: TestContext, config: Partial<ConsumerConfig>) {
    this.#t = t
    this.#config = config
    const end = cluster.control(({ apiName, clientId, body }) => {
      if (apiName !== 'OffsetCommit' || clientId !== `${this.group}-one` || !this.isRefusing) return undefined
      const errorCode = refusals[this.refused++ % refusals.length] ?? 0
      const topics = (body as OffsetCommitRequest).topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
      }))
      return { throttleTimeMs: 0, topics }
    })
    t.after(end)
  }

  async fill(): Promise<void> {
    cluster.createTopic(this.topic, { partitions: 2 })
    const entries = [{ name: 'consumer.heartbeat.interval.ms', value: '50', operation: 'set' }] as const
    await world.admin.incrementalAlterConfigs([{ type: 'group', name: this.group, entries }])
    const messages = Array.from({ length: 20 }, (_, i) => ({ topic: this.topic, partition: i % 2, value: 'm' }))
    for (const { error } of await world.producer.sendBatch(messages)) assert.equal(error, undefined)
  }

  consumer(id: 'one' | 'two', config: Partial<ConsumerConfig> = {}): Consumer {
    const made = new Consumer(
      {
        'bootstrap.servers': cluster.bootstrapServers,
        'client.id': `${this.group}-${id}`,
        'group.id': this.group,
        'auto.offset.reset': 'earliest',
        'enable.auto.commit': false,
        'fetch.wait.max.ms': 50,
        'retry.backoff.ms': 10,
        'retry.backoff.max.ms': 20,
        ...this.#config,
        ...config,
      },
      { logger: quiet },
    )
    this.#t.after(() => made.close())
    return made
  }

  /** Reads five messages of each partition, and asks for a commit. */
  async begun(one: Consumer, isGiven: boolean): Promise<Promise<string[]>[]> {
    const seen = [0, 0]
    await until('five are read of each', async () => {
      const event = await one.poll(10)
      if (event?.type === 'message') {
        const { partition, offset } = event.message
        seen[partition] = offset + 1
        if (offset === 4) one.pause([{ topic: this.topic, partition }])
      }
      return seen.every(count => count === 5)
    })
    const offsets = [0, 1].map(partition => ({ topic: this.topic, partition, offset: 5 }))
    // In a list: it is not to be awaited here.
    const commit = [isGiven ? one.commit(offsets).then(named, named) : one.commit().then(named, named)]
    await until('it is refused', () => this.refused > 0)
    return commit
  }

  async committed(): Promise<number[]> {
    const asked = [0, 1].map(partition => ({ topic: this.topic, partition }))
    const offsets = await world.admin.listConsumerGroupOffsets(this.group, asked)
    return offsets.sort((a, b) => a.partition - b.partition).map(({ offset }) => offset)
  }
}

function named(outcome: unknown): string[] {
  if (!Array.isArray(outcome)) return [(outcome as KafkaError).name]
  return (outcome as TopicPartitionOffset[]).map(({ error }) => error?.name ?? 'taken')
}

/** Polls beside the rest of the test, until that says so. */
function polling(consumer: Consumer): () => Promise<void> {
  const over = new AbortController()
  const done = (async () => {
    while (!over.signal.aborted) await consumer.poll(20)
  })()
  return () => {
    over.abort()
    return done
  }
}

for (const [protocol, config] of Object.entries(protocols)) {
  for (const isGiven of [true, false]) {
    const name = `${protocol}, ${isGiven ? 'given' : 'stored'} offsets`

    test(`a partition is not given up before its commit has got through: ${name}`, async t => {
      const scene = new Scene(t, config)
      await scene.fill()
      const one = scene.consumer('one')
      let revoked = 0
      one.subscribe(scene.topic, ({ type }) => {
        if (type === 'revoke') revoked++
      })
      const [commit] = await scene.begun(one, isGiven)
      const two = scene.consumer('two')
      two.subscribe(scene.topic)
      const stop = polling(one)
      const message = two.readMessage(20_000)
      await until('it is to be given up', () => revoked > 0)
      const { refused } = scene
      await until('it is tried again', () => scene.refused > refused + 3)
      scene.isRefusing = false
      assert.deepEqual(await commit, ['taken', 'taken'])
      assert.equal((await message).offset, 5)
      await stop()
    })

    test(`a commit that takes longer takes nothing back of what the next member commits: ${name}`, async t => {
      const scene = new Scene(t, config)
      await scene.fill()
      const limits =
        protocol === 'CONSUMER'
          ? { 'max.poll.interval.ms': 1000 }
          : { 'session.timeout.ms': 1000, 'max.poll.interval.ms': 5000 }
      const one = scene.consumer('one', limits)
      one.subscribe(scene.topic)
      const [commit] = await scene.begun(one, isGiven)
      const two = scene.consumer('two')
      two.subscribe(scene.topic)
      const stop = polling(one)
      let partition = -1
      let read = 0
      await until('the other one has read all of its partition', async () => {
        const event = await two.poll(10)
        if (event?.type === 'message') partition = event.message.partition
        if (event?.type === 'message') read = event.message.offset + 1
        return read === 10
      })
      await two.commit([{ topic: scene.topic, partition, offset: 10 }])
      scene.isRefusing = false
      const results = (await commit) ?? []
      assert.ok(results.some(result => result !== 'taken'))
      assert.equal((await scene.committed())[partition], 10)
      await stop()
    })
  }

  for (const call of ['close', 'unsubscribe'] as const) {
    test(`${call} waits for a commit that is under way: ${protocol}`, async t => {
      const scene = new Scene(t, config)
      await scene.fill()
      const one = scene.consumer('one')
      one.subscribe(scene.topic)
      const [commit] = await scene.begun(one, false)
      const { refused } = scene
      const ended = one[call]()
      await until('it is tried again', () => scene.refused > refused + 3)
      scene.isRefusing = false
      await ended
      assert.deepEqual(await commit, ['taken', 'taken'])
      assert.deepEqual(await scene.committed(), [5, 5])
    })
  }
}

test('close returns in its time, whatever becomes of a commit', async t => {
  const scene = new Scene(t, {})
  await scene.fill()
  const one = scene.consumer('one')
  one.subscribe(scene.topic)
  const [commit] = await scene.begun(one, false)
  await one.close(300)
  assert.equal((await commit)?.length, 1)
})

test('partitions assigned by hand, too, are given up after their commit', async t => {
  const scene = new Scene(t, {})
  await scene.fill()
  const one = scene.consumer('one')
  await one.assign([0, 1].map(partition => ({ topic: scene.topic, partition, offset: 0 })))
  const [commit] = await scene.begun(one, true)
  const assigned = one.assign([{ topic: scene.topic, partition: 1, offset: 7 }])
  scene.isRefusing = false
  await assigned
  assert.deepEqual(await commit, ['taken', 'taken'])
  assert.deepEqual(await scene.committed(), [5, 5])
})

for (const [name, config] of Object.entries(protocols)) {
  for (const way of ['run', 'partitions'] as const) {
    for (const isAutomatic of [true, false]) {
      test(`${name}: ${way} that is closed commits what is done once, and warns of nothing (enable.auto.commit=${isAutomatic})`, async t => {
        const topic = `closed-${++names}`
        cluster.createTopic(topic, { partitions: 1 })
        for (let i = 0; i < 5; i++) await world.producer.send({ topic, partition: 0, value: String(i) })
        const warnings: string[] = []
        const consumer = new Consumer(
          {
            'bootstrap.servers': cluster.bootstrapServers,
            'group.id': topic,
            'auto.offset.reset': 'earliest',
            'enable.auto.commit': isAutomatic,
            ...config,
          },
          { logger: (_, facility, message) => warnings.push(`${facility}: ${message}`) },
        )
        t.after(() => consumer.close())
        consumer.subscribe(topic)
        let done = 0
        const reading =
          way === 'run'
            ? consumer.run({
                handler: () => {
                  done++
                },
              })
            : readPartitions(consumer, () => done++)
        await until('all is done', () => done === 5)
        await consumer.close()
        await reading
        assert.deepEqual(warnings, [])
        const [committed] = await world.admin.listConsumerGroupOffsets(topic, [{ topic, partition: 0 }])
        // Streams leave it to the program; of the last message nobody has said that it is done.
        const least = way === 'run' ? 5 : isAutomatic ? 4 : -Infinity
        assert.ok((committed?.offset ?? -Infinity) >= least, `committed ${committed?.offset}`)
      })
    }
  }
}

async function readPartitions(consumer: Consumer, onMessage: () => void): Promise<void> {
  for await (const stream of consumer.partitions()) for await (const _ of stream) onMessage()
}
