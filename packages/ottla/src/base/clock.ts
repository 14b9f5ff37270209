/** The client's time. It is passed in everywhere, so that tests can move it. */
import { onAbort } from './abort.ts'

/** A pending timer. */
export interface Timer {
  /** Stops the timer; harmless if it has already fired. */
  cancel(): void
}

/**
 * The only source of time inside the client.
 * @since 0.1.0
 */
export interface Clock {
  /** Monotonic milliseconds; only differences have a meaning. */
  now(): number
  /** Milliseconds since the epoch. */
  wallTime(): number
  /** Calls `callback` once, `ms` milliseconds from now at the earliest. */
  setTimer(ms: number, callback: () => void): Timer
}

/** A time in which nothing could be read or sent: the application computed, or the machine was busy elsewhere. */
interface Stall {
  /** On the clock's monotonic scale; it may have begun earlier. */
  readonly from: number
  readonly until: number
}

// Node turns a longer delay into 1 ms and prints a warning.
const LONGEST_TIMER_MS = 2 ** 31 - 1

// A timer that is this late had to wait for something.
const STALL_MS = 10

let stall: Stall | null = null

/** @returns the present */
function noteStall(due: number): number {
  const now = performance.now()
  if (now - due < STALL_MS) return now
  // Overlapping delays are one stall.
  const from = stall !== null && due <= stall.until ? Math.min(stall.from, due) : due
  stall = { from, until: now }
  return now
}

class SystemTimer implements Timer {
  #timeout: NodeJS.Timeout | null
  #turn: NodeJS.Immediate | null = null

  constructor(ms: number, callback: () => void) {
    // NaN would spread to every limit of the process through the noted stall.
    const delay = ms > 0 ? Math.min(ms, LONGEST_TIMER_MS) : 0
    const due = performance.now() + delay
    this.#timeout = setTimeout(() => {
      this.#timeout = null
      const firedAt = noteStall(due)
      // Timers come before sockets in a turn of the event loop: first read what has arrived, then decide what is
      // missing.
      this.#turn = setImmediate(() => {
        this.#turn = null
        noteStall(firedAt)
        callback()
      })
    }, delay)
  }

  cancel(): void {
    if (this.#timeout !== null) clearTimeout(this.#timeout)
    if (this.#turn !== null) clearImmediate(this.#turn)
    this.#timeout = null
    this.#turn = null
  }
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  setTimer: (ms, callback) => new SystemTimer(ms, callback),
}

// Other clocks are independent of the event loop.
function lastStall(clock: Clock): Stall | null {
  return clock === systemClock ? stall : null
}

// A request sent before a stall has this long to be answered afterwards, if its own limit allows.
const LEAST_GRACE_MS = 100
// An application that computes forever must not make a limit endless.
const MOST_POSTPONEMENTS = 10

/**
 * One point in time, passed down through every layer of a call, so that nested waits share a limit
 * instead of each starting a fresh one.
 *
 * Nothing can be answered while the event loop is stalled: a limit that passed meanwhile, or was about to, is postponed
 * by the length of the stall, but by no more than its own length.
 */
export class Deadline {
  readonly #clock: Clock
  readonly #since: number
  readonly #ms: number
  #at: number
  #postponements = 0
  #seen: Stall | null

  private constructor(clock: Clock, ms: number) {
    this.#clock = clock
    this.#since = clock.now()
    this.#ms = ms
    this.#at = this.#since + ms
    this.#seen = lastStall(clock)
  }

  /** The moment `ms` milliseconds from now; -1 means never. */
  static after(clock: Clock, ms: number): Deadline {
    return new Deadline(clock, ms >= 0 ? ms : Infinity)
  }

  /** The moment on the clock's monotonic scale; Infinity if there is none. */
  get at(): number {
    const last = lastStall(this.#clock)
    if (last !== this.#seen) {
      this.#seen = last
      if (last !== null) this.#postpone(last)
    }
    return this.#at
  }

  /** Milliseconds until the moment: 0 if it has passed, Infinity if there is none. */
  left(): number {
    return Math.max(0, this.at - this.#clock.now())
  }

  get expired(): boolean {
    return this.at <= this.#clock.now()
  }

  #postpone({ from, until }: Stall): void {
    const lost = until - Math.max(from, this.#since)
    if (lost <= 0 || this.#postponements === MOST_POSTPONEMENTS) return
    const at = until + Math.min(Math.max(lost, LEAST_GRACE_MS), this.#ms)
    if (at <= this.#at) return
    this.#postponements++
    this.#at = at
  }
}

/** Calls `callback` once when the deadline has passed, never if there is none. */
export function whenPassed(clock: Clock, deadline: Deadline, callback: () => void): Timer {
  let timer: Timer | null = null
  const arm = (): void => {
    const left = deadline.left()
    if (left === Infinity) return
    timer = clock.setTimer(left, () => {
      if (deadline.expired) callback()
      else arm()
    })
  }
  arm()
  return { cancel: () => timer?.cancel() }
}

/** Resolves `ms` milliseconds from now; rejects with the signal's reason if it aborts before. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(abortReason(signal))
      return
    }
    const stopListening = onAbort(signal, () => {
      timer.cancel()
      // Only called if there is a signal.
      reject(abortReason(signal as AbortSignal))
    })
    const timer = clock.setTimer(ms, () => {
      stopListening()
      resolve()
    })
  })
}

/** The reason of an aborted signal as an Error, whatever the caller put there. */
export function abortReason(signal: AbortSignal): Error {
  const reason: unknown = signal.reason
  if (reason instanceof Error) return reason
  return new DOMException(typeof reason === 'string' ? reason : 'This operation was aborted', 'AbortError')
}
