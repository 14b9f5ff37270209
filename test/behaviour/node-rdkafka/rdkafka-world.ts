/** What the scenarios of @ottla/node-rdkafka share: clients that are disconnected at the end, topics, waits. */
import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import {
  AdminClient,
  HighLevelProducer,
  KafkaConsumer,
  Producer,
  type ConsumerGlobalConfig,
  type ConsumerTopicConfig,
  type IAdminClient,
  type LibrdKafkaError,
  type Message,
  type ProducerGlobalConfig,
  type ProducerTopicConfig,
} from '@ottla/node-rdkafka'
import { closing } from '../../harness/closing.ts'
import { createTopic } from '../../harness/topics.ts'
import { fresh } from '../world.ts'

const WAIT_MS = 60_000

/** A cluster without credentials, real or embedded. */
export interface PlainCluster {
  readonly bootstrapServers: string
  close(): Promise<void>
}

/** Any client. */
interface Disconnecting {
  disconnect(cb: () => void): unknown
}

export interface RdkafkaWorld {
  readonly brokers: string
  /** Not connected yet, here and below. */
  producer(conf?: ProducerGlobalConfig, topicConf?: ProducerTopicConfig): Producer
  highLevelProducer(conf?: ProducerGlobalConfig): HighLevelProducer
  /** In a group of its own unless another is given, from the beginning. */
  consumer(conf?: ConsumerGlobalConfig, topicConf?: ConsumerTopicConfig): KafkaConsumer
  admin(): IAdminClient
  topic(partitions?: number): Promise<string>
  /** Messages are sent to the topic, one after the other. */
  fill(topic: string, values: readonly (string | null)[], partition?: number): Promise<void>
}

/** Starts a cluster before the first test of a file, and closes it after the last. */
export function rdkafkaWorldOf(start: () => Promise<PlainCluster>): RdkafkaWorld {
  let cluster: PlainCluster
  before(async () => {
    cluster = await start()
  })
  after(() => cluster.close())
  const common = (): ProducerGlobalConfig => ({ 'metadata.broker.list': cluster.bootstrapServers })
  const world: RdkafkaWorld = {
    get brokers() {
      return cluster.bootstrapServers
    },
    producer: (conf = {}, topicConf = {}) => disconnecting(new Producer({ ...common(), ...conf }, topicConf)),
    highLevelProducer: (conf = {}) => disconnecting(new HighLevelProducer({ ...common(), ...conf })),
    consumer: (conf = {}, topicConf = { 'auto.offset.reset': 'earliest' }) =>
      disconnecting(
        new KafkaConsumer({ ...common(), 'group.id': fresh('group'), 'fetch.wait.max.ms': 100, ...conf }, topicConf),
      ),
    admin: () => {
      const admin = AdminClient.create(common())
      closing({
        close: async () => {
          admin.disconnect()
        },
      })
      return admin
    },
    topic: async (partitions = 1) => {
      const name = fresh('rdkafka')
      await createTopic(cluster.bootstrapServers, name, { numPartitions: partitions, replicationFactor: 1 })
      return name
    },
    fill: async (topic, values, partition = 0) => {
      const producer = await connected(world.producer())
      for (const value of values) producer.produce(topic, partition, value === null ? null : Buffer.from(value))
      await called<void>(done => producer.flush(WAIT_MS, done))
      await disconnected(producer)
    },
  }
  return world
}

/** Disconnects it at the end of the test. */
export function disconnecting<T extends Disconnecting>(client: T): T {
  closing({ close: () => disconnected(client) })
  return client
}

export async function connected<T extends Producer | KafkaConsumer>(client: T): Promise<T> {
  await called(done => client.connect({}, done))
  return client
}

export async function disconnected(client: Disconnecting): Promise<void> {
  await new Promise<void>(resolve => client.disconnect(resolve))
}

/** What a call answers its callback; rejects with its error. */
export function called<T>(
  call: (done: (error: LibrdKafkaError | null | undefined, value: T) => void) => unknown,
): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, value) => {
      if (error !== null && error !== undefined) reject(asError(error))
      else resolve(value)
    })
  })
}

/** Its type is an interface, but what is passed is an Error. */
export function asError(error: LibrdKafkaError): Error {
  assert.ok(error instanceof Error, 'it is no Error')
  return error
}

/** The error that a call answers its callback. */
export async function refused(
  call: (done: (error: LibrdKafkaError | null | undefined) => void) => unknown,
): Promise<Error & LibrdKafkaError> {
  const error = await new Promise<LibrdKafkaError | null | undefined>(resolve => call(resolve))
  assert.ok(error instanceof Error, 'it succeeded')
  return error
}

/** Any emitter, with events that its type does not have. */
interface Emitter {
  once(event: string, listener: (...values: never[]) => void): unknown
}

/** The next event: what its listeners get. */
export function nextEvent<T extends unknown[]>(emitter: unknown, event: string): Promise<T> {
  return new Promise(resolve =>
    (emitter as Emitter).once(event, (...values: never[]) => resolve(values as unknown as T)),
  )
}

/** Reads until so many messages have come. */
export async function readMessages(consumer: KafkaConsumer, count: number): Promise<Message[]> {
  const read: Message[] = []
  await until(`${count} messages`, async () => {
    read.push(...(await called<Message[]>(done => consumer.consume(count - read.length, done))))
    return read.length >= count
  })
  return read
}

export const textOf = ({ value }: Message): string | null => value?.toString() ?? null

/** A value that no type allows. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- whatever is expected where it stands
export const anything = <T>(value: unknown): T => value as T

export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + WAIT_MS
  while (!(await isSo())) {
    assert.ok(Date.now() < deadline, `never came true: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}
