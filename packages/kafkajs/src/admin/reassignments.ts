/** The calls of an admin client that move partitions to other brokers. */
import { KafkaJSAggregateError, KafkaJSAlterPartitionReassignmentsError } from '../errors.ts'
import { protocolFailure } from '../translate/protocol-errors.ts'
import type { SharedAdmin } from '../translate/shared-admin.ts'
import type { Admin } from '../types/admin.ts'
import type { ListPartitionReassignmentsResponse, OngoingPartitionReassignment } from '../types/reassignments.ts'
import { invalid, isIndex, requireTopics } from './arguments.ts'
import { OPERATION_TIMEOUT_MS } from './results.ts'

type AlterRequest = Parameters<Admin['alterPartitionReassignments']>[0]
type ListRequest = Parameters<Admin['listPartitionReassignments']>[0]

export async function alterPartitionReassignments(admin: SharedAdmin, request: AlterRequest): Promise<void> {
  const { topics, timeout: operationTimeoutMs = OPERATION_TIMEOUT_MS } = request
  const moves = requireTopics(topics, 'topics').flatMap(({ topic, partitionAssignment }) => {
    const list: unknown = partitionAssignment
    if (!Array.isArray(list)) throw invalid(`Invalid partitions array: ${String(list)} for topic: ${topic}`)
    return partitionAssignment.map(({ partition, replicas }) => {
      if (!isIndex(partition)) throw invalid(`Invalid partitions index: ${String(partition)} for topic: ${topic}`)
      return { topic, partition, replicas: requireReplicas(replicas, topic, partition) }
    })
  })
  if (moves.length === 0) return
  const results = await admin.call(client => client.alterPartitionReassignments(moves, { operationTimeoutMs }))
  const errors = results.flatMap(({ topic, partition, error }) =>
    error === undefined ? [] : [new KafkaJSAlterPartitionReassignmentsError(protocolFailure(error), topic, partition)],
  )
  if (errors.length > 0) throw new KafkaJSAggregateError('Errors altering partition reassignments', errors)
}

export async function listPartitionReassignments(
  admin: SharedAdmin,
  request: ListRequest,
): Promise<ListPartitionReassignmentsResponse> {
  const { timeout: operationTimeoutMs = OPERATION_TIMEOUT_MS } = request
  const topics = (request.topics as ListRequest['topics'] | null) ?? undefined
  const asked =
    topics &&
    requireTopics(topics, 'topics').flatMap(({ topic, partitions }) => {
      const list: unknown = partitions
      const wrong = `Invalid partition array: ${String(list)} for topic: ${topic}`
      if (!Array.isArray(list)) throw invalid(wrong)
      if (!partitions.every(isIndex)) {
        throw invalid(`${wrong}. The partition indices have to be a valid number greater than 0.`)
      }
      return partitions.map(partition => ({ topic, partition }))
    })
  if (asked?.length === 0) return { topics: [] }
  const ongoing = await admin.call(client => client.listPartitionReassignments(asked, { operationTimeoutMs }))
  const byTopic = new Map<string, OngoingPartitionReassignment[]>()
  for (const { topic, partition, ...replicas } of ongoing) {
    // kafkajs declares `partitionIndex`, and returns `partition`.
    const moving = { partitionIndex: partition, partition, ...replicas }
    byTopic.set(topic, [...(byTopic.get(topic) ?? []), moving])
  }
  // Likewise `topic`, and `name`.
  return { topics: [...byTopic].map(([topic, partitions]) => ({ topic, name: topic, partitions })) }
}

function requireReplicas(replicas: unknown, topic: string, partition: number): number[] {
  const wrong = `Invalid replica assignment: ${String(replicas)} for topic: ${topic} on partition: ${partition}`
  if (!Array.isArray(replicas)) throw invalid(wrong)
  if (replicas.every(isIndex)) return replicas
  throw invalid(`${wrong}. Replicas must be a non negative number`)
}
