/** Notices that the program does not poll any more (`max.poll.interval.ms`). */
import type { Timer } from '../../base/clock.ts'
import type { ClientContext } from '../../cluster/context.ts'

export interface PollWatchHost {
  /** Grows with every call of the program. */
  polls(): number
  /** A call of the program's is waiting, or a callback running. */
  isBusy(): boolean
  /** Whether anybody minds. */
  isMember(): boolean
  onExceeded(limitMs: number): void
}

const MOST_CHECK_MS = 1_000

export class PollWatch {
  readonly #context: ClientContext
  readonly #host: PollWatchHost
  #timer: Timer | null = null
  #seen = -1
  #polledAt = 0
  /** Told of the silence that lasts; a poll ends it. */
  #isTold = false

  constructor(context: ClientContext, host: PollWatchHost) {
    this.#context = context
    this.#host = host
  }

  /** Watches from now on, if it does not already. */
  start(): void {
    if (this.#timer !== null) return
    const { clock, settings } = this.#context
    const interval = Math.min(MOST_CHECK_MS, settings['max.poll.interval.ms'] / 10)
    const check = (): void => {
      this.#timer = clock.setTimer(interval, check)
      this.#check()
    }
    this.#polledAt = clock.now()
    this.#timer = clock.setTimer(interval, check)
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = null
  }

  #check(): void {
    const { clock, settings } = this.#context
    const now = clock.now()
    const polls = this.#host.polls()
    if (polls !== this.#seen || this.#host.isBusy()) {
      this.#seen = polls
      this.#polledAt = now
      this.#isTold = false
      return
    }
    const limit = settings['max.poll.interval.ms']
    if (this.#isTold || now - this.#polledAt <= limit || !this.#host.isMember()) return
    this.#isTold = true
    this.#host.onExceeded(limit)
  }
}
