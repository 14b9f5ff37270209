/** The average and the largest of values since they were last taken, for the metrics that brokers ask for (KIP-714). */
export class Averages {
  #count = 0
  #sum = 0
  #max = 0

  add(value: number): void {
    this.#count++
    this.#sum += value
    if (value > this.#max) this.#max = value
  }

  /** Those since the last call; starts again. All are 0 if there were none. */
  take(): Averaged {
    const taken = { count: this.#count, sum: this.#sum, max: this.#max }
    this.#count = this.#sum = this.#max = 0
    return taken
  }
}

/** What was taken. */
export interface Averaged {
  readonly count: number
  readonly sum: number
  readonly max: number
}

/** Of several together. */
export function together(all: readonly Averaged[]): Averaged {
  return {
    count: all.reduce((count, each) => count + each.count, 0),
    sum: all.reduce((sum, each) => sum + each.sum, 0),
    max: all.reduce((max, each) => Math.max(max, each.max), 0),
  }
}

export function average({ count, sum }: Averaged): number {
  return count === 0 ? 0 : sum / count
}
