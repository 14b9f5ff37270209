/** `for await` over a consumer of either kind: when and how a loop ends. */
import type { ConsumerIterator } from '../../types.ts'

export const done = { value: undefined, done: true } as const

/** One `next` at a time; leaving the loop ends a pending one. */
export abstract class ReaderIterator<T> implements ConsumerIterator<T> {
  protected isEnded = false
  /** A `next` is pending. */
  protected isWaiting = false

  abstract next(): Promise<IteratorResult<T, undefined>>

  /** Ends a pending `next`; the next reader gets what that would have delivered. */
  return(): Promise<IteratorResult<T, undefined>> {
    this.end()
    return Promise.resolve(done)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** Passes what `find` finds to `accept`; `atEnd` when that is nothing, or the loop has been left meanwhile. */
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

  /** Delivers nothing more. */
  protected end(): void {
    this.isEnded = true
    this.onEnd()
  }

  /** Lets others read. */
  protected abstract onEnd(): void

  /** A message that cannot be deserialized does not come again. */
  protected onFailure(): void {
    // Most have nothing to do.
  }

  /** The wait is over. */
  protected onSettled(): void {
    // As above.
  }

  // A method: the compiler assumes that a field keeps its value over an `await`.
  #isLeft(): boolean {
    return this.isEnded
  }
}
