/** Puts a consumer together. */
import type { Deadline } from '../base/clock.ts'
import { Cluster } from '../cluster/cluster.ts'
import { consumerTelemetry } from '../cluster/telemetry/sources.ts'
import type { ClientContext } from '../cluster/context.ts'
import type { KafkaError } from '../errors.ts'
import { FetchQueue, queueLimits } from './fetch/fetch-queue.ts'
import { Fetcher } from './fetch/fetcher.ts'
import type { Strategy } from './group/assignors/strategies.ts'
import { ConsumedTopics } from './group/consumed-topics.ts'
import { Group } from './group/group.ts'
import { Insight } from './insight/insight.ts'
import { Committer } from './offsets/committer.ts'
import { OffsetResolver } from './offsets/offset-reset.ts'
import { OffsetValidator } from './offsets/offset-validation.ts'
import type { ConsumerOptions } from './options.ts'
import { Ownership } from './ownership.ts'
import { Assignment } from './partition/assignment.ts'
import type { Cursor } from './partition/cursor.ts'
import { RunningJobs } from './read/running-jobs.ts'
import { DecodeBackoff } from './read/decode-backoff.ts'
import { decodingOf, type Decoding } from './read/decoding.ts'
import { intercepting } from './read/interceptors.ts'
import { Mailbox } from './read/mailbox.ts'
import { Reader } from './read/reader.ts'
import { Runs } from './run/runs.ts'

/** What the parts need from their consumer. */
export interface PartsHost {
  isClosing(): boolean
  closedError(): KafkaError
  /** The deadline of `close`; null before it is called. */
  closesAt(): Deadline | null
  /** Throws when the consumer is closed. */
  requireOpen(): void
}

export class ConsumerParts<K, V> {
  readonly context: ClientContext
  readonly cluster: Cluster
  readonly mailbox: Mailbox
  readonly queue: FetchQueue
  readonly assignment: Assignment
  readonly reader: Reader<K, V>
  readonly topics: ConsumedTopics
  readonly group: Group | null
  readonly committer: Committer | null
  readonly ownership: Ownership
  readonly runningJobs: RunningJobs
  readonly runs: Runs<K, V>
  readonly insight: Insight
  readonly #resolver: OffsetResolver
  readonly #fetcher: Fetcher
  readonly #validator: OffsetValidator
  readonly #backoff: DecodeBackoff
  readonly #host: PartsHost

  constructor(
    context: ClientContext,
    strategies: readonly Strategy[],
    options: ConsumerOptions<unknown, unknown>,
    host: PartsHost,
  ) {
    const { settings } = context
    const cluster = new Cluster(context)
    const fetchMore = (): void => this.#fetcher.kick()
    this.context = context
    this.cluster = cluster
    this.#host = host
    this.mailbox = new Mailbox(context.clock)
    this.runningJobs = new RunningJobs(context.clock, settings['max.poll.interval.ms'])
    this.queue = new FetchQueue(queueLimits(settings), {
      onReady: () => this.mailbox.wake(),
      onRoom: fetchMore,
      onEnd: ({ topic, partition }, offset) => context.events.emit({ type: 'partition-eof', topic, partition, offset }),
      onGap: (cursor, from, to) => this.#reportGap(cursor, from, to),
      onCorrupt: (cursor, error) => this.#fetcher.corrupt(cursor, error),
    })
    this.#backoff = new DecodeBackoff(
      {
        clock: context.clock,
        random: context.random,
        warn: error => context.logger.warning('DECODE', `${error.name}: ${error.message}`),
      },
      this.queue,
    )
    const assignment = new Assignment(cluster.metadata, this.queue, settings['enable.auto.offset.store'])
    this.assignment = assignment
    this.topics = new ConsumedTopics(context, cluster, {
      get cursors() {
        return assignment.cursors
      },
      subscription: () => this.group?.subscription ?? null,
      onRecreated: topic => this.#resolver.restartTopic(topic, cursor => this.queue.forget(cursor)),
    })
    const { raise } = this.topics
    this.#resolver = new OffsetResolver(context, cluster, {
      get cursors() {
        return assignment.cursors
      },
      onResolved: fetchMore,
      membership: () => this.group?.epoch() ?? null,
      onRefused: (code, epoch) => this.group?.onRefused('OffsetFetch', code, epoch),
      raise,
    })
    this.#fetcher = new Fetcher(context, cluster, assignment, this.queue, {
      reset: (cursor, reason) => this.#resolver.reset(cursor, reason),
      validate: () => this.#validator.kick(),
      raise,
    })
    this.#validator = new OffsetValidator(context, cluster, this.queue, {
      get cursors() {
        return assignment.cursors
      },
      firstOpen: cursor => this.ownership.hooks?.firstOpen(cursor) ?? null,
      onValidated: fetchMore,
      reset: (cursor, reason) => this.#resolver.reset(cursor, reason),
      raise,
    })
    const groupId = settings['group.id']
    this.group = groupId === undefined ? null : this.#makeGroup(groupId, strategies)
    const idOf = (topic: string): string | null => this.topics.idOf(topic)
    this.committer = this.group === null ? null : new Committer(context, cluster, this.group, assignment, idOf)
    const added = (): void => this.#onAdded()
    const closesAt = (): Deadline | null => host.closesAt()
    this.ownership = new Ownership(context, assignment, this.queue, this.committer, added, fetchMore, closesAt)
    const intercept = intercepting(context, options.interceptors)
    this.reader = this.#makeReader(decodingOf(options, intercept))
    const parts = [context, this.reader, this.mailbox, this.ownership, this.runningJobs, this.group] as const
    this.runs = new Runs<K, V>(() => host.requireOpen(), ...parts)
    const seen = [this.queue, this.mailbox, this.reader, this.group, this.runningJobs] as const
    this.insight = new Insight(context, cluster, assignment, ...seen)
    cluster.telemetry.source = consumerTelemetry(
      settings,
      () => this.group?.memberId ?? '',
      () => assignment.cursors.length,
    )
    context.events.subscribe(event => this.mailbox.onEvent(event))
    cluster.metadata.onChange(() => this.#onMetadata())
  }

  start(): void {
    this.committer?.start()
    this.cluster.start()
  }

  /** No more timers and requests. */
  async stop(): Promise<void> {
    this.#backoff.close()
    this.ownership.end()
    this.group?.stop()
    this.topics.stop()
    this.insight.stop()
    await this.cluster.end()
    await Promise.all([this.#fetcher.close(), this.#resolver.close(), this.#validator.close()])
  }

  #makeGroup(groupId: string, strategies: readonly Strategy[]): Group {
    const { context, cluster } = this
    return new Group(
      { context, cluster, groupId, strategies },
      {
        partitions: () => this.assignment.partitions(),
        assign: (partitions, adds) =>
          adds ? this.ownership.addMissing(partitions) : this.ownership.replace(partitions, false),
        release: (partitions, lost) => this.ownership.releasePartitions(partitions, lost),
        onCallbacks: () => this.mailbox.interrupt(),
        raise: this.topics.raise,
        polls: () => this.reader.polls,
        isPolling: () => this.reader.isPolling,
        runningJobs: this.runningJobs,
        beforeEviction: async () => this.ownership.hooks?.beforeEviction(),
      },
    )
  }

  #makeReader(decoding: Decoding | null): Reader<K, V> {
    const { settings, clock } = this.context
    const host = {
      isClosing: () => this.#host.isClosing(),
      hasCallbacks: () => this.group?.hasCallbacks ?? false,
      runCallbacks: async () => this.group?.runCallbacks(),
      closedError: () => this.#host.closedError(),
      trouble: () => this.cluster.connectionError ?? this.#waitsFor(),
      backoff: this.#backoff,
      runningJobs: this.runningJobs,
      idle: this.context.counters.pushed.idle,
    }
    const stores = settings['enable.auto.offset.store']
    return new Reader<K, V>(clock, this.queue, this.mailbox, this.runningJobs, host, decoding, stores)
  }

  /** Why a message cannot be deserialized yet. */
  #waitsFor(): KafkaError | null {
    return this.assignment.cursors.find(({ waitsFor }) => waitsFor !== null)?.waitsFor ?? null
  }

  #reportGap({ topic, partition, fetching }: Cursor, from: number, to: number): void {
    const { events } = this.context
    if (!events.isListenedTo('gap')) return
    const offsets = { firstOffset: from, lastOffset: to - 1, highWatermark: fetching.high }
    events.emit({ type: 'gap', topic, partition, ...offsets })
  }

  #onAdded(): void {
    this.#resolver.kick()
    this.#fetcher.kick()
    this.topics.check()
  }

  #onMetadata(): void {
    this.#onAdded()
    this.group?.onMetadata()
  }
}
