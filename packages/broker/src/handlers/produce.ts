/** Produce. */
import {
  ErrorCode,
  ProduceServer,
  type Decoded,
  type ProduceRequest,
  type ProduceResponse,
  type ProduceResponsePartitionProduceResponse,
  type RecordBatch,
} from '@ottla/protocol'
import { CloseConnection, quotaClient, route, type RefusedRequest, type RequestContext, type Route } from './request.ts'
import { nodeEndpoints } from './node-endpoints.ts'
import { namedError } from './refusals.ts'
import type { Stores } from './stores.ts'
import { appendRules } from '../topics/append-rules.ts'
import type { PartitionView, TopicView, TopicsView } from '../topics/views.ts'
import type { TransactionCoordinator } from '../transactions/coordinator.ts'
import { isRefusal, readBatch, type RecordProblem, type Refusal } from '../log/validation.ts'

// Version 11 added the error TRANSACTION_ABORTABLE; from 12 on a produce adds its partition to the transaction.
const ABORTABLE_VERSION = 11
const ADDS_PARTITIONS_VERSION = 12
const TOPIC_IDS_VERSION = 13

export const produceRoutes: readonly Route[] = [route(ProduceServer, produce, refusal)]

type ProduceStores = Pick<Stores, 'brokers' | 'clock' | 'quotas' | 'retention' | 'topics' | 'transactions'>

function produce(
  request: Decoded<ProduceRequest>,
  context: RequestContext,
  stores: ProduceStores,
): ProduceResponse | null | Promise<ProduceResponse> {
  const { version } = context
  const { quotas, retention } = stores
  const topics = stores.topics.seenBy(context.brokerId)
  const batches = request.topicData.map(({ partitionData }) =>
    partitionData.map(({ records }) => readBatch(records, version)),
  )
  const isForbidden = batches.flat().some(isTransactional) && !mayWriteTransactions(request, context)
  const responses = request.topicData.map((data, t) => {
    const topic = version >= TOPIC_IDS_VERSION ? topics.byId(data.topicId) : topics.get(data.name)
    const name = version >= TOPIC_IDS_VERSION ? (topic?.name ?? '') : data.name
    const partitionResponses = data.partitionData.map(({ index }, p) => {
      if (isForbidden) return { index, errorCode: ErrorCode.ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, baseOffset: -1 }
      const read = batches[t]?.[p] as RecordBatch | Refusal // made from the same list
      return append(topic, name, index, read, request, context, stores)
    })
    return version >= TOPIC_IDS_VERSION ? { topicId: data.topicId, partitionResponses } : { name, partitionResponses }
  })
  retention.limitMemory()
  const throttleTimeMs = quotas.charge('producer_byte_rate', quotaClient(context), bytesOf(request))
  if (request.acks === 0) {
    const failed = responses.some(topic =>
      topic.partitionResponses.some(partition => partition.errorCode !== ErrorCode.ERR_NO_ERROR),
    )
    if (failed) throw unacknowledged()
    return null
  }
  // Without replicas there is nothing to wait for.
  if (request.acks !== -1 || stores.topics.replicator === null) {
    return answer(responses, throttleTimeMs, context, stores)
  }
  return acknowledged(request, responses, batches, topics, context).then(settled =>
    answer(settled, throttleTimeMs, context, stores),
  )
}

type TopicResponse = ProduceResponse['responses'][number]

function answer(
  responses: TopicResponse[],
  throttleTimeMs: number,
  context: RequestContext,
  { brokers }: Pick<Stores, 'brokers'>,
): ProduceResponse {
  const moved = new Set<number>()
  for (const { partitionResponses } of responses) {
    for (const { currentLeader } of partitionResponses) {
      if (currentLeader?.leaderId !== undefined) moved.add(currentLeader.leaderId)
    }
  }
  if (context.version < 10 || moved.size === 0) return { responses, throttleTimeMs }
  const endpoints = nodeEndpoints(moved, brokers, context)
  return { responses, throttleTimeMs, ...(endpoints.length > 0 ? { nodeEndpoints: endpoints } : {}) }
}

// With acks=all: waits until all in-sync replicas have what was appended, duplicates included.
function acknowledged(
  { topicData, timeoutMs }: Decoded<ProduceRequest>,
  responses: readonly TopicResponse[],
  batches: readonly (readonly (RecordBatch | Refusal)[])[],
  topics: TopicsView,
  { version, signal }: RequestContext,
): Promise<TopicResponse[]> {
  return Promise.all(
    responses.map(async (response, t) => {
      const { name = '', topicId = '' } = topicData[t] ?? {}
      const topic = version >= TOPIC_IDS_VERSION ? topics.byId(topicId) : topics.get(name)
      const waiting = response.partitionResponses.map(async (result, p) => {
        const read = batches[t]?.[p]
        const partition = topic?.partitions[result.index]
        const { replication } = partition ?? {}
        const isAppended = result.errorCode === ErrorCode.ERR_NO_ERROR && read !== undefined && !isRefusal(read)
        if (!isAppended || partition === undefined || replication === undefined) return result
        const errorCode = await replication.acknowledged(result.baseOffset + read.recordCount, timeoutMs, signal)
        if (errorCode === ErrorCode.ERR_NO_ERROR) return result
        const isMoved = version >= 10 && errorCode === ErrorCode.ERR_NOT_LEADER_FOR_PARTITION
        const { leader: leaderId, leaderEpoch } = partition
        return { ...result, errorCode, ...(isMoved ? { currentLeader: { leaderId, leaderEpoch } } : {}) }
      })
      return { ...response, partitionResponses: await Promise.all(waiting) }
    }),
  )
}

function refusal(
  { acks, topicData }: Decoded<ProduceRequest>,
  errorCode: number,
  { version }: RefusedRequest,
): ProduceResponse {
  if (acks === 0) throw unacknowledged()
  return {
    responses: topicData.map(({ name, topicId, partitionData }) => ({
      ...(version >= TOPIC_IDS_VERSION ? { topicId } : { name }),
      partitionResponses: partitionData.map(({ index }) => {
        const { errorMessage } = namedError(errorCode)
        return { index, errorCode, baseOffset: -1, ...(version >= 8 ? { errorMessage, recordErrors: [] } : {}) }
      }),
    })),
    throttleTimeMs: 0,
  }
}

// With acks=0 nobody waits for a response; a broker reports an error by closing the connection.
function unacknowledged(): CloseConnection {
  return new CloseConnection('a produce request with acks=0 failed')
}

function bytesOf({ topicData }: Decoded<ProduceRequest>): number {
  let bytes = 0
  for (const { partitionData } of topicData) for (const { records } of partitionData) bytes += records?.length ?? 0
  return bytes
}

function isTransactional(read: RecordBatch | Refusal): boolean {
  return !isRefusal(read) && read.isTransactional
}

function mayWriteTransactions({ transactionalId }: Decoded<ProduceRequest>, context: RequestContext): boolean {
  return transactionalId !== null && context.allows('write', 'transactional-id', transactionalId)
}

function append(
  topic: TopicView | undefined,
  name: string,
  index: number,
  read: RecordBatch | Refusal,
  request: Decoded<ProduceRequest>,
  context: RequestContext,
  { brokers, clock, topics, transactions }: Pick<Stores, 'brokers' | 'clock' | 'topics' | 'transactions'>,
): ProduceResponsePartitionProduceResponse {
  const { version } = context
  const fail = (
    errorCode: number,
    message: string | null = null,
    records: readonly RecordProblem[] = [],
  ): ProduceResponsePartitionProduceResponse => ({
    index,
    errorCode,
    baseOffset: -1,
    ...(version >= 8
      ? {
          errorMessage: message,
          recordErrors: records.map(problem => ({
            batchIndex: problem.index,
            batchIndexErrorMessage: problem.message,
          })),
        }
      : {}),
  })
  if (topic === undefined && version >= TOPIC_IDS_VERSION) return fail(ErrorCode.ERR_UNKNOWN_TOPIC_ID)
  if (!context.allows('write', 'topic', name)) return fail(ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED)
  const partition = topic?.partitions[index]
  if (topic === undefined || partition === undefined) return fail(ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART)
  if (isRefusal(read)) return fail(read.errorCode, read.message)
  const { acks } = request
  if (acks < -1 || acks > 1) return fail(ErrorCode.ERR_INVALID_REQUIRED_ACKS)
  const problem = context.checkLeader(partition, -1)
  if (problem !== ErrorCode.ERR_NO_ERROR) {
    const { leader, leaderEpoch } = partition
    return { ...fail(problem), ...(version >= 10 ? { currentLeader: { leaderId: leader, leaderEpoch } } : {}) }
  }
  if (topic.isInternal) return fail(ErrorCode.ERR_TOPIC_EXCEPTION, 'Clients cannot write to internal topics.')
  const config = (name: string): string => topics.config(topic, name)
  const configured = Number(config('min.insync.replicas'))
  const minInSync = partition.replication === undefined ? configured : Math.min(configured, partition.replicas.length)
  if (acks === -1 && partition.isr.length < minInSync) {
    return fail(ErrorCode.ERR_NOT_ENOUGH_REPLICAS)
  }
  const refused = admit(partition, read, request, context, transactions)
  if (refused !== ErrorCode.ERR_NO_ERROR) return fail(refused)
  const result = partition.log.append(read, {
    ...appendRules(config, clock.now() + brokers.clockSkewMs(context.brokerId)),
    leaderEpoch: partition.leaderEpoch,
    strictSequences: version >= ADDS_PARTITIONS_VERSION,
  })
  if (isRefusal(result)) return fail(result.errorCode, result.message, result.records)
  return {
    index,
    errorCode: ErrorCode.ERR_NO_ERROR,
    baseOffset: result.baseOffset,
    logAppendTimeMs: result.logAppendTime,
    ...(version >= 5 ? { logStartOffset: result.logStartOffset } : {}),
  }
}

// A partition has to be part of the producer's transaction before its first records are written (KIP-890).
function admit(
  partition: PartitionView,
  batch: RecordBatch,
  { transactionalId }: Decoded<ProduceRequest>,
  { version }: RequestContext,
  transactions: TransactionCoordinator,
): number {
  const { producerId, producerEpoch } = batch
  if (!batch.isTransactional || partition.log.producers.isOpen(producerId, producerEpoch)) return ErrorCode.ERR_NO_ERROR
  const admission = version >= ADDS_PARTITIONS_VERSION ? 'add' : version >= ABORTABLE_VERSION ? 'verify' : 'verify-old'
  const target = { topic: partition.topic, partition: partition.index }
  return transactions.admit(transactionalId ?? '', { producerId, producerEpoch }, target, admission)
}
