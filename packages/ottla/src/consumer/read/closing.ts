/** Closes a consumer of either kind: once, and in order as far as the timeout allows. */
import { ErrorCode } from '@ottla/protocol'
import { Deadline } from '../../base/clock.ts'
import { rejectLater } from '../../base/turn.ts'
import { messageOf } from '../../base/unknown-error.ts'
import { resolveWait, within } from '../../base/wait.ts'
import type { ClientContext } from '../../cluster/context.ts'
import { KafkaError } from '../../errors.ts'
import type { WaitOptions } from '../../types.ts'

export interface ClosingHost {
  /** Ends reading. */
  begin(): void
  /** Gives everything up in order. */
  leave(deadline: Deadline): Promise<void>
  /** The log line when `leave` has not finished. */
  readonly unfinished: string
  /** Stops everything and disconnects. */
  end(): Promise<void>
}

const DEFAULT_CLOSE_MS = 30_000

export class Closing {
  readonly #context: ClientContext
  readonly #host: ClosingHost
  #promise: Promise<void> | null = null
  #deadline: Deadline | null = null

  constructor(context: ClientContext, host: ClosingHost) {
    this.#context = context
    this.#host = host
  }

  /** `close` has been called. */
  get isBegun(): boolean {
    return this.#promise !== null
  }

  /** The deadline of `close`; null before it is called. */
  get deadline(): Deadline | null {
    return this.#deadline
  }

  /** The same promise for every call; it never rejects. */
  close(wait: WaitOptions | undefined): Promise<void> {
    if (this.#promise === null) {
      const { timeoutMs, signal } = resolveWait(wait, DEFAULT_CLOSE_MS)
      this.#deadline = Deadline.after(this.#context.clock, timeoutMs)
      this.#promise = this.#close(this.#deadline, signal)
    }
    return this.#promise
  }

  /** What calls of a closed consumer reject with. */
  error(): KafkaError {
    return new KafkaError(ErrorCode.ERR__STATE, `${this.#context.name} is closed`)
  }

  /** For calls with a promise. */
  refuse(): Promise<never> {
    return rejectLater(this.error())
  }

  async #close(deadline: Deadline, signal: AbortSignal | undefined): Promise<void> {
    const { clock, logger } = this.#context
    this.#host.begin()
    const late = (): KafkaError => new KafkaError(ErrorCode.ERR__TIMED_OUT, 'close timed out')
    try {
      await within(this.#host.leave(deadline), clock, deadline, late, signal)
    } catch (error) {
      logger.warning('CLOSE', `${this.#host.unfinished}: ${messageOf(error)}`)
    }
    await this.#host.end()
  }
}
