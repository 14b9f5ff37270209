/** The requests of a transactional producer to the coordinator of its transactional id, and of the groups. */
import {
  AddOffsetsToTxn,
  AddPartitionsToTxn,
  EndTxn,
  ErrorCode,
  InitProducerId,
  TxnOffsetCommit,
  type AddPartitionsToTxnResponse,
  type Api,
  type Decoded,
  type TxnOffsetCommitRequest,
  type TxnOffsetCommitResponse,
} from '@ottla/protocol'
import { sleep, type Clock, type Deadline } from '../../base/clock.ts'
import { groupByTopic } from '../../base/grouping.ts'
import type { Cluster, Target } from '../../cluster/cluster.ts'
import type { CoordinatorType } from '../../cluster/coordinator.ts'
import type { ConsumerGroupMetadata, TopicPartition, TopicPartitionOffset } from '../../types.ts'
import { gravest, transactionVerdict, type Finding } from './verdicts.ts'

/** Part of the cluster that transactions need. */
export type TransactionCluster = Pick<Cluster, 'request' | 'coordinator'>

export interface ProducerIdAndEpoch {
  readonly producerId: bigint
  readonly producerEpoch: number
}

/** Version 2 (KIP-890): partitions and groups join by being written to, and each transaction ends with a new epoch. */
export type TransactionVersion = 1 | 2

export interface RequestLimits {
  readonly deadline: Deadline
  readonly signal: AbortSignal
  /** See ClusterRequestOptions. */
  readonly impatient?: boolean
}

/** An answer that decides: its code is never one that asking again would change. */
export interface Granted extends ProducerIdAndEpoch {
  readonly errorCode: number
}

// Coordinators are busy with the markers of the last transaction for some milliseconds.
const FIRST_PAUSE_MS = 3
const LONGEST_PAUSE_MS = 20
// Highest versions that do not mean version 2 of transactions.
const LAST_V1_END = 4
const LAST_V1_OFFSET_COMMIT = 4
// Later versions of AddPartitionsToTxn are for brokers.
const LAST_CLIENT_ADD_PARTITIONS = 3
// The first by which only members commit (KIP-447).
const FIRST_AS_MEMBER = 3
// The first that can raise the epoch of a given id (KIP-360).
const FIRST_BUMP = 3

/**
 * Each call asks until there is an answer that decides, whose code it returns, or rejects as `Cluster.request` does:
 * ERR__TIMED_OUT at the deadline, ERR__DESTROY, the signal's reason.
 */
export class TransactionRequests {
  readonly #cluster: TransactionCluster
  readonly #clock: Clock
  readonly #id: string
  readonly #timeoutMs: number

  /**
   * @param id - `transactional.id`
   * @param timeoutMs - `transaction.timeout.ms`
   */
  constructor(cluster: TransactionCluster, clock: Clock, id: string, timeoutMs: number) {
    this.#cluster = cluster
    this.#clock = clock
    this.#id = id
    this.#timeoutMs = timeoutMs
  }

  /** The version of transactions that the cluster has agreed on, by what the coordinator said when it was connected to. */
  async version({ deadline, signal }: RequestLimits): Promise<TransactionVersion> {
    const broker = await this.#cluster.coordinator('transaction', this.#id, deadline, signal)
    return (broker.featureLevel('transaction.version') ?? 0) >= 2 ? 2 : 1
  }

  /** Fences off older instances and aborts what they left open. */
  initialize(limits: RequestLimits): Promise<Granted> {
    return this.#initProducerId({ producerId: -1n, producerEpoch: -1 }, 0, limits)
  }

  /** The next epoch of an id; aborts the transaction that is open under it. */
  bump(current: ProducerIdAndEpoch, limits: RequestLimits): Promise<Granted> {
    return this.#initProducerId(current, FIRST_BUMP, limits)
  }

  /** Takes partitions into the transaction (version 1). */
  async addPartitions(
    by: ProducerIdAndEpoch,
    partitions: Iterable<TopicPartition>,
    limits: RequestLimits,
  ): Promise<Finding> {
    const topics = groupByTopic(partitions, ({ partition }) => partition)
    const body = {
      v3AndBelowTransactionalId: this.#id,
      v3AndBelowProducerId: by.producerId,
      v3AndBelowProducerEpoch: by.producerEpoch,
      v3AndBelowTopics: topics,
    }
    const maxVersion = LAST_CLIENT_ADD_PARTITIONS
    const codeOf = (response: Decoded<AddPartitionsToTxnResponse>): number => addingFinding(response).errorCode
    const answer = await this.#ask('transaction', this.#id, AddPartitionsToTxn, body, codeOf, limits, { maxVersion })
    return addingFinding(answer)
  }

  /** Takes a group's offsets into the transaction (version 1). */
  async addOffsets(by: ProducerIdAndEpoch, groupId: string, limits: RequestLimits): Promise<Finding> {
    const { producerId, producerEpoch } = by
    const body = { transactionalId: this.#id, producerId, producerEpoch, groupId }
    const answer = await this.#ask('transaction', this.#id, AddOffsetsToTxn, body, r => r.errorCode, limits, {})
    return { errorCode: answer.errorCode, culprit: `group '${groupId}'` }
  }

  /** Commits a group's offsets with the transaction (KIP-447: as a member of the group). */
  async commitOffsets(
    by: ProducerIdAndEpoch,
    version: TransactionVersion,
    group: ConsumerGroupMetadata,
    offsets: readonly TopicPartitionOffset[],
    limits: RequestLimits,
  ): Promise<Finding> {
    const { groupId, generationId, memberId, groupInstanceId } = group
    const topics = groupByTopic(offsets, ({ partition, offset, leaderEpoch, metadata }) => ({
      partitionIndex: partition,
      committedOffset: offset,
      committedLeaderEpoch: leaderEpoch ?? -1,
      committedMetadata: metadata ?? null,
    }))
    const { producerId, producerEpoch } = by
    const plain: TxnOffsetCommitRequest = { transactionalId: this.#id, groupId, producerId, producerEpoch, topics }
    const asMember = { ...plain, generationId, memberId, groupInstanceId: groupInstanceId ?? null }
    const body = (version: number): TxnOffsetCommitRequest => (version < FIRST_AS_MEMBER ? plain : asMember)
    const versions = version === 2 ? {} : { maxVersion: LAST_V1_OFFSET_COMMIT }
    const codeOf = (response: Decoded<TxnOffsetCommitResponse>): number =>
      committingFinding(response, groupId).errorCode
    return committingFinding(
      await this.#ask('group', groupId, TxnOffsetCommit, body, codeOf, limits, versions),
      groupId,
    )
  }

  /** Commits or aborts. Version 2 answers with the epoch of the next transaction. */
  async end(
    by: ProducerIdAndEpoch,
    version: TransactionVersion,
    committed: boolean,
    limits: RequestLimits,
  ): Promise<Granted> {
    const { producerId, producerEpoch } = by
    const body = { transactionalId: this.#id, producerId, producerEpoch, committed }
    const versions = version === 2 ? {} : { maxVersion: LAST_V1_END }
    return this.#ask('transaction', this.#id, EndTxn, body, r => r.errorCode, limits, versions)
  }

  #initProducerId(current: ProducerIdAndEpoch, minVersion: number, limits: RequestLimits): Promise<Granted> {
    const first = { transactionalId: this.#id, transactionTimeoutMs: this.#timeoutMs }
    const body = (version: number): typeof first => (version < FIRST_BUMP ? first : { ...first, ...current })
    return this.#ask('transaction', this.#id, InitProducerId, body, r => r.errorCode, limits, { minVersion })
  }

  async #ask<Req, Res>(
    type: CoordinatorType,
    key: string,
    api: Api<Req, Res>,
    body: Req | ((version: number) => Req),
    codeOf: (response: Decoded<Res>) => number,
    { deadline, signal, impatient }: RequestLimits,
    versions: { readonly minVersion?: number; readonly maxVersion?: number },
  ): Promise<Decoded<Res>> {
    const target: Target = { to: 'coordinator', type, key }
    // Answers of a coordinator that has moved are retried there; that it is busy does not make it another one.
    const errorOf = (response: Decoded<Res>): number =>
      transactionVerdict(codeOf(response)) === 'moved' ? ErrorCode.ERR_NOT_COORDINATOR : ErrorCode.ERR_NO_ERROR
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      const options = { deadline, signal, impatient, errorOf, ...versions }
      const response = await this.#cluster.request(target, api, body, options)
      if (transactionVerdict(codeOf(response)) !== 'again' || deadline.left() <= pause) return response
      await sleep(this.#clock, pause, signal)
    }
  }
}

function addingFinding({ resultsByTopicV3AndBelow }: Decoded<AddPartitionsToTxnResponse>): Finding {
  return gravest(
    resultsByTopicV3AndBelow.flatMap(({ name, resultsByPartition }) =>
      resultsByPartition.map(p => ({ errorCode: p.partitionErrorCode, culprit: `${name} [${p.partitionIndex}]` })),
    ),
  )
}

function committingFinding({ topics }: Decoded<TxnOffsetCommitResponse>, groupId: string): Finding {
  return gravest(
    topics.flatMap(({ name, partitions }) =>
      partitions.map(p => ({ errorCode: p.errorCode, culprit: `group '${groupId}', ${name} [${p.partitionIndex}]` })),
    ),
  )
}
