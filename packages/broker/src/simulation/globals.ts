/** The process's timers and clocks, moved to virtual time. */
import type { Timer } from '../base/clock.ts'
import type { VirtualTime } from './virtual-time.ts'

/** What `setTimeout` returns in a simulation: as much of Node's Timeout as programs use. */
class VirtualTimeout {
  timer: Timer | null = null

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  hasRef(): boolean {
    return true
  }

  close(): this {
    this.timer?.cancel()
    this.timer = null
    return this
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

type Callback = (...args: unknown[]) => void

/** Until the returned function is called, `setTimeout`, `setInterval`, `Date` and `performance.now` are virtual. */
export function replaceGlobals(time: VirtualTime): () => void {
  const real = {
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
    setInterval: globalThis.setInterval,
    clearInterval: globalThis.clearInterval,
    Date: globalThis.Date,
  }
  const set = (callback: Callback, ms: number, args: unknown[], repeats: boolean): VirtualTimeout => {
    const timeout = new VirtualTimeout()
    const arm = (): void => {
      timeout.timer = time.setTimer(Math.max(1, ms), () => {
        timeout.timer = null
        if (repeats) arm()
        callback(...args)
      })
    }
    arm()
    return timeout
  }
  // Timers that were set before the simulation are still the process's own.
  const clear = (timeout: unknown): void => {
    if (timeout instanceof VirtualTimeout) timeout.close()
    else real.clearTimeout(timeout as NodeJS.Timeout | undefined)
  }
  class VirtualDate extends real.Date {
    constructor(...args: unknown[]) {
      // Date has too many signatures to be spread into.
      super(...((args.length === 0 ? [time.wallTime] : args) as [number]))
    }

    static override now(): number {
      return time.wallTime
    }
  }
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
    Object.assign(globalThis, real)
    Reflect.deleteProperty(performance, 'now')
  }
}
