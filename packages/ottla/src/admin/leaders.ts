import { ElectLeaders } from '@ottla/protocol'
import { groupByTopic } from '../base/grouping.ts'
import type { KafkaError } from '../errors.ts'
import type { TopicPartition } from '../types.ts'
import { requirePartitions, requireWord } from './arguments.ts'
import { controllerMoved, itemError, missingAnswer, withError, type AdminCall } from './call.ts'
import { partitionSubject } from './fan-out.ts'

/**
 * `preferred`: the first replica of the assignment leads again. `unclean`: a replica leads that is alive, even one
 * that lacks records, which are lost then; only for partitions that have no leader (KIP-460).
 * @since 0.1.0
 */
export type ElectionType = 'preferred' | 'unclean'

/**
 * What became of one partition.
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
 * @param partitions all that need it when undefined, of which those are told that were tried
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
      // Older brokers would hold a preferred election whatever is asked for.
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

/** One result for each partition asked about, in the order asked for. */
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
