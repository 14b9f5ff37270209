/** Topics created, grown and deleted: CreateTopics, CreatePartitions, DeleteTopics, DeleteRecords. */
import {
  CreatePartitionsServer,
  CreateTopicsServer,
  DeleteRecordsServer,
  DeleteTopicsServer,
  ErrorCode,
  ZERO_UUID,
  type CreateTopicsRequest,
  type CreateTopicsResponseCreatableTopicResult,
  type Decoded,
  type DeleteTopicsRequest,
} from '@ottla/protocol'
import { CLUSTER_NAME } from '../security/acls.ts'
import { internalTopics } from '../topics/internal-topics.ts'
import type { ClientQuotas } from '../quotas/client-quotas.ts'
import type { MutationQuota } from '../quotas/mutation-quota.ts'
import { quotaClient, route, type RequestContext, type Route } from './request.ts'
import { namedError } from './refusals.ts'
import { PARTITION_LIMIT, type TopicStore } from '../topics/topics.ts'

const DUPLICATE_TOPIC = 'Duplicate topic name.'
const QUOTA_EXCEEDED = 'The throttling quota has been exceeded.'
// From these versions on a client over its quota is refused, not just throttled.
const STRICT_CREATE_TOPICS = 6
const STRICT_CREATE_PARTITIONS = 3
const STRICT_DELETE_TOPICS = 5

type CreatableTopic = Decoded<CreateTopicsRequest>['topics'][number]

export const topicRoutes: readonly Route[] = [
  route(
    CreateTopicsServer,
    ({ topics, validateOnly }, context, { topics: store, quotas }) => {
      const quota = mutationQuota(quotas, context, STRICT_CREATE_TOPICS)
      const created = distinct(topics.map(({ name }) => name)).map(({ name, isUnique, index }) => {
        const topic = topics[index]
        if (isUnique && topic !== undefined) return create(topic, validateOnly, quota, context, store)
        return { name, errorCode: ErrorCode.ERR_INVALID_REQUEST, errorMessage: DUPLICATE_TOPIC }
      })
      return { throttleTimeMs: quota.throttleTimeMs, topics: created }
    },
    ({ topics }, errorCode) => ({
      throttleTimeMs: 0,
      topics: distinct(topics.map(({ name }) => name)).map(({ name }) => ({ name, ...namedError(errorCode) })),
    }),
  ),
  route(
    DeleteTopicsServer,
    (request, context, { topics: store, quotas }) => {
      const { version } = context
      const requested = toDelete(request, version)
      const quota = mutationQuota(quotas, context, STRICT_DELETE_TOPICS)
      const responses = distinct(requested.map(({ name, topicId }) => name ?? topicId)).map(({ isUnique, index }) => {
        const { name, topicId } = requested[index] as (typeof requested)[number] // by their own indexes
        // A topic has to appear once, with either its name or its id.
        if (!isUnique || (name === null) === (topicId === ZERO_UUID)) {
          return { name, topicId, errorCode: ErrorCode.ERR_INVALID_REQUEST }
        }
        const topic = name === null ? store.byId(topicId) : store.get(name)
        const result = (errorCode: number): { name: string | null; topicId: string; errorCode: number } => ({
          name: topic?.name ?? name,
          topicId: topic?.id ?? topicId,
          errorCode,
        })
        const allowed = context.allows('delete', 'topic', topic?.name ?? name ?? '')
        if (!allowed) return { ...result(ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED), topicId }
        if (topic === undefined) {
          return result(name === null ? ErrorCode.ERR_UNKNOWN_TOPIC_ID : ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART)
        }
        if (!quota.take(topic.partitions.length)) return result(ErrorCode.ERR_THROTTLING_QUOTA_EXCEEDED)
        store.delete(topic)
        return result(ErrorCode.ERR_NO_ERROR)
      })
      return { throttleTimeMs: quota.throttleTimeMs, responses }
    },
    (request, errorCode, { version }) => ({
      throttleTimeMs: 0,
      responses: toDelete(request, version).map(({ name, topicId }) => ({ name, topicId, errorCode })),
    }),
  ),
  route(
    CreatePartitionsServer,
    ({ topics, validateOnly }, context, { topics: store, quotas }) => {
      const quota = mutationQuota(quotas, context, STRICT_CREATE_PARTITIONS)
      const results = distinct(topics.map(({ name }) => name)).map(({ isUnique, index }) => {
        const { name, count, assignments } = topics[index] as (typeof topics)[number] // by their own indexes
        const topic = store.get(name)
        const result = (
          errorCode: number,
          errorMessage: string | null = null,
        ): { name: string; errorCode: number; errorMessage: string | null } => ({
          name,
          errorCode,
          errorMessage,
        })
        if (!isUnique) return result(ErrorCode.ERR_INVALID_REQUEST, DUPLICATE_TOPIC)
        if (!context.allows('alter', 'topic', name)) return result(ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED)
        if (topic === undefined)
          return result(ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART, 'This server does not host this topic-partition.')
        const current = topic.partitions.length
        if (count <= current) {
          const message = `The topic ${name} currently has ${current} partition(s); ${count} would not be an increase.`
          return result(ErrorCode.ERR_INVALID_PARTITIONS, message)
        }
        if (count > PARTITION_LIMIT) {
          return result(ErrorCode.ERR_INVALID_PARTITIONS, `A topic can have at most ${PARTITION_LIMIT} partitions.`)
        }
        if (assignments !== null && assignments.length !== count - current) {
          const message = `Increasing the number of partitions by ${count - current} but ${assignments.length} assignments provided.`
          return result(ErrorCode.ERR_INVALID_REPLICA_ASSIGNMENT, message)
        }
        const replicas = assignments?.map(({ brokerIds }) => brokerIds)
        const problem = replicas === undefined ? null : store.assignmentProblem(replicas)
        if (problem !== null) return result(ErrorCode.ERR_INVALID_REPLICA_ASSIGNMENT, problem)
        if (!quota.take(count - current)) return result(ErrorCode.ERR_THROTTLING_QUOTA_EXCEEDED, QUOTA_EXCEEDED)
        if (!validateOnly) store.grow(topic, count, replicas)
        return result(ErrorCode.ERR_NO_ERROR)
      })
      return { throttleTimeMs: quota.throttleTimeMs, results }
    },
    ({ topics }, errorCode) => ({
      throttleTimeMs: 0,
      results: distinct(topics.map(({ name }) => name)).map(({ name }) => ({ name, ...namedError(errorCode) })),
    }),
  ),
  route(
    DeleteRecordsServer,
    ({ topics }, context, { topics: store }) => ({
      throttleTimeMs: 0,
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, offset }) => {
          const partition = store.seenBy(context.brokerId).partition(name, partitionIndex)
          const fail = (errorCode: number): { partitionIndex: number; lowWatermark: number; errorCode: number } => ({
            partitionIndex,
            lowWatermark: -1,
            errorCode,
          })
          if (!context.allows('delete', 'topic', name)) return fail(ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED)
          if (internalTopics.includes(name)) return fail(ErrorCode.ERR_TOPIC_EXCEPTION)
          const problem = context.checkLeader(partition, -1)
          if (partition === undefined || problem !== ErrorCode.ERR_NO_ERROR) return fail(problem)
          const target = offset === -1 ? partition.log.highWatermark : offset
          if (target < 0 || target > partition.log.highWatermark) return fail(ErrorCode.ERR_OFFSET_OUT_OF_RANGE)
          return { partitionIndex, lowWatermark: partition.log.deleteBefore(target), errorCode: ErrorCode.ERR_NO_ERROR }
        }),
      })),
    }),
    ({ topics }, errorCode) => ({
      throttleTimeMs: 0,
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, lowWatermark: -1, errorCode })),
      })),
    }),
  ),
]

function toDelete(
  { topics, topicNames }: Decoded<DeleteTopicsRequest>,
  version: number,
): readonly { readonly name: string | null; readonly topicId: string }[] {
  return version >= 6 ? topics : topicNames.map(name => ({ name, topicId: ZERO_UUID }))
}

function mutationQuota(quotas: ClientQuotas, context: RequestContext, strictFrom: number): MutationQuota {
  return quotas.mutations(quotaClient(context), context.version >= strictFrom)
}

// Each name once, with its first index and whether that is the only one.
function distinct(names: readonly string[]): { name: string; index: number; isUnique: boolean }[] {
  return [...new Set(names)].map(name => {
    const index = names.indexOf(name)
    return { name, index, isUnique: names.lastIndexOf(name) === index }
  })
}

function create(
  requested: CreatableTopic,
  validateOnly: boolean,
  quota: MutationQuota,
  context: RequestContext,
  store: TopicStore,
): CreateTopicsResponseCreatableTopicResult {
  const { name } = requested
  if (!context.allows('create', 'cluster', CLUSTER_NAME) && !context.allows('create', 'topic', name)) {
    return { name, errorCode: ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED, errorMessage: 'Authorization failed.' }
  }
  const hasAssignment = requested.assignments.length > 0
  if (hasAssignment && (requested.numPartitions !== -1 || requested.replicationFactor !== -1)) {
    const errorMessage = 'Both numPartitions or replicationFactor and replicasAssignments were set.'
    return { name, errorCode: ErrorCode.ERR_INVALID_REQUEST, errorMessage }
  }
  const indexes = new Set(requested.assignments.map(({ partitionIndex }) => partitionIndex))
  if (requested.assignments.some((_, i) => !indexes.has(i))) {
    const errorMessage = 'Partitions should be a consecutive 0-based integer sequence'
    return { name, errorCode: ErrorCode.ERR_INVALID_REPLICA_ASSIGNMENT, errorMessage }
  }
  const sorted = [...requested.assignments].sort((a, b) => a.partitionIndex - b.partitionIndex)
  const wanted = {
    name,
    partitions: requested.numPartitions,
    replicationFactor: requested.replicationFactor,
    ...(hasAssignment ? { assignment: sorted.map(({ brokerIds }) => brokerIds) } : {}),
    configs: new Map(requested.configs.map(config => [config.name, config.value])),
  }
  const refusal = store.refusal(wanted)
  if (refusal !== null) return { name, errorCode: refusal.errorCode, errorMessage: refusal.message }
  const count = hasAssignment ? sorted.length : requested.numPartitions
  if (!quota.take(count < 0 ? store.defaultPartitions : count)) {
    return { name, errorCode: ErrorCode.ERR_THROTTLING_QUOTA_EXCEEDED, errorMessage: QUOTA_EXCEEDED }
  }
  if (validateOnly) return { name, errorCode: ErrorCode.ERR_NO_ERROR, errorMessage: null }
  const topic = store.create(wanted)
  return {
    name,
    topicId: topic.id,
    errorCode: ErrorCode.ERR_NO_ERROR,
    errorMessage: null,
    numPartitions: topic.partitions.length,
    replicationFactor: topic.partitions[0]?.replicas.length ?? -1,
    configs: [],
  }
}
