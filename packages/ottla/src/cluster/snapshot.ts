import { ErrorCode, ZERO_UUID, type Decoded, type MetadataResponse } from '@ottla/protocol'

/** A broker's address. */
export interface BrokerAddress {
  readonly id: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

export interface PartitionSnapshot {
  readonly partition: number
  /** Broker id, -1 if there is none. */
  readonly leader: number
  /** -1 if the broker does not report one. */
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
  /** Not 0 for a topic that does not exist or that the client must not see. */
  readonly errorCode: number
  /** The index is the partition's number. */
  readonly partitions: readonly PartitionSnapshot[]
  /** When a response last described it, on the clock's monotonic scale. */
  readonly updatedAt: number
  /** Since when responses have lacked something of it without being believed; null if none does. */
  readonly doubtedSince: number | null
}

/** The cluster as last described: an immutable value. */
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
  /** Topics whose leaders, partitions, id or error have changed. */
  readonly changed: ReadonlySet<string>
  /** Topics of which the response lacks something: other responses have to confirm the loss. */
  readonly doubted: readonly string[]
}

// A broker that lags behind (just restarted, or not yet updated) describes the cluster as it was. A loss is believed
// once all responses have confirmed it for this long.
const LOSS_MS = 1000
// Without topic ids, a recreated topic looks like an outdated view of the one before it: gives brokers time to catch
// up.
const LOSS_WITHOUT_IDS_MS = 30_000

/**
 * Merges a metadata response into a snapshot, and decides what a single response may remove:
 * - leader epochs and the number of partitions never decrease while the topic's id is the same (KIP-320);
 * - that a guarded topic is gone, unusable or another one of the same name has to be confirmed for a while;
 * - what the response lacks about the cluster as a whole (brokers, controller, id) stays as it was.
 * @param complete whether the response covers all topics, so that those it lacks are gone
 * @param isGuarded whether the topic is in use; others are as the last response describes them
 */
export function applyMetadata(
  before: Snapshot,
  response: Decoded<MetadataResponse>,
  now: number,
  complete: boolean,
  isGuarded: (topic: string) => boolean = () => false,
): Applied {
  const brokers = new Map<number, BrokerAddress>()
  for (const broker of response.brokers) {
    brokers.set(broker.nodeId, { id: broker.nodeId, host: broker.host, port: broker.port, rack: broker.rack })
  }
  const topics = complete ? new Map<string, TopicSnapshot>() : new Map(before.topics)
  const changed = new Set<string>()
  const doubted: string[] = []
  for (const topic of response.topics) {
    const name = topic.name ?? before.topicNames.get(topic.topicId)
    if (name === undefined) continue
    const old = before.topics.get(name)
    const next =
      old !== undefined && isGuarded(name) ? mergeGuarded(old, topic, now) : fromResponse(name, topic, old, now)
    topics.set(name, next)
    if (next.doubtedSince !== null) doubted.push(name)
    if (old === undefined || !sameTopic(old, next)) changed.add(name)
  }
  if (complete) {
    for (const [name, old] of before.topics) {
      if (topics.has(name)) continue
      const kept = isGuarded(name) && isUsable(old) ? doubt(old, old, LOSS_MS, now) : null
      if (kept === null) {
        changed.add(name)
      } else {
        topics.set(name, kept)
        doubted.push(name)
      }
    }
  }
  const known = brokers.size > 0 ? brokers : before.brokers
  return {
    snapshot: {
      clusterId: response.clusterId ?? before.clusterId,
      controllerId: controllerOf(before, response.controllerId, known),
      brokers: known,
      topics,
      topicNames: namesById(topics),
    },
    changed,
    doubted,
  }
}

/** Applies a leader that a produce or fetch response named (KIP-951), if it is newer than the known one. */
export function applyLeader(
  before: Snapshot,
  topic: string,
  partition: number,
  leader: number,
  leaderEpoch: number,
  endpoint: BrokerAddress | null,
): Applied {
  const none: Applied = { snapshot: before, changed: new Set(), doubted: [] }
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
  return { snapshot: { ...before, brokers, topics }, changed: new Set([topic]), doubted: [] }
}

/** The snapshot without the topic, if only an error is known of it. */
export function withoutError(before: Snapshot, topic: string): Snapshot {
  const known = before.topics.get(topic)
  if (known === undefined || known.errorCode === ErrorCode.ERR_NO_ERROR) return before
  const topics = new Map(before.topics)
  topics.delete(topic)
  return { ...before, topics, topicNames: namesById(topics) }
}

// Partitions are numbered from 0 without gaps. A number beyond what any cluster has must be wrong, and would allocate
// all partitions below it.
const MOST_PARTITIONS = 1_000_000

type MetadataTopic = Decoded<MetadataResponse>['topics'][number]

/** The topic as the response describes it, except for leaders that are known to be outdated. */
function fromResponse(name: string, topic: MetadataTopic, old: TopicSnapshot | undefined, now: number): TopicSnapshot {
  const { topicId, isInternal, errorCode } = topic
  const partitions = mergePartitions(topic, old?.topicId === topicId ? old.partitions : [], 0)
  return { topic: name, topicId, isInternal, errorCode, partitions, updatedAt: now, doubtedSince: null }
}

/** Merges a response about a guarded topic. */
function mergeGuarded(old: TopicSnapshot, topic: MetadataTopic, now: number): TopicSnapshot {
  const next = fromResponse(old.topic, topic, undefined, now)
  if (!isUsable(old)) return next
  if (!isUsable(next)) return doubt(old, old, LOSS_MS, now) ?? next
  const hasIds = old.topicId !== ZERO_UUID && next.topicId !== ZERO_UUID
  if (hasIds && old.topicId !== next.topicId) return doubt(old, old, LOSS_MS, now) ?? next
  // The same topic, or, without ids, perhaps another one of the same name.
  const topicId = next.topicId === ZERO_UUID ? old.topicId : next.topicId
  const merged = { ...next, topicId, partitions: mergePartitions(topic, old.partitions, old.partitions.length) }
  if (hasIds || !isBehind(next, old)) return merged
  return doubt(old, merged, LOSS_WITHOUT_IDS_MS, now) ?? next
}

/** What is kept while the loss is in doubt; null once it is believed. */
function doubt(old: TopicSnapshot, kept: TopicSnapshot, limitMs: number, now: number): TopicSnapshot | null {
  const doubtedSince = old.doubtedSince ?? now
  return now - doubtedSince < limitMs ? { ...kept, doubtedSince } : null
}

function isUsable(topic: TopicSnapshot): boolean {
  return topic.errorCode === ErrorCode.ERR_NO_ERROR && topic.partitions.length > 0
}

function isBehind(next: TopicSnapshot, old: TopicSnapshot): boolean {
  return old.partitions.some((known, i) => {
    const reported = next.partitions[i]
    return reported === undefined || (reported.leaderEpoch >= 0 && reported.leaderEpoch < known.leaderEpoch)
  })
}

// A broker that does not know the controller at the moment reports -1.
function controllerOf(before: Snapshot, reported: number, brokers: ReadonlyMap<number, BrokerAddress>): number {
  return reported < 0 && brokers.has(before.controllerId) ? before.controllerId : reported
}

/**
 * @param before - the topic's partitions so far: their leaders are not replaced by older ones
 * @param least - the minimum number of partitions
 */
function mergePartitions(
  topic: MetadataTopic,
  before: readonly PartitionSnapshot[],
  least: number,
): PartitionSnapshot[] {
  const partitions: PartitionSnapshot[] = []
  for (const p of topic.partitions) {
    if (p.partitionIndex < 0 || p.partitionIndex >= MOST_PARTITIONS) continue
    const known = before[p.partitionIndex]
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
  const count = Math.max(partitions.length, Math.min(least, before.length))
  // A response with a gap would leave a hole in the array; readers rely on every index.
  for (let i = 0; i < count; i++) partitions[i] ??= before[i] ?? missingPartition(i)
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
