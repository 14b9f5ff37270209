/** A message of a share group on its way to the program, while its deserializers are at work. */
import type { AtWork } from '../read/at-work.ts'
import { DecodingJob } from '../read/decoder.ts'
import type { Decoding } from '../read/decoding.ts'
import { decodeLocked, type LockedMessage, type ShareMessage } from './message.ts'
import type { ShareInbox } from './share-inbox.ts'

type AnyMessage = ShareMessage<unknown, unknown>

/** What the program gets. */
export interface GivenLocked {
  readonly origin: LockedMessage
  /** Null when a deserializer has failed. */
  readonly message: AnyMessage | null
  readonly error: unknown
}

export interface ShareDecoderHost {
  readonly atWork: AtWork
  /** A message has been taken: there may be room. */
  onTaken(): void
  /** Deserializers have ended, or the lock has: the reader is to look again. */
  wake(): void
}

interface Kept {
  readonly origin: LockedMessage
  readonly job: DecodingJob
  /** Null while deserializers are at work. */
  given: GivenLocked | null
}

/** One at a time, in order, for as long as its lock holds: what a call does not wait for any longer is the next one's. */
export class ShareDecoder {
  readonly #inbox: ShareInbox
  readonly #decoding: Decoding | null
  readonly #host: ShareDecoderHost
  #kept: Kept | null = null

  constructor(inbox: ShareInbox, decoding: Decoding | null, host: ShareDecoderHost) {
    this.#inbox = inbox
    this.#decoding = decoding
    this.#host = host
  }

  /** Whether `take` would find something. */
  get hasMore(): boolean {
    const kept = this.#kept
    if (kept === null) return this.#inbox.waiting > 0
    return kept.given !== null || kept.origin.state !== 'given'
  }

  /** The next message; null when there is none, or deserializers are at work. */
  take(): GivenLocked | null {
    const kept = this.#kept
    if (kept !== null) {
      const { origin, given } = kept
      // Without its lock it is given out again.
      if (origin.state !== 'given') this.giveBack(true)
      else if (given === null) return null
      else {
        this.#kept = null
        origin.onLost = null
        return given
      }
    }
    const origin = this.#inbox.take()
    if (origin === null) return null
    this.#host.onTaken()
    try {
      const message = this.#decoding === null ? origin : decodeLocked(origin, this.#decoding)
      if (!(message instanceof Promise)) return { origin, message, error: null }
      this.#keep(origin, message)
      return null
    } catch (error) {
      return { origin, message: null, error }
    }
  }

  /**
   * It waits again, for whoever takes it.
   * @param isLost its partition is given up
   */
  giveBack(isLost: boolean): void {
    const kept = this.#kept
    if (kept === null) return
    const { origin, job } = kept
    this.#kept = null
    origin.onLost = null
    job.abandon(isLost)
    this.#inbox.putBack(origin)
  }

  #keep(origin: LockedMessage, decoded: Promise<AnyMessage>): void {
    const kept: Kept = { origin, job: new DecodingJob(this.#host), given: null }
    this.#kept = kept
    kept.job.begin(origin.source, origin.offset)
    origin.onLost = () => this.#host.wake()
    const ended = (given: GivenLocked): void => {
      kept.given = given
      kept.job.end()
      this.#host.wake()
    }
    decoded.then(
      message => ended({ origin, message, error: null }),
      (error: unknown) => ended({ origin, message: null, error }),
    )
  }
}
