/** `for await` over a consumer of either kind: when a loop ends, and how. */

export const done = { value: undefined, done: true } as const

/** One `next` at a time; the loop that leaves ends the one under way. */
export abstract class ReaderIterator<T> implements AsyncIterableIterator<T, undefined> {
  protected isEnded = false
  /** A `next` is under way. */
  protected isWaiting = false

  abstract next(): Promise<IteratorResult<T, undefined>>

  /** A `next` under way ends with it, and what it would have handed out is the next reader's. */
  return(): Promise<IteratorResult<T, undefined>> {
    this.end()
    return Promise.resolve(done)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** What `accept` makes of what `find` gives, at once; `atEnd` when that is nothing, or the loop has been left meanwhile. */
  protected async waitFor<F, R>(find: () => Promise<F | null>, accept: (found: F) => R, atEnd: R): Promise<R> {
    this.isWaiting = true
    try {
      const found = await find()
      if (found === null) this.end()
      return found === null || this.#isLeft() ? atEnd : accept(found)
    } catch (error) {
      if (this.#isLeft()) return atEnd
      this.onFailure()
      this.end()
      throw error
    } finally {
      this.onSettled()
      this.isWaiting = false
    }
  }

  /** Nothing is handed out any more. */
  protected end(): void {
    this.isEnded = true
    this.onEnd()
  }

  /** Others may read. */
  protected abstract onEnd(): void

  /** A message that cannot be handed out, as it cannot be deserialized, does not come again. */
  protected onFailure(): void {
    // Most have nothing to do.
  }

  /** The wait is over. */
  protected onSettled(): void {
    // As above.
  }

  // A method: the compiler takes a field for what it was before an `await`.
  #isLeft(): boolean {
    return this.isEnded
  }
}
