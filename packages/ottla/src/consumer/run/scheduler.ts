/** Works on many things at once, and on those of one lane one after the other. */

/** One thing to do. It must not reject. */
export type Work = () => Promise<void>

export class Scheduler {
  readonly #concurrency: number
  /** What waits behind the work of its lane; a lane is there while something of it is being done. */
  readonly #lanes = new Map<string, Work[]>()
  #ready: { readonly lane: string | null; readonly work: Work }[] = []
  #running = 0

  constructor(concurrency: number) {
    this.#concurrency = concurrency
  }

  /** @param lane - null: in no order with anything */
  add(lane: string | null, work: Work): void {
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

  #start(): void {
    while (this.#running < this.#concurrency) {
      const next = this.#ready.shift()
      if (next === undefined) return
      this.#running++
      void next.work().then(() => this.#ended(next.lane))
    }
  }

  #ended(lane: string | null): void {
    this.#running--
    if (lane !== null) {
      const work = this.#lanes.get(lane)?.shift()
      if (work === undefined) this.#lanes.delete(lane)
      else this.#ready.push({ lane, work })
    }
    this.#start()
  }
}
