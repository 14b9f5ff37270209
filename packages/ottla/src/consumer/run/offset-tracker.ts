/** How far a partition is processed when its messages finish in any order. */
import type { RecordBatch } from '@ottla/protocol'
import { Ring } from '../../base/ring.ts'

/** One message in progress. */
export interface Tracked {
  readonly offset: number
  readonly leaderEpoch: number
  /** The cursor's era when it was delivered. */
  readonly era: number
  isDone: boolean
  /** The batch that it came in; null once it is done. */
  batch: RecordBatch | null
}

/** Messages are added in offset order; everything before the lowest unfinished one is done. */
export class OffsetTracker {
  readonly #open = new Ring<Tracked>()
  #era = 0

  /** Messages that are unfinished, or behind an unfinished one. */
  get size(): number {
    return this.#open.length
  }

  /** The first unfinished message; undefined when there is none. */
  get lowest(): Tracked | undefined {
    return this.#open.peek()
  }

  /** The batches that unfinished messages came in. */
  get batches(): RecordBatch[] {
    const found: RecordBatch[] = []
    for (let i = 0; i < this.#open.length; i++) {
      const batch = this.#open.peek(i)?.batch ?? null
      if (batch !== null && batch !== found.at(-1)) found.push(batch)
    }
    return found
  }

  add(offset: number, leaderEpoch: number, era: number, batch: RecordBatch | null = null): Tracked {
    // The position has moved: what was read before no longer counts.
    if (era !== this.#era) while (this.#open.shift() !== undefined);
    this.#era = era
    const tracked = { offset, leaderEpoch, era, isDone: false, batch }
    this.#open.push(tracked)
    return tracked
  }

  /** @returns the last message with no unfinished one before it; null when that has not moved on */
  finish(tracked: Tracked): Tracked | null {
    tracked.isDone = true
    tracked.batch = null
    let last: Tracked | null = null
    for (let head = this.#open.peek(); head?.isDone === true; head = this.#open.peek()) {
      last = head
      this.#open.shift()
    }
    return last
  }
}
