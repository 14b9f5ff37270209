/** Random choices that a seed decides. */

/**
 * The same choices for the same seed and name, whatever others draw.
 * @since 0.1.0
 */
export class Dice {
  readonly #seed: number
  #state: number

  constructor(seed: number, name = '') {
    let hash = seed >>> 0
    for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193) >>> 0
    this.#seed = hash
    this.#state = hash
  }

  /** A number in [0, 1). */
  readonly next = (): number => {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number from `from` to `to`, both included. */
  int(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1))
  }

  /** True with this probability, 0 to 1. */
  chance(probability: number): boolean {
    return this.next() < probability
  }

  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.next() * list.length)] as T // the list is not empty
  }

  /** Dice of their own for somebody else: what they draw changes nothing here. */
  of(name: string): Dice {
    return new Dice(this.#seed, name)
  }
}
