import { ErrorCode, ListOffsets, type Decoded, type ListOffsetsResponse } from '@ottla/protocol'
import { Deadline } from '../base/clock.ts'
import { addToGroup } from '../base/grouping.ts'
import { resolveWait, type WaitInput } from '../base/wait.ts'
import { KafkaError } from '../errors.ts'
import type { Metadata, TopicPartition, TopicPartitionOffset } from '../types.ts'
import type { Cluster } from './cluster.ts'
import type { ClientContext } from './context.ts'
import { actionFor } from './retry.ts'
import { requestInRounds, worthAnotherRound } from './rounds.ts'
import type { Snapshot } from './snapshot.ts'

/** ListOffsets' special timestamps. */
export const LATEST_TIMESTAMP = -1
export const EARLIEST_TIMESTAMP = -2
export const MAX_TIMESTAMP = -3
/** The first offset in the leader's local log (KIP-405). */
export const EARLIEST_LOCAL_TIMESTAMP = -4
/** The last offset in tiered storage (KIP-1005). */
export const LATEST_TIERED_TIMESTAMP = -5
/** The first offset not yet uploaded to tiered storage (KIP-1023). */
export const EARLIEST_PENDING_UPLOAD_TIMESTAMP = -6

// Older versions would take these for timestamps.
const FIRST_VERSIONS: ReadonlyMap<number, number> = new Map([
  [MAX_TIMESTAMP, 7],
  [EARLIEST_LOCAL_TIMESTAMP, 8],
  [LATEST_TIERED_TIMESTAMP, 9],
  [EARLIEST_PENDING_UPLOAD_TIMESTAMP, 11],
])

export type IsolationLevel = 'read_uncommitted' | 'read_committed'

export interface TimestampQuery extends TopicPartition {
  /** ms since the epoch, or one of the special timestamps. */
  readonly timestamp: number
  readonly currentLeaderEpoch?: number
}

export interface ListedOffset extends TopicPartition {
  /** -1 if no record is as recent as requested. */
  readonly offset: number
  readonly timestamp: number
  readonly leaderEpoch: number
  readonly error?: KafkaError
}

export interface QueryOptions {
  readonly deadline: Deadline
  readonly signal?: AbortSignal | undefined
  /** See ClusterRequestOptions. */
  readonly failFast?: boolean | undefined
  readonly isolation?: IsolationLevel
  /** Transient errors are returned, too, instead of being retried. */
  readonly isOneRound?: boolean
}

/** The options of an application's call: its limit (`socket.timeout.ms` by default) and `isolation.level`. */
export function queryOptions({ clock, settings }: ClientContext, input: WaitInput): QueryOptions {
  const { timeoutMs, signal } = resolveWait(input, settings['socket.timeout.ms'])
  return { deadline: Deadline.after(clock, timeoutMs), signal, failFast: true, isolation: settings['isolation.level'] }
}

/** The metadata that applications get. Rejects like `Cluster.request`. */
export async function getMetadata(
  cluster: Cluster,
  options: { readonly topic?: string; readonly allTopics?: boolean },
  query: Pick<QueryOptions, 'deadline' | 'signal' | 'failFast'>,
): Promise<Metadata> {
  const asked = options.topic === undefined ? (options.allTopics === false ? 'wanted' : 'all') : [options.topic]
  const snapshot = await cluster.metadata.refresh(asked, { ...query, allowAutoCreate: false, responseOnly: true })
  return publicMetadata(snapshot, options.topic)
}

function publicMetadata(snapshot: Snapshot, only: string | undefined): Metadata {
  const topics = [...snapshot.topics.values()].filter(topic => only === undefined || topic.topic === only)
  return {
    clusterId: snapshot.clusterId,
    controllerId: snapshot.controllerId,
    brokers: [...snapshot.brokers.values()].map(({ id, host, port, rack }) => ({
      id,
      host,
      port,
      ...(rack === null ? {} : { rack }),
    })),
    topics: topics.map(topic => ({
      topic: topic.topic,
      topicId: topic.topicId,
      isInternal: topic.isInternal,
      ...errorField(topic.errorCode, `topic ${topic.topic}`),
      partitions: topic.partitions.map(p => ({
        partition: p.partition,
        leader: p.leader,
        leaderEpoch: p.leaderEpoch,
        replicas: [...p.replicas],
        isr: [...p.isr],
        offlineReplicas: [...p.offlineReplicas],
        ...errorField(p.errorCode, `${topic.topic} [${p.partition}]`),
      })),
    })),
  }
}

function errorField(code: number, what: string): { error?: KafkaError } {
  return code === ErrorCode.ERR_NO_ERROR ? {} : { error: KafkaError.of(code, what) }
}

/**
 * Requests offsets by timestamp from the leaders; results keep the order of the queries. Transient errors are retried
 * until the deadline, others are returned per partition. Rejects only if the whole call is given up.
 */
export async function listOffsets(
  cluster: Cluster,
  context: ClientContext,
  queries: readonly TimestampQuery[],
  options: QueryOptions,
): Promise<ListedOffset[]> {
  const { isOneRound = false } = options
  return requestInRounds(context, options, queries.length, {
    send: open => requestFromLeaders(cluster, context, queries, open, options),
    isOpen: ({ error }, attempt) => !isOneRound && error !== undefined && worthAnotherRound(error.code, attempt),
  })
}

async function requestFromLeaders(
  cluster: Cluster,
  context: ClientContext,
  queries: readonly TimestampQuery[],
  open: readonly number[],
  options: QueryOptions,
): Promise<Map<number, ListedOffset>> {
  const results = new Map<number, ListedOffset>()
  const unknown = new Set<string>()
  for (const i of open) {
    const query = queries[i] as TimestampQuery // open holds indexes of queries
    if (leaderOf(cluster, query) < 0) unknown.add(query.topic)
  }
  if (unknown.size > 0) {
    await cluster.metadata.refresh([...unknown], { ...options, allowAutoCreate: false })
  }
  // A broker refuses a request that names a partition twice: a second query goes into a second request.
  const byRequest = new Map<string, { leader: number; indexes: number[] }>()
  const timesNamed = new Map<string, number>()
  for (const i of open) {
    const query = queries[i] as TimestampQuery // as above
    const leader = leaderOf(cluster, query)
    if (leader < 0) {
      results.set(i, failed(query, leaderError(cluster, query)))
      continue
    }
    const name = `${query.topic}\0${query.partition}`
    const nth = timesNamed.get(name) ?? 0
    timesNamed.set(name, nth + 1)
    const request = byRequest.get(`${leader}/${nth}`)
    if (request === undefined) byRequest.set(`${leader}/${nth}`, { leader, indexes: [i] })
    else request.indexes.push(i)
  }
  const requests = [...byRequest.values()].map(({ leader, indexes }) =>
    requestFromLeader(cluster, context, leader, queries, indexes, options, results),
  )
  await Promise.all(requests)
  return results
}

async function requestFromLeader(
  cluster: Cluster,
  context: ClientContext,
  leader: number,
  queries: readonly TimestampQuery[],
  indexes: readonly number[],
  options: QueryOptions,
  results: Map<number, ListedOffset>,
): Promise<void> {
  const topics = new Map<string, { partitionIndex: number; currentLeaderEpoch: number; timestamp: number }[]>()
  for (const i of indexes) {
    const query = queries[i] as TimestampQuery // indexes come from the queries
    const partition = {
      partitionIndex: query.partition,
      currentLeaderEpoch: query.currentLeaderEpoch ?? -1,
      timestamp: query.timestamp,
    }
    addToGroup(topics, query.topic, partition)
  }
  const minVersion = Math.max(...indexes.map(i => FIRST_VERSIONS.get(queries[i]?.timestamp ?? 0) ?? 0))
  const broker = cluster.broker(leader)
  let response: Decoded<ListOffsetsResponse>
  try {
    if (broker === undefined) throw KafkaError.of(ErrorCode.ERR_LEADER_NOT_AVAILABLE, `broker ${leader}`)
    response = await broker.request(
      ListOffsets,
      {
        replicaId: -1,
        isolationLevel: options.isolation === 'read_committed' ? 1 : 0,
        topics: [...topics].map(([name, partitions]) => ({ name, partitions })),
        timeoutMs: Math.min(context.settings['socket.timeout.ms'], options.deadline.left()),
      },
      {
        timeoutMs: Math.min(context.settings['socket.timeout.ms'], options.deadline.left()),
        signal: options.signal,
        ...(minVersion > 0 ? { minVersion } : {}),
      },
    )
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    if (actionFor(error.code) === 'refresh-metadata') cluster.metadata.requestRefresh(error.message, [...topics.keys()])
    for (const i of indexes) results.set(i, failed(queries[i] as TimestampQuery, error)) // as above
    return
  }
  const answers = new Map<string, ListedOffset>()
  const stale = new Set<string>()
  for (const topic of response.topics) {
    for (const p of topic.partitions) {
      const { name } = topic
      const base = { topic: name, partition: p.partitionIndex }
      if (actionFor(p.errorCode) === 'refresh-metadata') stale.add(name)
      answers.set(`${name}\0${p.partitionIndex}`, {
        ...base,
        offset: p.offset,
        timestamp: p.timestamp,
        leaderEpoch: p.leaderEpoch,
        ...errorField(p.errorCode, `${name} [${p.partitionIndex}]`),
      })
    }
  }
  if (stale.size > 0)
    cluster.metadata.requestRefresh('offsets requested from a broker that is not the leader', [...stale])
  for (const i of indexes) {
    const query = queries[i] as TimestampQuery // as above
    const answer = answers.get(`${query.topic}\0${query.partition}`)
    results.set(
      i,
      answer ?? failed(query, KafkaError.of(ErrorCode.ERR__BAD_MSG, `${query.topic} [${query.partition}]`)),
    )
  }
}

function leaderOf(cluster: Cluster, query: TopicPartition): number {
  return cluster.metadata.snapshot.topics.get(query.topic)?.partitions[query.partition]?.leader ?? -1
}

/** Why a partition has no leader, according to the metadata. */
export function leaderError(cluster: Cluster, query: TopicPartition): KafkaError {
  const what = `${query.topic} [${query.partition}]`
  const topic = cluster.metadata.snapshot.topics.get(query.topic)
  if (topic === undefined) return KafkaError.of(ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART, what)
  if (topic.errorCode !== ErrorCode.ERR_NO_ERROR) return KafkaError.of(topic.errorCode, what)
  if (topic.partitions[query.partition] === undefined) return KafkaError.of(ErrorCode.ERR__UNKNOWN_PARTITION, what)
  return KafkaError.of(ErrorCode.ERR_LEADER_NOT_AVAILABLE, what)
}

function failed(query: TopicPartition, error: KafkaError): ListedOffset {
  return { topic: query.topic, partition: query.partition, offset: -1, timestamp: -1, leaderEpoch: -1, error }
}

/**
 * A partition's first offset and its high watermark (`read_committed`: last stable offset), from its leader.
 * Rejects with KafkaError: the broker's code, or ERR__TIMED_OUT.
 */
export async function queryWatermarkOffsets(
  cluster: Cluster,
  context: ClientContext,
  topic: string,
  partition: number,
  options: QueryOptions,
): Promise<{ low: number; high: number }> {
  const [low, high] = await listOffsets(
    cluster,
    context,
    [
      { topic, partition, timestamp: EARLIEST_TIMESTAMP },
      { topic, partition, timestamp: LATEST_TIMESTAMP },
    ],
    options,
  )
  const error = low?.error ?? high?.error
  if (error !== undefined) throw error
  return { low: low?.offset ?? -1, high: high?.offset ?? -1 }
}

/**
 * The first offset at or after each time, passed as `offset` in ms since the epoch; -1 (OFFSET_END) if there is none.
 * Errors per partition.
 */
export async function offsetsForTimes(
  cluster: Cluster,
  context: ClientContext,
  times: readonly TopicPartitionOffset[],
  options: QueryOptions,
): Promise<TopicPartitionOffset[]> {
  const queries = times.map(({ topic, partition, offset }) => ({ topic, partition, timestamp: offset }))
  const listed = await listOffsets(cluster, context, queries, options)
  return listed.map(({ topic, partition, offset, leaderEpoch, error }) => ({
    topic,
    partition,
    offset,
    ...(leaderEpoch >= 0 ? { leaderEpoch } : {}),
    ...(error === undefined ? {} : { error }),
  }))
}
