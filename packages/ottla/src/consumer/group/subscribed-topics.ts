/** The topics of a subscription, whose metadata is kept for as long as it lasts. */
import type { ClientContext } from '../../cluster/context.ts'
import type { MetadataCache } from '../../cluster/metadata.ts'
import type { Subscription } from './subscription.ts'

export class SubscribedTopics {
  readonly #metadata: MetadataCache
  readonly #blacklist: readonly string[]
  #wantsAll = false

  constructor({ settings }: ClientContext, metadata: MetadataCache) {
    this.#metadata = metadata
    this.#blacklist = settings['topic.blacklist']
  }

  /** The topics that the subscription currently matches; patterns do not match what `topic.blacklist` names. */
  of(subscription: Subscription): string[] {
    return subscription.topics(this.#metadata.snapshot, topic =>
      this.#blacklist.some(pattern => new RegExp(pattern).test(topic)),
    )
  }

  /** Replaces one subscription by another; null stands for none. */
  replace(before: Subscription | null, next: Subscription | null): void {
    if (next !== null) for (const name of next.names) this.#metadata.want(name)
    if (before === null) return
    for (const name of before.names) this.#metadata.unwant(name)
    if (this.#wantsAll) this.#metadata.unwantAll()
    this.#wantsAll = false
  }

  /** Keeps the metadata of all topics until `replace`, for patterns that the client matches. */
  wantAll(): void {
    if (this.#wantsAll) return
    this.#wantsAll = true
    this.#metadata.wantAll()
  }
}
