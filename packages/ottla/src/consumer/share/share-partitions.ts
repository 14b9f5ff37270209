/** The partitions that a share consumer is assigned: their topics, leaders, and pauses. */
import { backoffMs } from '../../base/backoff.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import type { ClientContext } from '../../cluster/context.ts'
import { keyOf, type IdPartition } from './share-session.ts'

export class SharePartitions {
  readonly #context: ClientContext
  readonly #cluster: Cluster
  readonly #pausedUntil = new Map<string, number>()
  assigned: readonly IdPartition[] = []

  constructor(context: ClientContext, cluster: Cluster) {
    this.#context = context
    this.#cluster = cluster
  }

  /** Undefined while the metadata has no topic of this id. */
  topicOf({ topicId }: IdPartition): string | undefined {
    return this.#cluster.metadata.snapshot.topicNames.get(topicId)
  }

  /** Broker id; -1 while none is known. */
  leaderOf(each: IdPartition): number {
    const { topics } = this.#cluster.metadata.snapshot
    return topics.get(this.topicOf(each) ?? '')?.partitions[each.partition]?.leader ?? -1
  }

  /**
   * The assigned partitions that a broker leads, of topics that are wanted: after another `subscribe`, some are still
   * assigned for a moment whose messages would be released, and come again at once.
   */
  ledBy(broker: number, isWanted: (topic: string) => boolean): IdPartition[] {
    return this.assigned.filter(each => this.leaderOf(each) === broker && isWanted(this.topicOf(each) ?? ''))
  }

  /** Whether another broker leads the partition: it gives to others what `broker` has locked. */
  hasMovedFrom(broker: number, each: IdPartition): boolean {
    const leader = this.leaderOf(each)
    return leader >= 0 && leader !== broker
  }

  /** Does not fetch the partition for `fetch.error.backoff.ms`. */
  pause(each: IdPartition): void {
    const { settings, clock, random } = this.#context
    const ms = settings['fetch.error.backoff.ms']
    this.#pausedUntil.set(keyOf(each), clock.now() + backoffMs(1, ms, ms, random))
  }

  /** Monotonic ms. */
  pausedUntil(each: IdPartition): number {
    return this.#pausedUntil.get(keyOf(each)) ?? 0
  }

  /** A fetch of the partition has succeeded. @returns whether it had been paused */
  fetched(each: IdPartition): boolean {
    return this.#pausedUntil.delete(keyOf(each))
  }
}
