/** How many partitions a client may create and delete (KIP-599). */

// Kafka's default for controller.quota.window.num: so many seconds' worth may be used at once.
const WINDOWS = 11

/** A token bucket: what a client has left. */
export class MutationBucket {
  #left: number | null = null
  #since = 0

  /** @param limit per second @returns what is left, negative if too much was taken */
  left(limit: number, now: number): number {
    const max = limit * WINDOWS
    this.#left = Math.min(max, this.#left === null ? max : this.#left + ((now - this.#since) / 1000) * limit)
    this.#since = now
    return this.#left
  }

  take(count: number): void {
    if (this.#left !== null) this.#left -= count
  }
}

/** The quota during one request. */
export class MutationQuota {
  /** The throttle time for the client, ms. */
  throttleTimeMs = 0
  readonly #bucket: MutationBucket
  readonly #limit: number
  readonly #isStrict: boolean
  readonly #now: number

  /** @param isStrict whether nothing more is allowed once too much was taken, instead of just throttled */
  constructor(bucket: MutationBucket, limit: number, isStrict: boolean, now: number) {
    this.#bucket = bucket
    this.#limit = limit
    this.#isStrict = isStrict
    this.#now = now
  }

  /** Charges for partitions. @returns whether they may be created or deleted */
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
