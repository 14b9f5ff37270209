import type { Clock, Timer } from './clock.ts'

interface Pending {
  readonly at: number
  readonly fire: () => void
}

/** A clock whose timers can be made to fire as soon as they are due: an event loop comes to them after what it has read. */
export class PunctualClock implements Clock {
  readonly #clock: Clock
  readonly #pending = new Set<Pending>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  now(): number {
    return this.#clock.now()
  }

  setTimer(ms: number, callback: () => void): Timer {
    const at = this.#clock.now() + ms
    const cancel = (): void => {
      this.#pending.delete(pending)
      timer.cancel()
    }
    const fire = (): void => {
      cancel()
      callback()
    }
    const pending = { at, fire }
    this.#pending.add(pending)
    const timer = this.#clock.setTimer(ms, fire)
    return { cancel }
  }

  /** Fires the timers whose time has passed, the earliest first. */
  fireDue(): void {
    const now = this.#clock.now()
    const due = [...this.#pending].filter(({ at }) => at <= now).sort((a, b) => a.at - b.at)
    // One may cancel another.
    for (const pending of due) if (this.#pending.has(pending)) pending.fire()
  }
}
