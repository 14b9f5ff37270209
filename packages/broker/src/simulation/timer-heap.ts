/** Timers in the order in which they are due. */

export interface Due {
  readonly at: number
  /** Of two that are due at the same time, the one that was set first comes first. */
  readonly order: number
  /** Null once it was called or cancelled. */
  callback: (() => void) | null
}

/** A binary heap. */
export class TimerHeap {
  readonly #heap: Due[] = []

  get first(): Due | undefined {
    return this.#heap[0]
  }

  /** Timers that wait to be called. */
  get waiting(): number {
    let count = 0
    for (const due of this.#heap) if (due.callback !== null) count++
    return count
  }

  push(due: Due): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(due)
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent] as Due // inside the heap
      if (!isBefore(due, above)) break
      heap[at] = above
      at = parent
    }
    heap[at] = due
  }

  /** Removes the first. */
  shift(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Due, heap[child] as Due)) child++ // both inside
      const below = heap[child] as Due // inside the heap
      if (!isBefore(below, last)) break
      heap[at] = below
      at = child
    }
    heap[at] = last
  }
}

function isBefore(a: Due, b: Due): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}
