import type { Clock, Timer } from '../../src/base/clock.ts'

interface Pending {
  readonly at: number
  readonly order: number
  readonly callback: () => void
}

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  #now = 0
  #order = 0
  readonly #epoch: number
  readonly #pending = new Set<Pending>()

  constructor(epoch = 1_700_000_000_000) {
    this.#epoch = epoch
  }

  now(): number {
    return this.#now
  }

  wallTime(): number {
    return this.#epoch + this.#now
  }

  setTimer(ms: number, callback: () => void): Timer {
    const pending = { at: this.#now + Math.max(0, ms), order: this.#order++, callback }
    this.#pending.add(pending)
    return { cancel: () => void this.#pending.delete(pending) }
  }

  /** How many timers are waiting. */
  get pendingTimers(): number {
    return this.#pending.size
  }

  /** Moves the time by `ms`, firing timers in order and letting promises settle in between. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms
    await settle()
    for (;;) {
      let next: Pending | undefined
      for (const p of this.#pending) {
        if (p.at > until) continue
        if (next === undefined || p.at < next.at || (p.at === next.at && p.order < next.order)) next = p
      }
      if (next === undefined) break
      this.#pending.delete(next)
      this.#now = next.at
      next.callback()
      await settle()
    }
    this.#now = until
    await settle()
  }
}

/** Lets every promise that can settle do so. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise(resolve => setImmediate(resolve))
}
