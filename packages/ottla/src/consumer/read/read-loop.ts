/** Waits for what comes next: rebalances first, then events, then messages. Shared by both kinds of consumers. */
import { Deadline, type Clock } from '../../base/clock.ts'
import type { KafkaError } from '../../errors.ts'
import type { IdleTime } from '../../observe/statistics/pushed.ts'
import type { AnyEvent, Mailbox } from './mailbox.ts'
import { rejects } from './reader-errors.ts'
import type { ReaderSlot } from './reader-slot.ts'
import type { LoopYield } from './loop-yield.ts'
import type { RunningJobs } from './running-jobs.ts'

export interface ReadLoopHost {
  isClosing(): boolean
  /** Rebalance callbacks wait to be run. */
  hasCallbacks(): boolean
  /** Runs them, one after the other. */
  runCallbacks(): Promise<void>
  readonly runningJobs: RunningJobs
  readonly idle: IdleTime
}

/** The decoder, which may be deserializing. */
interface Deserializing {
  /** Whether `waitBriefly` should come before any other wait. */
  readonly isFresh: boolean
  waitBriefly(): Promise<void>
}

export class ReadLoop {
  readonly #clock: Clock
  readonly #mailbox: Mailbox
  readonly #loopYield: LoopYield
  readonly #slot: ReaderSlot
  readonly #host: ReadLoopHost
  readonly #decoder: Deserializing | null

  constructor(
    clock: Clock,
    mailbox: Mailbox,
    loopYield: LoopYield,
    slot: ReaderSlot,
    host: ReadLoopHost,
    decoder: Deserializing | null,
  ) {
    this.#clock = clock
    this.#mailbox = mailbox
    this.#loopYield = loopYield
    this.#slot = slot
    this.#host = host
    this.#decoder = decoder
  }

  /** Something comes before the next message. */
  get isInterrupted(): boolean {
    return this.#mailbox.attention || this.#loopYield.isDue
  }

  /**
   * For a single call: the next event, or what `give` returns; null at the deadline, or when the consumer is closed
   * meanwhile. Rejects with the signal's reason.
   * @param endsWithFatal - rejects with a fatal error that an earlier call has had, rather than wait for nothing
   */
  async next<T>(
    holder: object,
    give: () => T | null,
    deadline: Deadline,
    signal: AbortSignal | undefined,
    endsWithFatal: boolean,
  ): Promise<AnyEvent | T | null> {
    signal?.throwIfAborted()
    let turned = false
    for (;;) {
      if (this.#host.isClosing()) return null
      const event = await this.#attend(holder)
      if (event !== null) return event
      // Closed meanwhile: nothing would wake it any more.
      if (this.#host.isClosing()) return null
      const given = give()
      if (given !== null) return given
      if (this.isInterrupted) continue
      if (endsWithFatal && this.#mailbox.fatal !== null) await this.#failAgain(this.#mailbox.fatal)
      if (this.#decoder?.isFresh === true) {
        await this.#decoder.waitBriefly()
      } else if (!deadline.expired) {
        await this.#rest(deadline.left(), signal)
        turned = true
      } else if (!turned) {
        // Polling without a timeout must not keep data from arriving.
        await this.#loopYield.yield()
        turned = true
      } else {
        return null
      }
    }
  }

  /**
   * For the holder of the slot: waits until `take` returns something; null when the consumer is closed, or the holder
   * has left. Rejects with the errors that `rejects` names.
   */
  async awaitNext<T>(holder: object, take: () => T | null): Promise<T | null> {
    this.#slot.waitBegins()
    try {
      while (this.#isThere(holder)) {
        const event = await this.#attend(holder)
        if (event?.type === 'error' && rejects(event.error)) {
          await this.#loopYield.yield()
          if (this.#slot.has(holder)) throw event.error
          this.#mailbox.post(event)
        }
        // It may have been closed, or left, meanwhile: nothing would wake it any more.
        if (event !== null || !this.#isThere(holder)) continue
        const taken = take()
        if (taken !== null) return taken
        if (this.isInterrupted) continue
        if (this.#mailbox.fatal !== null) await this.#failAgain(this.#mailbox.fatal)
        if (this.#decoder?.isFresh === true) await this.#decoder.waitBriefly()
        else await this.#rest(Infinity, undefined)
      }
      return null
    } finally {
      this.#slot.waitEnds()
    }
  }

  /** For the holder of the slot: waits `ms`, or until it leaves, `enough` is true or anything but a message comes. */
  async linger(holder: object, ms: number, enough: () => boolean): Promise<void> {
    const deadline = Deadline.after(this.#clock, ms)
    while (!this.#mailbox.attention && this.#isThere(holder) && !deadline.expired && !enough()) {
      await this.#mailbox.wait(deadline.left(), undefined)
    }
  }

  /** Waits for a wake-up; unless the application is processing messages meanwhile, it is idle. */
  #rest(ms: number, signal: AbortSignal | undefined): Promise<void> {
    const { idle, runningJobs } = this.#host
    if (runningJobs.oldestSince === Infinity) idle.begin(this.#clock.now())
    return this.#mailbox.wait(ms, signal, this.#rested)
  }

  readonly #rested = (): void => this.#host.idle.end(this.#clock.now())

  /** Rebalances first, then events. */
  async #attend(holder: object): Promise<AnyEvent | null> {
    if (this.#loopYield.isDue) await this.#loopYield.yield()
    if (!this.#mailbox.attention) return null
    if (this.#host.hasCallbacks()) await this.#host.runCallbacks()
    // The holder may have left meanwhile: the event is for the next reader.
    if (!this.#slot.has(holder)) return null
    const event = this.#mailbox.take() ?? null
    if (!this.#host.hasCallbacks() && this.#mailbox.isEmpty) this.#mailbox.attention = false
    return event
  }

  // Without messages to come, waiting would never end.
  async #failAgain(fatal: KafkaError): Promise<never> {
    await this.#loopYield.yield()
    throw fatal
  }

  #isThere(holder: object): boolean {
    return this.#slot.has(holder) && !this.#host.isClosing()
  }
}
