/** Producers with acks=all that wait until the in-sync replicas have what they wrote. */
import { ErrorCode } from '@ottla/protocol'
import type { Clock } from '../base/clock.ts'

interface Waiting {
  readonly endOffset: number
  readonly settle: (errorCode: number) => void
}

export class Acknowledgements {
  readonly #clock: Clock
  readonly #waiting = new Set<Waiting>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Resolves with 0 or an error code. @param signal aborted when nobody waits any more */
  wait(endOffset: number, timeoutMs: number, signal: AbortSignal | null): Promise<number> {
    return new Promise(resolve => {
      const settle = (errorCode: number): void => {
        timer.cancel()
        signal?.removeEventListener('abort', abandon)
        this.#waiting.delete(waiting)
        resolve(errorCode)
      }
      const abandon = (): void => settle(ErrorCode.ERR_REQUEST_TIMED_OUT)
      const waiting = { endOffset, settle }
      const timer = this.#clock.setTimer(Math.max(0, timeoutMs), abandon)
      signal?.addEventListener('abort', abandon)
      this.#waiting.add(waiting)
    })
  }

  /** The in-sync replicas have all records before an offset. @param errorCode 0, or that they are too few */
  reached(endOffset: number, errorCode: number): void {
    if (this.#waiting.size === 0) return
    for (const waiting of [...this.#waiting]) if (waiting.endOffset <= endOffset) waiting.settle(errorCode)
  }

  /** The log ends here now: ends the waiting for what is lost. */
  cut(endOffset: number, errorCode: number): void {
    for (const waiting of [...this.#waiting]) if (waiting.endOffset > endOffset) waiting.settle(errorCode)
  }

  /** Ends all waiting. */
  fail(errorCode: number): void {
    this.cut(-1, errorCode)
  }
}
