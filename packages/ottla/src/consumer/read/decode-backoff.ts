/** Messages that cannot be deserialized for a reason that passes: their partition backs off, others go on. */
import { backoffMs } from '../../base/backoff.ts'
import type { Clock, Timer } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { KafkaError } from '../../errors.ts'
import type { FetchQueue } from '../fetch/fetch-queue.ts'
import type { Cursor } from '../partition/cursor.ts'

/** The least backoff of a partition whose messages cannot be deserialized now, ms; and the most. */
const FIRST_MS = 100
const LONGEST_MS = 5000

/** @param failures how often in a row it has failed, from 1 @returns milliseconds */
export function decodeBackoffMs(failures: number, random: Random): number {
  return backoffMs(failures, FIRST_MS, LONGEST_MS, random)
}

export interface DecodeBackoffHost {
  readonly clock: Clock
  readonly random: Random
  /** Logs an error that the client recovers from. */
  warn(error: KafkaError): void
}

/** For readers that take from the fetch queue; runs and streams of partitions wait by themselves. */
export class DecodeBackoff {
  readonly #host: DecodeBackoffHost
  readonly #queue: FetchQueue
  /** How often in a row the next message of a partition has failed. */
  readonly #failures = new WeakMap<Cursor, number>()
  readonly #timers = new Map<Cursor, Timer>()

  constructor(host: DecodeBackoffHost, queue: FetchQueue) {
    this.#host = host
    this.#queue = queue
  }

  /** The next message of the partition, which the queue gets back, comes after a while. */
  postpone(cursor: Cursor, why: KafkaError): void {
    const { clock, random } = this.#host
    const isFirst = cursor.waitsFor === null
    if (isFirst) this.#host.warn(why)
    const failures = isFirst ? 1 : (this.#failures.get(cursor) ?? 0) + 1
    this.#failures.set(cursor, failures)
    cursor.waitsFor = why
    this.#queue.postpone(cursor)
    this.#timers.get(cursor)?.cancel()
    const over = (): void => {
      this.#timers.delete(cursor)
      this.#queue.bringBack(cursor)
    }
    this.#timers.set(cursor, clock.setTimer(decodeBackoffMs(failures, random), over))
  }

  /** Its message has been deserialized, or never will be. */
  ended(cursor: Cursor): void {
    cursor.waitsFor = null
  }

  close(): void {
    for (const timer of this.#timers.values()) timer.cancel()
    this.#timers.clear()
  }
}
