/** Offsets committed in transactions: past records that are never delivered, and never further. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Consumer, OFFSET_END, Producer, type ConsumerConfig, type MessageBatch } from 'ottla'
import { plainClients, type PlainWorld } from './plain-world.ts'
import { fresh } from './world.ts'
import { createTopic } from '../harness/topics.ts'

const WAIT_MS = 30_000
const quiet = (): void => undefined

const toEnd = (consumer: Consumer, topic: string): Promise<unknown> =>
  consumer.seek([{ topic, partition: 0, offset: OFFSET_END }])

type Work = (batch: MessageBatch, tx: Producer, consumer: Consumer) => void | Promise<void>

/** @param start a cluster */
export function exactlyOnceOffsetScenarios(start: () => Promise<PlainWorld>): void {
  const world = plainClients(start)

  function producer(id = fresh('eos')): Producer {
    const servers = { 'bootstrap.servers': world.bootstrapServers, 'linger.ms': 0 }
    return new Producer({ ...servers, 'transactional.id': id }, { logger: quiet })
  }

  function member(group: string, changes: Partial<ConsumerConfig> = {}): Consumer {
    const config: ConsumerConfig = {
      'bootstrap.servers': world.bootstrapServers,
      'group.id': group,
      'auto.offset.reset': 'earliest',
      'enable.auto.commit': false,
      'fetch.wait.max.ms': 50,
      ...(changes['group.protocol'] === 'consumer' ? {} : { 'heartbeat.interval.ms': 100 }),
      ...changes,
    }
    return new Consumer(config, { logger: quiet })
  }

  async function topicOf(partitions = 1): Promise<string> {
    const topic = fresh('eos-offsets')
    await createTopic(world.bootstrapServers, topic, { numPartitions: partitions, replicationFactor: 1 })
    return topic
  }

  /** Produces messages in a transaction, then others in one that is aborted. */
  async function write(topic: string, seen: number, aborted: number, partition = 0): Promise<void> {
    await using tx = producer()
    const produce = (count: number): void => {
      for (let i = 0; i < count; i++) tx.produce({ topic, partition, value: String(i) })
    }
    if (seen > 0) await tx.transaction(() => produce(seen))
    if (aborted === 0) return
    const giveUp = new Error('given up')
    const failing = tx.transaction(async () => {
      produce(aborted)
      await tx.flush()
      throw giveUp
    })
    await assert.rejects(failing, giveUp)
  }

  /** Waits, because a transaction's offsets become visible after the response to its end. */
  async function committed(group: string, topic: string, partition = 0): Promise<number> {
    const [found] = await world.admin.listConsumerGroupOffsets(group, [{ topic, partition }])
    return found?.offset ?? NaN
  }

  async function endOf(topic: string, partition = 0): Promise<number> {
    const asked = [{ topic, partition, spec: 'latest' }] as const
    const [found] = await world.admin.listOffsets([...asked])
    return found?.offset ?? NaN
  }

  async function until(what: string, isTrue: () => Promise<boolean> | boolean): Promise<void> {
    const end = Date.now() + WAIT_MS
    while (!(await isTrue())) {
      assert.ok(Date.now() < end, `never came true: ${what}`)
      await new Promise(resolve => setTimeout(resolve, 10))
    }
  }

  const noLag = (group: string, topic: string, partition = 0): Promise<void> =>
    until(`${group} has no lag in partition ${partition}`, async () => {
      return (await committed(group, topic, partition)) === (await endOf(topic, partition))
    })

  async function valuesOf(topic: string): Promise<number[]> {
    const end = await endOf(topic)
    await using reader = member(fresh('eos-reader'))
    await reader.assign([{ topic, partition: 0, offset: 0 }])
    const values: number[] = []
    while ((reader.position()[0]?.offset ?? 0) < end) {
      const event = await reader.poll(50)
      if (event?.type === 'message') values.push(Number(event.message.value))
    }
    return values
  }

  /** Runs `transactional` until the goal is reached. */
  async function through(
    { group, topic, changes = {}, maxMessages = 1000, maxWaitMs = 0 }: Reading,
    work: Work,
    goal: () => Promise<void>,
  ): Promise<void> {
    const over = new AbortController()
    await using consumer = member(group, changes)
    await using tx = producer()
    consumer.subscribe(topic)
    const limits = { maxMessages, maxWaitMs, signal: over.signal }
    const running = tx.transactional(consumer, (batch, sender) => work(batch, sender, consumer), limits)
    running.catch(quiet)
    try {
      await Promise.race([goal(), running.then(() => assert.fail('it has ended'))])
    } finally {
      over.abort()
      await running
    }
  }

  interface Reading {
    readonly group: string
    readonly topic: string
    readonly changes?: Partial<ConsumerConfig>
    readonly maxMessages?: number
    readonly maxWaitMs?: number
  }

  const copyTo =
    (output: string): Work =>
    (batch, tx) => {
      for (const { value } of batch) tx.produce({ topic: output, partition: 0, value })
    }

  for (const protocol of ['classic', 'consumer'] as const) {
    const changes = { 'group.protocol': protocol }

    test(`exactly once, ${protocol}: two stages have no lag, and each message is there once`, async () => {
      const [input, middle, output] = [await topicOf(2), await topicOf(), await topicOf()]
      const [first, second] = [fresh('eos-first'), fresh('eos-second')]
      await write(input, 5, 4)
      // This topic has only undelivered records.
      await write(input, 0, 3, 1)
      const reading = { changes, maxMessages: 2 }
      await through({ group: first, topic: input, ...reading }, copyTo(middle), () =>
        through({ group: second, topic: middle, ...reading }, copyTo(output), async () => {
          await noLag(first, input)
          await noLag(first, input, 1)
          await noLag(second, middle)
          // More gaps later, with nothing else to commit.
          await write(input, 0, 2)
          await write(input, 0, 2, 1)
          await write(middle, 0, 3)
          await noLag(first, input)
          await noLag(first, input, 1)
          await noLag(second, middle)
        }),
      )
      assert.deepEqual(await valuesOf(output), [0, 1, 2, 3, 4])
    })

    test(`exactly once, ${protocol}: an aborted transaction commits no gap behind its messages, which come again`, async () => {
      const [input, output, group] = [await topicOf(), await topicOf(), fresh('eos-group')]
      await write(input, 3, 4)
      const wrong = new Error('of the work')
      const seen: number[] = []
      const attempt = through(
        { group, topic: input, changes },
        batch => {
          seen.push(batch.firstOffset)
          throw wrong
        },
        () => new Promise(quiet),
      )
      await assert.rejects(attempt, wrong)
      assert.ok((await committed(group, input)) <= 0)
      await through({ group, topic: input, changes }, copyTo(output), () => noLag(group, input))
      assert.deepEqual([seen, await valuesOf(output)], [[0], [0, 1, 2]])
    })

    test(`exactly once, ${protocol}: an application that sends its position has no lag`, async () => {
      const [input, group] = [await topicOf(2), fresh('eos-group')]
      await write(input, 3, 4)
      await write(input, 0, 2, 1)
      await using consumer = member(group, changes)
      await using tx = producer()
      await tx.initTransactions()
      consumer.subscribe(input)
      const isDone = async (): Promise<boolean> => {
        const at = [await committed(group, input), await committed(group, input, 1)]
        return at[0] === (await endOf(input)) && at[1] === (await endOf(input, 1))
      }
      let read = 0
      await until('there is no lag', async () => {
        const event = await consumer.poll(50)
        if (event?.type === 'message') read++
        if (consumer.assignment().length === 0) return false
        tx.beginTransaction()
        await tx.sendOffsetsToTransaction(consumer.position(), consumer.groupMetadata())
        await tx.commitTransaction()
        assert.ok((await committed(group, input)) <= read || read === 3)
        return isDone()
      })
      assert.equal(read, 3)
    })
  }

  for (const [how, reading] of [
    ['batches that are waited for', { maxWaitMs: 20 }],
    ['reported partition ends', { changes: { 'enable.partition.eof': true }, maxWaitMs: 20 }],
    ['offsets that the program would store', { changes: { 'enable.auto.offset.store': false } }],
    ['uncommitted messages, too', { changes: { 'isolation.level': 'read_uncommitted' } }],
  ] as const) {
    test(`exactly once: nothing but gaps leaves no lag, ${how}`, async () => {
      const [input, group] = [await topicOf(), fresh('eos-group')]
      await write(input, 0, 5)
      await through({ group, topic: input, ...reading }, quiet, async () => {
        await noLag(group, input)
        await write(input, 0, 2)
        await noLag(group, input)
      })
    })
  }

  test('exactly once: without new messages there is no transaction', async () => {
    const [input, group, id] = [await topicOf(), fresh('eos-group'), fresh('eos')]
    await write(input, 2, 2)
    const over = new AbortController()
    await using consumer = member(group)
    await using tx = producer(id)
    consumer.subscribe(input)
    // Each transaction has its own epoch (KIP-890).
    const epoch = async (): Promise<number | undefined> =>
      (await world.admin.describeTransactions([id]))[0]?.producerEpoch
    const running = tx.transactional(consumer, quiet, { signal: over.signal })
    try {
      await noLag(group, input)
      let before = await epoch()
      // The last one may not be completed yet.
      await until('nothing happens', async () => {
        await new Promise(resolve => setTimeout(resolve, 300))
        const last = before
        before = await epoch()
        return last === before
      })
      await write(input, 0, 2)
      await noLag(group, input)
      assert.notEqual(await epoch(), before)
    } finally {
      over.abort()
      await running
    }
  })

  for (const [what, leave] of [
    ['gives its partition up', (consumer: Consumer) => consumer.unassign()],
    ['closes the consumer', (consumer: Consumer) => consumer.close()],
    ['seeks to the end', (consumer: Consumer, topic: string) => toEnd(consumer, topic)],
  ] as const) {
    test(`exactly once: a transaction whose work ${what} commits its batch`, async () => {
      const [input, group] = [await topicOf(), fresh('eos-group')]
      await write(input, 4, 3)
      const over = new AbortController()
      await using consumer = member(group)
      await using tx = producer()
      await consumer.assign([{ topic: input, partition: 0, offset: 0 }])
      const work = async (): Promise<void> => {
        await leave(consumer, input)
        over.abort()
      }
      await tx.transactional(consumer, work, { maxMessages: 2, signal: over.signal })
      await until('it is committed', async () => (await committed(group, input)) >= 2)
    })
  }

  test('exactly once: the group continues at the target of a seek back within a transaction, even if it stops there', async () => {
    const [input, output, group] = [await topicOf(), await topicOf(), fresh('eos-group')]
    await write(input, 4, 3)
    const over = new AbortController()
    await using consumer = member(group)
    await using tx = producer()
    consumer.subscribe(input)
    await tx.transactional(
      consumer,
      async (batch, sender) => {
        await copyTo(output)(batch, sender, consumer)
        await consumer.seek([{ topic: input, partition: 0, offset: 1 }])
        over.abort()
      },
      { maxMessages: 3, signal: over.signal },
    )
    await until('the place sought to is committed', async () => (await committed(group, input)) === 1)
    await consumer.close()
    await through({ group, topic: input }, copyTo(output), () => noLag(group, input))
    assert.deepEqual(await valuesOf(output), [0, 1, 2, 1, 2, 3])
  })

  test('exactly once: a transaction that seeks back and is aborted skips nothing', async () => {
    const [input, output, group] = [await topicOf(), await topicOf(), fresh('eos-group')]
    await write(input, 4, 3)
    await using consumer = member(group)
    consumer.subscribe(input)
    await using tx = producer()
    const wrong = new Error('of the work')
    for (const offset of [1, 3]) {
      const attempt = tx.transactional(consumer, async () => {
        await consumer.seek([{ topic: input, partition: 0, offset }])
        throw wrong
      })
      await assert.rejects(attempt, wrong)
    }
    assert.ok((await committed(group, input)) <= 0)
    const over = new AbortController()
    const running = tx.transactional(consumer, (batch, sender) => copyTo(output)(batch, sender, consumer), {
      signal: over.signal,
    })
    try {
      await noLag(group, input)
    } finally {
      over.abort()
      await running
    }
    assert.deepEqual(await valuesOf(output), [0, 1, 2, 3])
  })

  test('exactly once: only the marked part of a batch is committed', async () => {
    const [input, group] = [await topicOf(), fresh('eos-group')]
    await write(input, 4, 3)
    const over = new AbortController()
    await using consumer = member(group)
    await using tx = producer()
    consumer.subscribe(input)
    await tx.transactional(
      consumer,
      batch => {
        batch.markProcessed({ topic: input, partition: 0, offset: 1 })
        over.abort()
      },
      { signal: over.signal },
    )
    await until('what is marked is committed', async () => (await committed(group, input)) === 2)
  })

  test('exactly once: no transaction commits what the application has read of another partition by itself', async () => {
    const [input, group] = [await topicOf(2), fresh('eos-group')]
    await write(input, 2, 0)
    await using consumer = member(group)
    await using tx = producer()
    consumer.subscribe(input)
    for (let i = 0; i < 2; i++) await consumer.readMessage(WAIT_MS)
    const over = new AbortController()
    const running = tx.transactional(consumer, quiet, { signal: over.signal })
    try {
      await write(input, 2, 0, 1)
      await noLag(group, input, 1)
    } finally {
      over.abort()
      await running
    }
    assert.ok((await committed(group, input)) <= 0)
  })
}
