/** What brokers may ask a client for (KIP-714) and `stats` events do not have; brokers have counters of their own. */
import { Averages } from './averages.ts'

/** Counters of one client. All times are in ms. */
export class PushedCounters {
  readonly fetchLatency = new Averages()
  /** Bytes of a fetch; for share consumers. */
  readonly fetchSize = new Averages()
  readonly commitLatency = new Averages()
  readonly rebalanceLatency = new Averages()
  /** Between two calls that ask for messages; for share consumers. */
  readonly pollInterval = new Averages()
  readonly idle = new IdleTime()
  /** Both for share consumers. */
  heartbeats = 0
  acknowledgements = 0

  /** A fetch of a share consumer. */
  fetched(ms: number, bytes: number): void {
    this.fetchLatency.add(ms)
    this.fetchSize.add(bytes)
  }
}

/** How long the application has waited for messages, without any to process. */
export class IdleTime {
  #since = -1
  #ms = 0

  /** @param now - monotonic ms, everywhere here */
  begin(now: number): void {
    this.#since = now
  }

  /** Does nothing if it has not begun. */
  end(now: number): void {
    if (this.#since >= 0) this.#ms += now - this.#since
    this.#since = -1
  }

  /** That since the last call, a wait that goes on included. */
  take(now: number): number {
    const isOn = this.#since >= 0
    this.end(now)
    if (isOn) this.begin(now)
    const taken = this.#ms
    this.#ms = 0
    return taken
  }
}
