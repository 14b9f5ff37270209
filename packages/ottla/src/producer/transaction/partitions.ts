/** The partitions of a transaction of version 1: each is added at the coordinator before the first batch goes to it. */
import { soon } from '../../base/soon.ts'
import type { PartitionQueue } from '../queue/partition-queue.ts'

/** Adds partitions; false: they have not been, and the transaction has failed. */
export type AddPartitions = (queues: ReadonlySet<PartitionQueue>) => Promise<boolean>

export class TransactionPartitions {
  readonly #add: AddPartitions
  readonly #onAdded: () => void
  readonly #added = new Set<PartitionQueue>()
  #wanted = new Set<PartitionQueue>()
  #adding: Promise<void> | null = null

  /** @param onAdded - batches that waited can go */
  constructor(add: AddPartitions, onAdded: () => void) {
    this.#add = add
    this.#onAdded = onAdded
  }

  /** Whether the partition is in the transaction; if not, it will be, together with others of this turn. */
  admits(queue: PartitionQueue): boolean {
    if (this.#added.has(queue)) return true
    this.#wanted.add(queue)
    if (this.#adding === null) {
      this.#adding = new Promise<void>(resolve => soon(resolve)).then(() => this.#run())
    }
    return false
  }

  /** Resolves when no request is under way. */
  async idle(): Promise<void> {
    await this.#adding
  }

  /** A new transaction has none. */
  clear(): void {
    this.#added.clear()
    this.#wanted.clear()
  }

  async #run(): Promise<void> {
    while (this.#wanted.size > 0) {
      const asked = this.#wanted
      this.#wanted = new Set()
      if (!(await this.#add(asked))) {
        this.#wanted.clear()
        break
      }
      for (const queue of asked) {
        this.#added.add(queue)
        this.#wanted.delete(queue)
      }
      this.#onAdded()
    }
    this.#adding = null
  }
}
