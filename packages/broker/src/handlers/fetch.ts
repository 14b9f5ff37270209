/** Reading: Fetch, ListOffsets, OffsetForLeaderEpoch. */
import {
  ErrorCode,
  FetchServer,
  ListOffsetsServer,
  OffsetForLeaderEpochServer,
  type Decoded,
  type FetchRequest,
  type FetchResponse,
  type FetchResponseFetchableTopicResponse,
  type FetchResponsePartitionData,
} from '@ottla/protocol'
import { route, type RequestContext, type Route } from '../request.ts'
import type { Partition } from '../topics.ts'

const LATEST = -1
const EARLIEST = -2
const MAX_TIMESTAMP = -3
// Tiered storage is not simulated: the local log is all there is.
const EARLIEST_LOCAL = -4
const LATEST_TIERED = -5

type AskedPartition = Decoded<FetchRequest>['topics'][number]['partitions'][number]

export const fetchRoutes: readonly Route[] = [
  route(FetchServer, fetch),
  route(ListOffsetsServer, ({ topics }, context) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, currentLeaderEpoch, timestamp }) => {
        const found = listOffset(name, partitionIndex, currentLeaderEpoch, timestamp, context)
        const { leaderEpoch, ...rest } = found
        return { partitionIndex, ...rest, ...(context.version >= 4 ? { leaderEpoch } : {}) }
      }),
    })),
  })),
  route(OffsetForLeaderEpochServer, ({ topics }, context) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition: index, currentLeaderEpoch, leaderEpoch }) => {
        const partition = context.state.topics.partition(topic, index)
        const errorCode = context.allows('describe', 'topic', topic)
          ? context.state.checkLeader(partition, context.brokerId, currentLeaderEpoch)
          : ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED
        if (partition === undefined || errorCode !== ErrorCode.ERR_NO_ERROR) return { partition: index, errorCode }
        if (leaderEpoch === partition.leaderEpoch) {
          return { partition: index, errorCode, leaderEpoch, endOffset: partition.log.highWatermark }
        }
        return { partition: index, errorCode, ...partition.log.endOfEpoch(leaderEpoch) }
      }),
    })),
  })),
]

async function fetch(request: Decoded<FetchRequest>, context: RequestContext): Promise<FetchResponse> {
  if (request.sessionId !== 0 && context.version >= 7) {
    // Sessions are not kept: a client that has one from elsewhere begins with a full fetch.
    return { throttleTimeMs: 0, errorCode: ErrorCode.ERR_FETCH_SESSION_ID_NOT_FOUND, responses: [] }
  }
  const deadline = context.state.clock.now() + request.maxWaitMs
  for (;;) {
    const round = readAll(request, context)
    const left = deadline - context.state.clock.now()
    if (round.bytes >= request.minBytes || round.failed || left <= 0 || context.signal.aborted) return round.response
    await moreOrLate(request, context, left)
  }
}

interface Round {
  readonly response: FetchResponse
  readonly bytes: number
  readonly failed: boolean
}

function readAll(request: Decoded<FetchRequest>, context: RequestContext): Round {
  let bytes = 0
  let failed = false
  const moved = new Set<number>()
  const responses: FetchResponseFetchableTopicResponse[] = request.topics.map(asked => {
    const topic = topicOf(asked, context)
    const name = topic?.name ?? asked.topic
    const partitions = asked.partitions.map(partition => {
      const data = readOne(
        topic?.partitions[partition.partition],
        name,
        partition,
        request.maxBytes - bytes,
        bytes === 0,
        context,
      )
      if (data.errorCode !== ErrorCode.ERR_NO_ERROR) failed = true
      if (data.currentLeader?.leaderId !== undefined) moved.add(data.currentLeader.leaderId)
      bytes += sizeOf(data.records)
      return data
    })
    return context.version >= 13 ? { topicId: asked.topicId, partitions } : { topic: asked.topic, partitions }
  })
  const nodeEndpoints = context.state.brokers
    .filter(broker => moved.has(broker.id))
    .map(({ id, host, port, rack }) => ({ nodeId: id, host, port, rack }))
  const response = {
    throttleTimeMs: 0,
    responses,
    ...(context.version >= 16 && nodeEndpoints.length > 0 ? { nodeEndpoints } : {}),
  }
  return { response, bytes, failed }
}

function topicOf(
  asked: { readonly topic: string; readonly topicId: string },
  { state, version }: RequestContext,
): ReturnType<typeof state.topics.get> {
  return version >= 13 ? state.topics.byId(asked.topicId) : state.topics.get(asked.topic)
}

function readOne(
  partition: Partition | undefined,
  name: string,
  asked: AskedPartition,
  budget: number,
  isFirst: boolean,
  context: RequestContext,
): FetchResponsePartitionData {
  const { state, version, brokerId } = context
  const fail = (errorCode: number): FetchResponsePartitionData => ({
    partitionIndex: asked.partition,
    errorCode,
    highWatermark: -1,
    abortedTransactions: [],
    records: Buffer.alloc(0),
  })
  if (partition === undefined && version >= 13) return fail(ErrorCode.ERR_UNKNOWN_TOPIC_ID)
  if (!context.allows('read', 'topic', name)) return fail(ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED)
  const problem = state.checkLeader(partition, brokerId, asked.currentLeaderEpoch)
  if (partition === undefined || problem !== ErrorCode.ERR_NO_ERROR) {
    const withLeader = version >= 12 && partition !== undefined && partition.leader !== brokerId
    return {
      ...fail(problem),
      ...(withLeader ? { currentLeader: { leaderId: partition.leader, leaderEpoch: partition.leaderEpoch } } : {}),
    }
  }
  const { log } = partition
  if (asked.fetchOffset < log.startOffset || asked.fetchOffset > log.highWatermark) {
    return { ...fail(ErrorCode.ERR_OFFSET_OUT_OF_RANGE), highWatermark: log.highWatermark }
  }
  const limit = Math.min(asked.partitionMaxBytes, Math.max(0, budget))
  return {
    partitionIndex: asked.partition,
    errorCode: ErrorCode.ERR_NO_ERROR,
    highWatermark: log.highWatermark,
    lastStableOffset: log.highWatermark,
    ...(version >= 5 ? { logStartOffset: log.startOffset } : {}),
    abortedTransactions: [],
    records: log.read(asked.fetchOffset, limit, !isFirst),
  }
}

function sizeOf(records: FetchResponsePartitionData['records']): number {
  if (records === null) return 0
  return records instanceof Uint8Array ? records.length : records.reduce((sum, chunk) => sum + chunk.length, 0)
}

// Until something is appended to one of the partitions, the time is over, or nobody waits any more.
function moreOrLate(request: Decoded<FetchRequest>, context: RequestContext, left: number): Promise<void> {
  return new Promise(resolve => {
    const stops: (() => void)[] = []
    const done = (): void => {
      for (const stop of stops) stop()
      resolve()
    }
    const timer = context.state.clock.setTimer(left, done)
    stops.push(() => timer.cancel())
    for (const asked of request.topics) {
      const topic = topicOf(asked, context)
      for (const { partition } of asked.partitions) {
        const log = topic?.partitions[partition]?.log
        if (log !== undefined) stops.push(log.onAppend(done))
      }
    }
    context.signal.addEventListener('abort', done, { once: true })
    stops.push(() => context.signal.removeEventListener('abort', done))
  })
}

function listOffset(
  name: string,
  index: number,
  currentLeaderEpoch: number,
  timestamp: number,
  context: RequestContext,
): { errorCode: number; offset: number; timestamp: number; leaderEpoch: number } {
  const answer = (errorCode: number, offset = -1, time = -1, leaderEpoch = -1): ReturnType<typeof listOffset> => ({
    errorCode,
    offset,
    timestamp: time,
    leaderEpoch,
  })
  if (!context.allows('describe', 'topic', name)) return answer(ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED)
  const partition = context.state.topics.partition(name, index)
  const problem = context.state.checkLeader(partition, context.brokerId, currentLeaderEpoch)
  if (partition === undefined || problem !== ErrorCode.ERR_NO_ERROR) return answer(problem)
  const { log, leaderEpoch } = partition
  switch (timestamp) {
    case LATEST:
      return answer(ErrorCode.ERR_NO_ERROR, log.highWatermark, -1, leaderEpoch)
    case EARLIEST:
    case EARLIEST_LOCAL:
      return answer(ErrorCode.ERR_NO_ERROR, log.startOffset, -1, leaderEpoch)
    case LATEST_TIERED:
      return answer(ErrorCode.ERR_NO_ERROR)
    default: {
      const found = timestamp === MAX_TIMESTAMP ? log.latestTimestamp() : log.firstAt(timestamp)
      if (found === null) return answer(ErrorCode.ERR_NO_ERROR)
      return answer(ErrorCode.ERR_NO_ERROR, found.offset, found.timestamp, found.leaderEpoch)
    }
  }
}
