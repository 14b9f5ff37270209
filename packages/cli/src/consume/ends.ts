import type { TopicPartition } from 'ottla'

/** Which partitions still have something to print before `-e` ends the command. */
export class Ends {
  readonly #enabled: boolean
  #open = new Set<string>()

  constructor(enabled: boolean) {
    this.#enabled = enabled
  }

  expect(partitions: readonly TopicPartition[]): void {
    for (const p of partitions) this.#open.add(nameOf(p))
  }

  forget(partitions: readonly TopicPartition[]): void {
    for (const p of partitions) this.#open.delete(nameOf(p))
  }

  /** @returns whether that was the last one */
  reached(partition: TopicPartition): boolean {
    this.#open.delete(nameOf(partition))
    return this.#enabled && this.#open.size === 0
  }
}

/** `orders [3]` */
export function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic} [${partition}]`
}
