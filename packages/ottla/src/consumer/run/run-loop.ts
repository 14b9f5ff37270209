/** What all runs do: take messages until the end, give partitions up in order, commit what is processed. */
import { onAbort } from '../../base/abort.ts'
import type { Timer } from '../../base/clock.ts'
import type { Cursor } from '../partition/cursor.ts'
import { STOP, takeAll } from '../read/take-all.ts'
import { invalid } from '../arguments.ts'
import { atMost } from './at-most.ts'
import { asError } from './failure.ts'
import type { RunHooks } from './hooks.ts'
import type { RunnerHost } from './host.ts'
import type { CommonRunSettings } from './options.ts'
import type { PartitionRun } from './partition-run.ts'

/** How long the end of the run waits for handlers that have themselves awaited it. */
const AWAITERS_MS = 1000

/** `P` is what a run keeps of a partition, `T` what it takes at a time. */
export abstract class RunLoop<K, V, P extends PartitionRun, T> implements RunHooks {
  protected readonly host: RunnerHost<K, V>
  protected readonly partitions = new Map<Cursor, P>()
  readonly #settings: CommonRunSettings
  readonly #signal: AbortSignal | undefined
  /** Nothing else commits. */
  readonly #commits: boolean
  #timer: Timer | null = null
  #isStopping = false
  #failure: Error | null = null

  /** @throws KafkaError ERR__INVALID_ARG */
  constructor(host: RunnerHost<K, V>, settings: CommonRunSettings, signal: AbortSignal | undefined) {
    if (host.commitsItself && !settings.commit) throw invalid('run: commit=false needs enable.auto.commit=false')
    this.host = host
    this.#settings = settings
    this.#signal = signal
    this.#commits = settings.commit && !host.commitsItself
  }

  protected get isStopping(): boolean {
    return this.#isStopping
  }

  /** Runs until it is stopped or the consumer is closed; rejects with the error of a message that failed for good. */
  async run(): Promise<void> {
    const { reader, runningJobs } = this.host
    const stop = (): void => this.#stop()
    reader.acquire(this)
    this.host.hook(this)
    const stopListening = onAbort(this.#signal, stop)
    if (this.#signal?.aborted === true) this.#stop()
    this.#commitLater()
    try {
      await this.#takeAll()
      const partitions = new Map(this.partitions)
      const cursors = [...partitions.keys()]
      await this.beforeRelease(cursors, false)
      if (this.host.commitsItself) await this.host.commit(cursors)
      for (const [cursor, partition] of partitions) this.#handBack(cursor, partition)
      // A handler that awaits `close` was not waited for so far; now nothing holds it up any more.
      await atMost(this.host.clock, Math.min(this.#settings.drainMs, AWAITERS_MS), runningJobs.awaitersEnd())
    } finally {
      this.#timer?.cancel()
      stopListening()
      this.host.hook(null)
      // What still hangs must not count against the next reader.
      runningJobs.clear()
      reader.release(this)
    }
    if (this.#failure !== null) throw this.#failure
  }

  abstract firstOpen(cursor: Cursor): number | null

  abstract openSince(cursor: Cursor): number | null

  // Not at once: a handler must not run inside the application's call of `resume`.
  onResumed(): void {
    this.host.wake()
  }

  /** Waits for running handlers of partitions that are given up; leaves waiting messages to the next owner. */
  async beforeRelease(cursors: readonly Cursor[], lost: boolean): Promise<void> {
    const partitions = cursors.flatMap(cursor => this.partitions.get(cursor) ?? [])
    for (const partition of partitions) partition.drain()
    this.onDraining()
    if (!lost) {
      const ms = Math.min(this.#settings.drainMs, this.host.longestDrainMs())
      await atMost(this.host.clock, ms, Promise.all(partitions.map(partition => partition.idle())))
      if (this.#commits) await this.host.commit(cursors)
    }
    for (const partition of partitions) partition.end()
    for (const cursor of cursors) this.partitions.delete(cursor)
  }

  /** Finishes what does not take long and commits it, so that the next owner need not process it again. */
  async beforeEviction(): Promise<void> {
    await this.host.runningJobs.quickJobsEnd()
    if (this.#settings.commit) await this.host.commit()
  }

  /** What can be processed now; null if there is nothing, or no handler is free. */
  protected abstract take(): T | null

  protected abstract begin(taken: T): void

  /** Partitions take no further work: what waits behind a lane has to be let through. */
  protected abstract onDraining(): void

  /** Gives unfinished messages back: the next reader's commits would pass over them otherwise. */
  protected abstract putBack(cursor: Cursor, partition: P): void

  protected fail(error: unknown): void {
    this.#failure ??= asError(error, 'run')
    this.#stop()
  }

  async #takeAll(): Promise<void> {
    const { reader } = this.host
    try {
      await takeAll(
        reader,
        this,
        () => (this.#isStopping ? STOP : this.take()),
        taken => this.begin(taken),
        error => this.host.warn(error),
      )
    } catch (error) {
      this.fail(error)
    }
  }

  // With enable.auto.commit=false nothing else commits.
  #commitLater(): void {
    if (!this.#commits) return
    const { clock, commitIntervalMs } = this.host
    this.#timer = clock.setTimer(Math.max(1, commitIntervalMs), () => {
      void this.host.commit()
      this.#commitLater()
    })
  }

  #handBack(cursor: Cursor, partition: P): void {
    if (partition.isHeld) {
      partition.isHeld = false
      this.host.unhold(cursor)
    }
    this.putBack(cursor, partition)
  }

  #stop(): void {
    this.#isStopping = true
    for (const partition of this.partitions.values()) partition.drain()
    this.onDraining()
    this.host.wake()
  }
}
