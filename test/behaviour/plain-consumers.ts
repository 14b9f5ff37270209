/** Consumers of a plain cluster, and topics for them. */
import assert from 'node:assert/strict'
import { Consumer, KafkaError, type ConsumerConfig } from 'ottla'
import { plainClients, type PlainClients, type PlainWorld } from './plain-world.ts'
import { fresh } from './world.ts'
import { createTopic } from '../harness/topics.ts'

const quiet = (): void => undefined

export interface PlainConsumers extends PlainClients {
  /** A consumer that begins at the beginning. */
  readonly consumer: (config?: Partial<ConsumerConfig>) => Consumer
  /** What `consumer` configures. */
  readonly base: () => ConsumerConfig
  /** Creates a topic with this many messages in each partition; their values are `partition/offset`. */
  readonly topicWith: (counts: readonly number[], topic?: string) => Promise<string>
  readonly fill: (topic: string, partition: number, from: number, count: number) => Promise<void>
  /** The committed offset of partition 0. */
  readonly committedOffset: (group: string, topic: string) => Promise<number | undefined>
}

/** `plainClients` with consumers. */
export function plainConsumers(start: () => Promise<PlainWorld>): PlainConsumers {
  const clients = plainClients(start)

  function consumer(config: Partial<ConsumerConfig> = {}): Consumer {
    return new Consumer({ ...base(), ...config }, { logger: quiet })
  }

  function base(): ConsumerConfig {
    return {
      'bootstrap.servers': clients.bootstrapServers,
      'auto.offset.reset': 'earliest',
      'session.timeout.ms': 6000,
      'heartbeat.interval.ms': 200,
      'fetch.wait.max.ms': 100,
    }
  }

  async function topicWith(counts: readonly number[], topic = fresh('consumer')): Promise<string> {
    await createTopic(clients.bootstrapServers, topic, { numPartitions: counts.length, replicationFactor: 1 })
    for (const [partition, count] of counts.entries()) await fill(topic, partition, 0, count)
    return topic
  }

  async function fill(topic: string, partition: number, from: number, count: number): Promise<void> {
    const messages = Array.from({ length: count }, (_, i) => ({ topic, partition, value: `${partition}/${from + i}` }))
    for (const report of await clients.producer.sendBatch(messages)) assert.equal(report.error, undefined)
  }

  async function committedOffset(group: string, topic: string): Promise<number | undefined> {
    await using asking = consumer({ 'group.id': group })
    const [committed] = await asking.committed([{ topic, partition: 0 }], 20_000)
    return committed?.offset
  }

  return Object.assign(clients, { consumer, base, topicWith, fill, committedOffset })
}

export function is(code: number): (error: unknown) => boolean {
  return error => {
    assert.ok(error instanceof KafkaError, String(error))
    assert.equal(error.code, code, `${error.name}: ${error.message}`)
    return true
  }
}

/** `partition/offset` of the next messages. */
export async function take(consumer: Consumer, count: number): Promise<string[]> {
  const seen: string[] = []
  while (seen.length < count) {
    const { partition, offset } = await consumer.readMessage(20_000)
    seen.push(`${partition}/${offset}`)
  }
  return seen
}

export async function positionKnown(consumer: Consumer): Promise<void> {
  await until(() => consumer.position().every(({ offset }) => offset >= 0))
}

export async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000
  while (!condition()) {
    if (performance.now() > deadline) assert.fail(`never came true: ${condition.toString()}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
