/** The calls of an admin client that concern topics and brokers. */
import { ErrorCode, type KafkaError, type NewTopic, type TopicDescription } from 'ottla'
import { KafkaJSAggregateError, KafkaJSCreateTopicError, KafkaJSTimeout } from '../errors.ts'
import { sleep } from '../translate/attempts.ts'
import { toKafkaJSError } from '../translate/errors.ts'
import { partitionMetadataOf } from '../translate/metadata.ts'
import { protocolFailure } from '../translate/protocol-errors.ts'
import type { SharedAdmin } from '../translate/shared-admin.ts'
import type {
  Admin,
  IResourceConfigEntry,
  ITopicConfig,
  ITopicMetadata,
  ITopicPartitionConfig,
} from '../types/admin.ts'
import type { Logger } from '../types/logging.ts'
import type { ReplicaAssignment } from '../types/reassignments.ts'
import { invalid, requireArray, requireItems, requireName, requireTopics } from './arguments.ts'
import { OPERATION_TIMEOUT_MS, throwFirst } from './results.ts'

type CreateOptions = Parameters<Admin['createTopics']>[0]
type DeleteOptions = Parameters<Admin['deleteTopics']>[0]
type PartitionsOptions = Parameters<Admin['createPartitions']>[0]
type ClusterDescription = Awaited<ReturnType<Admin['describeCluster']>>

const LEADERS_TIMEOUT_MS = 10_000
const LEADERS_POLL_MS = 100

export async function listTopics(admin: SharedAdmin): Promise<string[]> {
  const { topics } = await admin.metadata()
  return topics.map(({ topic }) => topic)
}

/** @returns false if all the refused topics exist already */
export async function createTopics(admin: SharedAdmin, options: CreateOptions): Promise<boolean> {
  const { validateOnly = false, waitForLeaders = true, timeout } = options
  const topics = requireTopics(options.topics, 'topics').map(newTopic)
  if (topics.length === 0) return true
  const limits = { validateOnly, operationTimeoutMs: timeout ?? OPERATION_TIMEOUT_MS }
  const results = await admin.call(client => client.createTopics(topics, limits))
  const errors = results.flatMap(({ topic, error }) =>
    error === undefined ? [] : [new KafkaJSCreateTopicError(protocolFailure(error), topic)],
  )
  if (errors.length > 0) {
    if (errors.every(({ type }) => type === 'TOPIC_ALREADY_EXISTS')) return false
    throw new KafkaJSAggregateError('Topic creation errors', errors)
  }
  const names = topics.map(({ topic }) => topic)
  if (waitForLeaders && !validateOnly) await untilLed(admin, names, timeout ?? LEADERS_TIMEOUT_MS)
  return true
}

export async function deleteTopics(admin: SharedAdmin, options: DeleteOptions, logger: Logger): Promise<void> {
  const topics = requireArray(options.topics, 'topics')
  for (const topic of topics) {
    const name: unknown = topic
    if (typeof name !== 'string') throw invalid('Invalid topics array, the names must be a valid string')
  }
  if (topics.length === 0) return
  const operationTimeoutMs = options.timeout ?? OPERATION_TIMEOUT_MS
  await admin.call(async client => {
    const results = await client.deleteTopics([...new Set(topics)], { operationTimeoutMs })
    const error = results.find(each => each.error !== undefined)?.error
    if (error === undefined) return
    if (error.code === ErrorCode.ERR_REQUEST_TIMED_OUT) {
      logger.error('Could not delete topics in time: allow more, or see whether "delete.topic.enable" is "false"', {
        error: error.message,
      })
    }
    // Of a topic that does not exist, kafkajs says that retries have not helped.
    throw error.code === ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART ? error : toKafkaJSError(error)
  })
}

export async function createPartitions(admin: SharedAdmin, options: PartitionsOptions): Promise<boolean> {
  const { validateOnly = false, timeout: operationTimeoutMs = OPERATION_TIMEOUT_MS } = options
  const topics = requireTopics(requireItems(options.topicPartitions, 'topic partitions'), 'topic partitions')
  const wanted = topics.map(({ topic, count, assignments }: ITopicPartitionConfig) => ({
    topic,
    increaseTo: count,
    ...(assignments ? { replicaAssignment: assignments } : {}),
  }))
  const results = await admin.call(client => client.createPartitions(wanted, { validateOnly, operationTimeoutMs }))
  throwFirst(results)
  return true
}

/** Rejects for a topic that does not exist. */
export async function fetchTopicMetadata(
  admin: SharedAdmin,
  { topics = [] }: { readonly topics?: readonly string[] } = {},
): Promise<{ topics: ITopicMetadata[] }> {
  for (const topic of topics) requireName(topic, 'topic')
  const described =
    topics.length === 0
      ? (await admin.metadata()).topics
      : await admin.call(client => client.describeTopics([...new Set(topics)]))
  if (topics.length > 0) throwFirst(described)
  return { topics: described.map(each => ({ name: each.topic, partitions: partitionMetadataOf(each) })) }
}

export async function describeCluster(admin: SharedAdmin): Promise<ClusterDescription> {
  const { nodes, controllerId, clusterId } = await admin.call(client => client.describeCluster())
  return {
    brokers: nodes.map(({ id, host, port }) => ({ nodeId: id, host, port })),
    controller: controllerId < 0 ? null : controllerId,
    clusterId: clusterId as string, // null of old brokers, as in kafkajs
  }
}

function newTopic({
  topic,
  numPartitions,
  replicationFactor,
  replicaAssignment,
  configEntries,
}: ITopicConfig): NewTopic {
  const assignment = replicaAssignment ?? []
  return {
    topic,
    ...(numPartitions === undefined ? {} : { numPartitions }),
    ...(replicationFactor === undefined ? {} : { replicationFactor }),
    ...(assignment.length === 0 ? {} : { replicaAssignment: replicasByPartition(topic, assignment) }),
    ...(configEntries === undefined ? {} : { config: configOf(topic, configEntries) }),
  }
}

function replicasByPartition(topic: string, assignment: readonly ReplicaAssignment[]): number[][] {
  const replicas: number[][] = []
  for (const each of assignment) replicas[each.partition] = each.replicas
  const isComplete = replicas.length === assignment.length && !replicas.includes(undefined as never) // a gap reads so
  if (isComplete) return replicas
  throw invalid(`Invalid replicaAssignment for topic "${topic}": it must have each partition from 0 once`)
}

function configOf(topic: string, given: readonly IResourceConfigEntry[] | null): Record<string, string> {
  if (given === null) return {}
  const list: unknown = given
  const wrong = `Invalid configEntries for topic "${topic}"`
  if (!Array.isArray(list)) throw invalid(`${wrong}, must be an array`)
  const config = new Map<string, string>()
  list.forEach((entry: unknown, index) => {
    if (typeof entry !== 'object' || entry === null) throw invalid(`${wrong}. Entry ${index} must be an object`)
    const { name, value } = entry as { readonly name?: unknown; readonly value?: unknown }
    const isMissing = (property: string): Error =>
      invalid(`${wrong}. Entry ${index} must have a valid "${property}" property`)
    if (typeof name !== 'string') throw isMissing('name')
    if (typeof value !== 'string') throw isMissing('value')
    config.set(name, value)
  })
  return Object.fromEntries(config)
}

/** Resolves when every partition has a leader that brokers know. Rejects with KafkaJSTimeout. */
async function untilLed(admin: SharedAdmin, topics: readonly string[], timeoutMs: number): Promise<void> {
  const end = Date.now() + timeoutMs
  for (;;) {
    const described = await admin.call(client => client.describeTopics(topics))
    throwFirst(described.filter(({ error }) => error !== undefined && !isNotYetKnown(error)))
    if (described.every(isLed)) return
    if (Date.now() >= end) throw new KafkaJSTimeout('Timed out while waiting for the leaders of the new topics')
    await sleep(LEADERS_POLL_MS)
  }
}

function isNotYetKnown({ code }: KafkaError): boolean {
  return code === ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART || code === ErrorCode.ERR_LEADER_NOT_AVAILABLE
}

function isLed({ error, partitions }: TopicDescription): boolean {
  return error === undefined && partitions.length > 0 && partitions.every(({ leader }) => leader >= 0)
}
