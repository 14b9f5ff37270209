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
  /** Since when answers would take away something of it and have not been believed; null while none does. */
  readonly doubtedSince: number | null
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
  /** Topics of which the answer would have taken away something: other answers have to say so, too. */
  readonly doubted: readonly string[]
}

// A broker that lags behind (it has come back, or has not heard of a change yet) tells of the cluster as it was. What it
// takes away is believed once answers have said so for this long, without one between them that knows better.
const LOSS_MS = 1000
// Without topic ids a topic made anew looks like an old view of the one before it: time for views to catch up.
const LOSS_WITHOUT_IDS_MS = 30_000

/**
 * Merges a metadata response into a snapshot. All that a single answer may take away is decided here:
 * - leader epochs never go backwards (KIP-320), and partitions never become fewer, while the topic's id is the same;
 * - that a guarded topic is gone, cannot be used or is another one of the same name has to be told for a while;
 * - what it lacks about the cluster as a whole (brokers, the controller, the id) stays as it was.
 * @param complete the response speaks of every topic there is, so that those it lacks are gone
 * @param isGuarded whether something is being done with the topic; others are as the last answer says
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
    const next = old !== undefined && isGuarded(name) ? follow(old, topic, now) : take(name, topic, old, now)
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

/** A leader that a produce or fetch response named (KIP-951), if it is newer than what is known. */
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

/** The snapshot without a topic of which only an error is known. */
export function withoutError(before: Snapshot, topic: string): Snapshot {
  const known = before.topics.get(topic)
  if (known === undefined || known.errorCode === ErrorCode.ERR_NO_ERROR) return before
  const topics = new Map(before.topics)
  topics.delete(topic)
  return { ...before, topics, topicNames: namesById(topics) }
}

// Partitions are numbered without gaps from 0. A number beyond anything that a cluster holds is a lie, and would have
// room made for all that are missing below it.
const MOST_PARTITIONS = 1_000_000

type MetadataTopic = Decoded<MetadataResponse>['topics'][number]

/** The topic as the answer says it, but for leaders that are known to be older ones. */
function take(name: string, topic: MetadataTopic, old: TopicSnapshot | undefined, now: number): TopicSnapshot {
  const { topicId, isInternal, errorCode } = topic
  const partitions = mergePartitions(topic, old?.topicId === topicId ? old.partitions : [], 0)
  return { topic: name, topicId, isInternal, errorCode, partitions, updatedAt: now, doubtedSince: null }
}

/** What to make of an answer about a topic that something depends on. */
function follow(old: TopicSnapshot, topic: MetadataTopic, now: number): TopicSnapshot {
  const next = take(old.topic, topic, undefined, now)
  if (!isUsable(old)) return next
  if (!isUsable(next)) return doubt(old, old, LOSS_MS, now) ?? next
  const hasIds = old.topicId !== ZERO_UUID && next.topicId !== ZERO_UUID
  if (hasIds && old.topicId !== next.topicId) return doubt(old, old, LOSS_MS, now) ?? next
  // The same topic, or perhaps, where a broker tells no ids, another of its name.
  const topicId = next.topicId === ZERO_UUID ? old.topicId : next.topicId
  const merged = { ...next, topicId, partitions: mergePartitions(topic, old.partitions, old.partitions.length) }
  if (hasIds || !isBehind(next, old)) return merged
  return doubt(old, merged, LOSS_WITHOUT_IDS_MS, now) ?? next
}

/** What is kept, or null once the loss has to be believed. */
function doubt(old: TopicSnapshot, kept: TopicSnapshot, patienceMs: number, now: number): TopicSnapshot | null {
  const doubtedSince = old.doubtedSince ?? now
  return now - doubtedSince < patienceMs ? { ...kept, doubtedSince } : null
}

function isUsable(topic: TopicSnapshot): boolean {
  return topic.errorCode === ErrorCode.ERR_NO_ERROR && topic.partitions.length > 0
}

function isBehind(next: TopicSnapshot, old: TopicSnapshot): boolean {
  return old.partitions.some((known, i) => {
    const told = next.partitions[i]
    return told === undefined || (told.leaderEpoch >= 0 && told.leaderEpoch < known.leaderEpoch)
  })
}

// One that does not know the controller at the moment says -1.
function controllerOf(before: Snapshot, told: number, brokers: ReadonlyMap<number, BrokerAddress>): number {
  return told < 0 && brokers.has(before.controllerId) ? before.controllerId : told
}

/**
 * @param before - of the same topic: their leaders are not followed by older ones
 * @param least - as many partitions there are at least
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
  // A response with a gap would leave a hole in the array; readers count on every index being there.
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
