/** Producer ids. */
import { randomProducerId, type Random } from '../base/random.ts'

/**
 * Which producer ids a cluster gives out: 1000, 1001 and so on, random ones, or those of a function.
 * @since 0.1.0
 */
export type ProducerIds = 'sequential' | 'random' | (() => bigint)

/** Makes sequential ids durable, before they are given out. */
export interface ProducerIdPersistence {
  producerIdGiven(producerId: bigint): void
}

const FIRST_ID = 1000n

export class ProducerIdSource {
  readonly #kind: ProducerIds
  readonly #random: Random
  readonly #persistence: ProducerIdPersistence | null
  #next = FIRST_ID

  constructor(kind: ProducerIds, random: Random, persistence: ProducerIdPersistence | null) {
    this.#kind = kind
    this.#random = random
    this.#persistence = persistence
  }

  next(): bigint {
    if (typeof this.#kind === 'function') return BigInt.asIntN(64, this.#kind())
    if (this.#kind === 'random') return randomProducerId(this.#random)
    this.#persistence?.producerIdGiven(this.#next)
    return this.#next++
  }

  /** Continues after a restart with the first id that was not given out. */
  restore(next: bigint): void {
    this.#next = next
  }
}
