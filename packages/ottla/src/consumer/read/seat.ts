/** One reader at a time: who has acquired the seat has all that comes, until it is left. */
import { ErrorCode } from '@ottla/protocol'
import { nextTurn } from '../../base/turn.ts'
import { KafkaError } from '../../errors.ts'
import type { Mailbox } from './mailbox.ts'

/**
 * Whoever has left takes nothing more, and its wait ends: what comes is the next reader's. So each looks after whatever
 * it has awaited whether it still has the seat.
 */
export class Seat {
  readonly #mailbox: Mailbox
  readonly #busy: () => KafkaError
  #holder: object | null = null
  #waiting = 0

  /** @param busy why another one cannot have it */
  constructor(mailbox: Mailbox, busy: () => KafkaError) {
    this.#mailbox = mailbox
    this.#busy = busy
  }

  get isTaken(): boolean {
    return this.#holder !== null
  }

  /** Whether a call is waiting right now. */
  get isWaitedIn(): boolean {
    return this.#waiting > 0
  }

  has(holder: object): boolean {
    return this.#holder === holder
  }

  /** From now until `leave`. Throws KafkaError ERR__STATE if another one has it. */
  acquire(holder: object): void {
    if (this.#holder !== null && this.#holder !== holder) throw this.#busy()
    this.#holder = holder
  }

  leave(holder: object): void {
    if (this.#holder !== holder) return
    this.#holder = null
    // It alone can be waiting.
    this.#mailbox.wake()
  }

  waitBegins(): void {
    this.#waiting++
  }

  waitEnds(): void {
    this.#waiting--
  }

  /** For a call of its own, which waits. To be called when the seat is free. */
  async alone<T>(work: (holder: object) => Promise<T>): Promise<T> {
    const holder = {}
    this.#holder = holder
    this.#waiting++
    try {
      return await work(holder)
    } finally {
      this.#waiting--
      this.leave(holder)
    }
  }

  /** Not at once: a program that tries again and again must not keep everything else from happening. */
  async refuse(closed: KafkaError | null): Promise<never> {
    const error = closed ?? this.#busy()
    await nextTurn()
    throw error
  }
}

/** @param what that another one of has the seat */
export function underWay(what: string): KafkaError {
  return new KafkaError(ErrorCode.ERR__STATE, `another ${what} is under way`)
}
