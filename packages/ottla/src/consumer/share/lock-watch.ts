/** Renews the locks of messages that wait or that handlers have, and gives up those whose lock has ended. */
import type { Clock, Timer } from '../../base/clock.ts'
import type { LockedMessage } from './message.ts'
import type { ShareQueue } from './share-queue.ts'

export interface LockWatchHost {
  /** A handler has it. */
  isProcessing(message: LockedMessage): boolean
  renew(message: LockedMessage): void
  /** Some locks have ended: there is room for other messages. */
  onEnded(): void
}

export class LockWatch {
  readonly #clock: Clock
  readonly #queue: ShareQueue
  readonly #host: LockWatchHost
  #timer: Timer | null = null
  #checkMs = 0

  constructor(clock: Clock, queue: ShareQueue, host: LockWatchHost) {
    this.#clock = clock
    this.#queue = queue
    this.#host = host
  }

  /** Checks from now on, at an interval that fits the lock duration. */
  start(): void {
    this.#timer?.cancel()
    this.#checkMs = this.#queue.checkMs
    this.#timer = this.#clock.setTimer(this.#checkMs, () => {
      for (const message of this.#queue.due(each => this.#host.isProcessing(each))) this.#host.renew(message)
      if (this.#queue.sweep() > 0) this.#host.onEnded()
      this.start()
    })
  }

  /** The lock duration may have changed. */
  adjust(): void {
    if (this.#checkMs !== this.#queue.checkMs) this.start()
  }

  stop(): void {
    this.#timer?.cancel()
  }
}
