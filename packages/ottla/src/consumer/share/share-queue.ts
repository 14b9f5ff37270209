/** The messages that are locked for a share consumer: waiting for the application, or delivered to it. */
import type { Clock } from '../../base/clock.ts'
import { Ring } from '../../base/ring.ts'
import { AcquireWindow } from './acquire-window.ts'
import type { LockedMessage, ShareSource } from './message.ts'

/** A lock is renewed when this part of its duration is left. */
const RENEW_PART = 1 / 2

export class ShareQueue {
  readonly window: AcquireWindow
  readonly #clock: Clock
  readonly #most: number
  readonly #waiting = new Ring<LockedMessage>()
  readonly #held = new Set<LockedMessage>()
  /** They wait, too, but are not delivered before `bringBack`. */
  #postponed: LockedMessage[] = []
  /** How long locks last, as last reported by a broker, ms. */
  lockMs = 30_000

  /** @param most - `max.poll.records` */
  constructor(clock: Clock, most: number) {
    this.#clock = clock
    this.#most = most
    this.window = new AcquireWindow(most)
  }

  /** How many messages wait for the application. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** How many messages are locked: those that wait, and those delivered and not acknowledged. */
  get held(): number {
    return this.#held.size
  }

  /** How many more may be acquired. */
  get room(): number {
    return Math.min(this.window.size - this.#waiting.length, this.#most - this.#held.size)
  }

  /** The application has as many as it may have: nothing more comes before it acknowledges some. */
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

  // The broker's clock counts: what it delivers again was no longer locked.
  #endEarlier({ source, offset }: LockedMessage): void {
    for (const held of this.#held) if (held.offset === offset && held.source === source) this.end(held)
  }

  /** The next message whose lock still holds. */
  take(): LockedMessage | null {
    for (;;) {
      const message = this.#waiting.shift()
      if (message === undefined) return null
      const { lot } = message
      const now = this.#clock.now()
      if (--lot.waiting === 0) this.window.delivered(lot.count, now - lot.since, this.lockMs)
      if (message.state !== 'waiting') continue
      if (message.lockedUntil <= now) {
        this.end(message)
        continue
      }
      message.state = 'given'
      return message
    }
  }

  /** It was not delivered: it comes next again. */
  putBack(message: LockedMessage): void {
    if (message.state !== 'given') return
    message.state = 'waiting'
    message.lot.waiting++
    this.#waiting.unshift(message)
  }

  /** It cannot be deserialized yet: as if it had not been taken, but not delivered before `bringBack`. */
  postpone(message: LockedMessage): void {
    if (message.state !== 'given') return
    message.state = 'waiting'
    this.#postponed.push(message)
  }

  /** What was postponed comes behind what waits. */
  bringBack(): void {
    for (const message of this.#postponed) {
      if (message.state !== 'waiting') continue
      message.lot.waiting++
      this.#waiting.push(message)
    }
    this.#postponed = []
  }

  /** Takes out waiting messages. @param isUnwanted - which of them */
  takeAll(isUnwanted: (message: LockedMessage) => boolean): LockedMessage[] {
    const taken: LockedMessage[] = []
    this.bringBack()
    for (let left = this.#waiting.length; left > 0; left--) {
      const message = this.#waiting.shift() as LockedMessage // left is at most their number
      if (!isUnwanted(message)) {
        this.#waiting.push(message)
        continue
      }
      message.lot.waiting--
      if (message.state === 'waiting') taken.push(message)
    }
    return taken
  }

  /** The message has been acknowledged. */
  settle(message: LockedMessage): void {
    message.state = 'settled'
    this.#drop(message)
  }

  /** The lock has ended, or was lost. */
  end(message: LockedMessage): void {
    if (message.state === 'settled' || message.state === 'over') return
    message.state = 'over'
    this.#drop(message)
    message.onLost?.()
  }

  #drop(message: LockedMessage): void {
    if (this.#held.delete(message)) message.source.held--
  }

  /** A session has ended, and all its locks with it. */
  lose(source: ShareSource): void {
    for (const message of this.#held) if (message.source === source) this.end(message)
  }

  /** As lose, for what was not yet delivered. */
  loseWaiting(source: ShareSource): void {
    for (const message of this.#held) if (message.source === source && message.state === 'waiting') this.end(message)
  }

  /** Ends messages whose lock has run out, which no broker reports. @returns how many */
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

  /** The messages whose locks are due for renewal: waiting ones, and delivered ones that a handler has. */
  due(isProcessing: (message: LockedMessage) => boolean): LockedMessage[] {
    const dueUntil = this.#clock.now() + this.lockMs * RENEW_PART
    const found: LockedMessage[] = []
    for (const message of this.#held) {
      if (message.lockedUntil > dueUntil) continue
      if (message.state === 'waiting' || isProcessing(message)) found.push(message)
    }
    return found
  }

  /** How often to check the locks, ms. */
  get checkMs(): number {
    return Math.max(10, Math.min(1000, this.lockMs / 8))
  }
}
