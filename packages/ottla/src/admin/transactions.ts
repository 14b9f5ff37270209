import {
  DescribeTransactions,
  ErrorCode,
  InitProducerId,
  ListTransactions,
  type Decoded,
  type ListTransactionsRequest,
  type ListTransactionsResponse,
} from '@ottla/protocol'
import type { KafkaError } from '../errors.ts'
import type { TopicPartition } from '../types.ts'
import { requireInteger, requireName, requireNames, requireProducerId, requireWord } from './arguments.ts'
import {
  coordinatorMoved,
  isItemError,
  itemError,
  missingAnswer,
  withError,
  type AdminCall,
  type AdminOptions,
} from './call.ts'
import { listFromBrokers } from './fan-out.ts'

/**
 * States of a transaction, in the brokers' spelling.
 * @since 0.1.0
 */
export type TransactionState =
  | 'Ongoing'
  | 'PrepareAbort'
  | 'PrepareCommit'
  | 'CompleteAbort'
  | 'CompleteCommit'
  | 'Empty'
  | 'PrepareEpochFence'
  | 'Dead'
  | 'Unknown'

/**
 * Options of `listTransactions`.
 * @since 0.1.0
 */
export interface ListTransactionsOptions extends AdminOptions {
  /** Only transactions in one of these states. */
  readonly states?: readonly TransactionState[]
  /** Only transactions of these producers. */
  readonly producerIds?: readonly (bigint | number)[]
  /** Only transactions that have been running for longer, in ms (KIP-994, Kafka 3.8 and later). */
  readonly minDurationMs?: number
  /** Only transactional ids that match this regular expression (RE2 syntax; KIP-1152, Kafka 4.1 and later). */
  readonly transactionalIdPattern?: string
}

/**
 * One transactional id of the cluster.
 * @since 0.1.0
 */
export interface TransactionListing {
  transactionalId: string
  producerId: bigint
  state: TransactionState
  /** The broker that coordinates it. */
  coordinatorId: number
}

/**
 * The transactional ids of the cluster.
 * @since 0.1.0
 */
export interface TransactionListings {
  transactions: TransactionListing[]
  /** One for each broker that could not answer: the ids that it coordinates are missing. */
  errors: KafkaError[]
}

/**
 * The state of one transactional id, from its coordinator.
 * @since 0.1.0
 */
export interface TransactionDescription {
  transactionalId: string
  /** -1 with an error. */
  coordinatorId: number
  state: TransactionState
  producerId: bigint
  producerEpoch: number
  /** After this many ms the coordinator aborts a transaction by itself. */
  timeoutMs: number
  /** ms since the epoch; null if no transaction is open. */
  startTimestamp: number | null
  /** The partitions of the open transaction. */
  partitions: TopicPartition[]
  error?: KafkaError
}

/**
 * A fenced producer.
 * @since 0.1.0
 */
export interface FencedProducer {
  transactionalId: string
  /** -1 with an error. */
  producerId: bigint
  /** Producers of a lower epoch are refused from now on; -1 with an error. */
  producerEpoch: number
  error?: KafkaError
}

const states: readonly TransactionState[] = [
  'Ongoing',
  'PrepareAbort',
  'PrepareCommit',
  'CompleteAbort',
  'CompleteCommit',
  'Empty',
  'PrepareEpochFence',
  'Dead',
]
const stateNumbers: ReadonlyMap<string, number> = new Map(states.map((state, i) => [state, i]))
const DURATION_VERSION = 1
const PATTERN_VERSION = 2
const NO_TIME = -1
// An open transaction is aborted at once; the timeout has no effect.
const FENCING_TIMEOUT_MS = 60_000

/** Lists the transactional ids of every broker: each knows only those that it coordinates. */
export async function listTransactions(
  call: AdminCall,
  options: Omit<ListTransactionsOptions, keyof AdminOptions>,
): Promise<TransactionListings> {
  const { minDurationMs, transactionalIdPattern } = options
  options.states?.forEach((state, i) => requireWord(state, stateNumbers, `states[${i}]`))
  const producerIdFilters = options.producerIds?.map((id, i) => requireProducerId(id, `producerIds[${i}]`)) ?? []
  if (minDurationMs !== undefined) requireInteger(minDurationMs, 'minDurationMs', 0, Number.MAX_SAFE_INTEGER)
  if (transactionalIdPattern !== undefined) requireName(transactionalIdPattern, 'transactionalIdPattern')
  // A broker that cannot filter must not return everything.
  const minVersion =
    transactionalIdPattern !== undefined ? PATTERN_VERSION : minDurationMs !== undefined ? DURATION_VERSION : 0
  const body = (version: number): ListTransactionsRequest => ({
    stateFilters: [...(options.states ?? [])],
    producerIdFilters,
    ...(version >= DURATION_VERSION && minDurationMs !== undefined ? { durationFilter: minDurationMs } : {}),
    ...(version >= PATTERN_VERSION && transactionalIdPattern !== undefined ? { transactionalIdPattern } : {}),
  })
  const { deadline, signal } = call
  const errorOf = (r: Decoded<ListTransactionsResponse>): number => coordinatorMoved([r.errorCode])
  const { items: transactions, errors } = await listFromBrokers(
    call,
    'transactions',
    id => call.cluster.request({ to: 'node', id }, ListTransactions, body, { deadline, signal, minVersion, errorOf }),
    (answer, coordinatorId) =>
      answer.transactionStates.map(({ transactionalId, producerId, transactionState }) => {
        return { transactionalId, producerId, state: stateOf(transactionState), coordinatorId }
      }),
  )
  transactions.sort((a, b) => (a.transactionalId < b.transactionalId ? -1 : 1))
  return { transactions, errors }
}

export async function describeTransactions(
  call: AdminCall,
  transactionalIds: readonly string[],
): Promise<TransactionDescription[]> {
  requireNames(transactionalIds, 'transactionalIds')
  const { deadline, signal } = call
  return Promise.all(
    transactionalIds.map(async transactionalId => {
      const subject = `transactional id '${transactionalId}'`
      try {
        const response = await call.cluster.request(
          { to: 'coordinator', type: 'transaction', key: transactionalId },
          DescribeTransactions,
          { transactionalIds: [transactionalId] },
          { deadline, signal, errorOf: r => coordinatorMoved(r.transactionStates.map(t => t.errorCode)) },
        )
        const answer = response.transactionStates.find(t => t.transactionalId === transactionalId)
        const error = answer === undefined ? missingAnswer(subject) : itemError(answer.errorCode, null, subject)
        if (answer === undefined || error !== undefined) return nothingKnown(transactionalId, error)
        const { id } = await call.cluster.coordinator('transaction', transactionalId, deadline, signal)
        return {
          transactionalId,
          coordinatorId: id,
          state: stateOf(answer.transactionState),
          producerId: answer.producerId,
          producerEpoch: answer.producerEpoch,
          timeoutMs: answer.transactionTimeoutMs,
          startTimestamp: answer.transactionStartTimeMs === NO_TIME ? null : answer.transactionStartTimeMs,
          partitions: answer.topics.flatMap(t => t.partitions.map(partition => ({ topic: t.topic, partition }))),
        }
      } catch (error) {
        if (!isItemError(error)) throw error
        return nothingKnown(transactionalId, error)
      }
    }),
  )
}

/** Makes the coordinator assign a new epoch to each transactional id, like a new producer with that id would. */
export async function fenceProducers(call: AdminCall, transactionalIds: readonly string[]): Promise<FencedProducer[]> {
  requireNames(transactionalIds, 'transactionalIds')
  const { deadline, signal } = call
  return Promise.all(
    transactionalIds.map(async transactionalId => {
      const subject = `transactional id '${transactionalId}'`
      const fail = (error: KafkaError): FencedProducer => ({
        transactionalId,
        producerId: -1n,
        producerEpoch: -1,
        error,
      })
      try {
        const response = await call.cluster.request(
          { to: 'coordinator', type: 'transaction', key: transactionalId },
          InitProducerId,
          { transactionalId, transactionTimeoutMs: FENCING_TIMEOUT_MS },
          { deadline, signal, errorOf: r => fencingRetryCode(r.errorCode) },
        )
        const error = itemError(response.errorCode, null, subject)
        if (error !== undefined) return fail(error)
        return { transactionalId, producerId: response.producerId, producerEpoch: response.producerEpoch }
      } catch (error) {
        if (!isItemError(error)) throw error
        return fail(error)
      }
    }),
  )
}

/** The code if a retry may help: also while the open transaction is still being aborted. */
function fencingRetryCode(code: number): number {
  return code === ErrorCode.ERR_CONCURRENT_TRANSACTIONS ? code : coordinatorMoved([code])
}

function nothingKnown(transactionalId: string, error: KafkaError | undefined): TransactionDescription {
  return {
    transactionalId,
    coordinatorId: -1,
    state: 'Unknown',
    producerId: -1n,
    producerEpoch: -1,
    timeoutMs: -1,
    startTimestamp: null,
    partitions: [],
    ...withError(error),
  }
}

function stateOf(name: string): TransactionState {
  return states.find(state => state === name) ?? 'Unknown'
}
