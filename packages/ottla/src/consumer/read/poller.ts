/** How the program gets at messages and events: one reader at a time, rebalances in between. */
import { ErrorCode } from '@ottla/protocol'
import { Deadline, type Clock } from '../../base/clock.ts'
import { nextTurn } from '../../base/turn.ts'
import type { Wait } from '../../base/wait.ts'
import { KafkaError } from '../../errors.ts'
import type { ConsumerEvent, Message } from '../../types.ts'
import type { FetchQueue, TakenBatch } from '../fetch/fetch-queue.ts'
import type { FetchedMessage } from '../partition/message.ts'
import type { AtWork } from './at-work.ts'
import { Decoder, type DecoderHost, type Given } from './decoder.ts'
import type { Decoding } from './decoding.ts'
import type { Mailbox } from './mailbox.ts'
import { rejects } from './reader-errors.ts'
import { Seat } from './seat.ts'

/** What the poller needs of its consumer. */
export interface PollerHost {
  /** No more calls are taken. */
  isClosing(): boolean
  /** Rebalance callbacks wait to be run. */
  hasCallbacks(): boolean
  /** Runs them, one after the other. */
  runCallbacks(): Promise<void>
  closedError(): KafkaError
  /** Why no broker answers, if that is known. */
  trouble(): KafkaError | null
}

// How long promises alone may keep the event loop from turning, and how often that is looked at.
const LONGEST_TURN_MS = 20
const LOOK_EVERY = 16

export class Poller<K, V> {
  readonly #clock: Clock
  readonly #queue: FetchQueue
  readonly #mailbox: Mailbox
  readonly #host: PollerHost
  readonly #decoding: Decoding | null
  readonly #decoder: Decoder | null
  /** `enable.auto.offset.store` */
  readonly #storesOffsets: boolean
  readonly #seat: Seat
  #untilLook = LOOK_EVERY
  #turnedAt: number
  #turnDue = false
  readonly decoderHost: DecoderHost
  /** Grows with every call: how max.poll.interval.ms knows that the program is alive. */
  polls = 0

  constructor(
    clock: Clock,
    queue: FetchQueue,
    mailbox: Mailbox,
    atWork: AtWork,
    host: PollerHost,
    decoding: Decoding | null,
    storesOffsets: boolean,
  ) {
    this.#clock = clock
    this.#queue = queue
    this.#mailbox = mailbox
    this.#host = host
    this.#decoding = decoding
    this.#storesOffsets = storesOffsets
    this.#turnedAt = clock.now()
    this.#seat = new Seat(mailbox, busy)
    this.decoderHost = { clock, atWork, wake: () => mailbox.wake() }
    this.#decoder = decoding === null ? null : new Decoder(queue, decoding, this.decoderHost)
  }

  /** Whether a call is waiting right now. */
  get isPolling(): boolean {
    return this.#seat.isWaitedIn
  }

  get decoding(): Decoding | null {
    return this.#decoding
  }

  get decoder(): Decoder | null {
    return this.#decoder
  }

  get storesOffsets(): boolean {
    return this.#storesOffsets
  }

  /** Next event or message, null when the time is over or the consumer is closed meanwhile. */
  poll(wait: Wait): Promise<ConsumerEvent<K, V> | null> {
    this.polls++
    if (this.#seat.isTaken || this.#host.isClosing()) return this.#refuse()
    const { timeoutMs, signal } = wait
    if (this.#decoder === null) {
      const message = this.#takeNow()
      if (message !== null) {
        this.#store(message)
        // Without deserializers, K and V are Buffer.
        return Promise.resolve({ type: 'message', message: message as unknown as Message<K, V> })
      }
    } else {
      const given = this.#giveNow(this.#decoder)
      if (given !== null) return settled(() => this.#handOut(given))
    }
    return this.#seat.alone(reader => this.#next(reader, Deadline.after(this.#clock, timeoutMs), signal))
  }

  /** Next message. Rejects with KafkaError ERR__TIMED_OUT, ERR__DESTROY when closed meanwhile, or one of `rejecting`. */
  readMessage(wait: Wait): Promise<Message<K, V>> {
    this.polls++
    if (this.#seat.isTaken || this.#host.isClosing()) return this.#refuse()
    if (this.#decoder === null) {
      const message = this.#takeNow()
      if (message !== null) {
        this.#store(message)
        return Promise.resolve(message as unknown as Message<K, V>) // as above
      }
      return this.#seat.alone(reader => this.#readSlowly(reader, null, wait))
    }
    const given = this.#giveNow(this.#decoder)
    if (given === null || given.message === null) {
      return this.#seat.alone(reader => this.#readSlowly(reader, given, wait))
    }
    this.#store(given.origin)
    return Promise.resolve(given.message as Message<K, V>) // the deserializers make K and V
  }

  /** One reader from now until `release`. Throws KafkaError ERR__STATE if there is another one. */
  acquire(reader: object): void {
    this.#seat.acquire(reader)
  }

  /** Ends its wait, too. */
  release(reader: object): void {
    this.#seat.leave(reader)
  }

  /** A message that is there already, if nothing has to come before it. For the holder of `acquire`. */
  takeNow(): FetchedMessage | null {
    this.polls++
    this.#decoder?.giveBack()
    return this.#takeNow()
  }

  /** As takeNow, as the program gets it; null also while deserializers are at work. */
  giveNow(decoder: Decoder): Given | null {
    this.polls++
    return this.#giveNow(decoder)
  }

  /** As takeNow, for several messages of one partition. */
  takeBatchNow(maxMessages: number, maxBytes: number): TakenBatch | null {
    this.polls++
    this.#decoder?.giveBack()
    if (this.#mailbox.attention || this.#isTurnDue(LOOK_EVERY)) return null
    return this.#queue.takeBatch(maxMessages, maxBytes)
  }

  /** Something comes before the next message. */
  get isInterrupted(): boolean {
    return this.#mailbox.attention || this.#turnDue
  }

  /**
   * For the holder of `acquire`: waits until `take` gives something; null when the consumer is closed, or the holder has
   * left. Rejects with one of `rejecting`.
   */
  async awaitNext<T>(reader: object, take: () => T | null): Promise<T | null> {
    this.#seat.waitBegins()
    try {
      while (this.#isThere(reader)) {
        const event = await this.#attend(reader)
        if (event?.type === 'error' && rejects(event.error)) {
          await this.#turn()
          if (this.#seat.has(reader)) throw event.error
          this.#mailbox.post(event)
        }
        if (event !== null || !this.#seat.has(reader)) continue
        const taken = take()
        if (taken !== null) return taken
        if (this.isInterrupted) continue
        if (this.#decoder?.isFresh === true) await this.#decoder.soon()
        else await this.#mailbox.wait(Infinity, undefined)
      }
      return null
    } finally {
      this.#seat.waitEnds()
    }
  }

  /** For the holder of `acquire`: waits at most `ms`, less if something else than messages comes, or it has left. */
  async linger(reader: object, ms: number, enough: () => boolean): Promise<void> {
    const deadline = Deadline.after(this.#clock, ms)
    while (!this.#mailbox.attention && this.#isThere(reader) && !deadline.expired && !enough()) {
      await this.#mailbox.wait(deadline.left(), undefined)
    }
  }

  #isThere(reader: object): boolean {
    return this.#seat.has(reader) && !this.#host.isClosing()
  }

  #refuse(): Promise<never> {
    return this.#seat.refuse(this.#host.isClosing() ? this.#host.closedError() : null)
  }

  async #readSlowly(reader: object, first: Given | null, wait: Wait): Promise<Message<K, V>> {
    const deadline = Deadline.after(this.#clock, wait.timeoutMs)
    let event = first === null ? null : this.#handOut(first)
    for (;;) {
      event ??= await this.#next(reader, deadline, wait.signal)
      if (event === null) {
        if (this.#host.isClosing())
          throw new KafkaError(ErrorCode.ERR__DESTROY, 'the consumer has been closed meanwhile')
        throw noMessage(wait.timeoutMs, this.#host.trouble())
      }
      if (event.type === 'message') return event.message
      if (event.type === 'error' && rejects(event.error)) {
        await this.#turn()
        throw event.error
      }
      event = null
    }
  }

  async #next(
    reader: object,
    deadline: Deadline,
    signal: AbortSignal | undefined,
  ): Promise<ConsumerEvent<K, V> | null> {
    signal?.throwIfAborted()
    let turned = false
    for (;;) {
      if (this.#host.isClosing()) return null
      const event = await this.#attend(reader)
      if (event !== null) return event as ConsumerEvent<K, V> // no message, which alone has a K and a V
      const given = this.#give()
      if (given !== null) return this.#handOut(given)
      if (this.#mailbox.attention) continue
      if (this.#decoder?.isFresh === true) {
        await this.#decoder.soon()
      } else if (!deadline.expired) {
        await this.#mailbox.wait(deadline.left(), signal)
        turned = true
      } else if (!turned) {
        // A program that polls without waiting must not keep data from arriving.
        await this.#turn()
        turned = true
      } else {
        return null
      }
    }
  }

  /** Rebalances first, then events. */
  async #attend(reader: object): Promise<ConsumerEvent<unknown, unknown> | null> {
    if (this.#turnDue) await this.#turn()
    if (!this.#mailbox.attention) return null
    if (this.#host.hasCallbacks()) await this.#host.runCallbacks()
    // What comes is the next reader's.
    if (!this.#seat.has(reader)) return null
    const event = this.#mailbox.take() ?? null
    if (!this.#host.hasCallbacks() && this.#mailbox.isEmpty) this.#mailbox.attention = false
    return event
  }

  #takeNow(): FetchedMessage | null {
    if (this.#mailbox.attention || this.#isTurnDue(1)) return null
    return this.#queue.take()
  }

  /** Whether promises alone have kept the event loop from turning for long: heartbeats and sockets come first. */
  #isTurnDue(weight: number): boolean {
    this.#untilLook -= weight
    if (this.#untilLook > 0) return false
    this.#untilLook = LOOK_EVERY
    if (this.#clock.now() - this.#turnedAt < LONGEST_TURN_MS) return false
    this.#turnDue = true
    return true
  }

  async #turn(): Promise<void> {
    await nextTurn()
    this.#turnDue = false
    this.#turnedAt = this.#clock.now()
  }

  #giveNow(decoder: Decoder): Given | null {
    if (this.#mailbox.attention || this.#isTurnDue(1)) return null
    return decoder.take()
  }

  #give(): Given | null {
    if (this.#decoder !== null) return this.#decoder.take()
    const message = this.#queue.take()
    return message === null ? null : { origin: message, message, error: null }
  }

  /** From now on it counts as done. */
  #handOut({ origin, message, error }: Given): ConsumerEvent<K, V> {
    this.#store(origin)
    if (message !== null) return { type: 'message', message: message as Message<K, V> } // the deserializers make K and V
    if (error instanceof KafkaError) return { type: 'error', error }
    throw error
  }

  // Whoever polls is done with what was handed out before.
  #store(message: FetchedMessage): void {
    const { offsets } = message.cursor
    offsets.inHand = false
    offsets.worker = null
    if (this.#storesOffsets) offsets.store(message.offset + 1, message.leaderEpoch, message.era)
  }
}

/** As an `async` function, without its price. */
function settled<T>(work: () => T): Promise<T> {
  try {
    return Promise.resolve(work())
  } catch (error) {
    return Promise.reject(error instanceof Error ? error : new Error(String(error)))
  }
}

function noMessage(timeoutMs: number, cause: KafkaError | null): KafkaError {
  const why = cause === null ? '' : `; last: ${cause.message}`
  return new KafkaError(ErrorCode.ERR__TIMED_OUT, `no message within ${timeoutMs} ms${why}`, { cause })
}

export function busy(): KafkaError {
  const why = 'another poll, readMessage or iterator of this consumer is under way'
  return new KafkaError(ErrorCode.ERR__STATE, why)
}
