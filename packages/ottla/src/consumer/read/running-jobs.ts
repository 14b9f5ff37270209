/**
 * The messages that the application is processing (in a `run`, in `partitions()`, in deserializers): since when, and
 * which of them wait for the end of it themselves, say by `await consumer.close()` in a handler.
 */
import { callers, type Frame } from '../../base/call-stack.ts'
import { sleep, type Clock } from '../../base/clock.ts'
import { Deferred } from '../../base/deferred.ts'
import { nextTurn } from '../../base/turn.ts'
import { JobList, type Job, type JobHolder } from './job-list.ts'

/**
 * Calls the application for one job at a time, through a function whose unique name identifies the job on the stack.
 */
interface CallSlot {
  job: Job | null
  readonly call: (holder: JobHolder, work: () => unknown, isLast: boolean) => Promise<unknown>
}

/** A pending call that waits for running jobs: `close`, `unsubscribe`, `assign` and the like. */
interface PendingCall {
  /** Waits for rebalance callbacks, too. */
  readonly isClose: boolean
  /** Jobs that are known to wait for this call. */
  readonly waiters: Set<Job>
  /** By function: some of its loops wait for this call. */
  readonly readers: Map<string, WaitingReaders>
  /** Functions that have looked at this call's promise, and perhaps wait for it. */
  readonly candidates: Map<string, Candidate>
  /** Resolves when there are candidates, or the call has ended. */
  hasCandidates: Deferred<void>
  readonly over: AbortController
}

interface WaitingReaders {
  /** The jobs that may be the waiting ones. */
  readonly jobs: readonly Job[]
  /** How many of them wait. */
  readonly count: number
}

interface Candidate {
  /** The job of the call slot with that name; null for one of a function's loops. */
  readonly job: Job | null
  /** The jobs of the loops that it may be. */
  readonly jobs: readonly Job[]
  /** `await` looks at the constructor only, `then` and `catch` at both. */
  constructors: number
  thens: number
}

/** The longest pause between two looks at who waits. */
const LONGEST_PAUSE_MS = 100

const NOWHERE: Job['place'] = { topic: '', partition: -1, name: '' }

const quiet = (): void => undefined

let slotsOfAll = 0

export class RunningJobs {
  readonly #clock: Clock
  readonly #limitMs: number
  readonly #jobs = new JobList()
  readonly #callbacks = new JobList()
  // From outside, a handler that awaits `close` looks like a slow one; only the stack tells them apart.
  readonly #slots = new Map<string, CallSlot>()
  readonly #freeSlots: CallSlot[] = []
  readonly #pendingCalls = new Set<PendingCall>()
  #waiting: { readonly isOver: () => boolean; readonly resolve: () => void }[] = []
  /** Called when a job has ended. */
  onEnded: (() => void) | null = null

  /** @param limitMs `max.poll.interval.ms` */
  constructor(clock: Clock, limitMs: number) {
    this.#clock = clock
    this.#limitMs = limitMs
  }

  /** @param reader the function that reads the messages (`callerNow`), if it is known */
  begin(holder: JobHolder, place: Job['place'], offset: number, by: Job['by'], reader = ''): Job {
    const job = this.#jobs.add(holder, place, offset, by, reader, this.#clock.now())
    holder.job = job
    return job
  }

  /** As `end`, and `begin` with another offset. */
  continueWith(job: Job, offset: number, reader: string): void {
    const isAlone = this.#pendingCalls.size === 0 && this.#waiting.length === 0
    if (isAlone && this.#jobs.renew(job, offset, reader, this.#clock.now())) {
      this.onEnded?.()
      return
    }
    this.end(job)
    this.begin(job.holder, job.place, offset, job.by, reader)
  }

  /** The application is alive: the job's time begins again. */
  touch(job: Job): void {
    this.#jobs.touch(job, this.#clock.now())
  }

  end(job: Job): void {
    const jobs = job.by === 'callback' ? this.#callbacks : this.#jobs
    if (jobs.delete(job)) this.#ended()
  }

  /**
   * Calls the application; the holder has a job for as long as that takes.
   * @param isLast calls `holder.onDone` when the application has not failed
   */
  perform<R>(
    holder: JobHolder,
    place: Job['place'],
    offset: number,
    work: () => R | Promise<R>,
    isLast: boolean,
  ): Promise<R> {
    const slot = this.#freeSlots.pop() ?? this.#newSlot()
    slot.job = this.begin(holder, place, offset, 'handler')
    return slot.call(holder, work, isLast) as Promise<R> // it returns what the work returns
  }

  /** As `perform`, for a rebalance callback, whose time does not count. */
  async performCallback(holder: JobHolder, work: () => void | Promise<void>): Promise<void> {
    const slot = this.#freeSlots.pop() ?? this.#newSlot()
    slot.job = holder.job = this.#callbacks.add(holder, NOWHERE, -1, 'callback', '', this.#clock.now())
    await slot.call(holder, work, false)
  }

  /** The reader has ended: jobs that it has not waited for must not count against the next one. */
  clear(): void {
    this.#jobs.clear()
    for (const { readers, candidates } of this.#pendingCalls) {
      readers.clear()
      candidates.clear()
    }
    this.#ended()
  }

  #ended(): void {
    if (this.#pendingCalls.size > 0) this.#identifyReaders()
    const waiting = this.#waiting
    this.#waiting = waiting.filter(({ isOver }) => !isOver())
    for (const { isOver, resolve } of waiting) if (isOver()) resolve()
    this.onEnded?.()
  }

  /** The jobs that have been running for longer, the longest first. */
  longerThan(ms: number): Job[] {
    return this.#jobs.begunBefore(this.#clock.now() - ms)
  }

  /** When the oldest job began (monotonic ms); Infinity without any. */
  get oldestSince(): number {
    return this.#jobs.oldestSince
  }

  /** A job has taken longer than `max.poll.interval.ms`. */
  get isStuck(): boolean {
    return this.#clock.now() - this.oldestSince > this.#limitMs
  }

  /** Why the group is left, in words. @param limitMs `max.poll.interval.ms` */
  describeExceeded(limitMs: number): string {
    const [job] = this.longerThan(limitMs)
    const why =
      job === undefined
        ? `poll was not called for ${limitMs} ms`
        : `${job.place.name}: ${this.describe(job)}, longer than ${limitMs} ms`
    return `${why} (max.poll.interval.ms)`
  }

  /** Resolves when all jobs but those that take too long have ended. */
  quickJobsEnd(): Promise<void> {
    return this.#until(() => this.longerThan(this.#limitMs).length === this.#jobs.size)
  }

  /** Resolves when all jobs that have waited for a pending call have ended. */
  awaitersEnd(): Promise<void> {
    return this.#until(() => !this.#jobs.all().some(({ hasAwaitedEnd }) => hasAwaitedEnd))
  }

  async #until(isOver: () => boolean): Promise<void> {
    if (!isOver()) await new Promise<void>(resolve => this.#waiting.push({ isOver, resolve }))
  }

  /** As `explain()` says it: `its handler has been processing offset 5 for 12 s`. */
  describe({ by, offset, since }: Job): string {
    const seconds = Math.round((this.#clock.now() - since) / 1000)
    return by === 'reader'
      ? `its stream has not been asked for the message after offset ${offset} for ${seconds} s`
      : `its ${by} has been processing offset ${offset} for ${seconds} s`
  }

  /**
   * Runs `work`, which gives partitions up and waits for running jobs. It does not wait for a handler, or the loop over
   * a stream, that itself awaits the returned promise; one that has only made the call carries on and is waited for.
   * @param isClose nor does it wait for such a rebalance callback
   */
  trackWaiters<T>(work: () => Promise<T>, isClose = false): Promise<T> {
    const call: PendingCall = {
      isClose,
      waiters: new Set(),
      readers: new Map(),
      candidates: new Map(),
      hasCandidates: new Deferred(),
      over: new AbortController(),
    }
    this.#pendingCalls.add(call)
    // Code that waits reads one of these first, on its own stack: `await` and `then` read the constructor, a promise
    // that is resolved with this one reads `then`.
    const seen = <V>(value: V, of: 'constructors' | 'thens'): { readonly get: () => V } => ({
      get: () => {
        if (this.#jobs.size + this.#callbacks.size > 0 && this.#pendingCalls.has(call)) this.#noteCandidates(call, of)
        return value
      },
    })
    return Object.defineProperties(
      this.#watched(call, work()),
      // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called on the promise that it is read from
      { constructor: seen(Promise, 'constructors'), then: seen(Promise.prototype.then, 'thens') },
    )
  }

  /** Looks from time to time which functions wait for its own promise. */
  async #watched<T>(call: PendingCall, work: Promise<T>): Promise<T> {
    const settled = (): void => this.#callEnded(call)
    void work.then(settled, settled)
    for (let ms = 0; this.#pendingCalls.has(call); ms = Math.min(LONGEST_PAUSE_MS, Math.max(1, ms * 2))) {
      await call.hasCandidates.promise
      await (ms === 0 ? nextTurn() : sleep(this.#clock, ms, call.over.signal).catch(quiet))
      if (!this.#pendingCalls.has(call)) break
      this.#identifyWaiters(call, callers())
      if (call.candidates.size > 0) continue
      // All candidates have ended: there is nothing to see until the next one.
      call.hasCandidates = new Deferred()
      ms = 0
    }
    return work
  }

  /** Notes the functions on the stack that may be about to wait. */
  #noteCandidates(call: PendingCall, by: 'constructors' | 'thens'): void {
    const read = this.#jobs.all().filter(({ reader, awaitsEnd }) => reader !== '' && !awaitsEnd)
    for (const { name, place } of callers()) {
      const job = this.#slots.get(name)?.job ?? null
      const jobs = read.filter(({ reader }) => reader === place)
      if (job === null ? jobs.length === 0 : job.by === 'callback' && !call.isClose) continue
      const key = job === null ? place : name
      let candidate = call.candidates.get(key)
      if (candidate === undefined) call.candidates.set(key, (candidate = { job, jobs, constructors: 0, thens: 0 }))
      candidate[by]++
      call.hasCandidates.resolve()
    }
  }

  /** @param frames the stack of the function whose promise is awaited */
  #identifyWaiters(call: PendingCall, frames: readonly Frame[]): void {
    const waiting = frames.filter(({ isWaiting }) => isWaiting)
    for (const [key, { job, jobs, constructors, thens }] of call.candidates) {
      if (!(job === null ? jobs : [job]).some(each => this.#jobs.has(each))) {
        call.candidates.delete(key)
        continue
      }
      // If several functions wait for one promise, the engine names none: then all that have looked as `await` does
      // wait.
      const isKnown = waiting.length > 0
      if (isKnown ? !waiting.some(({ name, place }) => name === key || place === key) : constructors <= thens) continue
      if (job !== null) this.#markWaiter(job, call)
      else call.readers.set(key, { jobs, count: Math.max(1, constructors - thens) })
    }
    this.#identifyReaders()
  }

  /** Of several loops of one function those wait that stand still, once no more are left than have made the call. */
  #identifyReaders(): void {
    const places = new Set([...this.#pendingCalls].flatMap(({ readers }) => [...readers.keys()]))
    for (const place of places) {
      const calls = [...this.#pendingCalls].filter(({ readers }) => readers.has(place))
      const waiting = calls.flatMap(({ readers }) => readers.get(place) ?? [])
      const left = new Set(waiting.flatMap(({ jobs }) => jobs.filter(job => this.#jobs.has(job))))
      if (left.size > waiting.reduce((sum, { count }) => sum + count, 0)) continue
      for (const call of calls) for (const job of left) this.#markWaiter(job, call)
    }
  }

  #markWaiter(job: Job, call: PendingCall): void {
    if (!this.#jobs.has(job) || call.waiters.has(job)) return
    call.waiters.add(job)
    job.hasAwaitedEnd = true
    if (job.awaitsEnd) return
    job.awaitsEnd = true
    job.holder.onAwaitsEnd()
  }

  #callEnded(call: PendingCall): void {
    this.#pendingCalls.delete(call)
    call.over.abort()
    call.hasCandidates.resolve()
    for (const job of call.waiters) job.awaitsEnd = [...this.#pendingCalls].some(({ waiters }) => waiters.has(job))
  }

  #newSlot(): CallSlot {
    const name = `ottla.job.${slotsOfAll++}`
    const slot: CallSlot = {
      job: null,
      call: Object.defineProperty(
        async (holder: JobHolder, work: () => unknown, isLast: boolean): Promise<unknown> => {
          const { job } = slot
          try {
            const result = await work()
            if (isLast) holder.onDone?.()
            return result
          } finally {
            slot.job = holder.job = null
            this.#freeSlots.push(slot)
            if (job !== null) this.end(job)
          }
        },
        'name',
        { value: name },
      ),
    }
    this.#slots.set(name, slot)
    return slot
  }
}

/** Identifies the caller of the function that calls this, so that another stack shows it again; empty if unknown. */
export function callerNow(): string {
  return callers(3)[2]?.place ?? ''
}
