/** What a consumer reports about itself: explain(), statistics, stalled partitions. */
import { addToGroup } from '../../base/grouping.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import type { ClientContext } from '../../cluster/context.ts'
import { ClientInsight, some } from '../../cluster/insight.ts'
import type { FetchQueue } from '../fetch/fetch-queue.ts'
import type { Group } from '../group/group.ts'
import type { Assignment } from '../partition/assignment.ts'
import { Cursor } from '../partition/cursor.ts'
import type { RunningJobs } from '../read/running-jobs.ts'
import type { Mailbox } from '../read/mailbox.ts'
import { Explainer } from './explainer.ts'
import { StallWatch, type Stalled } from './stall-watch.ts'
import { ConsumerStatistics } from './statistics.ts'

export class Insight {
  /** What it says when it is asked. */
  readonly client: ClientInsight
  readonly #context: ClientContext
  readonly #runningJobs: RunningJobs
  readonly #statistics: ConsumerStatistics
  readonly #explainer: Explainer
  readonly #watch: StallWatch
  #isStopped = false

  constructor(
    context: ClientContext,
    cluster: Cluster,
    assignment: Assignment,
    queue: FetchQueue,
    mailbox: Mailbox,
    reader: { readonly isPolling: boolean },
    group: Group | null,
    runningJobs: RunningJobs,
  ) {
    const { clock, settings } = context
    const isStopped = (): boolean => this.#isStopped
    const isQueueFull = (): boolean => queue.bytes >= settings['queued.max.messages.kbytes'] * 1024
    this.#context = context
    this.#runningJobs = runningJobs
    this.#statistics = new ConsumerStatistics(context, cluster, assignment, mailbox, group)
    this.#explainer = new Explainer(context, cluster, {
      get cursors() {
        return assignment.cursors
      },
      get isClosed() {
        return isStopped()
      },
      get isWaiting() {
        return reader.isPolling
      },
      isQueueFull,
      group,
      runningJobs,
    })
    this.client = new ClientInsight(context, {
      conditions: () => this.#explainer.conditions(),
      explain: () => this.#explainer.explain(),
      statistics: () => this.#statistics.look(),
    })
    this.#watch = new StallWatch(clock, settings['ottla.partition.stall.ms'], settings['max.poll.interval.ms'], {
      get cursors() {
        return assignment.cursors
      },
      isQueueFull,
      longerThan: ms => runningJobs.longerThan(ms),
      onStalled: stalled => this.#report(stalled),
    })
  }

  stop(): void {
    this.#isStopped = true
    this.client.stop()
    this.#statistics.stop()
    this.#watch.stop()
  }

  #report(stalled: readonly Stalled[]): void {
    const { events, logger } = this.#context
    const unobserved = new Map<string, string[]>()
    for (const { cause, offset, forMs } of stalled) {
      const { topic, partition, name } = cause instanceof Cursor ? cause : cause.place
      const reason = cause instanceof Cursor ? this.#explainer.partition(cause) : this.#runningJobs.describe(cause)
      const stalledMs = Math.round(forMs)
      if (events.emit({ type: 'partition-stalled', topic, partition, offset, stalledMs, reason })) continue
      const line = cause instanceof Cursor ? `no broker answers: ${reason}` : reason
      addToGroup(unobserved, line, name)
    }
    // One line for many partitions: a broker that is down leads many.
    for (const [line, names] of unobserved) logger.warning('STALL', `${some(names)}: ${line}`)
  }
}
