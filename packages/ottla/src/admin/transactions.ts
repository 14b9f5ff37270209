import {
  DescribeTransactions,
  ErrorCode,
  InitProducerId,
  ListTransactions,
  type ListTransactionsRequest,
} from '@ottla/protocol'
import { KafkaError } from '../errors.ts'
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
import { askBrokers } from './fan-out.ts'

/**
 * States of a transaction, as brokers spell them.
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
  /** Only transactional ids that this regular expression (RE2's) matches (KIP-1152, Kafka 4.1 and later). */
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
  /** One for each broker that could not answer: what it coordinates is missing. */
  errors: KafkaError[]
}

/**
 * One transactional id as its coordinator knows it.
 * @since 0.1.0
 */
export interface TransactionDescription {
  transactionalId: string
  /** -1 with an error. */
  coordinatorId: number
  state: TransactionState
  producerId: bigint
  producerEpoch: number
  /** After how many ms the coordinator aborts a transaction by itself. */
  timeoutMs: number
  /** ms since the epoch; null while no transaction is open. */
  startTimestamp: number | null
  /** What the open transaction has written to. */
  partitions: TopicPartition[]
  error?: KafkaError
}

/**
 * A producer that has been shut out.
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
// The open transaction, if there is one, is aborted; the time-out never gets to matter.
const FENCING_TIMEOUT_MS = 60_000

/** Asks every broker: each knows only the transactional ids that it coordinates. */
export async function listTransactions(
  call: AdminCall,
  options: Omit<ListTransactionsOptions, keyof AdminOptions>,
): Promise<TransactionListings> {
  const { minDurationMs, transactionalIdPattern } = options
  options.states?.forEach((state, i) => requireWord(state, stateNumbers, `states[${i}]`))
  const producerIdFilters = options.producerIds?.map((id, i) => requireProducerId(id, `producerIds[${i}]`)) ?? []
  if (minDurationMs !== undefined) requireInteger(minDurationMs, 'minDurationMs', 0, Number.MAX_SAFE_INTEGER)
  if (transactionalIdPattern !== undefined) requireName(transactionalIdPattern, 'transactionalIdPattern')
  // A broker that cannot filter must not answer as if nothing had been asked.
  const minVersion =
    transactionalIdPattern !== undefined ? PATTERN_VERSION : minDurationMs !== undefined ? DURATION_VERSION : 0
  const body = (version: number): ListTransactionsRequest => ({
    stateFilters: [...(options.states ?? [])],
    producerIdFilters,
    ...(version >= DURATION_VERSION && minDurationMs !== undefined ? { durationFilter: minDurationMs } : {}),
    ...(version >= PATTERN_VERSION && transactionalIdPattern !== undefined ? { transactionalIdPattern } : {}),
  })
  const { deadline, signal } = call
  const answers = await askBrokers(call, undefined, id =>
    call.cluster.request({ to: 'node', id }, ListTransactions, body, {
      deadline,
      signal,
      minVersion,
      errorOf: r => coordinatorMoved([r.errorCode]),
    }),
  )
  const listings: TransactionListings = { transactions: [], errors: [] }
  for (const { brokerId, answer } of answers) {
    if (answer instanceof KafkaError) {
      listings.errors.push(answer)
      continue
    }
    const error = itemError(answer.errorCode, null, `listing the transactions of broker ${brokerId}`)
    if (error !== undefined) listings.errors.push(error)
    for (const { transactionalId, producerId, transactionState } of answer.transactionStates) {
      listings.transactions.push({
        transactionalId,
        producerId,
        state: stateOf(transactionState),
        coordinatorId: brokerId,
      })
    }
  }
  listings.transactions.sort((a, b) => (a.transactionalId < b.transactionalId ? -1 : 1))
  return listings
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

/** Makes the coordinator give each transactional id a new epoch, as a new producer with that id would. */
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
          { deadline, signal, errorOf: r => fencingMayGoOn(r.errorCode) },
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

/** The code if trying again may help: also while the transaction that was open is still being aborted. */
function fencingMayGoOn(code: number): number {
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
