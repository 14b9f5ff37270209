/** How many bytes of messages may wait or be in progress: one slow partition must not use them all. */

/** From this part of the budget on, a partition that has its share waits for the others. */
const SHARED_FROM = 1 / 2

export class WorkBudget {
  readonly #mostBytes: number
  readonly #partitions: () => number
  #bytes = 0

  /** @param partitions how many share the budget */
  constructor(mostBytes: number, partitions: () => number) {
    this.#mostBytes = mostBytes
    this.#partitions = partitions
  }

  get bytes(): number {
    return this.#bytes
  }

  take(bytes: number): void {
    this.#bytes += bytes
  }

  giveBack(bytes: number): void {
    this.#bytes -= bytes
  }

  /** Whether a partition with so many bytes must not get more. */
  isOver(bytes: number): boolean {
    return bytes >= this.#share && this.#bytes >= this.#mostBytes * SHARED_FROM
  }

  /** Whether a partition that was over its share may get more again. */
  isLow(bytes: number): boolean {
    return bytes <= this.#share / 2 || this.#bytes < (this.#mostBytes * SHARED_FROM) / 2
  }

  get #share(): number {
    return this.#mostBytes / Math.max(1, this.#partitions())
  }
}
