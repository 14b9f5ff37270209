import {
  CreatePartitions,
  CreateTopics,
  DeleteRecords,
  DeleteTopics,
  Metadata,
  ZERO_UUID,
  type Decoded,
  type DeleteTopicsRequest,
  type MetadataResponse,
} from '@ottla/protocol'
import { groupByTopic } from '../base/grouping.ts'
import { messageOf } from '../base/unknown-error.ts'
import type { KafkaError } from '../errors.ts'
import type { TopicPartition } from '../types.ts'
import { aclOperations, type AclOperation } from './acl-words.ts'
import {
  INT16_MAX,
  INT32_MAX,
  requireDistinct,
  requireInteger,
  requireItems,
  requireName,
  requireNames,
  requirePartitions,
  requireThat,
} from './arguments.ts'
import { controllerMoved, itemError, missingAnswer, withError, type AdminCall } from './call.ts'
import { requestFromLeaders, partitionSubject } from './fan-out.ts'
import { untilAccepted } from './throttled.ts'

/**
 * A topic to be created.
 * @since 0.1.0
 */
export interface NewTopic {
  readonly topic: string
  /** Default: the broker's (`num.partitions`). */
  readonly numPartitions?: number
  /** Default: the broker's (`default.replication.factor`). */
  readonly replicationFactor?: number
  /** Broker ids per partition, the preferred leader first; instead of the two counts. */
  readonly replicaAssignment?: readonly (readonly number[])[]
  /** Topic configuration that differs from the broker's. */
  readonly config?: Readonly<Record<string, string | number | boolean>>
}

/**
 * A topic's new number of partitions.
 * @since 0.1.0
 */
export interface NewPartitions {
  readonly topic: string
  /** The total number of partitions afterwards. */
  readonly increaseTo: number
  /** Broker ids of each added partition. */
  readonly replicaAssignment?: readonly (readonly number[])[]
}

/**
 * The outcome for one topic.
 * @since 0.1.0
 */
export interface TopicResult {
  topic: string
  error?: KafkaError
}

/**
 * The outcome for one topic to be created.
 * @since 0.1.0
 */
export interface CreateTopicResult extends TopicResult {
  /** Absent before Kafka 2.8, and if the topic was not created. */
  topicId?: string
}

/**
 * One topic as a broker describes it.
 * @since 0.1.0
 */
export interface TopicDescription {
  topic: string
  topicId: string
  isInternal: boolean
  partitions: PartitionDescription[]
  /** With `includeAuthorizedOperations`. */
  authorizedOperations?: AclOperation[]
  error?: KafkaError
}

/**
 * One partition of a described topic.
 * @since 0.1.0
 */
export interface PartitionDescription {
  partition: number
  /** Broker id; -1 if there is none. */
  leader: number
  leaderEpoch: number
  replicas: number[]
  isr: number[]
  offlineReplicas: number[]
  error?: KafkaError
}

/**
 * Deletes everything before this offset of the partition; -1 deletes everything.
 * @since 0.1.0
 */
export interface RecordsToDelete extends TopicPartition {
  readonly offset: number
}

/**
 * The outcome for one partition.
 * @since 0.1.0
 */
export interface DeletedRecords extends TopicPartition {
  /** The first remaining offset; -1 with an error. */
  lowWatermark: number
  error?: KafkaError
}

const LEGACY_DELETE_TOPICS = 5

export async function createTopics(call: AdminCall, topics: readonly NewTopic[]): Promise<CreateTopicResult[]> {
  requireItems(topics, 'topics')
  topics.forEach(checkNewTopic)
  requireDistinct(topics, t => t.topic, 'topics')
  const results = await untilAccepted(call, topics, open => sendCreateTopics(call, open))
  if (!call.validateOnly) await refreshChanged(call, results)
  return results
}

async function sendCreateTopics(call: AdminCall, topics: readonly NewTopic[]): Promise<CreateTopicResult[]> {
  const { operationTimeoutMs, validateOnly, deadline, signal } = call
  const body = { topics: topics.map(wireTopic), timeoutMs: operationTimeoutMs, validateOnly }
  const response = await call.cluster.request({ to: 'controller' }, CreateTopics, body, {
    deadline,
    signal,
    errorOf: r => controllerMoved(r.topics.map(t => t.errorCode)),
  })
  const answers = new Map(response.topics.map(t => [t.name, t]))
  return topics.map(({ topic }): CreateTopicResult => {
    const answer = answers.get(topic)
    if (answer === undefined) return { topic, error: missingAnswer(`topic '${topic}'`) }
    const error = itemError(answer.errorCode, answer.errorMessage, `topic '${topic}'`)
    if (error !== undefined) return { topic, error }
    return answer.topicId === ZERO_UUID ? { topic } : { topic, topicId: answer.topicId }
  })
}

export async function deleteTopics(call: AdminCall, topics: readonly string[]): Promise<TopicResult[]> {
  requireNames(topics, 'topics')
  const results = await untilAccepted(call, topics, open => sendDeleteTopics(call, open))
  await refreshChanged(call, results)
  return results
}

async function sendDeleteTopics(call: AdminCall, topics: readonly string[]): Promise<TopicResult[]> {
  const { operationTimeoutMs: timeoutMs, deadline, signal } = call
  const response = await call.cluster.request(
    { to: 'controller' },
    DeleteTopics,
    (version): DeleteTopicsRequest =>
      version > LEGACY_DELETE_TOPICS
        ? { topics: topics.map(name => ({ name, topicId: ZERO_UUID })), timeoutMs }
        : { topicNames: [...topics], timeoutMs },
    { deadline, signal, errorOf: r => controllerMoved(r.responses.map(t => t.errorCode)) },
  )
  const answers = new Map(response.responses.map(t => [t.name, t]))
  return topics.map(topic => topicResult(topic, answers.get(topic)))
}

export async function createPartitions(call: AdminCall, topics: readonly NewPartitions[]): Promise<TopicResult[]> {
  requireItems(topics, 'topics')
  topics.forEach(({ topic, increaseTo, replicaAssignment }, i) => {
    requireName(topic, `topics[${i}].topic`)
    requireInteger(increaseTo, `increaseTo of topic '${topic}'`, 1, INT32_MAX)
    if (replicaAssignment !== undefined) checkAssignment(topic, replicaAssignment)
  })
  requireDistinct(topics, t => t.topic, 'topics')
  const results = await untilAccepted(call, topics, open => sendCreatePartitions(call, open))
  if (!call.validateOnly) await refreshChanged(call, results)
  return results
}

async function sendCreatePartitions(call: AdminCall, topics: readonly NewPartitions[]): Promise<TopicResult[]> {
  const { operationTimeoutMs: timeoutMs, validateOnly, deadline, signal } = call
  const wire = topics.map(t => ({
    name: t.topic,
    count: t.increaseTo,
    assignments: t.replicaAssignment?.map(brokers => ({ brokerIds: [...brokers] })) ?? null,
  }))
  const response = await call.cluster.request(
    { to: 'controller' },
    CreatePartitions,
    { topics: wire, timeoutMs, validateOnly },
    { deadline, signal, errorOf: r => controllerMoved(r.results.map(t => t.errorCode)) },
  )
  const answers = new Map(response.results.map(t => [t.name, t]))
  return topics.map(({ topic }) => topicResult(topic, answers.get(topic)))
}

export async function describeTopics(
  call: AdminCall,
  topics: readonly string[],
  includeAuthorizedOperations: boolean,
): Promise<TopicDescription[]> {
  requireNames(topics, 'topics')
  const { deadline, signal } = call
  const wire = topics.map(name => ({ name }))
  const response = await call.cluster.request(
    { to: 'any' },
    Metadata,
    version =>
      // Brokers before 2.3 do not support it (KIP-430).
      includeAuthorizedOperations && version >= 8
        ? { topics: wire, allowAutoTopicCreation: false, includeTopicAuthorizedOperations: true }
        : { topics: wire, allowAutoTopicCreation: false },
    // Older versions create missing topics.
    { deadline, signal, minVersion: 4 },
  )
  const answers = new Map(response.topics.map(t => [t.name, t]))
  return topics.map(topic => {
    const answer = answers.get(topic)
    const nothing = { topic, topicId: ZERO_UUID, isInternal: false, partitions: [] }
    if (answer === undefined) return { ...nothing, error: missingAnswer(`topic '${topic}'`) }
    return describe(topic, answer)
  })
}

export async function deleteRecords(call: AdminCall, targets: readonly RecordsToDelete[]): Promise<DeletedRecords[]> {
  requirePartitions(targets, 'partitions')
  for (const t of targets) requireInteger(t.offset, `the offset of ${partitionSubject(t)}`, -1, Number.MAX_SAFE_INTEGER)
  const { operationTimeoutMs: timeoutMs, deadline, signal } = call
  const answers = await requestFromLeaders(call, targets, async (id, items) => {
    const wire = groupByTopic(items, t => ({ partitionIndex: t.partition, offset: t.offset }))
    const body = { topics: wire, timeoutMs }
    const response = await call.cluster.request({ to: 'node', id }, DeleteRecords, body, { deadline, signal })
    return response.topics.flatMap(t =>
      t.partitions.map(p => ({
        topic: t.name,
        partition: p.partitionIndex,
        code: p.errorCode,
        value: p.lowWatermark,
      })),
    )
  })
  return targets.map(({ topic, partition }, i) => {
    const answer = answers[i]
    return typeof answer === 'number'
      ? { topic, partition, lowWatermark: answer }
      : { topic, partition, lowWatermark: -1, ...withError(answer) }
  })
}

function checkNewTopic(topic: NewTopic, index: number): void {
  const { numPartitions, replicationFactor, replicaAssignment } = topic
  const name = requireName(topic.topic, `topics[${index}].topic`)
  if (numPartitions !== undefined && numPartitions !== -1) {
    requireInteger(numPartitions, `numPartitions of topic '${name}'`, 1, INT32_MAX)
  }
  if (replicationFactor !== undefined && replicationFactor !== -1) {
    requireInteger(replicationFactor, `replicationFactor of topic '${name}'`, 1, INT16_MAX)
  }
  if (replicaAssignment === undefined) return
  checkAssignment(name, replicaAssignment)
  const given = numPartitions ?? -1
  requireThat(
    given === -1 || given === replicaAssignment.length,
    `topic '${name}': replicaAssignment is for ${replicaAssignment.length} partitions, numPartitions is ${given}`,
  )
  requireThat(
    (replicationFactor ?? -1) === -1,
    `topic '${name}': set either replicationFactor or replicaAssignment, not both`,
  )
}

function checkAssignment(topic: string, assignment: readonly (readonly number[])[]): void {
  requireItems(assignment, `replicaAssignment of topic '${topic}'`)
  assignment.forEach((brokers, i) => {
    requireItems(brokers, `replicaAssignment[${i}] of topic '${topic}'`)
    for (const id of brokers) requireInteger(id, `a broker id in replicaAssignment of topic '${topic}'`, 0, INT32_MAX)
  })
}

function wireTopic(topic: NewTopic): {
  name: string
  numPartitions: number
  replicationFactor: number
  assignments: { partitionIndex: number; brokerIds: number[] }[]
  configs: { name: string; value: string }[]
} {
  const assigned = topic.replicaAssignment
  return {
    name: topic.topic,
    // With an assignment, the broker requires -1 for both counts.
    numPartitions: assigned === undefined ? (topic.numPartitions ?? -1) : -1,
    replicationFactor: topic.replicationFactor ?? -1,
    assignments: (assigned ?? []).map((brokers, i) => ({ partitionIndex: i, brokerIds: [...brokers] })),
    configs: Object.entries(topic.config ?? {}).map(([name, value]) => ({ name, value: String(value) })),
  }
}

function topicResult(
  topic: string,
  answer: { errorCode: number; errorMessage: string | null } | undefined,
): TopicResult {
  const subject = `topic '${topic}'`
  if (answer === undefined) return { topic, error: missingAnswer(subject) }
  return { topic, ...withError(itemError(answer.errorCode, answer.errorMessage, subject)) }
}

function describe(topic: string, answer: Decoded<MetadataResponse>['topics'][number]): TopicDescription {
  const operations = aclOperations(answer.topicAuthorizedOperations)
  const error = itemError(answer.errorCode, null, `topic '${topic}'`)
  return {
    topic,
    topicId: answer.topicId,
    isInternal: answer.isInternal,
    partitions: answer.partitions
      .map(p => ({
        partition: p.partitionIndex,
        leader: p.leaderId,
        leaderEpoch: p.leaderEpoch,
        replicas: p.replicaNodes,
        isr: p.isrNodes,
        offlineReplicas: p.offlineReplicas,
        ...withError(itemError(p.errorCode, null, `${topic} [${p.partitionIndex}]`)),
      }))
      .sort((a, b) => a.partition - b.partition),
    // Brokers return operations on missing topics, too.
    ...(operations === undefined || error !== undefined ? {} : { authorizedOperations: operations }),
    ...withError(error),
  }
}

/**
 * Refreshes the client's metadata of changed topics, which would be outdated until the next refresh. Never creates a
 * topic: a producer's usual refresh could recreate a deleted one.
 */
async function refreshChanged(call: AdminCall, results: readonly TopicResult[]): Promise<void> {
  const changed = results.filter(r => r.error === undefined).map(r => r.topic)
  if (changed.length === 0) return
  const { deadline, signal } = call
  try {
    await call.cluster.metadata.refresh(changed, { deadline, signal, allowAutoCreate: false })
  } catch (error) {
    // The change is done, and the next regular refresh will show it.
    const why = messageOf(error)
    call.context.logger.debug('admin', 'REFRESH', `metadata of changed topics could not be refreshed: ${why}`)
  }
}
