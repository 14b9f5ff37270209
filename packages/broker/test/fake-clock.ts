import type { Clock, Timer } from '../src/base/clock.ts'

/** A clock that stands still until it is advanced. */
export class FakeClock implements Clock {
  #now = 1_700_000_000_000
  readonly #pending = new Set<{ at: number; callback: () => void }>()

  /** How many timers are pending. */
  get pending(): number {
    return this.#pending.size
  }

  now(): number {
    return this.#now
  }

  setTimer(ms: number, callback: () => void): Timer {
    const pending = { at: this.#now + ms, callback }
    this.#pending.add(pending)
    return { cancel: () => void this.#pending.delete(pending) }
  }

  /** Time passes, and no timer fires: the event loop has not come to them. */
  standStill(ms: number): void {
    this.#now += ms
  }

  advance(ms: number): void {
    const until = this.#now + ms
    for (;;) {
      const due = [...this.#pending].filter(p => p.at <= until).sort((a, b) => a.at - b.at)[0]
      if (due === undefined) break
      this.#pending.delete(due)
      this.#now = due.at
      due.callback()
    }
    this.#now = until
  }
}
