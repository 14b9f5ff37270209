/** How far the assigned partitions are processed, and how far that is committed. Pure. */
import type { TopicPartition, TopicPartitionOffset } from 'ottla'
import type { OffsetsByTopicPartition } from '../types/metadata.ts'

interface PartitionProgress extends TopicPartition {
  /** The offset behind the last processed message. */
  resolved: number
  /** What the group has; the first offset that was read while that is not known. */
  committed: number
}

export class Progress {
  readonly #partitions = new Map<string, PartitionProgress>()

  /** Reading continues at this offset. */
  reads({ topic, partition }: TopicPartition, offset: number): void {
    const key = keyOf(topic, partition)
    if (!this.#partitions.has(key)) {
      this.#partitions.set(key, { topic, partition, resolved: offset, committed: offset })
    }
  }

  /** @param next the offset behind the last processed message */
  resolve({ topic, partition }: TopicPartition, next: number): void {
    const known = this.#partitions.get(keyOf(topic, partition))
    if (known !== undefined) known.resolved = next
  }

  /** The position has moved: what was processed before says nothing about what is committed next. */
  sought({ topic, partition }: TopicPartition): void {
    this.#partitions.delete(keyOf(topic, partition))
  }

  committed(offsets: readonly TopicPartitionOffset[]): void {
    for (const { topic, partition, offset, error } of offsets) {
      const known = this.#partitions.get(keyOf(topic, partition))
      if (known !== undefined && error === undefined) known.committed = offset
    }
  }

  /** These partitions may be another member's. */
  forget(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) this.#partitions.delete(keyOf(topic, partition))
  }

  /** How many offsets are processed and not committed. */
  get pending(): number {
    let count = 0
    for (const { resolved, committed } of this.#partitions.values()) count += Math.max(0, resolved - committed)
    return count
  }

  /** What is processed and not committed; partitions as text, as in kafkajs. */
  uncommitted(): OffsetsByTopicPartition {
    const topics = new Map<string, { partition: number; offset: string }[]>()
    for (const { topic, partition, resolved, committed } of this.#partitions.values()) {
      if (resolved === committed) continue
      const offsets = topics.get(topic) ?? []
      offsets.push({ partition: String(partition) as unknown as number, offset: String(resolved) })
      topics.set(topic, offsets)
    }
    return { topics: Array.from(topics, ([topic, partitions]) => ({ topic, partitions })) }
  }
}

function keyOf(topic: string, partition: number): string {
  return `${topic}\0${partition}`
}
