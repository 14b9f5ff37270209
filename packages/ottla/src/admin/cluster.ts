import { DescribeCluster, ErrorCode, INT64_MAX, Metadata } from '@ottla/protocol'
import {
  EARLIEST_LOCAL_TIMESTAMP,
  EARLIEST_PENDING_UPLOAD_TIMESTAMP,
  EARLIEST_TIMESTAMP,
  LATEST_TIERED_TIMESTAMP,
  LATEST_TIMESTAMP,
  MAX_TIMESTAMP,
  listOffsets as queryOffsets,
} from '../cluster/queries.ts'
import { KafkaError } from '../errors.ts'
import type { BrokerMetadata, TopicPartition } from '../types.ts'
import { aclOperations, type AclOperation } from './acl-words.ts'
import { INT32_MAX, requireInteger, requireItems, requireName, requireThat, requireWord } from './arguments.ts'
import { itemError, type AdminCall, type AdminOptions } from './call.ts'
import { partitionSubject } from './fan-out.ts'

/**
 * The cluster as one broker describes it.
 * @since 0.1.0
 */
export interface ClusterDescription {
  /** Null if the brokers do not report one. */
  clusterId: string | null
  /** The broker that takes requests for the controller; -1 if there is none. */
  controllerId: number
  controller: BrokerMetadata | null
  nodes: BrokerMetadata[]
  /** With `includeAuthorizedOperations`. */
  authorizedOperations?: AclOperation[]
}

/**
 * The offset of a partition to list. With tiered storage: `earliest-local` is the first in the leader's local log
 * (KIP-405), `latest-tiered` the last in tiered storage (KIP-1005), `earliest-pending-upload` the first that is not yet
 * uploaded (KIP-1023).
 * @since 0.1.0
 */
export type OffsetSpec =
  | 'earliest'
  | 'latest'
  | 'max-timestamp'
  | 'earliest-local'
  | 'latest-tiered'
  | 'earliest-pending-upload'
  | { readonly timestamp: number }

/**
 * One query of `listOffsets`.
 * @since 0.1.0
 */
export interface OffsetQuery extends TopicPartition {
  readonly spec: OffsetSpec
}

/**
 * The offset found for one query.
 * @since 0.1.0
 */
export interface ListedOffsetResult extends TopicPartition {
  /** -1 if no record is as recent as requested, and with an error. */
  offset: number
  /** ms since the epoch of the record found; -1 for `earliest` and `latest`. */
  timestamp: number
  /** -1 if the broker does not report one. */
  leaderEpoch: number
  error?: KafkaError
}

/**
 * Options of `listOffsets`.
 * @since 0.1.0
 */
export interface ListOffsetsOptions extends AdminOptions {
  /** `read_committed`: `latest` is the last stable offset. Default `read_uncommitted`. */
  readonly isolationLevel?: 'read_uncommitted' | 'read_committed'
}

const isolationLevels: ReadonlyMap<string, number> = new Map([
  ['read_uncommitted', 0],
  ['read_committed', 1],
])

/** Rejects with the broker's error: there is only one answer. */
export async function describeCluster(
  call: AdminCall,
  includeAuthorizedOperations: boolean,
): Promise<ClusterDescription> {
  const { deadline, signal } = call
  try {
    const body = { includeClusterAuthorizedOperations: includeAuthorizedOperations }
    const r = await call.cluster.request({ to: 'any' }, DescribeCluster, body, { deadline, signal })
    const error = itemError(r.errorCode, r.errorMessage, 'describing the cluster')
    if (error !== undefined) throw error
    const nodes = r.brokers.map(b => node(b.brokerId, b.host, b.port, b.rack))
    return describe(r.clusterId, r.controllerId, nodes, r.clusterAuthorizedOperations)
  } catch (error) {
    if (!(error instanceof KafkaError) || error.code !== ErrorCode.ERR__UNSUPPORTED_FEATURE) throw error
  }
  // Brokers before 2.8 lack DescribeCluster (KIP-700).
  const r = await call.cluster.request(
    { to: 'any' },
    Metadata,
    version =>
      includeAuthorizedOperations && version >= 8
        ? { topics: [], allowAutoTopicCreation: false, includeClusterAuthorizedOperations: true }
        : { topics: [], allowAutoTopicCreation: false },
    { deadline, signal, minVersion: 4, maxVersion: 10 },
  )
  const nodes = r.brokers.map(b => node(b.nodeId, b.host, b.port, b.rack))
  return describe(r.clusterId, r.controllerId, nodes, r.clusterAuthorizedOperations)
}

/** Lists offsets from each partition's leader; errors per partition. */
export async function listOffsets(
  call: AdminCall,
  queries: readonly OffsetQuery[],
  isolation: 'read_uncommitted' | 'read_committed',
): Promise<ListedOffsetResult[]> {
  requireItems(queries, 'partitions')
  requireWord(isolation, isolationLevels, 'isolationLevel')
  const asked = queries.map((q, i) => {
    const topic = requireName(q.topic, `partitions[${i}].topic`)
    const partition = requireInteger(q.partition, `partitions[${i}].partition`, 0, INT32_MAX)
    return { topic, partition, timestamp: timestampOf(q) }
  })
  const { cluster, context, deadline, signal } = call
  const listed = await queryOffsets(cluster, context, asked, { deadline, signal, isolation })
  return listed.map(answer => ({ ...answer }))
}

/** Leaves out the rack, instead of null, if there is none. */
export function node(id: number, host: string, port: number, rack: string | null): BrokerMetadata {
  return rack === null ? { id, host, port } : { id, host, port, rack }
}

function describe(
  clusterId: string | null,
  controllerId: number,
  nodes: BrokerMetadata[],
  bits: number,
): ClusterDescription {
  nodes.sort((a, b) => a.id - b.id)
  const operations = aclOperations(bits)
  return {
    clusterId,
    controllerId,
    controller: nodes.find(n => n.id === controllerId) ?? null,
    nodes,
    ...(operations === undefined ? {} : { authorizedOperations: operations }),
  }
}

const specTimestamps: ReadonlyMap<string, number> = new Map([
  ['earliest', EARLIEST_TIMESTAMP],
  ['latest', LATEST_TIMESTAMP],
  ['max-timestamp', MAX_TIMESTAMP],
  ['earliest-local', EARLIEST_LOCAL_TIMESTAMP],
  ['latest-tiered', LATEST_TIERED_TIMESTAMP],
  ['earliest-pending-upload', EARLIEST_PENDING_UPLOAD_TIMESTAMP],
])

function timestampOf(query: OffsetQuery): number {
  const { spec } = query
  const subject = `spec of ${partitionSubject(query)}`
  const words = [...specTimestamps.keys()].map(word => `'${word}'`).join(', ')
  const wrong = `${subject} must be ${words} or { timestamp }, not ${JSON.stringify(spec)}`
  if (typeof spec === 'string') {
    const timestamp = specTimestamps.get(spec)
    requireThat(timestamp !== undefined, wrong)
    return timestamp ?? LATEST_TIMESTAMP
  }
  const given: unknown = (spec as Partial<Record<'timestamp', unknown>> | undefined)?.timestamp // a caller's value, unchecked so far
  requireThat(typeof given === 'number', wrong)
  return requireInteger(spec.timestamp, `timestamp in the ${subject}`, 0, INT64_MAX)
}
