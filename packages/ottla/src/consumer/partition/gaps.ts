/** Offsets that reading has passed without a message: markers, aborted and compacted messages. For the lag only. */

/** A partition that is read for long without a commit must not fill the memory. */
const MOST = 1000

export class Gaps {
  readonly #from: number[] = []
  readonly #to: number[] = []

  /** In ascending order; a gap that follows the last one extends it. */
  add(from: number, to: number): void {
    const last = this.#to.length - 1
    if (last >= 0 && from <= (this.#to[last] ?? 0)) {
      if (to > (this.#to[last] ?? 0)) this.#to[last] = to
      return
    }
    this.#from.push(from)
    this.#to.push(to)
    if (this.#to.length > MOST) this.#drop(MOST / 2)
  }

  /** Those before an offset are of no more interest. */
  forgetBefore(offset: number): void {
    let over = 0
    while (over < this.#to.length && (this.#to[over] ?? 0) <= offset) over++
    if (over > 0) this.#drop(over)
  }

  clear(): void {
    this.#drop(this.#to.length)
  }

  /** How many offsets of them are from `start` on and before `end`. */
  between(start: number, end: number): number {
    let count = 0
    for (let i = 0; i < this.#to.length; i++) {
      count += Math.max(0, Math.min(end, this.#to[i] ?? 0) - Math.max(start, this.#from[i] ?? 0))
    }
    return count
  }

  #drop(count: number): void {
    this.#from.splice(0, count)
    this.#to.splice(0, count)
  }
}
