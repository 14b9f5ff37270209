/** How the application gets messages and events of a share consumer: one reader at a time. */
import { ErrorCode } from '@ottla/protocol'
import { Deadline, type Clock } from '../../base/clock.ts'
import type { ClientContext } from '../../cluster/context.ts'
import { nextTurn } from '../../base/turn.ts'
import type { Wait } from '../../base/wait.ts'
import { KafkaError } from '../../errors.ts'
import type { PushedCounters } from '../../observe/statistics/pushed.ts'
import type { RunningJobs } from '../read/running-jobs.ts'
import { eventOf } from '../read/decoder.ts'
import type { Decoding } from '../read/decoding.ts'
import type { Mailbox } from '../read/mailbox.ts'
import { ReadLoop } from '../read/read-loop.ts'
import { done, ReaderIterator } from '../read/reader-iterator.ts'
import { ReaderSlot, underWay } from '../read/reader-slot.ts'
import { LoopYield } from '../read/loop-yield.ts'
import type { ShareConsumerEvent } from './events.ts'
import { ShareBackoff } from './share-backoff.ts'
import { lockedMessage, type LockedMessage, type ShareMessage } from './message.ts'
import { shareDecoder, type DecodedLocked, type ShareDecoder } from './share-decoder.ts'
import type { ShareQueue } from './share-queue.ts'

export interface ShareReaderHost {
  isClosing(): boolean
  closedError(): KafkaError
  /** The application asks for messages. */
  onPoll(): void
  /** Messages have been taken: there may be room. */
  onTaken(): void
  readonly runningJobs: RunningJobs
  readonly pushed: PushedCounters
  /**
   * The application asks for more without having acknowledged this one.
   * @param isUnread it could not be deserialized
   */
  onNotAcknowledged(message: LockedMessage, isUnread: boolean): void
}

// How many messages may be delivered before the event loop turns.
const TURN_EVERY = 64

export class ShareReader<K, V> {
  readonly #clock: Clock
  readonly #queue: ShareQueue
  readonly #host: ShareReaderHost
  readonly #decoding: Decoding | null
  readonly #decoder: ShareDecoder
  readonly #slot: ReaderSlot
  readonly #loopYield: LoopYield
  readonly #loop: ReadLoop
  /** Taken by the waiting call; delivered when that ends. */
  #taken: LockedMessage | null = null
  /** Delivered last. */
  #last: LockedMessage | null = null
  #isLastUnread = false
  readonly backoff: ShareBackoff
  /** Grows with every call, so that max.poll.interval.ms can tell that the application is alive. */
  polls = 0
  /** When it was called last, monotonic ms; -1: not yet. */
  #polledAt = -1

  constructor(
    context: Pick<ClientContext, 'clock' | 'random' | 'logger'>,
    queue: ShareQueue,
    mailbox: Mailbox,
    host: ShareReaderHost,
    decoding: Decoding | null,
  ) {
    const { clock } = context
    this.#clock = clock
    this.#queue = queue
    this.#host = host
    this.#decoding = decoding
    this.backoff = new ShareBackoff(context, queue, () => mailbox.wake())
    this.#decoder = shareDecoder(queue, decoding, {
      runningJobs: host.runningJobs,
      onTaken: () => host.onTaken(),
      backoff: this.backoff,
      wake: () => {
        if (this.isPolling) this.#isBack()
        mailbox.wake()
      },
    })
    this.#loopYield = new LoopYield(clock, TURN_EVERY, 0)
    this.#slot = new ReaderSlot(mailbox, busy)
    const loopHost = {
      isClosing: () => host.isClosing(),
      hasCallbacks: () => false,
      runCallbacks: () => Promise.resolve(),
      runningJobs: host.runningJobs,
      idle: host.pushed.idle,
    }
    this.#loop = new ReadLoop(clock, mailbox, this.#loopYield, this.#slot, loopHost, this.#decoder)
  }

  /** Whether a call is waiting right now. */
  get isPolling(): boolean {
    return this.#slot.isWaiting
  }

  get decoding(): Decoding | null {
    return this.#decoding
  }

  /** The next message or event; null after the timeout, or when the consumer is closed meanwhile. */
  poll(wait: Wait): Promise<ShareConsumerEvent<K, V> | null> {
    if (this.#slot.isTaken || this.#host.isClosing()) {
      return this.#slot.refuse(this.#host.isClosing() ? this.#host.closedError() : null)
    }
    return this.#slot.exclusively(async holder => {
      this.#polled()
      try {
        const event = await this.#loop.next(
          holder,
          this.#giveEvent,
          Deadline.after(this.#clock, wait.timeoutMs),
          wait.signal,
          false,
        )
        return event as ShareConsumerEvent<K, V> | null // no other events are posted; the deserializers make K and V
      } finally {
        this.handOut(holder)
      }
    })
  }

  /** Becomes the one reader until `release`. Throws KafkaError ERR__STATE if there is another. */
  acquire(holder: object): void {
    this.#slot.acquire(holder)
  }

  /** Ends the holder's wait, too; the next reader gets what it has taken and not delivered. */
  release(holder: object): void {
    if (this.#taken !== null && this.#slot.has(holder)) {
      this.#queue.putBack(this.#taken)
      this.#taken = null
    }
    this.#slot.release(holder)
  }

  /**
   * For the holder of `acquire`: the next message to deliver; null when the consumer is closed, or the holder has left.
   * Rejects with the errors that `rejects` names.
   */
  async nextMessage(holder: object): Promise<ShareMessage<K, V> | null> {
    this.#polled()
    const given = await this.#loop.awaitNext(holder, this.#give)
    if (given === null) return null
    if (given.message !== null) return given.message as ShareMessage<K, V> // as above
    await nextTurn()
    if (!this.#slot.has(holder)) return null
    throw given.error
  }

  /** The application gets what its call has taken. */
  handOut(holder: object): void {
    if (this.#taken === null || !this.#slot.has(holder)) return
    this.#last = this.#taken
    this.#taken = null
  }

  /** For the holder of `acquire`: a message as it was fetched, if there is one. */
  takeNow(): LockedMessage | null {
    this.#polled()
    this.#decoder.giveBack(false)
    const message = this.#queue.take()
    if (message !== null) this.#host.onTaken()
    return message
  }

  /** See ReadLoop. */
  awaitNext<T>(holder: object, take: () => T | null): Promise<T | null> {
    return this.#loop.awaitNext(holder, take)
  }

  /** Treats the last message as if the next one were asked for. */
  finishLast(): void {
    const last = this.#last
    if (last === null) return
    this.#last = null
    this.#host.onNotAcknowledged(last, this.#isLastUnread)
  }

  /** The application asks for no more: a message that is being deserialized goes back to the queue. */
  giveBack(): void {
    this.#decoder.giveBack(true)
    this.backoff.stop()
  }

  /** Leaves the last message as it is until its lock ends. */
  forgetLast(): void {
    this.#last = null
  }

  #polled(): void {
    this.polls++
    const now = this.#clock.now()
    if (this.#polledAt >= 0) this.#host.pushed.pollInterval.add(now - this.#polledAt)
    this.#polledAt = now
    this.finishLast()
    this.#isBack()
  }

  /** A deserializer that takes too long counts as not polling. */
  #isBack(): void {
    if (!this.#host.runningJobs.isStuck) this.#host.onPoll()
  }

  readonly #give = (): DecodedLocked | null => {
    const given = this.#decoder.take()
    if (given === null) return null
    this.#loopYield.count(1)
    this.#taken = given.origin
    this.#isLastUnread = given.message === null
    return given
  }

  readonly #giveEvent = (): ReturnType<typeof eventOf<LockedMessage, ShareMessage<unknown, unknown>>> | null => {
    const given = this.#give()
    return given === null ? null : eventOf(given)
  }
}

/** `for await` over a share consumer. */
export class ShareIterator<K, V> extends ReaderIterator<ShareMessage<K, V>> {
  readonly #reader: ShareReader<K, V>

  constructor(reader: ShareReader<K, V>) {
    super()
    this.#reader = reader
  }

  next(): Promise<IteratorResult<ShareMessage<K, V>, undefined>> {
    if (this.isEnded) return Promise.resolve(done)
    if (this.isWaiting) return Promise.reject(busy())
    return this.waitFor<ShareMessage<K, V>, IteratorResult<ShareMessage<K, V>, undefined>>(
      () => {
        this.#reader.acquire(this)
        return this.#reader.nextMessage(this)
      },
      value => {
        this.#reader.handOut(this)
        return { value, done: false }
      },
      done,
    )
  }

  protected override onFailure(): void {
    this.#reader.handOut(this)
  }

  protected override onEnd(): void {
    this.#reader.release(this)
  }
}

/** @throws KafkaError ERR__INVALID_ARG for anything but a message of a share consumer */
export function requireLocked(message: object): LockedMessage {
  const locked = lockedMessage(message)
  if (locked !== undefined) return locked
  throw new KafkaError(ErrorCode.ERR__INVALID_ARG, 'acknowledge takes a message that this share consumer has delivered')
}

function busy(): KafkaError {
  return underWay('poll, iterator or run of this share consumer')
}
