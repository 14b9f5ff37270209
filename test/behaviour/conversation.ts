/** A raw client for tests of responses to producers, request by request. */
import {
  AddOffsetsToTxn,
  AddPartitionsToTxn,
  BatchReader,
  BatchWriter,
  CreateTopics,
  DescribeProducers,
  DescribeTransactions,
  EndTxn,
  Fetch,
  FindCoordinator,
  InitProducerId,
  ListOffsets,
  ListTransactions,
  OffsetFetch,
  OffsetForLeaderEpoch,
  Produce,
  TxnOffsetCommit,
  type RecordsInput,
} from '@ottla/protocol'
import { WireClient } from '../harness/wire-client.ts'
import { fresh } from './world.ts'

interface Seal {
  readonly producerId?: bigint
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly isTransactional?: boolean
}

export interface Id {
  readonly producerId: bigint
  readonly producerEpoch: number
}

export interface Outcome extends Id {
  readonly errorCode: number
}

/** Sends requests to a single broker, and summarizes its responses. */
export class Conversation {
  readonly #client: WireClient
  readonly topic = fresh('txn-topic')

  private constructor(client: WireClient) {
    this.#client = client
  }

  static async begin(bootstrapServers: string): Promise<Conversation> {
    const conversation = new Conversation(await WireClient.connect(bootstrapServers))
    const topics = [{ name: conversation.topic, numPartitions: 9, replicationFactor: 1, assignments: [], configs: [] }]
    await conversation.#client.ask(CreateTopics, 5, { topics, timeoutMs: 30_000 })
    // A topic may be known before its partitions have leaders.
    const asked = Array.from({ length: 9 }, (_, partitionIndex) => ({ partitionIndex, timestamp: -1 }))
    await conversation.#patiently(async () => {
      const body = { replicaId: -1, topics: [{ name: conversation.topic, partitions: asked }] }
      const answer = await conversation.#client.ask(ListOffsets, 9, body)
      const found = answer.topics[0]?.partitions ?? []
      return found.length === asked.length && found.every(({ errorCode }) => errorCode === 0) ? found : null
    })
    return conversation
  }

  end(): void {
    this.#client.close()
  }

  /** A transactional id whose coordinator is ready. */
  async id(): Promise<string> {
    const id = fresh('txn')
    await this.#patiently(async () => {
      const found = await this.#client.ask(FindCoordinator, 4, { keyType: 1, coordinatorKeys: [id] })
      if ((found.coordinators[0]?.errorCode ?? -1) !== 0) return null
      const described = await this.#client.ask(DescribeTransactions, 0, { transactionalIds: [id] })
      return described.transactionStates[0]?.errorCode === 105 ? described : null
    })
    return id
  }

  /** The whole response. */
  async init(transactionalId: string | null, expected?: Id, version = 5, timeout = 60_000): Promise<Outcome> {
    const body = { transactionalId, transactionTimeoutMs: timeout, ...expected }
    return this.#patiently(async () => {
      const { errorCode, producerId, producerEpoch } = await this.#client.ask(InitProducerId, version, body)
      // A broker that has just started has no block of producer ids yet.
      return errorCode === 14 ? null : { errorCode, producerId, producerEpoch }
    })
  }

  /** Repeats until the cluster has completed earlier requests. */
  async settled(transactionalId: string, expected?: Id): Promise<Outcome> {
    return this.#patiently(async () => {
      const answer = await this.init(transactionalId, expected)
      return answer.errorCode === 51 ? null : answer
    })
  }

  async produce(
    partition: number,
    seal: Seal,
    options: { id?: string; version?: number; bytes?: Buffer } = {},
  ): Promise<string> {
    const { id, version = 12, bytes } = options
    const writer = new BatchWriter()
    for (const value of ['one', 'two']) writer.append('key', value, null, Date.now())
    const records: RecordsInput = bytes ?? Buffer.from(writer.seal(seal))
    return this.#patiently(async () => {
      const answer = await this.#client.ask(Produce, version, {
        acks: -1,
        timeoutMs: 30_000,
        ...(id === undefined ? {} : { transactionalId: id }),
        topicData: [{ name: this.topic, partitionData: [{ index: partition, records }] }],
      })
      const { errorCode = -1, baseOffset = -1 } = answer.responses[0]?.partitionResponses[0] ?? {}
      // Clients retry this: the last transaction is still being completed.
      return errorCode === 51 || errorCode === 19 ? null : errorCode === 0 ? `at ${baseOffset}` : `error ${errorCode}`
    })
  }

  async add(transactionalId: string, id: Id, partitions: number[], version = 3): Promise<number[]> {
    return this.#patiently(async () => {
      const answer = await this.#client.ask(AddPartitionsToTxn, version, {
        v3AndBelowTransactionalId: transactionalId,
        v3AndBelowProducerId: id.producerId,
        v3AndBelowProducerEpoch: id.producerEpoch,
        v3AndBelowTopics: [{ name: this.topic, partitions }],
      })
      const codes = answer.resultsByTopicV3AndBelow.flatMap(topic =>
        [...topic.resultsByPartition]
          .sort((a, b) => a.partitionIndex - b.partitionIndex)
          .map(({ partitionErrorCode }) => partitionErrorCode),
      )
      return codes.includes(51) ? null : codes
    })
  }

  async finish(transactionalId: string, id: Id, committed: boolean, version = 5): Promise<Outcome> {
    return this.#patiently(async () => {
      const answer = await this.#client.ask(EndTxn, version, { transactionalId, ...id, committed })
      const { errorCode, producerId, producerEpoch } = answer
      return errorCode === 51 ? null : { errorCode, producerId, producerEpoch }
    })
  }

  async describe(transactionalId: string): Promise<{ state: string; epoch: number; partitions: number[] }> {
    return this.#patiently(async () => {
      const answer = await this.#client.ask(DescribeTransactions, 0, { transactionalIds: [transactionalId] })
      const found = answer.transactionStates[0]
      if (found === undefined || found.transactionState.startsWith('Prepare')) return null
      const partitions = found.topics.flatMap(topic => [...topic.partitions]).sort((a, b) => a - b)
      return { state: found.transactionState, epoch: found.producerEpoch, partitions }
    })
  }

  async list(stateFilters: string[], id: string): Promise<unknown> {
    const answer = await this.#client.ask(ListTransactions, 1, {
      stateFilters,
      producerIdFilters: [],
      durationFilter: -1,
    })
    const own = answer.transactionStates.filter(({ transactionalId }) => transactionalId === id)
    return { unknown: answer.unknownStateFilters, states: own.map(({ transactionState }) => transactionState) }
  }

  async producers(partition: number): Promise<unknown> {
    const topics = [{ name: this.topic, partitionIndexes: [partition] }]
    const answer = await this.#client.ask(DescribeProducers, 0, { topics })
    const found = answer.topics[0]?.partitions[0]
    return found?.activeProducers.map(({ producerEpoch, lastSequence, currentTxnStartOffset }) => {
      return { producerEpoch, lastSequence, currentTxnStartOffset }
    })
  }

  /** Offsets and kinds of the batches, stable offset, aborted transactions. */
  async fetch(partition: number, isolationLevel: number, fetchOffset = 0): Promise<unknown> {
    const answer = await this.#client.ask(Fetch, 12, {
      maxWaitMs: 0,
      minBytes: 0,
      maxBytes: 1e6,
      isolationLevel,
      topics: [{ topic: this.topic, partitions: [{ partition, fetchOffset, partitionMaxBytes: 1e6 }] }],
    })
    const found = answer.responses[0]?.partitions[0]
    const batches: string[] = []
    const reader = new BatchReader(bytesOf(found?.records ?? null))
    for (let batch = reader.next(); batch !== null; batch = reader.next()) {
      const kind = batch.isControl ? batch.controlType() : batch.isTransactional ? 'transactional' : 'plain'
      batches.push(`${batch.baseOffset}-${batch.lastOffset} ${kind} epoch ${batch.producerEpoch}`)
    }
    return {
      errorCode: found?.errorCode,
      highWatermark: found?.highWatermark,
      lastStableOffset: found?.lastStableOffset,
      aborted: found?.abortedTransactions?.map(({ firstOffset }) => firstOffset) ?? null,
      batches,
    }
  }

  async fetchSession(
    sessionId: number,
    sessionEpoch: number,
    partitions: number[],
    forgotten: number[] = [],
  ): Promise<{ errorCode: number; sessionId: number; partitions: string[] }> {
    const answer = await this.#client.ask(Fetch, 12, {
      maxWaitMs: 0,
      minBytes: 0,
      maxBytes: 1e6,
      sessionId,
      sessionEpoch,
      topics:
        partitions.length === 0
          ? []
          : [
              {
                topic: this.topic,
                partitions: partitions.map(partition => ({ partition, fetchOffset: 0, partitionMaxBytes: 1e6 })),
              },
            ],
      forgottenTopicsData: forgotten.length === 0 ? [] : [{ topic: this.topic, partitions: forgotten }],
    })
    const found = answer.responses.flatMap(topic =>
      topic.partitions.map(each => `${each.partitionIndex}: ${each.errorCode} ${bytesOf(each.records).length > 0}`),
    )
    return { errorCode: answer.errorCode, sessionId: answer.sessionId, partitions: found.sort() }
  }

  async fetchEpoch(
    partition: number,
    fetchOffset: number,
    lastFetchedEpoch: number,
    currentLeaderEpoch = -1,
  ): Promise<unknown> {
    const answer = await this.#client.ask(Fetch, 12, {
      maxWaitMs: 0,
      minBytes: 0,
      maxBytes: 1e6,
      topics: [
        {
          topic: this.topic,
          partitions: [{ partition, fetchOffset, lastFetchedEpoch, currentLeaderEpoch, partitionMaxBytes: 1e6 }],
        },
      ],
    })
    const found = answer.responses[0]?.partitions[0]
    return [found?.errorCode, found?.highWatermark, bytesOf(found?.records ?? null).length > 0]
  }

  async endOfLog(partition: number): Promise<number> {
    const topics = [{ name: this.topic, partitions: [{ partitionIndex: partition, timestamp: -1 }] }]
    const answer = await this.#client.ask(ListOffsets, 9, { replicaId: -1, topics })
    return answer.topics[0]?.partitions[0]?.offset ?? -1
  }

  async endOfEpoch(partition: number, leaderEpoch: number, currentLeaderEpoch = -1): Promise<unknown> {
    const answer = await this.#client.ask(OffsetForLeaderEpoch, 4, {
      replicaId: -2,
      topics: [{ topic: this.topic, partitions: [{ partition, leaderEpoch, currentLeaderEpoch }] }],
    })
    const found = answer.topics[0]?.partitions[0]
    return [found?.errorCode, found?.leaderEpoch, found?.endOffset]
  }

  async listOffset(partition: number, timestamp: number, isolationLevel = 0, version = 9): Promise<unknown> {
    const answer = await this.#client.ask(ListOffsets, version, {
      replicaId: -1,
      isolationLevel,
      topics: [{ name: this.topic, partitions: [{ partitionIndex: partition, timestamp }] }],
    })
    const found = answer.topics[0]?.partitions[0]
    return [found?.errorCode, found?.offset, found?.leaderEpoch]
  }

  async addOffsets(transactionalId: string, id: Id, groupId: string): Promise<number> {
    return this.#patiently(async () => {
      const { errorCode } = await this.#client.ask(AddOffsetsToTxn, 3, { transactionalId, ...id, groupId })
      return errorCode === 51 ? null : errorCode
    })
  }

  async commitOffset(
    transactionalId: string,
    id: Id,
    groupId: string,
    committedOffset: number,
    options: { version?: number; generationId?: number; memberId?: string } = {},
  ): Promise<number | undefined> {
    const { version = 3, ...member } = options
    return this.#patiently(async () => {
      const answer = await this.#client.ask(TxnOffsetCommit, version, {
        transactionalId,
        groupId,
        ...id,
        ...member,
        topics: [{ name: this.topic, partitions: [{ partitionIndex: 0, committedOffset, committedMetadata: 'm' }] }],
      })
      const code = answer.topics[0]?.partitions[0]?.errorCode
      return code === 51 || code === 14 || code === 15 || code === 16 ? null : code
    })
  }

  async committed(groupId: string, requireStable: boolean): Promise<unknown> {
    return this.#patiently(async () => {
      const groups = [{ groupId, topics: [{ name: this.topic, partitionIndexes: [0] }] }]
      const answer = await this.#client.ask(OffsetFetch, 8, { groups, requireStable })
      const group = answer.groups[0]
      if (group?.errorCode === 15 || group?.errorCode === 16 || group?.errorCode === 14) return null
      const found = group?.topics[0]?.partitions[0]
      return [found?.errorCode, found?.committedOffset]
    })
  }

  /** The error code of a query for the stable offset: 88 while a transaction holds it. */
  async committedCode(groupId: string): Promise<number | undefined> {
    const groups = [{ groupId, topics: [{ name: this.topic, partitionIndexes: [0] }] }]
    const answer = await this.#client.ask(OffsetFetch, 8, { groups, requireStable: true })
    return answer.groups[0]?.topics[0]?.partitions[0]?.errorCode
  }

  /** Asks again until the condition holds. */
  async until(holds: () => Promise<boolean>): Promise<void> {
    await this.#patiently(async () => ((await holds()) ? true : null), 100)
  }

  async groupReady(groupId: string): Promise<void> {
    await this.#patiently(async () => {
      const found = await this.#client.ask(FindCoordinator, 4, { keyType: 0, coordinatorKeys: [groupId] })
      return found.coordinators[0]?.errorCode === 0 ? found : null
    })
  }

  // There is no event to wait for before a retry.
  async #patiently<T>(ask: () => Promise<T | null>, pauseMs = 25): Promise<T> {
    for (let i = 0; ; i++) {
      const answer = await ask()
      if (answer !== null) return answer
      if (i === 200) throw new Error('the cluster does not come to rest')
      await new Promise(resolve => setTimeout(resolve, pauseMs))
    }
  }
}

function bytesOf(records: RecordsInput): Buffer {
  if (records === null) return Buffer.alloc(0)
  return records instanceof Uint8Array ? Buffer.from(records) : Buffer.concat([...records])
}
