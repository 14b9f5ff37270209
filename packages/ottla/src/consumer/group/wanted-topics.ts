/** The topics that a consumer reads, by name, by pattern or because they are assigned. */
import { ErrorCode } from '@ottla/protocol'
import type { Snapshot } from '../../cluster/snapshot.ts'
import type { KafkaError } from '../../errors.ts'
import type { Cursor } from '../partition/cursor.ts'
import { isOfOneTopic } from '../read/reader-errors.ts'
import type { Subscription } from './subscription.ts'

export class WantedTopics {
  readonly #metadata: { readonly snapshot: Snapshot }
  readonly #assignment: { readonly cursors: readonly Cursor[] }
  readonly #subscription: () => Subscription | null

  constructor(
    metadata: { readonly snapshot: Snapshot },
    assignment: { readonly cursors: readonly Cursor[] },
    subscription: () => Subscription | null,
  ) {
    this.#metadata = metadata
    this.#assignment = assignment
    this.#subscription = subscription
  }

  /** The topics that the application has named. */
  named(): ReadonlySet<string> {
    const { cursors } = this.#assignment
    const subscription = this.#subscription()
    const names = new Set(subscription?.names)
    // Topics that a pattern has found may come and go.
    if (subscription === null) for (const { topic } of cursors) names.add(topic)
    return names
  }

  /** Whether something can be read besides the topic that the error concerns, if any. */
  readsBeside(error: KafkaError, about: string | undefined): boolean {
    const { cursors } = this.#assignment
    const subscription = this.#subscription()
    const hasPatterns = subscription !== null && subscription.patterns.length > 0
    // A pattern may find another one at any time.
    if (hasPatterns && error.code !== ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED) return true
    const topics = new Set(subscription?.topics(this.#metadata.snapshot, () => false))
    for (const { topic } of cursors) topics.add(topic)
    for (const topic of topics) if (topic !== about && this.#isReadable(topic)) return true
    return false
  }

  #isReadable(topic: string): boolean {
    const known = this.#metadata.snapshot.topics.get(topic)
    if (known !== undefined && isOfOneTopic(known.errorCode)) return false
    const own = this.#assignment.cursors.filter(cursor => cursor.topic === topic)
    if (own.length === 0) return true
    return own.some(({ partition, trouble }) => {
      if (trouble !== null && isOfOneTopic(trouble.code)) return false
      return known === undefined || partition < known.partitions.length
    })
  }
}
