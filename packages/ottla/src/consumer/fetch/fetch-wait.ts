/**
 * How long a broker may wait for messages. There is one fetch in flight per broker, so a partition that it leaves out
 * has to wait for its end. Such a fetch therefore waits about as long as the partition has been left out, instead of
 * `fetch.wait.max.ms`. Pure.
 */
const SHORTEST_MS = 10

export class FetchWait {
  readonly #mostMs: number
  #shortMs = SHORTEST_MS

  /** @param mostMs `fetch.wait.max.ms` */
  constructor(mostMs: number) {
    this.#mostMs = mostMs
  }

  /**
   * @param isAnyLeftOut a partition of the broker is not in this fetch, and may have to be fetched soon
   * @param hasChanged other partitions are left out than last time
   */
  next(isAnyLeftOut: boolean, hasChanged: boolean): number {
    if (hasChanged) this.#shortMs = SHORTEST_MS
    if (!isAnyLeftOut) return this.#mostMs
    const ms = Math.min(this.#mostMs, this.#shortMs)
    this.#shortMs *= 2
    return ms
  }
}
