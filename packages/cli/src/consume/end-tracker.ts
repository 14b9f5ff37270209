import type { TopicPartition } from 'ottla'

/** Tracks which partitions have not been read to their end; `-e` exits when none is left. */
export class EndTracker {
  readonly #enabled: boolean
  #open = new Set<string>()

  constructor(enabled: boolean) {
    this.#enabled = enabled
  }

  expect(partitions: readonly TopicPartition[]): void {
    for (const p of partitions) this.#open.add(partitionName(p))
  }

  forget(partitions: readonly TopicPartition[]): void {
    for (const p of partitions) this.#open.delete(partitionName(p))
  }

  /** @returns whether the command should exit: with `-e`, when that was the last open partition */
  reached(partition: TopicPartition): boolean {
    this.#open.delete(partitionName(partition))
    return this.#enabled && this.#open.size === 0
  }
}

/** `orders [3]` */
export function partitionName({ topic, partition }: TopicPartition): string {
  return `${topic} [${partition}]`
}
