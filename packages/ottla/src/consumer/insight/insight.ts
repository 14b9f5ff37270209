/** What a consumer can be asked about itself, and what it tells unasked: statistics, stalled partitions. */
import type { Cluster } from '../../cluster/cluster.ts'
import type { ClientContext } from '../../cluster/context.ts'
import type { Assignment } from '../assignment.ts'
import type { FetchQueue } from '../fetch-queue.ts'
import type { Group } from '../group/group.ts'
import type { Mailbox } from '../mailbox.ts'
import { ConsumerStatistics } from '../statistics.ts'
import { Explainer, some } from './explainer.ts'
import { StallWatch, type Stalled } from './stall-watch.ts'

export class Insight {
  readonly #context: ClientContext
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
    poller: { readonly isPolling: boolean },
    group: Group | null,
  ) {
    const { clock, settings } = context
    const isStopped = (): boolean => this.#isStopped
    const isQueueFull = (): boolean => queue.bytes >= settings['queued.max.messages.kbytes'] * 1024
    this.#context = context
    this.#statistics = new ConsumerStatistics(context, cluster, assignment, mailbox, group)
    this.#explainer = new Explainer(context, cluster, {
      get cursors() {
        return assignment.cursors
      },
      get isClosed() {
        return isStopped()
      },
      get isWaiting() {
        return poller.isPolling
      },
      isQueueFull,
      group,
    })
    this.#watch = new StallWatch(clock, settings['ottla.partition.stall.ms'], {
      get cursors() {
        return assignment.cursors
      },
      isQueueFull,
      onStalled: stalled => this.#tell(stalled),
    })
  }

  /** Why nothing arrives, a sentence for each reason. */
  explain(): string[] {
    return this.#explainer.explain()
  }

  stop(): void {
    this.#isStopped = true
    this.#statistics.stop()
    this.#watch.stop()
  }

  #tell(stalled: readonly Stalled[]): void {
    const { events, logger } = this.#context
    const unheard = new Map<string, string[]>()
    for (const { cursor, forMs } of stalled) {
      const { topic, partition, position, name } = cursor
      const reason = this.#explainer.partition(cursor)
      const stalledMs = Math.round(forMs)
      const isHeard = events.emit({ type: 'partition-stalled', topic, partition, offset: position, stalledMs, reason })
      if (!isHeard) unheard.set(reason, [...(unheard.get(reason) ?? []), name])
    }
    // One line for many: a broker that is down has many partitions.
    for (const [reason, names] of unheard) logger.warning('STALL', `${some(names)}: no broker answers: ${reason}`)
  }
}
