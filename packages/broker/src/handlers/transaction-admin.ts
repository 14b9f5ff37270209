/** Transactions and producers as administrators see them (KIP-664), and WriteTxnMarkers. */
import {
  DescribeProducersServer,
  DescribeTransactionsServer,
  ErrorCode,
  ListTransactionsServer,
  WriteTxnMarkersServer,
  type Decoded,
  type DescribeProducersResponsePartitionResponse,
  type DescribeTransactionsResponseTransactionState,
  type ListTransactionsRequest,
  type ListTransactionsResponse,
  type WriteTxnMarkersRequest,
  type WriteTxnMarkersResponseWritableTxnMarkerResult,
} from '@ottla/protocol'
import { CLUSTER_NAME } from '../security/acls.ts'
import { OFFSETS_TOPIC } from '../topics/internal-topics.ts'
import { route, type RequestContext, type Route } from './request.ts'
import { namedError } from './refusals.ts'
import type { Stores } from './stores.ts'
import { completeOffsets, type OffsetStores } from '../transactions/markers.ts'
import { nameProblem, type TopicPartition, type TopicStore } from '../topics/topics.ts'
import { transactionStates } from '../transactions/transaction.ts'

export const transactionAdminRoutes: readonly Route[] = [
  route(
    DescribeTransactionsServer,
    ({ transactionalIds }, context, stores) => ({
      throttleTimeMs: 0,
      transactionStates: transactionalIds.map(id => describe(id, context, stores)),
    }),
    ({ transactionalIds }, errorCode) => ({
      throttleTimeMs: 0,
      transactionStates: transactionalIds.map(id => notDescribed(id, errorCode)),
    }),
  ),
  route(ListTransactionsServer, list, ({ stateFilters }, errorCode) => ({
    throttleTimeMs: 0,
    errorCode,
    unknownStateFilters: unknownStates(stateFilters),
    transactionStates: [],
  })),
  route(
    DescribeProducersServer,
    ({ topics }, context, { topics: store }) => ({
      throttleTimeMs: 0,
      topics: topics.map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map(index => describeProducers({ topic: name, partition: index }, context, store)),
      })),
    }),
    ({ topics }, errorCode) => ({
      throttleTimeMs: 0,
      topics: topics.map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map(partitionIndex => ({
          partitionIndex,
          ...namedError(errorCode),
          activeProducers: [],
        })),
      })),
    }),
  ),
  route(
    WriteTxnMarkersServer,
    ({ markers }, context, stores) => ({ markers: markers.map(marker => writeMarkers(marker, context, stores)) }),
    ({ markers }, errorCode) => ({ markers: markers.map(marker => written(marker, () => errorCode)) }),
  ),
]

function describe(
  transactionalId: string,
  context: RequestContext,
  { coordinators, transactions }: Pick<Stores, 'coordinators' | 'transactions'>,
): DescribeTransactionsResponseTransactionState {
  const fail = (errorCode: number): DescribeTransactionsResponseTransactionState =>
    notDescribed(transactionalId, errorCode)
  if (!context.allows('describe', 'transactional-id', transactionalId)) {
    return fail(ErrorCode.ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
  }
  if (transactionalId === '') return fail(ErrorCode.ERR_INVALID_REQUEST)
  const problem = coordinators.check(context.brokerId, transactionalId, 'transaction')
  if (problem !== ErrorCode.ERR_NO_ERROR) return fail(problem)
  const fields = transactions.get(transactionalId)?.fields
  if (fields === undefined) return fail(ErrorCode.ERR_TRANSACTIONAL_ID_NOT_FOUND)
  const byTopic = new Map<string, number[]>()
  for (const { topic, partition } of fields.partitions.values()) {
    if (!context.allows('describe', 'topic', topic)) continue
    const partitions = byTopic.get(topic)
    if (partitions === undefined) byTopic.set(topic, [partition])
    else partitions.push(partition)
  }
  return {
    errorCode: ErrorCode.ERR_NO_ERROR,
    transactionalId,
    transactionState: fields.state,
    transactionTimeoutMs: fields.timeoutMs,
    transactionStartTimeMs: fields.startTime,
    producerId: fields.producerId,
    producerEpoch: fields.epoch,
    topics: [...byTopic].map(([topic, partitions]) => ({ topic, partitions })),
  }
}

function list(
  request: Decoded<ListTransactionsRequest>,
  context: RequestContext,
  { clock, coordinators, transactions }: Pick<Stores, 'clock' | 'coordinators' | 'transactions'>,
): ListTransactionsResponse {
  const { stateFilters, producerIdFilters, durationFilter, transactionalIdPattern } = request
  let pattern: RegExp | null = null
  if (transactionalIdPattern !== null && transactionalIdPattern !== '') {
    try {
      pattern = new RegExp(`^(?:${transactionalIdPattern})$`)
    } catch {
      const errorCode = ErrorCode.ERR_INVALID_REGULAR_EXPRESSION
      return { throttleTimeMs: 0, errorCode, unknownStateFilters: [], transactionStates: [] }
    }
  }
  const now = clock.now()
  const found = [...transactions.all()].filter(({ id, fields }) => {
    if (coordinators.of('transaction', id)?.id !== context.brokerId) return false
    if (producerIdFilters.length > 0 && !producerIdFilters.includes(fields.producerId)) return false
    if (stateFilters.length > 0 && !stateFilters.includes(fields.state)) return false
    if (durationFilter >= 0 && now - fields.startTime <= durationFilter) return false
    if (pattern !== null && !pattern.test(id)) return false
    return context.allows('describe', 'transactional-id', id)
  })
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCode.ERR_NO_ERROR,
    unknownStateFilters: unknownStates(stateFilters),
    transactionStates: found.map(({ id, fields }) => ({
      transactionalId: id,
      producerId: fields.producerId,
      transactionState: fields.state,
    })),
  }
}

function notDescribed(transactionalId: string, errorCode: number): DescribeTransactionsResponseTransactionState {
  return {
    errorCode,
    transactionalId,
    transactionState: '',
    transactionTimeoutMs: 0,
    transactionStartTimeMs: 0,
    producerId: 0n,
    producerEpoch: 0,
    topics: [],
  }
}

function unknownStates(names: readonly string[]): string[] {
  return names.filter(name => !transactionStates.includes(name))
}

function describeProducers(
  { topic, partition: partitionIndex }: TopicPartition,
  context: RequestContext,
  store: TopicStore,
): DescribeProducersResponsePartitionResponse {
  const { brokerId } = context
  const fail = (errorCode: number): DescribeProducersResponsePartitionResponse => ({
    partitionIndex,
    errorCode,
    errorMessage: null,
    activeProducers: [],
  })
  if (nameProblem(topic) !== null) return fail(ErrorCode.ERR_TOPIC_EXCEPTION)
  if (!context.allows('read', 'topic', topic)) return fail(ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED)
  const partition = store.seenBy(brokerId).partition(topic, partitionIndex)
  if (partition === undefined) return fail(ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART)
  // Followers know the producers, too.
  if (!partition.replicas.includes(brokerId)) return fail(ErrorCode.ERR_NOT_LEADER_FOR_PARTITION)
  return {
    ...fail(ErrorCode.ERR_NO_ERROR),
    activeProducers: [...partition.log.producers.all()].map(producer => ({
      producerId: producer.producerId,
      producerEpoch: producer.epoch,
      lastSequence: producer.lastSequence,
      lastTimestamp: producer.lastTimestamp,
      coordinatorEpoch: producer.coordinatorEpoch,
      currentTxnStartOffset: producer.transactionStart,
    })),
  }
}

type Marker = Decoded<WriteTxnMarkersRequest>['markers'][number]
type WritingStores = OffsetStores & Pick<Stores, 'brokers' | 'clock' | 'topics'>

function writeMarkers(
  marker: Marker,
  context: RequestContext,
  stores: WritingStores,
): WriteTxnMarkersResponseWritableTxnMarkerResult {
  const isAllowed =
    context.allows('alter', 'cluster', CLUSTER_NAME) || context.allows('cluster-action', 'cluster', CLUSTER_NAME)
  return written(marker, target =>
    isAllowed ? writeOne(marker, target, context, stores) : ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED,
  )
}

function written(
  { producerId, topics }: Marker,
  codeOf: (target: TopicPartition) => number,
): WriteTxnMarkersResponseWritableTxnMarkerResult {
  return {
    producerId,
    topics: topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map(partitionIndex => ({
        partitionIndex,
        errorCode: codeOf({ topic: name, partition: partitionIndex }),
      })),
    })),
  }
}

function writeOne(marker: Marker, target: TopicPartition, context: RequestContext, stores: WritingStores): number {
  const { brokers, clock, topics } = stores
  const { producerId, producerEpoch, coordinatorEpoch, transactionResult: commit } = marker
  const partition = topics.seenBy(context.brokerId).partition(target.topic, target.partition)
  const problem = context.checkLeader(partition, -1)
  if (partition === undefined || problem !== ErrorCode.ERR_NO_ERROR) return problem
  if (target.topic === OFFSETS_TOPIC) {
    completeOffsets(stores, target, producerId, commit)
    return ErrorCode.ERR_NO_ERROR
  }
  const { leaderEpoch, log } = partition
  const timestamp = clock.now() + brokers.clockSkewMs(context.brokerId)
  const refusal = log.mark({ producerId, producerEpoch, commit, coordinatorEpoch, leaderEpoch, timestamp })
  return refusal?.errorCode ?? ErrorCode.ERR_NO_ERROR
}
