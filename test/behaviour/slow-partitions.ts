/** Paused, held or slow partitions with more messages than the queue holds do not stop the others. */
import { test } from 'node:test'
import assert from 'node:assert/strict'
import type { ConsumerConfig, Message } from 'ottla'
import { gate, readersOf, times, until, ways } from './reading-ways.ts'
import { fresh } from './world.ts'

const SMALL: Partial<ConsumerConfig> = {
  'queued.max.messages.kbytes': 1024,
  'topic.metadata.refresh.interval.ms': 300_000,
}

/** @param start a cluster */
export function slowPartitionScenarios(
  start: () => Promise<{ bootstrapServers: string; close(): Promise<void> }>,
): void {
  const readers = readersOf(start)
  const all = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

  for (const [way, read] of Object.entries(ways)) {
    test(`paused partitions that have filled the queue do not stop the others, and are complete after resume: ${way}`, async t => {
      const sizes = [times(300, 10_000), times(300, 10_000), times(3, 500_000), [], []]
      const topic = await readers.topicWith(sizes)
      const consumer = await readers.consumer(t, fresh('slow'), SMALL)
      consumer.subscribe(topic)
      const seen = sizes.map((): number[] => [])
      const paused = all(3).map(partition => ({ topic, partition }))
      let isPaused = false
      let others = 0
      const reading = read(consumer, async ({ partition, offset }) => {
        seen[partition]?.push(offset)
        if (partition >= 3) others++
        else {
          assert.ok(!isPaused, `[${partition}] ${offset} came though it is paused`)
          await new Promise(resolve => setTimeout(resolve, 1))
        }
      })
      await until('all three have begun', () => seen.slice(0, 3).every(each => each.length > 0))
      consumer.pause(paused)
      isPaused = true
      assert.ok((seen[0]?.length ?? 0) < 200, 'there is a lag')
      for (let i = 0; i < 5; i++) {
        await readers.producer().send({ topic, partition: 3 + (i % 2), value: 'quick' })
        await until(`message ${i} of another partition comes`, () => others === i + 1)
      }
      isPaused = false
      consumer.resume(paused)
      await until('all is read', () => seen.reduce((sum, each) => sum + each.length, 0) === 608)
      assert.deepEqual(seen, [all(300), all(300), all(3), all(3), all(2)])
      await consumer.close()
      await reading
    })
  }

  for (const order of ['partition', 'key', 'none'] as const) {
    test(`run, order ${order}: slow partitions with a lag beyond every limit leave the others their handlers`, async t => {
      // One more handler than there are slow messages at once, where a partition may have several.
      const sizes = [times(40, 200_000), times(4, 900_000), times(200, 20_000), []]
      const topic = await readers.topicWith(sizes)
      const group = fresh('slow')
      const consumer = await readers.consumer(t, group, SMALL)
      consumer.subscribe(topic)
      const go = gate()
      const seen = sizes.map((): number[] => [])
      const slow = [0, 0, 0]
      const running = consumer.run({
        concurrency: 8,
        order,
        handler: async ({ partition, offset }) => {
          // The first messages of each slow partition do not occupy all handlers.
          if (partition < 3 && offset < (order === 'partition' ? 1 : 2)) {
            slow[partition] = (slow[partition] ?? 0) + 1
            await go.opened
          }
          seen[partition]?.push(offset)
        },
      })
      await until('the slow handlers are running', () => slow.every(count => count > 0))
      for (let i = 0; i < 5; i++) {
        await readers.producer().send({ topic, partition: 3, value: 'quick' })
        await until(`message ${i} of the other partition is done`, () => seen[3]?.length === i + 1)
      }
      go.open()
      await until('all is done', () => seen.reduce((sum, each) => sum + each.length, 0) === 249)
      for (const each of seen) each.sort((a, b) => a - b)
      assert.deepEqual(seen, [all(40), all(4), all(200), all(5)])
      await consumer.close()
      await running
      assert.deepEqual(await readers.committed(group, topic, 4), [40, 4, 200, 5])
    })
  }

  // A fetch without the busy partition would wait for the others, here for minutes.
  const PATIENT: Partial<ConsumerConfig> = { 'fetch.wait.max.ms': 300_000, 'fetch.message.max.bytes': 5000 }

  /** Creates four partitions, with all messages in the second, each in its own batch. */
  async function busyTopic(batches: number, count: number, size = 1): Promise<string> {
    const topic = await readers.topicWith([[], [], [], []])
    await fill(topic, 1, batches, count, size)
    return topic
  }

  async function fill(topic: string, partition: number, batches: number, count: number, size: number): Promise<void> {
    const batch = all(count).map(() => ({ topic, partition, value: Buffer.alloc(size, 'm') }))
    for (let i = 0; i < batches; i++) await readers.producer().sendBatch(batch)
  }

  for (const [way, read] of Object.entries(ways)) {
    for (const [pace, ms, count] of [
      ['quick', 0, 400],
      ['slow', 2, 50],
    ] as const) {
      test(`a busy partition beside idle ones is fetched during ${pace} processing: ${way}`, async t => {
        const topic = await busyTopic(30, count)
        const consumer = await readers.consumer(t, fresh('busy'), PATIENT)
        consumer.subscribe(topic)
        const seen: number[] = []
        const reading = read(consumer, async ({ offset }) => {
          seen.push(offset)
          if (ms > 0) await new Promise(resolve => setTimeout(resolve, ms))
        })
        await until('all is read', () => seen.length === 30 * count)
        assert.deepEqual(seen, all(30 * count))
        await consumer.close()
        await reading
      })
    }
  }

  for (const way of ['poll', 'readMessage', 'for await', 'batches', 'partitions'] as const) {
    test(`a busy partition that is paused for a moment after each message is fetched meanwhile: ${way}`, async t => {
      const topic = await busyTopic(20, 50)
      const busy = [{ topic, partition: 1 }]
      const consumer = await readers.consumer(t, fresh('busy'), PATIENT)
      consumer.subscribe(topic)
      const seen: number[] = []
      const reading = ways[way](consumer, async ({ offset }) => {
        consumer.pause(busy)
        await new Promise(resolve => setTimeout(resolve, 1))
        consumer.resume(busy)
        seen.push(offset)
      })
      await until('all is read', () => seen.length === 1000)
      assert.deepEqual(seen, all(1000))
      await consumer.close()
      await reading
    })
  }

  for (const [limit, config] of Object.entries({
    'queued.max.messages.kbytes': { 'queued.max.messages.kbytes': 1024 },
    'queued.min.messages': { 'queued.min.messages': 10 },
  } satisfies Record<string, Partial<ConsumerConfig>>)) {
    for (const [way, read] of Object.entries(ways)) {
      test(`a busy partition that reached ${limit} is fetched again when it falls below, whatever the idle ones do: ${way}`, async t => {
        const topic = await busyTopic(60, 5, 20_000)
        const consumer = await readers.consumer(t, fresh('busy'), { 'fetch.wait.max.ms': 300_000, ...config })
        consumer.subscribe(topic)
        const seen: number[] = []
        const reading = read(consumer, ({ offset }) => void seen.push(offset))
        await until('all is read', () => seen.length === 300)
        assert.deepEqual(seen, all(300))
        await consumer.close()
        await reading
      })
    }
  }

  for (const [way, isRun] of [
    ['run', true],
    ['partitions', false],
  ] as const) {
    test(`a fast partition is read to its end beside slow ones that fill the queue: ${way}`, async t => {
      const topic = await readers.topicWith(all(10).map(() => []))
      await Promise.all(all(10).map(partition => fill(topic, partition, partition === 0 ? 60 : 12, 5, 20_000)))
      const consumer = await readers.consumer(t, fresh('quick'), { ...SMALL, 'fetch.message.max.bytes': 100_000 })
      consumer.subscribe(topic)
      const go = gate()
      const seen: number[] = []
      let slow = 0
      const work = async ({ partition, offset }: Message): Promise<void> => {
        if (partition > 0) {
          slow++
          await go.opened
        } else seen.push(offset)
      }
      const reading = isRun ? consumer.run({ concurrency: 20, handler: work }) : ways.partitions(consumer, work)
      await until('the quick one is read to its end', () => seen.length === 300)
      go.open()
      await until('the others are done', () => slow === 540)
      assert.deepEqual(seen, all(300))
      await consumer.close()
      await reading
    })
  }

  test('run: the messages of a slow partition take turns with those of others', async t => {
    const topic = await readers.topicWith([times(60, 10), []])
    const consumer = await readers.consumer(t, fresh('slow'))
    consumer.subscribe(topic)
    const begun: (() => void)[] = []
    let others = 0
    const running = consumer.run({
      concurrency: 2,
      order: 'none',
      handler: async ({ partition }) => {
        if (partition === 1) others++
        else await new Promise<void>(resolve => begun.push(resolve))
      },
    })
    await until('both handlers are running', () => begun.length === 2)
    await readers.producer().send({ topic, partition: 1, value: 'quick' })
    await until('it has been read', () => consumer.position().some(at => at.partition === 1 && at.offset === 1))
    begun[0]?.()
    await until('its turn has come', () => others === 1)
    assert.ok(begun.length <= 3, `${begun.length} of the slow partition were begun before`)
    const freeing = setInterval(() => begun.forEach(done => done()), 5)
    t.after(() => clearInterval(freeing))
    await consumer.close()
    await running
  })

  test('partition streams: unread and slow ones do not stop the others, and hold no more than their share', async t => {
    const sizes = [times(60, 200_000), times(60, 200_000), []]
    const topic = await readers.topicWith(sizes)
    const consumer = await readers.consumer(t, fresh('slow'), SMALL)
    consumer.subscribe(topic)
    const go = gate()
    const seen = sizes.map((): number[] => [])
    const reading = (async () => {
      const work: Promise<void>[] = []
      for await (const stream of consumer.partitions()) {
        work.push(
          (async () => {
            if (stream.partition === 0) await go.opened
            for await (const { partition, offset } of stream) {
              seen[partition]?.push(offset)
              if (partition === 1 && offset === 0) await go.opened
            }
          })(),
        )
      }
      await Promise.all(work)
    })()
    await until('the slow one is being processed', () => seen[1]?.length === 1)
    for (let i = 0; i < 5; i++) {
      await readers.producer().send({ topic, partition: 2, value: 'quick' })
      await until(`message ${i} of the other partition comes`, () => seen[2]?.length === i + 1)
    }
    const taken = consumer.position().find(({ partition }) => partition === 0)?.offset ?? -1
    assert.ok(taken < 20, `${taken} messages of 200 kB wait for a stream that nobody reads`)
    go.open()
    await until('all is read', () => seen.reduce((sum, each) => sum + each.length, 0) === 125)
    assert.deepEqual(seen, [all(60), all(60), all(5)])
    await consumer.close()
    await reading
  })

  for (const protocol of ['classic', 'consumer'] as const) {
    test(`a revoked partition makes room in a full queue, ${protocol}`, async t => {
      const topic = await readers.topicWith([times(200, 10_000), times(200, 10_000)])
      const group = fresh('slow')
      const first = await readers.consumer(t, group, { ...SMALL, 'group.protocol': protocol })
      first.subscribe(topic)
      const seen = new Set<string>()
      const note = ({ partition, offset }: { partition: number; offset: number }): void => {
        assert.ok(!seen.has(`${partition} ${offset}`), `[${partition}] ${offset} came twice`)
        seen.add(`${partition} ${offset}`)
      }
      note(await first.readMessage(20_000))
      const second = await readers.consumer(t, group, { ...SMALL, 'group.protocol': protocol })
      second.subscribe(topic)
      const reading = [first, second].map(consumer => ways['for await'](consumer, note))
      await until('all is read', () => seen.size === 400)
      await first.close()
      await second.close()
      await Promise.all(reading)
    })
  }
}
