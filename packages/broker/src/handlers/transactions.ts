/** What transactional producers ask their coordinator. */
import {
  AddOffsetsToTxnServer,
  AddPartitionsToTxnServer,
  EndTxnServer,
  ErrorCode,
  InitProducerIdServer,
  type AddPartitionsToTxnRequest,
  type AddPartitionsToTxnResponse,
  type AddPartitionsToTxnResponseAddPartitionsToTxnTopicResult,
  type Decoded,
  type InitProducerIdRequest,
  type InitProducerIdResponse,
} from '@ottla/protocol'
import { CLUSTER_NAME } from '../security/acls.ts'
import { route, type RequestContext, type Route } from './request.ts'
import { errorCodeOnly } from './refusals.ts'
import type { Stores } from './stores.ts'
import type { TopicPartition, TopicStore } from '../topics/topics.ts'
import type { ProducerIdentity } from '../transactions/coordinator.ts'

// The first version of AddPartitionsToTxn for brokers, with several transactions.
const BATCHED_VERSION = 4
// The first version of EndTxn that raises the producer epoch (KIP-890).
const BUMPING_VERSION = 5

export const transactionRoutes: readonly Route[] = [
  route(InitProducerIdServer, initProducerId, (_body, errorCode) => refusedInit(errorCode)),
  route(AddPartitionsToTxnServer, addPartitions, ({ v3AndBelowTopics }, errorCode, { version }) =>
    version < BATCHED_VERSION
      ? { throttleTimeMs: 0, resultsByTopicV3AndBelow: onAllPartitions(v3AndBelowTopics, errorCode) }
      : { throttleTimeMs: 0, errorCode, resultsByTransaction: [] },
  ),
  route(
    AddOffsetsToTxnServer,
    ({ transactionalId, producerId, producerEpoch, groupId }, context, stores) => {
      const { coordinators, transactions } = stores
      let errorCode = checkTransactionalId(transactionalId, context, stores)
      if (errorCode === ErrorCode.ERR_NO_ERROR && !context.allows('read', 'group', groupId)) {
        errorCode = ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED
      }
      if (errorCode === ErrorCode.ERR_NO_ERROR) {
        const partition = coordinators.offsetsPartition(groupId)
        errorCode = transactions.addPartitions(transactionalId, { producerId, producerEpoch }, [partition], false)
      }
      return { throttleTimeMs: 0, errorCode: codeForVersion(errorCode, context.version >= 2) }
    },
    errorCodeOnly,
  ),
  route(
    EndTxnServer,
    ({ transactionalId, producerId, producerEpoch, committed }, context, stores) => {
      const { transactions } = stores
      const problem = checkTransactionalId(transactionalId, context, stores)
      if (problem !== ErrorCode.ERR_NO_ERROR) return { throttleTimeMs: 0, errorCode: problem }
      const bumpsEpoch = context.version >= BUMPING_VERSION
      const outcome = transactions.end(transactionalId, { producerId, producerEpoch }, committed, bumpsEpoch)
      return {
        throttleTimeMs: 0,
        errorCode: codeForVersion(outcome.errorCode, context.version >= 2),
        ...(bumpsEpoch ? { producerId: outcome.producerId, producerEpoch: outcome.producerEpoch } : {}),
      }
    },
    errorCodeOnly,
  ),
]

// 0, or why the client may not use the transactional id here.
function checkTransactionalId(
  transactionalId: string,
  context: RequestContext,
  { coordinators }: Pick<Stores, 'coordinators'>,
): number {
  if (!context.allows('write', 'transactional-id', transactionalId)) {
    return ErrorCode.ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED
  }
  return coordinators.check(context.brokerId, transactionalId, 'transaction')
}

// Older clients do not know PRODUCER_FENCED.
function codeForVersion(errorCode: number, knowsFenced: boolean): number {
  return errorCode === ErrorCode.ERR_PRODUCER_FENCED && !knowsFenced ? ErrorCode.ERR_INVALID_PRODUCER_EPOCH : errorCode
}

function initProducerId(
  request: Decoded<InitProducerIdRequest>,
  context: RequestContext,
  stores: Pick<Stores, 'authorizer' | 'coordinators' | 'producerIds' | 'transactions'>,
): InitProducerIdResponse {
  const { transactionalId, transactionTimeoutMs, producerId, producerEpoch } = request
  const { session, version } = context
  const { authorizer, producerIds, transactions } = stores
  if (transactionalId === null) {
    const { principal, host } = session
    const allowed =
      context.allows('idempotent-write', 'cluster', CLUSTER_NAME) ||
      authorizer.allowsOnAny(principal, host, 'write', 'topic')
    if (!allowed) return refusedInit(ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED)
    return { throttleTimeMs: 0, errorCode: 0, producerId: producerIds.next(), producerEpoch: 0 }
  }
  const problem = checkTransactionalId(transactionalId, context, stores)
  if (problem !== ErrorCode.ERR_NO_ERROR) return refusedInit(problem)
  if (producerId < 0n !== producerEpoch < 0) return refusedInit(ErrorCode.ERR_INVALID_REQUEST)
  const expected = producerId < 0n ? null : { producerId, producerEpoch }
  const outcome = transactions.initProducerId(transactionalId, transactionTimeoutMs, expected)
  return { throttleTimeMs: 0, ...outcome, errorCode: codeForVersion(outcome.errorCode, version >= 4) }
}

function refusedInit(errorCode: number): InitProducerIdResponse {
  return { throttleTimeMs: 0, errorCode, producerEpoch: -1 }
}

type AddingStores = Pick<Stores, 'coordinators' | 'topics' | 'transactions'>
type RequestedTopics = Decoded<AddPartitionsToTxnRequest>['v3AndBelowTopics']

function addPartitions(
  request: Decoded<AddPartitionsToTxnRequest>,
  context: RequestContext,
  stores: AddingStores,
): AddPartitionsToTxnResponse {
  const { version } = context
  if (version < BATCHED_VERSION) {
    const {
      v3AndBelowTransactionalId: transactionalId,
      v3AndBelowProducerId: producerId,
      v3AndBelowProducerEpoch: producerEpoch,
      v3AndBelowTopics: topics,
    } = request
    const problem = checkTransactionalId(transactionalId, context, stores)
    const results =
      problem === ErrorCode.ERR_NO_ERROR
        ? addToTransaction(transactionalId, { producerId, producerEpoch }, topics, false, context, stores)
        : onAllPartitions(topics, problem)
    return { throttleTimeMs: 0, resultsByTopicV3AndBelow: results }
  }
  if (!context.allows('cluster-action', 'cluster', CLUSTER_NAME)) {
    return { throttleTimeMs: 0, errorCode: ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED, resultsByTransaction: [] }
  }
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCode.ERR_NO_ERROR,
    resultsByTransaction: request.transactions.map(requested => {
      const { transactionalId, producerId, producerEpoch, topics } = requested
      const problem = stores.coordinators.check(context.brokerId, transactionalId, 'transaction')
      const topicResults =
        problem === ErrorCode.ERR_NO_ERROR
          ? addToTransaction(
              transactionalId,
              { producerId, producerEpoch },
              topics,
              requested.verifyOnly,
              context,
              stores,
            )
          : onAllPartitions(topics, problem)
      return { transactionalId, topicResults }
    }),
  }
}

function addToTransaction(
  transactionalId: string,
  producer: ProducerIdentity,
  topics: RequestedTopics,
  verifyOnly: boolean,
  context: RequestContext,
  { topics: store, transactions }: Pick<Stores, 'topics' | 'transactions'>,
): AddPartitionsToTxnResponseAddPartitionsToTxnTopicResult[] {
  const { version } = context
  const targets: TopicPartition[] = []
  let isComplete = true
  const checked = new Map<string, number>()
  for (const { name, partitions } of topics) {
    for (const partition of partitions) {
      const target = { topic: name, partition }
      targets.push(target)
      const errorCode = checkPartition(target, context, store)
      if (errorCode !== ErrorCode.ERR_NO_ERROR) isComplete = false
      checked.set(`${name}/${partition}`, errorCode)
    }
  }
  const all =
    isComplete && !verifyOnly
      ? codeForVersion(
          transactions.addPartitions(transactionalId, producer, targets, version > BATCHED_VERSION),
          version >= 2,
        )
      : ErrorCode.ERR_OPERATION_NOT_ATTEMPTED
  return topics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map(partition => {
      const own = checked.get(`${name}/${partition}`) ?? ErrorCode.ERR_NO_ERROR
      let partitionErrorCode = own === ErrorCode.ERR_NO_ERROR ? all : own
      if (isComplete && verifyOnly) {
        partitionErrorCode = transactions.verifyPartition(transactionalId, producer, { topic: name, partition })
      }
      return { partitionIndex: partition, partitionErrorCode }
    }),
  }))
}

function checkPartition({ topic, partition }: TopicPartition, context: RequestContext, store: TopicStore): number {
  const isClient = context.version < BATCHED_VERSION
  const isInternal = store.get(topic)?.isInternal === true
  if (isClient && (isInternal || !context.allows('write', 'topic', topic))) {
    return ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED
  }
  return store.partition(topic, partition) === undefined ? ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART : ErrorCode.ERR_NO_ERROR
}

function onAllPartitions(
  topics: RequestedTopics,
  partitionErrorCode: number,
): AddPartitionsToTxnResponseAddPartitionsToTxnTopicResult[] {
  return topics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map(partitionIndex => ({ partitionIndex, partitionErrorCode })),
  }))
}
