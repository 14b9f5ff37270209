/** What is stored and committed for every way of reading: after moves, and past records that are never delivered. */
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { Consumer, ErrorCode, KafkaError, OFFSET_END, Producer, type ConsumerConfig } from 'ottla'
import { readers, type Next, type Reader } from './readers.ts'
import { plainClients, type PlainWorld } from './plain-world.ts'
import { fresh } from './world.ts'
import { createTopic } from '../harness/topics.ts'

const WAIT_MS = 30_000
const quiet = (): void => undefined

/** @param start a cluster */
export function storedOffsetScenarios(start: () => Promise<PlainWorld>): void {
  const world = plainClients(start)

  function member(group: string, changes: Partial<ConsumerConfig> = {}): Consumer {
    const config: ConsumerConfig = {
      'bootstrap.servers': world.bootstrapServers,
      'group.id': group,
      'auto.offset.reset': 'earliest',
      'auto.commit.interval.ms': 50,
      'fetch.wait.max.ms': 50,
      ...(changes['group.protocol'] === 'consumer' ? {} : { 'heartbeat.interval.ms': 100 }),
      ...changes,
    }
    return new Consumer(config, { logger: quiet })
  }

  async function makeTopic(topic: string, partitions = 1): Promise<void> {
    await createTopic(world.bootstrapServers, topic, { numPartitions: partitions, replicationFactor: 1 })
  }

  async function fill(topic: string, count: number, partition = 0): Promise<void> {
    const messages = Array.from({ length: count }, (_, i) => ({ topic, partition, value: String(i) }))
    for (const { error } of await world.producer.sendBatch(messages)) assert.equal(error, undefined)
  }

  async function topicWith(count: number): Promise<string> {
    const topic = fresh('stored')
    await makeTopic(topic)
    await fill(topic, count)
    return topic
  }

  /** Produces messages in a transaction, and others in one that is aborted; each is followed by a marker. */
  async function transactions(topic: string, seen: number, aborted: number, partition = 0): Promise<void> {
    const servers = { 'bootstrap.servers': world.bootstrapServers }
    const sender = new Producer({ ...servers, 'transactional.id': fresh('stored') }, { logger: quiet })
    const write = (tx: Producer, count: number): void => {
      for (let i = 0; i < count; i++) tx.produce({ topic, partition, value: String(i) })
    }
    try {
      if (seen > 0) await sender.transaction(async tx => write(tx, seen))
      const giveUp = new Error('given up')
      const failing = sender.transaction(async tx => {
        write(tx, aborted)
        await tx.flush()
        throw giveUp
      })
      await failing.catch((error: unknown) => assert.equal(error, giveUp))
    } finally {
      await sender.close()
    }
    // Markers are written after the response to the end of a transaction.
    await until('its markers are written', async () => {
      const asked = [{ topic, partition, spec: 'latest' }] as const
      const [stable] = await world.admin.listOffsets([...asked], { isolationLevel: 'read_committed' })
      return stable?.offset === (await endOf(topic, partition))
    })
  }

  async function committed(group: string, topic: string, partition = 0): Promise<number> {
    const [found] = await world.admin.listConsumerGroupOffsets(group, [{ topic, partition }])
    return found?.offset ?? NaN
  }

  async function endOf(topic: string, partition = 0): Promise<number> {
    const [found] = await world.admin.listOffsets([{ topic, partition, spec: 'latest' }])
    return found?.offset ?? NaN
  }

  async function until(what: string, isTrue: () => Promise<boolean> | boolean): Promise<void> {
    const end = Date.now() + WAIT_MS
    while (!(await isTrue())) {
      assert.ok(Date.now() < end, `never came true: ${what}`)
      await new Promise(resolve => setTimeout(resolve, 10))
    }
  }

  /** Reads until the handler stops, and closes. @returns the committed offset */
  async function readAndClose(
    { read }: Reader,
    topic: string,
    each: (consumer: Consumer, offset: number) => Next | Promise<Next>,
    changes: Partial<ConsumerConfig> = {},
  ): Promise<number> {
    const group = fresh('stored')
    const consumer = member(group, changes)
    try {
      consumer.subscribe(topic)
      await read(consumer, ({ offset }) => each(consumer, offset))
    } finally {
      await consumer.close()
    }
    return committed(group, topic)
  }

  /** Reads until the condition holds, and closes. */
  async function readUntil(
    { read }: Reader,
    consumer: Consumer,
    each: (offset: number) => Next | Promise<Next>,
    goal: () => Promise<void>,
  ): Promise<void> {
    const reading = read(consumer, ({ offset }) => each(offset))
    reading.catch(quiet)
    try {
      await goal()
    } finally {
      await consumer.close()
    }
    await reading
  }

  for (const reader of readers) {
    const { name, storesAtOnce } = reader
    const seek = (consumer: Consumer, topic: string, offset: number): Promise<unknown> =>
      consumer.seek([{ topic, partition: 0, offset }])

    test(`stored offsets, ${name}: an application that seeks back to a message and stops gets it again`, async () => {
      const topic = await topicWith(10)
      const at = await readAndClose(reader, topic, async (consumer, offset) => {
        if (offset !== 5) return 'on'
        await seek(consumer, topic, 5)
        return 'stop'
      })
      assert.equal(at, 5)
    })

    test(`stored offsets, ${name}: a message that is sought back to several times is not committed too early`, async () => {
      const topic = await topicWith(10)
      let tries = 0
      const at = await readAndClose(reader, topic, async (consumer, offset) => {
        if (offset !== 5) return 'on'
        if (++tries === 4) return 'stop'
        await seek(consumer, topic, 5)
        return 'again'
      })
      assert.equal(tries, 4)
      assert.equal(at, storesAtOnce ? 6 : 5)
    })

    test(`stored offsets, ${name}: seeking back below the committed offset commits the new position`, async () => {
      const topic = await topicWith(10)
      const at = await readAndClose(reader, topic, async (consumer, offset) => {
        if (offset !== 9) return 'on'
        await consumer.commit([{ topic, partition: 0, offset: 10 }])
        await seek(consumer, topic, 3)
        return 'stop'
      })
      assert.equal(at, 3)
    })

    test(`stored offsets, ${name}: after seeking back all is read again and committed to the end`, async () => {
      const [topic, group] = [await topicWith(10), fresh('stored')]
      const consumer = member(group)
      consumer.subscribe(topic)
      const seen: number[] = []
      const each = async (offset: number): Promise<Next> => {
        seen.push(offset)
        if (seen.length !== 8) return 'on'
        await seek(consumer, topic, 2)
        return 'again'
      }
      await readUntil(reader, consumer, each, () =>
        until('the end is committed', async () => {
          return seen.length === 16 && (await committed(group, topic)) === 10
        }),
      )
      assert.deepEqual(seen, [0, 1, 2, 3, 4, 5, 6, 7, 2, 3, 4, 5, 6, 7, 8, 9])
    })

    test(`stored offsets, ${name}: messages read before seeking forward do not override the new position`, async () => {
      const topic = await topicWith(20)
      const at = await readAndClose(reader, topic, async (consumer, offset) => {
        assert.ok(offset <= 5 || offset >= 15, `message ${offset}`)
        if (offset === 5) {
          await seek(consumer, topic, 15)
          return 'again'
        }
        return offset === 17 ? 'stop' : 'on'
      })
      // A batch that is left in the middle stores nothing.
      assert.equal(at, storesAtOnce ? 18 : name === 'batches()' ? 15 : 17)
    })

    test(`stored offsets, ${name}: an application that seeks to the end has no lag`, async () => {
      const [topic, group] = [await topicWith(20), fresh('stored')]
      const consumer = member(group)
      consumer.subscribe(topic)
      const each = async (offset: number): Promise<Next> => {
        if (offset !== 5) return 'on'
        await seek(consumer, topic, OFFSET_END)
        return 'again'
      }
      await readUntil(reader, consumer, each, () =>
        until('the end is committed', async () => (await committed(group, topic)) === 20),
      )
    })

    test(`stored offsets, ${name}: after a seek the client refuses to store what was read before it`, async () => {
      const topic = await topicWith(10)
      const group = fresh('stored')
      const consumer = member(group, { 'enable.auto.offset.store': false })
      const errors: (number | undefined)[] = []
      try {
        consumer.subscribe(topic)
        await reader.read(consumer, async message => {
          if (message.offset < 5) {
            consumer.storeMessage(message)
            return 'on'
          }
          await seek(consumer, topic, 5)
          errors.push(consumer.storeMessage(message)[0]?.error?.code)
          return 'stop'
        })
      } finally {
        await consumer.close()
      }
      assert.deepEqual(errors, [ErrorCode.ERR__STATE])
      assert.equal(await committed(group, topic), 5)
    })

    for (const isolation of ['read_committed', 'read_uncommitted'] as const) {
      for (const protocol of ['classic', 'consumer'] as const) {
        test(`stored offsets, ${name}: markers and aborted messages leave no lag, ${isolation}, ${protocol}`, async () => {
          const [topic, group] = [fresh('stored'), fresh('stored')]
          await makeTopic(topic, 2)
          await transactions(topic, 3, 10)
          // Only read_uncommitted delivers anything of this one.
          await transactions(topic, 0, 5, 1)
          const consumer = member(group, { 'isolation.level': isolation, 'group.protocol': protocol })
          consumer.subscribe(topic)
          const ends = [await endOf(topic), await endOf(topic, 1)]
          await readUntil(
            reader,
            consumer,
            () => 'on',
            async () => {
              for (const partition of [0, 1]) {
                await until(`partition ${partition} has no lag`, async () => {
                  return (await committed(group, topic, partition)) === ends[partition]
                })
              }
              const positions = consumer.position().sort((a, b) => a.partition - b.partition)
              assert.deepEqual(
                positions.map(({ offset }) => offset),
                ends,
              )
            },
          )
          assert.deepEqual([await committed(group, topic), await committed(group, topic, 1)], ends)
        })
      }
    }

    test(`stored offsets, ${name}: an application that commits itself commits past records that are never delivered`, async () => {
      const [topic, group] = [fresh('stored'), fresh('stored')]
      await makeTopic(topic)
      await transactions(topic, 3, 4)
      const end = await endOf(topic)
      const consumer = member(group, { 'enable.auto.commit': false })
      consumer.subscribe(topic)
      await readUntil(
        reader,
        consumer,
        () => 'on',
        () =>
          until('the end is committed', async () => {
            await consumer.commit().catch((error: unknown) => {
              // There is nothing new, or it is not a member yet.
              if (!(error instanceof KafkaError)) throw error
            })
            return (await committed(group, topic)) === end
          }),
      )
    })

    test(`stored offsets, ${name}: a gap is stored only after offsets that the application has stored`, async () => {
      const [topic, group] = [fresh('stored'), fresh('stored')]
      await makeTopic(topic)
      await transactions(topic, 3, 4)
      const end = await endOf(topic)
      // `run` stores processed messages itself.
      if (name.startsWith('run')) return
      const consumer = member(group, { 'enable.auto.offset.store': false })
      consumer.subscribe(topic)
      let isRead = false
      const each = (offset: number): Next => {
        if (offset < 2) consumer.storeOffsets([{ topic, partition: 0, offset: offset + 1 }])
        isRead ||= offset === 2
        return 'on'
      }
      await readUntil(reader, consumer, each, async () => {
        await until('all is read', () => isRead && consumer.position()[0]?.offset === end)
        await until('what is stored is committed', async () => (await committed(group, topic)) === 2)
        consumer.storeOffsets([{ topic, partition: 0, offset: 3 }])
        await until('there is no lag', async () => (await committed(group, topic)) === end)
      })
    })

    test(`stored offsets, ${name}: if the log now begins later, there is no lag before it`, async () => {
      const [topic, group] = [await topicWith(10), fresh('stored')]
      await world.admin.alterConsumerGroupOffsets(group, [{ topic, partition: 0, offset: 3 }])
      const [deleted] = await world.admin.deleteRecords([{ topic, partition: 0, offset: 10 }])
      assert.equal(deleted?.error, undefined)
      const consumer = member(group)
      consumer.subscribe(topic)
      await readUntil(
        reader,
        consumer,
        () => 'on',
        () => until('there is no lag', async () => (await committed(group, topic)) === 10),
      )
    })

    if (storesAtOnce) continue

    test(`stored offsets, ${name}: a gap behind a message in process waits for it`, async () => {
      const [topic, group] = [fresh('stored'), fresh('stored')]
      await makeTopic(topic)
      await transactions(topic, 3, 4)
      const end = await endOf(topic)
      const consumer = member(group)
      consumer.subscribe(topic)
      let go = quiet
      const held = new Promise<void>(resolve => (go = resolve))
      let isRunning = false
      const each = async (offset: number): Promise<Next> => {
        if (offset !== 2) return 'on'
        isRunning = true
        await held
        return 'on'
      }
      try {
        await readUntil(reader, consumer, each, async () => {
          await until('the last handler is running', () => isRunning)
          await consumer.commit().catch(quiet)
          assert.ok((await committed(group, topic)) <= 2)
          go()
          await until('there is no lag', async () => (await committed(group, topic)) === end)
        })
      } finally {
        go()
      }
    })
  }

  for (const reader of readers.filter(({ name }) => ['poll', 'run, order partition'].includes(name))) {
    test(`stored offsets, ${reader.name}: offsets of a recreated topic are committed, although they are lower`, async () => {
      const [topic, group] = [await topicWith(10), fresh('stored')]
      const consumer = member(group, { 'topic.metadata.refresh.interval.ms': 200 })
      consumer.subscribe(topic)
      let read = 0
      const each = (): Next => {
        read++
        return 'on'
      }
      await readUntil(reader, consumer, each, async () => {
        await until('all is committed', async () => (await committed(group, topic)) === 10)
        await world.admin.deleteTopics([topic])
        await until('the topic is gone', async () => {
          const [created] = await world.admin.createTopics([{ topic, numPartitions: 1, replicationFactor: 1 }])
          return created?.error === undefined
        })
        await fill(topic, 3)
        await until('what is new is read', () => read === 13)
        await until('and committed', async () => (await committed(group, topic)) === 3)
      })
      assert.equal(await committed(group, topic), 3)
    })
  }

  test('stored offsets: an application that assigns a partition again further back and stops gets it from there', async () => {
    const [topic, group] = [await topicWith(10), fresh('stored')]
    const consumer = member(group)
    try {
      await consumer.assign([{ topic, partition: 0, offset: 0 }])
      for (let i = 0; i < 8; i++) await consumer.readMessage(WAIT_MS)
      await consumer.assign([{ topic, partition: 0, offset: 2 }])
    } finally {
      await consumer.close()
    }
    assert.equal(await committed(group, topic), 2)
  })

  test('stored offsets: seeking one partition back leaves the stored offsets of another', async () => {
    const [topic, group] = [fresh('stored'), fresh('stored')]
    await makeTopic(topic, 2)
    await fill(topic, 6, 0)
    await fill(topic, 6, 1)
    const consumer = member(group)
    consumer.subscribe(topic)
    let read = 0
    try {
      for await (const { partition } of consumer) {
        if (++read === 12) {
          await consumer.seek([{ topic, partition: 1 - partition, offset: 4 }])
          continue
        }
        if (read < 12) continue
        assert.equal(partition === 0 || partition === 1, true)
        if (read === 14) break
      }
    } finally {
      await consumer.close()
    }
    const offsets = [await committed(group, topic), await committed(group, topic, 1)].sort((a, b) => a - b)
    assert.deepEqual(offsets, [5, 6])
  })

  test('stored offsets: the group continues at the target of a seek in the rebalance callback', async () => {
    const [topic, group] = [await topicWith(10), fresh('stored')]
    await world.admin.alterConsumerGroupOffsets(group, [{ topic, partition: 0, offset: 8 }])
    const consumer = member(group)
    try {
      consumer.subscribe(topic, async ({ type, partitions }, self) => {
        if (type !== 'assign') return
        await self.assign(partitions)
        await self.seek(partitions.map(({ topic, partition }) => ({ topic, partition, offset: 4 })))
      })
      assert.equal((await consumer.readMessage(WAIT_MS)).offset, 4)
    } finally {
      await consumer.close()
    }
    assert.equal(await committed(group, topic), 5)
  })

  test('stored offsets: equal offsets are not committed again after a seek', async () => {
    const [topic, group] = [await topicWith(5), fresh('stored')]
    const consumer = member(group, { 'enable.auto.commit': false })
    try {
      consumer.subscribe(topic)
      for (let i = 0; i < 5; i++) await consumer.readMessage(WAIT_MS)
      await consumer.commit()
      await consumer.seek([{ topic, partition: 0, offset: 5 }])
      await assert.rejects(consumer.commit(), { code: ErrorCode.ERR__NO_OFFSET })
    } finally {
      await consumer.close()
    }
  })
}
