/** Works on many messages at once, keeps the order that was asked for, and stores the lowest finished offset. */
import type { RecordBatch } from '@ottla/protocol'
import { onAbort } from '../../base/abort.ts'
import type { Clock, Timer } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { KafkaError } from '../../errors.ts'
import type { Cursor } from '../partition/cursor.ts'
import type { FetchedMessage } from '../partition/message.ts'
import type { AtWork } from '../read/at-work.ts'
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
  readonly atWork: AtWork
  /** Has the reader look again. */
  wake(): void
  /** Null ends it. */
  hook(hooks: RunHooks | null): void
  /** Commits what is stored of these partitions. */
  commit(cursors?: readonly Cursor[]): Promise<void>
  /** `enable.auto.commit`: at intervals, and when partitions are given up. */
  readonly commitsItself: boolean
  readonly commitIntervalMs: number
  /** The others wait no longer (`max.poll.interval.ms`), nor does whoever closes the consumer. */
  longestDrainMs(): number
  /** The group has been left because something takes too long: nothing is begun. */
  isParked(): boolean
  /** Of messages that wait for a handler. */
  readonly mostBytes: number
  /** How many partitions there are. */
  partitions(): number
  /** Hands out nothing of a partition until `goOn`. */
  hold(cursor: Cursor): void
  goOn(cursor: Cursor): void
  /** Whoever reads next begins at this offset of these batches, unless that is where reading goes on anyway, or the era is over. */
  goBack(cursor: Cursor, offset: number, era: number, batches: readonly RecordBatch[]): void
  /** An error that the client goes on from by itself. */
  warn(error: KafkaError): void
}

/** Messages of one partition that may wait for a handler, for each handler: a slow one holds up its own partition only. */
const WAITING_PER_HANDLER = 2
const LEAST_WAITING = 50

/** How long a handler that has closed the consumer is waited for after that. */
const LAST_WORDS_MS = 1000

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
    const { clock, random, atWork, reader } = host
    this.#attempts = new Attempts({ clock, random, atWork, decoding: reader.decoding }, options, this.#settings)
    this.#mostPending = concurrency + Math.max(LEAST_WAITING, concurrency * WAITING_PER_HANDLER)
    this.#budget = new WorkBudget(host.mostBytes, () => host.partitions())
    this.#scheduler = new Scheduler(
      concurrency,
      task => this.#work(task),
      partition => this.#isStill(partition),
    )
  }

  /** Until it is stopped or the consumer is closed; rejects with what a message could not be worked on for. */
  async run(): Promise<void> {
    const { reader, atWork } = this.#host
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
      // A handler that has closed the consumer was not waited for before; it has nothing to wait for any more.
      await atMost(this.#host.clock, Math.min(this.#settings.drainMs, LAST_WORDS_MS), atWork.askersEnd())
    } finally {
      this.#timer?.cancel()
      stopListening()
      this.#host.hook(null)
      // Whatever still hangs says nothing of the next reader.
      atWork.clear()
      reader.release(this)
    }
    if (this.#failure !== null) throw this.#failure
  }

  // Handlers are not called from within the program's own call.
  onResumed(): void {
    this.#host.wake()
  }

  /** Waits for what is at work on partitions that are given up; what only waits is left to their next owner. */
  async beforeRelease(cursors: readonly Cursor[], lost: boolean): Promise<void> {
    const partitions = cursors.flatMap(cursor => this.#partitions.get(cursor) ?? [])
    for (const partition of partitions) partition.drain()
    this.#scheduler.lookFromElsewhere()
    if (!lost) {
      const { commitsItself } = this.#host
      const ms = Math.min(this.#settings.drainMs, this.#host.longestDrainMs())
      await atMost(this.#host.clock, ms, Promise.all(partitions.map(partition => partition.idle())))
      if (!commitsItself) await this.#host.commit(cursors)
    }
    for (const partition of partitions) partition.end()
    for (const cursor of cursors) this.#partitions.delete(cursor)
  }

  /** What is done is committed, and what does not take long gets done: the next owner has nothing of it to do. */
  async beforeEviction(): Promise<void> {
    await this.#host.atWork.othersEnd()
    await this.#host.commit()
  }

  async #takeAll(): Promise<void> {
    const { reader } = this.#host
    const take = (): FetchedMessage | typeof STOP | null => {
      if (this.#isStopping) return STOP
      this.#scheduler.look()
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

  #isStill({ cursor, isDraining }: PartitionWork): boolean {
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
        if (!partition.isGone) this.#fail(error)
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
      this.#host.goOn(partition.cursor)
    }
    this.#host.wake()
  }

  #hasLittle({ pending, bytes }: PartitionWork): boolean {
    return pending <= this.#mostPending / 2 && this.#budget.isLow(bytes)
  }

  // With enable.auto.commit=false nobody else does.
  #commitLater(): void {
    const { clock, commitsItself, commitIntervalMs } = this.#host
    if (commitsItself) return
    this.#timer = clock.setTimer(Math.max(1, commitIntervalMs), () => {
      void this.#host.commit()
      this.#commitLater()
    })
  }

  /** Another reader gets what was taken and not finished: else its commits would pass over that. */
  #handBack(cursor: Cursor, partition: PartitionWork): void {
    if (partition.isHeld) {
      partition.isHeld = false
      this.#host.goOn(cursor)
    }
    const { lowest, batches } = partition.tracker
    if (lowest !== undefined) this.#host.goBack(cursor, lowest.offset, lowest.era, batches)
  }

  #fail(error: unknown): void {
    this.#failure ??= asError(error, 'the run')
    this.#stop()
  }

  #stop(): void {
    this.#isStopping = true
    for (const partition of this.#partitions.values()) partition.drain()
    this.#scheduler.lookFromElsewhere()
    this.#host.wake()
  }
}
