/** What a share consumer has the locks of: messages that wait for the program, and those that it has. */
import type { Clock } from '../../base/clock.ts'
import { Ring } from '../../base/ring.ts'
import { AcquireWindow } from './acquire-window.ts'
import type { LockedMessage, ShareSource } from './message.ts'

/** The rest of a lock's time in which it is renewed, as a part of the whole. */
const RENEW_PART = 1 / 2

export class ShareQueue {
  readonly window: AcquireWindow
  readonly #clock: Clock
  readonly #most: number
  readonly #waiting = new Ring<LockedMessage>()
  readonly #held = new Set<LockedMessage>()
  /** How long locks last, as the brokers said last, ms. */
  lockMs = 30_000

  /** @param most - `max.poll.records` */
  constructor(clock: Clock, most: number) {
    this.#clock = clock
    this.#most = most
    this.window = new AcquireWindow(most)
  }

  /** Messages that wait for the program. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Those, and the ones that it has and has not said anything of. */
  get held(): number {
    return this.#held.size
  }

  /** How many more may be acquired. */
  get room(): number {
    return Math.min(this.window.size - this.#waiting.length, this.#most - this.#held.size)
  }

  /** The program has as many as it may have: nothing comes before it says what became of some. */
  get isExhausted(): boolean {
    return this.#waiting.length === 0 && this.#held.size >= this.#most
  }

  add(messages: readonly LockedMessage[]): void {
    for (const message of messages) {
      if (message.deliveryCount > 1) this.#endEarlier(message)
      this.#waiting.push(message)
      this.#held.add(message)
      message.source.held++
    }
  }

  // The broker's clock is the one that counts: what it gives out again was locked no longer.
  #endEarlier({ source, offset }: LockedMessage): void {
    for (const held of this.#held) if (held.offset === offset && held.source === source) this.end(held)
  }

  /** The next one whose lock still holds. */
  take(): LockedMessage | null {
    for (;;) {
      const message = this.#waiting.shift()
      if (message === undefined) return null
      const { lot } = message
      const now = this.#clock.now()
      if (--lot.waiting === 0) this.window.worked(lot.count, now - lot.since, this.lockMs)
      if (message.state !== 'waiting') continue
      if (message.lockedUntil <= now) {
        this.end(message)
        continue
      }
      message.state = 'given'
      return message
    }
  }

  /** Nobody has had it: it comes next. */
  putBack(message: LockedMessage): void {
    if (message.state !== 'given') return
    message.state = 'waiting'
    message.lot.waiting++
    this.#waiting.unshift(message)
  }

  /** All that waits, which nobody asks for any more. */
  takeAll(): LockedMessage[] {
    const taken: LockedMessage[] = []
    for (let message = this.#waiting.shift(); message !== undefined; message = this.#waiting.shift()) {
      message.lot.waiting--
      if (message.state === 'waiting') taken.push(message)
    }
    return taken
  }

  /** The program has said what became of it. */
  settle(message: LockedMessage): void {
    message.state = 'settled'
    this.#drop(message)
  }

  /** The lock is another's, or nobody's. */
  end(message: LockedMessage): void {
    if (message.state === 'settled' || message.state === 'over') return
    message.state = 'over'
    this.#drop(message)
    message.onLost?.()
  }

  #drop(message: LockedMessage): void {
    if (this.#held.delete(message)) message.source.held--
  }

  /** A session is over, and all locks of it. */
  lose(source: ShareSource): void {
    for (const message of this.#held) if (message.source === source) this.end(message)
  }

  /** Ends what has outlasted its lock; nobody else would tell. @returns how many */
  sweep(): number {
    const now = this.#clock.now()
    let ended = 0
    for (const message of this.#held) {
      if (message.lockedUntil > now) continue
      this.end(message)
      ended++
    }
    return ended
  }

  /** What is to be renewed: those that wait, and those given ones that `isAtWork` says so of. */
  due(isAtWork: (message: LockedMessage) => boolean): LockedMessage[] {
    const soon = this.#clock.now() + this.lockMs * RENEW_PART
    const found: LockedMessage[] = []
    for (const message of this.#held) {
      if (message.lockedUntil > soon) continue
      if (message.state === 'waiting' || isAtWork(message)) found.push(message)
    }
    return found
  }

  /** How often to look for locks that end, ms. */
  get checkMs(): number {
    return Math.max(10, Math.min(1000, this.lockMs / 8))
  }
}
