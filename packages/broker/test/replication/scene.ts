import assert from 'node:assert/strict'
import {
  Fetch,
  ListOffsets,
  Produce,
  type Decoded,
  type FetchRequest,
  type FetchResponse,
  type ProduceResponse,
} from '@ottla/protocol'
import { EmbeddedCluster, type EmbeddedClusterOptions } from '../../src/index.ts'
import { batchBytes } from '../batches.ts'
import { FakeClock } from '../fake-clock.ts'
import { WireClient } from '../wire-client.ts'

type Seal = Parameters<typeof batchBytes>[1]

/** How a batch is produced; by default one record, with acks=1 to partition 0. */
export interface PutOptions {
  readonly acks?: number
  readonly count?: number
  readonly seal?: Seal
  readonly timeoutMs?: number
  readonly transactionalId?: string | null
  /** The version of Produce, 11 by default. */
  readonly version?: number
  /** The connection. */
  readonly from?: string
}

/** Three brokers with simulated replication on a clock that stands still, and a client for each. */
export class Scene implements AsyncDisposable {
  readonly clock: FakeClock
  readonly cluster: EmbeddedCluster
  readonly #clients = new Map<string, WireClient>()

  private constructor(clock: FakeClock, cluster: EmbeddedCluster) {
    this.clock = clock
    this.cluster = cluster
  }

  static async start(options: EmbeddedClusterOptions = {}): Promise<Scene> {
    const clock = new FakeClock()
    const cluster = await EmbeddedCluster.start({ brokers: 3, replication: 'simulated', clock, seed: 1, ...options })
    return new Scene(clock, cluster)
  }

  /** A topic with one partition on all brokers, led by broker 1, whose replicas have caught up. */
  topic(name: string, configs: Record<string, string> = {}): string {
    this.cluster.createTopic(name, { partitions: 1, replicationFactor: 3, configs })
    this.cluster.setLeader(name, 0, 1)
    this.clock.advance(100)
    return name
  }

  /** A connection to a broker; each name has one of its own. */
  async client(broker: number, name = 'reader'): Promise<WireClient> {
    const key = `${name} ${broker}`
    let client = this.#clients.get(key)
    if (client === undefined) {
      client = await WireClient.connect(this.cluster.bootstrapServers, broker - 1)
      this.#clients.set(key, client)
      void client.closed.then(() => this.#clients.delete(key))
    }
    return client
  }

  /** Sends a produce request; its answer may have to wait for time to pass. */
  async put(broker: number, topic: string, options: PutOptions = {}): Promise<PartitionResult> {
    const {
      acks = 1,
      count = 1,
      seal = {},
      timeoutMs = 5000,
      transactionalId = null,
      from = 'writer',
      version = 11,
    } = options
    const client = await this.client(broker, from)
    const records = batchBytes(count, seal, this.clock.now())
    const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }]
    const answer = await client.ask(Produce, version, { transactionalId, acks, timeoutMs, topicData })
    return answer.responses[0]?.partitionResponses[0] ?? assert.fail('there is no partition in the answer')
  }

  /** Fetches partition 0 without waiting. */
  async fetch(
    broker: number,
    topic: string,
    fetchOffset: number,
    partition: Partial<FetchRequest['topics'][number]['partitions'][number]> = {},
    request: Partial<FetchRequest> = {},
  ): Promise<Decoded<FetchResponse>['responses'][number]['partitions'][number]> {
    const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: 1e6, ...partition }]
    const body = { maxWaitMs: 0, minBytes: 1, maxBytes: 1e6, topics: [{ topic, partitions }], ...request }
    const answer = await (await this.client(broker)).ask(Fetch, 12, body)
    return answer.responses[0]?.partitions[0] ?? assert.fail('there is no partition in the answer')
  }

  async listOffset(
    broker: number,
    topic: string,
    timestamp = -1,
    version = 7,
  ): Promise<{ code: number; offset: number }> {
    const partitions = [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp }]
    const answer = await (
      await this.client(broker)
    ).ask(ListOffsets, version, { replicaId: -1, isolationLevel: 0, topics: [{ name: topic, partitions }] })
    const { errorCode = -1, offset = -1 } = answer.topics[0]?.partitions[0] ?? {}
    return { code: errorCode, offset }
  }

  /**
   * Sends a request whose answer the clock holds back; resolves once it has reached its broker, which has set a timer.
   * @param client the connection that it goes over
   */
  async held<T>(client: Promise<WireClient>, send: () => Promise<T>): Promise<{ readonly answer: Promise<T> }> {
    await client
    const timers = this.clock.pending
    const answer = send()
    while (this.clock.pending <= timers) await new Promise(resolve => setImmediate(resolve))
    return { answer }
  }

  /** As {@link held}, a write with acks=all. */
  heldPut(
    broker: number,
    topic: string,
    options: PutOptions = {},
  ): Promise<{ readonly answer: Promise<PartitionResult> }> {
    const client = this.client(broker, options.from ?? 'writer')
    return this.held(client, () => this.put(broker, topic, { acks: -1, ...options }))
  }

  /** Advances the clock in steps until a promise has settled. */
  async until<T>(answer: Promise<T>, stepMs = 1, limitMs = 60_000): Promise<T> {
    const outcomes = new Set<string>()
    const settled = answer.finally(() => outcomes.add('settled'))
    settled.catch(() => undefined)
    for (let passed = 0; passed < limitMs; passed += stepMs) {
      for (let turn = 0; turn < 20 && outcomes.size === 0; turn++) await new Promise(resolve => setImmediate(resolve))
      if (outcomes.size > 0) break
      this.clock.advance(stepMs)
    }
    return settled
  }

  /** End offset and high watermark of each replica, and the leader. */
  ends(topic: string): string {
    return this.cluster
      .replicas(topic, 0)
      .map(({ broker, endOffset, highWatermark, isLeader, inSync }) => {
        return `${broker}:${highWatermark}/${endOffset}${isLeader ? ' leads' : ''}${inSync ? '' : ' out'}`
      })
      .join(', ')
  }

  values(topic: string): string[] {
    return this.cluster.messages(topic).map(({ value }) => String(value))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients.values()) client.close()
    await this.cluster.close()
  }
}

type PartitionResult = Decoded<ProduceResponse>['responses'][number]['partitionResponses'][number]
