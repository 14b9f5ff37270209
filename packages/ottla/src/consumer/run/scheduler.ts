/** Works on many things at once, on those of one lane one after the other, and first on those of the least busy partition. */
import { bound } from '../../base/bound.ts'
import { Ring } from '../../base/ring.ts'

/** One thing to do. */
export interface Work<W> {
  /** Null: in no order with anything. */
  readonly lane: string | null
  readonly partition: Turn<W>
  /** Its place among those of the partition. */
  readonly number: number
}

/** What belongs together, and takes its turn with the others. */
export interface Turn<W> {
  /** What can be begun of it. */
  readonly ready: Ring<W>
  /** How many are being done. */
  busy: number
}

export class Scheduler<W extends Work<W>> {
  readonly #concurrency: number
  readonly #perform: (work: W) => Promise<'done' | 'again'>
  readonly #isStill: (partition: W['partition']) => boolean
  /** What waits behind the work of its lane, if anything does; a lane is there while something of it is being done. */
  readonly #lanes = new Map<string, Ring<W> | null>()
  /** Those that have something ready; each goes to the end with its turn. */
  readonly #ready = new Set<W['partition']>()
  /** As `look`, in the asynchronous context of the constructor: whoever calls it is not whom the work is done for. */
  readonly lookFromElsewhere = bound((): void => this.look())
  #running = 0

  /**
   * @param perform must not reject; `again`: it could not be begun, and stays the first of its lane
   * @param isStill nothing of the partition is begun; `look` when that has changed
   */
  constructor(
    concurrency: number,
    perform: (work: W) => Promise<'done' | 'again'>,
    isStill: (partition: W['partition']) => boolean,
  ) {
    this.#concurrency = concurrency
    this.#perform = perform
    this.#isStill = isStill
  }

  add(work: W): void {
    const { lane } = work
    if (lane !== null) {
      const behind = this.#lanes.get(lane)
      if (behind === undefined) this.#lanes.set(lane, null)
      else {
        if (behind === null) this.#wait(lane, work)
        else behind.push(work)
        return
      }
    }
    this.#makeReady(work)
    this.look()
  }

  /** Begins what can be begun. */
  look(): void {
    while (this.#running < this.#concurrency) {
      const partition = this.#next()
      if (partition === null) return
      const work = partition.ready.shift() as W // it is there while it has something
      this.#ready.delete(partition)
      if (partition.ready.length > 0) this.#ready.add(partition)
      this.#running++
      partition.busy++
      void this.#perform(work).then(result => this.#ended(work, result))
    }
  }

  /** Whose turn it is. */
  #next(): W['partition'] | null {
    let chosen: W['partition'] | null = null
    for (const partition of this.#ready) {
      if ((chosen !== null && partition.busy >= chosen.busy) || this.#isStill(partition)) continue
      chosen = partition
      if (partition.busy === 0) break
    }
    return chosen
  }

  #wait(lane: string, work: W): void {
    const behind = new Ring<W>()
    behind.push(work)
    this.#lanes.set(lane, behind)
  }

  #makeReady(work: W): void {
    work.partition.ready.push(work)
    this.#ready.add(work.partition)
  }

  #ended(work: W, result: 'done' | 'again'): void {
    const { lane, partition } = work
    this.#running--
    partition.busy--
    if (result === 'again') {
      putBack(partition.ready, work)
      this.#ready.add(partition)
    } else if (lane !== null) {
      const next = this.#lanes.get(lane)?.shift()
      if (next === undefined) this.#lanes.delete(lane)
      else this.#makeReady(next)
    }
    this.look()
  }
}

/** What could not be begun goes behind those before it that could not either. */
function putBack<W extends Work<W>>(ready: Ring<W>, work: W): void {
  const before: W[] = []
  for (let first = ready.peek(); first !== undefined && first.number < work.number; first = ready.peek()) {
    before.push(first)
    ready.shift()
  }
  ready.unshift(work)
  for (let first = before.pop(); first !== undefined; first = before.pop()) ready.unshift(first)
}
