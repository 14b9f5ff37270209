/** Fetch. */
import {
  ErrorCode,
  FetchServer,
  type Decoded,
  type FetchRequest,
  type FetchResponse,
  type FetchResponseFetchableTopicResponse,
  type FetchResponsePartitionData,
} from '@ottla/protocol'
import type { Brokers } from '../base/brokers.ts'
import type { FetchPlan, FetchedPartition } from '../topics/fetch-sessions.ts'
import { nodeEndpoints } from './node-endpoints.ts'
import { quotaClient, route, type RefusedRequest, type RequestContext, type Route } from './request.ts'
import type { Stores } from './stores.ts'
import type { PartitionView, TopicView, TopicsView } from '../topics/views.ts'

// Kafka's default for a broker's fetch.max.bytes.
const MAX_BYTES = 57_671_680
const TOPIC_IDS_VERSION = 13
const LEADER_DISCOVERY_VERSION = 16
const READ_COMMITTED = 1
const NO_BYTES = Buffer.alloc(0)

export const fetchRoutes: readonly Route[] = [route(FetchServer, fetch, refusal)]

type ReadingStores = Pick<Stores, 'brokers' | 'preferredReplicas' | 'topics'>

async function fetch(
  request: Decoded<FetchRequest>,
  context: RequestContext,
  stores: ReadingStores & Pick<Stores, 'clock' | 'fetchSessions' | 'quotas'>,
): Promise<FetchResponse> {
  const { brokerId, version, signal } = context
  const { brokers, clock, fetchSessions, quotas } = stores
  const plan = fetchSessions.of(brokerId).plan(request, version)
  if (typeof plan === 'number') return { throttleTimeMs: 0, errorCode: plan, responses: [] }
  const deadline = clock.now() + request.maxWaitMs
  const client = quotaClient(context)
  // More would always be throttled.
  const maxBytes = Math.min(request.maxBytes, MAX_BYTES, quotas.maxAtOnce('consumer_byte_rate', client))
  const minBytes = Math.min(request.minBytes, maxBytes)
  for (;;) {
    const round = readAll(plan, maxBytes, request, context, stores)
    const left = deadline - clock.now()
    const isDone = round.bytes >= minBytes || round.isUrgent || plan.partitions.length === 0
    if (isDone || left <= 0 || signal.aborted) {
      const throttleTimeMs = quotas.charge('consumer_byte_rate', client, round.bytes)
      if (throttleTimeMs === 0) return answer(plan, round, context, brokers)
      quotas.refund('consumer_byte_rate', client, round.bytes)
      return throttledFetch(throttleTimeMs, request, version)
    }
    await changeOrTimeout(plan, context, stores, left)
  }
}

interface PartitionAnswer {
  readonly requested: FetchedPartition
  readonly data: FetchResponsePartitionData
  readonly bytes: number
  /** There is something to report at once, though it is not data. */
  readonly isUrgent: boolean
}

interface Round {
  readonly answers: readonly PartitionAnswer[]
  readonly bytes: number
  readonly isUrgent: boolean
}

function readAll(
  plan: FetchPlan,
  maxBytes: number,
  request: Decoded<FetchRequest>,
  context: RequestContext,
  stores: ReadingStores,
): Round {
  const answers: PartitionAnswer[] = []
  let bytes = 0
  let isUrgent = false
  for (const requested of plan.partitions) {
    const limit = Math.min(requested.partitionMaxBytes, Math.max(0, maxBytes - bytes))
    const one = readOne(requested, limit, bytes === 0, request, context, stores)
    answers.push(one)
    bytes += one.bytes
    if (one.isUrgent) isUrgent = true
  }
  return { answers, bytes, isUrgent }
}

function answer(plan: FetchPlan, round: Round, context: RequestContext, brokers: Brokers): FetchResponse {
  const { version } = context
  const usesIds = version >= TOPIC_IDS_VERSION
  const moved = new Set<number>()
  const topics = new Map<string, FetchResponsePartitionData[]>()
  for (const { requested, data, bytes, isUrgent } of round.answers) {
    const { errorCode, highWatermark, logStartOffset = -1 } = data
    if (!plan.mustInclude(requested, { errorCode, highWatermark, logStartOffset, hasMore: bytes > 0 || isUrgent }))
      continue
    if (data.currentLeader?.leaderId !== undefined) moved.add(data.currentLeader.leaderId)
    const key = usesIds ? requested.topicId : requested.topic
    const partitions = topics.get(key)
    if (partitions === undefined) topics.set(key, [data])
    else partitions.push(data)
  }
  const responses: FetchResponseFetchableTopicResponse[] = []
  for (const [key, partitions] of topics) {
    responses.push(usesIds ? { topicId: key, partitions } : { topic: key, partitions })
  }
  const endpoints = version >= LEADER_DISCOVERY_VERSION ? nodeEndpoints(moved, brokers, context) : []
  return {
    throttleTimeMs: 0,
    ...(version >= 7 ? { errorCode: ErrorCode.ERR_NO_ERROR, sessionId: plan.sessionId } : {}),
    responses,
    ...(endpoints.length > 0 ? { nodeEndpoints: endpoints } : {}),
  }
}

// A client over its quota gets nothing and has to ask again later (KIP-219).
function throttledFetch(
  throttleTimeMs: number,
  { sessionId, sessionEpoch }: Decoded<FetchRequest>,
  version: number,
): FetchResponse {
  const session = { errorCode: ErrorCode.ERR_NO_ERROR, sessionId: sessionEpoch > 0 ? sessionId : 0 }
  return { throttleTimeMs, ...(version >= 7 ? session : {}), responses: [] }
}

function refusal(
  { sessionId, topics }: Decoded<FetchRequest>,
  errorCode: number,
  { version }: RefusedRequest,
): FetchResponse {
  return {
    throttleTimeMs: 0,
    ...(version >= 7 ? { errorCode, sessionId } : {}),
    responses: topics.map(({ topic, topicId, partitions }) => ({
      ...(version >= TOPIC_IDS_VERSION ? { topicId } : { topic }),
      partitions: partitions.map(({ partition }) => ({ ...failure(partition, errorCode), records: null })),
    })),
  }
}

function topicOf(requested: FetchedPartition, version: number, topics: TopicsView): TopicView | undefined {
  return version >= TOPIC_IDS_VERSION ? topics.byId(requested.topicId) : topics.get(requested.topic)
}

function readOne(
  requested: FetchedPartition,
  limit: number,
  isFirst: boolean,
  { isolationLevel, rackId }: Decoded<FetchRequest>,
  context: RequestContext,
  stores: ReadingStores,
): PartitionAnswer {
  const { version } = context
  const topic = topicOf(requested, version, stores.topics.seenBy(context.brokerId))
  const partition = topic?.partitions[requested.partition]
  if (topic === undefined && version >= TOPIC_IDS_VERSION) return failed(requested, ErrorCode.ERR_UNKNOWN_TOPIC_ID)
  if (!context.allows('read', 'topic', topic?.name ?? requested.topic)) {
    return failed(requested, ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED)
  }
  const problem = checkReplica(partition, requested.currentLeaderEpoch, context)
  if (partition === undefined || problem !== ErrorCode.ERR_NO_ERROR) {
    const isMoved = problem === ErrorCode.ERR_NOT_LEADER_FOR_PARTITION || problem === ErrorCode.ERR_FENCED_LEADER_EPOCH
    const leader =
      version >= LEADER_DISCOVERY_VERSION && isMoved && partition !== undefined
        ? { currentLeader: { leaderId: partition.leader, leaderEpoch: partition.leaderEpoch } }
        : {}
    return failed(requested, problem, leader)
  }
  const { log, leaderEpoch } = partition
  const { fetchOffset, lastFetchedEpoch } = requested
  if (fetchOffset < log.startOffset) return failed(requested, ErrorCode.ERR_OFFSET_OUT_OF_RANGE)
  const common = {
    partitionIndex: requested.partition,
    errorCode: ErrorCode.ERR_NO_ERROR,
    highWatermark: log.highWatermark,
    lastStableOffset: log.lastStableOffset,
    ...(version >= 5 ? { logStartOffset: log.startOffset } : {}),
  }
  if (version >= 12 && lastFetchedEpoch >= 0) {
    // The reader's log may have diverged (KIP-595); it may be longer, too.
    const known = log.endOfEpoch(lastFetchedEpoch, leaderEpoch)
    if (known.endOffset < 0) return failed(requested, ErrorCode.ERR_OFFSET_OUT_OF_RANGE)
    if (known.leaderEpoch < lastFetchedEpoch || known.endOffset < fetchOffset) {
      const divergingEpoch = { epoch: known.leaderEpoch, endOffset: known.endOffset }
      const data = { ...common, divergingEpoch, abortedTransactions: [], records: NO_BYTES }
      return { requested, data, bytes: 0, isUrgent: true }
    }
  }
  if (fetchOffset > log.endOffset) return failed(requested, ErrorCode.ERR_OFFSET_OUT_OF_RANGE)
  const preferred = version >= 11 ? preferredReplica(partition, rackId, fetchOffset, context.brokerId, stores) : -1
  if (preferred >= 0) {
    const data = { ...common, abortedTransactions: null, preferredReadReplica: preferred, records: NO_BYTES }
    return { requested, data, bytes: 0, isUrgent: true }
  }
  const isCommitted = isolationLevel === READ_COMMITTED
  const end = isCommitted ? log.lastStableOffset : log.highWatermark
  const read = log.read(fetchOffset, limit, !isFirst, end)
  const aborted = isCommitted ? log.abortedBetween(fetchOffset, read.endOffset) : null
  const abortedTransactions = aborted?.map(({ producerId, firstOffset }) => ({ producerId, firstOffset })) ?? null
  return {
    requested,
    data: { ...common, abortedTransactions, records: read.chunks },
    bytes: read.bytes,
    isUrgent: false,
  }
}

function failed(
  requested: FetchedPartition,
  errorCode: number,
  leader: Pick<FetchResponsePartitionData, 'currentLeader'> = {},
): PartitionAnswer {
  return { requested, data: { ...failure(requested.partition, errorCode), ...leader }, bytes: 0, isUrgent: true }
}

function failure(partitionIndex: number, errorCode: number): FetchResponsePartitionData {
  return { partitionIndex, errorCode, highWatermark: -1, abortedTransactions: [], records: NO_BYTES }
}

// From version 11 on consumers may read from any replica (KIP-392); without replicas of their own, from those in sync.
function checkReplica(
  partition: PartitionView | undefined,
  currentLeaderEpoch: number,
  context: RequestContext,
): number {
  const { version, brokerId } = context
  const mayRead = partition?.replication === undefined ? partition?.isr : partition.replicas
  const isFollower = version >= 11 && partition !== undefined && mayRead?.includes(brokerId) === true
  return context.checkLeader(partition, currentLeaderEpoch, isFollower ? partition.leader : brokerId)
}

// A replica in the client's rack if the leader is in another one, else -1.
function preferredReplica(
  partition: PartitionView,
  rackId: string,
  fetchOffset: number,
  brokerId: number,
  { brokers, preferredReplicas }: Pick<Stores, 'brokers' | 'preferredReplicas'>,
): number {
  const commanded = preferredReplicas.get(`${partition.topic}/${partition.index}`)
  if (commanded !== undefined && partition.leader === brokerId) return commanded
  if (rackId === '' || partition.leader !== brokerId || brokers.get(brokerId)?.rack === rackId) return -1
  const { replication } = partition
  const isThere = (id: number): boolean => replication === undefined || replication.hasOffset(id, fetchOffset)
  return partition.isr.find(id => brokers.get(id)?.rack === rackId && brokers.isUp(id) && isThere(id)) ?? -1
}

// Resolves when one of the partitions changes, the time has passed, or nobody waits any more.
function changeOrTimeout(
  plan: FetchPlan,
  { brokerId, version, signal }: RequestContext,
  { clock, topics: store }: Pick<Stores, 'clock' | 'topics'>,
  left: number,
): Promise<void> {
  const topics = store.seenBy(brokerId)
  return new Promise(resolve => {
    const stops: (() => void)[] = []
    const done = (): void => {
      for (const stop of stops) stop()
      resolve()
    }
    const timer = clock.setTimer(left, done)
    stops.push(() => timer.cancel())
    for (const requested of plan.partitions) {
      const log = topicOf(requested, version, topics)?.partitions[requested.partition]?.log
      if (log !== undefined) stops.push(log.onChange(done))
    }
    signal.addEventListener('abort', done, { once: true })
    stops.push(() => signal.removeEventListener('abort', done))
  })
}
