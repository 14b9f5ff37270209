/** How far a partition has been worked off while its messages are finished in any order. */
import { Ring } from '../../base/ring.ts'

/** One message that is being worked on. */
export interface Tracked {
  readonly offset: number
  readonly leaderEpoch: number
  isDone: boolean
}

/** Messages are added in the order of their offsets; what is before the lowest unfinished one counts as done. */
export class OffsetTracker {
  readonly #open = new Ring<Tracked>()
  #last = -1

  /** Messages that are not finished, or are behind one that is not. */
  get size(): number {
    return this.#open.length
  }

  /** The first that is not finished; -1 when there is none. */
  get lowest(): number {
    return this.#open.peek()?.offset ?? -1
  }

  add(offset: number, leaderEpoch: number): Tracked {
    // The program has gone back: what was read before that counts no more.
    if (offset <= this.#last) while (this.#open.shift() !== undefined);
    this.#last = offset
    const tracked = { offset, leaderEpoch, isDone: false }
    this.#open.push(tracked)
    return tracked
  }

  /** @returns the last message of those without an unfinished one before them; null when there is no progress */
  finish(tracked: Tracked): Tracked | null {
    tracked.isDone = true
    let last: Tracked | null = null
    for (let head = this.#open.peek(); head?.isDone === true; head = this.#open.peek()) {
      last = head
      this.#open.shift()
    }
    return last
  }
}
