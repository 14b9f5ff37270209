/**
 * One call of a transactional producer at a time. One that times out carries on, and the next of its name waits for it.
 */
import { Deadline, type Clock } from '../../base/clock.ts'
import { within, type Wait } from '../../base/wait.ts'
import { ErrorCode, KafkaError } from '../../errors.ts'

interface Call {
  readonly name: string
  readonly end: Promise<void>
  isAwaited: boolean
  hasFailed: boolean
}

export class CallSlot {
  readonly #clock: Clock
  readonly #connectionError: () => KafkaError | null
  #call: Call | null = null

  /** @param connectionError - why no broker answers, if known */
  constructor(clock: Clock, connectionError: () => KafkaError | null = () => null) {
    this.#clock = clock
    this.#connectionError = connectionError
  }

  /**
   * Checks that a call of this name may begin, or be resumed.
   * @throws KafkaError ERR__PREV_IN_PROGRESS (the same call is in progress), ERR__CONFLICT (another one is)
   */
  check(name: string): void {
    const call = this.#call
    if (call === null) return
    if (call.name === name) {
      if (!call.isAwaited) return
      throw new KafkaError(ErrorCode.ERR__PREV_IN_PROGRESS, `${name} is already in progress`)
    }
    const what = call.isAwaited ? 'is in progress' : 'timed out: call it again for its outcome'
    throw new KafkaError(ErrorCode.ERR__CONFLICT, `${name} is not possible: ${call.name} ${what}`, { retriable: false })
  }

  /**
   * Waits for the call that `start` begins, or for the one of that name that timed out.
   * Rejects with its error. With ERR__TIMED_OUT (retriable: the same call resumes the wait) or the signal's reason, the
   * call carries on.
   */
  async run(name: string, wait: Wait, start: () => Promise<void>): Promise<void> {
    this.check(name)
    const call = this.#call?.name === name ? this.#call : this.#begin(name, start())
    call.isAwaited = true
    try {
      const deadline = Deadline.after(this.#clock, wait.timeoutMs)
      await within(call.end, this.#clock, deadline, () => this.#timedOut(name, wait), wait.signal)
    } catch (error) {
      call.isAwaited = false
      if (call.hasFailed) this.#call = null
      throw error
    }
    this.#call = null
  }

  /** Resolves when no call is in progress, whatever its outcome. Rejects if that takes too long. */
  async idle(wait: Wait): Promise<void> {
    const call = this.#call
    if (call === null) return
    const end = call.end.catch(() => undefined)
    const deadline = Deadline.after(this.#clock, wait.timeoutMs)
    await within(end, this.#clock, deadline, () => this.#timedOut(call.name, wait), wait.signal)
  }

  #begin(name: string, end: Promise<void>): Call {
    const call: Call = { name, end, isAwaited: true, hasFailed: false }
    this.#call = call
    end.catch(() => {
      call.hasFailed = true
      // There is nothing to resume: the state says what has happened.
      if (!call.isAwaited && this.#call === call) this.#call = null
    })
    return call
  }

  #timedOut(name: string, { timeoutMs }: Wait): KafkaError {
    const cause = this.#connectionError()
    const why = cause === null ? '' : `; last error: ${cause.message}`
    const message = `${name} did not end within ${timeoutMs} ms; it carries on, and the same call waits for it again${why}`
    return new KafkaError(ErrorCode.ERR__TIMED_OUT, message, { retriable: true, cause })
  }
}
