/** Records with timestamps beyond 2^53, which a number cannot hold exactly: one plain broker, real or embedded. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { AdminClient, Consumer, Producer, type Message } from 'ottla'
import type { PlainWorld } from './plain-world.ts'
import { fresh } from './world.ts'
import { createTopic } from '../harness/topics.ts'

const quiet = (): void => undefined
const NANOSECONDS = 1_700_000_000_000_000_000
const MILLISECONDS = 1_700_000_000_000
const LAST = 2 ** 63

/** Registers the tests; `start` starts the broker. */
export function wideTimeScenarios(start: () => Promise<PlainWorld>): void {
  let world: PlainWorld
  let config: { 'bootstrap.servers': string }
  let admin: AdminClient
  before(async () => {
    world = await start()
    config = { 'bootstrap.servers': world.bootstrapServers }
    admin = new AdminClient(config, { logger: quiet })
  })
  after(async () => {
    await admin.close()
    await world.close()
  })

  // Creates a topic with one batch per list of timestamps, one message per timestamp.
  async function topicWith(batches: readonly (readonly number[])[], codec: 'none' | 'gzip' = 'none'): Promise<string> {
    const topic = fresh('wide')
    const limit = { 'message.timestamp.after.max.ms': '9223372036854775807' }
    await createTopic(world.bootstrapServers, topic, { replicationFactor: 1, config: limit })
    const producer = new Producer({ ...config, 'linger.ms': 5, 'compression.type': codec }, { logger: quiet })
    try {
      for (const times of batches) {
        const messages = times.map(timestamp => ({ topic, partition: 0, value: String(timestamp), timestamp }))
        const reports = await producer.sendBatch(messages)
        assert.deepEqual(
          reports.map(r => [r.error, r.timestamp]),
          times.map(time => [undefined, time]),
        )
      }
    } finally {
      await producer.close()
    }
    return topic
  }

  async function read(consumer: Consumer, count: number): Promise<Message[]> {
    const messages: Message[] = []
    while (messages.length < count) {
      const message = await consumer.readMessage(20_000)
      assert.ok(message, `message ${messages.length} came`)
      messages.push(message)
    }
    return messages
  }

  const shapes: readonly (readonly [string, readonly (readonly number[])[], number])[] = [
    ['alone', [[NANOSECONDS]], 0],
    ['before an ordinary one', [[NANOSECONDS, MILLISECONDS]], 0],
    ['behind an ordinary one', [[MILLISECONDS, NANOSECONDS]], 1],
    ['among ordinary ones, in a batch each', [[MILLISECONDS], [NANOSECONDS], [MILLISECONDS + 1]], 1],
    ['among ordinary ones, in one batch', [[MILLISECONDS, NANOSECONDS, MILLISECONDS + 1]], 1],
    ['that just passes 2^53', [[2 ** 53 - 1, 2 ** 53, 2 ** 53 + 2]], 2],
    ['that is the last there is', [[MILLISECONDS, LAST, 0]], 1],
    ['that differs little from the next', [[NANOSECONDS, NANOSECONDS + 1024, NANOSECONDS + 512]], 1],
  ]

  for (const codec of ['none', 'gzip'] as const) {
    test(`a record ${codec === 'none' ? '' : 'compressed, '}with a time beyond 2^53 is read, with its time`, async () => {
      for (const [name, batches] of shapes) {
        const times = batches.flat()
        const topic = await topicWith(batches, codec)
        const consumer = new Consumer(
          { ...config, 'group.id': topic, 'auto.offset.reset': 'earliest' },
          { logger: quiet },
        )
        try {
          await consumer.assign([{ topic, partition: 0, offset: 0 }])
          const messages = await read(consumer, times.length)
          assert.deepEqual(
            messages.map(m => [m.offset, m.timestamp, String(m.value)]),
            times.map((time, i) => [i, time, String(time)]),
            name,
          )
        } finally {
          await consumer.close()
        }
      }
    })
  }

  test('the highest timestamp and its offset are found, whatever the unit', async () => {
    for (const [name, batches, offset] of shapes) {
      const topic = await topicWith(batches)
      const [found] = await admin.listOffsets([{ topic, partition: 0, spec: 'max-timestamp' }])
      assert.equal(found?.error, undefined, name)
      assert.equal(found?.offset, offset, name)
      assert.equal(found.timestamp, batches.flat()[offset], name)
    }
  })

  test('offsets are found by time before, at and behind a time beyond 2^53', async () => {
    const topic = await topicWith([[MILLISECONDS], [NANOSECONDS], [MILLISECONDS + 5]])
    const cases = [
      [MILLISECONDS - 1, 0, MILLISECONDS],
      [MILLISECONDS + 1, 1, NANOSECONDS],
      [NANOSECONDS, 1, NANOSECONDS],
      [NANOSECONDS + 1024, -1, -1],
      [LAST, -1, -1],
    ] as const
    for (const [timestamp, offset, time] of cases) {
      const [found] = await admin.listOffsets([{ topic, partition: 0, spec: { timestamp } }])
      assert.deepEqual([found?.offset, found?.timestamp, found?.error], [offset, time, undefined], String(timestamp))
    }
    const consumer = new Consumer({ ...config, 'group.id': topic }, { logger: quiet })
    try {
      const found = await consumer.offsetsForTimes(
        cases.map(([offset]) => ({ topic, partition: 0, offset })).slice(1, 2),
        20_000,
      )
      assert.deepEqual(
        found.map(f => [f.offset, f.error]),
        [[1, undefined]],
      )
    } finally {
      await consumer.close()
    }
  })

  for (const protocol of ['classic', 'consumer'] as const) {
    test(`a ${protocol} group that begins by duration reads on over such a record`, async () => {
      const topic = await topicWith([[NANOSECONDS], [Date.now()]])
      const errors: string[] = []
      const consumer = new Consumer(
        { ...config, 'group.id': topic, 'group.protocol': protocol, 'auto.offset.reset': 'by_duration:PT1H' },
        { logger: quiet },
      )
      consumer.on('error', event => void errors.push(event.error.message))
      try {
        consumer.subscribe(topic)
        const messages = await read(consumer, 2)
        assert.deepEqual([messages[0]?.timestamp, messages[0]?.offset, messages[1]?.offset], [NANOSECONDS, 0, 1])
        assert.deepEqual(errors, [])
      } finally {
        await consumer.close()
      }
    })
  }
}
