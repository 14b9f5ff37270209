/** The topics that a consumer reads, and what its program is told of them. */
import type { Cluster } from '../../cluster/cluster.ts'
import type { ClientContext } from '../../cluster/context.ts'
import type { KafkaError } from '../../errors.ts'
import type { Cursor } from '../partition/cursor.ts'
import { tellError } from '../read/reader-errors.ts'
import type { Subscription } from './subscription.ts'
import { TopicWatch } from './topic-watch.ts'
import { WantedTopics } from './wanted-topics.ts'

export interface ConsumedTopicsHost {
  /** Partitions that are assigned. */
  readonly cursors: readonly Cursor[]
  subscription(): Subscription | null
  /** A topic was deleted and recreated. */
  onRecreated(topic: string): void
}

export class ConsumedTopics {
  readonly #watch: TopicWatch
  /** Tells the program, of a topic perhaps. */
  readonly raise: (error: KafkaError, topic?: string) => void

  constructor(context: ClientContext, cluster: Cluster, host: ConsumedTopicsHost) {
    const wanted = new WantedTopics(cluster.metadata, host, () => host.subscription())
    this.raise = (error, topic) => tellError(context, error, wanted, topic)
    this.#watch = new TopicWatch(context, cluster, {
      namedTopics: () => wanted.named(),
      partitions: () => host.cursors,
      onRecreated: topic => host.onRecreated(topic),
      reject: error => tellError(context, error),
      raise: this.raise,
    })
  }

  /** Looks at what is known of them at present. */
  look(): void {
    this.#watch.look()
  }

  stop(): void {
    this.#watch.stop()
  }
}
