/** The target assignment of a member, by topic id, and what the member holds. */
import type { MetadataCache } from '../../cluster/metadata.ts'
import type { TopicPartition } from '../../types.ts'
import type { Difference } from './consumer-states.ts'

/** A topic that was deleted and recreated has the same name, but another id. */
export interface HeldPartition extends TopicPartition {
  readonly topicId: string
}

interface TopicNumbers {
  readonly topicId: string
  readonly partitions: readonly number[]
}

export class TargetAssignment {
  readonly #metadata: MetadataCache
  #target: readonly TopicNumbers[] = []
  readonly #held = new Map<string, HeldPartition>()

  constructor(metadata: MetadataCache) {
    this.#metadata = metadata
  }

  get held(): HeldPartition[] {
    return [...this.#held.values()]
  }

  /** The names of some topics are not known yet. */
  get hasUnknown(): boolean {
    const { topicNames } = this.#metadata.snapshot
    return this.#target.some(({ topicId }) => !topicNames.has(topicId))
  }

  /** @returns whether it differs from the one before */
  set(target: readonly TopicNumbers[]): boolean {
    const before = keysOf(this.#target)
    const after = keysOf(target)
    this.#target = target
    return before.size !== after.size || [...after].some(key => !before.has(key))
  }

  /** There is no target assignment. */
  clear(): void {
    this.#target = []
  }

  hold(partitions: readonly HeldPartition[]): void {
    for (const held of partitions) this.#held.set(keyOf(held.topicId, held.partition), held)
  }

  release(partitions: readonly HeldPartition[]): void {
    for (const { topicId, partition } of partitions) this.#held.delete(keyOf(topicId, partition))
  }

  /** What it holds and the target lacks. */
  toRevoke(): HeldPartition[] {
    const wanted = keysOf(this.#target)
    return this.held.filter(({ topicId, partition }) => !wanted.has(keyOf(topicId, partition)))
  }

  /** What the target has and it does not hold, as far as the topics are known. */
  toAssign(): HeldPartition[] {
    const { topicNames } = this.#metadata.snapshot
    const found: HeldPartition[] = []
    for (const { topicId, partitions } of this.#target) {
      const topic = topicNames.get(topicId)
      if (topic === undefined) continue
      for (const partition of partitions) {
        if (!this.#held.has(keyOf(topicId, partition))) found.push({ topic, partition, topicId })
      }
    }
    return found
  }

  difference(): Difference {
    return { hasRevoked: this.toRevoke().length > 0, hasNew: this.toAssign().length > 0 }
  }

  /**
   * What the coordinator must not give to others, in the form of a heartbeat: what the member holds, what it is about to
   * hold, and what it will hold as soon as the names are known.
   * @param called - partitions that the application is being told of
   */
  claimedByTopic(called: readonly HeldPartition[]): { topicId: string; partitions: number[] }[] {
    const claims = new Map<string, Set<number>>()
    const claim = (topicId: string, partition: number): void => {
      const numbers = claims.get(topicId)
      if (numbers === undefined) claims.set(topicId, new Set([partition]))
      else numbers.add(partition)
    }
    for (const { topicId, partition } of this.#held.values()) claim(topicId, partition)
    for (const { topicId, partition } of called) claim(topicId, partition)
    for (const { topicId, partitions } of this.#target) for (const partition of partitions) claim(topicId, partition)
    return Array.from(claims, ([topicId, partitions]) => ({ topicId, partitions: [...partitions] }))
  }
}

function keysOf(topics: readonly TopicNumbers[]): Set<string> {
  return new Set(topics.flatMap(({ topicId, partitions }) => partitions.map(number => keyOf(topicId, number))))
}

function keyOf(topicId: string, partition: number): string {
  return `${topicId}:${partition}`
}
