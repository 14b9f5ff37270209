/** How far a partition has been worked off while its messages are finished in any order. */
import type { RecordBatch } from '@ottla/protocol'
import { Ring } from '../../base/ring.ts'

/** One message that is being worked on. */
export interface Tracked {
  readonly offset: number
  readonly leaderEpoch: number
  /** Of the cursor when it was handed out. */
  readonly era: number
  isDone: boolean
  /** That it was in; null when it is done. */
  batch: RecordBatch | null
}

/** Messages are added in the order of their offsets; what is before the lowest unfinished one counts as done. */
export class OffsetTracker {
  readonly #open = new Ring<Tracked>()
  #era = 0

  /** Messages that are not finished, or are behind one that is not. */
  get size(): number {
    return this.#open.length
  }

  /** The first that is not finished; undefined when there is none. */
  get lowest(): Tracked | undefined {
    return this.#open.peek()
  }

  /** Those that unfinished ones were in. */
  get batches(): RecordBatch[] {
    const found: RecordBatch[] = []
    for (let i = 0; i < this.#open.length; i++) {
      const batch = this.#open.peek(i)?.batch ?? null
      if (batch !== null && batch !== found.at(-1)) found.push(batch)
    }
    return found
  }

  add(offset: number, leaderEpoch: number, era: number, batch: RecordBatch | null = null): Tracked {
    // The position has moved: what was read before that counts no more.
    if (era !== this.#era) while (this.#open.shift() !== undefined);
    this.#era = era
    const tracked = { offset, leaderEpoch, era, isDone: false, batch }
    this.#open.push(tracked)
    return tracked
  }

  /** @returns the last message of those without an unfinished one before them; null when there is no progress */
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
