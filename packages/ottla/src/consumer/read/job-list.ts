/** The messages that the application has at the moment, in the order in which they began. Pure. */
import type { TopicPartition } from '../../types.ts'

/** One message that the application has. */
export interface Job {
  readonly place: TopicPartition & { readonly name: string }
  readonly offset: number
  /**
   * The `handler` of a run, the `reader` of a partition's stream, a `deserializer`, or a rebalance `callback`, whose
   * time does not count.
   */
  readonly by: 'handler' | 'reader' | 'deserializer' | 'callback'
  /** The function that reads the messages (`callerNow`); empty where it is not known. */
  readonly reader: string
  /** When it began (monotonic ms). */
  readonly since: number
  /** It awaits a call that would wait for it (`close` in a handler), so that this must not wait. */
  awaitsEnd: boolean
  /** It has awaited such a call. */
  hasAwaitedEnd: boolean
  readonly holder: JobHolder
}

/** The owner of a job, while there is one. */
export interface JobHolder {
  job: Job | null
  /** Its job now awaits a call that would wait for it. */
  onAwaitsEnd(): void
  /** The application is done and has not failed; the job ends after that. */
  onDone?(): void
}

/** A job with its place in the list. */
type ListedJob = { -readonly [Field in keyof Job]: Job[Field] } & {
  isListed: boolean
  /** Others may hold a reference to it. */
  isSeen: boolean
  before: ListedJob | null
  after: ListedJob | null
}

/** A linked list: messages come and go by the million, and a Set would be rehashed every few of them. */
export class JobList {
  #first: ListedJob | null = null
  #last: ListedJob | null = null
  #size = 0

  get size(): number {
    return this.#size
  }

  /** When the first began (monotonic ms); Infinity without any. */
  get oldestSince(): number {
    return this.#first?.since ?? Infinity
  }

  add(holder: JobHolder, place: Job['place'], offset: number, by: Job['by'], reader: string, since: number): Job {
    const job: ListedJob = {
      place,
      by,
      holder,
      offset,
      reader,
      since,
      awaitsEnd: false,
      hasAwaitedEnd: false,
      isListed: false,
      isSeen: false,
      before: null,
      after: null,
    }
    this.#append(job)
    return job
  }

  has(job: Job): boolean {
    return (job as ListedJob).isListed // `add` makes no others
  }

  /** @returns false if it was not there */
  delete(job: Job): boolean {
    const listed = job as ListedJob // as above
    if (!listed.isListed) return false
    this.#unlink(listed)
    return true
  }

  /** Reuses the job for another offset. @returns false, with nothing done, if others have to see it end */
  renew(job: Job, offset: number, reader: string, since: number): boolean {
    const listed = job as ListedJob // as above
    if (listed.isSeen || !listed.isListed) return false
    listed.offset = offset
    listed.reader = reader
    this.touch(job, since)
    return true
  }

  /** Its time begins again. */
  touch(job: Job, since: number): void {
    const listed = job as ListedJob // as above
    if (!listed.isListed) return
    this.#unlink(listed)
    listed.since = since
    this.#append(listed)
  }

  clear(): void {
    for (const job of this.all()) this.delete(job)
  }

  all(): Job[] {
    const found: Job[] = []
    for (let job = this.#first; job !== null; job = job.after) found.push(seen(job))
    return found
  }

  /** The jobs that began before this time, the oldest first. */
  begunBefore(time: number): Job[] {
    const found: Job[] = []
    for (let job = this.#first; job !== null && job.since < time; job = job.after) found.push(seen(job))
    return found
  }

  #append(job: ListedJob): void {
    job.isListed = true
    job.before = this.#last
    if (this.#last === null) this.#first = job
    else this.#last.after = job
    this.#last = job
    this.#size++
  }

  #unlink(job: ListedJob): void {
    const { before, after } = job
    if (before === null) this.#first = after
    else before.after = after
    if (after === null) this.#last = before
    else after.before = before
    job.before = job.after = null
    job.isListed = false
    this.#size--
  }
}

function seen(job: ListedJob): Job {
  job.isSeen = true
  return job
}
