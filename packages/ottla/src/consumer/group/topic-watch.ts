/** Watches the wanted topics: which are missing, which may not be read, which have been recreated. */
import { ErrorCode, ZERO_UUID } from '@ottla/protocol'
import type { Timer } from '../../base/clock.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import type { ClientContext } from '../../cluster/context.ts'
import { KafkaError } from '../../errors.ts'
import { ErrorThrottle } from '../../observe/error-throttle.ts'
import type { TopicPartition } from '../../types.ts'

/** What the watch needs from its consumer. */
export interface TopicWatchHost {
  /** The topics that the application has named. */
  namedTopics(): ReadonlySet<string>
  /** The assigned partitions. */
  partitions(): readonly TopicPartition[]
  /** A topic was deleted and recreated. */
  onRecreated(topic: string): void
  /** Reports an error, perhaps of a topic, to the application. */
  raise(error: KafkaError, topic?: string): void
  /** The same for a topic name that may be a mistake: readers reject, whatever else there is to read. */
  reject(error: KafkaError): void
}

// How often to check a topic that may not be read, or that lacks an assigned partition.
const REPEAT_MS = 1000
// An assignment may be ahead of the metadata: a partition is missing only after this time.
const DOUBT_MS = 500

/**
 * Reports missing topics and partitions once; forbidden topics for as long as they are forbidden, but ever more rarely
 * (observe/error-throttle.ts).
 */
export class TopicWatch {
  readonly #context: ClientContext
  readonly #cluster: Cluster
  readonly #host: TopicWatchHost
  readonly #errorThrottle: ErrorThrottle
  readonly #reportedMissing = new Set<string>()
  /** Topics that have existed. */
  readonly #seen = new Set<string>()
  /** Assigned partitions that the metadata lacks: since when, or Infinity once reported. */
  #missingPartitions = new Map<string, number>()
  /** Ids of the topics that are assigned. */
  #ids = new Map<string, string>()
  #repeat: Timer | null = null
  #stopped = false

  constructor(context: ClientContext, cluster: Cluster, host: TopicWatchHost) {
    this.#context = context
    this.#cluster = cluster
    this.#host = host
    this.#errorThrottle = new ErrorThrottle(context.clock)
  }

  /** Checks the topics against the current metadata. */
  check(): void {
    if (this.#stopped) return
    const { topics } = this.#cluster.metadata.snapshot
    const assigned = new Set(this.#host.partitions().map(({ topic }) => topic))
    const wanted = new Set([...this.#host.namedTopics(), ...assigned])
    for (const name of this.#reportedMissing) if (!wanted.has(name)) this.#reportedMissing.delete(name)
    for (const name of this.#seen) if (!wanted.has(name)) this.#seen.delete(name)
    let isAnyForbidden = false
    for (const name of wanted) {
      const code = topics.get(name)?.errorCode ?? this.#codeOfUnknown(name)
      if (code === ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED) {
        isAnyForbidden = true
        const error = KafkaError.of(code, `topic ${name}`)
        if (this.#errorThrottle.shouldReport(name, error)) this.#host.raise(error, name)
      } else if (code === ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART || code === ErrorCode.ERR_TOPIC_EXCEPTION) {
        if (this.#reportedMissing.has(name)) continue
        this.#reportedMissing.add(name)
        const error = KafkaError.of(code, `topic ${name}`)
        if (this.#seen.has(name)) this.#host.raise(error, name)
        else this.#host.reject(error)
      } else if (code === ErrorCode.ERR_NO_ERROR) {
        this.#seen.add(name)
        this.#reportedMissing.delete(name)
        this.#errorThrottle.resolved(name)
      }
    }
    this.#checkIds(assigned)
    const isAnyDoubted = this.#checkPartitions(this.#context.clock.now())
    this.#repeat?.cancel()
    this.#repeat = isAnyForbidden || isAnyDoubted ? this.#context.clock.setTimer(REPEAT_MS, () => this.check()) : null
  }

  /** A topic that was known and is missing from the metadata has been deleted. */
  #codeOfUnknown(name: string): number | undefined {
    return this.#ids.has(name) ? ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART : undefined
  }

  /** The id of the topic that positions are for; null where none is known. */
  idOf(name: string): string | null {
    const id = this.#ids.get(name) ?? this.#cluster.metadata.snapshot.topics.get(name)?.topicId ?? ZERO_UUID
    return id === ZERO_UUID ? null : id
  }

  #checkIds(assigned: ReadonlySet<string>): void {
    const { topics } = this.#cluster.metadata.snapshot
    const before = this.#ids
    this.#ids = new Map()
    for (const name of assigned) {
      const known = before.get(name)
      const id = topics.get(name)?.topicId ?? ZERO_UUID
      // Brokers before 2.8 have no topic ids; neither has a missing topic.
      const now = id === ZERO_UUID ? known : id
      if (now !== undefined) this.#ids.set(name, now)
      if (known !== undefined && now !== known) this.#host.onRecreated(name)
    }
  }

  /** @returns whether a partition is missing that later metadata may have */
  #checkPartitions(now: number): boolean {
    const { metadata } = this.#cluster
    const missing = new Map<string, number>()
    const doubted = new Set<string>()
    for (const { topic, partition } of this.#host.partitions()) {
      const known = metadata.snapshot.topics.get(topic)
      if (known?.errorCode !== ErrorCode.ERR_NO_ERROR || partition < known.partitions.length) continue
      const name = `${topic} [${partition}]`
      const since = this.#missingPartitions.get(name) ?? now
      const isReported = since === Infinity
      const isSure = known.updatedAt - since >= DOUBT_MS
      missing.set(name, isSure ? Infinity : since)
      if (isSure) this.#host.raise(KafkaError.of(ErrorCode.ERR__UNKNOWN_PARTITION, name), topic)
      else if (!isReported) doubted.add(topic)
    }
    this.#missingPartitions = missing
    if (doubted.size > 0) metadata.requestRefresh('an assigned partition is missing', [...doubted])
    return doubted.size > 0
  }

  stop(): void {
    this.#stopped = true
    this.#repeat?.cancel()
  }
}
