/** Works on many messages at once, keeps the order that was asked for, and stores the lowest finished offset. */
import { backoffMs } from '../../base/backoff.ts'
import { sleep, type Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import { KafkaError } from '../../errors.ts'
import type { Message } from '../../types.ts'
import type { Cursor } from '../cursor.ts'
import { decodeMessage, type FetchedMessage } from '../message.ts'
import type { Poller } from '../poller.ts'
import { putAside } from './dead-letter.ts'
import { OffsetTracker, type Tracked } from './offset-tracker.ts'
import { runSettings, type RunOptions, type RunSettings } from './options.ts'
import { Scheduler } from './scheduler.ts'

/** What the runner needs of its consumer. */
export interface RunnerHost<K, V> {
  readonly clock: Clock
  readonly random: Random
  readonly poller: Poller<K, V>
  /** Has the reader look again. */
  wake(): void
  /** Called before partitions are given up, and awaited; null ends it. */
  beforeRelease(hook: ((cursors: readonly Cursor[], lost: boolean) => Promise<void>) | null): void
  /** Commits what is stored, if the consumer commits by itself. */
  commitStored(): Promise<void>
}

/** Messages that wait for a handler, for each that may be at work. */
const WAITING_PER_HANDLER = 10
const LEAST_WAITING = 100

const STOP = Symbol('stop')

/** What is being worked on of one partition. */
class Share {
  readonly tracker = new OffsetTracker()
  readonly abort = new AbortController()
  /** Nothing more is begun. */
  isDraining = false
  /** What is finished from now on counts no more. */
  isGone = false
  running = 0
  #idle: (() => void)[] = []

  ended(): void {
    this.running--
    if (this.running === 0) for (const resolve of this.#idle.splice(0)) resolve()
  }

  async idle(): Promise<void> {
    if (this.running > 0) await new Promise<void>(resolve => this.#idle.push(resolve))
  }
}

export class Runner<K, V> {
  readonly #host: RunnerHost<K, V>
  readonly #options: RunOptions<K, V>
  readonly #settings: RunSettings
  readonly #scheduler: Scheduler
  readonly #shares = new Map<Cursor, Share>()
  #isStopping = false
  #failure: Error | null = null

  /** @throws KafkaError ERR__INVALID_ARG */
  constructor(host: RunnerHost<K, V>, options: RunOptions<K, V>) {
    this.#host = host
    this.#options = options
    this.#settings = runSettings(options)
    const { concurrency } = this.#settings
    const mostWaiting = Math.max(LEAST_WAITING, concurrency * WAITING_PER_HANDLER)
    this.#scheduler = new Scheduler(concurrency, mostWaiting, () => host.wake())
  }

  /** Until it is stopped or the consumer is closed; rejects with what a message could not be worked on for. */
  async run(): Promise<void> {
    const { poller } = this.#host
    const { signal } = this.#options
    const stop = (): void => this.#stop()
    poller.acquire(this)
    this.#host.beforeRelease((cursors, lost) => this.#release(cursors, lost))
    signal?.addEventListener('abort', stop)
    if (signal?.aborted === true) this.#stop()
    try {
      await this.#takeAll()
      await this.#release([...this.#shares.keys()], false)
      await this.#host.commitStored()
    } finally {
      signal?.removeEventListener('abort', stop)
      this.#host.beforeRelease(null)
      poller.release(this)
    }
    if (this.#failure !== null) throw this.#failure
  }

  async #takeAll(): Promise<void> {
    const { poller } = this.#host
    const take = (): FetchedMessage | typeof STOP | null => {
      if (this.#isStopping) return STOP
      return this.#scheduler.isFull ? null : poller.takeNow()
    }
    for (;;) {
      try {
        const taken = take() ?? (await poller.awaitNext(take))
        if (taken === null || taken === STOP) return
        this.#begin(taken)
      } catch (error) {
        // The client goes on by itself after everything else, and has told of it.
        if (!(error instanceof KafkaError) || error.isFatal) this.#fail(error)
      }
    }
  }

  #begin(message: FetchedMessage): void {
    const { cursor, offset, leaderEpoch } = message
    let share = this.#shares.get(cursor)
    if (share === undefined) this.#shares.set(cursor, (share = new Share()))
    const tracked = share.tracker.add(offset, leaderEpoch)
    const of = share
    this.#scheduler.add(this.#laneOf(message), () => this.#work(of, message, tracked))
  }

  #laneOf({ cursor, key }: FetchedMessage): string | null {
    switch (this.#settings.order) {
      case 'partition':
        return cursor.name
      case 'key':
        return key === null ? null : `${cursor.name} ${key.toString('latin1')}`
      case 'none':
        return null
      default:
        return this.#settings.order satisfies never
    }
  }

  async #work(share: Share, message: FetchedMessage, tracked: Tracked): Promise<void> {
    if (share.isDraining || this.#isStopping) return
    share.running++
    try {
      await this.#handle(share, message)
      if (share.isGone) return
      const last = share.tracker.finish(tracked)
      if (last !== null) message.cursor.offsets.store(last.offset + 1, last.leaderEpoch)
    } catch (error) {
      if (!share.isGone) this.#fail(error)
    } finally {
      share.ended()
    }
  }

  async #handle(share: Share, message: FetchedMessage): Promise<void> {
    const { handler, deadLetter } = this.#options
    const { retries, backoffMs: first, backoffMaxMs } = this.#settings
    const { poller, clock, random } = this.#host
    const { signal } = share.abort
    let attempt = 1
    let why: unknown
    try {
      const { decoding } = poller
      const given = decoding === null ? message : await decodeMessage(message, decoding)
      for (; ; attempt++) {
        try {
          await handler(given as Message<K, V>, { attempt, signal }) // the deserializers make K and V
          return
        } catch (error) {
          if (attempt > retries || signal.aborted || this.#isStopping) throw error
          await sleep(clock, backoffMs(attempt, first, backoffMaxMs, random), signal)
        }
      }
    } catch (error) {
      why = error
    }
    // Not tried to the end: whoever has the partition next begins anew.
    if (deadLetter === undefined || signal.aborted) throw why
    await putAside(message, why, attempt, deadLetter)
  }

  /** Waits for what is at work on partitions that are given up; what only waits is left to their next owner. */
  async #release(cursors: readonly Cursor[], lost: boolean): Promise<void> {
    const shares = cursors.flatMap(cursor => this.#shares.get(cursor) ?? [])
    for (const share of shares) share.isDraining = true
    if (!lost) {
      const over = new AbortController()
      const time = sleep(this.#host.clock, this.#settings.drainMs, over.signal).catch(() => undefined)
      await Promise.race([Promise.all(shares.map(share => share.idle())), time])
      over.abort()
    }
    for (const share of shares) {
      share.isGone = true
      share.abort.abort()
    }
    for (const cursor of cursors) this.#shares.delete(cursor)
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error))
    this.#stop()
  }

  #stop(): void {
    this.#isStopping = true
    this.#host.wake()
  }
}
