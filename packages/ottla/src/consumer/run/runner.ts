/** Works on many messages at once, keeps the order that was asked for, and stores the lowest finished offset. */
import { onAbort } from '../../base/abort.ts'
import { backoffMs } from '../../base/backoff.ts'
import { sleep, type Clock, type Timer } from '../../base/clock.ts'
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
  /** Commits what is stored of these partitions. */
  commit(cursors?: readonly Cursor[]): Promise<void>
  /** `enable.auto.commit`: at intervals, and when partitions are given up. */
  readonly commitsItself: boolean
  readonly commitIntervalMs: number
  /** `max.poll.interval.ms`: the others wait no longer. */
  readonly longestDrainMs: number
  /** Of messages that wait for a handler. */
  readonly mostBytes: number
  /** Hands out nothing of a partition until `goOn`. */
  hold(cursor: Cursor): void
  goOn(cursor: Cursor): void
  /** Whoever reads next begins at this offset, unless that is where reading goes on anyway, or the era is over. */
  goBack(cursor: Cursor, offset: number, era: number): void
  /** An error that the client goes on from by itself. */
  warn(error: KafkaError): void
}

/** Messages of one partition that may wait for a handler, for each handler: a slow one holds up its own partition only. */
const WAITING_PER_HANDLER = 2
const LEAST_WAITING = 50

const STOP = Symbol('stop')

/** What is being worked on of one partition. */
class Share {
  readonly tracker = new OffsetTracker()
  /** It is of no more use to go on. */
  readonly over = new AbortController()
  /** Nothing more is begun, and nothing tried again. */
  readonly draining = new AbortController()
  /** Messages that are at work or wait. */
  pending = 0
  isHeld = false
  running = 0
  #idle: (() => void)[] = []

  get isDraining(): boolean {
    return this.draining.signal.aborted
  }

  /** What is finished from now on counts no more. */
  get isGone(): boolean {
    return this.over.signal.aborted
  }

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
  readonly #mostPending: number
  #bytes = 0
  #timer: Timer | null = null
  #isStopping = false
  #failure: Error | null = null

  /** @throws KafkaError ERR__INVALID_ARG */
  constructor(host: RunnerHost<K, V>, options: RunOptions<K, V>) {
    this.#host = host
    this.#options = options
    this.#settings = runSettings(options)
    const { concurrency } = this.#settings
    this.#mostPending = concurrency + Math.max(LEAST_WAITING, concurrency * WAITING_PER_HANDLER)
    this.#scheduler = new Scheduler(concurrency)
  }

  /** Until it is stopped or the consumer is closed; rejects with what a message could not be worked on for. */
  async run(): Promise<void> {
    const { poller } = this.#host
    const { signal } = this.#options
    const stop = (): void => this.#stop()
    poller.acquire(this)
    this.#host.beforeRelease((cursors, lost) => this.#release(cursors, lost))
    const stopListening = onAbort(signal, stop)
    if (signal?.aborted === true) this.#stop()
    this.#commitLater()
    try {
      await this.#takeAll()
      const shares = new Map(this.#shares)
      const cursors = [...shares.keys()]
      await this.#release(cursors, false)
      if (this.#host.commitsItself) await this.#host.commit(cursors)
      for (const [cursor, share] of shares) this.#handBack(cursor, share)
    } finally {
      this.#timer?.cancel()
      stopListening()
      this.#host.beforeRelease(null)
      poller.release(this)
    }
    if (this.#failure !== null) throw this.#failure
  }

  async #takeAll(): Promise<void> {
    const { poller } = this.#host
    const take = (): FetchedMessage | typeof STOP | null => {
      if (this.#isStopping) return STOP
      return this.#bytes >= this.#host.mostBytes ? null : poller.takeNow()
    }
    for (;;) {
      try {
        const taken = take() ?? (await poller.awaitNext(take))
        if (taken === null || taken === STOP) return
        this.#begin(taken)
      } catch (error) {
        // Nobody but this reader is told of what it would reject with.
        if (error instanceof KafkaError && !error.isFatal) this.#host.warn(error)
        else this.#fail(error)
      }
    }
  }

  #begin(message: FetchedMessage): void {
    const { cursor, offset, leaderEpoch, era } = message
    let share = this.#shares.get(cursor)
    if (share === undefined) this.#shares.set(cursor, (share = new Share()))
    const of = share
    const tracked = of.tracker.add(offset, leaderEpoch, era)
    const bytes = (message.key?.length ?? 0) + (message.value?.length ?? 0)
    this.#bytes += bytes
    cursor.offsets.atWork = ++of.pending
    // A program that has paused the partition itself goes on with it itself.
    if (of.pending >= this.#mostPending && !of.isHeld && !cursor.paused) {
      of.isHeld = true
      this.#host.hold(cursor)
    }
    this.#scheduler.add(this.#laneOf(message), async () => {
      await this.#work(of, message, tracked)
      this.#bytes -= bytes
      cursor.offsets.atWork = --of.pending
      if (of.isHeld && of.pending <= this.#mostPending / 2) {
        of.isHeld = false
        this.#host.goOn(cursor)
      }
      this.#host.wake()
    })
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
    if (share.isDraining || this.#isStopping || message.isStale) return
    share.running++
    try {
      const isDone = await this.#handle(share, message)
      if (!isDone || share.isGone) return
      const last = share.tracker.finish(tracked)
      if (last !== null) message.cursor.offsets.store(last.offset + 1, last.leaderEpoch, last.era)
    } catch (error) {
      if (!share.isGone) this.#fail(error)
    } finally {
      share.ended()
    }
  }

  /** @returns false: it was not tried to the end; whoever has the partition next begins anew */
  async #handle(share: Share, message: FetchedMessage): Promise<boolean> {
    const { handler, deadLetter } = this.#options
    const { retries, backoffMs: first, backoffMaxMs } = this.#settings
    const { poller, clock, random } = this.#host
    const context = { signal: share.over.signal }
    let attempt = 1
    let why: unknown
    try {
      const { decoding } = poller
      const given = decoding === null ? message : await decodeMessage(message, decoding)
      for (; ; attempt++) {
        try {
          await handler(given as Message<K, V>, { ...context, attempt }) // the deserializers make K and V
          return true
        } catch (error) {
          if (share.isGone) return false
          if (attempt > retries) throw error
        }
        const pause = sleep(clock, backoffMs(attempt, first, backoffMaxMs, random), share.draining.signal)
        if (
          !(await pause.then(
            () => true,
            () => false,
          ))
        )
          return false
      }
    } catch (error) {
      why = error
    }
    if (deadLetter === undefined) throw why
    await putAside(message, why, attempt, deadLetter)
    return true
  }

  // With enable.auto.commit=false nobody else does.
  #commitLater(): void {
    const { clock, commitsItself, commitIntervalMs } = this.#host
    if (commitsItself) return
    this.#timer = clock.setTimer(Math.max(1, commitIntervalMs), () => {
      void this.#host.commit()
      this.#commitLater()
    })
  }

  /** Waits for what is at work on partitions that are given up; what only waits is left to their next owner. */
  async #release(cursors: readonly Cursor[], lost: boolean): Promise<void> {
    const shares = cursors.flatMap(cursor => this.#shares.get(cursor) ?? [])
    for (const share of shares) share.draining.abort()
    if (!lost) {
      const { clock, longestDrainMs, commitsItself } = this.#host
      const over = new AbortController()
      const ms = Math.min(this.#settings.drainMs, longestDrainMs)
      const time = sleep(clock, ms, over.signal).catch(() => undefined)
      await Promise.race([Promise.all(shares.map(share => share.idle())), time])
      over.abort()
      if (!commitsItself) await this.#host.commit(cursors)
    }
    for (const share of shares) share.over.abort()
    for (const cursor of cursors) this.#shares.delete(cursor)
  }

  /** Another reader gets what was taken and not finished: else its commits would pass over that. */
  #handBack(cursor: Cursor, share: Share): void {
    if (share.isHeld) {
      share.isHeld = false
      this.#host.goOn(cursor)
    }
    const { lowest } = share.tracker
    if (lowest !== undefined) this.#host.goBack(cursor, lowest.offset, lowest.era)
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error))
    this.#stop()
  }

  #stop(): void {
    this.#isStopping = true
    for (const share of this.#shares.values()) share.draining.abort()
    this.#host.wake()
  }
}
