/** How many bytes of messages may wait for the program or be at work: one slow partition must not take them all. */

/** A partition that has its share waits for the others once so much is used. */
const SHARED_FROM = 1 / 2

export class WorkBudget {
  readonly #mostBytes: number
  readonly #partitions: () => number
  #bytes = 0

  /** @param partitions how many share it */
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

  /** Whether a partition that has so many is to have no more. */
  isOver(bytes: number): boolean {
    return bytes >= this.#share && this.#bytes >= this.#mostBytes * SHARED_FROM
  }

  /** Whether one that was to have no more may have some again. */
  isLow(bytes: number): boolean {
    return bytes <= this.#share / 2 || this.#bytes < (this.#mostBytes * SHARED_FROM) / 2
  }

  get #share(): number {
    return this.#mostBytes / Math.max(1, this.#partitions())
  }
}
