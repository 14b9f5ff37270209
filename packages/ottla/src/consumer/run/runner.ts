/** Processes many messages at once in the order asked for, and stores offsets up to the first unfinished message. */
import type { RecordBatch } from '@ottla/protocol'
import { onAbort } from '../../base/abort.ts'
import type { Clock, Timer } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { KafkaError } from '../../errors.ts'
import type { Cursor } from '../partition/cursor.ts'
import type { FetchedMessage } from '../partition/message.ts'
import type { RunningJobs } from '../read/running-jobs.ts'
import type { Reader } from '../read/reader.ts'
import { STOP, takeAll } from '../read/take-all.ts'
import { atMost } from './at-most.ts'
import { Attempts } from './attempts.ts'
import { asError } from './failure.ts'
import type { RunHooks } from './hooks.ts'
import { runSettings, type RunOptions, type RunSettings } from './options.ts'
import { PartitionWork, type Task } from './partition-work.ts'
import { Scheduler } from './scheduler.ts'
import { WorkBudget } from './work-budget.ts'

/** What the runner needs of its consumer. */
export interface RunnerHost<K, V> {
  readonly clock: Clock
  readonly random: Random
  readonly reader: Reader<K, V>
  readonly runningJobs: RunningJobs
  /** Has the reader look again. */
  wake(): void
  /** Sets the hooks of the current run; null when it ends. */
  hook(hooks: RunHooks | null): void
  /** Commits the stored offsets of these partitions, by default of all. */
  commit(cursors?: readonly Cursor[]): Promise<void>
  /** `enable.auto.commit`: the client commits at intervals, and when partitions are given up. */
  readonly commitsItself: boolean
  readonly commitIntervalMs: number
  /** How long the other members (`max.poll.interval.ms`) and a `close` in progress wait. */
  longestDrainMs(): number
  /** The group has been left because something takes too long: nothing is started. */
  isParked(): boolean
  /** Limit for messages that wait for a handler. */
  readonly mostBytes: number
  /** How many partitions are assigned. */
  partitions(): number
  /** Delivers nothing of a partition until `unhold`. */
  hold(cursor: Cursor): void
  unhold(cursor: Cursor): void
  /** The next reader begins at this offset of these batches, unless that is still ahead, or the era is over. */
  rewindTo(cursor: Cursor, offset: number, era: number, batches: readonly RecordBatch[]): void
  /** Logs an error that the client recovers from. */
  warn(error: KafkaError): void
}

/** Messages of one partition that may wait, per handler: a slow handler holds up its own partition only. */
const WAITING_PER_HANDLER = 2
const LEAST_WAITING = 50

/** How long the end of the run waits for handlers that have themselves awaited it. */
const AWAITERS_MS = 1000

export class Runner<K, V> implements RunHooks {
  readonly #host: RunnerHost<K, V>
  readonly #options: RunOptions<K, V>
  readonly #settings: RunSettings
  readonly #attempts: Attempts<K, V>
  readonly #scheduler: Scheduler<Task>
  readonly #budget: WorkBudget
  readonly #partitions = new Map<Cursor, PartitionWork>()
  readonly #mostPending: number
  #timer: Timer | null = null
  #isStopping = false
  #failure: Error | null = null

  /** @throws KafkaError ERR__INVALID_ARG */
  constructor(host: RunnerHost<K, V>, options: RunOptions<K, V>) {
    this.#host = host
    this.#options = options
    this.#settings = runSettings(options)
    const { concurrency } = this.#settings
    const { clock, random, runningJobs, reader } = host
    this.#attempts = new Attempts({ clock, random, runningJobs, decoding: reader.decoding }, options, this.#settings)
    this.#mostPending = concurrency + Math.max(LEAST_WAITING, concurrency * WAITING_PER_HANDLER)
    this.#budget = new WorkBudget(host.mostBytes, () => host.partitions())
    this.#scheduler = new Scheduler(
      concurrency,
      task => this.#work(task),
      partition => this.#isPaused(partition),
    )
  }

  /** Runs until it is stopped or the consumer is closed; rejects with the error of a message that failed for good. */
  async run(): Promise<void> {
    const { reader, runningJobs } = this.#host
    const { signal } = this.#options
    const stop = (): void => this.#stop()
    reader.acquire(this)
    this.#host.hook(this)
    const stopListening = onAbort(signal, stop)
    if (signal?.aborted === true) this.#stop()
    this.#commitLater()
    try {
      await this.#takeAll()
      const partitions = new Map(this.#partitions)
      const cursors = [...partitions.keys()]
      await this.beforeRelease(cursors, false)
      if (this.#host.commitsItself) await this.#host.commit(cursors)
      for (const [cursor, partition] of partitions) this.#handBack(cursor, partition)
      // A handler that awaits `close` was not waited for so far; now nothing holds it up any more.
      await atMost(this.#host.clock, Math.min(this.#settings.drainMs, AWAITERS_MS), runningJobs.awaitersEnd())
    } finally {
      this.#timer?.cancel()
      stopListening()
      this.#host.hook(null)
      // What still hangs must not count against the next reader.
      runningJobs.clear()
      reader.release(this)
    }
    if (this.#failure !== null) throw this.#failure
  }

  firstOpen(cursor: Cursor): number | null {
    const lowest = this.#partitions.get(cursor)?.tracker.lowest
    return lowest?.era === cursor.offsets.era ? lowest.offset : null
  }

  // Not at once: a handler must not run inside the application's call of `resume`.
  onResumed(): void {
    this.#host.wake()
  }

  /** Waits for running handlers of partitions that are given up; leaves waiting messages to the next owner. */
  async beforeRelease(cursors: readonly Cursor[], lost: boolean): Promise<void> {
    const partitions = cursors.flatMap(cursor => this.#partitions.get(cursor) ?? [])
    for (const partition of partitions) partition.drain()
    this.#scheduler.startUnbound()
    if (!lost) {
      const { commitsItself } = this.#host
      const ms = Math.min(this.#settings.drainMs, this.#host.longestDrainMs())
      await atMost(this.#host.clock, ms, Promise.all(partitions.map(partition => partition.idle())))
      if (!commitsItself) await this.#host.commit(cursors)
    }
    for (const partition of partitions) partition.end()
    for (const cursor of cursors) this.#partitions.delete(cursor)
  }

  /** Finishes what does not take long and commits it, so that the next owner need not process it again. */
  async beforeEviction(): Promise<void> {
    await this.#host.runningJobs.quickJobsEnd()
    await this.#host.commit()
  }

  async #takeAll(): Promise<void> {
    const { reader } = this.#host
    const take = (): FetchedMessage | typeof STOP | null => {
      if (this.#isStopping) return STOP
      this.#scheduler.start()
      return reader.takeNow()
    }
    try {
      await takeAll(
        reader,
        this,
        take,
        message => this.#begin(message),
        error => this.#host.warn(error),
      )
    } catch (error) {
      this.#fail(error)
    }
  }

  #begin(message: FetchedMessage): void {
    const { cursor } = message
    let partition = this.#partitions.get(cursor)
    if (partition === undefined) this.#partitions.set(cursor, (partition = new PartitionWork(cursor)))
    const task = partition.take(message, this.#laneOf(message), message.sizeBytes)
    this.#budget.take(task.bytes)
    if (!partition.isHeld && this.#hasEnough(partition)) {
      partition.isHeld = true
      this.#host.hold(cursor)
    }
    this.#scheduler.add(task)
  }

  #hasEnough({ pending, bytes }: PartitionWork): boolean {
    return pending >= this.#mostPending || this.#budget.isOver(bytes)
  }

  #isPaused({ cursor, isDraining }: PartitionWork): boolean {
    return !isDraining && (cursor.paused || this.#host.isParked())
  }

  #laneOf({ cursor, key }: FetchedMessage): string | null {
    switch (this.#settings.order) {
      case 'partition':
        return cursor.name
      case 'key':
        return key === null ? null : `${cursor.name} ${key.toString('latin1')}`
      case 'none':
        return null
      default:
        return this.#settings.order satisfies never
    }
  }

  async #work(task: Task): Promise<'done' | 'again'> {
    const { partition, message } = task
    if (!partition.isDraining && !this.#isStopping && !message.isStale) {
      partition.begun()
      try {
        if ((await this.#attempts.work(task)) === 'again') return 'again'
      } catch (error) {
        if (!partition.isReleased) this.#fail(error)
      } finally {
        partition.ended(task)
      }
    }
    this.#ended(task)
    return 'done'
  }

  #ended(task: Task): void {
    const { partition } = task
    this.#budget.giveBack(task.bytes)
    partition.giveBack(task)
    if (partition.isHeld && (partition.pending === 0 || this.#hasLittle(partition))) {
      partition.isHeld = false
      this.#host.unhold(partition.cursor)
    }
    this.#host.wake()
  }

  #hasLittle({ pending, bytes }: PartitionWork): boolean {
    return pending <= this.#mostPending / 2 && this.#budget.isLow(bytes)
  }

  // With enable.auto.commit=false nothing else commits.
  #commitLater(): void {
    const { clock, commitsItself, commitIntervalMs } = this.#host
    if (commitsItself) return
    this.#timer = clock.setTimer(Math.max(1, commitIntervalMs), () => {
      void this.#host.commit()
      this.#commitLater()
    })
  }

  /** Gives unfinished messages back: the next reader's commits would pass over them otherwise. */
  #handBack(cursor: Cursor, partition: PartitionWork): void {
    if (partition.isHeld) {
      partition.isHeld = false
      this.#host.unhold(cursor)
    }
    const { lowest, batches } = partition.tracker
    if (lowest !== undefined) this.#host.rewindTo(cursor, lowest.offset, lowest.era, batches)
  }

  #fail(error: unknown): void {
    this.#failure ??= asError(error, 'run')
    this.#stop()
  }

  #stop(): void {
    this.#isStopping = true
    for (const partition of this.#partitions.values()) partition.drain()
    this.#scheduler.startUnbound()
    this.#host.wake()
  }
}
