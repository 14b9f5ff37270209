/** What the scenarios of @ottla/kafka-javascript share: clients that are disconnected at the end, topics, waits. */
import { after, before } from 'node:test'
import { KafkaJS } from '@ottla/kafka-javascript'
import { closing } from '../../harness/closing.ts'
import { createTopic } from '../../harness/topics.ts'
import { fresh } from '../world.ts'

const WAIT_MS = 60_000
const POLL_MS = 20

/** A cluster without credentials, real or embedded. */
export interface PlainCluster {
  readonly bootstrapServers: string
  close(): Promise<void>
}

/** A line of a log: its level, and what it says. */
export type Line = [level: string, message: string]

export interface ConfluentWorld {
  readonly brokers: string
  /** What the clients of the current world have logged. */
  readonly lines: Line[]
  /** Connected, here and below. @param own options, in the block and beside it */
  producer(
    block?: KafkaJS.ProducerConfig,
    beside?: Omit<KafkaJS.ProducerConstructorConfig, 'kafkaJS'>,
  ): Promise<KafkaJS.Producer>
  /** In a group of its own unless another is given, from the beginning. */
  consumer(
    block?: Partial<KafkaJS.ConsumerConfig>,
    beside?: Omit<KafkaJS.ConsumerConstructorConfig, 'kafkaJS'>,
  ): Promise<KafkaJS.Consumer>
  admin(): Promise<KafkaJS.Admin>
  /** Whose clients are not connected. */
  kafka(): KafkaJS.Kafka
  topic(partitions?: number): Promise<string>
  /** Messages are sent to the topic, in their order. */
  fill(topic: string, values: readonly string[], partition?: number): Promise<void>
}

interface Connecting {
  connect(): Promise<void>
  disconnect(): Promise<void>
}

/** Starts a cluster before the first test of a file, and closes it after the last. */
export function confluentWorldOf(start: () => Promise<PlainCluster>): ConfluentWorld {
  let cluster: PlainCluster
  before(async () => {
    cluster = await start()
  })
  after(() => cluster.close())
  const lines: Line[] = []
  const say =
    (level: string) =>
    (message: string): void =>
      void lines.push([level, message])
  const logger: KafkaJS.Logger = {
    error: say('error'),
    warn: say('warn'),
    info: say('info'),
    debug: say('debug'),
    namespace: () => logger,
    setLogLevel: () => undefined,
  }
  const world: ConfluentWorld = {
    get brokers() {
      return cluster.bootstrapServers
    },
    lines,
    kafka: () => new KafkaJS.Kafka({ kafkaJS: { brokers: [cluster.bootstrapServers], logger } }),
    producer: (kafkaJS = {}, beside = {}) => connected(world.kafka().producer({ 'linger.ms': 0, ...beside, kafkaJS })),
    consumer: (block = {}, beside = {}) => {
      const kafkaJS = { groupId: fresh('group'), fromBeginning: true, maxWaitTimeInMs: 100, ...block }
      return connected(world.kafka().consumer({ ...beside, kafkaJS }))
    },
    admin: () => connected(world.kafka().admin()),
    topic: async (partitions = 1) => {
      const name = fresh('confluent')
      await createTopic(cluster.bootstrapServers, name, { numPartitions: partitions, replicationFactor: 1 })
      return name
    },
    fill: async (topic, values, partition = 0) => {
      const producer = await world.producer()
      await producer.send({ topic, messages: values.map(value => ({ value, partition })) })
      await producer.disconnect()
    },
  }
  return world
}

async function connected<T extends Connecting>(client: T): Promise<T> {
  closing({ close: () => client.disconnect() })
  await client.connect()
  return client
}

/** Waits until it holds. Rejects when that takes too long. */
export async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const end = Date.now() + WAIT_MS
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`${what}: not within ${WAIT_MS} ms`)
    await new Promise(resolve => setTimeout(resolve, POLL_MS))
  }
}

/** The text of a message. */
export function textOf({ value }: KafkaJS.KafkaMessage): string {
  return value === null ? '' : value.toString()
}
