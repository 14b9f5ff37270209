/** The statistics of a share consumer's `stats` events, in the layout of the other clients. */
import type { Cluster } from '../../cluster/cluster.ts'
import type { ClientContext } from '../../cluster/context.ts'
import { ExtrasByBroker, plainPartition } from '../../cluster/statistics.ts'
import type { ClientCounters } from '../../observe/statistics/counters.ts'
import { StatisticsReporter } from '../../observe/statistics/reporter.ts'
import { lookAtWindow, takeWindow, type ReadWindow } from '../../observe/statistics/window.ts'
import type { GroupStatistics, PartitionStatistics, Statistics, TopicStatistics } from '../../statistics.ts'
import type { TopicPartition } from '../../types.ts'
import { readerStatistics, topicStatistics } from '../insight/statistics.ts'
import type { Mailbox } from '../read/mailbox.ts'
import type { SharePhase } from './share-states.ts'

export interface ShareStatisticsHost {
  assignment(): readonly TopicPartition[]
  readonly phase: SharePhase
}

const states: Readonly<Record<SharePhase, GroupStatistics['state']>> = {
  out: 'init',
  joining: 'wait-coord',
  member: 'up',
  parked: 'init',
  refused: 'init',
}

/** Emits them, if `statistics.interval.ms` says so, until it is stopped. */
export class ShareStatistics {
  readonly #context: ClientContext
  readonly #cluster: Cluster
  readonly #mailbox: Mailbox
  readonly #host: ShareStatisticsHost
  readonly #reporter: StatisticsReporter
  #phase: SharePhase = 'out'
  #phaseAt: number

  constructor(context: ClientContext, cluster: Cluster, mailbox: Mailbox, host: ShareStatisticsHost) {
    this.#context = context
    this.#cluster = cluster
    this.#mailbox = mailbox
    this.#host = host
    const { clock, events, settings } = context
    this.#phaseAt = clock.now()
    this.#reporter = new StatisticsReporter(clock, events, settings['statistics.interval.ms'], () =>
      this.#collect(takeWindow),
    )
  }

  stop(): void {
    this.#reporter.stop()
  }

  /** As they are now; begins no new windows. */
  look(): Statistics {
    return this.#collect(lookAtWindow)
  }

  #collect(read: ReadWindow): Statistics {
    const { clock, counters } = this.#context
    const extras = new ExtrasByBroker()
    const topics = this.#topics(counters, extras, read)
    const group = this.#group(clock.now())
    return readerStatistics(this.#context, this.#cluster, this.#mailbox, counters, extras, read, topics, group)
  }

  #topics(counters: ClientCounters, extras: ExtrasByBroker, read: ReadWindow): Record<string, TopicStatistics> {
    const { snapshot } = this.#cluster.metadata
    const partitionsOf = new Map<string, Record<string, PartitionStatistics>>()
    for (const { topic, partition } of this.#host.assignment()) {
      const partitions = partitionsOf.get(topic) ?? {}
      partitionsOf.set(topic, partitions)
      const plain = plainPartition(snapshot, counters, topic, partition)
      extras.add(topic, partition, plain.leader)
      partitions[partition] = { ...plain, desired: true }
    }
    const topics: Record<string, TopicStatistics> = {}
    for (const [topic, partitions] of partitionsOf) {
      topics[topic] = topicStatistics(this.#context, this.#cluster, counters, read, topic, partitions)
    }
    return topics
  }

  #group(now: number): GroupStatistics {
    const { phase } = this.#host
    if (phase !== this.#phase) {
      this.#phase = phase
      this.#phaseAt = now
    }
    return {
      state: states[phase],
      stateage: Math.floor(now - this.#phaseAt),
      join_state: phase === 'member' ? 'steady' : 'init',
      rebalance_age: 0,
      rebalance_cnt: 0,
      rebalance_reason: '',
      assignment_size: this.#host.assignment().length,
    }
  }
}
