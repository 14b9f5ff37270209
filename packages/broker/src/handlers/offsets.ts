/** ListOffsets and OffsetForLeaderEpoch. */
import { ErrorCode, ListOffsetsServer, OffsetForLeaderEpochServer, type ListOffsetsResponse } from '@ottla/protocol'
import { route, type RequestContext, type Route } from './request.ts'
import type { Stores } from './stores.ts'

const LATEST = -1
const EARLIEST = -2
const MAX_TIMESTAMP = -3
// Tiered storage is not simulated: there is only the local log, and nothing waits for an upload.
const EARLIEST_LOCAL = -4
const LATEST_TIERED = -5
const EARLIEST_PENDING_UPLOAD = -6
const READ_COMMITTED = 1
// The first version of ListOffsets with the error OFFSET_NOT_AVAILABLE.
const NOT_AVAILABLE_VERSION = 5

// The first version of ListOffsets that knows each special timestamp; other negative ones are unsupported.
const supportedSince: ReadonlyMap<number, number> = new Map([
  [LATEST, 0],
  [EARLIEST, 0],
  [MAX_TIMESTAMP, 7],
  [EARLIEST_LOCAL, 8],
  [LATEST_TIERED, 9],
  [EARLIEST_PENDING_UPLOAD, 11],
])

export const offsetRoutes: readonly Route[] = [
  route(
    ListOffsetsServer,
    ({ topics, isolationLevel }, context, stores) => ({
      throttleTimeMs: 0,
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: withoutDuplicates(partitions).map(({ isDuplicate, ...requested }) => {
          if (isDuplicate)
            return listedPartition(requested.partitionIndex, listed(ErrorCode.ERR_INVALID_REQUEST), context.version)
          const found = listOffset({ ...requested, name, isolationLevel }, context, stores)
          return listedPartition(requested.partitionIndex, found, context.version)
        }),
      })),
    }),
    ({ topics }, errorCode, { version }) => ({
      throttleTimeMs: 0,
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: withoutDuplicates(partitions).map(requested =>
          listedPartition(requested.partitionIndex, listed(errorCode), version),
        ),
      })),
    }),
  ),
  route(
    OffsetForLeaderEpochServer,
    ({ topics }, context, { topics: store }) => ({
      throttleTimeMs: 0,
      topics: topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(({ partition: index, currentLeaderEpoch, leaderEpoch }) => {
          const partition = store.seenBy(context.brokerId).partition(topic, index)
          const errorCode = context.allows('describe', 'topic', topic)
            ? context.checkLeader(partition, currentLeaderEpoch)
            : ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED
          if (partition === undefined || errorCode !== ErrorCode.ERR_NO_ERROR) return { partition: index, errorCode }
          return { partition: index, errorCode, ...partition.log.endOfEpoch(leaderEpoch, partition.leaderEpoch) }
        }),
      })),
    }),
    ({ topics }, errorCode) => ({
      throttleTimeMs: 0,
      topics: topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(({ partition }) => ({ partition, errorCode })),
      })),
    }),
  ),
]

// Each partition once, with whether the request names it again.
function withoutDuplicates<T extends { readonly partitionIndex: number }>(
  partitions: readonly T[],
): (T & { isDuplicate: boolean })[] {
  const times = new Map<number, number>()
  for (const { partitionIndex } of partitions) times.set(partitionIndex, (times.get(partitionIndex) ?? 0) + 1)
  return partitions
    .filter(({ partitionIndex }, i) => partitions.findIndex(other => other.partitionIndex === partitionIndex) === i)
    .map(partition => ({ ...partition, isDuplicate: (times.get(partition.partitionIndex) ?? 0) > 1 }))
}

interface ListOffsetsQuery {
  readonly name: string
  readonly partitionIndex: number
  readonly currentLeaderEpoch: number
  readonly timestamp: number
  readonly isolationLevel: number
}

interface Listed {
  readonly errorCode: number
  readonly offset: number
  readonly timestamp: number
  readonly leaderEpoch: number
}

function listed(errorCode: number, offset = -1, timestamp = -1, leaderEpoch = -1): Listed {
  return { errorCode, offset, timestamp, leaderEpoch }
}

// Versions before 4 have no leader epoch.
function listedPartition(
  partitionIndex: number,
  { leaderEpoch, ...found }: Listed,
  version: number,
): ListOffsetsResponse['topics'][number]['partitions'][number] {
  return { partitionIndex, ...found, ...(version >= 4 ? { leaderEpoch } : {}) }
}

function listOffset(requested: ListOffsetsQuery, context: RequestContext, { topics }: Pick<Stores, 'topics'>): Listed {
  const { name, partitionIndex, currentLeaderEpoch, timestamp, isolationLevel } = requested
  const { version } = context
  if (!context.allows('describe', 'topic', name)) return listed(ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED)
  if (timestamp < 0 && version < (supportedSince.get(timestamp) ?? Infinity))
    return listed(ErrorCode.ERR_UNSUPPORTED_VERSION)
  const partition = topics.seenBy(context.brokerId).partition(name, partitionIndex)
  const problem = context.checkLeader(partition, currentLeaderEpoch)
  if (partition === undefined || problem !== ErrorCode.ERR_NO_ERROR) return listed(problem)
  const { log, leaderEpoch, replication } = partition
  // Since the election the leader has not learnt yet how far the records before it are replicated (KIP-207).
  const isBehind = (replication?.epochStart ?? 0) > log.highWatermark
  const notAvailable =
    version >= NOT_AVAILABLE_VERSION ? ErrorCode.ERR_OFFSET_NOT_AVAILABLE : ErrorCode.ERR_LEADER_NOT_AVAILABLE
  const end = isolationLevel === READ_COMMITTED ? log.lastStableOffset : log.highWatermark
  switch (timestamp) {
    case LATEST:
      return isBehind ? listed(notAvailable) : listed(ErrorCode.ERR_NO_ERROR, end, -1, leaderEpoch)
    case EARLIEST:
    case EARLIEST_LOCAL:
      return listed(ErrorCode.ERR_NO_ERROR, log.startOffset, -1, log.batches[0]?.leaderEpoch ?? leaderEpoch)
    case LATEST_TIERED:
    case EARLIEST_PENDING_UPLOAD:
      return listed(ErrorCode.ERR_NO_ERROR)
    default: {
      const found = timestamp === MAX_TIMESTAMP ? log.latestTimestamp() : log.firstAt(timestamp, end)
      if (found === null || found.offset >= end) return listed(isBehind ? notAvailable : ErrorCode.ERR_NO_ERROR)
      return listed(ErrorCode.ERR_NO_ERROR, found.offset, found.timestamp, found.leaderEpoch)
    }
  }
}
