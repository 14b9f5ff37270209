/**
 * How long a broker may wait for messages. As a client has one fetch under way with a broker, what becomes ready to be
 * fetched meanwhile waits for the end of that: not for `fetch.wait.max.ms`, but about as long as it has been left out. Pure.
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
   * @param isAnyLeftOut a partition of the broker's is not fetched now, and may have to be soon
   * @param hasChanged others are left out than the last time
   */
  next(isAnyLeftOut: boolean, hasChanged: boolean): number {
    if (hasChanged) this.#shortMs = SHORTEST_MS
    if (!isAnyLeftOut) return this.#mostMs
    const ms = Math.min(this.#mostMs, this.#shortMs)
    this.#shortMs *= 2
    return ms
  }
}
