/** Messages partition by partition: each assigned partition is a stream, and a slow one holds up no other. */
import type { RecordBatch } from '@ottla/protocol'
import type { ConsumerIterator } from '../../types.ts'
import { invalid } from '../arguments.ts'
import type { Cursor } from '../partition/cursor.ts'
import { batchOf, type FetchedMessage } from '../partition/message.ts'
import { busy } from '../read/reader.ts'
import { STOP, takeAll } from '../read/take-all.ts'
import { atMost } from './at-most.ts'
import { CursorStream, type PartitionStream } from './cursor-stream.ts'
import { asError } from './failure.ts'
import type { RunHooks } from './hooks.ts'
import type { RunnerHost } from './host.ts'
import { WorkBudget } from './work-budget.ts'

/** @since 0.1.0 */
export interface PartitionStreamsOptions {
  /** How long a revoke waits for the messages in progress, ms; 30,000 by default. */
  readonly drainMs?: number
}

/** Messages of one partition that may wait in its stream. */
const MOST_WAITING = 500
const DEFAULT_DRAIN_MS = 30_000
const done = { value: undefined, done: true } as const

/** Yields a stream for each partition when its first message arrives. */
export class PartitionStreams<K, V> implements ConsumerIterator<PartitionStream<K, V>>, RunHooks {
  readonly #host: RunnerHost<K, V>
  readonly #drainMs: number
  readonly #budget: WorkBudget
  readonly #streams = new Map<Cursor, CursorStream<K, V>>()
  readonly #begun: CursorStream<K, V>[] = []
  #wake: (() => void) | null = null
  #pump: Promise<void> | null = null
  #isEnding = false
  #failure: Error | null = null

  /** @throws KafkaError ERR__INVALID_ARG */
  constructor(host: RunnerHost<K, V>, { drainMs = DEFAULT_DRAIN_MS }: PartitionStreamsOptions) {
    if (!(drainMs >= 0)) throw invalid(`partitions: drainMs=${drainMs} must be 0 or more`)
    this.#host = host
    this.#drainMs = drainMs
    this.#budget = new WorkBudget(host.mostBytes, () => host.partitions())
  }

  async next(): Promise<IteratorResult<PartitionStream<K, V>, undefined>> {
    if (this.#wake !== null) throw busy()
    if (this.#pump === null && !this.#isEnding) {
      this.#host.reader.acquire(this)
      this.#host.hook(this)
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

  /** Ends every stream, after the messages in progress. */
  return(): Promise<IteratorResult<PartitionStream<K, V>, undefined>> {
    this.#isEnding = true
    this.#host.wake()
    this.#wake?.()
    // Called inside the loop over a stream, this must not wait for that loop's own message.
    return this.#host.runningJobs.trackWaiters(async () => {
      await this.#pump
      return done
    })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  firstOpen(cursor: Cursor): number | null {
    return this.#streams.get(cursor)?.lowest?.offset ?? null
  }

  openSince(cursor: Cursor): number | null {
    const lowest = this.#streams.get(cursor)?.lowest
    return lowest === undefined ? null : (batchOf(lowest)?.baseTimestamp ?? -1)
  }

  onResumed(): void {
    for (const stream of this.#streams.values()) stream.wakeUp()
  }

  async beforeEviction(): Promise<void> {
    if (this.#host.commitsItself) await this.#host.commit()
  }

  /** Waits for the messages in progress of partitions that are given up. */
  async beforeRelease(cursors: readonly Cursor[], lost: boolean): Promise<void> {
    const streams = cursors.flatMap(cursor => this.#streams.get(cursor) ?? [])
    const { clock } = this.#host
    const before = streams.map(({ lowest, batches }) => ({ lowest, batches }))
    if (!lost) {
      const ms = Math.min(this.#drainMs, this.#host.longestDrainMs())
      await atMost(clock, ms, Promise.all(streams.map(stream => stream.drained())))
    }
    streams.forEach((stream, i) => {
      this.#streams.delete(stream.cursor)
      // The partition may stay assigned (when all streams end): the next reader begins with what was not delivered.
      const { doneTo } = stream
      stream.end()
      const { lowest, batches = [] } = before[i] ?? {}
      this.#handBack(stream, batches, lowest, Math.max(lowest?.offset ?? -1, doneTo))
    })
  }

  async #run(): Promise<void> {
    const { reader } = this.#host
    const take = (): FetchedMessage | typeof STOP | null => (this.#isEnding ? STOP : reader.takeNow())
    try {
      await takeAll(
        reader,
        this,
        take,
        message => this.#begin(message),
        error => this.#host.warn(error),
      )
    } catch (error) {
      this.#failure = asError(error, 'the reader of partitions()')
    }
    this.#isEnding = true
    const streams = [...this.#streams.values()]
    await this.beforeRelease([...this.#streams.keys()], false)
    if (this.#host.commitsItself) await this.#host.commit(streams.map(({ cursor }) => cursor))
    this.#host.hook(null)
    this.#host.runningJobs.clear()
    reader.release(this)
    this.#wake?.()
  }

  #begin(message: FetchedMessage): void {
    const { cursor } = message
    let stream = this.#streams.get(cursor)
    if (stream === undefined) {
      stream = new CursorStream<K, V>(cursor, {
        host: this.#host,
        budget: this.#budget,
        onTaken: () => this.#makeRoom(cursor),
        onLeft: left => this.#leave(left),
      })
      this.#streams.set(cursor, stream)
      this.#begun.push(stream)
      this.#wake?.()
    }
    stream.push(message)
    if (stream.isHeld || (stream.waiting < MOST_WAITING && !this.#budget.isOver(stream.waitingBytes))) return
    stream.isHeld = true
    this.#host.hold(cursor)
  }

  #makeRoom(cursor: Cursor): void {
    const stream = this.#streams.get(cursor)
    if (stream?.isHeld !== true) return
    const { waiting, waitingBytes } = stream
    if (waiting > 0 && (waiting > MOST_WAITING / 2 || !this.#budget.isLow(waitingBytes))) return
    stream.isHeld = false
    this.#host.unhold(cursor)
  }

  /** The application has left a stream: the partition comes again, from where it was left. */
  #leave(stream: CursorStream<K, V>): void {
    this.#streams.delete(stream.cursor)
    this.#handBack(stream, stream.batches, stream.lowest)
  }

  #handBack(
    stream: CursorStream<K, V>,
    batches: readonly RecordBatch[],
    lowest: FetchedMessage | undefined,
    from = lowest?.offset ?? -1,
  ): void {
    if (stream.isHeld) {
      stream.isHeld = false
      this.#host.unhold(stream.cursor)
    }
    if (lowest !== undefined) this.#host.rewindTo(stream.cursor, from, lowest.era, batches)
  }
}
