/** Times rebalances: from when a member is no longer settled, or joins, until it is settled (KIP-714). */
import type { Clock } from '../../base/clock.ts'
import type { Averages } from '../../observe/statistics/averages.ts'

/** Not a member; between the beginning and the end of a rebalance; with all partitions that it is to have. */
export type Settlement = 'out' | 'moving' | 'settled'

export class RebalanceTimer {
  readonly #clock: Clock
  readonly #latency: Averages
  /** Monotonic ms; -1 while there is no rebalance. */
  #since = -1

  constructor(clock: Clock, latency: Averages) {
    this.#clock = clock
    this.#latency = latency
  }

  /** The state of the member, whenever it changes. */
  moved(to: Settlement): void {
    if (to === 'moving') {
      if (this.#since < 0) this.#since = this.#clock.now()
      return
    }
    // A member that leaves meanwhile has seen no end of it.
    if (to === 'settled' && this.#since >= 0) this.#latency.add(this.#clock.now() - this.#since)
    this.#since = -1
  }
}
