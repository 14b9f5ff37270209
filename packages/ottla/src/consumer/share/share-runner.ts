/** Processes many messages of a share group at once; their locks are renewed meanwhile. */
import { ErrorCode } from '@ottla/protocol'
import { onAbort } from '../../base/abort.ts'
import { sleep, type Clock } from '../../base/clock.ts'
import { KafkaError } from '../../errors.ts'
import type { ChannelClient } from '../../observe/channel-payloads.ts'
import type { RunningJobs } from '../read/running-jobs.ts'
import type { JobHolder } from '../read/job-list.ts'
import { isTransient, type Decoding } from '../read/decoding.ts'
import { STOP, takeAll } from '../read/take-all.ts'
import { atMost } from '../run/at-most.ts'
import { limited } from '../run/attempts.ts'
import { asError } from '../run/failure.ts'
import { tracedMessage } from '../run/process-traces.ts'
import { decodeLocked, type LockedMessage, type ShareMessage } from './message.ts'
import type { ShareOutcome, ShareRunOptions, ShareRunSettings } from './options.ts'
import { shareRunSettings } from './options.ts'
import type { ShareReader } from './share-reader.ts'

export interface ShareRunnerHost<K, V> {
  readonly client: ChannelClient
  readonly clock: Clock
  readonly reader: ShareReader<K, V>
  readonly runningJobs: RunningJobs
  /** How much of the time for closing the consumer is left for handlers; Infinity while it is not being closed. */
  closingMs(): number
  isClosing(): boolean
  /** Has the reader look again. */
  wake(): void
  /** Keeps at least so many messages at hand. */
  keepAtLeast(count: number): void
  /** Logs an error that the client recovers from. */
  warn(error: KafkaError): void
  /** Unless it has been acknowledged already, or the lock was lost. */
  acknowledge(message: LockedMessage, outcome: ShareOutcome): void
}

/** How long the end of the run waits for handlers that have themselves awaited it. */
const AWAITERS_MS = 1000

/** A message that a handler has. */
interface RunningHandler extends JobHolder {
  readonly abort: AbortController
}

export class ShareRunner<K, V> {
  readonly #host: ShareRunnerHost<K, V>
  readonly #options: ShareRunOptions<K, V>
  readonly #settings: ShareRunSettings
  readonly #running = new Map<LockedMessage, RunningHandler>()
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

  /** Whether a handler has it, so that its lock must be renewed. */
  isProcessing(message: LockedMessage): boolean {
    return this.#running.has(message)
  }

  /** Takes no further messages; `run` waits for the running handlers. */
  stop(): void {
    this.#isStopping = true
    this.#host.wake()
  }

  /** Releases what handlers have had for too long; their outcome no longer counts. */
  giveUp(limitMs: number): void {
    const late = new Set(this.#host.runningJobs.longerThan(limitMs))
    for (const [message, { job, abort }] of this.#running) {
      if (job === null || !late.has(job)) continue
      this.#host.acknowledge(message, 'release')
      abort.abort()
    }
  }

  /** Resolves when no handler is running but those that themselves wait for this, or after `drainMs`. */
  async drained(): Promise<void> {
    if (this.#isIdle) return
    const { signal } = this.#over
    const ms = Math.min(this.#settings.drainMs, this.#host.closingMs())
    const idle = new Promise<void>(resolve => this.#idle.push(resolve))
    await Promise.race([idle, sleep(this.#host.clock, ms, signal).catch(() => undefined)])
    this.#over.abort()
    for (const { abort } of this.#running.values()) abort.abort()
  }

  get #isIdle(): boolean {
    for (const { job } of this.#running.values()) if (job?.awaitsEnd !== true) return false
    return true
  }

  #checkIdle(): void {
    if (this.#isIdle) for (const resolve of this.#idle.splice(0)) resolve()
  }

  /** Runs until it is stopped or the consumer is closed; rejects with what `onError` throws, or a fatal error. */
  async run(): Promise<void> {
    const { reader, runningJobs, clock } = this.#host
    const { signal } = this.#options
    const stop = (): void => this.stop()
    reader.acquire(this)
    this.#host.keepAtLeast(this.#settings.concurrency)
    const stopListening = onAbort(signal, stop)
    if (signal?.aborted === true) stop()
    try {
      await this.#takeAll()
      await this.drained()
      await atMost(clock, Math.min(this.#settings.drainMs, AWAITERS_MS), runningJobs.awaitersEnd())
    } finally {
      stopListening()
      this.#host.keepAtLeast(1)
      runningJobs.clear()
      reader.release(this)
    }
    if (this.#failure !== null) throw this.#failure
  }

  async #takeAll(): Promise<void> {
    const { reader, runningJobs } = this.#host
    const take = (): LockedMessage | typeof STOP | null => {
      if (this.#isStopping || this.#host.isClosing()) return STOP
      // A handler that takes too long counts as not polling.
      const isFree = this.#running.size < this.#settings.concurrency && !runningJobs.isStuck
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
    let outcome: ShareOutcome | KafkaError = 'release'
    const running: RunningHandler = {
      abort: new AbortController(),
      job: null,
      onAwaitsEnd: () => this.#checkIdle(),
      onDone: () => {
        if (typeof outcome === 'string') this.#host.acknowledge(message, outcome)
        else this.#host.reader.backoff.postpone(message, outcome)
      },
    }
    this.#running.set(message, running)
    message.onLost = () => running.abort.abort()
    const work = async (): Promise<void> => {
      outcome = await this.#outcome(message, running.abort)
    }
    try {
      await this.#host.runningJobs.perform(running, message.source, message.offset, work, true)
    } catch (error) {
      this.#host.acknowledge(message, 'release')
      this.#fail(error)
    } finally {
      message.onLost = null
      this.#running.delete(message)
      this.#checkIdle()
      this.#host.wake()
    }
  }

  /** @returns an error if the message cannot be deserialized yet: it comes again */
  async #outcome(message: LockedMessage, abort: AbortController): Promise<ShareOutcome | KafkaError> {
    const { handler, onError } = this.#options
    const { handlerTimeoutMs } = this.#settings
    const { client, reader, clock } = this.#host
    const { decoding } = reader
    const { signal } = abort
    let given: ShareMessage<unknown, unknown> = message
    try {
      if (decoding !== null) {
        const decoded = await this.#decoded(message, decoding)
        if (decoded instanceof KafkaError) return decoded
        given = decoded
      }
      // The deserializers make K and V.
      const work = (): ReturnType<typeof handler> => handler(given as ShareMessage<K, V>, { signal })
      const { deliveryCount } = message
      if (handlerTimeoutMs === undefined) return outcomeOf(await tracedMessage(client, given, deliveryCount, work)())
      const late = (): Error => {
        const why = `the handler of ${message.source.name} at offset ${message.offset} took longer`
        const error = new KafkaError(ErrorCode.ERR__TIMED_OUT, `${why} than handlerTimeoutMs=${handlerTimeoutMs}`)
        abort.abort(error)
        return error
      }
      const limitedWork = (): Promise<ShareOutcome | void> => limited(clock, work(), handlerTimeoutMs, late)
      return outcomeOf(await tracedMessage(client, given, deliveryCount, limitedWork)())
    } catch (error) {
      return onError === undefined ? 'release' : await onError(error, given)
    }
  }

  async #decoded(message: LockedMessage, decoding: Decoding): Promise<ShareMessage<unknown, unknown> | KafkaError> {
    const { backoff } = this.#host.reader
    try {
      const given = await decodeLocked(message, decoding)
      backoff.ended(message)
      return given
    } catch (error) {
      if (isTransient(error)) return error
      backoff.ended(message)
      throw error
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= asError(error, 'the onError of run')
    this.stop()
  }
}

/** A handler may return what another function has returned: no outcome, and nothing to tell the broker. */
function outcomeOf(result: ShareOutcome | void): ShareOutcome {
  return result === 'release' || result === 'reject' ? result : 'accept'
}
