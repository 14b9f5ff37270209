/** Works on many things at once, and on those of one lane one after the other. */

/** One thing to do. It must not reject. */
export type Work = () => Promise<void>

export class Scheduler {
  readonly #concurrency: number
  readonly #mostWaiting: number
  readonly #onRoom: () => void
  /** What waits behind the work of its lane; a lane is there while something of it is being done. */
  readonly #lanes = new Map<string, Work[]>()
  #ready: { readonly lane: string | null; readonly work: Work }[] = []
  #running = 0
  #waiting = 0
  #idle: (() => void)[] = []

  /**
   * @param mostWaiting - beyond it `isFull`
   * @param onRoom - something has ended while it was
   */
  constructor(concurrency: number, mostWaiting: number, onRoom: () => void) {
    this.#concurrency = concurrency
    this.#mostWaiting = mostWaiting
    this.#onRoom = onRoom
  }

  get isFull(): boolean {
    return this.#waiting + this.#running >= this.#concurrency + this.#mostWaiting
  }

  /** @param lane - null: in no order with anything */
  add(lane: string | null, work: Work): void {
    this.#waiting++
    if (lane !== null) {
      const behind = this.#lanes.get(lane)
      if (behind !== undefined) {
        behind.push(work)
        return
      }
      this.#lanes.set(lane, [])
    }
    this.#ready.push({ lane, work })
    this.#start()
  }

  /** Resolves when nothing is being done or waits. */
  async idle(): Promise<void> {
    if (this.#running + this.#waiting === 0) return
    await new Promise<void>(resolve => this.#idle.push(resolve))
  }

  #start(): void {
    while (this.#running < this.#concurrency) {
      const next = this.#ready.shift()
      if (next === undefined) return
      this.#waiting--
      this.#running++
      void next.work().then(() => this.#ended(next.lane))
    }
  }

  #ended(lane: string | null): void {
    const wasFull = this.isFull
    this.#running--
    if (lane !== null) {
      const work = this.#lanes.get(lane)?.shift()
      if (work === undefined) this.#lanes.delete(lane)
      else this.#ready.push({ lane, work })
    }
    this.#start()
    if (wasFull) this.#onRoom()
    if (this.#running + this.#waiting > 0) return
    for (const resolve of this.#idle.splice(0)) resolve()
  }
}
