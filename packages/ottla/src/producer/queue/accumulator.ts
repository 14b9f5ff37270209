/** How many messages a producer has, and who waits for room (`queue.buffering.max.messages`, `.kbytes`). */
import { onAbort } from '../../base/abort.ts'
import { abortReason } from '../../base/clock.ts'
import { Ring } from '../../base/ring.ts'
import { toError } from '../../base/unknown-error.ts'

interface Waiter {
  readonly bytes: number
  readonly enter: () => void
  readonly fail: (error: Error) => void
  isGone: boolean
}

/** Counts messages up to their report. */
export class Accumulator {
  readonly #maxMessages: number
  readonly #maxBytes: number
  readonly #waiters = new Ring<Waiter>()
  readonly #onEmpty = new Set<() => void>()
  #pending = 0
  /** Those of `#waiters` that have not gone. */
  #waiting = 0
  /** Messages that take up room: accepted, and no outcome yet. */
  messages = 0
  /** Messages that have an outcome, while they are being reported. */
  reporting = 0
  /** Bytes of their records. */
  bytes = 0

  /**
   * @param maxMessages - 0 for no limit
   * @param maxBytes - of all records together
   */
  constructor(maxMessages: number, maxBytes: number) {
    this.#maxMessages = maxMessages === 0 ? Infinity : maxMessages
    this.#maxBytes = maxBytes
  }

  /**
   * Whether one more message of that size fits. An empty queue takes any size; otherwise a large one would never be
   * sent.
   */
  hasRoom(bytes: number): boolean {
    return this.messages < this.#maxMessages && (this.bytes + bytes <= this.#maxBytes || this.messages === 0)
  }

  /** Messages that were accepted and whose report has not been given. */
  get unreported(): number {
    return this.messages + this.reporting
  }

  /** The same, with those that wait for room and those that are being serialized. */
  get unfinished(): number {
    return this.messages + this.reporting + this.#waiting + this.#pending
  }

  /** Counts a message that is being serialized (asynchronous serializers) until `endPending`; it may wait for room then. */
  beginPending(): void {
    this.#pending++
  }

  /** The message was accepted or refused. */
  endPending(): void {
    this.#pending--
    this.checkEmpty()
  }

  /** The limits, for errors. */
  get limits(): string {
    const count = this.#maxMessages === Infinity ? 'any number of' : this.#maxMessages
    return `${count} messages, ${Math.floor(this.#maxBytes / 1024)} KiB`
  }

  add(messages: number, bytes: number): void {
    this.messages += messages
    this.bytes += bytes
  }

  /** Messages have an outcome: lets in waiting ones, in order. */
  release(messages: number, bytes: number): void {
    this.messages -= messages
    this.bytes -= bytes
    this.#letIn()
  }

  /** Call this after reports have been given: calls the listeners of `whenEmpty` after the last one. */
  checkEmpty(): void {
    if (this.#onEmpty.size === 0 || this.unfinished > 0) return
    const listeners = [...this.#onEmpty]
    this.#onEmpty.clear()
    for (const listener of listeners) listener()
  }

  /**
   * Calls `listener` once, after the last message has been reported.
   * @returns a function that ends the wait
   */
  whenEmpty(listener: () => void): () => void {
    this.#onEmpty.add(listener)
    return () => void this.#onEmpty.delete(listener)
  }

  /**
   * Calls `enter`, in turn, as soon as there is room; `enter` must add its message at once.
   * Rejects with the signal's reason if it aborts before, or with the error of `failAll`.
   */
  waitForRoom<T>(bytes: number, enter: () => T, signal: AbortSignal | undefined): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(abortReason(signal))
        return
      }
      this.#waiting++
      const leave = (): void => {
        waiter.isGone = true
        this.#waiting--
        stopListening()
      }
      const stopListening = onAbort(signal, () => {
        leave()
        // Only called if there is a signal.
        reject(abortReason(signal as AbortSignal))
        this.#letIn()
      })
      const waiter: Waiter = {
        bytes,
        isGone: false,
        enter: () => {
          leave()
          try {
            resolve(enter())
          } catch (error) {
            reject(toError(error))
          }
        },
        fail: error => {
          leave()
          reject(error)
        },
      }
      this.#waiters.push(waiter)
      this.#letIn()
    })
  }

  /** Whether anybody waits for room: new messages have to queue behind. */
  get hasWaiters(): boolean {
    return this.#waiters.length > 0
  }

  /** Rejects everyone who waits for room. */
  failAll(error: Error): void {
    for (let waiter = this.#waiters.shift(); waiter !== undefined; waiter = this.#waiters.shift()) {
      if (!waiter.isGone) waiter.fail(error)
    }
  }

  #letIn(): void {
    for (let waiter = this.#waiters.peek(); waiter !== undefined; waiter = this.#waiters.peek()) {
      if (!waiter.isGone && !this.hasRoom(waiter.bytes)) return
      this.#waiters.shift()
      if (!waiter.isGone) waiter.enter()
    }
  }
}
