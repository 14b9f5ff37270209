/** Works on many things at once, on those of one lane one after the other, and first on those of the least busy group. */
import { Ring } from '../../base/ring.ts'

/** One thing to do. It must not reject. `again`: it could not be begun, and stays the first of its lane. */
export type Work = () => Promise<'done' | 'again'>

interface Task {
  readonly lane: string | null
  readonly work: Work
}

export class Scheduler<G> {
  readonly #concurrency: number
  readonly #isStill: (group: G) => boolean
  /** What waits behind the work of its lane; a lane is there while something of it is being done. */
  readonly #lanes = new Map<string, Ring<Work>>()
  /** What can be begun; a group is there while it has something, and goes to the end with each turn. */
  readonly #ready = new Map<G, Ring<Task>>()
  /** How many of each group are being done; of the others none. */
  readonly #busy = new Map<G, number>()
  #running = 0

  /** @param isStill nothing of the group is begun; `look` when that has changed */
  constructor(concurrency: number, isStill: (group: G) => boolean) {
    this.#concurrency = concurrency
    this.#isStill = isStill
  }

  /** @param lane - null: in no order with anything */
  add(group: G, lane: string | null, work: Work): void {
    if (lane !== null) {
      const behind = this.#lanes.get(lane)
      if (behind !== undefined) {
        behind.push(work)
        return
      }
      this.#lanes.set(lane, new Ring())
    }
    this.#readyOf(group).push({ lane, work })
    this.look()
  }

  /** Begins what can be begun. */
  look(): void {
    while (this.#running < this.#concurrency) {
      const begun = this.#begin()
      if (!begun) return
    }
  }

  #begin(): boolean {
    let least = Infinity
    let chosen: { readonly group: G; readonly ready: Ring<Task> } | null = null
    for (const [group, ready] of this.#ready) {
      const busy = this.#busy.get(group) ?? 0
      if (busy >= least || this.#isStill(group)) continue
      least = busy
      chosen = { group, ready }
      if (busy === 0) break
    }
    if (chosen === null) return false
    const { group, ready } = chosen
    const task = ready.shift() as Task // a group is there while it has something
    this.#ready.delete(group)
    if (ready.length > 0) this.#ready.set(group, ready)
    this.#running++
    this.#busy.set(group, least + 1)
    void task.work().then(result => this.#ended(group, task, result))
    return true
  }

  #readyOf(group: G): Ring<Task> {
    let ready = this.#ready.get(group)
    if (ready === undefined) this.#ready.set(group, (ready = new Ring()))
    return ready
  }

  #ended(group: G, task: Task, result: 'done' | 'again'): void {
    const { lane } = task
    this.#running--
    const busy = this.#busy.get(group) ?? 0
    if (busy > 1) this.#busy.set(group, busy - 1)
    else this.#busy.delete(group)
    if (result === 'again') this.#readyOf(group).unshift(task)
    else if (lane !== null) {
      const work = this.#lanes.get(lane)?.shift()
      if (work === undefined) this.#lanes.delete(lane)
      else this.#readyOf(group).push({ lane, work })
    }
    this.look()
  }
}
