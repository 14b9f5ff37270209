/** What the scenarios of @ottla/kafkajs share: clients that are disconnected at the end, topics, waits. */
import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import {
  Kafka,
  logLevel,
  type Admin,
  type AdminConfig,
  type Consumer,
  type ConsumerConfig,
  type KafkaConfig,
  type Producer,
  type ProducerConfig,
} from '@ottla/kafkajs'
import { closing } from '../../harness/closing.ts'
import { createTopic } from '../../harness/topics.ts'
import { fresh } from '../world.ts'

const WAIT_MS = 60_000

/** A cluster without credentials, real or embedded. */
export interface PlainCluster {
  readonly bootstrapServers: string
  close(): Promise<void>
}

export interface Facade {
  readonly brokers: string[]
  kafka(config?: Partial<KafkaConfig>): Kafka
  /** Not connected yet. */
  producer(config?: ProducerConfig, kafka?: Kafka): Producer
  /** Not connected yet; in a group of its own unless another is given. */
  consumer(config?: Partial<ConsumerConfig>, kafka?: Kafka): Consumer
  /** Not connected yet. */
  admin(config?: AdminConfig, kafka?: Kafka): Admin
  topic(partitions?: number): Promise<string>
}

/** Starts a cluster before the first test of a file, and closes it after the last. */
export function facadeOf(start: () => Promise<PlainCluster>): Facade {
  let cluster: PlainCluster
  before(async () => {
    cluster = await start()
  })
  after(() => cluster.close())
  const brokers = (): string[] => cluster.bootstrapServers.split(',')
  const kafka = (config: Partial<KafkaConfig> = {}): Kafka => quietKafka({ brokers: brokers(), ...config })
  return {
    get brokers() {
      return brokers()
    },
    kafka,
    producer: (config, given = kafka()) => disconnecting(given.producer(config)),
    consumer: (config = {}, given = kafka()) =>
      disconnecting(given.consumer({ groupId: fresh('group'), maxWaitTimeInMs: 100, ...config })),
    admin: (config, given = kafka()) => disconnecting(given.admin(config)),
    topic: async (partitions = 1) => {
      const name = fresh('kafkajs')
      await createTopic(cluster.bootstrapServers, name, { numPartitions: partitions, replicationFactor: 1 })
      return name
    },
  }
}

/** A client whose logs go nowhere. */
export function quietKafka(config: KafkaConfig): Kafka {
  return new Kafka({ logLevel: logLevel.NOTHING, logCreator: () => () => undefined, ...config })
}

/** Disconnects it at the end of the test. */
export function disconnecting<T extends { disconnect(): Promise<void> }>(client: T): T {
  closing({ close: () => client.disconnect() })
  return client
}

/** A value that no type allows. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- whatever is expected where it stands
export const anything = <T>(value: unknown): T => value as T

export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + WAIT_MS
  while (!(await isSo())) {
    assert.ok(Date.now() < deadline, `never came true: ${what}`)
    await pause(5)
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

/** The next event of this name. */
export function nextEvent<E>(client: { readonly on: (...args: never[]) => unknown }, name: string): Promise<E> {
  // Every name has a type of its own: this is for all of them.
  const on = client.on as (eventName: string, listener: (event: E) => void) => () => void
  return new Promise(resolve => {
    const remove = on(name, event => {
      remove()
      resolve(event)
    })
  })
}

export function messages(count: number, prefix = 'value'): { key: string; value: string }[] {
  return Array.from({ length: count }, (_, i) => ({ key: `key-${i}`, value: `${prefix}-${i}` }))
}

export const rejects = (
  work: Promise<unknown>,
  expected: RegExp | Readonly<Record<string, unknown>> | ((error: unknown) => boolean),
): Promise<void> => assert.rejects(work, expected as RegExp)
