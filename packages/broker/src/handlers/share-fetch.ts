/** ShareFetch and ShareAcknowledge: share group members acquire and acknowledge records (KIP-932). */
import {
  BatchReader,
  ErrorCode,
  ShareAcknowledgeServer,
  ShareFetchServer,
  type Decoded,
  type ShareAcknowledgeRequest,
  type ShareAcknowledgeResponse,
  type ShareFetchRequest,
  type ShareFetchResponse,
  type ShareFetchResponsePartitionData,
} from '@ottla/protocol'
import type { Clock } from '../base/clock.ts'
import { byTopic, keysOf, partitionKey, splitKey } from '../groups/partition-set.ts'
import { orRefuse } from '../groups/refusal.ts'
import {
  checkAcknowledgements,
  type Acknowledgement,
  type AcquiredRecords,
  type BatchRange,
} from '../groups/share-partition.ts'
import { FINAL_EPOCH, type ShareSession } from '../groups/share-sessions.ts'
import type { ShareGroup } from '../groups/share.ts'
import { route, type RequestContext, type Route } from './request.ts'
import { namedError, type Reason } from './refusals.ts'
import type { Stores } from './stores.ts'
import type { PartitionView, TopicsView } from '../topics/views.ts'

export const shareFetchRoutes: readonly Route[] = [
  route(ShareFetchServer, fetch, (_body, errorCode) => notFetched(namedError(errorCode))),
  route(ShareAcknowledgeServer, acknowledge, (_body, errorCode, { version }) =>
    notAcknowledged(namedError(errorCode), version),
  ),
]

const RENEW_VERSION = 2
const STRICT = 1
const MAX_MEMBER_ID = 36
const NO_BYTES = Buffer.alloc(0)

interface Outcome {
  readonly errorCode: number
  readonly message: string | null
}

const noError: Outcome = { errorCode: ErrorCode.ERR_NO_ERROR, message: null }

type ReleasingStores = Pick<Stores, 'brokers' | 'shareSessions' | 'topics'>

async function fetch(
  request: Decoded<ShareFetchRequest>,
  context: RequestContext,
  stores: ReleasingStores & Pick<Stores, 'clock' | 'groups'>,
): Promise<ShareFetchResponse> {
  const { brokerId, version, signal } = context
  const { clock, groups, shareSessions, topics } = stores
  const store = topics.seenBy(brokerId)
  const { shareSessionEpoch: epoch, isRenewAck, topics: requested, forgottenTopicsData } = request
  const groupId = request.groupId ?? ''
  const memberId = request.memberId ?? ''
  const refuse = (errorCode: number, errorMessage: string | null = null): ShareFetchResponse =>
    notFetched({ errorCode, errorMessage })
  const problem = checkMember(request.groupId, memberId, context)
  if (problem !== null) return refuse(problem.errorCode, problem.message)
  const { maxBytes, minBytes, maxRecords, maxWaitMs } = request
  if (isRenewAck && (maxBytes !== 0 || minBytes !== 0 || maxRecords !== 0 || maxWaitMs !== 0)) {
    return refuse(ErrorCode.ERR_INVALID_REQUEST, 'A request with isRenewAck cannot fetch records.')
  }
  const sessions = shareSessions.of(brokerId)
  const key = `${groupId}\0${memberId}`
  const acks = acknowledgementsOf(requested)
  const added = keysOf(requested.map(({ topicId, partitions }) => ({ topicId, partitions: indexesOf(partitions) })))
  const session = orRefuse<ShareSession | ShareFetchResponse>(
    () => sessions.fetch(key, epoch, added, keysOf(forgottenTopicsData), acks.size > 0),
    refuse,
  )
  if (!('partitions' in session)) return session
  const group = groups.get(groupId)?.share ?? null
  if (epoch === 0 && group !== null) releaseWithConnection(key, memberId, session, group, context, stores)
  const outcomes = acknowledgeAll(acks, memberId, group, version >= RENEW_VERSION, isRenewAck, context, store)
  let fetched: ReadonlyMap<string, ShareFetchResponsePartitionData> = new Map()
  const deadline = clock.now() + maxWaitMs
  // Nothing is acquired for a connection that closed in the meantime: the records would never be delivered.
  while (group !== null && !isRenewAck && !signal.aborted) {
    fetched = acquireAll(session, memberId, group, request, context, store)
    const left = deadline - clock.now()
    const isIdle = session.partitions.size === 0 || maxRecords === 0 || maxBytes === 0
    if (fetched.size > 0 || isIdle || left <= 0) break
    await changeOrTimeout(session, signal, clock, store, left)
  }
  if (epoch === FINAL_EPOCH) {
    sessions.end(key)
    releaseHere(memberId, group, brokerId, store)
  }
  return {
    ...refuse(ErrorCode.ERR_NO_ERROR),
    acquisitionLockTimeoutMs: group?.limits.lockMs ?? 0,
    responses: responsesOf(fetched, outcomes),
  }
}

function acknowledge(
  request: Decoded<ShareAcknowledgeRequest>,
  context: RequestContext,
  { groups, shareSessions, topics: all }: Pick<Stores, 'groups' | 'shareSessions' | 'topics'>,
): ShareAcknowledgeResponse {
  const { brokerId, version } = context
  const store = all.seenBy(brokerId)
  const { shareSessionEpoch: epoch, isRenewAck, topics } = request
  const groupId = request.groupId ?? ''
  const memberId = request.memberId ?? ''
  const refuse = (errorCode: number, errorMessage: string | null = null): ShareAcknowledgeResponse =>
    notAcknowledged({ errorCode, errorMessage }, version)
  const problem = checkMember(request.groupId, memberId, context)
  if (problem !== null) return refuse(problem.errorCode, problem.message)
  const sessions = shareSessions.of(brokerId)
  const key = `${groupId}\0${memberId}`
  return orRefuse(() => {
    sessions.acknowledge(key, epoch)
    const group = groups.get(groupId)?.share ?? null
    const acks = acknowledgementsOf(topics)
    const outcomes = acknowledgeAll(acks, memberId, group, version >= RENEW_VERSION, isRenewAck, context, store)
    if (epoch === FINAL_EPOCH) {
      sessions.end(key)
      releaseHere(memberId, group, brokerId, store)
    }
    const responses = byTopic(outcomes.keys()).map(({ topicId, partitions }) => ({
      topicId,
      partitions: partitions.map(partitionIndex => {
        const { errorCode, message } = outcomes.get(partitionKey(topicId, partitionIndex)) ?? noError
        const currentLeader = leaderOf(topicId, partitionIndex, store)
        return { partitionIndex, errorCode, errorMessage: message, currentLeader }
      }),
    }))
    const lock = version >= RENEW_VERSION ? { acquisitionLockTimeoutMs: group?.limits.lockMs ?? 0 } : {}
    return { ...refuse(ErrorCode.ERR_NO_ERROR), ...lock, responses }
  }, refuse)
}

function notFetched(reason: Reason): ShareFetchResponse {
  return { throttleTimeMs: 0, ...reason, acquisitionLockTimeoutMs: 0, responses: [], nodeEndpoints: [] }
}

function notAcknowledged(reason: Reason, version: number): ShareAcknowledgeResponse {
  const lock = version >= RENEW_VERSION ? { acquisitionLockTimeoutMs: 0 } : {}
  return { throttleTimeMs: 0, ...reason, responses: [], nodeEndpoints: [], ...lock }
}

function checkMember(groupId: string | null, memberId: string, context: RequestContext): Outcome | null {
  const errorCode = ErrorCode.ERR_INVALID_REQUEST
  if (groupId === null) return { errorCode, message: 'Invalid group id in the request.' }
  if (!context.allows('read', 'group', groupId)) {
    return { errorCode: ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED, message: null }
  }
  const isValid = memberId !== '' && memberId.length <= MAX_MEMBER_ID
  return isValid ? null : { errorCode, message: 'Invalid member id in the request.' }
}

type RequestedTopics = readonly {
  readonly topicId: string
  readonly partitions: readonly {
    readonly partitionIndex: number
    readonly acknowledgementBatches: readonly {
      readonly firstOffset: number
      readonly lastOffset: number
      readonly acknowledgeTypes: readonly number[]
    }[]
  }[]
}[]

function acknowledgementsOf(topics: RequestedTopics): ReadonlyMap<string, readonly Acknowledgement[]> {
  const acks = new Map<string, readonly Acknowledgement[]>()
  for (const { topicId, partitions } of topics) {
    for (const { partitionIndex, acknowledgementBatches } of partitions) {
      if (acknowledgementBatches.length === 0) continue
      const list = acknowledgementBatches.map(({ firstOffset, lastOffset, acknowledgeTypes }) => ({
        firstOffset,
        lastOffset,
        types: acknowledgeTypes,
      }))
      acks.set(partitionKey(topicId, partitionIndex), list)
    }
  }
  return acks
}

function indexesOf(partitions: readonly { readonly partitionIndex: number }[]): number[] {
  return partitions.map(({ partitionIndex }) => partitionIndex)
}

// The partition, with 0 or why the member cannot use it on this broker.
function checkPartition(
  key: string,
  context: RequestContext,
  topics: TopicsView,
): { partition: PartitionView | null; errorCode: number } {
  const { topicId, partition: index } = splitKey(key)
  const topic = topics.byId(topicId)
  if (topic === undefined) return { partition: null, errorCode: ErrorCode.ERR_UNKNOWN_TOPIC_ID }
  if (!context.allows('read', 'topic', topic.name)) {
    return { partition: null, errorCode: ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED }
  }
  const partition = topic.partitions[index] ?? null
  return { partition, errorCode: context.checkLeader(partition ?? undefined, -1) }
}

function acknowledgeAll(
  acks: ReadonlyMap<string, readonly Acknowledgement[]>,
  memberId: string,
  group: ShareGroup | null,
  canRenew: boolean,
  isRenewal: boolean,
  context: RequestContext,
  topics: TopicsView,
): Map<string, Outcome> {
  const outcomes = new Map<string, Outcome>()
  for (const [key, list] of acks) {
    const { topicId, partition } = splitKey(key)
    const checked = checkPartition(key, context, topics)
    const errorCode = checkAcknowledgements(list, canRenew, isRenewal) || checked.errorCode
    const known = group?.known(topicId, partition)
    if (errorCode !== ErrorCode.ERR_NO_ERROR) outcomes.set(key, { errorCode, message: null })
    else if (known === undefined || group === null || checked.partition === null) {
      outcomes.set(key, { errorCode: ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART, message: null })
    } else if (!known.isLedIn(checked.partition.leaderEpoch)) {
      outcomes.set(key, { errorCode: ErrorCode.ERR_NOT_LEADER_FOR_PARTITION, message: null })
    } else {
      const acknowledgeOne = (): Outcome => {
        known.acknowledge(memberId, list, group.limits)
        return noError
      }
      outcomes.set(
        key,
        orRefuse(acknowledgeOne, (code, message) => ({ errorCode: code, message })),
      )
    }
  }
  return outcomes
}

// The partitions that have records or an error.
function acquireAll(
  session: ShareSession,
  memberId: string,
  group: ShareGroup,
  request: Decoded<ShareFetchRequest>,
  context: RequestContext,
  topics: TopicsView,
): Map<string, ShareFetchResponsePartitionData> {
  const fetched = new Map<string, ShareFetchResponsePartitionData>()
  let bytesLeft = request.maxBytes
  let recordsLeft = request.maxRecords
  for (const key of [...session.partitions]) {
    const { topicId, partition: partitionIndex } = splitKey(key)
    const { partition, errorCode } = checkPartition(key, context, topics)
    const empty = { partitionIndex, acknowledgeErrorCode: 0, records: NO_BYTES, acquiredRecords: [] }
    if (partition === null || errorCode !== ErrorCode.ERR_NO_ERROR) {
      fetched.set(key, { ...empty, errorCode, currentLeader: leaderOf(topicId, partitionIndex, topics) })
      continue
    }
    if (bytesLeft <= 0 || recordsLeft <= 0) continue
    const share = group.partition(topicId, partition)
    if (!share.isLedIn(partition.leaderEpoch)) {
      const notLeader = ErrorCode.ERR_NOT_LEADER_FOR_PARTITION
      fetched.set(key, { ...empty, errorCode: notLeader, currentLeader: leaderOf(topicId, partitionIndex, topics) })
      continue
    }
    const end = group.readsCommitted ? partition.log.lastStableOffset : partition.log.highWatermark
    if (share.nextOffset >= end) continue
    const read = partition.log.read(share.nextOffset, bytesLeft, fetched.size > 0, end)
    const batches = rangesOf(read.chunks)
    const taken = share.acquire({
      memberId,
      batches,
      maxRecords: recordsLeft,
      batchSize: request.batchSize,
      isStrict: request.shareAcquireMode === STRICT,
      limits: group.limits,
    })
    const aborted = group.readsCommitted ? abortedOf(batches, partition) : []
    for (const { baseOffset, lastOffset } of aborted) share.skip(baseOffset, lastOffset)
    const acquired = withoutAborted(taken, aborted)
    if (acquired.length === 0) continue
    bytesLeft -= read.bytes
    for (const { firstOffset, lastOffset } of acquired) recordsLeft -= lastOffset - firstOffset + 1
    // The next fetch starts with the other partitions.
    session.partitions.delete(key)
    session.partitions.add(key)
    fetched.set(key, {
      ...empty,
      errorCode: ErrorCode.ERR_NO_ERROR,
      currentLeader: leaderOf(topicId, partitionIndex, topics),
      records: read.chunks,
      acquiredRecords: acquired,
    })
  }
  return fetched
}

interface FoundBatch extends BatchRange {
  /** -1 for a batch that belongs to no transaction. */
  readonly producerId: bigint
}

function rangesOf(chunks: readonly Buffer[]): FoundBatch[] {
  const ranges: FoundBatch[] = []
  for (const chunk of chunks) {
    const reader = new BatchReader(chunk)
    for (let batch = reader.next(); batch !== null; batch = reader.next()) {
      const producerId = batch.isTransactional && !batch.isControl ? batch.producerId : -1n
      ranges.push({ baseOffset: batch.baseOffset, lastOffset: batch.lastOffset, producerId })
    }
  }
  return ranges
}

// The batches of aborted transactions.
function abortedOf(batches: readonly FoundBatch[], { log }: PartitionView): BatchRange[] {
  const from = batches[0]?.baseOffset ?? 0
  const end = (batches.at(-1)?.lastOffset ?? -1) + 1
  const aborted = log.abortedBetween(from, end)
  return batches.filter(batch =>
    aborted.some(
      ({ producerId, firstOffset, lastOffset }) =>
        producerId === batch.producerId && batch.baseOffset >= firstOffset && batch.lastOffset <= lastOffset,
    ),
  )
}

function withoutAborted(acquired: readonly AcquiredRecords[], aborted: readonly BatchRange[]): AcquiredRecords[] {
  let left = [...acquired]
  for (const { baseOffset, lastOffset } of aborted) {
    left = left.flatMap(range => {
      const before = { ...range, lastOffset: Math.min(range.lastOffset, baseOffset - 1) }
      const after = { ...range, firstOffset: Math.max(range.firstOffset, lastOffset + 1) }
      return [before, after].filter(each => each.firstOffset <= each.lastOffset)
    })
  }
  return left
}

function leaderOf(topicId: string, index: number, topics: TopicsView): { leaderId: number; leaderEpoch: number } {
  const partition = topics.byId(topicId)?.partitions[index]
  return { leaderId: partition?.leader ?? -1, leaderEpoch: partition?.leaderEpoch ?? -1 }
}

function responsesOf(
  fetched: ReadonlyMap<string, ShareFetchResponsePartitionData>,
  outcomes: ReadonlyMap<string, Outcome>,
): ShareFetchResponse['responses'] {
  return byTopic(new Set([...fetched.keys(), ...outcomes.keys()])).map(({ topicId, partitions }) => ({
    topicId,
    partitions: partitions.map(partitionIndex => {
      const key = partitionKey(topicId, partitionIndex)
      const { errorCode, message } = outcomes.get(key) ?? noError
      const data = fetched.get(key) ?? {
        partitionIndex,
        errorCode: ErrorCode.ERR_NO_ERROR,
        currentLeader: { leaderId: 0, leaderEpoch: 0 },
        records: NO_BYTES,
        acquiredRecords: [],
      }
      return { ...data, acknowledgeErrorCode: errorCode, acknowledgeErrorMessage: message }
    }),
  }))
}

// When its session on this broker ends, a member's records are released, but only of partitions that the broker leads.
function releaseHere(memberId: string, group: ShareGroup | null, brokerId: number, topics: TopicsView): void {
  group?.release(memberId, key => isLedBy(brokerId, key, topics))
}

function isLedBy(brokerId: number, key: string, topics: TopicsView): boolean {
  const { topicId, partition } = splitKey(key)
  return topics.byId(topicId)?.partitions[partition]?.leader === brokerId
}

// When a member's connection breaks, its records are released. A broker that dies does not get to store that.
function releaseWithConnection(
  key: string,
  memberId: string,
  session: ShareSession,
  group: ShareGroup,
  { brokerId, signal }: RequestContext,
  { brokers, shareSessions, topics }: ReleasingStores,
): void {
  const release = (): void => {
    const sessions = shareSessions.of(brokerId)
    if (sessions.get(key) !== session) return
    sessions.end(key)
    const known = topics.seenBy(brokerId)
    if (brokers.get(brokerId)?.up === true) releaseHere(memberId, group, brokerId, known)
    else group.forgetLocks(memberId, each => isLedBy(brokerId, each, known))
  }
  signal.addEventListener('abort', release, { once: true })
}

function changeOrTimeout(
  session: ShareSession,
  signal: AbortSignal,
  clock: Clock,
  topics: TopicsView,
  ms: number,
): Promise<void> {
  return new Promise(resolve => {
    const stops: (() => void)[] = []
    const done = (): void => {
      timer.cancel()
      signal.removeEventListener('abort', done)
      for (const stop of stops) stop()
      resolve()
    }
    const timer = clock.setTimer(ms, done)
    signal.addEventListener('abort', done)
    for (const key of session.partitions) {
      const { topicId, partition } = splitKey(key)
      const found = topics.byId(topicId)?.partitions[partition]
      if (found !== undefined) stops.push(found.log.onChange(done))
    }
  })
}
