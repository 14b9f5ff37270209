/**
 * The partitions of a transaction of version 1: each is registered at the coordinator before its first batch is sent.
 */
import { enqueueMicrotask } from '../../base/microtask.ts'
import type { PartitionQueue } from '../queue/partition-queue.ts'

/** Adds partitions; false if they could not be added, and the transaction has failed. */
export type AddPartitions = (queues: ReadonlySet<PartitionQueue>) => Promise<boolean>

export class TransactionPartitions {
  readonly #add: AddPartitions
  readonly #onAdded: () => void
  readonly #added = new Set<PartitionQueue>()
  #wanted = new Set<PartitionQueue>()
  #adding: Promise<void> | null = null

  /** @param onAdded - called when waiting batches can be sent */
  constructor(add: AddPartitions, onAdded: () => void) {
    this.#add = add
    this.#onAdded = onAdded
  }

  /** Whether the partition is in the transaction; if not, adds it, together with others of this turn. */
  admits(queue: PartitionQueue): boolean {
    if (this.#added.has(queue)) return true
    this.#wanted.add(queue)
    if (this.#adding === null) {
      this.#adding = new Promise<void>(resolve => enqueueMicrotask(resolve)).then(() => this.#run())
    }
    return false
  }

  /** Resolves when no request is in flight. */
  async idle(): Promise<void> {
    await this.#adding
  }

  /** Forgets the partitions, for a new transaction. */
  clear(): void {
    this.#added.clear()
    this.#wanted.clear()
  }

  async #run(): Promise<void> {
    while (this.#wanted.size > 0) {
      const adding = this.#wanted
      this.#wanted = new Set()
      if (!(await this.#add(adding))) {
        this.#wanted.clear()
        break
      }
      for (const queue of adding) {
        this.#added.add(queue)
        this.#wanted.delete(queue)
      }
      this.#onAdded()
    }
    this.#adding = null
  }
}
