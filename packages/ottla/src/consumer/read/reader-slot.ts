/** One reader at a time: the holder of the slot gets everything that comes until it releases it. */
import { ErrorCode } from '@ottla/protocol'
import { rejectLater } from '../../base/turn.ts'
import { KafkaError } from '../../errors.ts'
import type { Mailbox } from './mailbox.ts'

/**
 * A reader that has left takes nothing more and stops waiting; the next reader gets whatever arrives. So after every
 * `await` a reader checks that it still has the slot.
 */
export class ReaderSlot {
  readonly #mailbox: Mailbox
  readonly #busy: () => KafkaError
  #holder: object | null = null
  #waiting = 0

  /** @param busy the error for a second reader */
  constructor(mailbox: Mailbox, busy: () => KafkaError) {
    this.#mailbox = mailbox
    this.#busy = busy
  }

  get isTaken(): boolean {
    return this.#holder !== null
  }

  /** Whether a call is waiting right now. */
  get isWaiting(): boolean {
    return this.#waiting > 0
  }

  has(holder: object): boolean {
    return this.#holder === holder
  }

  /** Takes the slot until `release`. Throws KafkaError ERR__STATE if another reader has it. */
  acquire(holder: object): void {
    if (this.#holder !== null && this.#holder !== holder) throw this.#busy()
    this.#holder = holder
  }

  release(holder: object): void {
    if (this.#holder !== holder) return
    this.#holder = null
    // Nobody else can be waiting.
    this.#mailbox.wake()
  }

  waitBegins(): void {
    this.#waiting++
  }

  waitEnds(): void {
    this.#waiting--
  }

  /** Runs a single call that waits. Only when the slot is free. */
  async exclusively<T>(work: (holder: object) => Promise<T>): Promise<T> {
    const holder = {}
    this.#holder = holder
    this.#waiting++
    try {
      return await work(holder)
    } finally {
      this.#waiting--
      this.release(holder)
    }
  }

  refuse(closed: KafkaError | null): Promise<never> {
    return rejectLater(closed ?? this.#busy())
  }
}

/** @param what the kind of call that has the slot */
export function underWay(what: string): KafkaError {
  return new KafkaError(ErrorCode.ERR__STATE, `another ${what} is under way`)
}
