/** Creates topics and waits until every broker knows them: the one place where tests wait for that. */
import { CreateTopics, ErrorCode, Metadata, SaslAuthenticate, SaslHandshake } from '@ottla/protocol'
import { setTimeout as sleep } from 'node:timers/promises'
import { WireClient } from './wire-client.ts'

// Versions that Kafka 2.1 and Kafka 4 both support.
const CREATE_VERSION = 2
const METADATA_VERSION = 4
const PATIENCE_MS = 60_000

export interface TopicOptions {
  readonly numPartitions?: number
  readonly replicationFactor?: number
  readonly config?: Readonly<Record<string, string>>
}

/** Addresses, or a client's settings without TLS, with PLAIN or no SASL. */
export type Where = string | { readonly [property: string]: unknown }

/**
 * Creates a topic and waits until each broker names a live leader for each of its partitions. A client may ask any
 * broker, and one that does not know the topic yet answers that it does not exist.
 */
export async function createTopic(where: Where, topic: string, options: TopicOptions = {}): Promise<void> {
  const { numPartitions = 1, replicationFactor, config = {} } = options
  await using first = await connect(where)
  const { brokers } = await first.client.ask(Metadata, METADATA_VERSION, { topics: [] })
  const { topics } = await first.client.ask(CreateTopics, CREATE_VERSION, {
    topics: [
      {
        name: topic,
        numPartitions,
        // The default of test clusters, since older brokers do not apply one.
        replicationFactor: replicationFactor ?? Math.min(brokers.length, 3),
        assignments: [],
        configs: Object.entries(config).map(([name, value]) => ({ name, value })),
      },
    ],
    timeoutMs: 30_000,
  })
  const { errorCode = -1, errorMessage } = topics[0] ?? {}
  if (errorCode !== ErrorCode.ERR_NO_ERROR)
    throw new Error(`cannot create ${topic}: ${errorCode} ${errorMessage ?? ''}`)
  await knownEverywhere(where, topic, numPartitions)
}

/** Waits until each broker of the cluster names leaders for this number of the topic's partitions. */
export async function knownEverywhere(where: Where, topic: string, numPartitions: number): Promise<void> {
  await using first = await connect(where)
  const { brokers } = await first.client.ask(Metadata, METADATA_VERSION, { topics: [] })
  const alive = new Set(brokers.map(({ nodeId }) => nodeId))
  const deadline = Date.now() + PATIENCE_MS
  for (const { host, port } of brokers) {
    await using one = await connect(typeof where === 'string' ? `${host}:${port}` : at(where, `${host}:${port}`))
    for (;;) {
      const seen = await one.client.ask(Metadata, METADATA_VERSION, {
        topics: [{ name: topic }],
        allowAutoTopicCreation: false,
      })
      const partitions = seen.topics[0]?.partitions ?? []
      if (partitions.length === numPartitions && partitions.every(each => alive.has(each.leaderId))) break
      if (Date.now() > deadline)
        throw new Error(`${host}:${port} does not know ${topic}: ${JSON.stringify(seen.topics)}`)
      await sleep(20)
    }
  }
}

function at(where: Exclude<Where, string>, servers: string): Where {
  return { ...where, 'bootstrap.servers': servers }
}

interface Connection extends AsyncDisposable {
  readonly client: WireClient
}

async function connect(where: Where): Promise<Connection> {
  const settings = typeof where === 'string' ? { 'bootstrap.servers': where } : where
  const client = await WireClient.connect(String(settings['bootstrap.servers']))
  const close = (): Promise<void> => {
    client.close()
    return Promise.resolve()
  }
  const user = (settings as Record<string, unknown>)['sasl.username']
  if (typeof user === 'string') {
    await client.ask(SaslHandshake, 1, { mechanism: 'PLAIN' })
    const authBytes = Buffer.from(`\0${user}\0${String((settings as Record<string, unknown>)['sasl.password'])}`)
    const { errorCode } = await client.ask(SaslAuthenticate, 2, { authBytes })
    if (errorCode !== ErrorCode.ERR_NO_ERROR) throw new Error(`${user} cannot log in: ${errorCode}`)
  }
  return { client, [Symbol.asyncDispose]: close }
}
