/** `consumer.run({ batchHandler })`: batches of several partitions at once, committed as far as they are processed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode, json, Consumer, type BatchRunOptions, type MessageBatch } from 'ottla'
import { closing } from '../harness/closing.ts'
import { gate, quiet, readersOf, times, until } from './reading-ways.ts'
import { fresh } from './world.ts'

const tick = (ms = 1): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
const protocols = ['classic', 'consumer'] as const
const offsetsOf = (batch: MessageBatch): number[] => Array.from(batch, ({ offset }) => offset)

/** @param start a cluster */
export function batchRunScenarios(start: () => Promise<{ bootstrapServers: string; close(): Promise<void> }>): void {
  const readers = readersOf(start)
  const all = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)

  /** Runs until `enough` is true. */
  async function running(
    consumer: Consumer,
    options: BatchRunOptions,
    what: string,
    enough: () => boolean | Promise<boolean>,
  ): Promise<void> {
    const stop = new AbortController()
    const run = consumer.run({ ...options, signal: stop.signal })
    await until(what, enough)
    stop.abort()
    await run
  }

  test('each message comes once, in order, and what is processed is committed at the end', async t => {
    const [topic, group] = [await readers.topicWith([times(300, 10), times(300, 10), times(300, 10)]), fresh('batches')]
    const consumer = await readers.consumer(t, group)
    consumer.subscribe(topic)
    const seen: number[][] = [[], [], []]
    const busy = new Set<number>()
    let most = 0
    const batchHandler = async (batch: MessageBatch): Promise<void> => {
      assert.ok(batch.length <= 40 && !busy.has(batch.partition))
      busy.add(batch.partition)
      most = Math.max(most, busy.size)
      seen[batch.partition]?.push(...offsetsOf(batch))
      await tick()
      busy.delete(batch.partition)
    }
    await running(consumer, { concurrency: 2, maxMessages: 40, batchHandler }, 'all', () => seen.flat().length >= 900)
    assert.deepEqual(seen, [all(0, 300), all(0, 300), all(0, 300)])
    assert.equal(most, 2)
    assert.deepEqual(await readers.committed(group, topic, 3), [300, 300, 300])
    await consumer.close()
  })

  test('what is not marked comes again; marks count at once', async t => {
    const [topic, group] = [await readers.topicWith([times(10, 10)]), fresh('batches')]
    const consumer = await readers.consumer(t, group)
    consumer.subscribe(topic)
    const seen: number[][] = []
    const batchHandler = async (batch: MessageBatch): Promise<void> => {
      seen.push(offsetsOf(batch))
      batch.markProcessed(null)
      const [first, second] = batch
      // Nothing of the second one.
      if (seen.length === 2 || first === undefined) return
      batch.markProcessed(second ?? first)
      if (seen.length === 1) await consumer.commit()
      if (seen.length === 1) assert.deepEqual(await readers.committed(group, topic, 1), [2])
    }
    await running(
      consumer,
      { batchHandler },
      'the end',
      async () => (await readers.committed(group, topic, 1))[0] === 10,
    )
    assert.deepEqual(
      seen.map(([first]) => first),
      [0, 2, 2, 4, 6, 8],
    )
    await consumer.close()
  })

  test('a batch that fails comes again from what is not marked, with the number of the attempt', async t => {
    const [topic, group] = [await readers.topicWith([times(10, 10)]), fresh('batches')]
    const consumer = await readers.consumer(t, group)
    consumer.subscribe(topic)
    const seen: [number, number][] = []
    const batchHandler: BatchRunOptions['batchHandler'] = (batch, { attempt }) => {
      seen.push([batch.firstOffset, attempt])
      batch.markProcessed(null)
      for (const message of batch) {
        if (seen.length <= 2 && message.offset === 3) throw new Error('fail')
        if (seen.length <= 4 && message.offset === 7) throw new Error('fail')
        batch.markProcessed(message)
      }
    }
    const retry = { retries: 2, backoffMs: 5 }
    await running(
      consumer,
      { batchHandler, retry },
      'the end',
      async () => (await readers.committed(group, topic, 1))[0] === 10,
    )
    assert.deepEqual(seen, [
      [0, 1],
      [3, 2],
      [3, 3],
      [7, 2],
      [7, 3],
    ])
    await consumer.close()
  })

  test('a batch whose last attempt fails ends the run with its error, and comes again in the next one', async t => {
    const [topic, group] = [await readers.topicWith([times(5, 10)]), fresh('batches')]
    const consumer = await readers.consumer(t, group)
    consumer.subscribe(topic)
    const attempts: number[] = []
    const failing = consumer.run({
      retry: { retries: 1, backoffMs: 5 },
      batchHandler: (batch, { attempt }) => {
        attempts.push(attempt)
        const [first] = batch
        batch.markProcessed(null)
        if (first?.offset === 0) batch.markProcessed(first)
        throw new Error('no use')
      },
    })
    await assert.rejects(failing, { message: 'no use' })
    assert.deepEqual(attempts, [1, 2])
    assert.deepEqual(await readers.committed(group, topic, 1), [1])
    const seen: number[] = []
    const batchHandler = (batch: MessageBatch): void => void seen.push(...offsetsOf(batch))
    await running(consumer, { batchHandler }, 'the rest', () => seen.length === 4)
    assert.deepEqual(seen, all(1, 5))
    await consumer.close()
  })

  test('pause, resume and seek take effect with the next batch', async t => {
    const [topic, group] = [await readers.topicWith([times(100, 10), times(100, 10)]), fresh('batches')]
    const consumer = await readers.consumer(t, group)
    consumer.subscribe(topic)
    const at = (offset: number): { topic: string; partition: number; offset: number }[] => [
      { topic, partition: 0, offset },
    ]
    const seen: number[][] = [[], []]
    let moves = 0
    const run = consumer.run({
      maxMessages: 10,
      batchHandler: async batch => {
        seen[batch.partition]?.push(...offsetsOf(batch))
        if (batch.partition === 1) return
        if (batch.firstOffset === 20 && moves === 0) consumer.pause(at(0))
        if (batch.firstOffset === 50 && moves++ === 0) await consumer.seek(at(5))
      },
    })
    await until('the other partition is read', () => seen[1]?.length === 100)
    await tick(100)
    assert.deepEqual(seen[0], all(0, 30))
    consumer.resume(at(0))
    await until('the end', () => seen[0]?.at(-1) === 99)
    assert.deepEqual(seen[0], [...all(0, 60), ...all(5, 100)])
    await consumer.close()
    await run
    assert.deepEqual(await readers.committed(group, topic, 2), [100, 100])
  })

  test('a handler that awaits close is not waited for; what it has marked is committed', async t => {
    const [topic, group] = [await readers.topicWith([times(5, 10)]), fresh('batches')]
    const consumer = await readers.consumer(t, group)
    consumer.subscribe(topic)
    await consumer.run({
      batchHandler: async batch => {
        const [first] = batch
        batch.markProcessed(first ?? null)
        await consumer.close()
      },
    })
    assert.deepEqual(await readers.committed(group, topic, 1), [1])
  })

  test('with commit=false the application commits, and nothing else does', async t => {
    const [topic, group] = [await readers.topicWith([times(5, 10)]), fresh('batches')]
    const automatic = await readers.consumer(t, group)
    const wrong = automatic.run({ commit: false, batchHandler: quiet })
    await assert.rejects(wrong, {
      code: ErrorCode.ERR__INVALID_ARG,
      message: /commit=false needs enable.auto.commit=false/,
    })
    const consumer = await readers.consumer(t, group, { 'enable.auto.commit': false })
    consumer.subscribe(topic)
    let count = 0
    const batchHandler = (batch: MessageBatch): void => void (count += batch.length)
    await running(consumer, { commit: false, batchHandler }, 'all', () => count === 5)
    assert.deepEqual(await readers.committed(group, topic, 1), [-1001])
    await consumer.commit()
    assert.deepEqual(await readers.committed(group, topic, 1), [5])
    await consumer.close()
    let messages = 0
    const second = await readers.consumer(t, fresh('batches'), { 'enable.auto.commit': false })
    second.subscribe(topic)
    const stop = new AbortController()
    const run = second.run({
      commit: false,
      signal: stop.signal,
      handler: () => {
        messages++
      },
    })
    await until('all again', () => messages === 5)
    stop.abort()
    await run
    assert.deepEqual(await readers.committed(second.groupMetadata().groupId, topic, 1), [-1001])
    await second.close()
  })

  test('messages are deserialized; one that cannot be ends the run, behind those before it', async () => {
    const [topic, group] = [await readers.topicWith([[]]), fresh('batches')]
    for (const value of ['1', '2', 'x', '3']) await readers.producer().send({ topic, value })
    const consumer = closing(
      new Consumer<Buffer, number>(
        { ...readers.servers, 'group.id': group, 'auto.offset.reset': 'earliest' },
        { value: json<number>(), logger: quiet },
      ),
    )
    consumer.subscribe(topic)
    const seen: (number | null)[] = []
    const run = consumer.run({
      retry: { retries: 3, backoffMs: 1 },
      batchHandler: batch => void seen.push(...Array.from(batch, ({ value }) => value)),
    })
    await assert.rejects(run, { code: ErrorCode.ERR__VALUE_DESERIALIZATION })
    assert.deepEqual(seen, [1, 2])
    assert.deepEqual(await readers.committed(group, topic, 1), [2])
    await consumer.close()
  })

  test('handlerTimeoutMs ends an attempt, and what it marks later does not count', async t => {
    const [topic, group] = [await readers.topicWith([times(4, 10)]), fresh('batches')]
    const consumer = await readers.consumer(t, group)
    consumer.subscribe(topic)
    const go = gate()
    const signals: AbortSignal[] = []
    let late: Promise<void> = Promise.resolve()
    const batchHandler: BatchRunOptions['batchHandler'] = (batch, { attempt, signal }) => {
      signals.push(signal)
      if (attempt > 1) return
      batch.markProcessed(null)
      late = go.opened.then(() => batch.markProcessed([...batch].at(-1) ?? null))
      return late
    }
    const options = { batchHandler, handlerTimeoutMs: 100, retry: { retries: 1, backoffMs: 1 } }
    await running(consumer, options, 'the second attempt', () => signals.length === 2)
    go.open()
    await late
    assert.deepEqual([signals[0]?.aborted, signals[1]?.aborted], [true, false])
    assert.deepEqual(await readers.committed(group, topic, 1), [4])
    await consumer.close()
  })

  for (const protocol of protocols) {
    test(`a revoke waits for the handler and commits what it has processed: ${protocol}`, async t => {
      const [topic, group] = [await readers.topicWith([times(60, 10), times(60, 10)]), fresh('batches')]
      const config = { 'group.protocol': protocol }
      const read: string[] = []
      const readAll = async (batch: MessageBatch): Promise<void> => {
        for (const { partition, offset } of batch) {
          read.push(`${partition} ${offset}`)
          await tick()
        }
      }
      const options = { concurrency: 2, maxMessages: 10, batchHandler: readAll }
      const first = await readers.consumer(t, group, config)
      first.subscribe(topic)
      const runs = [first.run(options)]
      await until('the first reads', () => read.length > 10)
      const second = await readers.consumer(t, group, config)
      second.subscribe(topic)
      runs.push(second.run(options))
      await until('all is read', () => read.length >= 120)
      await tick(200)
      assert.equal(read.length, 120)
      assert.equal(new Set(read).size, 120)
      await Promise.all([first.close(), second.close()])
      await Promise.all(runs)
      assert.deepEqual(await readers.committed(group, topic, 2), [60, 60])
    })

    test(`heartbeat keeps a slow handler in its group: ${protocol}`, async t => {
      const [topic, group] = [await readers.topicWith([times(1, 10)]), fresh('batches')]
      const limits =
        protocol === 'classic'
          ? { 'session.timeout.ms': 6000, 'max.poll.interval.ms': 6000 }
          : { 'max.poll.interval.ms': 1500 }
      const consumer = await readers.consumer(t, group, { 'group.protocol': protocol, ...limits })
      const lost: string[] = []
      consumer.on('error', ({ error }) => lost.push(error.name))
      consumer.subscribe(topic)
      let done = false
      const batchHandler: BatchRunOptions['batchHandler'] = async (_batch, { heartbeat }) => {
        const until = Date.now() + limits['max.poll.interval.ms'] * 1.5
        while (Date.now() < until) {
          heartbeat()
          await tick(20)
        }
        done = true
      }
      await running(consumer, { batchHandler }, 'it is done', () => done)
      assert.deepEqual(lost, [])
      assert.deepEqual(await readers.committed(group, topic, 1), [1])
      await consumer.close()
    })
  }
}
