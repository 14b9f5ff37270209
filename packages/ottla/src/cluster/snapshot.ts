import { ErrorCode, ZERO_UUID, type Decoded, type MetadataResponse } from '@ottla/protocol'

/** Where a broker listens. */
export interface BrokerAddress {
  readonly id: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

export interface PartitionSnapshot {
  readonly partition: number
  /** Broker id, -1 while there is none. */
  readonly leader: number
  /** -1 where the broker does not tell it. */
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly offlineReplicas: readonly number[]
  readonly errorCode: number
}

export interface TopicSnapshot {
  readonly topic: string
  /** All zeros (ZERO_UUID) on brokers before 2.8. */
  readonly topicId: string
  readonly isInternal: boolean
  /** Not 0 for a topic that does not exist or may not be seen. */
  readonly errorCode: number
  /** Index is the partition's number. */
  readonly partitions: readonly PartitionSnapshot[]
  /** When a broker last told about it, on the clock's monotonic scale. */
  readonly updatedAt: number
}

/** The cluster as it was last told: a value that is never changed, only replaced. */
export interface Snapshot {
  readonly clusterId: string | null
  readonly controllerId: number
  readonly brokers: ReadonlyMap<number, BrokerAddress>
  readonly topics: ReadonlyMap<string, TopicSnapshot>
  /** Names by topic id (KIP-516). */
  readonly topicNames: ReadonlyMap<string, string>
}

export const emptySnapshot: Snapshot = {
  clusterId: null,
  controllerId: -1,
  brokers: new Map(),
  topics: new Map(),
  topicNames: new Map(),
}

export interface Applied {
  readonly snapshot: Snapshot
  /** Topics whose leaders, partitions, id or error are not what they were. */
  readonly changed: ReadonlySet<string>
}

/**
 * Merges a metadata response into a snapshot. Leader epochs never go backwards (KIP-320), unless the
 * topic was deleted and made anew, which its id tells.
 * @param complete the response speaks of every topic there is, so that those it lacks are gone
 */
export function applyMetadata(
  before: Snapshot,
  response: Decoded<MetadataResponse>,
  now: number,
  complete: boolean,
): Applied {
  const brokers = new Map<number, BrokerAddress>()
  for (const broker of response.brokers) {
    brokers.set(broker.nodeId, { id: broker.nodeId, host: broker.host, port: broker.port, rack: broker.rack })
  }
  const topics = complete ? new Map<string, TopicSnapshot>() : new Map(before.topics)
  const changed = new Set<string>()
  for (const topic of response.topics) {
    const name = topic.name ?? before.topicNames.get(topic.topicId)
    if (name === undefined) continue
    const old = before.topics.get(name)
    const next: TopicSnapshot = {
      topic: name,
      topicId: topic.topicId,
      isInternal: topic.isInternal,
      errorCode: topic.errorCode,
      partitions: mergePartitions(topic, old),
      updatedAt: now,
    }
    topics.set(name, next)
    if (old === undefined || !sameTopic(old, next)) changed.add(name)
  }
  if (complete) {
    for (const name of before.topics.keys()) {
      if (!topics.has(name)) changed.add(name)
    }
  }
  return {
    snapshot: {
      clusterId: response.clusterId ?? before.clusterId,
      controllerId: response.controllerId,
      brokers: brokers.size > 0 ? brokers : before.brokers,
      topics,
      topicNames: namesById(topics),
    },
    changed,
  }
}

/** A leader that a produce or fetch response named (KIP-951), if it is newer than what is known. */
export function applyLeader(
  before: Snapshot,
  topic: string,
  partition: number,
  leader: number,
  leaderEpoch: number,
  endpoint: BrokerAddress | null,
): Applied {
  const none: Applied = { snapshot: before, changed: new Set() }
  const old = before.topics.get(topic)
  const known = old?.partitions[partition]
  if (old === undefined || known === undefined || leader < 0 || leaderEpoch <= known.leaderEpoch) return none
  if (endpoint === null && !before.brokers.has(leader)) return none
  const partitions = old.partitions.slice()
  partitions[partition] = { ...known, leader, leaderEpoch, errorCode: ErrorCode.ERR_NO_ERROR }
  const topics = new Map(before.topics)
  topics.set(topic, { ...old, partitions })
  const brokers = new Map(before.brokers)
  if (endpoint !== null) brokers.set(endpoint.id, endpoint)
  return { snapshot: { ...before, brokers, topics }, changed: new Set([topic]) }
}

// Partitions are numbered without gaps from 0. A number beyond anything that a cluster holds is a lie, and would have
// room made for all that are missing below it.
const MOST_PARTITIONS = 1_000_000

type MetadataTopic = Decoded<MetadataResponse>['topics'][number]

function mergePartitions(topic: MetadataTopic, old: TopicSnapshot | undefined): PartitionSnapshot[] {
  const sameTopicAsBefore = old !== undefined && old.topicId === topic.topicId
  const partitions: PartitionSnapshot[] = []
  for (const p of topic.partitions) {
    if (p.partitionIndex < 0 || p.partitionIndex >= MOST_PARTITIONS) continue
    const known = sameTopicAsBefore ? old.partitions[p.partitionIndex] : undefined
    const stale = known !== undefined && p.leaderEpoch >= 0 && p.leaderEpoch < known.leaderEpoch
    partitions[p.partitionIndex] = stale
      ? known
      : {
          partition: p.partitionIndex,
          leader: p.leaderId,
          leaderEpoch: p.leaderEpoch,
          replicas: p.replicaNodes,
          isr: p.isrNodes,
          offlineReplicas: p.offlineReplicas,
          errorCode: p.errorCode,
        }
  }
  // A response with a gap would leave a hole in the array; readers count on every index being there.
  for (let i = 0; i < partitions.length; i++) partitions[i] ??= missingPartition(i)
  return partitions
}

function missingPartition(partition: number): PartitionSnapshot {
  const errorCode = ErrorCode.ERR_LEADER_NOT_AVAILABLE
  return { partition, leader: -1, leaderEpoch: -1, replicas: [], isr: [], offlineReplicas: [], errorCode }
}

function sameTopic(a: TopicSnapshot, b: TopicSnapshot): boolean {
  if (a.errorCode !== b.errorCode || a.topicId !== b.topicId || a.partitions.length !== b.partitions.length)
    return false
  return a.partitions.every((p, i) => {
    const q = b.partitions[i]
    return q !== undefined && p.leader === q.leader && p.leaderEpoch === q.leaderEpoch && p.errorCode === q.errorCode
  })
}

function namesById(topics: ReadonlyMap<string, TopicSnapshot>): Map<string, string> {
  const names = new Map<string, string>()
  for (const topic of topics.values()) {
    if (topic.topicId !== ZERO_UUID) names.set(topic.topicId, topic.topic)
  }
  return names
}
