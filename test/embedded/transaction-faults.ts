/** Transactional producers on clusters that can be told to fail, with transactions of both versions. */
import assert from 'node:assert/strict'
import { after, before, describe } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import { Consumer, Producer, type KafkaError, type ProducerConfig } from 'ottla'
import { gate } from '../behaviour/reading-ways.ts'
import { fresh } from '../behaviour/world.ts'
import { closing } from '../harness/closing.ts'

export const PRODUCE = 0
export const FIND_COORDINATOR = 10
export const INIT_PRODUCER_ID = 22
export const ADD_PARTITIONS = 24
export const ADD_OFFSETS = 25
export const END_TXN = 26
export const TXN_OFFSET_COMMIT = 28

export const quiet = (): void => undefined

export interface TransactionWorld {
  readonly cluster: EmbeddedCluster
  readonly make: (config?: Partial<ProducerConfig>) => Producer
  /** A producer whose initTransactions is done. */
  readonly ready: (config?: Partial<ProducerConfig>) => Promise<Producer>
  readonly newTopic: (partitions?: number) => string
  /** Values that a reader of what is committed gets, of one partition. */
  readonly read: (topic: string) => Promise<string[]>
  /** That all is well with a producer: a transaction of it is seen. */
  readonly works: (producer: Producer, topic: string, value: string) => Promise<void>
}

/** Registers the scenarios for transactions of version 1 and of version 2 (KIP-890). */
export function forEachVersion(scenarios: (version: 1 | 2, world: TransactionWorld) => void): void {
  for (const [version, release] of [
    [2, '4.3'],
    [1, '3.9'],
  ] as const) {
    describe(`transactions of version ${version}`, () =>
      scenarios(
        version,
        transactionWorld(() => EmbeddedCluster.start({ brokers: 3, as: release })),
      ))
  }
}

function transactionWorld(start: () => Promise<EmbeddedCluster>): TransactionWorld {
  let cluster: EmbeddedCluster

  before(async () => {
    cluster = await start()
  })

  after(async () => {
    await cluster.close()
  })

  function make(config: Partial<ProducerConfig> = {}): Producer {
    const producer = new Producer(
      {
        'bootstrap.servers': cluster.bootstrapServers,
        'transactional.id': fresh('txn'),
        'linger.ms': 0,
        'retry.backoff.ms': 5,
        'retry.backoff.max.ms': 20,
        ...config,
      },
      { logger: quiet },
    )
    return closing(producer)
  }

  async function ready(config?: Partial<ProducerConfig>): Promise<Producer> {
    const producer = make(config)
    await producer.initTransactions(20_000)
    return producer
  }

  function newTopic(partitions = 1): string {
    const topic = fresh('txn-faults')
    cluster.createTopic(topic, { partitions, replicationFactor: 3 })
    return topic
  }

  async function read(topic: string): Promise<string[]> {
    await using consumer = new Consumer(
      { 'bootstrap.servers': cluster.bootstrapServers, 'enable.partition.eof': true, 'fetch.wait.max.ms': 20 },
      { logger: quiet },
    )
    await consumer.assign([{ topic, partition: 0, offset: 0 }])
    const values: string[] = []
    for (;;) {
      const event = await consumer.poll(10_000)
      assert.notEqual(event, null)
      if (event?.type === 'partition-eof') return values
      if (event?.type === 'message') values.push(String(event.message.value))
    }
  }

  async function works(producer: Producer, topic: string, value: string): Promise<void> {
    producer.beginTransaction()
    await producer.send({ topic, partition: 0, value })
    await producer.commitTransaction()
    assert.equal((await read(topic)).at(-1), value)
  }

  return {
    get cluster() {
      return cluster
    },
    make,
    ready,
    newTopic,
    read,
    works,
  }
}

/** Keeps requests of a kind waiting, until the returned function lets them go on. */
export function hold(cluster: EmbeddedCluster, apiKey: number): () => void {
  const { opened, open } = gate()
  const stop = cluster.control(async request => {
    if (request.apiKey === apiKey) await opened
    return undefined
  })
  return () => {
    stop()
    open()
  }
}

/** What a call is refused with. */
export async function refusal(call: () => unknown): Promise<KafkaError> {
  try {
    await call()
  } catch (error) {
    return error as KafkaError // the library throws nothing else
  }
  assert.fail('it was not refused')
}

/** Name and kind of what a call is refused with. */
export async function kind(call: () => unknown): Promise<string> {
  const { name, isFatal, txnRequiresAbort, isRetriable } = await refusal(call)
  return `${name}${isFatal ? ' fatal' : ''}${txnRequiresAbort ? ' abort' : ''}${isRetriable ? ' again' : ''}`
}
