/** The batches of one partition in a run: one at a time, and what came of the last one. */
import type { Timer } from '../../base/clock.ts'
import { batchOf } from '../partition/message.ts'
import type { MessageBatch, TakenBatch } from '../read/message-batch.ts'
import type { Job, JobHolder } from '../read/job-list.ts'
import { PartitionRun } from './partition-run.ts'

/** What has been taken and is not done. */
interface Open<K, V> {
  readonly taken: TakenBatch
  /** What the handler has; null before it is deserialized. */
  batch: MessageBatch<K, V> | null
}

export class BatchWork<K, V> extends PartitionRun implements JobHolder {
  job: Job | null = null
  /** Until the next batch may be taken, after one that failed. */
  #pause: Timer | null = null
  #open: Open<K, V> | null = null
  /** The first message of the last failure, and how often it has failed; -1 and 0 without one. */
  #failedAt = -1
  #failures = 0
  /** How often in a row its first message could not be deserialized for a reason that passes. */
  waits = 0

  /** A batch has been taken. */
  begins(taken: TakenBatch): void {
    this.cursor.offsets.worker = this
    this.#open = { taken, batch: null }
    this.begun()
  }

  /** The handler gets it. @returns which attempt that is */
  given(batch: MessageBatch<K, V>): number {
    if (this.#open !== null) this.#open.batch = batch
    batch.onProcessed = () => this.#store(batch)
    return batch.firstOffset === this.#failedAt ? this.#failures + 1 : 1
  }

  /** The first offset that is not done; null when there is none, or the position has moved since. */
  get firstOpen(): number | null {
    const open = this.#open
    if (open === null || open.taken.era !== this.cursor.offsets.era) return null
    return open.batch?.progress ?? open.taken.firstOffset
  }

  /** The first timestamp of what is not done, ms since the epoch; -1 if unknown, null as for `firstOpen`. */
  get openSince(): number | null {
    if (this.firstOpen === null) return null
    const part = this.#open?.taken.parts[0]
    if (part === undefined) return -1
    if ('batch' in part) return part.batch.baseTimestamp
    const [first] = part
    return first === undefined ? -1 : (batchOf(first)?.baseTimestamp ?? -1)
  }

  /** The handler has not failed: what it has not marked otherwise is processed. */
  onDone(): void {
    const batch = this.#open?.batch ?? null
    if (batch !== null) this.#store(batch)
  }

  onAwaitsEnd(): void {
    this.awaitsEnd(this)
  }

  /**
   * Nothing is running any more.
   * @param outcome whether the handler has failed; `waits`: it was not called
   * @returns from where on the batch comes again; null when it is done, or the position has moved
   */
  finished(outcome: 'done' | 'failed' | 'waits'): { readonly offset: number; readonly hasProgress: boolean } | null {
    const open = this.#open
    this.#open = null
    this.ended(this)
    if (open === null) return null
    const { taken, batch } = open
    const isDone = outcome === 'done'
    const reached = isDone ? (batch?.nextOffset ?? null) : (batch?.progress ?? null)
    const offset = reached ?? taken.firstOffset
    if (isDone || (outcome === 'failed' && offset !== this.#failedAt)) this.#failures = 0
    if (outcome === 'failed') {
      this.#failedAt = offset
      this.#failures++
    }
    if (offset > taken.lastOffset || taken.era !== this.cursor.offsets.era) return null
    return { offset, hasProgress: offset > taken.firstOffset }
  }

  /** How often the first message that is not processed has failed. */
  get failures(): number {
    return this.#failures
  }

  /** The next batch comes when the timer rings, unless the partition is drained before. */
  pauseWith(timer: Timer): void {
    this.#pause = timer
  }

  override drain(): void {
    this.#pause?.cancel()
    this.#pause = null
    this.cursor.waitsFor = null
    super.drain()
  }

  #store(batch: MessageBatch<K, V>): void {
    const { nextOffset } = batch
    // A handler that has ended may still be marking.
    if (this.isReleased || nextOffset === null || this.#open?.batch !== batch) return
    const { leaderEpoch, era } = this.#open.taken
    this.cursor.offsets.store(nextOffset, leaderEpoch, era)
  }

  /** What is being processed, for the next reader. */
  get unfinished(): { readonly offset: number; readonly taken: TakenBatch } | null {
    const open = this.#open
    return open === null ? null : { offset: open.batch?.progress ?? open.taken.firstOffset, taken: open.taken }
  }
}
