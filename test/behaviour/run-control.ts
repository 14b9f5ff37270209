/** Calls from within handlers (pause, seek, close), and handlers that never end. */
import { test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { ErrorCode, KafkaError, type Consumer, type ConsumerConfig, type Event } from 'ottla'
import { gate, quiet, readersOf, times, until, ways } from './reading-ways.ts'
import { fresh } from './world.ts'

const many = { run: ways.run, partitions: ways.partitions } as const
const tick = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 1))
const protocols = ['classic', 'consumer'] as const

/** @param start a cluster */
export function runControlScenarios(start: () => Promise<{ bootstrapServers: string; close(): Promise<void> }>): void {
  const readers = readersOf(start)
  const all = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)

  async function subscribed(
    t: TestContext,
    sizes: readonly number[][],
    config: Partial<ConsumerConfig> = {},
  ): Promise<Scene> {
    const [topic, group] = [await readers.topicWith(sizes), fresh('control')]
    const consumer = await readers.consumer(t, group, config)
    consumer.subscribe(topic)
    return { topic, group, consumer, at: (partition, offset) => [{ topic, partition, offset }] }
  }

  for (const [way, read] of Object.entries(many)) {
    test(`pause takes effect with the next message, and resume continues with those that have not begun: ${way}`, async t => {
      const { topic, group, consumer, at } = await subscribed(t, [times(500, 10), times(500, 10)])
      const seen: number[][] = [[], []]
      const reading = read(consumer, async ({ partition, offset }) => {
        seen[partition]?.push(offset)
        if (partition === 0 && offset === 9) consumer.pause([{ topic, partition: 0 }])
        await tick()
      })
      await until('the other partition is read', () => seen[1]?.length === 500)
      assert.deepEqual(seen[0], all(0, 10))
      for (let i = 0; i < 20; i++) {
        consumer.resume([{ topic, partition: 0 }])
        consumer.pause([{ topic, partition: 0 }])
        await tick()
      }
      assert.ok(seen.flat().length < 560)
      consumer.pause(consumer.assignment())
      await readers.producer().send({ topic, partition: 1, value: 'not yet' })
      await consumer.seek(at(1, 490))
      consumer.resume(consumer.assignment())
      await until('all is read', () => seen[0]?.length === 500 && seen[1]?.length === 511)
      assert.deepEqual(seen, [all(0, 500), [...all(0, 500), ...all(490, 501)]])
      await consumer.close()
      await reading
      assert.deepEqual(await readers.committed(group, topic, 2), [500, 501])
    })

    for (const [name, to] of [
      ['forward', 400],
      ['back', 5],
    ] as const) {
      test(`after a seek ${name} no message comes that was taken before it: ${way}`, async t => {
        const { topic, group, consumer, at } = await subscribed(t, [times(500, 10)])
        const seen: number[] = []
        let hasSought = false
        const reading = read(consumer, async ({ offset }) => {
          seen.push(offset)
          if (offset === 20 && !hasSought) {
            hasSought = true
            await consumer.seek(at(0, to))
          }
          await tick()
        })
        await until('the end is read', () => seen.at(-1) === 499)
        assert.deepEqual(seen, [...all(0, 21), ...all(to, 500)])
        await consumer.close()
        await reading
        assert.deepEqual(await readers.committed(group, topic, 1), [500])
      })
    }

    test(`an application's pause outlasts the holds of ${way}, and a close`, async t => {
      const { topic, group, consumer } = await subscribed(t, [times(3000, 10)], { 'queued.max.messages.kbytes': 1024 })
      const seen: number[] = []
      const reading = read(consumer, async ({ offset }) => {
        seen.push(offset)
        // By now it is held, because its messages wait.
        if (offset === 30) consumer.pause([{ topic, partition: 0 }])
        await tick()
      })
      await until('it is paused', () => seen.length === 31)
      for (let i = 0; i < 100; i++) await tick()
      assert.deepEqual(seen, all(0, 31))
      await consumer.close()
      await reading
      assert.deepEqual(await readers.committed(group, topic, 1), [31])
    })
  }

  test('run, order none: after a seek, handlers that were running store nothing', async t => {
    const { topic, group, consumer, at } = await subscribed(t, [times(100, 10)])
    const go = gate()
    const seen: number[] = []
    const running = consumer.run({
      concurrency: 8,
      order: 'none',
      handler: async ({ offset }) => {
        seen.push(offset)
        if (seen.filter(each => each === offset).length === 1 && offset < 4) await go.opened
      },
    })
    await until('all but the first are done', () => seen.length === 100)
    await consumer.seek(at(0, 2))
    await until('they come again', () => seen.length > 190)
    assert.ok(!seen.slice(100).includes(0) && !seen.slice(100).includes(1))
    await until('all but those before the seek is done', () => seen.length === 198)
    go.open()
    await consumer.close()
    await running
    assert.deepEqual(await readers.committed(group, topic, 1), [100])
  })

  for (const protocol of protocols) {
    for (const [way, read] of Object.entries(many)) {
      test(`what never ends costs its member the partitions, and no other any work: ${way}, ${protocol}`, async t => {
        const topic = await readers.topicWith([[], []])
        const group = fresh('control')
        const config: Partial<ConsumerConfig> = {
          'group.protocol': protocol,
          'max.poll.interval.ms': protocol === 'classic' ? 6000 : 1500,
          'ottla.partition.stall.ms': 500,
          ...(protocol === 'classic' ? { 'session.timeout.ms': 6000 } : {}),
        }
        const [hanging, working] = [
          await readers.consumer(t, group, config),
          await readers.consumer(t, group, { ...config, 'max.poll.interval.ms': 300_000 }),
        ]
        const reported: Event[] = []
        hanging.on('error', event => reported.push(event))
        hanging.on('partition-stalled', event => reported.push(event))
        const go = gate()
        const hung: number[] = []
        const done: string[] = []
        hanging.subscribe(topic)
        working.subscribe(topic)
        const reading = [
          read(hanging, async ({ offset }) => {
            hung.push(offset)
            await go.opened
          }),
          read(working, ({ partition, offset }) => void done.push(`${partition} ${offset}`)),
        ]
        await until('both have one', () => hanging.assignment().length === 1 && working.assignment().length === 1)
        const mine = hanging.assignment()[0]?.partition ?? -1
        for (let i = 0; i < 20; i++) await readers.producer().send({ topic, partition: i % 2, value: 'x' })
        await until('a handler is running', () => hung.length === 1)
        await until('the stuck handler is reported', () => reported.length > 0)
        assert.deepEqual(
          [reported[0]?.type, reported[0]?.type === 'partition-stalled' && reported[0].partition],
          ['partition-stalled', mine],
        )
        await until('the other has all', () => done.length === 20)
        assert.equal(new Set(done).size, 20)
        assert.deepEqual(hung, [0])
        const exceeded = reported.filter(
          event => event.type === 'error' && event.error.code === ErrorCode.ERR__MAX_POLL_EXCEEDED,
        )
        assert.equal(exceeded.length, 1)
        const said = hanging.explain().join('\n')
        assert.match(said, new RegExp(`${topic} \\[${mine}\\] .*offset 0 for \\d+ s`))
        assert.match(said, /has left the group/)
        assert.equal(hanging.assignment().length, 0)
        // Its result no longer counts; the consumer is a member again.
        go.open()
        await until('it is back', () => hanging.assignment().length === 1)
        await readers.producer().send({ topic, partition: mine, value: 'last' })
        await until('the last is done', () => done.length + hung.length === 22)
        await hanging.close()
        await working.close()
        await Promise.all(reading)
        assert.deepEqual(await readers.committed(group, topic, 2), mine === 0 ? [11, 10] : [10, 11])
      })
    }
  }

  test('a handler that exceeds handlerTimeoutMs is retried, dead-lettered, and counts once', async t => {
    const { topic, group, consumer } = await subscribed(t, [times(3, 10)])
    const aside = await readers.topicWith([[]])
    const go = gate()
    const aborted: string[] = []
    const done: number[] = []
    const running = consumer.run({
      handlerTimeoutMs: 100,
      retry: { retries: 1, backoffMs: 1 },
      deadLetter: { topic: aside, producer: readers.producer() },
      handler: async ({ offset }, { attempt, signal }) => {
        if (offset === 1) {
          signal.addEventListener('abort', () => aborted.push(`${offset} ${attempt}`))
          await go.opened
          throw new Error('nobody is interested in this')
        }
        done.push(offset)
      },
    })
    await until('what follows is done', () => done.length === 2)
    go.open()
    await until('it is committed', async () => (await readers.committed(group, topic, 1))[0] === 3)
    await consumer.close()
    await running
    assert.deepEqual(
      [done, aborted],
      [
        [0, 2],
        ['1 1', '1 2'],
      ],
    )
    const reader = await readers.consumer(t, fresh('control'))
    reader.subscribe(aside)
    const { headers } = await reader.readMessage(20_000)
    const texts = Object.fromEntries(headers.map(({ key, value }) => [key, String(value)]))
    assert.equal(texts['ottla.attempts'], '2')
    assert.match(texts['ottla.error'] ?? '', /longer than handlerTimeoutMs=100/)
  })

  test('without retries and a dead-letter topic, a handler that takes too long ends the run with its error', async t => {
    const { topic, group, consumer } = await subscribed(t, [times(3, 10)])
    const late = consumer.run({ handlerTimeoutMs: 50, drainMs: 100, handler: () => new Promise(quiet) })
    await assert.rejects(late, { code: ErrorCode.ERR__TIMED_OUT, message: /offset 0 took longer/ })
    const [committed = 1] = await readers.committed(group, topic, 1)
    assert.ok(committed <= 0, `[${committed}] is past a message that is not done`)
    await assert.rejects(consumer.run({ handlerTimeoutMs: 0, handler: quiet }), /handlerTimeoutMs=0/)
  })

  for (const thrown of [{ code: 42 }, 'a text', 7, null, undefined, Symbol('s')]) {
    test(`a thrown value that is not an Error is the cause of the run's error: ${typeof thrown} ${inspect(thrown)}`, async t => {
      const { consumer } = await subscribed(t, [times(1, 10)])
      const failing = consumer.run({
        handler: async () => {
          await tick()
          throw thrown as unknown as Error
        },
      })
      const error = await failing.then(
        () => assert.fail('it has not failed'),
        (reason: unknown) => reason as KafkaError,
      )
      assert.ok(error instanceof KafkaError)
      assert.ok('cause' in error)
      assert.equal(error.cause, thrown)
      assert.equal(error.code, ErrorCode.ERR__APPLICATION)
      assert.match(error.message, /\[0\] at offset 0 threw/)
    })
  }

  test('a message that cannot be dead-lettered ends the run with both errors, and comes again', async t => {
    const { topic, group, consumer } = await subscribed(t, [times(2, 10)])
    const [reason, aside] = [new Error('the reason'), new Error('the place is gone')]
    const failing = consumer.run({
      handler: ({ offset }) => {
        if (offset === 1) throw reason
      },
      deadLetter: { topic: 'aside', producer: { send: () => Promise.reject(aside) } },
    })
    const error = await failing.then(
      () => assert.fail('it has not failed'),
      (why: unknown) => why as KafkaError,
    )
    assert.match(error.message, /offset 1 failed \(the reason\).*dead-letter topic aside: the place is gone/)
    assert.deepEqual((error.cause as AggregateError).errors, [reason, aside])
    assert.deepEqual(await readers.committed(group, topic, 1), [1])
    assert.equal((await consumer.readMessage(20_000)).offset, 1)
  })

  for (const [way, read] of Object.entries(ways)) {
    for (const call of ['close', 'unsubscribe'] as const) {
      test(`${call} awaited in a handler does not wait for that handler, and commits processed messages: ${way}`, async t => {
        const { topic, group, consumer } = await subscribed(t, [times(20, 10)])
        const ended = gate()
        const started = Date.now()
        let took = Infinity
        void read(consumer, async ({ offset }) => {
          await tick()
          if (offset !== 5) return
          const began = Date.now()
          await consumer[call]()
          took = Date.now() - began
          ended.open()
          await tick()
        }).catch(quiet)
        await ended.opened
        assert.ok(took < 10_000, `it has taken ${took} ms, ${Date.now() - started} in all`)
        const [committed = -1] = await readers.committed(group, topic, 1)
        // Where messages are processed concurrently, or stored when they are delivered.
        assert.ok(committed >= 5 && committed <= (way === 'poll' || way === 'readMessage' ? 6 : 5), `[${committed}]`)
      })
    }
  }

  test('run ends after a handler that has closed the consumer, and after one that waits for the run itself', async t => {
    const { topic, group, consumer } = await subscribed(t, [times(10, 10)])
    const stop = new AbortController()
    const ends: string[] = []
    const running = consumer.run({
      signal: stop.signal,
      handler: async ({ offset }) => {
        if (offset !== 3) return
        stop.abort()
        await running
        ends.push('handler')
      },
    })
    await running
    await until('the handler has ended', () => ends.length === 1)
    assert.deepEqual(await readers.committed(group, topic, 1), [3])
    const order: string[] = []
    await consumer.run({
      handler: async () => {
        await consumer.close()
        await tick()
        order.push('handler')
      },
    })
    order.push('run')
    assert.deepEqual(order, ['handler', 'run'])
  })

  test('close with a stuck handler keeps to its timeout, and commits processed messages', async t => {
    const { topic, group, consumer } = await subscribed(t, [times(10, 10), times(10, 10)])
    let done = 0
    const running = consumer.run({
      concurrency: 2,
      handler: ({ partition, offset }) => {
        if (partition === 0 && offset === 4) return new Promise<void>(quiet)
        done++
        return undefined
      },
    })
    await until('the others are done', () => done === 14)
    const began = Date.now()
    await consumer.close(1000)
    assert.ok(Date.now() - began < 10_000)
    await running
    assert.deepEqual(await readers.committed(group, topic, 2), [4, 10])
  })
}

interface Scene {
  readonly topic: string
  readonly group: string
  readonly consumer: Consumer
  readonly at: (partition: number, offset: number) => { topic: string; partition: number; offset: number }[]
}
