/** Notices that the program does not poll any more (`max.poll.interval.ms`). */
import type { Timer } from '../../base/clock.ts'
import type { ClientContext } from '../../cluster/context.ts'

export interface PollWatchHost {
  /** Grows with every call of the program. */
  polls(): number
  /** A call of the program's is waiting. */
  isPolling(): boolean
  /** A rebalance callback is running, or what a rebalance waits for. */
  isCalling(): boolean
  /** Since when the longest of what a run or partition streams are working on has been at work; Infinity without any. */
  workingSince(): number
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
  /** Since when the silence has lasted that was told of; a poll ends it. */
  #toldOf = Infinity

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
    const limit = settings['max.poll.interval.ms']
    const workingSince = this.#host.workingSince()
    const isWorking = now - workingSince > limit
    if (this.#host.isCalling() || (!isWorking && (polls !== this.#seen || this.#host.isPolling()))) {
      this.#seen = polls
      this.#polledAt = now
      this.#toldOf = Infinity
      return
    }
    const since = isWorking ? workingSince : this.#polledAt
    if (this.#toldOf === since || now - since <= limit || !this.#host.isMember()) return
    this.#toldOf = since
    this.#host.onExceeded(limit)
  }
}
