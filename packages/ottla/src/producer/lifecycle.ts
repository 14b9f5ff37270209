/** Whether a producer still accepts messages. */
import { ErrorCode } from '@ottla/protocol'
import { KafkaError } from '../errors.ts'

export type LifecycleState = 'open' | 'closing' | 'closed'

const moves: Record<LifecycleState, readonly LifecycleState[]> = { open: ['closing'], closing: ['closed'], closed: [] }

/** The states of a producer, and its fatal error. */
export class Lifecycle {
  readonly #name: string
  #state: LifecycleState = 'open'
  /** Whether messages are accepted. @internal a plain field: it is read for every message */
  isOpen = true
  #fatal: KafkaError | null = null
  #restriction: string | null = null
  #acceptsPending = false

  /** @param name - the client's name, for errors */
  constructor(name: string) {
    this.#name = name
  }

  get state(): LifecycleState {
    return this.#state
  }

  get fatal(): KafkaError | null {
    return this.#fatal
  }

  enter(next: LifecycleState): void {
    if (!moves[this.#state].includes(next)) throw new Error(`producer ${this.#state} -> ${next} is not a legal move`)
    this.#state = next
    this.isOpen = false
  }

  /**
   * Keeps the first fatal error.
   * @returns whether it is the first
   */
  kill(code: number, message: string): boolean {
    if (this.#fatal !== null) return false
    this.isOpen = false
    this.#fatal = new KafkaError(code, message, { fatal: true, retriable: false })
    return true
  }

  /** Whether messages that were being serialized when `isOpen` ended are still accepted. */
  get acceptsPending(): boolean {
    return this.isOpen || (this.#acceptsPending && this.#state === 'open' && this.#fatal === null)
  }

  /**
   * Sets why messages are not accepted at present (transactions); null to accept them.
   * @param acceptsPending - messages that are being serialized are still accepted
   */
  restrict(reason: string | null, acceptsPending: boolean): void {
    this.#restriction = reason
    this.#acceptsPending = acceptsPending
    this.isOpen = this.#state === 'open' && this.#fatal === null && reason === null
  }

  /** Why nothing can be produced. */
  refusal(): KafkaError {
    const fatal = this.#fatal
    if (this.#state !== 'open') return this.closedError()
    if (fatal === null) {
      const why = this.#restriction
      return why === null ? this.closedError() : new KafkaError(ErrorCode.ERR__STATE, `${this.#name}: ${why}`)
    }
    const text = `${this.#name} had a fatal error: ${fatal.name}: ${fatal.message}`
    return new KafkaError(ErrorCode.ERR__FATAL, text, { fatal: true, retriable: false, cause: fatal })
  }

  closedError(): KafkaError {
    return new KafkaError(
      ErrorCode.ERR__STATE,
      `${this.#name} is ${this.#state === 'closing' ? 'being closed' : 'closed'}`,
    )
  }
}
