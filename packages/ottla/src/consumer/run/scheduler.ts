/** Does many things at once: those of one lane one after the other, and first those of the least busy partition. */
import { bound } from '../../base/bound.ts'
import { Ring } from '../../base/ring.ts'

/** One thing to do. */
export interface Work<W> {
  /** Work of one lane keeps its order; null: no order. */
  readonly lane: string | null
  readonly partition: PartitionQueue<W>
  /** Its place among the work of the partition. */
  readonly number: number
}

/** The work of one partition, which takes turns with the others. */
export interface PartitionQueue<W> {
  /** Work that can be started. */
  readonly ready: Ring<W>
  /** How many are running. */
  busy: number
}

export class Scheduler<W extends Work<W>> {
  readonly #concurrency: number
  readonly #perform: (work: W) => Promise<'done' | 'again'>
  readonly #isPaused: (partition: W['partition']) => boolean
  /** Work that waits for its lane, if any. A lane exists while some of its work is running. */
  readonly #lanes = new Map<string, Ring<W> | null>()
  /** Partitions with something ready; each goes to the end after its turn. */
  readonly #ready = new Set<W['partition']>()
  /** As `start`, in the asynchronous context of the constructor instead of the caller's. */
  readonly startUnbound = bound((): void => this.start())
  #running = 0

  /**
   * @param perform must not reject; `again`: it could not be started, and stays the first of its lane
   * @param isPaused nothing of the partition is started; call `start` when that changes
   */
  constructor(
    concurrency: number,
    perform: (work: W) => Promise<'done' | 'again'>,
    isPaused: (partition: W['partition']) => boolean,
  ) {
    this.#concurrency = concurrency
    this.#perform = perform
    this.#isPaused = isPaused
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
    this.start()
  }

  /** Starts all work that can be started. */
  start(): void {
    while (this.#running < this.#concurrency) {
      const partition = this.#next()
      if (partition === null) return
      const work = partition.ready.shift() as W // #ready has no partition without any
      this.#ready.delete(partition)
      if (partition.ready.length > 0) this.#ready.add(partition)
      this.#running++
      partition.busy++
      void this.#perform(work).then(result => this.#ended(work, result))
    }
  }

  /** The partition whose turn it is. */
  #next(): W['partition'] | null {
    let chosen: W['partition'] | null = null
    for (const partition of this.#ready) {
      if ((chosen !== null && partition.busy >= chosen.busy) || this.#isPaused(partition)) continue
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
    this.start()
  }
}

/** Puts back what could not be started, in the order of its number. */
function putBack<W extends Work<W>>(ready: Ring<W>, work: W): void {
  const before: W[] = []
  for (let first = ready.peek(); first !== undefined && first.number < work.number; first = ready.peek()) {
    before.push(first)
    ready.shift()
  }
  ready.unshift(work)
  for (let first = before.pop(); first !== undefined; first = before.pop()) ready.unshift(first)
}
