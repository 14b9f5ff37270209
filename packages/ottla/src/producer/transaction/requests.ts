/** The requests of a transactional producer to the coordinators of its transactional id and of groups. */
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

/** The part of the cluster that transactions use. */
export type TransactionCluster = Pick<Cluster, 'request' | 'coordinator'>

export interface ProducerIdAndEpoch {
  readonly producerId: bigint
  readonly producerEpoch: number
}

/** In version 2 (KIP-890), writes register partitions and groups, and each transaction ends with a new epoch. */
export type TransactionVersion = 1 | 2

export interface RequestLimits {
  readonly deadline: Deadline
  readonly signal: AbortSignal
  /** See ClusterRequestOptions. */
  readonly failFast?: boolean
}

/** A final answer: its code is never one that a retry would change. */
export interface Granted extends ProducerIdAndEpoch {
  readonly errorCode: number
}

// Coordinators are busy with the markers of the last transaction for a few milliseconds.
const FIRST_BACKOFF_MS = 3
const LONGEST_BACKOFF_MS = 20
// The highest versions that do not imply version 2 of transactions.
const LAST_V1_END = 4
const LAST_V1_OFFSET_COMMIT = 4
// Later versions of AddPartitionsToTxn are for brokers only.
const LAST_CLIENT_ADD_PARTITIONS = 3
// The first version with member ids (KIP-447).
const FIRST_AS_MEMBER = 3
// The first version that can raise the epoch of a given id (KIP-360).
const FIRST_BUMP = 3

/**
 * Each call retries until there is a final answer, and returns its code; or rejects like `Cluster.request`:
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

  /** The cluster's version of transactions, as the coordinator reported it when it was connected. */
  async version({ deadline, signal }: RequestLimits): Promise<TransactionVersion> {
    const broker = await this.#cluster.coordinator('transaction', this.#id, deadline, signal)
    return (broker.featureLevel('transaction.version') ?? 0) >= 2 ? 2 : 1
  }

  /** Fences older instances and aborts their open transaction. */
  initialize(limits: RequestLimits): Promise<Granted> {
    return this.#initProducerId({ producerId: -1n, producerEpoch: -1 }, 0, limits)
  }

  /** Requests the next epoch of an id; aborts its open transaction. */
  bump(current: ProducerIdAndEpoch, limits: RequestLimits): Promise<Granted> {
    return this.#initProducerId(current, FIRST_BUMP, limits)
  }

  /** Adds partitions to the transaction (version 1). */
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
    const answer = await this.#send('transaction', this.#id, AddPartitionsToTxn, body, codeOf, limits, { maxVersion })
    return addingFinding(answer)
  }

  /** Adds a group's offsets to the transaction (version 1). */
  async addOffsets(by: ProducerIdAndEpoch, groupId: string, limits: RequestLimits): Promise<Finding> {
    const { producerId, producerEpoch } = by
    const body = { transactionalId: this.#id, producerId, producerEpoch, groupId }
    const answer = await this.#send('transaction', this.#id, AddOffsetsToTxn, body, r => r.errorCode, limits, {})
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
      await this.#send('group', groupId, TxnOffsetCommit, body, codeOf, limits, versions),
      groupId,
    )
  }

  /** Commits or aborts. In version 2, the answer has the epoch of the next transaction. */
  async end(
    by: ProducerIdAndEpoch,
    version: TransactionVersion,
    committed: boolean,
    limits: RequestLimits,
  ): Promise<Granted> {
    const { producerId, producerEpoch } = by
    const body = { transactionalId: this.#id, producerId, producerEpoch, committed }
    const versions = version === 2 ? {} : { maxVersion: LAST_V1_END }
    return this.#send('transaction', this.#id, EndTxn, body, r => r.errorCode, limits, versions)
  }

  #initProducerId(current: ProducerIdAndEpoch, minVersion: number, limits: RequestLimits): Promise<Granted> {
    const first = { transactionalId: this.#id, transactionTimeoutMs: this.#timeoutMs }
    const body = (version: number): typeof first => (version < FIRST_BUMP ? first : { ...first, ...current })
    return this.#send('transaction', this.#id, InitProducerId, body, r => r.errorCode, limits, { minVersion })
  }

  async #send<Req, Res>(
    type: CoordinatorType,
    key: string,
    api: Api<Req, Res>,
    body: Req | ((version: number) => Req),
    codeOf: (response: Decoded<Res>) => number,
    { deadline, signal, failFast }: RequestLimits,
    versions: { readonly minVersion?: number; readonly maxVersion?: number },
  ): Promise<Decoded<Res>> {
    const target: Target = { to: 'coordinator', type, key }
    // `Cluster.request` retries if the coordinator has moved; one that is busy stays the coordinator, and is retried
    // here.
    const errorOf = (response: Decoded<Res>): number =>
      transactionVerdict(codeOf(response)) === 'moved' ? ErrorCode.ERR_NOT_COORDINATOR : ErrorCode.ERR_NO_ERROR
    for (let backoff = FIRST_BACKOFF_MS; ; backoff = Math.min(backoff * 2, LONGEST_BACKOFF_MS)) {
      const options = { deadline, signal, failFast, errorOf, ...versions }
      const response = await this.#cluster.request(target, api, body, options)
      if (transactionVerdict(codeOf(response)) !== 'retry' || deadline.left() <= backoff) return response
      await sleep(this.#clock, backoff, signal)
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
