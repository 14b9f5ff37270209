/**
 * A program commits what it keeps while the group rebalances. Coordinators of classic groups refuse commits from the
 * moment when all have joined until the leader has assigned the partitions.
 */
import { test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import { EmbeddedCluster } from '@ottla/broker'
import type { OffsetCommitRequest } from '@ottla/protocol'
import { Consumer, ErrorCode, KafkaError, type ConsumerConfig, type Message } from 'ottla'
import { plainClients } from '../behaviour/plain-world.ts'
import { until, ways, type Work } from '../behaviour/reading-ways.ts'

const quiet = (): void => undefined
const PARTITIONS = 3
const EACH = 30
/** How long the group may be without an assignment if nobody commits meanwhile, ms. */
const HOLD_MS = 100

let cluster: EmbeddedCluster
let names = 0
const world = plainClients(async () => (cluster = await EmbeddedCluster.start()))

const protocols: Readonly<Record<string, Partial<ConsumerConfig>>> = {
  EAGER: { 'partition.assignment.strategy': 'range', 'heartbeat.interval.ms': 50 },
  COOPERATIVE: { 'partition.assignment.strategy': 'cooperative-sticky', 'heartbeat.interval.ms': 50 },
  CONSUMER: { 'group.protocol': 'consumer' },
}

class Scene {
  readonly topic = `rebalanced-${++names}`
  readonly group = `rebalanced-${names}`
  readonly #t: TestContext
  readonly #config: Partial<ConsumerConfig>

  constructor(t: TestContext, config: Partial<ConsumerConfig>) {
    this.#t = t
    this.#config = config
  }

  async fill(): Promise<void> {
    cluster.createTopic(this.topic, { partitions: PARTITIONS })
    const entries = [{ name: 'consumer.heartbeat.interval.ms', value: '50', operation: 'set' }] as const
    await world.admin.incrementalAlterConfigs([{ type: 'group', name: this.group, entries }])
    const messages = Array.from({ length: PARTITIONS * EACH }, (_, i) => ({
      topic: this.topic,
      partition: i % PARTITIONS,
      value: 'm',
    }))
    for (const { error } of await world.producer.sendBatch(messages)) assert.equal(error, undefined)
  }

  consumer(id: string): Consumer {
    const made = new Consumer(
      {
        'bootstrap.servers': cluster.bootstrapServers,
        'client.id': `${this.group}-${id}`,
        'group.id': this.group,
        'auto.offset.reset': 'earliest',
        'enable.auto.commit': false,
        'fetch.wait.max.ms': 20,
        'retry.backoff.ms': 10,
        'retry.backoff.max.ms': 20,
        ...this.#config,
      },
      { logger: quiet },
    )
    this.#t.after(() => made.close())
    return made
  }

  /** @returns ends it */
  control(api: string, id: string, answer: (body: unknown) => unknown): () => void {
    const end = cluster.control(({ apiName, clientId, body }) =>
      apiName === api && clientId === `${this.group}-${id}` ? answer(body) : undefined,
    )
    this.#t.after(end)
    return end
  }

  /** Holds up what is left of the rebalance until a commit comes: resolves when one has come, or none does. */
  async untilCommitted(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>(resolve => {
      timer = setTimeout(resolve, HOLD_MS)
      this.control('OffsetCommit', 'one', () => {
        // Behind the response to this one, which is a refusal.
        setTimeout(resolve, 20)
        return undefined
      })
    })
    clearTimeout(timer)
  }
}

const refused = (code: number) => (body: unknown) => ({
  throttleTimeMs: 0,
  topics: (body as OffsetCommitRequest).topics.map(({ topicId, partitions }) => ({
    topicId,
    partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: code })),
  })),
})

/** Two members share a topic: all is given once, and committed at once. */
async function shared(scene: Scene, protocol: string, read: (typeof ways)[keyof typeof ways]): Promise<void> {
  await scene.fill()
  const given: string[] = []
  const failed: string[] = []
  let done = 0
  const work: Work = async (message: Message, consumer) => {
    given.push(`[${message.partition}] ${message.offset}`)
    // Long enough for two members to share the work.
    await new Promise(resolve => setTimeout(resolve, 2))
    await consumer.commitMessage(message).catch((error: unknown) => failed.push(String(error)))
    done++
  }
  const reading: Promise<void>[] = []
  const begin = (id: string): Consumer => {
    const consumer = scene.consumer(id)
    consumer.subscribe(scene.topic)
    reading.push(read(consumer, work))
    return consumer
  }
  const one = begin('one')
  await until('the first one reads', () => given.length > 5)
  // The first to join is the leader.
  let held = 0
  scene.control('SyncGroup', 'one', async () => {
    held++
    await scene.untilCommitted()
    return undefined
  })
  const two = begin('two')
  await until('the second one has partitions', () => two.assignment().length > 0)
  await until('all are read', () => new Set(given).size === PARTITIONS * EACH && done === given.length)
  await Promise.all([one.close(), two.close()])
  await Promise.all(reading)
  assert.ok(protocol === 'CONSUMER' || held > 0, 'the leader has assigned')
  assert.deepEqual(failed, [])
  assert.equal(given.length, PARTITIONS * EACH)
}

for (const [protocol, config] of Object.entries(protocols)) {
  test(`${protocol}: what is committed message by message comes once in every way of reading, whoever joins`, async t => {
    await Promise.all(
      Object.entries(ways).map(async ([way, read]) => {
        await shared(new Scene(t, config), protocol, read).catch((cause: unknown) => {
          throw new Error(`${way}: ${String(cause)}`, { cause })
        })
      }),
    )
  })

  test(`${protocol}: a commit that the next generation overtakes costs no partition that the member keeps`, async t => {
    const scene = new Scene(t, config)
    await scene.fill()
    const one = scene.consumer('one')
    const heard: string[] = []
    one.subscribe(scene.topic, ({ type }) => void heard.push(type))
    const message = await one.readMessage(20_000)
    let answers = 0
    // All have joined, as it will learn by the response to its own JoinGroup.
    scene.control('OffsetCommit', 'one', body =>
      answers++ === 0 && protocol === 'COOPERATIVE' ? refused(ErrorCode.ERR_ILLEGAL_GENERATION)(body) : undefined,
    )
    let isJoining = false
    scene.control('JoinGroup', 'one', async () => {
      isJoining = true
      await until('it has committed', () => answers > 0)
      await new Promise(resolve => setTimeout(resolve, 20))
      return undefined
    })
    const two = scene.consumer('two')
    two.subscribe(scene.topic)
    const commits: Promise<unknown>[] = []
    await until('both have partitions', async () => {
      if (commits.length === 0 && (isJoining || protocol !== 'COOPERATIVE')) commits.push(one.commitMessage(message))
      await one.poll(5)
      await two.poll(5)
      return commits.length > 0 && two.assignment().length > 0
    })
    await Promise.all(commits)
    assert.ok(!heard.includes('lost'), heard.join(' '))
  })
}

test('a commit of a generation that is over is refused when the member is at rest', async t => {
  const scene = new Scene(t, protocols['COOPERATIVE'] ?? {})
  await scene.fill()
  const one = scene.consumer('one')
  const heard: string[] = []
  one.subscribe(scene.topic, ({ type }) => void heard.push(type))
  const message = await one.readMessage(20_000)
  const end = scene.control('OffsetCommit', 'one', refused(ErrorCode.ERR_ILLEGAL_GENERATION))
  await assert.rejects(
    one.commitMessage(message),
    error => error instanceof KafkaError && error.code === ErrorCode.ERR_ILLEGAL_GENERATION,
  )
  end()
  await until('it has lost its partitions', async () => {
    await one.poll(5)
    return heard.includes('lost')
  })
})
