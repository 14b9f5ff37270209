/** How many partitions a client may make and remove (KIP-599). */

// controller.quota.window.num of a broker: so many seconds' worth may come at once.
const WINDOWS = 11

/** What a client has left; it grows again with time. */
export class MutationBucket {
  #left: number | null = null
  #since = 0

  /** @param limit per second @returns what is left, less than nothing if too much was taken */
  left(limit: number, now: number): number {
    const most = limit * WINDOWS
    this.#left = Math.min(most, this.#left === null ? most : this.#left + ((now - this.#since) / 1000) * limit)
    this.#since = now
    return this.#left
  }

  take(count: number): void {
    if (this.#left !== null) this.#left -= count
  }
}

/** The quota as one request meets it. */
export class MutationQuota {
  /** How long the client is to keep quiet, ms. */
  throttleTimeMs = 0
  readonly #bucket: MutationBucket
  readonly #limit: number
  readonly #isStrict: boolean
  readonly #now: number

  /** @param isStrict nothing more is allowed once too much was taken; else it is, and waited for */
  constructor(bucket: MutationBucket, limit: number, isStrict: boolean, now: number) {
    this.#bucket = bucket
    this.#limit = limit
    this.#isStrict = isStrict
    this.#now = now
  }

  /** Takes as many partitions. @returns whether they may be made or removed */
  take(count: number): boolean {
    if (this.#limit === Infinity) return true
    const before = this.#bucket.left(this.#limit, this.#now)
    const isAllowed = !this.#isStrict || before >= 0
    if (isAllowed) this.#bucket.take(count)
    const missing = this.#isStrict ? -before : count - before
    if (missing > 0) this.throttleTimeMs = Math.round((missing / this.#limit) * 1000)
    return isAllowed
  }
}
