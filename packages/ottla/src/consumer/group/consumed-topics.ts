/** The topics that a consumer reads, and the errors that the application gets about them. */
import type { Cluster } from '../../cluster/cluster.ts'
import type { ClientContext } from '../../cluster/context.ts'
import type { KafkaError } from '../../errors.ts'
import type { Cursor } from '../partition/cursor.ts'
import { reportError } from '../read/reader-errors.ts'
import type { Subscription } from './subscription.ts'
import { TopicWatch } from './topic-watch.ts'
import { WantedTopics } from './wanted-topics.ts'

export interface ConsumedTopicsHost {
  /** The assigned partitions. */
  readonly cursors: readonly Cursor[]
  subscription(): Subscription | null
  /** A topic was deleted and recreated. */
  onRecreated(topic: string): void
}

export class ConsumedTopics {
  readonly #watch: TopicWatch
  /** Reports an error to the application. @param topic the topic that it concerns, if any */
  readonly raise: (error: KafkaError, topic?: string) => void

  constructor(context: ClientContext, cluster: Cluster, host: ConsumedTopicsHost) {
    const wanted = new WantedTopics(cluster.metadata, host, () => host.subscription())
    this.raise = (error, topic) => reportError(context, error, wanted, topic)
    this.#watch = new TopicWatch(context, cluster, {
      namedTopics: () => wanted.named(),
      partitions: () => host.cursors,
      onRecreated: topic => host.onRecreated(topic),
      reject: error => reportError(context, error),
      raise: this.raise,
    })
  }

  /** Checks the topics against the current metadata. */
  check(): void {
    this.#watch.check()
  }

  /** See TopicWatch. */
  idOf(topic: string): string | null {
    return this.#watch.idOf(topic)
  }

  stop(): void {
    this.#watch.stop()
  }
}
