/** Notices that the application has stopped polling (`max.poll.interval.ms`). */
import type { Timer } from '../../base/clock.ts'
import type { ClientContext } from '../../cluster/context.ts'

export interface PollWatchHost {
  /** Grows with every call of the application. */
  polls(): number
  /** A call of the application is waiting. */
  isPolling(): boolean
  /** A rebalance callback is running. */
  isCalling(): boolean
  /** When the oldest job of a run or of partition streams began (monotonic ms); Infinity without any. */
  workingSince(): number
  /** Only a member can exceed the limit. */
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
  /** The beginning of the last excess that was reported; a poll ends it. */
  #reportedSince = Infinity

  constructor(context: ClientContext, host: PollWatchHost) {
    this.#context = context
    this.#host = host
  }

  /** Starts watching, unless it does so already. */
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
      this.#reportedSince = Infinity
      return
    }
    const since = isWorking ? workingSince : this.#polledAt
    if (this.#reportedSince === since || now - since <= limit || !this.#host.isMember()) return
    this.#reportedSince = since
    this.#host.onExceeded(limit)
  }
}
