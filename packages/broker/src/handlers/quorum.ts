/** The metadata quorum, in which every broker is a voter, and UnregisterBroker (KIP-595, KIP-853). */
import {
  AddRaftVoterServer,
  DescribeQuorumServer,
  ErrorCode,
  RemoveRaftVoterServer,
  UnregisterBrokerServer,
  ZERO_UUID,
  type Decoded,
  type DescribeQuorumRequest,
  type DescribeQuorumResponse,
} from '@ottla/protocol'
import { addressOf } from '../base/brokers.ts'
import type { Features } from '../releases/features.ts'
import { CLUSTER_NAME } from '../security/acls.ts'
import { route, type RequestContext, type Route } from './request.ts'
import { namedError } from './refusals.ts'
import type { Stores } from './stores.ts'

const METADATA_TOPIC = '__cluster_metadata'
// A change of its leader is not visible to clients.
const EPOCH = 1
const LISTENER = 'CONTROLLER'
// The first versions of DescribeQuorum with the voters' timestamps, and with their directories and addresses.
const TIMES_VERSION = 1
const NODES_VERSION = 2
const DENIED = 'Cluster authorization failed.'

interface Answer {
  readonly throttleTimeMs: 0
  readonly errorCode: number
  readonly errorMessage: string | null
}

interface Voter {
  readonly clusterId: string | null
  readonly voterId: number
  readonly voterDirectoryId: string
}

export const quorumRoutes: readonly Route[] = [
  route(DescribeQuorumServer, describe, (_body, errorCode, { version }) => ({
    errorCode,
    topics: [],
    ...(version >= NODES_VERSION ? { ...namedError(errorCode), nodes: [] } : {}),
  })),
  route(
    AddRaftVoterServer,
    (request, context, { brokers, clusterId, features }) => {
      const refused = voterRefusal(request, context, clusterId)
      if (refused !== null) return refused
      if (!request.listeners.some(({ name }) => name === LISTENER)) {
        return answer(ErrorCode.ERR_INVALID_REQUEST, `The request has no listener ${LISTENER} for the voter.`)
      }
      if (!canChangeVoters(features)) {
        return answer(ErrorCode.ERR_UNSUPPORTED_VERSION, 'Voters cannot be added while kraft.version is 0.')
      }
      if (brokers.get(request.voterId) !== undefined) {
        return answer(ErrorCode.ERR_DUPLICATE_VOTER, `${request.voterId} is already a voter.`)
      }
      return answer(ErrorCode.ERR_REQUEST_TIMED_OUT, 'The new voter does not respond.')
    },
    refusal,
  ),
  route(
    RemoveRaftVoterServer,
    (request, context, { clusterId, features }) => {
      const refused = voterRefusal(request, context, clusterId)
      if (refused !== null) return refused
      if (!canChangeVoters(features)) {
        return answer(ErrorCode.ERR_UNSUPPORTED_VERSION, 'Voters cannot be removed while kraft.version is 0.')
      }
      return answer(ErrorCode.ERR_VOTER_NOT_FOUND, `There is no voter ${request.voterId} with that directory.`)
    },
    refusal,
  ),
  route(
    UnregisterBrokerServer,
    ({ brokerId }, context, { brokers }) => {
      if (!mayAlter(context)) return answer(ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED, DENIED)
      const broker = brokers.get(brokerId)
      if (broker === undefined) {
        return answer(ErrorCode.ERR_BROKER_ID_NOT_REGISTERED, `Broker ID ${brokerId} is not currently registered`)
      }
      // A running broker would register again. Partitions keep their replicas in any case.
      if (!broker.up) brokers.remove(broker)
      return answer(ErrorCode.ERR_NO_ERROR)
    },
    refusal,
  ),
]

type QuorumStores = Pick<Stores, 'brokers' | 'clock' | 'features'>

function describe(
  { topics }: Decoded<DescribeQuorumRequest>,
  context: RequestContext,
  stores: QuorumStores,
): DescribeQuorumResponse {
  const allowed = context.allows('describe', 'cluster', CLUSTER_NAME)
  const [first, ...others] = topics.flatMap(({ topicName, partitions }) =>
    partitions.map(({ partitionIndex }) => ({ topicName, partitionIndex })),
  )
  // The metadata partition has to be the only one in the request.
  const isMetadataPartition = others.length === 0 && first?.topicName === METADATA_TOPIC && first.partitionIndex === 0
  const errorCode = allowed ? ErrorCode.ERR_NO_ERROR : ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED
  const { version } = context
  const { brokers } = stores
  return {
    errorCode,
    topics: allowed
      ? topics.map(({ topicName, partitions }) => ({
          topicName,
          partitions: partitions.map(({ partitionIndex }) =>
            isMetadataPartition
              ? quorum(version, stores)
              : { ...noPartition, partitionIndex, errorCode: ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART },
          ),
        }))
      : [],
    ...(version >= NODES_VERSION
      ? {
          errorMessage: allowed ? null : DENIED,
          nodes: isMetadataPartition
            ? brokers.all.map(broker => ({
                nodeId: broker.id,
                listeners: [{ name: LISTENER, ...addressOf(broker, 0) }],
              }))
            : [],
        }
      : {}),
  }
}

const noPartition = { leaderId: 0, leaderEpoch: 0, highWatermark: 0, currentVoters: [], observers: [] }

function quorum(
  version: number,
  { brokers, clock, features }: QuorumStores,
): DescribeQuorumResponse['topics'][number]['partitions'][number] {
  const { epoch } = features
  return {
    partitionIndex: 0,
    errorCode: ErrorCode.ERR_NO_ERROR,
    leaderId: brokers.controllerId(),
    leaderEpoch: EPOCH,
    highWatermark: epoch,
    currentVoters: brokers.all.map(({ id, up }) => {
      const time = up ? clock.now() : -1
      return {
        replicaId: id,
        logEndOffset: epoch,
        ...(version >= TIMES_VERSION ? { lastFetchTimestamp: time, lastCaughtUpTimestamp: time } : {}),
        ...(version >= NODES_VERSION ? { replicaDirectoryId: ZERO_UUID } : {}),
      }
    }),
    observers: [],
  }
}

function voterRefusal(
  { clusterId, voterId, voterDirectoryId }: Voter,
  context: RequestContext,
  ownClusterId: string,
): Answer | null {
  if (!mayAlter(context)) return answer(ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED, DENIED)
  if (clusterId !== null && clusterId !== ownClusterId) {
    return answer(ErrorCode.ERR_INCONSISTENT_CLUSTER_ID, `This is not the cluster ${clusterId}.`)
  }
  if (voterId < 0 || voterDirectoryId === ZERO_UUID) {
    return answer(ErrorCode.ERR_INVALID_REQUEST, `${voterId} is not a valid voter.`)
  }
  return null
}

function mayAlter(context: RequestContext): boolean {
  return context.allows('alter', 'cluster', CLUSTER_NAME)
}

function canChangeVoters(features: Features): boolean {
  return features.level('kraft.version') > 0
}

function refusal(_body: unknown, errorCode: number): Answer {
  return { throttleTimeMs: 0, ...namedError(errorCode) }
}

function answer(errorCode: number, errorMessage: string | null = null): Answer {
  return { throttleTimeMs: 0, errorCode, errorMessage }
}
