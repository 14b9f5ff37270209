/** Works on many messages of a share group at once; their locks are renewed meanwhile. */
import { onAbort } from '../../base/abort.ts'
import { sleep, type Clock } from '../../base/clock.ts'
import { KafkaError } from '../../errors.ts'
import type { ShareOutcome, ShareRunOptions, ShareRunSettings } from './options.ts'
import { shareRunSettings } from './options.ts'
import { decodeLocked, type LockedMessage, type ShareMessage } from './message.ts'
import type { ShareReader } from './share-reader.ts'

export interface ShareRunHost<K, V> {
  readonly clock: Clock
  readonly reader: ShareReader<K, V>
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

export class ShareRun<K, V> {
  readonly #host: ShareRunHost<K, V>
  readonly #options: ShareRunOptions<K, V>
  readonly #settings: ShareRunSettings
  readonly #atWork = new Map<LockedMessage, AbortController>()
  readonly #over = new AbortController()
  #isStopping = false
  #failure: Error | null = null
  #idle: (() => void) | null = null

  /** @throws KafkaError ERR__INVALID_ARG */
  constructor(host: ShareRunHost<K, V>, options: ShareRunOptions<K, V>) {
    this.#host = host
    this.#options = options
    this.#settings = shareRunSettings(options)
  }

  /** Whether a handler has it: its lock is to be renewed. */
  isAtWork(message: LockedMessage): boolean {
    return this.#atWork.has(message)
  }

  /** No further messages, and those at work are waited for. */
  stop(): void {
    this.#isStopping = true
    this.#host.wake()
  }

  /** Resolves when nothing is at work any more, or `drainMs` are over. */
  async drained(): Promise<void> {
    if (this.#atWork.size === 0) return
    const { signal } = this.#over
    const idle = new Promise<void>(resolve => (this.#idle = resolve))
    await Promise.race([idle, sleep(this.#host.clock, this.#settings.drainMs, signal).catch(() => undefined)])
    this.#over.abort()
    for (const abort of this.#atWork.values()) abort.abort()
  }

  /** Until it is stopped or the consumer is closed; rejects with what `onError` throws, or a fatal error. */
  async run(): Promise<void> {
    const { reader } = this.#host
    const { signal } = this.#options
    const stop = (): void => this.stop()
    reader.acquire(this)
    this.#host.keep(this.#settings.concurrency)
    const stopListening = onAbort(signal, stop)
    if (signal?.aborted === true) stop()
    try {
      while (!this.#isStopping && !this.#host.isClosing()) {
        const message = this.#atWork.size < this.#settings.concurrency ? reader.takeNow() : null
        if (message !== null) void this.#work(message)
        else await this.#change()
      }
      await this.drained()
    } finally {
      stopListening()
      this.#host.keep(1)
      reader.release(this)
    }
    if (this.#failure !== null) throw this.#failure
  }

  async #change(): Promise<void> {
    try {
      await this.#host.reader.change()
    } catch (error) {
      // Nobody but this reader is told of what it would reject with.
      if (error instanceof KafkaError && !error.isFatal) this.#host.warn(error)
      else this.#fail(error)
    }
  }

  async #work(message: LockedMessage): Promise<void> {
    const abort = new AbortController()
    this.#atWork.set(message, abort)
    message.onLost = () => abort.abort()
    try {
      this.#host.acknowledge(message, await this.#outcome(message, abort.signal))
    } catch (error) {
      this.#host.acknowledge(message, 'release')
      this.#fail(error)
    } finally {
      message.onLost = null
      this.#atWork.delete(message)
      if (this.#atWork.size === 0) this.#idle?.()
      this.#host.wake()
    }
  }

  async #outcome(message: LockedMessage, signal: AbortSignal): Promise<ShareOutcome> {
    const { handler, onError } = this.#options
    const { decoding } = this.#host.reader
    let given: ShareMessage<unknown, unknown> = message
    try {
      if (decoding !== null) given = await decodeLocked(message, decoding)
      // The deserializers make K and V.
      return (await handler(given as ShareMessage<K, V>, { signal })) ?? 'accept'
    } catch (error) {
      return onError === undefined ? 'release' : await onError(error, given)
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error))
    this.stop()
  }
}
