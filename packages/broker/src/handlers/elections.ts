/** ElectLeaders (KIP-183, KIP-460). */
import {
  ElectLeadersServer,
  ErrorCode,
  type Decoded,
  type ElectLeadersRequest,
  type ElectLeadersResponse,
} from '@ottla/protocol'
import { CLUSTER_NAME } from '../security/acls.ts'
import { setLeader } from '../topics/reassignments.ts'
import { route, type RequestContext, type Route } from './request.ts'
import { namedError } from './refusals.ts'
import type { Stores } from './stores.ts'
import type { Partition, Topic, TopicStore } from '../topics/topics.ts'

const PREFERRED = 0
const UNCLEAN = 1

export const electionRoutes: readonly Route[] = [
  route(ElectLeadersServer, elect, ({ topicPartitions }, errorCode, { version }) => ({
    throttleTimeMs: 0,
    ...(version >= 1 ? { errorCode } : {}),
    replicaElectionResults: (topicPartitions ?? []).map(({ topic, partitions }) => ({
      topic,
      partitionResult: partitions.map(partitionId => ({ partitionId, ...namedError(errorCode) })),
    })),
  })),
]

function elect(
  { electionType, topicPartitions }: Decoded<ElectLeadersRequest>,
  context: RequestContext,
  { topics }: Pick<Stores, 'topics'>,
): ElectLeadersResponse {
  const isEmpty = topicPartitions?.length === 0
  const refusal = isEmpty ? authorization(context) : authorization(context) || typeProblem(electionType)
  const answer = (results: ElectLeadersResponse['replicaElectionResults']): ElectLeadersResponse => ({
    throttleTimeMs: 0,
    ...(context.version >= 1 ? { errorCode: refusal } : {}),
    replicaElectionResults: results,
  })
  if (topicPartitions === null) {
    if (refusal !== ErrorCode.ERR_NO_ERROR) return answer([])
    const results = [...topics.all()].map(topic => ({
      topic: topic.name,
      // Partitions that already have the right leader are left out.
      partitionResult: topic.partitions
        .map(partition => resultOf(partition.index, electOne(topic, partition, electionType, topics)))
        .filter(({ errorCode }) => errorCode !== ErrorCode.ERR_ELECTION_NOT_NEEDED),
    }))
    return answer(results)
  }
  return answer(
    topicPartitions.map(({ topic: name, partitions }) => ({
      topic: name,
      partitionResult: partitions.map(index => {
        const topic = topics.get(name)
        const errorCode =
          refusal === ErrorCode.ERR_NO_ERROR ? electOne(topic, topic?.partitions[index], electionType, topics) : refusal
        return resultOf(index, errorCode)
      }),
    })),
  )
}

function authorization(context: RequestContext): number {
  const allowed = context.allows('alter', 'cluster', CLUSTER_NAME)
  return allowed ? ErrorCode.ERR_NO_ERROR : ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED
}

function typeProblem(electionType: number): number {
  return electionType === PREFERRED || electionType === UNCLEAN ? ErrorCode.ERR_NO_ERROR : ErrorCode.ERR_INVALID_REQUEST
}

function electOne(
  topic: Topic | undefined,
  partition: Partition | undefined,
  electionType: number,
  topics: TopicStore,
): number {
  if (topic === undefined || partition === undefined) return ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART
  const preferred = partition.replicas[0]
  if (electionType === PREFERRED) {
    if (partition.leader === preferred) return ErrorCode.ERR_ELECTION_NOT_NEEDED
    const mayLead = preferred !== undefined && topics.isUp(preferred) && topics.isInSync(partition, preferred)
    if (!mayLead) return ErrorCode.ERR_PREFERRED_LEADER_NOT_AVAILABLE
    setLeader(partition, preferred)
  } else {
    if (topics.isUp(partition.leader)) return ErrorCode.ERR_ELECTION_NOT_NEEDED
    const next = partition.replicas.find(id => topics.isUp(id))
    if (next === undefined) return ErrorCode.ERR_ELIGIBLE_LEADERS_NOT_AVAILABLE
    setLeader(partition, next)
  }
  topics.changed(topic)
  return ErrorCode.ERR_NO_ERROR
}

function resultOf(
  partitionId: number,
  errorCode: number,
): ElectLeadersResponse['replicaElectionResults'][number]['partitionResult'][number] {
  return { partitionId, errorCode, errorMessage: null }
}
