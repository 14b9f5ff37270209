/** The messages of one partition, as a stream of its own. */
import type { RecordBatch } from '@ottla/protocol'
import { Ring } from '../../base/ring.ts'
import type { Message } from '../../types.ts'
import type { Cursor } from '../partition/cursor.ts'
import { batchesOf, type FetchedMessage } from '../partition/message.ts'
import { callerNow } from '../read/at-work.ts'
import { DecodingJob } from '../read/decoder.ts'
import { decodeMessage, type Decoding } from '../read/decoding.ts'
import type { Job, JobHolder } from '../read/jobs.ts'
import { busy } from '../read/reader.ts'
import type { RunnerHost } from './runner.ts'
import type { WorkBudget } from './work-budget.ts'

/**
 * The messages of one partition for as long as it is assigned. Asking for the next stores the offset behind the one before;
 * leaving the loop does not store the last one, and the partition comes as a new stream that begins with it.
 * @since 0.1.0
 */
export interface PartitionStream<K = Buffer, V = Buffer> extends AsyncIterableIterator<Message<K, V>, undefined> {
  readonly topic: string
  readonly partition: number
  /** Aborted when it is of no use to go on: the partition was lost, or the time for draining is over. */
  readonly signal: AbortSignal
}

/** What the streams of one consumer have in common. */
export interface Streams<K, V> {
  readonly host: RunnerHost<K, V>
  readonly budget: WorkBudget
  /** The program has taken a message, or gone elsewhere. */
  onTaken(): void
  /** The program has left. */
  onLeft(stream: CursorStream<K, V>): void
}

const done = { value: undefined, done: true } as const

export class CursorStream<K, V> implements PartitionStream<K, V>, JobHolder {
  readonly cursor: Cursor
  readonly #streams: Streams<K, V>
  readonly #over = new AbortController()
  readonly #waiting = new Ring<FetchedMessage>()
  /** Of each that waits: finding them out takes longer than keeping them. */
  readonly #sizes = new Ring<number>()
  #waitingBytes = 0
  #last: FetchedMessage | null = null
  /** What the program is done with last. */
  #done: FetchedMessage | null = null
  /** What the program has, or does not ask for. */
  job: Job | null = null
  /** The function that asks for messages; empty until one has. */
  #reader = ''
  #isAsking = false
  #wake: (() => void) | null = null
  /** Ends the wait for deserializers, whose message has not been handed out then. */
  #giveUp: (() => void) | null = null
  /** The end of the partition and that of all streams may both wait. */
  #idle: (() => void)[] = []
  /** Nothing more is handed out. */
  #isEnding = false
  isHeld = false

  constructor(cursor: Cursor, streams: Streams<K, V>) {
    this.cursor = cursor
    this.#streams = streams
  }

  get topic(): string {
    return this.cursor.topic
  }

  get partition(): number {
    return this.cursor.partition
  }

  get signal(): AbortSignal {
    return this.#over.signal
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** Behind the last message that the program is done with; -1 without any, or when the position has moved since. */
  get doneTo(): number {
    return this.#done?.isStale === false ? this.#done.offset + 1 : -1
  }

  get waitingBytes(): number {
    return this.#waitingBytes
  }

  /** The first message that is not done: handed out and not behind, or not handed out. */
  get lowest(): FetchedMessage | undefined {
    if (this.#last?.isStale === false) return this.#last
    const first = this.#waiting.peek()
    return first?.isStale === false ? first : undefined
  }

  /** Those that what is not done was in. */
  get batches(): RecordBatch[] {
    const open = this.#last === null ? [] : [this.#last]
    for (let i = 0; i < this.#waiting.length; i++) open.push(this.#waiting.peek(i) as FetchedMessage) // before the end
    return batchesOf(open)
  }

  push(message: FetchedMessage): void {
    // The position has moved: what was read before that is of no use.
    if (this.#waiting.peek()?.isStale === true) this.#forget()
    const { sizeBytes } = message
    this.#waiting.push(message)
    this.#sizes.push(sizeBytes)
    this.#waitingBytes += sizeBytes
    this.#streams.budget.take(sizeBytes)
    if (!this.#isAsking && this.job === null) this.#begin(message.offset - 1)
    this.#count()
    this.look()
  }

  /** There may be something to hand out. */
  look(): void {
    this.#wake?.()
  }

  async next(): Promise<IteratorResult<Message<K, V>, undefined>> {
    if (this.#isAsking) throw busy()
    this.#isAsking = true
    if (this.#reader === '') this.#reader = callerNow()
    try {
      this.#storeLast()
      for (;;) {
        const message = this.#isEnding ? null : this.#take()
        if (message === null) {
          this.#endJob()
          if (this.#isEnding) return done
          await new Promise<void>(resolve => (this.#wake = resolve))
          this.#wake = null
          continue
        }
        this.#handOut(message)
        const { decoding } = this.#streams.host.reader
        // K and V are Buffer then.
        if (decoding === null) return { value: message as unknown as Message<K, V>, done: false }
        const result = await this.#decoded(message, decoding)
        if (result !== null) return result
      }
    } finally {
      this.#isAsking = false
    }
  }

  return(): Promise<IteratorResult<Message<K, V>, undefined>> {
    if (!this.#isEnding) this.#streams.onLeft(this)
    this.#endJob()
    this.end()
    return Promise.resolve(done)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** Hands out nothing more; resolves when the program is done with what it has, or waits for just that. */
  async drained(): Promise<void> {
    this.#isEnding = true
    this.#forget()
    this.#giveUp?.()
    if (this.#last === null) this.#endJob()
    this.look()
    if (this.#last !== null && this.job?.isEnding !== true) {
      await new Promise<void>(resolve => this.#idle.push(resolve))
    }
  }

  onEnding(): void {
    this.#tellIdle()
  }

  /** What the program does with the last message counts no more. */
  end(): void {
    this.#isEnding = true
    this.#forget()
    this.#giveUp?.()
    // Of a message that was handed out, the program still is to say that it is done.
    if (this.#last === null) this.#endJob()
    this.#last = null
    this.#over.abort()
    this.#tellIdle()
    this.look()
  }

  /** The next one; null when there is none, or not now. */
  #take(): FetchedMessage | null {
    if (this.#waiting.peek()?.isStale === true) {
      this.#forget()
      this.#streams.onTaken()
    }
    this.#count()
    if (this.cursor.paused) return null
    const message = this.#waiting.shift()
    const sizeBytes = this.#sizes.shift()
    if (message === undefined || sizeBytes === undefined) return null
    this.#waitingBytes -= sizeBytes
    this.#streams.budget.giveBack(sizeBytes)
    return message
  }

  #forget(): void {
    this.#waiting.clear()
    this.#sizes.clear()
    this.#streams.budget.giveBack(this.#waitingBytes)
    this.#waitingBytes = 0
  }

  #count(): void {
    this.cursor.offsets.inHand = this.lowest !== undefined
  }

  #handOut(message: FetchedMessage): void {
    this.#last = message
    this.#begin(message.offset)
    this.#streams.onTaken()
  }

  /** Null when there is nothing to hand out: the program has gone elsewhere meanwhile, or this has ended. */
  async #decoded(
    message: FetchedMessage,
    decoding: Decoding,
  ): Promise<IteratorResult<Message<K, V>, undefined> | null> {
    try {
      const made = decodeMessage(message, decoding)
      const value = made instanceof Promise ? await this.#waitedFor(message, made) : made
      if (value === null) return null
      if (!message.isStale) return { value: value as Message<K, V>, done: false } // made by deserializers
      this.#storeLast()
      return null
    } catch (error) {
      // A message that cannot be deserialized is not handed out again. What follows it comes in a stream of its own.
      this.#storeLast()
      void this.return()
      throw error
    }
  }

  /** Null when this has ended before. */
  async #waitedFor<T>(message: FetchedMessage, made: Promise<T>): Promise<T | null> {
    const job = new DecodingJob(this.#streams.host)
    const settled = (): void => job.end()
    made.then(settled, settled)
    this.#endJob()
    job.begin(this.cursor, message.offset)
    const givenUp = new Promise<null>(resolve => {
      this.#giveUp = () => {
        this.#giveUp = null
        this.#last = null
        job.abandon(this.cursor.dropped)
        resolve(null)
      }
    })
    try {
      const value = await Promise.race([made, givenUp])
      if (this.#isGivenUp()) return null
      this.#begin(message.offset)
      return value
    } catch (error) {
      if (this.#isGivenUp()) return null
      throw error
    } finally {
      this.#giveUp = null
    }
  }

  // A method: the compiler takes a field for what it was before an `await`.
  #isGivenUp(): boolean {
    return this.#giveUp === null
  }

  #tellIdle(): void {
    if (this.#idle.length > 0) for (const resolve of this.#idle.splice(0)) resolve()
  }

  #begin(offset: number): void {
    const { atWork } = this.#streams.host
    if (this.job === null) atWork.begin(this, this.cursor, offset, 'reader', this.#reader)
    else atWork.goOn(this.job, offset, this.#reader)
  }

  #endJob(): void {
    const job = this.job
    this.job = null
    if (job !== null) this.#streams.host.atWork.end(job)
  }

  #storeLast(): void {
    const last = this.#last
    this.#last = null
    if (last !== null) {
      this.#done = last
      if (this.#streams.host.reader.storesOffsets) {
        this.cursor.offsets.store(last.offset + 1, last.leaderEpoch, last.era)
      }
    }
    this.#count()
    this.#tellIdle()
  }
}
