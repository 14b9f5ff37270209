/** `for await` over a consumer: message by message, or batch by batch. */
import type { RecordBatch } from '@ottla/protocol'
import type { Message } from '../../types.ts'
import { invalid } from '../arguments.ts'
import type { FetchQueue, TakenBatch } from '../fetch/fetch-queue.ts'
import { batchesOf, type FetchedMessage } from '../partition/message.ts'
import { BatchDecoder } from './batch-decoder.ts'
import type { FetchedDecoder, DecodedMessage } from './fetched-source.ts'
import { isTransient } from './decoding.ts'
import { MessageBatch, recordBatches } from './message-batch.ts'
import { done, ReaderIterator } from './reader-iterator.ts'
import { busy, type Reader } from './reader.ts'

/**
 * Delivers messages; asking for the next one stores the offset behind the previous one, so that an application that
 * stops in the middle gets that one again.
 */
export class MessageIterator<K, V> extends ReaderIterator<Message<K, V>> {
  readonly #reader: Reader<K, V>
  readonly #queue: FetchQueue
  /** Delivered last; while a call waits: the message that it will deliver. */
  #last: FetchedMessage | null = null

  constructor(reader: Reader<K, V>, queue: FetchQueue) {
    super()
    this.#reader = reader
    this.#queue = queue
  }

  next(): Promise<IteratorResult<Message<K, V>, undefined>> {
    if (this.isEnded) return Promise.resolve(done)
    const reader = this.#reader
    if (this.isWaiting) return Promise.reject(busy())
    try {
      reader.acquire(this)
    } catch (error) {
      return this.#fail(error)
    }
    if (this.#last !== null) this.#storeLast(this.#last)
    const { decoder } = reader
    if (decoder !== null) {
      const given = this.#give(decoder)
      if (given === null) return this.#slowly(() => this.#give(decoder))
      if (given.message === null) return this.#fail(given.error)
      return Promise.resolve({ value: given.message as Message<K, V>, done: false }) // the deserializers make K and V
    }
    const message = this.#take()
    // Without deserializers, K and V are Buffer.
    if (message !== null) return Promise.resolve({ value: message as unknown as Message<K, V>, done: false })
    return this.#slowly(() => {
      const origin = this.#take()
      return origin === null ? null : { origin, message: origin, error: null }
    })
  }

  override return(): Promise<IteratorResult<Message<K, V>, undefined>> {
    if (this.isWaiting && this.#last !== null)
      putBack(this.#queue, this.#last, this.#last.offset, batchesOf([this.#last]))
    return super.return()
  }

  #slowly(take: () => DecodedMessage | null): Promise<IteratorResult<Message<K, V>, undefined>> {
    return this.waitFor<DecodedMessage, IteratorResult<Message<K, V>, undefined>>(
      () => this.#reader.awaitNext(this, take),
      ({ message, error }) => {
        if (message === null) throw error
        return { value: message as Message<K, V>, done: false } // the deserializers make K and V
      },
      done,
    )
  }

  #take(): FetchedMessage | null {
    const message = this.#reader.takeNow()
    if (message !== null) this.#handOut(message)
    return message
  }

  #give(decoder: FetchedDecoder): DecodedMessage | null {
    const given = this.#reader.takeDecodedNow(decoder)
    if (given !== null) this.#handOut(given.origin)
    return given
  }

  #handOut(message: FetchedMessage): void {
    this.#last = message
    message.cursor.offsets.isInProgress = true
  }

  #storeLast(last: FetchedMessage): void {
    const { offsets, dropped } = last.cursor
    this.#last = null
    offsets.isInProgress = false
    if (this.#reader.storesOffsets && !dropped) offsets.store(last.offset + 1, last.leaderEpoch, last.era)
  }

  /** As an error of a call that has waited. */
  #fail(error: unknown): Promise<typeof done> {
    const find = (): never => {
      throw error
    }
    return this.waitFor<never, typeof done>(find, () => done, done)
  }

  protected override onFailure(): void {
    if (this.#last !== null) this.#storeLast(this.#last)
  }

  protected override onEnd(): void {
    this.#last = null
    this.#reader.release(this)
  }
}

/** How `batches()` reads. */
export interface BatchOptions {
  /** The most messages in one batch; 10,000 by default. */
  readonly maxMessages?: number
  /** How long to wait for a fuller batch once there is a message, ms; 0 by default. */
  readonly maxWaitMs?: number
}

/** Throws KafkaError ERR__INVALID_ARG. */
function checkBatchOptions({ maxMessages, maxWaitMs }: BatchOptions): void {
  if (maxMessages !== undefined && !(Number.isInteger(maxMessages) && maxMessages > 0)) {
    throw invalid(`batches: maxMessages=${maxMessages} must be a whole number, 1 or more`)
  }
  if (maxWaitMs !== undefined && !(maxWaitMs >= 0)) throw invalid(`batches: maxWaitMs=${maxWaitMs} must be 0 or more`)
}

/** There is no batch, but something else to do. */
export const DUE: unique symbol = Symbol('due')
const MORE: unique symbol = Symbol('more')
const DEFAULT_MAX_MESSAGES = 10_000
// Batches are decompressed when they are taken: this limits how much is decompressed at a time.
const MOST_BYTES = 4 * 1024 * 1024

/** The reader for transactions. */
export interface BatchObserver {
  /** A batch is about to be delivered. */
  onTaken(): void
  /** There is no batch: whether `nextOr` should return DUE instead of waiting. */
  isDue(): boolean
}

/** Delivers batches; asking for the next stores the offset behind the previous one, or as far as markProcessed says. */
export class BatchIterator<K, V> extends ReaderIterator<MessageBatch<K, V>> {
  readonly #reader: Reader<K, V>
  readonly #queue: FetchQueue
  readonly #maxMessages: number
  readonly #maxWaitMs: number
  readonly #observer: BatchObserver | null
  #last: MessageBatch<K, V> | null = null
  /** The batch that the waiting call will deliver. */
  #taken: TakenBatch | null = null
  /** With deserializers: the next batch. */
  #decoder: BatchDecoder<K, V> | null = null

  constructor(reader: Reader<K, V>, queue: FetchQueue, options: BatchOptions, observer: BatchObserver | null = null) {
    super()
    checkBatchOptions(options)
    this.#reader = reader
    this.#queue = queue
    this.#maxMessages = options.maxMessages ?? DEFAULT_MAX_MESSAGES
    this.#maxWaitMs = options.maxWaitMs ?? 0
    this.#observer = observer
  }

  async next(): Promise<IteratorResult<MessageBatch<K, V>, undefined>> {
    const batch = await this.nextOr()
    return batch === null || batch === DUE ? done : { value: batch, done: false }
  }

  /** The next batch; null at the end, DUE when the observer has something else to do. */
  nextOr(): Promise<MessageBatch<K, V> | typeof DUE | null> {
    if (this.isEnded) return Promise.resolve(null)
    if (this.isWaiting) return Promise.reject(busy())
    return this.waitFor<MessageBatch<K, V> | typeof DUE, MessageBatch<K, V> | typeof DUE | null>(
      () => this.#take(),
      batch => {
        if (batch === DUE) return DUE
        this.#last = batch
        batch.taken.cursor.offsets.isInProgress = true
        return batch
      },
      null,
    )
  }

  async #take(): Promise<MessageBatch<K, V> | typeof DUE | null> {
    const reader = this.#reader
    const queue = this.#queue
    reader.acquire(this)
    this.storeLast(reader.storesOffsets)
    const take = (): MessageBatch<K, V> | typeof DUE | null => {
      const batch = this.#next()
      if (batch !== null) this.#taken = batch.taken
      if (batch !== null) this.#observer?.onTaken()
      return batch ?? (!reader.isInterrupted && this.#observer?.isDue() === true ? DUE : null)
    }
    let taken: MessageBatch<K, V> | typeof DUE | null = null
    if (this.#maxWaitMs > 0 && this.#decoder === null) {
      // The first wait is for any message, the second one for a full batch.
      const found = await reader.awaitNext(this, () => (queue.messages > 0 ? MORE : take()))
      if (found === MORE) await reader.linger(this, this.#maxWaitMs, () => queue.messages >= this.#maxMessages)
      else taken = found
    }
    if (this.isEnded) return null
    return taken ?? take() ?? (await reader.awaitNext(this, take))
  }

  #next(): MessageBatch<K, V> | null {
    const reader = this.#reader
    const { decoding } = reader
    if (this.#decoder !== null && (this.#decoder.isOver || this.#decoder.isPaused)) this.#giveBack()
    if (this.#decoder === null) {
      const taken = reader.takeBatchNow(this.#maxMessages, MOST_BYTES)
      if (taken === null) return null
      if (decoding === null) return new MessageBatch<K, V>(taken, null)
      this.#decoder = new BatchDecoder<K, V>(taken, decoding, reader.decoderHost)
    } else {
      reader.polls++
      if (reader.isInterrupted) return null
    }
    const decoder = this.#decoder
    const { failed } = decoder
    if (failed !== null && isTransient(failed.cause)) {
      // The next batch of the partition begins with it, after a while; meanwhile others come.
      reader.backoff.postpone(failed.message.cursor, failed.cause)
      this.#giveBack()
      return this.#next()
    }
    if (failed !== null) {
      reader.backoff.ended(failed.message.cursor)
      const { cursor, offset, leaderEpoch, era } = failed.message
      if (reader.storesOffsets) cursor.offsets.store(offset + 1, leaderEpoch, era)
      this.#taken = { ...decoder.rest, firstOffset: offset + 1 }
      throw failed.cause
    }
    const batch = decoder.take()
    if (batch !== null) reader.backoff.ended(batch.taken.cursor)
    if (batch === null) {
      decoder.watch()
    } else if (decoder.isOver) {
      decoder.leave()
      this.#decoder = null
    }
    return batch
  }

  /** The previous batch is done, as far as it says. */
  storeLast(isStored: boolean): void {
    const last = this.#last
    this.#last = null
    if (last === null) return
    const { nextOffset } = last
    const { cursor, leaderEpoch, era } = last.taken
    cursor.offsets.isInProgress = false
    if (nextOffset === null || !isStored || cursor.dropped) return
    cursor.offsets.store(nextOffset, leaderEpoch, era)
  }

  /** What is not delivered goes to the next batch, or to the next reader. */
  #giveBack(): void {
    const decoder = this.#decoder
    const back = this.#taken ?? (decoder?.isOver === false ? decoder.rest : null)
    this.#decoder = null
    this.#taken = null
    decoder?.leave()
    if (back !== null) putBack(this.#queue, back, back.firstOffset, recordBatches(back))
  }

  protected override onSettled(): void {
    this.#decoder?.unwatch()
    this.#taken = null
  }

  protected override onEnd(): void {
    this.#giveBack()
    this.#last = null
    this.#reader.release(this)
  }
}

/** The next reader begins there, unless the position has moved meanwhile. */
function putBack(
  queue: FetchQueue,
  { cursor, era }: Pick<TakenBatch, 'cursor' | 'era'>,
  offset: number,
  batches: readonly RecordBatch[],
): void {
  cursor.offsets.isInProgress = false
  if (!cursor.dropped && cursor.offsets.era === era) queue.putBack(cursor, offset, batches)
}
