/** What the program is working on in a `run` or `partitions()`: since when, and whether it asks for the end of that itself. */
import { callers } from '../base/call-stack.ts'
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
  readonly holder: JobHolder
}

/** Whose job it is, while there is one. */
export interface JobHolder {
  job: Job | null
  /** Its job has become one that waits for the end. */
  onEnding(): void
  /** The program is done, and has not failed; the job ends after that. */
  onDone?(): void
}

/** Calls the program for one job after the other, by a function whose name tells on the stack whose call it is. */
interface Desk {
  job: Job | null
  readonly call: (holder: JobHolder, work: () => unknown, isLast: boolean) => Promise<unknown>
}

let desksOfAll = 0

export class AtWork {
  readonly #clock: Clock
  readonly #limitMs: number
  /** In the order they began in. */
  readonly #jobs = new Set<Job>()
  // A handler that awaits `close` looks like a slow one from outside; only the stack tells them apart.
  readonly #desks = new Map<string, Desk>()
  readonly #freeDesks: Desk[] = []
  readonly #readers = new Map<Job, string>()
  /** Those that wait for the end, or may be it: of several loops of one function nobody knows which. */
  readonly #asking = new Set<Job>()
  readonly #watching = new Set<() => void>()
  #waiting: { readonly isOver: () => boolean; readonly resolve: () => void }[] = []
  /** Called when something has ended. */
  onEnded: (() => void) | null = null

  /** @param limitMs `max.poll.interval.ms` */
  constructor(clock: Clock, limitMs: number) {
    this.#clock = clock
    this.#limitMs = limitMs
  }

  /** @param reader the function that reads the messages (`callerNow`), if that is known */
  begin(holder: JobHolder, place: Job['place'], offset: number, by: Job['by'], reader = ''): Job {
    const job = { place, offset, by, since: this.#clock.now(), isEnding: false, hasAsked: false, holder }
    holder.job = job
    this.#jobs.add(job)
    if (reader !== '') this.#readers.set(job, reader)
    return job
  }

  end(job: Job): void {
    if (!this.#jobs.delete(job)) return
    this.#readers.delete(job)
    this.#asking.delete(job)
    this.#ended()
  }

  /**
   * Calls the program, and has a job of the holder for as long as that takes.
   * @param isLast the holder is told when the program has not failed
   */
  perform<R>(
    holder: JobHolder,
    place: Job['place'],
    offset: number,
    work: () => R | Promise<R>,
    isLast: boolean,
  ): Promise<R> {
    const desk = this.#freeDesks.pop() ?? this.#newDesk()
    desk.job = this.begin(holder, place, offset, 'handler')
    return desk.call(holder, work, isLast) as Promise<R> // it returns what the work returns
  }

  /** The reader has ended: what it has not waited for says nothing of the next one. */
  clear(): void {
    this.#jobs.clear()
    this.#readers.clear()
    this.#asking.clear()
    this.#ended()
  }

  #ended(): void {
    for (const look of [...this.#watching]) look()
    const waiting = this.#waiting
    this.#waiting = waiting.filter(({ isOver }) => !isOver())
    for (const { isOver, resolve } of waiting) if (isOver()) resolve()
    this.onEnded?.()
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
    const jobs = this.#callingJobs()
    for (const job of jobs) job.hasAsked = true
    const over = this.#asks(jobs)
    try {
      return await work()
    } finally {
      over()
    }
  }

  /** As `promise`; a handler, or the loop over a stream, that waits for it is not waited for. */
  waitedFor<T>(promise: Promise<T>): Promise<T> {
    // Whoever waits looks at one of these before anything else, on its own stack: `await` and `then` at the constructor,
    // a promise that is resolved with this one at `then`.
    const seen = <V>(value: V): { readonly get: () => V } => ({
      get: () => {
        this.#asks(this.#callingJobs())
        return value
      },
    })
    // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called on the promise that it was found on
    return Object.defineProperties(promise, { constructor: seen(Promise), then: seen(Promise.prototype.then) })
  }

  /** Nobody waits for these, or, of several, for the last of them: the others go on, and cannot be the one. */
  #asks(jobs: readonly Job[]): () => void {
    const look = (): void => {
      const left = jobs.filter(job => this.#asking.has(job))
      const [job] = left
      if (left.length !== 1 || job === undefined || job.isEnding) return
      job.isEnding = true
      job.holder.onEnding()
    }
    for (const job of jobs) this.#asking.add(job)
    this.#watching.add(look)
    look()
    return () => {
      this.#watching.delete(look)
      for (const job of jobs) {
        this.#asking.delete(job)
        job.isEnding = false
      }
    }
  }

  /** The jobs from which the caller was called, or waited for, unless they have asked already. */
  #callingJobs(): Job[] {
    if (this.#jobs.size === 0) return []
    const found = new Set<Job>()
    for (const { name, place } of callers()) {
      const job = this.#desks.get(name)?.job ?? null
      if (job !== null) found.add(job)
      for (const [reading, reader] of this.#readers) if (reader === place) found.add(reading)
    }
    return [...found].filter(job => this.#jobs.has(job) && !this.#asking.has(job))
  }

  #newDesk(): Desk {
    const name = `ottla.job.${desksOfAll++}`
    const desk: Desk = {
      job: null,
      call: Object.defineProperty(
        async (holder: JobHolder, work: () => unknown, isLast: boolean): Promise<unknown> => {
          const { job } = desk
          try {
            const result = await work()
            if (isLast) holder.onDone?.()
            return result
          } finally {
            desk.job = holder.job = null
            this.#freeDesks.push(desk)
            if (job !== null) this.end(job)
          }
        },
        'name',
        { value: name },
      ),
    }
    this.#desks.set(name, desk)
    return desk
  }
}

/** The function that has called the one that calls this, to be known again on another stack; empty if that cannot be. */
export function callerNow(): string {
  return callers(3)[2]?.place ?? ''
}
