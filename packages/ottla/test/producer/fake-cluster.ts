import {
  ErrorCode,
  Produce,
  Reader,
  RecordView,
  BatchReader,
  ProduceServer,
  Writer,
  ZERO_UUID,
  type Decoded,
  type ProduceRequest,
  type ProduceResponse,
} from '@ottla/protocol'
import type { BrokerRequestOptions } from '../../src/cluster/broker.ts'
import {
  applyLeader,
  emptySnapshot,
  type Applied,
  type Snapshot,
  type TopicSnapshot,
} from '../../src/cluster/snapshot.ts'
import { RequestError } from '../../src/network/request-error.ts'
import type { PipelineCluster } from '../../src/producer/pipeline.ts'

/** One produce request that waits for the test to answer it. */
export class FakeRequest {
  readonly brokerId: number
  readonly body: Decoded<ProduceRequest>
  readonly options: BrokerRequestOptions
  readonly version: number
  readonly #resolve: (response: Decoded<ProduceResponse>) => void
  readonly #reject: (error: Error) => void

  constructor(
    brokerId: number,
    body: Decoded<ProduceRequest>,
    options: BrokerRequestOptions,
    version: number,
    resolve: (response: Decoded<ProduceResponse>) => void,
    reject: (error: Error) => void,
  ) {
    this.brokerId = brokerId
    this.body = body
    this.options = options
    this.version = version
    this.#resolve = resolve
    this.#reject = reject
  }

  /** Partitions in it, as `topic/partition`. */
  get partitions(): string[] {
    return this.body.topicData.flatMap(t => t.partitionData.map(p => `${t.name}/${p.index}`))
  }

  /** The values in it, as text, by partition. */
  get values(): Record<string, string[]> {
    const values: Record<string, string[]> = {}
    for (const topic of this.body.topicData) {
      for (const p of topic.partitionData) {
        values[`${topic.name}/${p.index}`] = recordsOf(p.records).map(record => String(record.value))
      }
    }
    return values
  }

  /** The header of the batch of one partition. */
  batch(partition: number): {
    producerId: bigint
    producerEpoch: number
    baseSequence: number
    recordCount: number
    codecId: number
  } {
    for (const topic of this.body.topicData) {
      for (const p of topic.partitionData) {
        const batch = p.index === partition && p.records !== null ? new BatchReader(p.records).next() : null
        if (batch !== null) return batch
      }
    }
    throw new Error(`the request has no partition ${partition}`)
  }

  /** Answers every partition with offset `baseOffset`. */
  ok(baseOffset = 0): void {
    this.answer(() => ({ baseOffset }))
  }

  /** Answers every partition with an error. */
  error(errorCode: number, more: object = {}): void {
    this.answer(() => ({ errorCode, ...more }))
  }

  answer(of: (topic: string, partition: number) => object, more: object = {}): void {
    const response: ProduceResponse = {
      responses: this.body.topicData.map(({ name, topicId, partitionData }) => ({
        name,
        topicId,
        partitionResponses: partitionData.map(({ index }) => ({
          index,
          errorCode: 0,
          baseOffset: -1,
          ...of(name, index),
        })),
      })),
      ...more,
    }
    this.#resolve(coded(response, this.version))
  }

  /** Resolves as a request without an answer does (acks=0). */
  written(): void {
    this.#resolve(undefined as unknown as Decoded<ProduceResponse>) // as Broker.request does
  }

  fail(code: number, sent: boolean): void {
    this.#reject(new RequestError(code, 'made up by the test', sent))
  }
}

export function recordsOf(records: Buffer | null): RecordView[] {
  const views: RecordView[] = []
  if (records === null) return views
  const reader = new BatchReader(records)
  for (let batch = reader.next(); batch !== null; batch = reader.next()) {
    batch.checkCrc()
    const cursor = batch.records()
    while (cursor.next()) views.push(new RecordView(cursor))
  }
  return views
}

function coded(response: ProduceResponse, version: number): Decoded<ProduceResponse> {
  const writer = new Writer()
  ProduceServer.writeResponse(writer, response, version)
  return Produce.readResponse(new Reader(Buffer.concat(writer.finish())), version)
}

function decoded(request: ProduceRequest, version: number): Decoded<ProduceRequest> {
  const writer = new Writer()
  Produce.writeRequest(writer, request, version)
  return ProduceServer.readRequest(new Reader(Buffer.concat(writer.finish())), version)
}

/** A cluster whose metadata and responses the test decides. */
export class FakeCluster implements PipelineCluster {
  /** In the order sent, answered ones included. */
  readonly requests: FakeRequest[] = []
  readonly refreshes: string[][] = []
  readonly wanted = new Set<string>()
  /** Produce version of the brokers. */
  version = 12
  #snapshot: Snapshot = { ...emptySnapshot, brokers: brokers([1, 2, 3]) }
  readonly #listeners = new Set<(changed: ReadonlySet<string>) => void>()

  readonly metadata: PipelineCluster['metadata']

  constructor() {
    const snapshot = (): Snapshot => this.#snapshot
    this.metadata = {
      get snapshot() {
        return snapshot()
      },
      want: topic => void this.wanted.add(topic),
      unwant: topic => void this.wanted.delete(topic),
      onChange: listener => {
        this.#listeners.add(listener)
        return () => void this.#listeners.delete(listener)
      },
      refresh: topics => {
        this.refreshes.push([...topics])
        return Promise.resolve(this.#snapshot)
      },
      requestRefresh: (_reason, topics) => void this.refreshes.push([...(topics ?? [])]),
      applyLeaderHint: (topic, partition, leaderId, leaderEpoch, endpoints) => {
        const found = endpoints.find(e => e.nodeId === leaderId)
        const address = found === undefined ? null : { id: leaderId, host: found.host, port: found.port, rack: null }
        this.#apply(applyLeader(this.#snapshot, topic, partition, leaderId, leaderEpoch, address))
      },
    }
  }

  get listenerCount(): number {
    return this.#listeners.size
  }

  /** While false, requests wait for a connection, and nothing of them is written. */
  isConnected = true
  readonly #unwritten: {
    readonly write: () => void
    readonly reject: (error: Error) => void
    readonly options: BrokerRequestOptions
  }[] = []

  /** The options of the requests that wait for a connection. */
  get waiting(): BrokerRequestOptions[] {
    return this.#unwritten.map(({ options }) => options)
  }

  /** There is a connection: requests that wait for it are written, in order. */
  connect(): void {
    this.isConnected = true
    for (const { write } of this.#unwritten.splice(0)) write()
  }

  /** The connection fails: requests that wait for it were never written. */
  refuseConnection(code: number): void {
    for (const { reject } of this.#unwritten.splice(0)) reject(new RequestError(code, 'made up by the test', false))
  }

  /** Requests that have not been looked at by `next`. */
  #seen = 0
  get unseen(): number {
    return this.requests.length - this.#seen
  }

  /** The next request, which must be there. */
  next(): FakeRequest {
    const request = this.requests[this.#seen]
    if (request === undefined) throw new Error('no further produce request was sent')
    this.#seen++
    return request
  }

  broker(id: number): ReturnType<PipelineCluster['broker']> {
    if (!this.#snapshot.brokers.has(id)) return undefined
    return {
      preconnect: () => undefined,
      request: (_api, body, options) =>
        new Promise((resolve, reject) => {
          const version = Math.min(options.maxVersion ?? this.version, this.version)
          const write = (): void => {
            try {
              const request = decoded(body(version), version)
              this.requests.push(new FakeRequest(id, request, options, version, resolve, reject))
            } catch (error) {
              reject(error instanceof Error ? error : new Error(String(error)))
            }
          }
          if (this.isConnected) write()
          else this.#unwritten.push({ write, reject, options })
        }),
    }
  }

  /** The metadata has a topic: the leader of each partition. */
  topic(topic: string, leaders: readonly number[], more: Partial<TopicSnapshot> = {}, leaderEpoch = 0): void {
    const partitions = leaders.map((leader, partition) => ({
      partition,
      leader,
      leaderEpoch,
      replicas: [],
      isr: [],
      offlineReplicas: [],
      errorCode: 0,
    }))
    this.#tell({
      topic,
      topicId: ZERO_UUID,
      isInternal: false,
      errorCode: 0,
      partitions,
      updatedAt: 0,
      doubtedSince: null,
      ...more,
    })
  }

  /** The metadata has an error of a topic. */
  topicError(topic: string, errorCode: number): void {
    this.#tell({
      topic,
      topicId: ZERO_UUID,
      isInternal: false,
      errorCode,
      partitions: [],
      updatedAt: 0,
      doubtedSince: null,
    })
  }

  missing(topic: string): void {
    this.topicError(topic, ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART)
  }

  /** The metadata names these brokers. */
  brokers(ids: readonly number[]): void {
    this.#apply({ snapshot: { ...this.#snapshot, brokers: brokers(ids) }, changed: new Set(), doubted: [] })
  }

  #tell(topic: TopicSnapshot): void {
    const topics = new Map(this.#snapshot.topics).set(topic.topic, topic)
    this.#apply({ snapshot: { ...this.#snapshot, topics }, changed: new Set([topic.topic]), doubted: [] })
  }

  #apply(applied: Applied): void {
    this.#snapshot = applied.snapshot
    for (const listener of this.#listeners) listener(applied.changed)
  }
}

function brokers(ids: readonly number[]): Snapshot['brokers'] {
  return new Map(ids.map(id => [id, { id, host: 'localhost', port: 9000 + id, rack: null }]))
}
