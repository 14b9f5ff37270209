/** `consumer.partitions()`: a stream for each partition, each with its own reader. */
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { Consumer, ErrorCode, json, type ConsumerConfig } from 'ottla'
import { plainClients, type PlainWorld } from './plain-world.ts'
import { fresh } from './world.ts'
import { createTopic } from '../harness/topics.ts'

const WAIT_MS = 30_000
const quiet = (): void => undefined

/** @param start a cluster */
export function partitionStreamScenarios(start: () => Promise<PlainWorld>): void {
  const world = plainClients(start)

  const config = (group: string, changes: Partial<ConsumerConfig> = {}): ConsumerConfig => ({
    'bootstrap.servers': world.bootstrapServers,
    'group.id': group,
    'auto.offset.reset': 'earliest',
    'auto.commit.interval.ms': 100,
    'fetch.wait.max.ms': 50,
    ...(changes['group.protocol'] === 'consumer' ? {} : { 'heartbeat.interval.ms': 100 }),
    ...changes,
  })

  async function topicWith(partitions: number, each: number): Promise<string> {
    const topic = fresh('streams')
    await createTopic(world.bootstrapServers, topic, { numPartitions: partitions, replicationFactor: 1 })
    const messages = Array.from({ length: partitions * each }, (_, i) => ({
      topic,
      partition: i % partitions,
      value: String(Math.floor(i / partitions)),
    }))
    for (const { error } of await world.producer.sendBatch(messages)) assert.equal(error, undefined)
    return topic
  }

  async function committed(group: string, topic: string, partitions: number): Promise<number[]> {
    const asked = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
    const offsets = await world.admin.listConsumerGroupOffsets(group, asked)
    return offsets.sort((a, b) => a.partition - b.partition).map(({ offset }) => offset)
  }

  async function until(what: string, isTrue: () => Promise<boolean> | boolean): Promise<void> {
    const end = Date.now() + WAIT_MS
    while (!(await isTrue())) {
      assert.ok(Date.now() < end, `never came true: ${what}`)
      await new Promise(resolve => setTimeout(resolve, 10))
    }
  }

  const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i))

  test('partition streams: each has its messages in order, a slow one does not hold up the others, all are committed', async () => {
    const [topic, group] = [await topicWith(3, 1200), fresh('streams')]
    const consumer = new Consumer(config(group), { logger: quiet })
    consumer.subscribe(topic)
    const seen: string[][] = [[], [], []]
    let go = quiet
    const held = new Promise<void>(resolve => (go = resolve))
    const reading = (async () => {
      const work: Promise<void>[] = []
      for await (const stream of consumer.partitions()) {
        assert.equal(stream.topic, topic)
        work.push(
          (async () => {
            for await (const { value, partition } of stream) {
              assert.equal(partition, stream.partition)
              if (partition === 0 && seen[0]?.length === 1) await held
              seen[partition]?.push(String(value))
            }
          })(),
        )
      }
      await Promise.all(work)
    })()
    await until('the others are read', () => seen[1]?.length === 1200 && seen[2]?.length === 1200)
    assert.equal(seen[0]?.length, 1)
    go()
    await until('all is read', () => seen.every(values => values.length === 1200))
    assert.deepEqual(seen, [numbers(1200), numbers(1200), numbers(1200)])
    await consumer.close()
    await reading
    assert.deepEqual(await committed(group, topic, 3), [1200, 1200, 1200])
  })

  for (const protocol of ['classic', 'consumer'] as const) {
    test(`partition streams: a partition moves when its stream has finished its message, ${protocol}`, async () => {
      const [topic, group] = [await topicWith(2, 20), fresh('streams')]
      if (protocol === 'consumer') {
        const entries = [{ name: 'consumer.heartbeat.interval.ms', value: '100', operation: 'set' }] as const
        await world.admin.incrementalAlterConfigs([{ type: 'group', name: group, entries }])
      }
      const changes: Partial<ConsumerConfig> = { 'group.protocol': protocol }
      const mine: string[] = []
      const theirs: string[] = []
      let go = quiet
      const held = new Promise<void>(resolve => (go = resolve))
      let stopped = 0
      const read = async (consumer: Consumer, into: string[], pauses: boolean): Promise<void> => {
        const all: Promise<void>[] = []
        for await (const stream of consumer.partitions()) {
          all.push(
            (async () => {
              for await (const { partition, offset } of stream) {
                if (pauses && offset === 3) {
                  stopped++
                  await held
                }
                into.push(`${partition}:${offset}`)
              }
            })(),
          )
        }
        await Promise.all(all)
      }
      const first = new Consumer(config(group, changes), { logger: quiet })
      first.subscribe(topic)
      const reading = read(first, mine, true)
      await until('both are stopped in the middle', () => stopped === 2)
      const second = new Consumer(config(group, changes), { logger: quiet })
      second.subscribe(topic)
      const other = read(second, theirs, false)
      await until('one is to be given up', () => first.explain().some(said => said.includes('callback is running')))
      assert.deepEqual(theirs, [])
      go()
      await until('everything is read', () => new Set([...mine, ...theirs]).size === 40)
      assert.ok(theirs.length > 0, 'nothing has moved')
      assert.equal(mine.length + theirs.length, 40, 'a message was read twice')
      await first.close()
      await second.close()
      await Promise.all([reading, other])
      assert.deepEqual(await committed(group, topic, 2), [20, 20])
    })
  }

  test('partition streams: after a loop is left, the partition comes again from there; one reader at a time', async () => {
    const [topic, group] = [await topicWith(1, 10), fresh('streams')]
    const consumer = new Consumer(config(group), { logger: quiet })
    consumer.subscribe(topic)
    const seen: string[] = []
    let streams = 0
    for await (const stream of consumer.partitions()) {
      streams++
      await assert.rejects(consumer.readMessage(0), { code: ErrorCode.ERR__STATE })
      for await (const { value } of stream) {
        seen.push(String(value))
        if (streams === 1 && seen.length === 4) break
        if (seen.length === 11) break
      }
      if (streams === 2) break
    }
    assert.deepEqual(seen, [...numbers(4), ...numbers(10).slice(3)])
    // The last one was left without asking for more.
    assert.equal((await consumer.readMessage(WAIT_MS)).offset, 9)
    await consumer.close()
    assert.throws(() => consumer.partitions(), { code: ErrorCode.ERR__STATE })
  })

  test('partition streams: a message that cannot be deserialized ends its stream, and the next stream begins after it', async () => {
    const [topic, group] = [await topicWith(1, 1), fresh('streams')]
    await world.producer.sendBatch(['no json', '2'].map(value => ({ topic, partition: 0, value })))
    const consumer = new Consumer(config(group), { logger: quiet, value: json<number>() })
    consumer.subscribe(topic)
    const seen: number[] = []
    const codes: number[] = []
    for await (const stream of consumer.partitions()) {
      try {
        for await (const { value } of stream) {
          seen.push(value ?? -1)
          if (value === 2) break
        }
      } catch (error) {
        codes.push((error as { code: number }).code)
      }
      if (seen.includes(2)) break
    }
    assert.deepEqual([seen, codes], [[0, 2], [ErrorCode.ERR__VALUE_DESERIALIZATION]])
    await consumer.close()
  })
}
