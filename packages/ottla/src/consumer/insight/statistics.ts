/** The statistics of a consumer's `stats` events. */
import type { Cluster } from '../../cluster/cluster.ts'
import type { ClientContext } from '../../cluster/context.ts'
import { commonStatistics, ExtrasByBroker, plainPartition } from '../../cluster/statistics.ts'
import type { ClientCounters } from '../../observe/statistics/counters.ts'
import { StatisticsReporter } from '../../observe/statistics/reporter.ts'
import { lookAtWindow, takeWindow, type ReadWindow } from '../../observe/statistics/window.ts'
import type { GroupStatistics, PartitionStatistics, Statistics, TopicStatistics } from '../../statistics.ts'
import type { RebalanceEventNotice } from '../../types.ts'
import type { Group } from '../group/group.ts'
import type { Assignment } from '../partition/assignment.ts'
import type { Cursor, CursorState } from '../partition/cursor.ts'
import type { Mailbox } from '../read/mailbox.ts'

const fetchStates: Readonly<Record<CursorState, PartitionStatistics['fetch_state']>> = {
  stopped: 'stopped',
  'stored-query': 'offset-query',
  'offset-query': 'offset-query',
  validating: 'validate-epoch-wait',
  active: 'active',
}

/** Emits them, if `statistics.interval.ms` says so, until it is stopped. */
export class ConsumerStatistics {
  readonly #context: ClientContext
  readonly #cluster: Cluster
  readonly #assignment: Assignment
  readonly #mailbox: Mailbox
  readonly #group: Group | null
  readonly #reporter: StatisticsReporter
  #rebalances = 0
  #rebalancedAt = -1
  #rebalanceReason = ''
  #groupState: GroupStatistics['state'] = 'init'
  #groupStateAt: number

  constructor(context: ClientContext, cluster: Cluster, assignment: Assignment, mailbox: Mailbox, group: Group | null) {
    const { clock, events, settings } = context
    this.#context = context
    this.#cluster = cluster
    this.#assignment = assignment
    this.#mailbox = mailbox
    this.#group = group
    this.#groupStateAt = clock.now()
    const intervalMs = settings['statistics.interval.ms']
    this.#reporter = new StatisticsReporter(clock, events, intervalMs, () => this.#collect(takeWindow))
    events.on('rebalance', ({ event }) => this.#onRebalance(event))
  }

  stop(): void {
    this.#reporter.stop()
  }

  #onRebalance({ type }: RebalanceEventNotice['event']): void {
    this.#rebalances++
    this.#rebalancedAt = this.#context.clock.now()
    this.#rebalanceReason = type
  }

  /** As they are now; begins no new windows. */
  look(): Statistics {
    return this.#collect(lookAtWindow)
  }

  #collect(read: ReadWindow): Statistics {
    const { clock, counters } = this.#context
    const extras = new ExtrasByBroker()
    const topics: Record<string, TopicStatistics> = {}
    for (const topic of new Set([...counters.topics.keys(), ...this.#assignment.cursors.map(c => c.topic)])) {
      topics[topic] = this.#topic(topic, counters, extras, read)
    }
    const group = this.#group === null ? null : this.#groupStatistics(this.#group, clock.now())
    return readerStatistics(this.#context, this.#cluster, this.#mailbox, counters, extras, read, topics, group)
  }

  #topic(topic: string, counters: ClientCounters, extras: ExtrasByBroker, read: ReadWindow): TopicStatistics {
    const { snapshot } = this.#cluster.metadata
    const counted = counters.topic(topic)
    const partitions: Record<string, PartitionStatistics> = {}
    for (const partition of counted.partitions.keys()) {
      partitions[partition] = plainPartition(snapshot, counters, topic, partition)
    }
    for (const cursor of this.#assignment.cursors) {
      if (cursor.topic !== topic) continue
      const plain = plainPartition(snapshot, counters, topic, cursor.partition)
      const broker = cursor.fetching.preferredReplica >= 0 ? cursor.fetching.preferredReplica : plain.leader
      extras.add(topic, cursor.partition, broker)
      partitions[cursor.partition] = { ...plain, broker, ...this.#cursor(cursor) }
    }
    return topicStatistics(this.#context, this.#cluster, counters, read, topic, partitions)
  }

  #cursor(cursor: Cursor): Partial<PartitionStatistics> {
    const { stored, storedLeaderEpoch, committed } = cursor.offsets
    const { low, high, lastStable, reportedEnd } = cursor.fetching
    const end = this.#context.settings['isolation.level'] === 'read_committed' ? lastStable : high
    return {
      desired: true,
      fetchq_cnt: cursor.queued.messages,
      fetchq_size: cursor.queued.bytes,
      fetch_state: fetchStates[cursor.state],
      query_offset: cursor.target,
      next_offset: cursor.fetchOffset,
      app_offset: cursor.position,
      stored_offset: stored,
      stored_leader_epoch: storedLeaderEpoch,
      commited_offset: committed,
      committed_offset: committed,
      eof_offset: reportedEnd,
      lo_offset: low,
      hi_offset: high,
      ls_offset: lastStable,
      consumer_lag: lagOf(committed, end),
      consumer_lag_stored: lagOf(stored, end),
    }
  }

  #groupStatistics(group: Group, now: number): GroupStatistics {
    const state = group.subscription === null ? 'init' : group.memberId === '' ? 'wait-coord' : 'up'
    if (state !== this.#groupState) {
      this.#groupState = state
      this.#groupStateAt = now
    }
    return {
      state,
      stateage: Math.floor(now - this.#groupStateAt),
      join_state: group.joinState,
      rebalance_age: this.#rebalancedAt < 0 ? 0 : Math.floor(now - this.#rebalancedAt),
      rebalance_cnt: this.#rebalances,
      rebalance_reason: this.#rebalanceReason,
      assignment_size: this.#assignment.size,
    }
  }
}

export function topicStatistics(
  { clock }: ClientContext,
  { metadata }: Cluster,
  counters: ClientCounters,
  read: ReadWindow,
  topic: string,
  partitions: Record<string, PartitionStatistics>,
): TopicStatistics {
  const now = clock.now()
  const counted = counters.topic(topic)
  const updatedAt = metadata.snapshot.topics.get(topic)?.updatedAt
  return {
    topic,
    age: Math.floor(now - counted.since),
    metadata_age: updatedAt === undefined ? -1 : Math.floor(now - updatedAt),
    batchsize: read(counted.batchSize),
    batchcnt: read(counted.batchCount),
    partitions,
  }
}

/** In librdkafka's order; a reader has no messages to send. */
export function readerStatistics(
  context: ClientContext,
  cluster: Cluster,
  mailbox: Mailbox,
  counters: ClientCounters,
  extras: ExtrasByBroker,
  read: ReadWindow,
  topics: Record<string, TopicStatistics>,
  group: GroupStatistics | null,
): Statistics {
  const { name, client_id, type, ts, time, age, ...rest } = commonStatistics(context, cluster, counters, extras, read)
  return {
    name,
    client_id,
    type,
    ts,
    time,
    age,
    replyq: mailbox.length,
    msg_cnt: 0,
    msg_size: 0,
    msg_max: 0,
    msg_size_max: 0,
    ...rest,
    topics,
    ...(group === null ? {} : { cgrp: group }),
  }
}

// -1: unknown, as in librdkafka.
function lagOf(offset: number, end: number): number {
  return offset < 0 || end < 0 || offset > end ? -1 : end - offset
}
