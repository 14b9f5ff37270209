/** A member that has left because the program takes too long: it joins again when that is over, inside a poll. */
import { sleep, type Clock } from '../../base/clock.ts'
import type { AtWork } from '../read/at-work.ts'

/** What is left to be done before the group is left is not waited for any longer, ms. */
const PARTING_MS = 5000

export class Parking {
  readonly #clock: Clock
  readonly #atWork: AtWork
  #isParked = false
  /** While what is to be done before is waited for. */
  #parting: AbortController | null = null
  /** What the member wants to do when the program is back. */
  #join: (() => void) | null = null

  constructor(clock: Clock, atWork: AtWork) {
    this.#clock = clock
    this.#atWork = atWork
  }

  get isParked(): boolean {
    return this.#isParked
  }

  /**
   * @param prepare what is to be done before
   * @param leave what is done then, at the latest after some seconds
   */
  async park(prepare: () => Promise<void>, leave: () => void): Promise<void> {
    if (this.#parting !== null) return
    this.#isParked = true
    const over = (this.#parting = new AbortController())
    // Whatever it is that fails: the others are waiting.
    const prepared = prepare().catch(() => undefined)
    await Promise.race([prepared, sleep(this.#clock, PARTING_MS, over.signal).catch(() => undefined)])
    over.abort()
    if (this.#parting !== over) return
    this.#parting = null
    leave()
  }

  /** Without anything to be done before. */
  parkNow(leave: () => void): void {
    this.#isParked = true
    leave()
  }

  /** The program polls: a run does so all the time, and is back only when nothing of it takes too long. */
  polled(): void {
    if (!this.#atWork.isStuck) this.#isParked = false
  }

  /** @returns false: it has to wait, and `onEnded` tells for how long */
  mayJoin(join: () => void): boolean {
    if (!this.#atWork.isStuck) return true
    this.#join = join
    return false
  }

  /** Something has ended. @returns what the member has wanted to do; null when there is nothing, or it has to wait */
  onEnded(): (() => void) | null {
    if (!this.#isParked || this.#parting !== null || this.#atWork.isStuck) return null
    const join = this.#join
    this.#join = null
    if (join === null) this.#isParked = false
    return join
  }

  /** There is no subscription any more: nobody joins, and whoever was about to leave has left otherwise. */
  forget(): void {
    this.#join = null
    this.#parting?.abort()
    this.#parting = null
  }
}
