/** Emits the `stats` event at intervals. */
import type { Clock, Timer } from '../../base/clock.ts'
import type { EventHub } from '../events.ts'
import type { Statistics } from '../../statistics.ts'

export class StatisticsReporter {
  readonly #clock: Clock
  readonly #events: EventHub
  readonly #intervalMs: number
  readonly #collect: () => Statistics
  #timer: Timer | null = null
  #next = 0

  /**
   * @param intervalMs - `statistics.interval.ms`; 0 for never
   * @param collect - each call begins new windows
   */
  constructor(clock: Clock, events: EventHub, intervalMs: number, collect: () => Statistics) {
    this.#clock = clock
    this.#events = events
    this.#intervalMs = intervalMs
    this.#collect = collect
    if (intervalMs <= 0) return
    this.#next = clock.now() + intervalMs
    this.#arm()
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = null
  }

  #arm(): void {
    this.#timer = this.#clock.setTimer(this.#next - this.#clock.now(), () => this.#tick())
  }

  #tick(): void {
    // Intervals missed while the application blocked the thread are skipped.
    const now = this.#clock.now()
    this.#next += this.#intervalMs
    if (this.#next <= now) this.#next = now + this.#intervalMs
    this.#arm()
    // Without a listener the window stays open, so that the first one gets all of it.
    if (!this.#events.hasListener('stats')) return
    const statistics = this.#collect()
    this.#events.emit({ type: 'stats', statistics, json: exactJson(statistics) })
  }
}

/** JSON in which a producer id has all its digits. */
function exactJson(statistics: Statistics): string {
  const id = statistics.eos?.producer_id
  if (typeof id !== 'bigint') return JSON.stringify(statistics)
  const json = JSON.stringify(statistics, (key, value: unknown) =>
    typeof value === 'bigint' ? `${key}:${value}` : value,
  )
  return json.replace(`"producer_id:${id}"`, String(id))
}
