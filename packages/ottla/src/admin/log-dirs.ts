import { AlterReplicaLogDirs, DescribeLogDirs, ErrorCode } from '@ottla/protocol'
import { groupByTopic } from '../base/grouping.ts'
import { KafkaError } from '../errors.ts'
import type { TopicPartition } from '../types.ts'
import {
  INT32_MAX,
  requireDistinct,
  requireInteger,
  requireItems,
  requireName,
  requirePartitions,
} from './arguments.ts'
import { itemError, missingAnswer, settle, withError, type AdminCall, type AdminOptions } from './call.ts'
import { requestFromBrokers, partitionSubject } from './fan-out.ts'

/**
 * Options of `describeLogDirs`.
 * @since 0.1.0
 */
export interface DescribeLogDirsOptions extends AdminOptions {
  /** Only replicas of these partitions. */
  readonly partitions?: readonly TopicPartition[]
}

/**
 * One log directory of a broker.
 * @since 0.1.0
 */
export interface LogDir {
  path: string
  replicas: LogDirReplica[]
  /** Size of the volume; -1 if the broker does not report it (before Kafka 3.3). */
  totalBytes: number
  /** Free space of the volume; -1 if the broker does not report it. */
  usableBytes: number
  /** Whether the broker places no new partitions there (KIP-1066). */
  isCordoned: boolean
  error?: KafkaError
}

/**
 * A replica in a directory.
 * @since 0.1.0
 */
export interface LogDirReplica extends TopicPartition {
  sizeBytes: number
  /** Records that it is behind: the high watermark, or the replica that it is to replace. */
  offsetLag: number
  /** Whether it is being moved here from another directory of the broker. */
  isFuture: boolean
}

/**
 * The directories of one broker.
 * @since 0.1.0
 */
export interface BrokerLogDirs {
  brokerId: number
  logDirs: LogDir[]
  error?: KafkaError
}

/**
 * The directory of a broker that a replica is to move to.
 * @since 0.1.0
 */
export interface ReplicaLogDirAlteration extends TopicPartition {
  readonly brokerId: number
  /** Absolute path, one of the broker's `log.dirs`. */
  readonly path: string
}

/**
 * The outcome for one move.
 * @since 0.1.0
 */
export interface ReplicaLogDirResult extends TopicPartition {
  brokerId: number
  error?: KafkaError
}

export async function describeLogDirs(
  call: AdminCall,
  brokerIds: readonly number[] | undefined,
  partitions: readonly TopicPartition[] | undefined,
): Promise<BrokerLogDirs[]> {
  if (brokerIds !== undefined) {
    requireItems(brokerIds, 'brokerIds')
    brokerIds.forEach((id, i) => requireInteger(id, `brokerIds[${i}]`, 0, INT32_MAX))
    requireDistinct(brokerIds, String, 'brokerIds')
  }
  if (partitions !== undefined) requirePartitions(partitions, 'partitions')
  const topics =
    partitions === undefined
      ? null
      : groupByTopic(partitions, p => p.partition).map(t => ({ topic: t.name, partitions: t.partitions }))
  const { deadline, signal } = call
  const answers = await requestFromBrokers(call, brokerIds, id =>
    call.cluster.request({ to: 'node', id }, DescribeLogDirs, { topics }, { deadline, signal }),
  )
  return answers.map(({ brokerId, answer }): BrokerLogDirs => {
    if (answer instanceof KafkaError) return { brokerId, logDirs: [], error: answer }
    const logDirs = answer.results.map(dir => ({
      path: dir.logDir,
      replicas: dir.topics.flatMap(t =>
        t.partitions.map(p => ({
          topic: t.name,
          partition: p.partitionIndex,
          sizeBytes: p.partitionSize,
          offsetLag: p.offsetLag,
          isFuture: p.isFutureKey,
        })),
      ),
      totalBytes: dir.totalBytes,
      usableBytes: dir.usableBytes,
      isCordoned: dir.isCordoned,
      ...withError(itemError(dir.errorCode, null, `directory ${dir.logDir} of broker ${brokerId}`)),
    }))
    // Before version 3, a user without permission got an empty list and no error.
    const denied = answer.results.length === 0 && answer.errorCode === ErrorCode.ERR_NO_ERROR
    const code = denied ? ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED : answer.errorCode
    return { brokerId, logDirs, ...withError(itemError(code, null, `directories of broker ${brokerId}`)) }
  })
}

export async function alterReplicaLogDirs(
  call: AdminCall,
  moves: readonly ReplicaLogDirAlteration[],
): Promise<ReplicaLogDirResult[]> {
  requireItems(moves, 'replicas')
  moves.forEach((move, i) => {
    requireName(move.topic, `replicas[${i}].topic`)
    requireInteger(move.partition, `replicas[${i}].partition`, 0, INT32_MAX)
    requireInteger(move.brokerId, `replicas[${i}].brokerId`, 0, INT32_MAX)
    requireName(move.path, `replicas[${i}].path`)
  })
  requireDistinct(moves, replicaSubject, 'replicas')
  const { deadline, signal } = call
  const failures = new Map<string, KafkaError | undefined>()
  const alterOnBroker = async (id: number): Promise<void> => {
    const mine = moves.filter(m => m.brokerId === id)
    const dirs = [...new Set(mine.map(m => m.path))].map(path => ({
      path,
      topics: groupByTopic(
        mine.filter(m => m.path === path),
        m => m.partition,
      ),
    }))
    const request = call.cluster.request({ to: 'node', id }, AlterReplicaLogDirs, { dirs }, { deadline, signal })
    const answer = await settle(request)
    if (answer instanceof KafkaError) {
      for (const move of mine) failures.set(replicaSubject(move), answer)
      return
    }
    for (const t of answer.results) {
      for (const p of t.partitions) {
        const subject = replicaSubject({ topic: t.topicName, partition: p.partitionIndex, brokerId: id })
        failures.set(subject, itemError(p.errorCode, null, subject))
      }
    }
  }
  await Promise.all([...new Set(moves.map(m => m.brokerId))].map(alterOnBroker))
  return moves.map(({ topic, partition, brokerId }) => {
    const subject = replicaSubject({ topic, partition, brokerId })
    const error = failures.has(subject) ? failures.get(subject) : missingAnswer(subject)
    return { topic, partition, brokerId, ...withError(error) }
  })
}

function replicaSubject(replica: TopicPartition & { readonly brokerId: number }): string {
  return `${partitionSubject(replica)} on broker ${replica.brokerId}`
}
