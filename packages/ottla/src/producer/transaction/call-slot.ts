/** One call of a transactional producer at a time; one that ran out of time goes on, and the next of its name waits for it. */
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
  readonly #trouble: () => KafkaError | null
  #call: Call | null = null

  /** @param trouble - why no broker answers, if that is known */
  constructor(clock: Clock, trouble: () => KafkaError | null = () => null) {
    this.#clock = clock
    this.#trouble = trouble
  }

  /**
   * Throws unless a call of this name may begin, or go on.
   * @throws KafkaError ERR__PREV_IN_PROGRESS (the same is waited for already), ERR__CONFLICT (another has not ended yet)
   */
  check(name: string): void {
    const call = this.#call
    if (call === null) return
    if (call.name === name) {
      if (!call.isAwaited) return
      throw new KafkaError(ErrorCode.ERR__PREV_IN_PROGRESS, `${name} is under way already`)
    }
    const what = call.isAwaited ? 'is under way' : 'has run out of time: call it again to learn how it ends'
    throw new KafkaError(ErrorCode.ERR__CONFLICT, `${name} is not possible: ${call.name} ${what}`, { retriable: false })
  }

  /**
   * Waits for what `start` begins, or for the call of that name that ran out of time.
   * Rejects with its error; ERR__TIMED_OUT (retriable: the same call waits on) or the signal's reason, it goes on then.
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

  /** Resolves when nothing is under way, however that ended. Rejects when that takes too long. */
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
      // There is nothing to be taken up again: the state says what has happened.
      if (!call.isAwaited && this.#call === call) this.#call = null
    })
    return call
  }

  #timedOut(name: string, { timeoutMs }: Wait): KafkaError {
    const trouble = this.#trouble()
    const why = trouble === null ? '' : `; last: ${trouble.message}`
    const message = `${name} has not ended within ${timeoutMs} ms; it goes on, and the same call waits for it again${why}`
    return new KafkaError(ErrorCode.ERR__TIMED_OUT, message, { retriable: true, cause: trouble })
  }
}
