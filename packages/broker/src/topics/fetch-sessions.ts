/** Fetch sessions of one broker (KIP-227): it remembers a client's partitions, so that requests only name changes. */
import { ErrorCode, type Decoded, type FetchRequest } from '@ottla/protocol'
import type { Clock } from '../base/clock.ts'

/** One partition as a client fetches it. */
export interface FetchedPartition {
  /** The topic's name; from version 13 on its id instead. */
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly currentLeaderEpoch: number
  readonly fetchOffset: number
  readonly lastFetchedEpoch: number
  readonly partitionMaxBytes: number
}

interface SessionPartition {
  requested: FetchedPartition
  /** As the client last got it; -1 if it got nothing yet, or an error. */
  highWatermark: number
  logStartOffset: number
}

interface FetchSession {
  readonly id: number
  readonly usesTopicIds: boolean
  /** Epoch of the next request. */
  epoch: number
  /** ms since the epoch. */
  usedAt: number
  readonly partitions: Map<string, SessionPartition>
}

/** What the session has to know of a partition's response. */
export interface PartitionResult {
  readonly errorCode: number
  readonly highWatermark: number
  readonly logStartOffset: number
  /** Whether it has more than offsets: records, a preferred replica, a diverging epoch. */
  readonly hasMore: boolean
}

/** One fetch: all partitions to read, and which of them the response has to include. */
export interface FetchPlan {
  readonly partitions: readonly FetchedPartition[]
  /** The client's session from now on, 0 for none. */
  readonly sessionId: number
  /** Whether the response has to include the partition; remembers what the client gets. */
  mustInclude(requested: FetchedPartition, result: PartitionResult): boolean
}

const INITIAL_EPOCH = 0
const FINAL_EPOCH = -1
const LAST_EPOCH = 2 ** 31 - 1
// Kafka's default for max.incremental.fetch.session.cache.slots.
const MAX_SESSIONS = 1000
// How long a session has to be idle before another may take its place.
const EVICTION_MS = 120_000

export class FetchSessions {
  readonly #clock: Clock
  readonly #sessions = new Map<number, FetchSession>()
  #nextId = 1

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#sessions.size
  }

  /** @returns the partitions to fetch, or the error code of the whole response */
  plan(request: Decoded<FetchRequest>, version: number): FetchPlan | number {
    const { sessionId, sessionEpoch } = request
    const usesTopicIds = version >= 13
    const requested = requestedPartitions(request)
    if (version < 7) return sessionless(requested)
    if (sessionEpoch === INITIAL_EPOCH || sessionEpoch === FINAL_EPOCH) {
      this.#sessions.delete(sessionId)
      if (sessionEpoch === FINAL_EPOCH || requested.length === 0) return sessionless(requested)
      return this.#begin(requested, usesTopicIds)
    }
    const session = this.#sessions.get(sessionId)
    if (session === undefined) return ErrorCode.ERR_FETCH_SESSION_ID_NOT_FOUND
    if (session.epoch !== sessionEpoch) return ErrorCode.ERR_INVALID_FETCH_SESSION_EPOCH
    if (session.usesTopicIds !== usesTopicIds) return ErrorCode.ERR_FETCH_SESSION_TOPIC_ID_ERROR
    return this.#continue(session, request, requested)
  }

  clear(): void {
    this.#sessions.clear()
  }

  #begin(requested: readonly FetchedPartition[], usesTopicIds: boolean): FetchPlan {
    if (!this.#hasRoom()) return sessionless(requested)
    const session: FetchSession = {
      id: this.#nextId++,
      usesTopicIds,
      epoch: 1,
      usedAt: this.#clock.now(),
      partitions: new Map(),
    }
    for (const each of requested)
      session.partitions.set(keyOf(each), { requested: each, highWatermark: -1, logStartOffset: -1 })
    this.#sessions.set(session.id, session)
    return {
      partitions: requested,
      sessionId: session.id,
      mustInclude: (each, result) => {
        update(session, each, result)
        return true
      },
    }
  }

  #continue(session: FetchSession, request: Decoded<FetchRequest>, changed: readonly FetchedPartition[]): FetchPlan {
    session.epoch = session.epoch === LAST_EPOCH ? 1 : session.epoch + 1
    session.usedAt = this.#clock.now()
    for (const { topic, topicId, partitions } of request.forgottenTopicsData) {
      for (const partition of partitions) session.partitions.delete(keyOf({ topic, topicId, partition }))
    }
    for (const each of changed) {
      const known = session.partitions.get(keyOf(each))
      if (known === undefined)
        session.partitions.set(keyOf(each), { requested: each, highWatermark: -1, logStartOffset: -1 })
      else known.requested = each
    }
    if (session.partitions.size === 0) {
      this.#sessions.delete(session.id)
      return sessionless([])
    }
    return {
      partitions: Array.from(session.partitions.values(), ({ requested }) => requested),
      sessionId: session.id,
      mustInclude: (each, result) => update(session, each, result),
    }
  }

  #hasRoom(): boolean {
    if (this.#sessions.size < MAX_SESSIONS) return true
    const limit = this.#clock.now() - EVICTION_MS
    for (const session of this.#sessions.values()) if (session.usedAt < limit) this.#sessions.delete(session.id)
    return this.#sessions.size < MAX_SESSIONS
  }
}

function keyOf({ topic, topicId, partition }: Pick<FetchedPartition, 'topic' | 'topicId' | 'partition'>): string {
  return `${topic}/${topicId}/${partition}`
}

function requestedPartitions(request: Decoded<FetchRequest>): FetchedPartition[] {
  const all: FetchedPartition[] = []
  for (const { topic, topicId, partitions } of request.topics) {
    for (const each of partitions) {
      const { partition, currentLeaderEpoch, fetchOffset, lastFetchedEpoch, partitionMaxBytes } = each
      all.push({ topic, topicId, partition, currentLeaderEpoch, fetchOffset, lastFetchedEpoch, partitionMaxBytes })
    }
  }
  return all
}

function sessionless(partitions: readonly FetchedPartition[]): FetchPlan {
  return { partitions, sessionId: 0, mustInclude: () => true }
}

// Returns whether the client does not know it yet.
function update(session: FetchSession, requested: FetchedPartition, result: PartitionResult): boolean {
  const key = keyOf(requested)
  const known = session.partitions.get(key)
  if (known === undefined) return true
  const failed = result.errorCode !== ErrorCode.ERR_NO_ERROR
  const isNew =
    failed ||
    result.hasMore ||
    known.highWatermark !== result.highWatermark ||
    known.logStartOffset !== result.logStartOffset
  known.highWatermark = failed ? -1 : result.highWatermark
  known.logStartOffset = failed ? -1 : result.logStartOffset
  if (result.hasMore) {
    // Next time the partitions without data come first.
    session.partitions.delete(key)
    session.partitions.set(key, known)
  }
  return isNew
}
