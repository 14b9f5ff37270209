import { ElectLeaders } from '@ottla/protocol'
import { groupByTopic } from '../base/grouping.ts'
import type { KafkaError } from '../errors.ts'
import type { TopicPartition } from '../types.ts'
import { requirePartitions, requireWord } from './arguments.ts'
import { controllerMoved, itemError, missingAnswer, withError, type AdminCall } from './call.ts'
import { partitionSubject } from './fan-out.ts'

/**
 * `preferred`: the first replica of the assignment becomes the leader. `unclean`: a live replica becomes the leader,
 * even one that lacks records, which are then lost; only for partitions without a leader (KIP-460).
 * @since 0.1.0
 */
export type ElectionType = 'preferred' | 'unclean'

/**
 * The outcome for one partition.
 * @since 0.1.0
 */
export interface PartitionResult extends TopicPartition {
  error?: KafkaError
}

const electionTypes: ReadonlyMap<string, number> = new Map([
  ['preferred', 0],
  ['unclean', 1],
])
const FIRST_VERSION_OF_TYPES = 1

/**
 * @param partitions all that need an election if undefined; the result has those that were tried
 */
export async function electLeaders(
  call: AdminCall,
  type: ElectionType,
  partitions: readonly TopicPartition[] | undefined,
): Promise<PartitionResult[]> {
  const electionType = requireWord(type, electionTypes, 'the type of election')
  if (partitions !== undefined) requirePartitions(partitions, 'partitions')
  const topicPartitions =
    partitions === undefined
      ? null
      : groupByTopic(partitions, p => p.partition).map(t => ({ topic: t.name, partitions: t.partitions }))
  const { deadline, signal, operationTimeoutMs: timeoutMs } = call
  const response = await call.cluster.request(
    { to: 'controller' },
    ElectLeaders,
    version =>
      version < FIRST_VERSION_OF_TYPES ? { topicPartitions, timeoutMs } : { electionType, topicPartitions, timeoutMs },
    {
      deadline,
      signal,
      // Older brokers would always hold a preferred election.
      ...(electionType === 0 ? {} : { minVersion: FIRST_VERSION_OF_TYPES }),
      errorOf: r =>
        controllerMoved([
          r.errorCode,
          ...r.replicaElectionResults.flatMap(t => t.partitionResult.map(p => p.errorCode)),
        ]),
    },
  )
  const failure = itemError(response.errorCode, null, `${type} election`)
  if (failure !== undefined) throw failure
  const found = response.replicaElectionResults.flatMap(t =>
    t.partitionResult.map((p): PartitionResult => {
      const item = { topic: t.topic, partition: p.partitionId }
      return { ...item, ...withError(itemError(p.errorCode, p.errorMessage, partitionSubject(item))) }
    }),
  )
  if (partitions === undefined) return found
  return partitionsInOrder(partitions, found)
}

/** One result for each partition of the request, in order. */
export function partitionsInOrder(
  asked: readonly TopicPartition[],
  found: readonly PartitionResult[],
): PartitionResult[] {
  const bySubject = new Map(found.map(f => [partitionSubject(f), f]))
  return asked.map(({ topic, partition }) => {
    const subject = partitionSubject({ topic, partition })
    return bySubject.get(subject) ?? { topic, partition, error: missingAnswer(subject) }
  })
}
