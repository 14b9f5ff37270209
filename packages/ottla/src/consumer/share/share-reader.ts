/** How the program gets at messages and events of a share consumer: one reader at a time. */
import { ErrorCode } from '@ottla/protocol'
import { Deadline, type Clock } from '../../base/clock.ts'
import { nextTurn } from '../../base/turn.ts'
import type { Wait } from '../../base/wait.ts'
import { KafkaError } from '../../errors.ts'
import type { AtWork } from '../read/at-work.ts'
import type { Decoding } from '../read/decoding.ts'
import type { Mailbox } from '../read/mailbox.ts'
import { rejects } from '../read/reader-errors.ts'
import { Seat } from '../read/seat.ts'
import type { ShareConsumerEvent } from './events.ts'
import { lockedMessage, type LockedMessage, type ShareMessage } from './message.ts'
import { ShareDecoder } from './share-decoder.ts'
import type { ShareInbox } from './share-inbox.ts'

export interface ShareReaderHost {
  isClosing(): boolean
  closedError(): KafkaError
  /** The program is there, and wants messages. */
  onPoll(): void
  /** Messages have been taken: there may be room. */
  onTaken(): void
  readonly atWork: AtWork
  /** The program asks for more without having said what became of this one; it could not read it if `isUnread`. */
  leaveBehind(message: LockedMessage, isUnread: boolean): void
}

// How many messages may be handed out before sockets and timers get their turn.
const TURN_EVERY = 64

const done = { value: undefined, done: true } as const

export class ShareReader<K, V> {
  readonly #clock: Clock
  readonly #inbox: ShareInbox
  readonly #mailbox: Mailbox
  readonly #host: ShareReaderHost
  readonly #decoding: Decoding | null
  readonly #decoder: ShareDecoder
  readonly #seat: Seat
  /** By the call that waits; handed out when that ends. */
  #taken: LockedMessage | null = null
  /** Handed out last. */
  #last: LockedMessage | null = null
  #isLastUnread = false
  #untilTurn = TURN_EVERY
  /** Grows with every call: how max.poll.interval.ms knows that the program is alive. */
  polls = 0

  constructor(clock: Clock, inbox: ShareInbox, mailbox: Mailbox, host: ShareReaderHost, decoding: Decoding | null) {
    this.#clock = clock
    this.#inbox = inbox
    this.#mailbox = mailbox
    this.#host = host
    this.#decoding = decoding
    this.#decoder = new ShareDecoder(inbox, decoding, {
      atWork: host.atWork,
      onTaken: () => host.onTaken(),
      wake: () => this.#decoded(),
    })
    this.#seat = new Seat(mailbox, busy)
  }

  /** Whether a call is waiting right now. */
  get isPolling(): boolean {
    return this.#seat.isWaitedIn
  }

  get decoding(): Decoding | null {
    return this.#decoding
  }

  /** Next message or event, null when the time is over or the consumer is closed meanwhile. */
  poll(wait: Wait): Promise<ShareConsumerEvent<K, V> | null> {
    if (this.#seat.isTaken || this.#host.isClosing()) {
      return this.#seat.refuse(this.#host.isClosing() ? this.#host.closedError() : null)
    }
    return this.#seat.alone(async reader => {
      this.#polled()
      const deadline = Deadline.after(this.#clock, wait.timeoutMs)
      wait.signal?.throwIfAborted()
      let isFirst = true
      try {
        for (;;) {
          if (this.#host.isClosing()) return null
          const found = await this.#next()
          if (found !== null) return found
          if (deadline.expired && !isFirst) return null
          isFirst = false
          if (deadline.expired) await nextTurn()
          else if (!this.#hasMore) await this.#mailbox.wait(deadline.left(), wait.signal)
        }
      } finally {
        this.handOut(reader)
      }
    })
  }

  /** One reader from now until `release`. Throws KafkaError ERR__STATE if there is another one. */
  acquire(reader: object): void {
    this.#seat.acquire(reader)
  }

  /** Ends its wait, too; what it has taken and not handed out is the next reader's. */
  release(reader: object): void {
    if (this.#taken !== null && this.#seat.has(reader)) {
      this.#inbox.putBack(this.#taken)
      this.#taken = null
    }
    this.#seat.leave(reader)
  }

  /**
   * For the holder of `acquire`: the next message, to be handed out; null when the consumer is closed, or the holder has
   * left. Rejects as `rejects` says.
   */
  async nextMessage(reader: object): Promise<ShareMessage<K, V> | null> {
    this.#polled()
    this.#seat.waitBegins()
    try {
      while (this.#seat.has(reader) && !this.#host.isClosing()) {
        const found = await this.#next()
        if (found?.type === 'message') return found.message
        if (found?.type === 'error' && rejects(found.error)) {
          const isEvent = this.#taken === null
          await nextTurn()
          if (this.#seat.has(reader)) throw found.error
          if (isEvent) this.#mailbox.post(found)
        }
        if (found === null && !this.#hasMore && this.#seat.has(reader)) {
          await this.#mailbox.wait(Infinity, undefined)
        }
      }
      return null
    } finally {
      this.#seat.waitEnds()
    }
  }

  /** The program has what its call has taken. */
  handOut(reader: object): void {
    if (this.#taken === null || !this.#seat.has(reader)) return
    this.#last = this.#taken
    this.#taken = null
  }

  /** For the holder of `acquire`: a message as it is, if there is one. */
  takeNow(): LockedMessage | null {
    this.#polled()
    this.#decoder.giveBack(false)
    const message = this.#inbox.take()
    if (message !== null) this.#host.onTaken()
    return message
  }

  /** For the holder of `acquire`: until something may have changed. Rejects as `rejects` says. */
  async change(): Promise<void> {
    this.#seat.waitBegins()
    try {
      if (!this.#mailbox.attention) await this.#mailbox.wait(Infinity, undefined)
      for (;;) {
        const event = this.#event()
        if (event === null) return
        if (event.type === 'error' && rejects(event.error)) throw event.error
      }
    } finally {
      this.#seat.waitEnds()
    }
  }

  /** The last message has nobody who would say what became of it: as if the next were asked for. */
  leaveLast(): void {
    const last = this.#last
    if (last === null) return
    this.#last = null
    this.#host.leaveBehind(last, this.#isLastUnread)
  }

  /** The program asks for no more: what deserializers are at work on waits as the others do. */
  giveBack(): void {
    this.#decoder.giveBack(true)
  }

  /** The last message is left as it is: its lock ends by itself. */
  forgetLast(): void {
    this.#last = null
  }

  /** Something has come since it was looked for. */
  get #hasMore(): boolean {
    return this.#mailbox.attention || this.#decoder.hasMore
  }

  #polled(): void {
    this.polls++
    this.leaveLast()
    this.#isBack()
  }

  /** While deserializers take too long, the program is as one that does not poll. */
  #isBack(): void {
    if (!this.#host.atWork.isStuck) this.#host.onPoll()
  }

  #decoded(): void {
    if (this.isPolling) this.#isBack()
    this.#mailbox.wake()
  }

  /** Events first. */
  async #next(): Promise<ShareConsumerEvent<K, V> | null> {
    const event = this.#event()
    if (event !== null) return event
    const given = this.#decoder.take()
    if (given === null) return null
    const { origin, message, error } = given
    this.#taken = origin
    this.#isLastUnread = message === null
    if (--this.#untilTurn <= 0) {
      this.#untilTurn = TURN_EVERY
      await nextTurn()
    }
    if (message !== null) return { type: 'message', message: message as ShareMessage<K, V> } // the deserializers make K and V
    if (error instanceof KafkaError) return { type: 'error', error }
    throw error
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
    if (this.#isEnded) return done
    if (this.#isWaiting) throw busy()
    this.#isWaiting = true
    try {
      this.#reader.acquire(this)
      const message = await this.#reader.nextMessage(this)
      if (message === null) this.#end()
      if (message === null || this.#isLeft()) return done
      this.#reader.handOut(this)
      return { value: message, done: false }
    } catch (error) {
      if (this.#isLeft()) return done
      this.#reader.handOut(this)
      this.#end()
      throw error
    } finally {
      this.#isWaiting = false
    }
  }

  /** A `next` under way ends with it, and what it would have handed out is the next reader's. */
  return(): Promise<IteratorResult<ShareMessage<K, V>, undefined>> {
    this.#end()
    return Promise.resolve(done)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  // A method: the compiler takes a field for what it was before an `await`.
  #isLeft(): boolean {
    return this.#isEnded
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
