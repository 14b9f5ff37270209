/** Changes of the assignment: programs call them, and see their effect, at once; the client needs a moment for some. */
import type { TopicPartition } from 'ottla'

export class Assigning {
  /** What is assigned when all changes are through; null when none is under way. */
  #wanted: readonly TopicPartition[] | null = null
  #last: Promise<void> = Promise.resolve()
  #pending = 0

  /** What is assigned, in the program's eyes. */
  current(assigned: () => TopicPartition[]): TopicPartition[] {
    return this.#wanted === null ? assigned() : [...this.#wanted]
  }

  /**
   * Begins a change.
   * @param wanted what is assigned after it
   */
  change(wanted: readonly TopicPartition[], work: () => Promise<void>): Promise<void> {
    this.#wanted = wanted
    this.#pending++
    const done = work().finally(() => {
      if (--this.#pending === 0) this.#wanted = null
    })
    this.#last = done.catch(() => undefined)
    return done
  }

  /** Runs it after the changes that are under way: at once if there are none. */
  afterwards<T>(work: () => T): T | Promise<T> {
    return this.#pending === 0 ? work() : this.#last.then(work)
  }
}

export function without(partitions: readonly TopicPartition[], gone: readonly TopicPartition[]): TopicPartition[] {
  return partitions.filter(each => !isAmong(each, gone))
}

export function isAmong(one: TopicPartition, all: readonly TopicPartition[]): boolean {
  return all.some(({ topic, partition }) => topic === one.topic && partition === one.partition)
}
