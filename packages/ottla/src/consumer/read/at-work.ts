/** What the program is working on (in a `run`, in `partitions()`, by its deserializers): since when, and whether it asks for the end of that itself. */
import { callers, type Frame } from '../../base/call-stack.ts'
import { sleep, type Clock } from '../../base/clock.ts'
import { Deferred } from '../../base/deferred.ts'
import { nextTurn } from '../../base/turn.ts'
import { Jobs, type Job, type JobHolder } from './jobs.ts'

/** Calls the program for one job after the other, by a function whose name tells on the stack whose call it is. */
interface Desk {
  job: Job | null
  readonly call: (holder: JobHolder, work: () => unknown, isLast: boolean) => Promise<unknown>
}

/** Something that gives partitions up, under way. */
interface Ask {
  /** It waits for rebalance callbacks, too. */
  readonly isClose: boolean
  /** Those that wait for it. */
  readonly certain: Set<Job>
  /** Of each function's loops some wait for it. */
  readonly readers: Map<string, Waiting>
  /** Functions that have called it, or looked at its promise: do they wait, too? */
  readonly looks: Map<string, Look>
  /** There are such, or it is over. */
  looked: Deferred<void>
  readonly over: AbortController
}

interface Waiting {
  /** Those that may be it. */
  readonly jobs: readonly Job[]
  readonly count: number
}

interface Look {
  /** By its desk's name; null: one of a function's loops. */
  readonly job: Job | null
  /** That may be it. */
  readonly jobs: readonly Job[]
  /** `await` looks at the constructor only, `then` and `catch` at both. */
  constructors: number
  thens: number
}

/** How long it may take until it is seen who waits. */
const LONGEST_PAUSE_MS = 100

const NOWHERE: Job['place'] = { topic: '', partition: -1, name: '' }

const quiet = (): void => undefined

let desksOfAll = 0

export class AtWork {
  readonly #clock: Clock
  readonly #limitMs: number
  readonly #jobs = new Jobs()
  readonly #callbacks = new Jobs()
  // A handler that awaits `close` looks like a slow one from outside; only the stack tells them apart.
  readonly #desks = new Map<string, Desk>()
  readonly #freeDesks: Desk[] = []
  readonly #asks = new Set<Ask>()
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
    const job = this.#jobs.add(holder, place, offset, by, reader, this.#clock.now())
    holder.job = job
    return job
  }

  /** As `end`, and `begin` with another offset. */
  goOn(job: Job, offset: number, reader: string): void {
    const isAlone = this.#asks.size === 0 && this.#waiting.length === 0
    if (isAlone && this.#jobs.renew(job, offset, reader, this.#clock.now())) {
      this.onEnded?.()
      return
    }
    this.end(job)
    this.begin(job.holder, job.place, offset, job.by, reader)
  }

  end(job: Job): void {
    const jobs = job.by === 'callback' ? this.#callbacks : this.#jobs
    if (jobs.delete(job)) this.#ended()
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

  /** As `perform`, for a rebalance callback: it is no message, and may take its time. */
  async callBack(holder: JobHolder, work: () => void | Promise<void>): Promise<void> {
    const desk = this.#freeDesks.pop() ?? this.#newDesk()
    desk.job = holder.job = this.#callbacks.add(holder, NOWHERE, -1, 'callback', '', this.#clock.now())
    await desk.call(holder, work, false)
  }

  /** The reader has ended: what it has not waited for says nothing of the next one. */
  clear(): void {
    this.#jobs.clear()
    for (const { readers, looks } of this.#asks) {
      readers.clear()
      looks.clear()
    }
    this.#ended()
  }

  #ended(): void {
    if (this.#asks.size > 0) this.#lookForReaders()
    const waiting = this.#waiting
    this.#waiting = waiting.filter(({ isOver }) => !isOver())
    for (const { isOver, resolve } of waiting) if (isOver()) resolve()
    this.onEnded?.()
  }

  /** Those that have been at work for longer, the longest first. */
  longerThan(ms: number): Job[] {
    return this.#jobs.begunBefore(this.#clock.now() - ms)
  }

  /** Since when the longest has been at work (monotonic ms); Infinity without any. */
  get oldestSince(): number {
    return this.#jobs.oldestSince
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
    return this.#until(() => !this.#jobs.all().some(({ hasAsked }) => hasAsked))
  }

  async #until(isOver: () => boolean): Promise<void> {
    if (!isOver()) await new Promise<void>(resolve => this.#waiting.push({ isOver, resolve }))
  }

  /** As `explain()` says it: `handler, at work on offset 5 for 12 s`. */
  describe({ by, offset, since }: Job): string {
    const seconds = Math.round((this.#clock.now() - since) / 1000)
    return by === 'reader'
      ? `nobody has asked its stream for what follows offset ${offset} for ${seconds} s`
      : `its ${by} has been at work on offset ${offset} for ${seconds} s`
  }

  /**
   * As `work`, which gives partitions up. A handler, or the loop over a stream, that waits for it is not waited for; one that
   * has only called it goes on, and is.
   * @param isClose nor is a rebalance callback
   */
  waitedFor<T>(work: () => Promise<T>, isClose = false): Promise<T> {
    const ask: Ask = {
      isClose,
      certain: new Set(),
      readers: new Map(),
      looks: new Map(),
      looked: new Deferred(),
      over: new AbortController(),
    }
    this.#asks.add(ask)
    // Whoever waits looks at one of these before anything else, on its own stack: `await` and `then` at the constructor,
    // a promise that is resolved with this one at `then`.
    const seen = <V>(value: V, of: 'constructors' | 'thens'): { readonly get: () => V } => ({
      get: () => {
        if (this.#jobs.size + this.#callbacks.size > 0 && this.#asks.has(ask)) this.#looked(ask, of)
        return value
      },
    })
    return Object.defineProperties(
      this.#watched(ask, work()),
      // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called on the promise that it was found on
      { constructor: seen(Promise, 'constructors'), then: seen(Promise.prototype.then, 'thens') },
    )
  }

  /** Looks from time to time who waits for its own promise. */
  async #watched<T>(ask: Ask, work: Promise<T>): Promise<T> {
    const settled = (): void => this.#over(ask)
    void work.then(settled, settled)
    for (let ms = 0; this.#asks.has(ask); ms = Math.min(LONGEST_PAUSE_MS, Math.max(1, ms * 2))) {
      await ask.looked.promise
      await (ms === 0 ? nextTurn() : sleep(this.#clock, ms, ask.over.signal).catch(quiet))
      if (!this.#asks.has(ask)) break
      this.#look(ask, callers())
      if (ask.looks.size > 0) continue
      // Those that have looked have ended meanwhile: until the next one does there is nothing to see.
      ask.looked = new Deferred()
      ms = 0
    }
    return work
  }

  /** Notes whom it may be that waits. */
  #looked(ask: Ask, by: 'constructors' | 'thens'): void {
    const read = this.#jobs.all().filter(({ reader, isEnding }) => reader !== '' && !isEnding)
    for (const { name, place } of callers()) {
      const job = this.#desks.get(name)?.job ?? null
      const jobs = read.filter(({ reader }) => reader === place)
      if (job === null ? jobs.length === 0 : job.by === 'callback' && !ask.isClose) continue
      const key = job === null ? place : name
      let look = ask.looks.get(key)
      if (look === undefined) ask.looks.set(key, (look = { job, jobs, constructors: 0, thens: 0 }))
      look[by]++
      ask.looked.resolve()
    }
  }

  /** @param frames those of the function whose promise is waited for */
  #look(ask: Ask, frames: readonly Frame[]): void {
    const waiting = frames.filter(({ isWaiting }) => isWaiting)
    for (const [key, { job, jobs, constructors, thens }] of ask.looks) {
      if (!(job === null ? jobs : [job]).some(each => this.#jobs.has(each))) {
        ask.looks.delete(key)
        continue
      }
      // Of several that wait for one promise the engine names nobody: then all wait that have looked as `await` does.
      const isKnown = waiting.length > 0
      if (isKnown ? !waiting.some(({ name, place }) => name === key || place === key) : constructors <= thens) continue
      if (job !== null) this.#waits(job, ask)
      else ask.readers.set(key, { jobs, count: Math.max(1, constructors - thens) })
    }
    this.#lookForReaders()
  }

  /** Of several loops of one function, those wait that do not go on: as many as have asked. */
  #lookForReaders(): void {
    const places = new Set([...this.#asks].flatMap(({ readers }) => [...readers.keys()]))
    for (const place of places) {
      const asks = [...this.#asks].filter(({ readers }) => readers.has(place))
      const waiting = asks.flatMap(({ readers }) => readers.get(place) ?? [])
      const left = new Set(waiting.flatMap(({ jobs }) => jobs.filter(job => this.#jobs.has(job))))
      if (left.size > waiting.reduce((sum, { count }) => sum + count, 0)) continue
      for (const ask of asks) for (const job of left) this.#waits(job, ask)
    }
  }

  #waits(job: Job, ask: Ask): void {
    if (!this.#jobs.has(job) || ask.certain.has(job)) return
    ask.certain.add(job)
    job.hasAsked = true
    if (job.isEnding) return
    job.isEnding = true
    job.holder.onEnding()
  }

  #over(ask: Ask): void {
    this.#asks.delete(ask)
    ask.over.abort()
    ask.looked.resolve()
    for (const job of ask.certain) job.isEnding = [...this.#asks].some(({ certain }) => certain.has(job))
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
