/** Something for each partition. */
import type { TopicPartition } from 'ottla'

export class PartitionMap<T> {
  readonly #byKey = new Map<string, T>()

  set(place: TopicPartition, value: T): void {
    this.#byKey.set(keyOf(place), value)
  }

  delete(place: TopicPartition): void {
    this.#byKey.delete(keyOf(place))
  }

  /** Removes it. */
  take(place: TopicPartition): T | undefined {
    const value = this.#byKey.get(keyOf(place))
    this.delete(place)
    return value
  }

  values(): T[] {
    return [...this.#byKey.values()]
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${partition} ${topic}`
}
