/** One partition of a run: whether handlers may still be started, and which of them are running. */
import type { Cursor } from '../partition/cursor.ts'
import type { JobHolder } from '../read/job-list.ts'

export class PartitionRun {
  readonly cursor: Cursor
  /** Nothing more is started, and nothing retried. */
  isDraining = false
  /** What finishes from now on no longer counts. */
  isReleased = false
  isHeld = false
  /** Handlers that are running, or wait for their next attempt. */
  running = 0
  readonly #draining = new AbortController()
  readonly #over = new AbortController()
  /** Running ones that wait, or have waited, for the others to end. */
  readonly #ending = new Set<JobHolder>()
  #idle: (() => void)[] = []
  readonly #attempts = new Set<AbortController>()

  constructor(cursor: Cursor) {
    this.cursor = cursor
  }

  /** Aborted when nothing is retried any more. */
  get draining(): AbortSignal {
    return this.#draining.signal
  }

  /** Aborted when there is no point in carrying on. */
  get over(): AbortSignal {
    return this.#over.signal
  }

  begun(): void {
    this.running++
  }

  ended(holder: JobHolder): void {
    this.running--
    if (this.#ending.size > 0) this.#ending.delete(holder)
    this.#checkIdle()
  }

  awaitsEnd(holder: JobHolder): void {
    this.#ending.add(holder)
    this.#checkIdle()
  }

  /** A signal for one attempt, aborted as `over` is. */
  beginAttempt(): AbortController {
    const one = new AbortController()
    if (this.isReleased) one.abort()
    else this.#attempts.add(one)
    return one
  }

  endAttempt(one: AbortController): void {
    this.#attempts.delete(one)
  }

  drain(): void {
    this.isDraining = true
    this.#draining.abort()
  }

  end(): void {
    this.isReleased = true
    this.#over.abort()
    for (const one of this.#attempts) one.abort()
    this.#attempts.clear()
  }

  /** Resolves when no handler is running but those that themselves wait for this. */
  async idle(): Promise<void> {
    if (!this.#isIdle) await new Promise<void>(resolve => this.#idle.push(resolve))
  }

  #checkIdle(): void {
    if (this.#idle.length > 0 && this.#isIdle) for (const resolve of this.#idle.splice(0)) resolve()
  }

  get #isIdle(): boolean {
    let running = this.running
    for (const { job } of this.#ending) if (job?.awaitsEnd === true) running--
    return running === 0
  }
}
