import { AddRaftVoter, DescribeQuorum, RemoveRaftVoter, UnregisterBroker, ZERO_UUID } from '@ottla/protocol'
import type { KafkaError } from '../errors.ts'
import { INT32_MAX, requireInteger, requireItems, requireName, requireThat } from './arguments.ts'
import { controllerMoved, itemError, missingAnswer, type AdminCall } from './call.ts'

/**
 * The controllers of a KRaft cluster and their positions in the metadata log (KIP-836).
 * @since 0.1.0
 */
export interface MetadataQuorum {
  leaderId: number
  leaderEpoch: number
  /** The first offset that a majority does not have yet. */
  highWatermark: number
  voters: QuorumReplica[]
  /** Replicas without a vote: brokers, and controllers that are not voters. */
  observers: QuorumReplica[]
  /** The controllers' listeners; empty before Kafka 3.9. */
  nodes: QuorumNode[]
}

/**
 * One replica of the metadata log.
 * @since 0.1.0
 */
export interface QuorumReplica {
  replicaId: number
  /** Absent before Kafka 3.9. */
  directoryId?: string
  logEndOffset: number
  /** ms since the epoch; null if the leader has not seen it. */
  lastFetchTimestamp: number | null
  /** When it last had caught up, ms since the epoch; null if it never had. */
  lastCaughtUpTimestamp: number | null
}

/**
 * One controller.
 * @since 0.1.0
 */
export interface QuorumNode {
  nodeId: number
  listeners: RaftListener[]
}

/**
 * A listener of a controller.
 * @since 0.1.0
 */
export interface RaftListener {
  readonly name: string
  readonly host: string
  readonly port: number
}

/**
 * A controller with a vote (KIP-853).
 * @since 0.1.0
 */
export interface RaftVoter {
  readonly voterId: number
  /** `directory.id` in the `meta.properties` of its metadata log. */
  readonly directoryId: string
}

const METADATA_TOPIC = '__cluster_metadata'

/** Rejects with the broker's error: there is only one answer. */
export async function describeMetadataQuorum(call: AdminCall): Promise<MetadataQuorum> {
  const subject = 'describing the metadata quorum'
  const body = { topics: [{ topicName: METADATA_TOPIC, partitions: [{ partitionIndex: 0 }] }] }
  const { deadline, signal } = call
  const response = await call.cluster.request({ to: 'any' }, DescribeQuorum, body, { deadline, signal })
  throwIf(itemError(response.errorCode, response.errorMessage, subject))
  const quorum = response.topics.find(t => t.topicName === METADATA_TOPIC)?.partitions[0]
  if (quorum === undefined) throw missingAnswer(subject)
  throwIf(itemError(quorum.errorCode, quorum.errorMessage, subject))
  return {
    leaderId: quorum.leaderId,
    leaderEpoch: quorum.leaderEpoch,
    highWatermark: quorum.highWatermark,
    voters: quorum.currentVoters.map(replicaOf),
    observers: quorum.observers.map(replicaOf),
    nodes: response.nodes.map(({ nodeId, listeners }) => ({ nodeId, listeners })),
  }
}

/** Rejects with the broker's error. */
export async function addRaftVoter(
  call: AdminCall,
  voter: RaftVoter,
  listeners: readonly RaftListener[],
): Promise<void> {
  checkVoter(voter)
  requireItems(listeners, 'listeners').forEach(({ name, host, port }, i) => {
    requireName(name, `listeners[${i}].name`)
    requireName(host, `listeners[${i}].host`)
    requireInteger(port, `listeners[${i}].port`, 1, 65_535)
  })
  const { deadline, signal, operationTimeoutMs: timeoutMs } = call
  const body = {
    clusterId: null,
    timeoutMs,
    voterId: voter.voterId,
    voterDirectoryId: voter.directoryId,
    listeners: listeners.map(({ name, host, port }) => ({ name, host, port })),
  }
  const response = await call.cluster.request({ to: 'controller' }, AddRaftVoter, body, {
    deadline,
    signal,
    errorOf: r => controllerMoved([r.errorCode]),
  })
  throwIf(itemError(response.errorCode, response.errorMessage, `adding voter ${voter.voterId}`))
}

/** Rejects with the broker's error. */
export async function removeRaftVoter(call: AdminCall, voter: RaftVoter): Promise<void> {
  checkVoter(voter)
  const { deadline, signal } = call
  const body = { clusterId: null, voterId: voter.voterId, voterDirectoryId: voter.directoryId }
  const response = await call.cluster.request({ to: 'controller' }, RemoveRaftVoter, body, {
    deadline,
    signal,
    errorOf: r => controllerMoved([r.errorCode]),
  })
  throwIf(itemError(response.errorCode, response.errorMessage, `removing voter ${voter.voterId}`))
}

/** Rejects with the broker's error. */
export async function unregisterBroker(call: AdminCall, brokerId: number): Promise<void> {
  requireInteger(brokerId, 'brokerId', 0, INT32_MAX)
  const { deadline, signal } = call
  const response = await call.cluster.request(
    { to: 'controller' },
    UnregisterBroker,
    { brokerId },
    { deadline, signal, errorOf: r => controllerMoved([r.errorCode]) },
  )
  throwIf(itemError(response.errorCode, response.errorMessage, `unregistering broker ${brokerId}`))
}

function checkVoter(voter: RaftVoter): void {
  requireInteger(voter.voterId, 'voterId', 0, INT32_MAX)
  const id = requireName(voter.directoryId, 'directoryId')
  requireThat(/^[\w-]{22}$/.test(id), `directoryId must be a UUID in base64 (22 characters), not '${id}'`)
}

function replicaOf(replica: {
  replicaId: number
  replicaDirectoryId: string
  logEndOffset: number
  lastFetchTimestamp: number
  lastCaughtUpTimestamp: number
}): QuorumReplica {
  const { replicaId, replicaDirectoryId, logEndOffset, lastFetchTimestamp, lastCaughtUpTimestamp } = replica
  return {
    replicaId,
    ...(replicaDirectoryId === ZERO_UUID ? {} : { directoryId: replicaDirectoryId }),
    logEndOffset,
    lastFetchTimestamp: lastFetchTimestamp < 0 ? null : lastFetchTimestamp,
    lastCaughtUpTimestamp: lastCaughtUpTimestamp < 0 ? null : lastCaughtUpTimestamp,
  }
}

function throwIf(error: KafkaError | undefined): void {
  if (error !== undefined) throw error
}
