/** The process's timers and clocks, moved to virtual time. */
import type { Timer } from '../base/clock.ts'
import type { VirtualTime } from './virtual-time.ts'

/** What `setTimeout` returns in a simulation: as much of Node's Timeout as programs use. */
class VirtualTimeout {
  readonly #set: () => Timer
  #timer: Timer | null

  /** @param set sets the timer again, for its whole time */
  constructor(set: () => Timer) {
    this.#set = set
    this.#timer = set()
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  hasRef(): boolean {
    return true
  }

  refresh(): this {
    this.close()
    this.#timer = this.#set()
    return this
  }

  close(): this {
    this.#timer?.cancel()
    this.#timer = null
    return this
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

type Callback = (...args: unknown[]) => void

let isReplaced = false

/**
 * Until the returned function is called, `setTimeout`, `setInterval`, `Date` and `performance.now` are virtual. Throws
 * Error if they are already: two times cannot both be the process's.
 */
export function replaceGlobals(time: VirtualTime): () => void {
  if (isReplaced) {
    throw new Error('another simulation is running: await it first, or run both with globals: false')
  }
  isReplaced = true
  const real = {
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
    setInterval: globalThis.setInterval,
    clearInterval: globalThis.clearInterval,
    Date: globalThis.Date,
  }
  const set = (callback: Callback, ms: number, args: unknown[], repeats: boolean): VirtualTimeout => {
    const timeout = new VirtualTimeout(() =>
      time.setTimer(Math.max(1, ms), () => {
        if (repeats) timeout.refresh()
        callback(...args)
      }),
    )
    return timeout
  }
  // Timers that were set before the simulation are still the process's own.
  const clear = (timeout: unknown): void => {
    if (timeout instanceof VirtualTimeout) timeout.close()
    else real.clearTimeout(timeout as NodeJS.Timeout | undefined)
  }
  // Not a class of its own: dates of before, and Node's, are instances of it, too.
  const VirtualDate = new Proxy(real.Date, {
    apply: () => new real.Date(time.wallTime).toString(),
    construct: (target, args: unknown[], newTarget) =>
      Reflect.construct(target, args.length === 0 ? [time.wallTime] : args, newTarget) as Date,
    get: (target, key) => (key === 'now' ? () => time.wallTime : (Reflect.get(target, key) as unknown)),
  })
  Object.assign(globalThis, {
    setTimeout: (callback: Callback, ms = 0, ...args: unknown[]) => set(callback, ms, args, false),
    setInterval: (callback: Callback, ms = 0, ...args: unknown[]) => set(callback, ms, args, true),
    clearTimeout: clear,
    clearInterval: clear,
    Date: VirtualDate,
  })
  // It hides the prototype's.
  performance.now = () => time.now
  return () => {
    isReplaced = false
    Object.assign(globalThis, real)
    Reflect.deleteProperty(performance, 'now')
  }
}
