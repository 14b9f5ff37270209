/** A raw client for tests of what three brokers make of one partition: a connection to each, one request at a time. */
import assert from 'node:assert/strict'
import {
  BatchReader,
  BatchWriter,
  CreateTopics,
  ErrorCode,
  Fetch,
  Metadata,
  OffsetForLeaderEpoch,
  Produce,
  type Api,
  type Decoded,
  type RecordsInput,
} from '@ottla/protocol'
import { closing } from '../harness/closing.ts'
import { WireClient } from '../harness/wire-client.ts'

const PATIENCE_MS = 60_000

/** A partition as a broker describes it. */
export interface PartitionState {
  /** -1: none. */
  readonly leader: number
  readonly leaderEpoch: number
  /** In order. */
  readonly isr: readonly number[]
}

export interface FetchOptions {
  readonly currentLeaderEpoch?: number
  readonly lastFetchedEpoch?: number
}

export class ReplicationConversation {
  readonly #bootstrapServers: string
  readonly #clients = new Map<number, WireClient>()

  /** For one test, at whose end the connections are closed. @param bootstrapServers of brokers 1, 2 and 3 */
  constructor(bootstrapServers: string) {
    this.#bootstrapServers = bootstrapServers
  }

  /** Asks one broker. Rejects when it is down. */
  async ask<Req, Res>(broker: number, api: Api<Req, Res>, version: number, body: Req): Promise<Decoded<Res>> {
    let client = this.#clients.get(broker)
    if (client === undefined) {
      const opened = closing(await WireClient.connect(this.#bootstrapServers, broker - 1))
      client = opened
      this.#clients.set(broker, opened)
      void opened.closed.then(() => {
        if (this.#clients.get(broker) === opened) this.#clients.delete(broker)
      })
    }
    return client.ask(api, version, body)
  }

  /** Creates a topic with one partition, whose replicas are all in sync. @returns its id */
  async createTopic(name: string, replicas: readonly number[], configs: Record<string, string> = {}): Promise<string> {
    const topic = {
      name,
      numPartitions: -1,
      replicationFactor: -1,
      assignments: [{ partitionIndex: 0, brokerIds: [...replicas] }],
      configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
    }
    const answer = await this.ask(1, CreateTopics, 5, { topics: [topic], timeoutMs: 30_000 })
    assert.equal(answer.topics[0]?.errorCode, 0, answer.topics[0]?.errorMessage ?? '')
    for (const broker of replicas) {
      await this.becomes(broker, name, ({ leader, isr }) => leader === replicas[0] && isr.length === replicas.length)
    }
    const found = await this.ask(1, Metadata, 12, { topics: [{ name }] })
    return found.topics[0]?.topicId ?? assert.fail(`${name} has no id`)
  }

  /** Writes one message. @returns its offset, or `error` with the code */
  async produce(broker: number, topic: string, value: string, acks: number, timeoutMs = 10_000): Promise<unknown> {
    const writer = new BatchWriter()
    writer.append(null, value, null, Date.now())
    const records = Buffer.from(writer.seal({}))
    const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }]
    const answer = await this.ask(broker, Produce, 11, { acks, timeoutMs, topicData })
    const { errorCode, baseOffset } = answer.responses[0]?.partitionResponses[0] ?? assert.fail('there is no answer')
    return errorCode === 0 ? baseOffset : `error ${errorCode}`
  }

  /** As `produce`, to a leader that may not have heard yet that it is one: it hears of it after its answers to Metadata. */
  produceAnew(broker: number, topic: string, value: string, acks: number): Promise<unknown> {
    return patiently(`a new leader of ${topic}`, async () => {
      const answer = await this.produce(broker, topic, value, acks)
      return answer === `error ${ErrorCode.ERR_NOT_LEADER_FOR_PARTITION}` ? null : answer
    })
  }

  /** The high watermark and the values from an offset on, where the logs part, or `error` with the code. */
  async fetch(broker: number, topic: string, fetchOffset: number, options: FetchOptions = {}): Promise<unknown> {
    const answer = await this.ask(broker, Fetch, 12, {
      maxWaitMs: 0,
      minBytes: 0,
      maxBytes: 1e6,
      topics: [{ topic, partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 1e6, ...options }] }],
    })
    const found = answer.responses[0]?.partitions[0] ?? assert.fail('there is no answer')
    if (found.errorCode !== 0) return `error ${found.errorCode}`
    const { epoch, endOffset } = found.divergingEpoch
    if (endOffset >= 0) return `epoch ${epoch} ends at ${endOffset}`
    return { highWatermark: found.highWatermark, values: valuesOf(found.records) }
  }

  /** Where a leader epoch ends: epoch and offset, or `error` with the code. */
  async endOfEpoch(broker: number, topic: string, leaderEpoch: number, currentLeaderEpoch = -1): Promise<unknown> {
    const answer = await this.ask(broker, OffsetForLeaderEpoch, 4, {
      replicaId: -1,
      topics: [{ topic, partitions: [{ partition: 0, leaderEpoch, currentLeaderEpoch }] }],
    })
    const found = answer.topics[0]?.partitions[0] ?? assert.fail('there is no answer')
    return found.errorCode === 0 ? [found.leaderEpoch, found.endOffset] : `error ${found.errorCode}`
  }

  async state(broker: number, topic: string): Promise<PartitionState> {
    const answer = await this.ask(broker, Metadata, 12, { topics: [{ name: topic }] })
    const found = answer.topics[0]?.partitions[0]
    if (found === undefined) return { leader: -1, leaderEpoch: -1, isr: [] }
    const isr = [...found.isrNodes].sort((a, b) => a - b)
    return { leader: found.leaderId, leaderEpoch: found.leaderEpoch, isr }
  }

  /** Waits until a broker describes the partition so. */
  async becomes(broker: number, topic: string, isWanted: (state: PartitionState) => boolean): Promise<PartitionState> {
    return patiently(`${topic} on broker ${broker}`, async () => {
      const state = await this.state(broker, topic)
      return isWanted(state) ? state : null
    })
  }
}

/** Asks until the answer is not null; a broker that is down, or a connection that is lost, counts as null. */
export async function patiently<T>(what: string, ask: () => Promise<T | null>): Promise<T> {
  const end = Date.now() + PATIENCE_MS
  let last: unknown = null
  for (;;) {
    const answer = await ask().catch((error: unknown) => {
      last = error
      return null
    })
    if (answer !== null) return answer
    if (Date.now() > end) throw new Error(`${what} does not get that far`, { cause: last })
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

function valuesOf(records: RecordsInput): string[] {
  if (records === null) return []
  const values: string[] = []
  const reader = new BatchReader(records instanceof Uint8Array ? Buffer.from(records) : Buffer.concat([...records]))
  for (let batch = reader.next(); batch !== null; batch = reader.next()) {
    for (const cursor = batch.records(); cursor.next();) values.push(String(cursor.value()))
  }
  return values
}
