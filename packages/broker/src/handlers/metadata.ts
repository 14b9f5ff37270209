/** Metadata, FindCoordinator and DescribeCluster. */
import {
  DescribeClusterServer,
  ErrorCode,
  FindCoordinatorServer,
  MetadataServer,
  ZERO_UUID,
  errorName,
  type Decoded,
  type FindCoordinatorRequest,
  type FindCoordinatorResponse,
  type FindCoordinatorResponseCoordinator,
  type MetadataRequest,
  type MetadataResponse,
  type MetadataResponseMetadataResponseTopic,
} from '@ottla/protocol'
import { addressOf } from '../base/brokers.ts'
import { CLUSTER_NAME } from '../security/acls.ts'
import type { Coordinators } from '../topics/coordinators.ts'
import { internalTopics } from '../topics/internal-topics.ts'
import { authorizedOperations } from './operations.ts'
import { route, type RequestContext, type Route } from './request.ts'
import { namedError } from './refusals.ts'
import type { Stores } from './stores.ts'
import { nameProblem } from '../topics/topics.ts'
import type { PartitionView, TopicView, TopicsView } from '../topics/views.ts'

// Types of endpoints (KIP-919).
const BROKERS = 1
const CONTROLLERS = 2
// The first version of DescribeCluster that can include brokers that are down.
const FENCED_VERSION = 2
// The first version of FindCoordinator with several keys.
const MANY_KEYS_VERSION = 4
// By key type. The coordinators of share group state (2) are for brokers only.
const coordinatorTypes = ['group', 'transaction'] as const

export const metadataRoutes: readonly Route[] = [
  route(MetadataServer, metadata, ({ topics }, errorCode, { version }) => ({
    throttleTimeMs: 0,
    brokers: [],
    topics: (topics ?? []).map(requested => {
      const { name, topicId } = requested
      return isById(requested) ? missing(errorCode, noName(version), topicId) : missing(errorCode, name)
    }),
  })),
  route(
    FindCoordinatorServer,
    (request, context, { coordinators, topics }) => {
      const type = coordinatorTypes[request.keyType]
      const known = topics.seenBy(context.brokerId)
      return found(request, context.version, key => coordinatorOf(type, key, context, coordinators, known))
    },
    (request, errorCode, { version }) =>
      found(request, version, key => ({ ...namedError(errorCode), key, nodeId: -1, host: '', port: -1 })),
  ),
  route(
    DescribeClusterServer,
    (request, context, { brokers, clusterId }) => {
      const { endpointType } = request
      if (endpointType !== BROKERS) {
        const errorCode =
          endpointType === CONTROLLERS
            ? ErrorCode.ERR_MISMATCHED_ENDPOINT_TYPE
            : ErrorCode.ERR_UNSUPPORTED_ENDPOINT_TYPE
        const errorMessage = 'This listener is for brokers, not controllers.'
        return { throttleTimeMs: 0, errorCode, errorMessage, clusterId: '', controllerId: -1, brokers: [] }
      }
      return {
        throttleTimeMs: 0,
        errorCode: ErrorCode.ERR_NO_ERROR,
        clusterId,
        controllerId: brokers.controllerId(),
        brokers: brokers.all
          .filter(({ up }) => up || request.includeFencedBrokers)
          .map(broker => ({
            ...{ brokerId: broker.id, ...addressOf(broker, context.session.listener.index), rack: broker.rack },
            ...(context.version >= FENCED_VERSION ? { isFenced: !broker.up } : {}),
          })),
        ...(request.includeClusterAuthorizedOperations
          ? { clusterAuthorizedOperations: authorizedOperations(context, 'cluster', CLUSTER_NAME) }
          : {}),
      }
    },
    (_body, errorCode) => ({ throttleTimeMs: 0, errorCode, clusterId: '', controllerId: -1, brokers: [] }),
  ),
]

function metadata(
  request: Decoded<MetadataRequest>,
  context: RequestContext,
  stores: Pick<Stores, 'autoCreateTopics' | 'brokers' | 'clusterId' | 'topics'>,
): MetadataResponse {
  const { brokers, clusterId } = stores
  const store = stores.topics.seenBy(context.brokerId)
  // In version 0 an empty list means all topics.
  const { topics: requested } = request
  const all = requested === null || (context.version === 0 && requested.length === 0)
  const topics = all
    ? [...store.all()]
        .filter(topic => context.allows('describe', 'topic', topic.name))
        .map(topic => describeTopic(topic, request, context, store))
    : requested.map(topic => describeRequested(topic, request, context, stores))
  return {
    throttleTimeMs: 0,
    brokers: brokers.all
      .filter(({ id }) => store.isUp(id))
      .map(broker => ({ nodeId: broker.id, ...addressOf(broker, context.session.listener.index), rack: broker.rack })),
    clusterId,
    controllerId: brokers.controllerId(),
    topics,
    ...(request.includeClusterAuthorizedOperations
      ? { clusterAuthorizedOperations: authorizedOperations(context, 'cluster', CLUSTER_NAME) }
      : {}),
  }
}

interface RequestedTopic {
  readonly name: string | null
  readonly topicId: string
}

// Otherwise it is requested by its name.
function isById({ name, topicId }: RequestedTopic): boolean {
  return name === null || topicId !== ZERO_UUID
}

// The name of an unknown topic; null is only possible from version 12 on.
function noName(version: number): string | null {
  return version >= 12 ? null : ''
}

function describeRequested(
  requested: RequestedTopic,
  request: Decoded<MetadataRequest>,
  context: RequestContext,
  { autoCreateTopics, topics: all }: Pick<Stores, 'autoCreateTopics' | 'topics'>,
): MetadataResponseMetadataResponseTopic {
  const topics = all.seenBy(context.brokerId)
  if (isById(requested)) {
    const topic = topics.byId(requested.topicId)
    if (topic === undefined || !context.allows('describe', 'topic', topic.name)) {
      return missing(ErrorCode.ERR_UNKNOWN_TOPIC_ID, noName(context.version), requested.topicId)
    }
    return describeTopic(topic, request, context, topics)
  }
  const name = requested.name as string // null would be by id
  const denied = missing(ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED, name)
  if (!context.allows('describe', 'topic', name)) return denied
  let topic = topics.get(name)
  if (topic !== undefined) return describeTopic(topic, request, context, topics)
  if (nameProblem(name) !== null) return missing(ErrorCode.ERR_TOPIC_EXCEPTION, name)
  if (!autoCreateTopics || !request.allowAutoTopicCreation) return missing(ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART, name)
  if (!context.allows('create', 'cluster', CLUSTER_NAME) && !context.allows('create', 'topic', name)) return denied
  const wanted = { name, partitions: -1, replicationFactor: -1 }
  if (all.get(name) === undefined) {
    const refusal = all.refusal(wanted)
    if (refusal !== null) return missing(refusal.errorCode, name)
    all.create(wanted, internalTopics.includes(name))
  }
  topic = topics.get(name)
  // The broker has yet to learn of it.
  if (topic === undefined) return missing(ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART, name)
  return describeTopic(topic, request, context, topics)
}

function describeTopic(
  topic: TopicView,
  request: Decoded<MetadataRequest>,
  context: RequestContext,
  known: TopicsView,
): MetadataResponseMetadataResponseTopic {
  return {
    errorCode: ErrorCode.ERR_NO_ERROR,
    name: topic.name,
    topicId: topic.id,
    isInternal: topic.isInternal,
    partitions: topic.partitions.map(partition => describePartition(partition, known)),
    ...(request.includeTopicAuthorizedOperations
      ? { topicAuthorizedOperations: authorizedOperations(context, 'topic', topic.name) }
      : {}),
  }
}

/** A partition in the responses of Metadata and DescribeTopicPartitions. */
export function describePartition(
  partition: PartitionView,
  known: TopicsView,
): MetadataResponse['topics'][number]['partitions'][number] & {
  readonly offlineReplicas: number[]
} {
  return {
    errorCode: partition.leader < 0 ? ErrorCode.ERR_LEADER_NOT_AVAILABLE : ErrorCode.ERR_NO_ERROR,
    partitionIndex: partition.index,
    leaderId: partition.leader,
    leaderEpoch: partition.leaderEpoch,
    replicaNodes: partition.replicas,
    isrNodes: partition.isr,
    offlineReplicas: partition.replicas.filter(id => !known.isUp(id)),
  }
}

function missing(errorCode: number, name: string | null, topicId = ZERO_UUID): MetadataResponseMetadataResponseTopic {
  return { errorCode, name, topicId, partitions: [] }
}

// In the form of the request's version: several coordinators, or one.
function found(
  { key, coordinatorKeys }: Decoded<FindCoordinatorRequest>,
  version: number,
  coordinatorOf: (key: string) => FindCoordinatorResponseCoordinator,
): FindCoordinatorResponse {
  if (version >= MANY_KEYS_VERSION) return { coordinators: coordinatorKeys.map(coordinatorOf) }
  const { errorCode, errorMessage, nodeId, host, port } = coordinatorOf(key)
  // As in Kafka, these versions name the error even where there is none.
  const name = errorCode === ErrorCode.ERR_NO_ERROR ? 'NONE' : errorName(errorCode)
  return { errorCode, errorMessage: errorMessage === '' ? name : errorMessage, nodeId, host, port }
}

function coordinatorOf(
  type: 'group' | 'transaction' | undefined,
  key: string,
  context: RequestContext,
  coordinators: Coordinators,
  known: TopicsView,
): FindCoordinatorResponseCoordinator {
  const none = { key, nodeId: -1, host: '', port: -1 }
  if (type === undefined) return { ...none, errorCode: ErrorCode.ERR_INVALID_REQUEST, errorMessage: '' }
  const resource = type === 'group' ? 'group' : 'transactional-id'
  if (!context.allows('describe', resource, key)) {
    const errorCode =
      type === 'group' ? ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED : ErrorCode.ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED
    return { ...none, errorCode, errorMessage: '' }
  }
  const broker = coordinators.of(type, key, known)
  if (broker === undefined || !known.isUp(broker.id))
    return { ...none, errorCode: ErrorCode.ERR_COORDINATOR_NOT_AVAILABLE, errorMessage: '' }
  const address = addressOf(broker, context.session.listener.index)
  return { key, nodeId: broker.id, ...address, errorCode: 0, errorMessage: '' }
}
