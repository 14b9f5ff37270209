import { ErrorCode, type Decoded, type MetadataRequest, type MetadataResponse } from '@ottla/protocol'
import { backoffMs } from '../base/backoff.ts'
import { Deadline, type Timer } from '../base/clock.ts'
import { messageOf } from '../base/unknown-error.ts'
import type { ClientContext } from './context.ts'
import {
  applyLeader,
  applyMetadata,
  emptySnapshot,
  withoutError,
  type Applied,
  type BrokerAddress,
  type Snapshot,
} from './snapshot.ts'

/** The limits of a request; see ClusterRequestOptions. */
export interface CallLimits {
  readonly deadline: Deadline
  readonly signal?: AbortSignal | undefined
  readonly failFast?: boolean | undefined
}

/** Requests metadata of any broker, with retries until the deadline. */
export type RequestMetadata = (body: MetadataRequest, options: CallLimits) => Promise<Decoded<MetadataResponse>>

export type MetadataListener = (changedTopics: ReadonlySet<string>) => void

export interface RefreshOptions extends CallLimits {
  /** Whether the request may create topics; by default as configured. */
  readonly allowAutoCreate?: boolean
  /** Resolves with the content of this response only: for applications that query the metadata. */
  readonly responseOnly?: boolean
}

// The next background refresh retries one that failed.
const BACKGROUND_TIMEOUT_MS = 60_000
// Missing topics are requested less and less often, but a new one is still noticed within moments.
const SLOWEST_FAST_REFRESH_MS = 2_000

/**
 * Keeps the metadata fresh: refreshes it at intervals (`topic.metadata.refresh.interval.ms`), and quickly when it
 * proves stale (`topic.metadata.refresh.fast.interval.ms`).
 */
export class MetadataCache {
  readonly #context: ClientContext
  readonly #request: RequestMetadata
  readonly #wanted = new Map<string, number>()
  readonly #listeners = new Set<MetadataListener>()
  readonly #due = new Set<string>()
  #everything = 0
  #snapshot: Snapshot = emptySnapshot
  #brokersDue = false
  #running = false
  #fastAttempts = 0
  #lastAsked = -Infinity
  #fast: Timer | null = null
  #regular: Timer | null = null
  #closed = false
  readonly #abort = new AbortController()

  constructor(context: ClientContext, request: RequestMetadata) {
    this.#context = context
    this.#request = request
  }

  get snapshot(): Snapshot {
    return this.#snapshot
  }

  /** Starts the first refresh and the regular ones after it. */
  start(): void {
    this.#brokersDue = true
    this.#kick(0)
    this.#planRegular()
  }

  /** Keeps a topic fresh until `unwant`; calls are counted. */
  want(topic: string): void {
    const count = this.#wanted.get(topic) ?? 0
    this.#wanted.set(topic, count + 1)
    if (count > 0) return
    // What is known of a topic that was not kept fresh may be outdated: an old error would be reported as a new one.
    this.#snapshot = withoutError(this.#snapshot, topic)
    if (this.#everything === 0 || !this.#snapshot.topics.has(topic)) this.requestRefresh('topic wanted', [topic])
  }

  unwant(topic: string): void {
    const count = this.#wanted.get(topic) ?? 0
    if (count > 1) this.#wanted.set(topic, count - 1)
    else this.#wanted.delete(topic)
  }

  /** Keeps all topics of the cluster fresh (regular expressions) until `unwantAll`; calls are counted. */
  wantAll(): void {
    this.#everything++
  }

  unwantAll(): void {
    this.#everything = Math.max(0, this.#everything - 1)
  }

  /** @returns a function that removes the listener */
  onChange(listener: MetadataListener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /**
   * Requests metadata now. Rejects at the deadline with KafkaError ERR__TIMED_OUT, or the last reason why no broker
   * could be reached.
   */
  async refresh(topics: readonly string[] | 'all' | 'wanted', options: RefreshOptions): Promise<Snapshot> {
    const names = topics === 'wanted' ? [...this.#wanted.keys()] : topics
    const complete = names === 'all'
    const { settings, kind } = this.#context
    const allowAutoTopicCreation =
      options.allowAutoCreate ?? (kind === 'producer' || settings['allow.auto.create.topics'])
    const response = await this.#request(
      { topics: complete ? null : names.map(name => ({ name })), allowAutoTopicCreation },
      options,
    )
    const now = this.#context.clock.now()
    if (!this.#closed) {
      const isGuarded = (topic: string): boolean => this.#everything > 0 || this.#wanted.has(topic)
      this.#checkCluster(response.clusterId)
      this.#apply(applyMetadata(this.#snapshot, response, now, complete, isGuarded))
    }
    return options.responseOnly === true ? applyMetadata(emptySnapshot, response, now, true).snapshot : this.#snapshot
  }

  /** Requests a refresh because the metadata proved stale: soon, in the background, one for many calls. */
  requestRefresh(reason: string, topics?: readonly string[]): void {
    if (this.#closed) return
    this.#context.logger.debug(
      'metadata',
      'REFRESH',
      `${reason}${topics === undefined ? '' : `: ${topics.join(', ')}`}`,
    )
    if (topics === undefined) this.#markWanted()
    else for (const topic of topics) this.#due.add(topic)
    const spacing = this.#fastSpacing()
    this.#kick(Math.max(0, this.#lastAsked + spacing - this.#context.clock.now()))
  }

  /** Applies a newer leader that a produce or fetch response named (KIP-951). */
  applyLeaderHint(
    topic: string,
    partition: number,
    leaderId: number,
    leaderEpoch: number,
    endpoints: readonly { nodeId: number; host: string; port: number; rack: string | null }[],
  ): void {
    const found = endpoints.find(e => e.nodeId === leaderId)
    const address: BrokerAddress | null =
      found === undefined ? null : { id: found.nodeId, host: found.host, port: found.port, rack: found.rack }
    this.#apply(applyLeader(this.#snapshot, topic, partition, leaderId, leaderEpoch, address))
  }

  close(): void {
    this.#closed = true
    this.#fast?.cancel()
    this.#regular?.cancel()
    this.#abort.abort()
    this.#listeners.clear()
  }

  #apply(applied: Applied): void {
    const before = this.#snapshot
    this.#snapshot = applied.snapshot
    if (applied.doubted.length > 0) {
      this.requestRefresh('a loss needs confirmation', this.#everything > 0 ? undefined : applied.doubted)
    }
    if (applied.changed.size === 0 && before.brokers === applied.snapshot.brokers) return
    for (const listener of this.#listeners) listener(applied.changed)
  }

  // Only logged, as in librdkafka: if a cluster was moved to other addresses, its clients should carry on.
  #checkCluster(clusterId: string | null): void {
    const known = this.#snapshot.clusterId
    if (known === null || clusterId === null || clusterId === known) return
    const text = `a broker belongs to cluster ${clusterId}, others belong to ${known}`
    this.#context.logger.error('CLUSTERID', `${text}: bootstrap.servers must name brokers of one cluster only`)
  }

  #markWanted(): void {
    this.#brokersDue = true
    for (const topic of this.#wanted.keys()) this.#due.add(topic)
  }

  #fastSpacing(): number {
    const base = this.#context.settings['topic.metadata.refresh.fast.interval.ms']
    if (this.#fastAttempts === 0) return base
    return backoffMs(this.#fastAttempts, base, Math.max(base, SLOWEST_FAST_REFRESH_MS), this.#context.random)
  }

  #planRegular(): void {
    const interval = this.#context.settings['topic.metadata.refresh.interval.ms']
    if (interval <= 0 || this.#closed) return
    this.#regular = this.#context.clock.setTimer(interval, () => {
      this.#markWanted()
      this.#kick(0)
      this.#planRegular()
    })
  }

  #kick(delayMs: number): void {
    if (this.#closed || this.#running || (this.#fast !== null && delayMs > 0)) return
    this.#fast?.cancel()
    this.#fast = null
    if (delayMs > 0) {
      this.#fast = this.#context.clock.setTimer(delayMs, () => {
        this.#fast = null
        void this.#run()
      })
    } else {
      void this.#run()
    }
  }

  async #run(): Promise<void> {
    this.#running = true
    this.#lastAsked = this.#context.clock.now()
    const topics = this.#everything > 0 && this.#brokersDue ? 'all' : [...this.#due]
    this.#due.clear()
    this.#brokersDue = false
    try {
      const deadline = Deadline.after(this.#context.clock, BACKGROUND_TIMEOUT_MS)
      await this.refresh(topics, { deadline, signal: this.#abort.signal })
    } catch (error) {
      if (!this.#closed) {
        const why = messageOf(error)
        this.#context.logger.debug('metadata', 'REFRESH', `failed: ${why}`)
        if (topics === 'all') this.#brokersDue = true
        else for (const topic of topics) this.#due.add(topic)
      }
    }
    this.#running = false
    if (this.#closed) return
    const unsettled = this.#unsettledTopics()
    for (const topic of unsettled) this.#due.add(topic)
    if (this.#due.size === 0 && !this.#brokersDue) {
      this.#fastAttempts = 0
      return
    }
    this.#fastAttempts++
    this.#kick(this.#fastSpacing())
  }

  // Wanted topics that cannot be used yet: missing, or without a leader.
  #unsettledTopics(): string[] {
    const unsettled: string[] = []
    for (const topic of this.#wanted.keys()) {
      const known = this.#snapshot.topics.get(topic)
      const usable =
        known !== undefined &&
        known.errorCode === ErrorCode.ERR_NO_ERROR &&
        known.partitions.every(partition => partition.leader >= 0)
      if (!usable) unsettled.push(topic)
    }
    return unsettled
  }
}
