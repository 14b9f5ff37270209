/** The messages of one partition, as a stream of its own. */
import type { RecordBatch } from '@ottla/protocol'
import type { Timer } from '../../base/clock.ts'
import { Ring } from '../../base/ring.ts'
import type { TopicField, TopicForm, TopicName, ValueBeside } from '../../topics.ts'
import type { ConsumerIterator, Message, TopicMessage } from '../../types.ts'
import type { Cursor } from '../partition/cursor.ts'
import { batchesOf, type FetchedMessage } from '../partition/message.ts'
import { callerNow } from '../read/running-jobs.ts'
import { DecodingJob } from '../read/decoder.ts'
import { decodeBackoffMs } from '../read/decode-backoff.ts'
import { decodeMessage, isTransient, type Decoding } from '../read/decoding.ts'
import type { Job, JobHolder } from '../read/job-list.ts'
import { busy } from '../read/reader.ts'
import type { RunnerHost } from './host.ts'
import type { WorkBudget } from './work-budget.ts'

/**
 * The messages of one partition for as long as it is assigned. Asking for the next message stores the offset behind the
 * previous one. Leaving the loop does not store the last one; a new stream of the partition then begins with it.
 * @since 0.1.0
 */
export interface PartitionStream<K = Buffer, V = Buffer> extends ConsumerIterator<Message<K, V>> {
  readonly topic: string
  readonly partition: number
  /** Aborted when there is no point in carrying on: the partition was lost, or `drainMs` is over. */
  readonly signal: AbortSignal
}

/**
 * A stream of one topic's partition, for typed topics.
 * @since 0.1.0
 */
export interface TopicPartitionStream<N extends string, K, V>
  extends ConsumerIterator<TopicMessage<N, K, V>>, Pick<PartitionStream, 'partition' | 'signal'> {
  readonly topic: N
}

/**
 * What `partitions()` of a `Consumer<K, V>` yields: for typed topics, streams that their `topic` tells apart.
 * @since 0.1.0
 */
export type ConsumedStream<K = Buffer, V = ValueBeside<K, Buffer>> = {
  readonly plain: PartitionStream<K, V>
  readonly topics: {
    [N in TopicName<K>]: TopicPartitionStream<N, TopicField<K[N], 'key', Buffer>, TopicField<K[N], 'value', Buffer>>
  }[TopicName<K>]
}[TopicForm<K, V>]

/** What the streams of one consumer share. */
export interface Streams<K, V> {
  readonly host: RunnerHost<K, V>
  readonly budget: WorkBudget
  /** The application has taken a message, or moved the position. */
  onTaken(): void
  /** The application has left the stream's loop. */
  onLeft(stream: CursorStream<K, V>): void
}

const done = { value: undefined, done: true } as const

export class CursorStream<K, V> implements PartitionStream<K, V>, JobHolder {
  readonly cursor: Cursor
  readonly #streams: Streams<K, V>
  readonly #over = new AbortController()
  readonly #waiting = new Ring<FetchedMessage>()
  /** Of each waiting message: computing them again costs more than keeping them. */
  readonly #sizes = new Ring<number>()
  #waitingBytes = 0
  #last: FetchedMessage | null = null
  /** The last message that the application is done with. */
  #done: FetchedMessage | null = null
  /** The message that the application is processing, or has not asked for yet. */
  job: Job | null = null
  /** The function that asks for messages; empty before the first call. */
  #reader = ''
  #isAsking = false
  #wake: (() => void) | null = null
  /** Ends the wait for deserializers; their message then counts as not delivered. */
  #giveUp: (() => void) | null = null
  /** Several: the end of the partition and the end of all streams may both wait. */
  #idle: (() => void)[] = []
  /** Nothing more is delivered. */
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

  /** The offset behind the last message that is done; -1 without any, or when the position has moved since. */
  get doneTo(): number {
    return this.#done?.isStale === false ? this.#done.offset + 1 : -1
  }

  get waitingBytes(): number {
    return this.#waitingBytes
  }

  /** The first message that is not done: the one delivered last, else the first that waits. */
  get lowest(): FetchedMessage | undefined {
    if (this.#last?.isStale === false) return this.#last
    const first = this.#waiting.peek()
    return first?.isStale === false ? first : undefined
  }

  /** The batches of what is not done. */
  get batches(): RecordBatch[] {
    const open = this.#last === null ? [] : [this.#last]
    for (let i = 0; i < this.#waiting.length; i++) open.push(this.#waiting.peek(i) as FetchedMessage) // i is in range
    return batchesOf(open)
  }

  push(message: FetchedMessage): void {
    // The position has moved: what was read before is useless.
    if (this.#waiting.peek()?.isStale === true) this.#forget()
    const { sizeBytes } = message
    this.#waiting.push(message)
    this.#sizes.push(sizeBytes)
    this.#waitingBytes += sizeBytes
    this.#streams.budget.take(sizeBytes)
    if (!this.#isAsking && this.job === null) this.#begin(message.offset - 1)
    this.#count()
    this.wakeUp()
  }

  /** There may be something to deliver. */
  wakeUp(): void {
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
        // Without deserializers, K and V are Buffer.
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

  /** Delivers nothing more; resolves when the application is done with what it has, or itself waits for this. */
  async drained(): Promise<void> {
    this.#isEnding = true
    this.#forget()
    this.#giveUp?.()
    if (this.#last === null) this.#endJob()
    this.wakeUp()
    if (this.#last !== null && this.job?.awaitsEnd !== true) {
      await new Promise<void>(resolve => this.#idle.push(resolve))
    }
  }

  onAwaitsEnd(): void {
    this.#resolveIdle()
  }

  /** Ignores from now on what the application does with the last message. */
  end(): void {
    this.#isEnding = true
    this.#forget()
    this.#giveUp?.()
    // A delivered message is in progress until the application asks for the next one.
    if (this.#last === null) this.#endJob()
    this.#last = null
    this.#over.abort()
    this.#resolveIdle()
    this.wakeUp()
  }

  /** The next message; null when there is none, or the partition is paused. */
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
    this.cursor.offsets.isInProgress = this.lowest !== undefined
  }

  #handOut(message: FetchedMessage): void {
    this.#last = message
    this.#begin(message.offset)
    this.#streams.onTaken()
  }

  /** Null when there is nothing to deliver: the position has moved meanwhile, or the stream has ended. */
  async #decoded(
    message: FetchedMessage,
    decoding: Decoding,
  ): Promise<IteratorResult<Message<K, V>, undefined> | null> {
    const { cursor } = this
    for (let failures = 1; ; failures++) {
      try {
        const made = decodeMessage(message, decoding)
        const value = made instanceof Promise ? await this.#waitedFor(message, made) : made
        if (value === null) return null
        cursor.waitsFor = null
        if (!message.isStale) return { value: value as Message<K, V>, done: false } // the deserializers make K and V
        this.#storeLast()
        return null
      } catch (error) {
        if (!isTransient(error)) {
          // A message that cannot be deserialized does not come again. What follows it comes in a new stream.
          cursor.waitsFor = null
          this.#storeLast()
          void this.return()
          throw error
        }
        if (cursor.waitsFor === null) this.#streams.host.warn(error)
        cursor.waitsFor = error
        if (!(await this.#backedOff(failures))) return null
        if (!message.isStale) continue
        this.#storeLast()
        return null
      }
    }
  }

  /** False when the stream has ended before. */
  async #backedOff(failures: number): Promise<boolean> {
    const { clock, random } = this.#streams.host
    // Nothing of the application's runs meanwhile.
    this.#endJob()
    let timer: Timer | null = null
    await new Promise<void>(resolve => {
      timer = clock.setTimer(decodeBackoffMs(failures, random), resolve)
      this.#giveUp = () => {
        this.#giveUp = null
        this.#last = null
        this.cursor.waitsFor = null
        timer?.cancel()
        resolve()
      }
    })
    const isOver = this.#isGivenUp()
    this.#giveUp = null
    return !isOver
  }

  /** Null when the stream has ended before. */
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

  // A method: the compiler assumes that a field keeps its value over an `await`.
  #isGivenUp(): boolean {
    return this.#giveUp === null
  }

  #resolveIdle(): void {
    if (this.#idle.length > 0) for (const resolve of this.#idle.splice(0)) resolve()
  }

  #begin(offset: number): void {
    const { runningJobs } = this.#streams.host
    if (this.job === null) runningJobs.begin(this, this.cursor, offset, 'reader', this.#reader)
    else runningJobs.continueWith(this.job, offset, this.#reader)
  }

  #endJob(): void {
    const job = this.job
    this.job = null
    if (job !== null) this.#streams.host.runningJobs.end(job)
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
    this.#resolveIdle()
  }
}
