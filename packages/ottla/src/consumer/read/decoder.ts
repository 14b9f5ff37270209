/** A message that is being deserialized. */
import type { Clock } from '../../base/clock.ts'
import { KafkaError } from '../../errors.ts'
import type { RunningJobs } from './running-jobs.ts'
import type { Job, JobHolder } from './job-list.ts'

/** A message to deliver, or why it cannot be. */
export interface DecodeResult<Origin, M> {
  readonly origin: Origin
  /** Null when a deserializer has failed. */
  readonly message: M | null
  readonly error: unknown
}

/** As an event of `poll`; throws an error that is no KafkaError. */
export function eventOf<Origin, M>({ message, error }: DecodeResult<Origin, M>): MessageOrError<M> {
  if (message !== null) return { type: 'message', message }
  if (error instanceof KafkaError) return { type: 'error', error }
  throw error
}

type MessageOrError<M> =
  { readonly type: 'message'; readonly message: M } | { readonly type: 'error'; readonly error: KafkaError }

/** Where the messages come from, and how they are kept while they are being deserialized. */
export interface DecoderSource<Origin, M> {
  /** The next message as it was fetched; null when there is none. */
  take(): Origin | null
  /** A promise only if a deserializer returns one. */
  deserialize(origin: Origin): M | Promise<M>
  /** The message to deliver, now. */
  finish(origin: Origin, message: M): M
  /** Deserialization begins. */
  keep(origin: Origin): void
  /** Deserialization is over. */
  unkeep(origin: Origin): void
  /** It must not be delivered now. */
  isWithdrawn(origin: Origin): boolean
  /** Its partition or its lock may be another member's. */
  isLost(origin: Origin): boolean
  /** It comes next again, if it may be delivered at all. */
  putBack(origin: Origin): void
  /** Whether it comes again later, as it could not be deserialized for a reason that passes. */
  postpone(origin: Origin, error: unknown): boolean
  placeOf(origin: Origin): Job['place']
}

/** What deserializers need of their consumer. */
export interface DecoderHost {
  readonly clock: Clock
  readonly runningJobs: RunningJobs
  /** Has the reader look again. */
  wake(): void
}

/** How many promises to await before the wait counts as one. */
const FEW = 10

const quiet = (): void => undefined

/** Deserializers count against `max.poll.interval.ms`, whether or not a call waits for them. */
export class DecodingJob implements JobHolder {
  readonly #host: Pick<DecoderHost, 'runningJobs'>
  job: Job | null = null
  readonly onAwaitsEnd = quiet

  constructor(host: Pick<DecoderHost, 'runningJobs'>) {
    this.#host = host
  }

  begin(place: Job['place'], offset: number): void {
    const { runningJobs } = this.#host
    if (this.job === null) runningJobs.begin(this, place, offset, 'deserializer')
    else runningJobs.continueWith(this.job, offset, '')
  }

  end(): void {
    const { job } = this
    this.job = null
    if (job !== null) this.#host.runningJobs.end(job)
  }

  /**
   * No call waits for it any more. If it has cost the consumer its membership, the job stays: the end of it is what
   * lets the consumer join again.
   * @param isLost the partition is no longer assigned
   */
  abandon(isLost: boolean): void {
    if (!(isLost && this.#host.runningJobs.isStuck)) this.end()
  }
}

interface Kept<Origin, M> {
  readonly origin: Origin
  readonly job: DecodingJob
  isReady: boolean
  /** No call has waited for it yet. */
  isFresh: boolean
  message: M | null
  error: unknown
}

/** Deserializes one message at a time, in order: if the call that waits gives up, the next call gets the message. */
export class Decoder<Origin extends { readonly offset: number }, M> {
  readonly #source: DecoderSource<Origin, M>
  readonly #host: Pick<DecoderHost, 'runningJobs' | 'wake'>
  #kept: Kept<Origin, M> | null = null

  constructor(source: DecoderSource<Origin, M>, host: Pick<DecoderHost, 'runningJobs' | 'wake'>) {
    this.#source = source
    this.#host = host
  }

  /** The next message, to be delivered now; null when there is none, or it is still being deserialized. */
  take(): DecodeResult<Origin, M> | null {
    const source = this.#source
    const kept = this.#kept
    if (kept !== null) {
      const { origin, isReady, message, error } = kept
      if (source.isWithdrawn(origin)) {
        this.giveBack()
      } else {
        if (!isReady) return null
        this.#kept = null
        source.unkeep(origin)
        if (message !== null || !source.postpone(origin, error)) return this.#given(origin, message, error)
      }
    }
    // Ends: what is postponed does not come again at once.
    for (let origin = source.take(); origin !== null; origin = source.take()) {
      try {
        const made = source.deserialize(origin)
        if (!(made instanceof Promise)) return this.#given(origin, made, null)
        this.#keep(origin, made)
        return null
      } catch (error) {
        if (!source.postpone(origin, error)) return this.#given(origin, null, error)
      }
    }
    return null
  }

  /** Whether `waitBriefly` should come before any other wait. */
  get isFresh(): boolean {
    return this.#kept?.isFresh === true
  }

  /** Most deserializers settle within a few promises, which need neither a timer nor a job. */
  async waitBriefly(): Promise<void> {
    const kept = this.#kept
    if (kept === null) return
    kept.isFresh = false
    for (let i = 0; i < FEW && !kept.isReady; i++) await Promise.resolve()
    if (!kept.isReady && kept === this.#kept) {
      kept.job.begin(this.#source.placeOf(kept.origin), kept.origin.offset)
    }
  }

  /**
   * Puts the message back for another kind of reader.
   * @param isLost see DecodingJob.abandon; by default the source's
   */
  giveBack(isLost?: boolean): void {
    const kept = this.#kept
    if (kept === null) return
    const { origin, job } = kept
    this.#kept = null
    job.abandon(isLost ?? this.#source.isLost(origin))
    this.#source.unkeep(origin)
    this.#source.putBack(origin)
  }

  #keep(origin: Origin, made: Promise<M>): void {
    const kept: Kept<Origin, M> = {
      origin,
      job: new DecodingJob(this.#host),
      isReady: false,
      isFresh: true,
      message: null,
      error: null,
    }
    this.#kept = kept
    this.#source.keep(origin)
    const ended = (message: M | null, error: unknown): void => {
      kept.isReady = true
      kept.message = message
      kept.error = error
      kept.job.end()
      this.#host.wake()
    }
    made.then(
      message => ended(message, null),
      (error: unknown) => ended(null, error),
    )
  }

  #given(origin: Origin, message: M | null, error: unknown): DecodeResult<Origin, M> {
    return { origin, message: message === null ? null : this.#source.finish(origin, message), error }
  }
}
