/** How the program gets at messages and events of a share consumer: one reader at a time. */
import { ErrorCode } from '@ottla/protocol'
import { Deadline, type Clock } from '../../base/clock.ts'
import { nextTurn } from '../../base/turn.ts'
import type { Wait } from '../../base/wait.ts'
import { KafkaError } from '../../errors.ts'
import type { Mailbox } from '../mailbox.ts'
import type { Decoding } from '../message.ts'
import { rejects } from '../reader-errors.ts'
import type { ShareConsumerEvent } from './events.ts'
import { decodeLocked, lockedMessage, type LockedMessage, type ShareMessage } from './message.ts'
import type { ShareInbox } from './share-inbox.ts'

export interface ShareReaderHost {
  isClosing(): boolean
  closedError(): KafkaError
  /** The program is there, and wants messages. */
  onPoll(): void
  /** Messages have been taken: there may be room. */
  onTaken(): void
  /** The program asks for more without having said what became of this one; it could not read it if `isUnread`. */
  leaveBehind(message: LockedMessage, isUnread: boolean): void
}

// How many messages may be handed out before sockets and timers get their turn.
const TURN_EVERY = 64

export class ShareReader<K, V> {
  readonly #clock: Clock
  readonly #inbox: ShareInbox
  readonly #mailbox: Mailbox
  readonly #host: ShareReaderHost
  readonly #decoding: Decoding | null
  #reader: object | null = null
  #last: LockedMessage | null = null
  #isLastUnread = false
  #untilTurn = TURN_EVERY
  #waiting = 0
  /** Grows with every call: how max.poll.interval.ms knows that the program is alive. */
  polls = 0

  constructor(clock: Clock, inbox: ShareInbox, mailbox: Mailbox, host: ShareReaderHost, decoding: Decoding | null) {
    this.#clock = clock
    this.#inbox = inbox
    this.#mailbox = mailbox
    this.#host = host
    this.#decoding = decoding
  }

  /** Whether a call is waiting right now. */
  get isPolling(): boolean {
    return this.#waiting > 0
  }

  get decoding(): Decoding | null {
    return this.#decoding
  }

  /** Next message or event, null when the time is over or the consumer is closed meanwhile. */
  poll(wait: Wait): Promise<ShareConsumerEvent<K, V> | null> {
    return this.#alone(async () => {
      const deadline = Deadline.after(this.#clock, wait.timeoutMs)
      wait.signal?.throwIfAborted()
      let isFirst = true
      for (;;) {
        if (this.#host.isClosing()) return null
        const found = await this.#next()
        if (found !== null) return found
        if (deadline.expired && !isFirst) return null
        isFirst = false
        if (deadline.expired) await nextTurn()
        else if (!this.#hasMore) await this.#mailbox.wait(deadline.left(), wait.signal)
      }
    })
  }

  /** One reader from now until `release`. Throws KafkaError ERR__STATE if there is another one. */
  acquire(reader: object): void {
    if (this.#reader !== null && this.#reader !== reader) throw busy()
    this.#reader = reader
  }

  release(reader: object): void {
    if (this.#reader === reader) this.#reader = null
  }

  /** For the holder of `acquire`: the next message; null when the consumer is closed. Rejects as `rejects` says. */
  async nextMessage(until: () => boolean = () => false): Promise<ShareMessage<K, V> | null> {
    this.#polled()
    this.#waiting++
    try {
      for (;;) {
        if (this.#host.isClosing() || until()) return null
        const found = await this.#next()
        if (found?.type === 'message') return found.message
        if (found?.type === 'error' && rejects(found.error)) {
          await nextTurn()
          throw found.error
        }
        if (found === null && !this.#hasMore) await this.#mailbox.wait(Infinity, undefined)
      }
    } finally {
      this.#waiting--
    }
  }

  /** For the holder of `acquire`: a message as it is, if there is one. */
  takeNow(): LockedMessage | null {
    this.#polled()
    const message = this.#inbox.take()
    if (message !== null) this.#host.onTaken()
    return message
  }

  /** For the holder of `acquire`: until something may have changed. Rejects as `rejects` says. */
  async change(): Promise<void> {
    this.#waiting++
    try {
      if (!this.#mailbox.attention) await this.#mailbox.wait(Infinity, undefined)
      for (;;) {
        const event = this.#event()
        if (event === null) return
        if (event.type === 'error' && rejects(event.error)) throw event.error
      }
    } finally {
      this.#waiting--
    }
  }

  /** The last message has nobody who would say what became of it: as if the next were asked for. */
  leaveLast(): void {
    const last = this.#last
    if (last === null) return
    this.#last = null
    this.#host.leaveBehind(last, this.#isLastUnread)
  }

  /** The last message is left as it is: its lock ends by itself. */
  forgetLast(): void {
    this.#last = null
  }

  /** Something has come since it was looked for. */
  get #hasMore(): boolean {
    return this.#mailbox.attention || this.#inbox.waiting > 0
  }

  #polled(): void {
    this.polls++
    this.leaveLast()
    this.#host.onPoll()
  }

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.#reader !== null || this.#host.isClosing()) {
      const error = this.#host.isClosing() ? this.#host.closedError() : busy()
      // Not at once: a program that tries again and again must not keep everything else from happening.
      await nextTurn()
      throw error
    }
    const reader = {}
    this.#reader = reader
    this.#polled()
    this.#waiting++
    try {
      return await work()
    } finally {
      this.#waiting--
      this.release(reader)
    }
  }

  /** Events first. */
  async #next(): Promise<ShareConsumerEvent<K, V> | null> {
    const event = this.#event()
    if (event !== null) return event
    const message = this.#inbox.take()
    if (message === null) return null
    this.#last = message
    this.#isLastUnread = false
    this.#host.onTaken()
    if (--this.#untilTurn <= 0) {
      this.#untilTurn = TURN_EVERY
      await nextTurn()
    }
    // Without deserializers, K and V are Buffer.
    if (this.#decoding === null) return { type: 'message', message: message as unknown as ShareMessage<K, V> }
    try {
      const decoded = await decodeLocked(message, this.#decoding)
      return { type: 'message', message: decoded as ShareMessage<K, V> } // the deserializers make K and V
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      this.#isLastUnread = true
      return { type: 'error', error }
    }
  }

  #event(): ShareConsumerEvent<K, V> | null {
    if (!this.#mailbox.attention) return null
    for (;;) {
      const event = this.#mailbox.take()
      if (this.#mailbox.isEmpty) this.#mailbox.attention = false
      if (event === undefined) return null
      switch (event.type) {
        case 'error':
        case 'stats':
        case 'throttle':
        case 'oauthbearer-token-refresh':
          return event
        default:
      }
    }
  }
}

/** `for await` over a share consumer. */
export class ShareIterator<K, V> implements AsyncIterableIterator<ShareMessage<K, V>, undefined> {
  readonly #reader: ShareReader<K, V>
  #isEnded = false
  #isWaiting = false

  constructor(reader: ShareReader<K, V>) {
    this.#reader = reader
  }

  async next(): Promise<IteratorResult<ShareMessage<K, V>, undefined>> {
    if (this.#isEnded) return { value: undefined, done: true }
    if (this.#isWaiting) throw busy()
    this.#isWaiting = true
    try {
      this.#reader.acquire(this)
      const message = await this.#reader.nextMessage()
      if (message !== null) return { value: message, done: false }
      this.#end()
      return { value: undefined, done: true }
    } catch (error) {
      this.#end()
      throw error
    } finally {
      this.#isWaiting = false
    }
  }

  return(): Promise<IteratorResult<ShareMessage<K, V>, undefined>> {
    this.#end()
    return Promise.resolve({ value: undefined, done: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #end(): void {
    this.#isEnded = true
    this.#reader.release(this)
  }
}

/** @throws KafkaError ERR__INVALID_ARG for anything but a message of a share consumer */
export function requireLocked(message: object): LockedMessage {
  const locked = lockedMessage(message)
  if (locked !== undefined) return locked
  throw new KafkaError(ErrorCode.ERR__INVALID_ARG, 'acknowledge takes a message that this share consumer handed out')
}

function busy(): KafkaError {
  return new KafkaError(ErrorCode.ERR__STATE, 'another poll, iterator or run of this share consumer is under way')
}
