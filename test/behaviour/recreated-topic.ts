/** A topic is deleted and recreated under its name while messages are in flight. Real or embedded. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Consumer, ErrorCode, Producer, type DeliveryReport, type ProducerConfig } from 'ottla'
import { plainClients, type PlainWorld } from './plain-world.ts'
import { fresh } from './world.ts'

const quiet = (): void => undefined
const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

export interface Surroundings {
  /** The broker takes commits that name topics by id (Kafka 4.1 and later). */
  readonly hasCommitsById: boolean
}

/** Registers the tests; `start` starts a broker without security. */
export function recreatedTopicScenarios(
  start: () => Promise<PlainWorld>,
  { hasCommitsById }: Surroundings = { hasCommitsById: true },
): void {
  const world = plainClients(start)

  async function create(topic: string): Promise<void> {
    const [made] = await world.admin.createTopics([{ topic, numPartitions: 1, replicationFactor: 1 }])
    assert.equal(made?.error, undefined)
  }

  async function idOf(topic: string): Promise<string | undefined> {
    const [described] = await world.admin.describeTopics([topic])
    return described?.error === undefined ? described?.topicId : undefined
  }

  /** Tolerates that the producer has created the topic: brokers let producers do that. */
  async function makeAnew(topic: string, absentMs: number): Promise<void> {
    const old = await idOf(topic)
    const [deleted] = await world.admin.deleteTopics([topic])
    assert.equal(deleted?.error, undefined)
    await pause(absentMs)
    for (const deadline = Date.now() + 30_000; ;) {
      const [made] = await world.admin.createTopics([{ topic, numPartitions: 1, replicationFactor: 1 }])
      if (made?.error === undefined) return
      assert.equal(made.error.code, ErrorCode.ERR_TOPIC_ALREADY_EXISTS)
      const id = await idOf(topic)
      if (id !== undefined && id !== old) return
      assert.ok(Date.now() < deadline, `${topic} is neither gone nor another one`)
      await pause(20)
    }
  }

  async function read(topic: string): Promise<string[]> {
    await using consumer = new Consumer(
      {
        'bootstrap.servers': world.bootstrapServers,
        'auto.offset.reset': 'earliest',
        'enable.partition.eof': true,
        'isolation.level': 'read_committed',
      },
      { logger: quiet },
    )
    const values: string[] = []
    await consumer.assign([{ topic, partition: 0, offset: 0 }])
    for (;;) {
      const event = await consumer.poll(10_000)
      assert.notEqual(event, null)
      if (event?.type === 'partition-eof') return values
      if (event?.type === 'message') values.push(String(event.message.value))
    }
  }

  const kinds: Record<string, Partial<ProducerConfig>> = {
    plain: { 'enable.idempotence': false },
    idempotent: { 'enable.idempotence': true },
  }
  for (const [kind, config] of Object.entries(kinds)) {
    for (const absentMs of [0, 1500]) {
      test(`a ${kind} producer continues with a topic recreated after ${absentMs} ms: each message is reported once, and none is written twice`, async () => {
        const topic = fresh('recreated')
        await create(topic)
        await using producer = new Producer(
          {
            'bootstrap.servers': world.bootstrapServers,
            'linger.ms': 1,
            'message.timeout.ms': 30_000,
            ...config,
          },
          { logger: quiet },
        )
        const reports = new Map<string, DeliveryReport[]>()
        let count = 0
        const produce = (): void => {
          const value = `${count++}`
          const mine: DeliveryReport[] = []
          reports.set(value, mine)
          producer.produce({ topic, partition: 0, value }, report => mine.push(report))
        }
        for (let i = 0; i < 50; i++) await producer.send({ topic, partition: 0, value: `old ${i}` })
        let isAnew = false as boolean
        const change = makeAnew(topic, absentMs).finally(() => (isAnew = true))
        while (!isAnew) {
          produce()
          await pause(2)
        }
        await change
        const old = count
        for (let i = 0; i < 50; i++) produce()
        assert.equal(await producer.flush(40_000), 0)
        const outcomes = [...reports].map(([value, mine]) => {
          assert.equal(mine.length, 1, `${value} has ${mine.length} reports`)
          return { value, report: mine[0] }
        })
        for (const { value, report } of outcomes) {
          assert.equal(report?.error, undefined, `${value}: ${report?.error?.message ?? ''}`)
        }
        const written = await read(topic)
        assert.equal(new Set(written).size, written.length, 'none is written twice')
        // Messages in the old topic are gone with it; behind the first one in the new topic, none may be missing.
        // Without idempotence, a retried message may come behind later ones.
        const first = Math.min(count, ...written.map(Number))
        assert.ok(
          first <= old,
          `the first message of the new topic is ${first} of ${count}, ${old} came before it was made`,
        )
        const expected = Array.from({ length: count - first }, (_, i) => `${first + i}`)
        if (kind === 'plain') assert.deepEqual(new Set(written), new Set(expected))
        else assert.deepEqual(written, expected)
      })
    }
  }

  async function send(topic: string, values: readonly string[]): Promise<void> {
    await Promise.all(values.map(value => world.producer.send({ topic, partition: 0, value })))
  }

  const protocols = hasCommitsById ? (['classic', 'consumer'] as const) : []
  const ends: Record<string, (consumer: Consumer) => Promise<unknown>> = {
    'commit()': consumer => consumer.commit().catch((error: unknown) => error),
    'unsubscribe()': consumer => consumer.unsubscribe(),
    'close()': () => Promise.resolve(),
  }
  for (const protocol of protocols) {
    for (const [end, finish] of Object.entries(ends)) {
      test(`${end} of a ${protocol} member says nothing about a topic made anew under the name of one that it has read`, async () => {
        const topic = fresh('recreated')
        const group = fresh('readers')
        const member = (): Consumer =>
          new Consumer(
            {
              'bootstrap.servers': world.bootstrapServers,
              'group.id': group,
              'group.protocol': protocol,
              'auto.offset.reset': 'earliest',
              // Only what is tested commits.
              'auto.commit.interval.ms': 600_000,
            },
            { logger: quiet },
          )
        await create(topic)
        await send(topic, ['a', 'b', 'c', 'd', 'e'])
        {
          await using first = member()
          first.subscribe([topic])
          for (const value of ['a', 'b', 'c', 'd', 'e']) {
            assert.equal(String((await first.readMessage(20_000)).value), value)
          }
          await makeAnew(topic, 0)
          await finish(first)
        }
        // More than there were: an offset of the old topic is within the new one.
        await send(
          topic,
          Array.from({ length: 10 }, (_, i) => `new ${i}`),
        )
        await using second = member()
        second.subscribe([topic])
        assert.equal(String((await second.readMessage(20_000)).value), 'new 0')
      })
    }
  }

  test('a transactional producer ends a transaction whose topic was recreated one way or the other, and the next ones work', async () => {
    const topic = fresh('recreated')
    await create(topic)
    await using producer = new Producer(
      { 'bootstrap.servers': world.bootstrapServers, 'linger.ms': 1, 'transactional.id': fresh('recreated') },
      { logger: quiet },
    )
    await producer.initTransactions(20_000)
    producer.beginTransaction()
    for (let i = 0; i < 5; i++) await producer.send({ topic, partition: 0, value: `first ${i}` })
    await producer.commitTransaction()
    producer.beginTransaction()
    for (let i = 0; i < 5; i++) await producer.send({ topic, partition: 0, value: `second ${i}` })
    await makeAnew(topic, 0)
    const outcomes = await Promise.allSettled(
      Array.from({ length: 5 }, (_, i) => producer.send({ topic, partition: 0, value: `third ${i}` })),
    )
    const isCommitted = await producer.commitTransaction(20_000).then(
      () => true,
      async (error: unknown) => {
        await producer.abortTransaction(20_000)
        return error === undefined
      },
    )
    if (isCommitted) assert.ok(outcomes.every(({ status }) => status === 'fulfilled'))
    for (const round of ['fourth', 'fifth']) {
      producer.beginTransaction()
      for (let i = 0; i < 5; i++) await producer.send({ topic, partition: 0, value: `${round} ${i}` })
      await producer.commitTransaction(20_000)
    }
    const rounds = isCommitted ? ['third', 'fourth', 'fifth'] : ['fourth', 'fifth']
    assert.deepEqual(
      await read(topic),
      rounds.flatMap(round => Array.from({ length: 5 }, (_, i) => `${round} ${i}`)),
    )
    assert.equal(producer.fatalError, null)
  })
}
