/** DescribeLogDirs and AlterReplicaLogDirs (KIP-113). Each broker has one log directory, in name only. */
import {
  AlterReplicaLogDirsServer,
  DescribeLogDirsServer,
  ErrorCode,
  type AlterReplicaLogDirsRequest,
  type AlterReplicaLogDirsResponse,
  type Decoded,
  type DescribeLogDirsRequest,
  type DescribeLogDirsResponse,
} from '@ottla/protocol'
import { CLUSTER_NAME } from '../security/acls.ts'
import { logDirOf } from '../topics/log-dirs.ts'
import type { TopicStore } from '../topics/topics.ts'
import { route, type RequestContext, type Route } from './request.ts'
import type { Stores } from './stores.ts'

export const logDirRoutes: readonly Route[] = [
  route(DescribeLogDirsServer, describe, (_body, errorCode, { version }) => refused(errorCode, version)),
  route(AlterReplicaLogDirsServer, alter, ({ dirs }, errorCode) => answer(dirs, () => errorCode)),
]

// The first versions of DescribeLogDirs with an error for the whole response, with disk space, and with cordons.
const ERROR_VERSION = 3
const DISK_SPACE_VERSION = 4
const CORDON_VERSION = 5
// Kafka names the directory of a moving replica `topic-0.` + 32 digits + `-future`.
const LONGEST_DIRECTORY = 255
const MOVING_SUFFIX = 1 + 1 + 32 + '-future'.length

function describe(
  { topics: requested }: Decoded<DescribeLogDirsRequest>,
  context: RequestContext,
  { topics: store, retention }: Pick<Stores, 'topics' | 'retention'>,
): DescribeLogDirsResponse {
  const { brokerId, version } = context
  if (!context.allows('describe', 'cluster', CLUSTER_NAME)) {
    return refused(ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED, version)
  }
  const isRequested = (topic: string, partition: number): boolean =>
    requested?.some(one => one.topic === topic && one.partitions.includes(partition)) ?? true
  const topics = [...store.seenBy(brokerId).all()].map(({ name, partitions }) => ({
    name,
    partitions: partitions
      .filter(({ index, replicas }) => replicas.includes(brokerId) && isRequested(name, index))
      .map(({ index, log }) => ({
        partitionIndex: index,
        partitionSize: log.sizeBytes,
        offsetLag: 0,
        isFutureKey: false,
      })),
  }))
  const { used } = store.memory
  const { maxBytes } = retention
  return {
    throttleTimeMs: 0,
    ...(version >= ERROR_VERSION ? { errorCode: ErrorCode.ERR_NO_ERROR } : {}),
    results: [
      {
        errorCode: ErrorCode.ERR_NO_ERROR,
        logDir: logDirOf(brokerId),
        topics: topics.filter(({ partitions }) => partitions.length > 0),
        ...(version >= DISK_SPACE_VERSION ? { totalBytes: maxBytes, usableBytes: Math.max(0, maxBytes - used) } : {}),
        ...(version >= CORDON_VERSION ? { isCordoned: false } : {}),
      },
    ],
  }
}

function alter(
  { dirs }: Decoded<AlterReplicaLogDirsRequest>,
  context: RequestContext,
  { topics: store }: Pick<Stores, 'topics'>,
): AlterReplicaLogDirsResponse {
  return answer(dirs, (topic, index, path) => problemOf(topic, index, path, context, store))
}

function refused(errorCode: number, version: number): DescribeLogDirsResponse {
  return { throttleTimeMs: 0, ...(version >= ERROR_VERSION ? { errorCode } : {}), results: [] }
}

function answer(
  dirs: Decoded<AlterReplicaLogDirsRequest>['dirs'],
  codeOf: (topic: string, index: number, path: string) => number,
): AlterReplicaLogDirsResponse {
  // If a partition appears several times, the last one counts.
  const wanted = new Map<string, Map<number, string>>()
  for (const { path, topics } of dirs) {
    for (const { name, partitions } of topics) {
      const paths = wanted.get(name) ?? new Map<number, string>()
      for (const index of partitions) paths.set(index, path)
      wanted.set(name, paths)
    }
  }
  return {
    throttleTimeMs: 0,
    results: [...wanted].map(([topicName, paths]) => ({
      topicName,
      partitions: [...paths].map(([partitionIndex, path]) => ({
        partitionIndex,
        errorCode: codeOf(topicName, partitionIndex, path),
      })),
    })),
  }
}

// A replica that passes all checks is already in the only directory.
function problemOf(topic: string, index: number, path: string, context: RequestContext, store: TopicStore): number {
  if (!context.allows('alter', 'cluster', CLUSTER_NAME)) return ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED
  if (topic.length + String(index).length + MOVING_SUFFIX > LONGEST_DIRECTORY) return ErrorCode.ERR_TOPIC_EXCEPTION
  if (path !== logDirOf(context.brokerId)) return ErrorCode.ERR_LOG_DIR_NOT_FOUND
  const partition = store.partition(topic, index)
  if (partition === undefined) return ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART
  return partition.replicas.includes(context.brokerId) ? ErrorCode.ERR_NO_ERROR : ErrorCode.ERR_REPLICA_NOT_AVAILABLE
}
