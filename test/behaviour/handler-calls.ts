/** Handlers, and loops over streams, that close their own consumer or change its assignment or subscription. */
import { test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import type { Consumer, Message } from 'ottla'
import { gate, readersOf, times, until } from './reading-ways.ts'
import { fresh } from './world.ts'

type Read = (consumer: Consumer, work: (message: Message) => Promise<void>) => Promise<void>

const tick = (ms = 2): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

const ways: Readonly<Record<string, Read>> = {
  'run, one at a time': (consumer, handler) => consumer.run({ handler }),
  'run, order key': (consumer, handler) => consumer.run({ order: 'key', concurrency: 8, handler }),
  'run, order none': (consumer, handler) => consumer.run({ order: 'none', concurrency: 8, handler }),
  'run with handlerTimeoutMs': (consumer, handler) =>
    consumer.run({ concurrency: 8, handlerTimeoutMs: 60_000, handler }),
  'run of batches': (consumer, handler) =>
    consumer.run({
      concurrency: 8,
      maxMessages: 1,
      batchHandler: async batch => {
        for (const message of batch) await handler(message)
      },
    }),
  'partitions, each by the same function': async (consumer, work) => {
    const read = async (stream: AsyncIterable<Message>): Promise<void> => {
      for await (const message of stream) await work(message)
    }
    const streams: Promise<void>[] = []
    for await (const stream of consumer.partitions()) streams.push(read(stream))
    await Promise.all(streams)
  },
}

/** @param start a cluster */
export function handlerCallScenarios(start: () => Promise<{ bootstrapServers: string; close(): Promise<void> }>): void {
  const readers = readersOf(start)

  /** The committed offsets of a topic of two partitions, 0 for none. */
  async function done(group: string, topic: string): Promise<number[]> {
    return (await readers.committed(group, topic, 2)).map(offset => Math.max(0, offset))
  }

  async function scene(t: TestContext): Promise<{ topic: string; group: string; consumer: Consumer }> {
    const [topic, group] = [await readers.topicWith([times(40, 10), times(40, 10)]), fresh('calls')]
    return { topic, group, consumer: await readers.consumer(t, group) }
  }

  for (const [way, read] of Object.entries(ways)) {
    for (const call of ['close', 'unsubscribe', 'unassign'] as const) {
      test(`${call} that nobody awaits waits for running handlers, and their messages are committed: ${way}`, async t => {
        const { topic, group, consumer } = await scene(t)
        if (call === 'unassign') {
          await consumer.assign([0, 1].map(partition => ({ topic, partition, offset: 0 })))
        } else consumer.subscribe(topic)
        const ended = [0, 0]
        let [begun, over] = [0, tick()]
        const started = Date.now()
        const called = gate()
        const reading = read(consumer, async ({ partition, offset }) => {
          begun++
          await tick()
          if (partition === 0 && offset === 5) {
            over = consumer[call]()
            called.open()
          }
          await tick(5)
          ended[partition] = (ended[partition] ?? 0) + 1
        })
        await called.opened
        await over
        assert.equal(begun, (ended[0] ?? 0) + (ended[1] ?? 0))
        assert.deepEqual(await done(group, topic), ended)
        await consumer.close()
        await reading
        assert.ok(Date.now() - started < 15_000, 'something waits for nothing')
      })
    }

    for (const one of ['a call of its own', 'one call'] as const) {
      test(`two running handlers that wait for ${one} of close never wait for each other: ${way}`, async t => {
        const { topic, group, consumer } = await scene(t)
        consumer.subscribe(topic)
        const both = gate()
        let [waiting, took] = [0, -1]
        const started = Date.now()
        let closing: Promise<void> | null = null
        const isAlone = way === 'run, one at a time'
        await read(consumer, async ({ offset }) => {
          await tick()
          if (offset !== 5) return
          if (++waiting === (isAlone ? 1 : 2)) both.open()
          await both.opened
          const began = Date.now()
          if (one === 'one call') await (closing ??= consumer.close())
          else await consumer.close()
          took = Date.now() - began
        })
        assert.ok(took >= 0 && Date.now() - started < 15_000, `it has taken ${took} ms`)
        for (const offset of await done(group, topic)) assert.ok(offset <= 5, `[${offset}]`)
      })
    }

    test(`after a handler changes the subscription, the consumer reads all of the new one: ${way}`, async t => {
      const { topic, group, consumer } = await scene(t)
      const other = await readers.topicWith([times(10, 10), []])
      consumer.subscribe(topic)
      const seen = new Set<string>()
      let isElsewhere = false
      const reading = read(consumer, async ({ topic: of, partition, offset }) => {
        await tick()
        if (of === topic && partition === 0 && offset === 5 && !isElsewhere) {
          isElsewhere = true
          await consumer.unsubscribe()
          consumer.subscribe([other, topic])
        }
        seen.add(`${of} ${partition} ${offset}`)
      })
      await until('all is committed', async () => {
        return [...(await done(group, topic)), ...(await done(group, other))].join() === '40,40,10,0'
      })
      assert.equal(seen.size, 90)
      await consumer.close()
      await reading
    })

    test(`after a handler assigns other positions, messages come from these only: ${way}`, async t => {
      const { topic, group, consumer } = await scene(t)
      await consumer.assign([0, 1].map(partition => ({ topic, partition, offset: 0 })))
      const begun: number[][] = [[], []]
      let before: number[] = []
      const reading = read(consumer, async ({ partition, offset }) => {
        begun[partition]?.push(offset)
        await tick()
        if (partition !== 0 || offset !== 5 || before.length > 0) return
        before = begun.map(({ length }) => length)
        await consumer.assign([
          { topic, partition: 0, offset: 2 },
          { topic, partition: 1, offset: 20 },
        ])
      })
      await until('all is committed', async () => (await done(group, topic)).join() === '40,40')
      const after = begun.map((offsets, i) => offsets.slice(before[i]))
      // Messages of running handlers are not among these.
      assert.deepEqual(after, [
        Array.from({ length: 38 }, (_, i) => 2 + i),
        Array.from({ length: 20 }, (_, i) => 20 + i),
      ])
      await consumer.close()
      await reading
    })
  }

  test('resume in a handler calls no other handler before it returns, and waiting messages come in order', async t => {
    const { topic, consumer } = await scene(t)
    consumer.subscribe(topic)
    const seen: number[] = []
    let [isIn, atWork] = [false, 0]
    const running = consumer.run({
      order: 'none',
      concurrency: 8,
      handler: async ({ partition, offset }) => {
        assert.ok(!isIn, `${partition} ${offset} is begun within resume`)
        if (partition === 1) return
        seen.push(offset)
        if (offset % 3 !== 0) return
        consumer.pause([{ topic, partition: 0 }])
        atWork++
        await tick()
        isIn = true
        consumer.resume([{ topic, partition: 0 }])
        isIn = false
        atWork--
      },
    })
    await until('all is read', () => seen.length === 40 && atWork === 0)
    assert.deepEqual(
      seen,
      Array.from({ length: 40 }, (_, i) => i),
    )
    await consumer.close()
    await running
  })
}
