/** How the application gets messages and events: one reader at a time, with rebalances in between. */
import { ErrorCode } from '@ottla/protocol'
import { Deadline, type Clock } from '../../base/clock.ts'
import { toError } from '../../base/unknown-error.ts'
import type { Wait } from '../../base/wait.ts'
import { KafkaError } from '../../errors.ts'
import type { ConsumerEvent, Message } from '../../types.ts'
import type { FetchQueue, TakenBatch } from '../fetch/fetch-queue.ts'
import type { FetchedMessage } from '../partition/message.ts'
import type { RunningJobs } from './running-jobs.ts'
import type { DecodeBackoff } from './decode-backoff.ts'
import { eventOf, type DecoderHost } from './decoder.ts'
import type { Decoding } from './decoding.ts'
import { fetchedDecoder, type FetchedDecoder, type DecodedMessage } from './fetched-source.ts'
import type { Mailbox } from './mailbox.ts'
import { ReadLoop, type ReadLoopHost } from './read-loop.ts'
import { rejects } from './reader-errors.ts'
import { ReaderSlot, underWay } from './reader-slot.ts'
import { CHECK_EVERY, LoopYield } from './loop-yield.ts'

/** What the reader needs of its consumer. */
export interface ReaderHost extends ReadLoopHost {
  closedError(): KafkaError
  /** Why nothing comes, if known. */
  trouble(): KafkaError | null
  readonly backoff: DecodeBackoff
}

export class Reader<K, V> {
  readonly #clock: Clock
  readonly #queue: FetchQueue
  readonly #mailbox: Mailbox
  readonly #host: ReaderHost
  readonly #decoding: Decoding | null
  readonly #decoder: FetchedDecoder | null
  /** `enable.auto.offset.store` */
  readonly #storesOffsets: boolean
  readonly #slot: ReaderSlot
  readonly #loopYield: LoopYield
  readonly #loop: ReadLoop
  readonly decoderHost: DecoderHost
  /** Grows with every call, so that max.poll.interval.ms can tell that the application is alive. */
  polls = 0

  constructor(
    clock: Clock,
    queue: FetchQueue,
    mailbox: Mailbox,
    runningJobs: RunningJobs,
    host: ReaderHost,
    decoding: Decoding | null,
    storesOffsets: boolean,
  ) {
    this.#clock = clock
    this.#queue = queue
    this.#mailbox = mailbox
    this.#host = host
    this.#decoding = decoding
    this.#storesOffsets = storesOffsets
    this.#loopYield = new LoopYield(clock)
    this.#slot = new ReaderSlot(mailbox, busy)
    this.decoderHost = { clock, runningJobs, wake: () => mailbox.wake() }
    this.#decoder = decoding === null ? null : fetchedDecoder(queue, decoding, host.backoff, this.decoderHost)
    this.#loop = new ReadLoop(clock, mailbox, this.#loopYield, this.#slot, host, this.#decoder)
  }

  /** Whether a call is waiting right now. */
  get isPolling(): boolean {
    return this.#slot.isWaiting
  }

  get decoding(): Decoding | null {
    return this.#decoding
  }

  get decoder(): FetchedDecoder | null {
    return this.#decoder
  }

  get backoff(): DecodeBackoff {
    return this.#host.backoff
  }

  get storesOffsets(): boolean {
    return this.#storesOffsets
  }

  /** The next event or message; null after the timeout, or when the consumer is closed meanwhile. */
  poll(wait: Wait): Promise<ConsumerEvent<K, V> | null> {
    this.polls++
    if (this.#slot.isTaken || this.#host.isClosing()) return this.#refuse()
    const { timeoutMs, signal } = wait
    if (this.#decoder === null) {
      const message = this.#takeNow()
      if (message !== null) {
        this.#store(message)
        // Without deserializers, K and V are Buffer.
        return Promise.resolve({ type: 'message', message: message as unknown as Message<K, V> })
      }
    } else {
      const given = this.#takeDecodedNow(this.#decoder)
      if (given !== null) return settled(() => this.#handOut(given))
    }
    return this.#slot.exclusively(holder => this.#next(holder, Deadline.after(this.#clock, timeoutMs), signal, false))
  }

  /**
   * The next message. Rejects with KafkaError ERR__TIMED_OUT, ERR__DESTROY when closed meanwhile, or as `rejects` says.
   */
  readMessage(wait: Wait): Promise<Message<K, V>> {
    this.polls++
    if (this.#slot.isTaken || this.#host.isClosing()) return this.#refuse()
    if (this.#decoder === null) {
      const message = this.#takeNow()
      if (message !== null) {
        this.#store(message)
        return Promise.resolve(message as unknown as Message<K, V>) // as above
      }
      return this.#slot.exclusively(holder => this.#readSlowly(holder, null, wait))
    }
    const given = this.#takeDecodedNow(this.#decoder)
    if (given === null || given.message === null) {
      return this.#slot.exclusively(holder => this.#readSlowly(holder, given, wait))
    }
    this.#store(given.origin)
    return Promise.resolve(given.message as Message<K, V>) // the deserializers make K and V
  }

  /** Becomes the one reader until `release`. Throws KafkaError ERR__STATE if there is another. */
  acquire(holder: object): void {
    this.#slot.acquire(holder)
  }

  /** Ends the holder's wait, too. */
  release(holder: object): void {
    this.#slot.release(holder)
  }

  /** A message that is there already, if nothing must come before it. For the holder of `acquire`. */
  takeNow(): FetchedMessage | null {
    this.polls++
    this.#decoder?.giveBack()
    return this.#takeNow()
  }

  /** As takeNow, deserialized; null also while it is being deserialized. */
  takeDecodedNow(decoder: FetchedDecoder): DecodedMessage | null {
    this.polls++
    return this.#takeDecodedNow(decoder)
  }

  /** As takeNow, for several messages of one partition. */
  takeBatchNow(maxMessages: number, maxBytes: number): TakenBatch | null {
    this.polls++
    this.#decoder?.giveBack()
    if (this.#mailbox.attention || this.#loopYield.count(CHECK_EVERY)) return null
    return this.#queue.takeBatch(maxMessages, maxBytes)
  }

  /** See ReadLoop. */
  get isInterrupted(): boolean {
    return this.#loop.isInterrupted
  }

  /** See ReadLoop. */
  awaitNext<T>(holder: object, take: () => T | null): Promise<T | null> {
    return this.#loop.awaitNext(holder, take)
  }

  /** See ReadLoop. */
  linger(holder: object, ms: number, enough: () => boolean): Promise<void> {
    return this.#loop.linger(holder, ms, enough)
  }

  #refuse(): Promise<never> {
    return this.#slot.refuse(this.#host.isClosing() ? this.#host.closedError() : null)
  }

  async #readSlowly(holder: object, first: DecodedMessage | null, wait: Wait): Promise<Message<K, V>> {
    const deadline = Deadline.after(this.#clock, wait.timeoutMs)
    let event = first === null ? null : this.#handOut(first)
    for (;;) {
      event ??= await this.#next(holder, deadline, wait.signal, true)
      if (event === null) {
        if (this.#host.isClosing())
          throw new KafkaError(ErrorCode.ERR__DESTROY, 'the consumer was closed while readMessage waited')
        throw noMessage(wait.timeoutMs, this.#host.trouble())
      }
      if (event.type === 'message') return event.message
      if (event.type === 'error' && rejects(event.error)) {
        await this.#loopYield.yield()
        throw event.error
      }
      event = null
    }
  }

  #next(
    holder: object,
    deadline: Deadline,
    signal: AbortSignal | undefined,
    endsWithFatal: boolean,
  ): Promise<ConsumerEvent<K, V> | null> {
    // No event but a message has a K and a V.
    return this.#loop.next(holder, this.#giveEvent, deadline, signal, endsWithFatal) as Promise<ConsumerEvent<
      K,
      V
    > | null>
  }

  #takeNow(): FetchedMessage | null {
    if (this.#mailbox.attention || this.#loopYield.count(1)) return null
    return this.#queue.take()
  }

  #takeDecodedNow(decoder: FetchedDecoder): DecodedMessage | null {
    if (this.#mailbox.attention || this.#loopYield.count(1)) return null
    return decoder.take()
  }

  #give(): DecodedMessage | null {
    if (this.#decoder !== null) return this.#decoder.take()
    const message = this.#queue.take()
    return message === null ? null : { origin: message, message, error: null }
  }

  readonly #giveEvent = (): ConsumerEvent<K, V> | null => {
    const given = this.#give()
    return given === null ? null : this.#handOut(given)
  }

  /** From now on the message counts as done. */
  #handOut(given: DecodedMessage): ConsumerEvent<K, V> {
    this.#store(given.origin)
    return eventOf(given) as ConsumerEvent<K, V> // the deserializers make K and V
  }

  // `poll` and `readMessage` store a message as they deliver it: nothing is in progress afterwards.
  #store(message: FetchedMessage): void {
    const { offsets } = message.cursor
    offsets.isInProgress = false
    offsets.worker = null
    if (this.#storesOffsets) offsets.store(message.offset + 1, message.leaderEpoch, message.era)
  }
}

/** As an `async` function, without its cost. */
function settled<T>(work: () => T): Promise<T> {
  try {
    return Promise.resolve(work())
  } catch (error) {
    return Promise.reject(toError(error))
  }
}

function noMessage(timeoutMs: number, cause: KafkaError | null): KafkaError {
  const why = cause === null ? '' : `; last error: ${cause.message}`
  return new KafkaError(ErrorCode.ERR__TIMED_OUT, `no message within ${timeoutMs} ms${why}`, { cause })
}

export function busy(): KafkaError {
  return underWay('poll, readMessage or iterator of this consumer')
}
