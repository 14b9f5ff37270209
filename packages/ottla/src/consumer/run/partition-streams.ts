/** Messages partition by partition: each assigned partition is a stream of its own, and a slow one holds up no other. */
import { sleep } from '../../base/clock.ts'
import { KafkaError } from '../../errors.ts'
import type { Message } from '../../types.ts'
import { invalid } from '../arguments.ts'
import type { Cursor } from '../cursor.ts'
import { decodeMessage, type FetchedMessage } from '../message.ts'
import { busy } from '../poller.ts'
import type { RunnerHost } from './runner.ts'

/** @since 0.1.0 */
export interface PartitionStreamsOptions {
  /** How long streams that are at work are waited for when their partition is revoked, ms; 30,000 by default. */
  readonly drainMs?: number
}

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

/** Messages of one partition that wait for their stream. */
const MOST_WAITING = 500
const DEFAULT_DRAIN_MS = 30_000
const done = { value: undefined, done: true } as const

/** What the streams of one consumer have in common. */
interface Streams<K, V> {
  readonly host: RunnerHost<K, V>
  /** The program has taken a message, or left. */
  onTaken(): void
  onLeft(stream: CursorStream<K, V>): void
}

class CursorStream<K, V> implements PartitionStream<K, V> {
  readonly cursor: Cursor
  readonly #streams: Streams<K, V>
  readonly #over = new AbortController()
  readonly #waiting: FetchedMessage[] = []
  #last: FetchedMessage | null = null
  #wake: (() => void) | null = null
  #idle: (() => void) | null = null
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

  /** The first message that is not done: handed out and not behind, or not handed out. */
  get lowest(): FetchedMessage | undefined {
    return this.#last?.isStale === false ? this.#last : this.#waiting.find(message => !message.isStale)
  }

  push(message: FetchedMessage): void {
    // The position has moved: what was read before that is of no use.
    if (this.#waiting.at(-1)?.isStale === true) this.#waiting.length = 0
    this.#waiting.push(message)
    this.#count()
    this.#wake?.()
  }

  async next(): Promise<IteratorResult<Message<K, V>, undefined>> {
    if (this.#wake !== null) throw busy()
    this.#storeLast()
    for (;;) {
      if (this.#isEnding) return done
      const message = this.#waiting.shift()
      // What has become stale goes out no more.
      if (message?.isStale === true) {
        this.#streams.onTaken()
        continue
      }
      if (message !== undefined) return this.#handOut(message)
      this.#count()
      await new Promise<void>(resolve => (this.#wake = resolve))
      this.#wake = null
    }
  }

  return(): Promise<IteratorResult<Message<K, V>, undefined>> {
    if (!this.#isEnding) this.#streams.onLeft(this)
    this.#last = null
    this.end()
    return Promise.resolve(done)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** Hands out nothing more; resolves when the program is done with what it has. */
  async drained(): Promise<void> {
    this.#isEnding = true
    this.#waiting.length = 0
    this.#wake?.()
    if (this.#last !== null) await new Promise<void>(resolve => (this.#idle = resolve))
  }

  /** What the program does with the last message counts no more. */
  end(): void {
    this.#isEnding = true
    this.#waiting.length = 0
    this.#last = null
    this.#over.abort()
    this.#idle?.()
    this.#wake?.()
  }

  async #handOut(message: FetchedMessage): Promise<IteratorResult<Message<K, V>, undefined>> {
    this.#last = message
    this.#streams.onTaken()
    const { decoding } = this.#streams.host.poller
    try {
      const value = decoding === null ? message : await decodeMessage(message, decoding)
      return { value: value as Message<K, V>, done: false } // the deserializers make K and V
    } catch (error) {
      // A message that cannot be deserialized is not handed out again. What follows it comes in a stream of its own.
      this.#storeLast()
      void this.return()
      throw error
    }
  }

  #storeLast(): void {
    const last = this.#last
    this.#last = null
    if (last !== null && this.#streams.host.poller.storesOffsets) {
      this.cursor.offsets.store(last.offset + 1, last.leaderEpoch, last.era)
    }
    this.#count()
    this.#idle?.()
  }

  #count(): void {
    const first = this.#last ?? this.#waiting[0]
    this.cursor.offsets.inHand = first?.isStale === false
  }
}

/** All of them: a stream for each partition as its first message comes. */
export class PartitionStreams<K, V> implements AsyncIterableIterator<PartitionStream<K, V>, undefined> {
  readonly #host: RunnerHost<K, V>
  readonly #drainMs: number
  readonly #streams = new Map<Cursor, CursorStream<K, V>>()
  readonly #begun: CursorStream<K, V>[] = []
  #wake: (() => void) | null = null
  #pump: Promise<void> | null = null
  #isEnding = false
  #failure: Error | null = null

  /** @throws KafkaError ERR__INVALID_ARG */
  constructor(host: RunnerHost<K, V>, { drainMs = DEFAULT_DRAIN_MS }: PartitionStreamsOptions) {
    if (!(drainMs >= 0)) throw invalid(`partitions: drainMs=${drainMs} has to be 0 or more`)
    this.#host = host
    this.#drainMs = drainMs
  }

  async next(): Promise<IteratorResult<PartitionStream<K, V>, undefined>> {
    if (this.#wake !== null) throw busy()
    if (this.#pump === null && !this.#isEnding) {
      this.#host.poller.acquire(this)
      this.#host.beforeRelease((cursors, lost) => this.#release(cursors, lost))
      this.#pump = this.#run()
    }
    for (;;) {
      const stream = this.#begun.shift()
      if (stream !== undefined) return { value: stream, done: false }
      if (this.#failure !== null) {
        const failure = this.#failure
        this.#failure = null
        throw failure
      }
      if (this.#isEnding) return done
      await new Promise<void>(resolve => (this.#wake = resolve))
      this.#wake = null
    }
  }

  /** Ends every stream, after what they have handed out. */
  async return(): Promise<IteratorResult<PartitionStream<K, V>, undefined>> {
    this.#isEnding = true
    this.#host.wake()
    this.#wake?.()
    await this.#pump
    return done
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async #run(): Promise<void> {
    const { poller } = this.#host
    const take = (): FetchedMessage | 'end' | null => (this.#isEnding ? 'end' : poller.takeNow())
    try {
      for (;;) {
        try {
          const taken = take() ?? (await poller.awaitNext(take))
          if (taken === null || taken === 'end') break
          this.#begin(taken)
        } catch (error) {
          if (!(error instanceof KafkaError) || error.isFatal) throw error
          // Nobody but this reader is told of what it would reject with.
          this.#host.warn(error)
        }
      }
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error))
    }
    this.#isEnding = true
    const streams = [...this.#streams.values()]
    await this.#release([...this.#streams.keys()], false)
    if (this.#host.commitsItself) await this.#host.commit(streams.map(({ cursor }) => cursor))
    this.#host.beforeRelease(null)
    poller.release(this)
    this.#wake?.()
  }

  #begin(message: FetchedMessage): void {
    const { cursor } = message
    let stream = this.#streams.get(cursor)
    if (stream === undefined) {
      stream = new CursorStream<K, V>(cursor, {
        host: this.#host,
        onTaken: () => this.#makeRoom(cursor),
        onLeft: left => this.#leave(left),
      })
      this.#streams.set(cursor, stream)
      this.#begun.push(stream)
      this.#wake?.()
    }
    stream.push(message)
    // A program that has paused the partition itself goes on with it itself.
    if (stream.waiting < MOST_WAITING || stream.isHeld || cursor.paused) return
    stream.isHeld = true
    this.#host.hold(cursor)
  }

  #makeRoom(cursor: Cursor): void {
    const stream = this.#streams.get(cursor)
    if (stream?.isHeld !== true || stream.waiting > MOST_WAITING / 2) return
    stream.isHeld = false
    this.#host.goOn(cursor)
  }

  /** The program has left a stream: the partition comes again, from where it was left. */
  #leave(stream: CursorStream<K, V>): void {
    this.#streams.delete(stream.cursor)
    this.#handBack(stream, stream.lowest)
  }

  #handBack(stream: CursorStream<K, V>, lowest: FetchedMessage | undefined, from = lowest?.offset ?? -1): void {
    if (stream.isHeld) {
      stream.isHeld = false
      this.#host.goOn(stream.cursor)
    }
    if (lowest !== undefined) this.#host.goBack(stream.cursor, from, lowest.era)
  }

  /** Waits for what streams have handed out of partitions that are given up. */
  async #release(cursors: readonly Cursor[], lost: boolean): Promise<void> {
    const streams = cursors.flatMap(cursor => this.#streams.get(cursor) ?? [])
    const { clock, longestDrainMs } = this.#host
    const lowest = streams.map(stream => stream.lowest)
    if (!lost) {
      const over = new AbortController()
      const ms = Math.min(this.#drainMs, longestDrainMs)
      const time = sleep(clock, ms, over.signal).catch(() => undefined)
      await Promise.race([Promise.all(streams.map(stream => stream.drained())), time])
      over.abort()
    }
    streams.forEach((stream, i) => {
      this.#streams.delete(stream.cursor)
      // Of a partition that stays (the end of all streams), the next reader begins with what was not handed out.
      const stored = stream.cursor.offsets.stored
      stream.end()
      const first = lowest[i]
      this.#handBack(stream, first, Math.max(first?.offset ?? -1, stored))
    })
  }
}
