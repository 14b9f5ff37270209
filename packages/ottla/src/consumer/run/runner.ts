/** Processes many messages at once in the order asked for, and stores offsets up to the first unfinished message. */
import { sleep } from '../../base/clock.ts'
import type { Cursor } from '../partition/cursor.ts'
import type { FetchedMessage } from '../partition/message.ts'
import { decodeBackoffMs } from '../read/decode-backoff.ts'
import { Attempts } from './attempts.ts'
import type { RunnerHost } from './host.ts'
import { runSettings, type RunOptions, type RunSettings } from './options.ts'
import { PartitionWork, type Task } from './partition-work.ts'
import { RunLoop } from './run-loop.ts'
import { Scheduler } from './scheduler.ts'
import { WorkBudget } from './work-budget.ts'

/** Messages of one partition that may wait, per handler: a slow handler holds up its own partition only. */
const WAITING_PER_HANDLER = 2
const LEAST_WAITING = 50

export class Runner<K, V> extends RunLoop<K, V, PartitionWork, FetchedMessage> {
  readonly #settings: RunSettings
  readonly #attempts: Attempts<K, V>
  readonly #scheduler: Scheduler<Task>
  readonly #budget: WorkBudget
  readonly #mostPending: number

  /** @throws KafkaError ERR__INVALID_ARG */
  constructor(host: RunnerHost<K, V>, options: RunOptions<K, V>) {
    const settings = runSettings(options)
    super(host, settings, options.signal)
    this.#settings = settings
    const { concurrency } = settings
    const { client, clock, random, runningJobs, reader } = host
    const { decoding } = reader
    this.#attempts = new Attempts({ client, clock, random, runningJobs, decoding }, options, settings)
    this.#mostPending = concurrency + Math.max(LEAST_WAITING, concurrency * WAITING_PER_HANDLER)
    this.#budget = new WorkBudget(host.mostBytes, () => host.partitions())
    this.#scheduler = new Scheduler(
      concurrency,
      task => this.#work(task),
      partition => this.#isPaused(partition),
    )
  }

  firstOpen(cursor: Cursor): number | null {
    const lowest = this.partitions.get(cursor)?.tracker.lowest
    return lowest?.era === cursor.offsets.era ? lowest.offset : null
  }

  openSince(cursor: Cursor): number | null {
    const lowest = this.partitions.get(cursor)?.tracker.lowest
    return lowest?.era === cursor.offsets.era ? (lowest.batch?.baseTimestamp ?? -1) : null
  }

  protected take(): FetchedMessage | null {
    this.#scheduler.start()
    return this.host.reader.takeNow()
  }

  protected begin(message: FetchedMessage): void {
    const { cursor } = message
    let partition = this.partitions.get(cursor)
    if (partition === undefined) this.partitions.set(cursor, (partition = new PartitionWork(cursor)))
    const task = partition.take(message, this.#laneOf(message), message.sizeBytes)
    this.#budget.take(task.bytes)
    if (!partition.isHeld && this.#hasEnough(partition)) {
      partition.isHeld = true
      this.host.hold(cursor)
    }
    this.#scheduler.add(task)
  }

  protected onDraining(): void {
    this.#scheduler.startUnbound()
  }

  protected putBack(cursor: Cursor, { tracker }: PartitionWork): void {
    const { lowest, batches } = tracker
    if (lowest !== undefined) this.host.rewindTo(cursor, lowest.offset, lowest.era, batches)
  }

  #hasEnough({ pending, bytes }: PartitionWork): boolean {
    return pending >= this.#mostPending || this.#budget.isOver(bytes)
  }

  #isPaused({ cursor, isDraining, isBackingOff }: PartitionWork): boolean {
    return !isDraining && (isBackingOff || cursor.paused || this.host.isParked())
  }

  /** Others of the partition would fail for the same reason. */
  #backOff(partition: PartitionWork): void {
    const { clock, random } = this.host
    const { waitsFor } = partition.cursor
    if (partition.failures === 0 && waitsFor !== null) this.host.warn(waitsFor)
    if (partition.isBackingOff || partition.isDraining) return
    partition.isBackingOff = true
    const pause = decodeBackoffMs(++partition.failures, random)
    const over = (): void => {
      partition.isBackingOff = false
      this.#scheduler.startUnbound()
    }
    sleep(clock, pause, partition.draining).then(over, over)
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
    if (!partition.isDraining && !this.isStopping && !message.isStale) {
      partition.begun()
      try {
        const outcome = await this.#attempts.work(task)
        if (outcome === 'later') this.#backOff(partition)
        else if (message.cursor.waitsFor === null) partition.failures = 0
        if (outcome === 'again' || outcome === 'later') return 'again'
      } catch (error) {
        if (!partition.isReleased) this.fail(error)
      } finally {
        partition.ended(task)
      }
    }
    this.#ended(task)
    return 'done'
  }

  #ended(task: Task): void {
    const { partition } = task
    partition.cursor.waitsFor = null
    this.#budget.giveBack(task.bytes)
    partition.giveBack(task)
    if (partition.isHeld && (partition.pending === 0 || this.#hasLittle(partition))) {
      partition.isHeld = false
      this.host.unhold(partition.cursor)
    }
    this.host.wake()
  }

  #hasLittle({ pending, bytes }: PartitionWork): boolean {
    return pending <= this.#mostPending / 2 && this.#budget.isLow(bytes)
  }
}
