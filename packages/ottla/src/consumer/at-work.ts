/** What the program is working on in a `run` or `partitions()`: since when, and whether it asks for the end of that itself. */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Clock } from '../base/clock.ts'
import type { TopicPartition } from '../types.ts'

/** One message that the program has. */
export interface Job {
  readonly place: TopicPartition & { readonly name: string }
  readonly offset: number
  /** `handler` of a run, or `reader` of a partition's stream. */
  readonly by: 'handler' | 'reader'
  /** When it began (monotonic ms). */
  readonly since: number
  /** It waits for the end of what it is part of: nobody is to wait for it. */
  isEnding: boolean
  /** It has closed the consumer, or given up partitions. */
  hasAsked: boolean
  /** Told when that has become true. */
  readonly onEnding: () => void
}

/** Where the program's code was called from, or went on from. */
export interface Caller {
  readonly owner: AtWork
  /** What it was called within: a handler may run another consumer. */
  readonly within: Caller | undefined
  job: Job | null
}

// A handler that awaits `close` looks like a slow one from outside; only this tells them apart.
const callers = new AsyncLocalStorage<Caller | undefined>()

export class AtWork {
  readonly #clock: Clock
  readonly #limitMs: number
  /** In the order they began in. */
  readonly #jobs = new Set<Job>()
  #waiting: { readonly isOver: () => boolean; readonly resolve: () => void }[] = []
  /** Called when something has ended. */
  onEnded: (() => void) | null = null

  /** @param limitMs `max.poll.interval.ms` */
  constructor(clock: Clock, limitMs: number) {
    this.#clock = clock
    this.#limitMs = limitMs
  }

  begin(place: Job['place'], offset: number, by: Job['by'], onEnding: () => void): Job {
    const job = { place, offset, by, since: this.#clock.now(), isEnding: false, hasAsked: false, onEnding }
    this.#jobs.add(job)
    return job
  }

  end(job: Job): void {
    if (this.#jobs.delete(job)) this.#ended()
  }

  /** The reader has ended: what it has not waited for says nothing of the next one. */
  clear(): void {
    this.#jobs.clear()
    this.#ended()
  }

  #ended(): void {
    const waiting = this.#waiting
    this.#waiting = waiting.filter(({ isOver }) => !isOver())
    for (const { isOver, resolve } of waiting) if (isOver()) resolve()
    this.onEnded?.()
  }

  caller(job: Job | null): Caller {
    let within = callers.getStore()
    while (within?.owner === this) within = within.within
    return { owner: this, within, job }
  }

  /** Calls the program on behalf of a job. */
  call<R>(job: Job, work: () => R): R {
    return callers.run(this.caller(job), work)
  }

  /** From now on whoever has called is this one. To be called before anything is awaited. */
  enter(caller: Caller): void {
    if (callers.getStore() !== caller) callers.enterWith(caller)
  }

  /** Those that have been at work for longer, the longest first. */
  longerThan(ms: number): Job[] {
    const now = this.#clock.now()
    const found: Job[] = []
    for (const job of this.#jobs) {
      if (now - job.since <= ms) break
      found.push(job)
    }
    return found
  }

  /** Since when the longest has been at work (monotonic ms); Infinity without any. */
  get oldestSince(): number {
    for (const { since } of this.#jobs) return since
    return Infinity
  }

  /** Something takes longer than a program may go without polling. */
  get isStuck(): boolean {
    return this.#clock.now() - this.oldestSince > this.#limitMs
  }

  /** Why the group is left, in words. @param limitMs `max.poll.interval.ms`, which is over */
  exceeded(limitMs: number): string {
    const [job] = this.longerThan(limitMs)
    const why =
      job === undefined
        ? `poll was not called for ${limitMs} ms`
        : `${job.place.name}: ${this.describe(job)}, longer than ${limitMs} ms`
    return `${why} (max.poll.interval.ms)`
  }

  /** Resolves when all but those that take too long have ended. */
  othersEnd(): Promise<void> {
    return this.#until(() => this.longerThan(this.#limitMs).length === this.#jobs.size)
  }

  /** Resolves when nothing is at work that has asked for the end. */
  askersEnd(): Promise<void> {
    return this.#until(() => ![...this.#jobs].some(({ hasAsked }) => hasAsked))
  }

  async #until(isOver: () => boolean): Promise<void> {
    if (!isOver()) await new Promise<void>(resolve => this.#waiting.push({ isOver, resolve }))
  }

  /** As `explain()` says it: `handler, at work on offset 5 for 12 s`. */
  describe({ by, offset, since }: Job): string {
    const seconds = Math.round((this.#clock.now() - since) / 1000)
    return by === 'handler'
      ? `its handler has been at work on offset ${offset} for ${seconds} s`
      : `nobody has asked its stream for what follows offset ${offset} for ${seconds} s`
  }

  /**
   * Does what gives partitions up. If a handler, or the loop over a stream, waits for it, nobody waits for that one.
   */
  async ending<T>(work: () => Promise<T>): Promise<T> {
    const job = this.#calling()
    if (job === null) return work()
    job.hasAsked = true
    job.isEnding = true
    job.onEnding()
    try {
      return await work()
    } finally {
      job.isEnding = false
    }
  }

  /** As `promise`; a handler, or the loop over a stream, that waits for it is not waited for. */
  waitedFor<T>(promise: Promise<T>): Promise<T> {
    return new WatchedPromise<T>(
      resolve => resolve(promise),
      () => {
        const job = this.#calling()
        if (job === null) return
        job.isEnding = true
        job.onEnding()
      },
    )
  }

  #calling(): Job | null {
    let caller = callers.getStore()
    while (caller !== undefined && caller.owner !== this) caller = caller.within
    return caller?.job ?? null
  }
}

/** A promise that tells when somebody begins to wait for it. */
class WatchedPromise<T> extends Promise<T> {
  readonly #onThen: (() => void) | undefined

  constructor(executor: (resolve: (value: T | PromiseLike<T>) => void) => void, onThen?: () => void) {
    super(executor)
    this.#onThen = onThen
  }

  // What is made of it is an ordinary promise.
  static override get [Symbol.species](): PromiseConstructor {
    return Promise
  }

  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#onThen?.()
    return super.then(onFulfilled, onRejected)
  }
}
