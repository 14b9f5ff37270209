/** A message on its way from the queue to the program, while its deserializers are at work. */
import type { Clock } from '../../base/clock.ts'
import type { Message } from '../../types.ts'
import type { FetchQueue } from '../fetch/fetch-queue.ts'
import { batchesOf, type FetchedMessage } from '../partition/message.ts'
import type { AtWork } from './at-work.ts'
import { deserialize, intercepted, type Decoding } from './decoding.ts'
import type { Job, JobHolder } from './jobs.ts'

/** What the program gets. */
export interface Given {
  readonly origin: FetchedMessage
  /** Null when a deserializer has failed. */
  readonly message: Message<unknown, unknown> | null
  readonly error: unknown
}

/** What deserializers need of their consumer. */
export interface DecoderHost {
  readonly clock: Clock
  readonly atWork: AtWork
  /** Has the reader look again. */
  wake(): void
}

/** Promises that are waited for before it counts as waiting. */
const FEW = 10

const quiet = (): void => undefined

/** The deserializers' time is the program's (`max.poll.interval.ms`), whether a call waits for them or not. */
export class DecodingJob implements JobHolder {
  readonly #host: Pick<DecoderHost, 'atWork'>
  job: Job | null = null
  readonly onEnding = quiet

  constructor(host: Pick<DecoderHost, 'atWork'>) {
    this.#host = host
  }

  begin(place: Job['place'], offset: number): void {
    const { atWork } = this.#host
    if (this.job === null) atWork.begin(this, place, offset, 'deserializer')
    else atWork.goOn(this.job, offset, '')
  }

  end(): void {
    const { job } = this
    this.job = null
    if (job !== null) this.#host.atWork.end(job)
  }

  /**
   * Nobody waits for it any more; but a program that has lost its partitions by it joins the group again when it ends.
   * @param isLost the partition is no longer assigned
   */
  abandon(isLost: boolean): void {
    if (!(isLost && this.#host.atWork.isStuck)) this.end()
  }
}

type AnyMessage = Message<unknown, unknown>

interface Kept {
  readonly origin: FetchedMessage
  readonly job: DecodingJob
  isReady: boolean
  /** Nobody has waited for it yet. */
  isFresh: boolean
  message: AnyMessage | null
  error: unknown
}

/** One at a time, in order: what a call does not wait for any longer is the next one's. */
export class Decoder {
  readonly #queue: FetchQueue
  readonly #decoding: Decoding
  readonly #host: DecoderHost
  #kept: Kept | null = null

  constructor(queue: FetchQueue, decoding: Decoding, host: DecoderHost) {
    this.#queue = queue
    this.#decoding = decoding
    this.#host = host
  }

  /** The next message, to be handed out now; null when there is none, or deserializers are at work. */
  take(): Given | null {
    const kept = this.#kept
    if (kept !== null) {
      const { origin, isReady, message, error } = kept
      if (origin.isOver || origin.cursor.paused) {
        this.giveBack()
      } else {
        if (!isReady) return null
        this.#kept = null
        origin.cursor.undelivered = null
        return this.#given(origin, message, error)
      }
    }
    const origin = this.#queue.take()
    if (origin === null) return null
    try {
      const made = deserialize(origin, this.#decoding)
      if (!(made instanceof Promise)) return this.#given(origin, made, null)
      this.#keep(origin, made)
      return null
    } catch (error) {
      return this.#given(origin, null, error)
    }
  }

  /** Whether `soon` is to be awaited before anything else is. */
  get isFresh(): boolean {
    return this.#kept?.isFresh === true
  }

  /** Most deserializers end within a few promises: whoever waits for those needs no timer, and nobody has to watch. */
  async soon(): Promise<void> {
    const kept = this.#kept
    if (kept === null) return
    kept.isFresh = false
    for (let i = 0; i < FEW && !kept.isReady; i++) await Promise.resolve()
    if (!kept.isReady && kept === this.#kept) kept.job.begin(kept.origin.cursor, kept.origin.offset)
  }

  /** Another kind of reader takes what comes; what the position has moved away from is forgotten. */
  giveBack(): void {
    const kept = this.#kept
    if (kept === null) return
    const { origin, job } = kept
    const { cursor } = origin
    this.#kept = null
    job.abandon(cursor.dropped)
    cursor.undelivered = null
    if (!origin.isOver) this.#queue.putBack(cursor, origin.offset, batchesOf([origin]))
  }

  #keep(origin: FetchedMessage, made: Promise<AnyMessage>): void {
    const { cursor } = origin
    const kept: Kept = {
      origin,
      job: new DecodingJob(this.#host),
      isReady: false,
      isFresh: true,
      message: null,
      error: null,
    }
    this.#kept = kept
    cursor.undelivered = origin
    const ended = (message: AnyMessage | null, error: unknown): void => {
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

  #given(origin: FetchedMessage, message: AnyMessage | null, error: unknown): Given {
    return { origin, message: message === null ? null : intercepted(origin, message, this.#decoding), error }
  }
}
