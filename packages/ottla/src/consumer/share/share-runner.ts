/** Works on many messages of a share group at once; their locks are renewed meanwhile. */
import { ErrorCode } from '@ottla/protocol'
import { onAbort } from '../../base/abort.ts'
import { sleep, type Clock } from '../../base/clock.ts'
import { KafkaError } from '../../errors.ts'
import type { AtWork } from '../read/at-work.ts'
import type { JobHolder } from '../read/jobs.ts'
import { STOP, takeAll } from '../read/take-all.ts'
import { atMost } from '../run/at-most.ts'
import { limited } from '../run/attempts.ts'
import { asError } from '../run/failure.ts'
import { decodeLocked, type LockedMessage, type ShareMessage } from './message.ts'
import type { ShareOutcome, ShareRunOptions, ShareRunSettings } from './options.ts'
import { shareRunSettings } from './options.ts'
import type { ShareReader } from './share-reader.ts'

export interface ShareRunnerHost<K, V> {
  readonly clock: Clock
  readonly reader: ShareReader<K, V>
  readonly atWork: AtWork
  /** What is left of the time for closing the consumer, for handlers; Infinity while it is not being closed. */
  closingMs(): number
  isClosing(): boolean
  /** Has the reader look again. */
  wake(): void
  /** So many messages are to be at hand. */
  keep(count: number): void
  /** An error that the client goes on from by itself. */
  warn(error: KafkaError): void
  /** Unless it has been said already, or the lock was lost. */
  acknowledge(message: LockedMessage, outcome: ShareOutcome): void
}

/** How long a handler that has closed the consumer is waited for after that. */
const LAST_WORDS_MS = 1000

/** A message that a handler has. */
interface Given extends JobHolder {
  readonly abort: AbortController
}

export class ShareRunner<K, V> {
  readonly #host: ShareRunnerHost<K, V>
  readonly #options: ShareRunOptions<K, V>
  readonly #settings: ShareRunSettings
  readonly #given = new Map<LockedMessage, Given>()
  readonly #over = new AbortController()
  #isStopping = false
  #failure: Error | null = null
  #idle: (() => void)[] = []

  /** @throws KafkaError ERR__INVALID_ARG */
  constructor(host: ShareRunnerHost<K, V>, options: ShareRunOptions<K, V>) {
    this.#host = host
    this.#options = options
    this.#settings = shareRunSettings(options)
  }

  /** Whether a handler has it: its lock is to be renewed. */
  isAtWork(message: LockedMessage): boolean {
    return this.#given.has(message)
  }

  /** No further messages, and those at work are waited for. */
  stop(): void {
    this.#isStopping = true
    this.#host.wake()
  }

  /** What handlers have for too long is for others, and what becomes of it here counts no more. */
  giveUp(limitMs: number): void {
    const late = new Set(this.#host.atWork.longerThan(limitMs))
    for (const [message, { job, abort }] of this.#given) {
      if (job === null || !late.has(job)) continue
      this.#host.acknowledge(message, 'release')
      abort.abort()
    }
  }

  /** Resolves when nothing is at work any more but what waits for just that, or `drainMs` are over. */
  async drained(): Promise<void> {
    if (this.#isIdle) return
    const { signal } = this.#over
    const ms = Math.min(this.#settings.drainMs, this.#host.closingMs())
    const idle = new Promise<void>(resolve => this.#idle.push(resolve))
    await Promise.race([idle, sleep(this.#host.clock, ms, signal).catch(() => undefined)])
    this.#over.abort()
    for (const { abort } of this.#given.values()) abort.abort()
  }

  get #isIdle(): boolean {
    for (const { job } of this.#given.values()) if (job?.isEnding !== true) return false
    return true
  }

  #look(): void {
    if (this.#isIdle) for (const resolve of this.#idle.splice(0)) resolve()
  }

  /** Until it is stopped or the consumer is closed; rejects with what `onError` throws, or a fatal error. */
  async run(): Promise<void> {
    const { reader, atWork, clock } = this.#host
    const { signal } = this.#options
    const stop = (): void => this.stop()
    reader.acquire(this)
    this.#host.keep(this.#settings.concurrency)
    const stopListening = onAbort(signal, stop)
    if (signal?.aborted === true) stop()
    try {
      await this.#takeAll()
      await this.drained()
      await atMost(clock, Math.min(this.#settings.drainMs, LAST_WORDS_MS), atWork.askersEnd())
    } finally {
      stopListening()
      this.#host.keep(1)
      atWork.clear()
      reader.release(this)
    }
    if (this.#failure !== null) throw this.#failure
  }

  async #takeAll(): Promise<void> {
    const { reader, atWork } = this.#host
    const take = (): LockedMessage | typeof STOP | null => {
      if (this.#isStopping || this.#host.isClosing()) return STOP
      // While something takes too long, the program is as one that does not poll.
      const isFree = this.#given.size < this.#settings.concurrency && !atWork.isStuck
      return isFree ? reader.takeNow() : null
    }
    try {
      await takeAll(
        reader,
        this,
        take,
        message => void this.#work(message),
        error => this.#host.warn(error),
      )
    } catch (error) {
      this.#fail(error)
    }
  }

  async #work(message: LockedMessage): Promise<void> {
    let outcome: ShareOutcome = 'release'
    const given: Given = {
      abort: new AbortController(),
      job: null,
      onEnding: () => this.#look(),
      onDone: () => this.#host.acknowledge(message, outcome),
    }
    this.#given.set(message, given)
    message.onLost = () => given.abort.abort()
    const work = async (): Promise<void> => {
      outcome = await this.#outcome(message, given.abort)
    }
    try {
      await this.#host.atWork.perform(given, message.source, message.offset, work, true)
    } catch (error) {
      this.#host.acknowledge(message, 'release')
      this.#fail(error)
    } finally {
      message.onLost = null
      this.#given.delete(message)
      this.#look()
      this.#host.wake()
    }
  }

  async #outcome(message: LockedMessage, abort: AbortController): Promise<ShareOutcome> {
    const { handler, onError } = this.#options
    const { handlerTimeoutMs } = this.#settings
    const { reader, clock } = this.#host
    const { decoding } = reader
    const { signal } = abort
    let given: ShareMessage<unknown, unknown> = message
    try {
      if (decoding !== null) given = await decodeLocked(message, decoding)
      // The deserializers make K and V.
      const work = handler(given as ShareMessage<K, V>, { signal })
      if (handlerTimeoutMs === undefined) return (await work) ?? 'accept'
      const late = (): Error => {
        const why = `the handler of ${message.source.name} at offset ${message.offset} took longer`
        const error = new KafkaError(ErrorCode.ERR__TIMED_OUT, `${why} than handlerTimeoutMs=${handlerTimeoutMs}`)
        abort.abort(error)
        return error
      }
      return (await limited(clock, work, handlerTimeoutMs, late)) ?? 'accept'
    } catch (error) {
      return onError === undefined ? 'release' : await onError(error, given)
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= asError(error, 'onError of the run')
    this.stop()
  }
}
