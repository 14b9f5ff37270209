import {
  AlterPartitionReassignments,
  ListPartitionReassignments,
  type AlterPartitionReassignmentsRequest,
} from '@ottla/protocol'
import { groupByTopic } from '../base/grouping.ts'
import type { TopicPartition } from '../types.ts'
import { INT32_MAX, requireDistinct, requireInteger, requireItems, requirePartitions } from './arguments.ts'
import { controllerMoved, itemError, withError, type AdminCall, type AdminOptions } from './call.ts'
import { partitionSubject } from './fan-out.ts'
import { partitionsInOrder, type PartitionResult } from './leaders.ts'

/**
 * The new replicas of a partition.
 * @since 0.1.0
 */
export interface PartitionReassignment extends TopicPartition {
  /** Broker ids, the preferred leader first; null cancels an ongoing move. */
  readonly replicas: readonly number[] | null
}

/**
 * A partition that is being moved.
 * @since 0.1.0
 */
export interface OngoingReassignment extends TopicPartition {
  /** All brokers that have it or will have it. */
  replicas: number[]
  addingReplicas: number[]
  removingReplicas: number[]
}

/**
 * Options of `alterPartitionReassignments`.
 * @since 0.1.0
 */
export interface ReassignmentOptions extends AdminOptions {
  /** False refuses a move that changes the number of replicas (KIP-860, Kafka 4.1 and later). Default true. */
  readonly allowReplicationFactorChange?: boolean
}

const FIRST_VERSION_WITH_FACTOR = 1

/** Rejects with the broker's error: there is only one answer. */
export async function listPartitionReassignments(
  call: AdminCall,
  partitions: readonly TopicPartition[] | undefined,
): Promise<OngoingReassignment[]> {
  if (partitions !== undefined) requirePartitions(partitions, 'partitions')
  const topics =
    partitions === undefined
      ? null
      : groupByTopic(partitions, p => p.partition).map(t => ({ name: t.name, partitionIndexes: t.partitions }))
  const { deadline, signal, operationTimeoutMs: timeoutMs } = call
  const response = await call.cluster.request(
    { to: 'controller' },
    ListPartitionReassignments,
    { topics, timeoutMs },
    { deadline, signal, errorOf: r => controllerMoved([r.errorCode]) },
  )
  const error = itemError(response.errorCode, response.errorMessage, 'listing the reassignments')
  if (error !== undefined) throw error
  return response.topics.flatMap(t =>
    t.partitions.map(({ partitionIndex, replicas, addingReplicas, removingReplicas }) => {
      return { topic: t.name, partition: partitionIndex, replicas, addingReplicas, removingReplicas }
    }),
  )
}

export async function alterPartitionReassignments(
  call: AdminCall,
  moves: readonly PartitionReassignment[],
  allowReplicationFactorChange: boolean,
): Promise<PartitionResult[]> {
  requirePartitions(moves, 'partitions')
  for (const move of moves) checkReplicas(move)
  const topics = groupByTopic(moves, m => ({ partitionIndex: m.partition, replicas: m.replicas }))
  const { deadline, signal, operationTimeoutMs: timeoutMs } = call
  const response = await call.cluster.request(
    { to: 'controller' },
    AlterPartitionReassignments,
    (version): AlterPartitionReassignmentsRequest =>
      version < FIRST_VERSION_WITH_FACTOR ? { topics, timeoutMs } : { topics, timeoutMs, allowReplicationFactorChange },
    {
      deadline,
      signal,
      // An older broker would ignore the limit.
      ...(allowReplicationFactorChange ? {} : { minVersion: FIRST_VERSION_WITH_FACTOR }),
      errorOf: r => controllerMoved([r.errorCode, ...r.responses.flatMap(t => t.partitions.map(p => p.errorCode))]),
    },
  )
  const error = itemError(response.errorCode, response.errorMessage, 'altering the reassignments')
  if (error !== undefined) throw error
  const found = response.responses.flatMap(t =>
    t.partitions.map((p): PartitionResult => {
      const item = { topic: t.name, partition: p.partitionIndex }
      return { ...item, ...withError(itemError(p.errorCode, p.errorMessage, partitionSubject(item))) }
    }),
  )
  return partitionsInOrder(moves, found)
}

function checkReplicas(move: PartitionReassignment): void {
  if (move.replicas === null) return
  const what = `replicas of ${partitionSubject(move)}`
  requireItems(move.replicas, what)
  for (const id of move.replicas) requireInteger(id, `a broker id in the ${what}`, 0, INT32_MAX)
  requireDistinct(move.replicas, String, what)
}
