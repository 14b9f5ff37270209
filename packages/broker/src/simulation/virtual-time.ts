/** Time that passes only when everything that could happen at the present moment has happened. */
import type { Timer } from '../base/clock.ts'
import { TimerHeap, type Due } from './timer-heap.ts'

/**
 * The time of one host, as clients take it.
 * @since 0.1.0
 */
export interface VirtualClock {
  /** Monotonic ms since the simulation began. */
  now(): number
  /** ms since the epoch, by this host's clock. */
  wallTime(): number
  /** Calls back once, so many ms later. */
  setTimer(ms: number, callback: () => void): Timer
}

/** By how much a host's wall time is wrong. */
export interface Skew {
  ms: number
}

const EPOCH = 1_750_000_000_000
/** Before time passes for so long, what takes several turns of the event loop has had them; ms. */
const LONG_REST_MS = 10
const TURNS_BEFORE_REST = 5

export class VirtualTime {
  #now = 0
  #order = 0
  readonly #timers = new TimerHeap()
  readonly #working = new Set<Promise<unknown>>()

  /** ms since the beginning. */
  get now(): number {
    return this.#now
  }

  /** Timers that wait to be called. */
  get waitingTimers(): number {
    return this.#timers.waiting
  }

  setTimer(ms: number, callback: () => void): Timer {
    const due: Due = { at: this.#now + (ms > 0 ? ms : 0), order: this.#order++, callback }
    this.#timers.push(due)
    return { cancel: () => (due.callback = null) }
  }

  sleep(ms: number): Promise<void> {
    return new Promise(resolve => this.setTimer(ms, resolve))
  }

  /** ms since the epoch, by the right clock. */
  get wallTime(): number {
    return EPOCH + Math.floor(this.#now)
  }

  clock(skew: Skew): VirtualClock {
    return {
      now: () => this.#now,
      wallTime: () => this.wallTime + skew.ms,
      setTimer: (ms, callback) => this.setTimer(ms, callback),
    }
  }

  /** Time stands still until this has settled: work that really is done elsewhere, such as on a thread. */
  standFor(work: Promise<unknown>): void {
    this.#working.add(work)
    const done = (): void => void this.#working.delete(work)
    work.then(done, done)
  }

  /** Lets so much time pass. */
  async advance(ms: number): Promise<void> {
    await this.#runTo(this.#now + ms, () => false)
  }

  /**
   * Lets time pass until a promise has settled.
   * @param limitMs - rejects with Error when it has not after so long, or when nothing is left that could settle it
   */
  async until<T>(promise: Promise<T>, limitMs: number, what = 'it'): Promise<T> {
    const state = { isSettled: false }
    const settled = (): void => {
      state.isSettled = true
    }
    promise.then(settled, settled)
    await this.#runTo(this.#now + limitMs, () => state.isSettled)
    if (!state.isSettled) throw new Error(`${what} has not ended within ${limitMs} virtual ms`)
    return promise
  }

  async #runTo(end: number, isOver: () => boolean): Promise<void> {
    await this.#settle()
    while (!isOver()) {
      let next = this.#timers.first
      if (next === undefined || next.at - this.#now >= LONG_REST_MS) {
        for (let turn = 0; turn < TURNS_BEFORE_REST; turn++) await this.#settle()
        if (isOver()) return
        next = this.#timers.first
      }
      if (next === undefined || next.at > end) {
        this.#now = end
        return
      }
      this.#timers.shift()
      const { callback } = next
      if (callback === null) continue
      this.#now = next.at
      next.callback = null
      callback()
      await this.#settle()
    }
  }

  // A turn of the event loop: all promises that can settle have, and those that waited for a turn have had it.
  async #settle(): Promise<void> {
    await new Promise(resolve => setImmediate(resolve))
    while (this.#working.size > 0) {
      await Promise.allSettled(this.#working)
      await new Promise(resolve => setImmediate(resolve))
    }
  }
}
