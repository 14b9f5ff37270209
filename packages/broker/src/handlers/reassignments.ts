/** AlterPartitionReassignments and ListPartitionReassignments (KIP-455). */
import {
  AlterPartitionReassignmentsServer,
  ErrorCode,
  ListPartitionReassignmentsServer,
  type AlterPartitionReassignmentsRequest,
  type AlterPartitionReassignmentsResponse,
  type Decoded,
  type ListPartitionReassignmentsRequest,
  type ListPartitionReassignmentsResponse,
} from '@ottla/protocol'
import { CLUSTER_NAME } from '../security/acls.ts'
import { cancelReassignment, reassign } from '../topics/reassignments.ts'
import { route, type RequestContext, type Route } from './request.ts'
import { namedError } from './refusals.ts'
import type { Stores } from './stores.ts'
import type { Partition } from '../topics/topics.ts'

export const reassignmentRoutes: readonly Route[] = [
  route(AlterPartitionReassignmentsServer, alter, ({ topics, allowReplicationFactorChange }, errorCode) => ({
    throttleTimeMs: 0,
    allowReplicationFactorChange,
    ...namedError(errorCode),
    responses: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, ...namedError(errorCode) })),
    })),
  })),
  route(ListPartitionReassignmentsServer, list, (_body, errorCode) => ({
    throttleTimeMs: 0,
    ...namedError(errorCode),
    topics: [],
  })),
]

const DENIED = 'Cluster authorization failed.'

function alter(
  { topics, allowReplicationFactorChange }: Decoded<AlterPartitionReassignmentsRequest>,
  context: RequestContext,
  stores: Pick<Stores, 'topics'>,
): AlterPartitionReassignmentsResponse {
  const allowed = context.allows('alter', 'cluster', CLUSTER_NAME)
  const problemOf = (topic: string, partition: number, replicas: readonly number[] | null): [number, string | null] =>
    allowed
      ? alterOne(topic, partition, replicas, allowReplicationFactorChange, stores)
      : [ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED, DENIED]
  return {
    throttleTimeMs: 0,
    allowReplicationFactorChange,
    errorCode: allowed ? ErrorCode.ERR_NO_ERROR : ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED,
    errorMessage: allowed ? null : DENIED,
    responses: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, replicas }) => {
        const [errorCode, errorMessage] = problemOf(name, partitionIndex, replicas)
        return { partitionIndex, errorCode, errorMessage }
      }),
    })),
  }
}

function alterOne(
  name: string,
  index: number,
  replicas: readonly number[] | null,
  mayChangeFactor: boolean,
  { topics }: Pick<Stores, 'topics'>,
): [errorCode: number, errorMessage: string | null] {
  const topic = topics.get(name)
  const partition = topic?.partitions[index]
  if (topic === undefined) return [ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART, `Unable to find a topic namedError ${name}.`]
  if (partition === undefined)
    return [ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART, `Unable to find partition ${name}:${index}.`]
  if (replicas === null) {
    const errorCode = cancelReassignment(partition)
    if (errorCode === ErrorCode.ERR_NO_ERROR) topics.changed(topic)
    return [errorCode, errorCode === ErrorCode.ERR_NO_ERROR ? null : 'There is no reassignment to cancel.']
  }
  const problem = topics.assignmentProblem([replicas])
  if (problem !== null) return [ErrorCode.ERR_INVALID_REPLICA_ASSIGNMENT, problem]
  const factor = partition.replicas.length - partition.adding.length
  if (!mayChangeFactor && replicas.length !== factor) {
    const message = `The replication factor of ${name}:${index} is ${factor}, not ${replicas.length}.`
    return [ErrorCode.ERR_INVALID_REPLICATION_FACTOR, message]
  }
  reassign(partition, replicas, id => topics.isInSync(partition, id))
  topics.changed(topic)
  return [ErrorCode.ERR_NO_ERROR, null]
}

function list(
  { topics }: Decoded<ListPartitionReassignmentsRequest>,
  context: RequestContext,
  { topics: store }: Pick<Stores, 'topics'>,
): ListPartitionReassignmentsResponse {
  const errorCode = ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED
  if (!context.allows('describe', 'cluster', CLUSTER_NAME)) {
    return { throttleTimeMs: 0, errorCode, errorMessage: DENIED, topics: [] }
  }
  const requested =
    topics?.flatMap(({ name, partitionIndexes }) => {
      const topic = store.get(name)
      return topic === undefined ? [] : [{ name, partitions: topic.partitions.filter(hasIndexIn(partitionIndexes)) }]
    }) ?? store.all()
  const moving = [...requested].map(({ name, partitions }) => ({
    name,
    partitions: partitions.flatMap(reassignmentOf),
  }))
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCode.ERR_NO_ERROR,
    errorMessage: null,
    topics: moving.filter(({ partitions }) => partitions.length > 0),
  }
}

function hasIndexIn(indexes: readonly number[]): (partition: Partition) => boolean {
  return partition => indexes.includes(partition.index)
}

function reassignmentOf({
  index,
  replicas,
  adding,
  removing,
}: Partition): ListPartitionReassignmentsResponse['topics'][number]['partitions'][number][] {
  if (adding.length === 0 && removing.length === 0) return []
  return [{ partitionIndex: index, replicas, addingReplicas: adding, removingReplicas: removing }]
}
