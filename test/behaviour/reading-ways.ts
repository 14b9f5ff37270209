/** Every way of reading as one function, and clients that are always closed. */
import { after, before, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import { AdminClient, Consumer, Producer, type ConsumerConfig, type Message } from 'ottla'
import { fresh } from './world.ts'
import { createTopic } from '../harness/topics.ts'

export const quiet = (): void => undefined
export const WAIT_MS = 30_000

/** The handler of one message. */
export type Work = (message: Message, consumer: Consumer) => void | Promise<void>

async function eachOf(messages: AsyncIterable<Message>, consumer: Consumer, work: Work): Promise<void> {
  for await (const message of messages) await work(message, consumer)
}

// A function, because the compiler assumes that a getter does not change.
function isClosed({ closed }: Consumer): boolean {
  return closed
}

async function untilClosed(consumer: Consumer, next: () => Promise<void>): Promise<void> {
  while (!consumer.closed) {
    try {
      await next()
    } catch (error) {
      // The consumer was closed.
      if (!isClosed(consumer)) throw error
    }
  }
}

/** Each reads until the consumer is closed. */
export const ways = {
  poll: (consumer, work) =>
    untilClosed(consumer, async () => {
      const event = await consumer.poll(1000)
      if (event?.type === 'message') await work(event.message, consumer)
    }),
  readMessage: (consumer, work) =>
    untilClosed(consumer, async () => {
      await work(await consumer.readMessage(), consumer)
    }),
  'for await': (consumer, work) => eachOf(consumer, consumer, work),
  batches: async (consumer, work) => {
    for await (const batch of consumer.batches({ maxMessages: 1 })) {
      for (const message of batch) await work(message, consumer)
    }
  },
  partitions: async (consumer, work) => {
    const streams: Promise<void>[] = []
    for await (const stream of consumer.partitions()) streams.push(eachOf(stream, consumer, work))
    await Promise.all(streams)
  },
  run: (consumer, work) => consumer.run({ concurrency: 4, handler: message => work(message, consumer) }),
  'run of batches': (consumer, work) =>
    consumer.run({
      concurrency: 4,
      maxMessages: 1,
      batchHandler: async batch => {
        for (const message of batch) await work(message, consumer)
      },
    }),
} as const satisfies Readonly<Record<string, (consumer: Consumer, work: Work) => Promise<void>>>

export interface Readers {
  readonly servers: { readonly 'bootstrap.servers': string }
  producer(): Producer
  /** @param sizes the size of each message of each partition, in bytes */
  readonly topicWith: (sizes: readonly (readonly number[])[]) => Promise<string>
  /** Closed when the test ends. */
  consumer(t: TestContext, group: string, config?: Partial<ConsumerConfig>): Promise<Consumer>
  committed(group: string, topic: string, partitions: number): Promise<number[]>
}

interface World {
  readonly bootstrapServers: string
  close(): Promise<void>
}

/** Starts a cluster before the tests of a file, and closes it after them. */
export function readersOf(start: () => Promise<World>): Readers {
  let world: World
  let admin: AdminClient
  let producer: Producer
  const servers = { 'bootstrap.servers': '' }

  before(async () => {
    world = await start()
    servers['bootstrap.servers'] = world.bootstrapServers
    admin = new AdminClient(servers, { logger: quiet })
    producer = new Producer({ ...servers, 'linger.ms': 0 }, { logger: quiet })
  })

  after(async () => {
    await producer.close()
    await admin.close()
    await world.close()
  })

  return {
    servers,
    producer: () => producer,
    async topicWith(sizes) {
      const topic = fresh('readers')
      await createTopic(world.bootstrapServers, topic, { numPartitions: sizes.length, replicationFactor: 1 })
      const messages = sizes.flatMap((each, partition) =>
        each.map(size => ({ topic, partition, value: Buffer.alloc(size, 'm') })),
      )
      for (const { error } of await producer.sendBatch(messages)) assert.equal(error, undefined)
      return topic
    },
    async consumer(t, group, config = {}) {
      const isNew = config['group.protocol'] === 'consumer'
      if (isNew) {
        const entries = [{ name: 'consumer.heartbeat.interval.ms', value: '100', operation: 'set' }] as const
        await admin.incrementalAlterConfigs([{ type: 'group', name: group, entries }])
      }
      const made = new Consumer(
        {
          ...servers,
          'group.id': group,
          'auto.offset.reset': 'earliest',
          'auto.commit.interval.ms': 100,
          'fetch.wait.max.ms': 50,
          ...(isNew ? {} : { 'heartbeat.interval.ms': 100 }),
          ...config,
        },
        { logger: quiet },
      )
      t.after(() => made.close(2000))
      return made
    },
    async committed(group, topic, partitions) {
      const asked = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
      const offsets = await admin.listConsumerGroupOffsets(group, asked)
      return offsets.sort((a, b) => a.partition - b.partition).map(({ offset }) => offset)
    },
  }
}

export async function until(what: string, isTrue: () => Promise<boolean> | boolean): Promise<void> {
  const end = Date.now() + WAIT_MS
  while (!(await isTrue())) {
    assert.ok(Date.now() < end, `never came true: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}

/** A gate that the test opens. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = quiet
  const opened = new Promise<void>(resolve => (open = resolve))
  return { opened, open: () => open() }
}

/** This many messages of this size. */
export function times(count: number, bytes: number): number[] {
  return Array.from({ length: count }, () => bytes)
}
