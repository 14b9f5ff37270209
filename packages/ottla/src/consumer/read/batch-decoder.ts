/** A batch on its way to the program, while deserializers are at work on its messages. */
import type { Timer } from '../../base/clock.ts'
import type { Message } from '../../types.ts'
import type { TakenBatch } from '../fetch/fetch-queue.ts'
import type { FetchedMessage } from '../partition/message.ts'
import { DecodingJob, type DecoderHost } from './decoder.ts'
import { deserialize, intercepted, type Decoding } from './decoding.ts'
import { fetchedMessages, MessageBatch } from './message-batch.ts'

type AnyMessage = Message<unknown, unknown>

/** What is deserialized waits no longer than this for what is not, ms. */
const LONGEST_WAIT_MS = 500

/** Goes on by itself, whether a call waits for it or not. */
export class BatchDecoder<K, V> {
  readonly #taken: TakenBatch
  readonly #decoding: Decoding
  readonly #host: DecoderHost
  readonly #job: DecodingJob
  readonly #messages: Iterator<FetchedMessage, undefined>
  /** Deserialized, and not handed out. */
  #made: AnyMessage[] = []
  /** What these came from, for interceptors. */
  #origins: FetchedMessage[] = []
  /** Deserializers have it. */
  #current: FetchedMessage | null = null
  #failed: { readonly message: FetchedMessage; readonly cause: unknown } | null = null
  #handedOut = 0
  #isDone = false
  #isLate = false
  #isLeft = false
  #timer: Timer | null = null

  constructor(taken: TakenBatch, decoding: Decoding, host: DecoderHost) {
    this.#taken = taken
    this.#decoding = decoding
    this.#host = host
    this.#job = new DecodingJob(host)
    this.#messages = fetchedMessages(taken)
    const made = this.#advance()
    if (!this.#isDone) taken.cursor.undelivered = this
    if (made !== null) void this.#goOn(made)
  }

  /** The first that is not handed out. */
  get offset(): number {
    return this.#made[0]?.offset ?? this.#current?.offset ?? this.#taken.lastOffset + 1
  }

  /** Nothing of it is to be handed out any more. */
  get isOver(): boolean {
    const { cursor, era } = this.#taken
    return (this.#isDone && this.#made.length === 0) || cursor.dropped || cursor.offsets.era !== era
  }

  /** What is not handed out. */
  get rest(): TakenBatch {
    return { ...this.#taken, firstOffset: this.offset, count: this.#taken.count - this.#handedOut }
  }

  get isPaused(): boolean {
    return this.#taken.cursor.paused
  }

  /** The message that comes next, if it cannot be deserialized, and why. */
  get failed(): { readonly message: FetchedMessage; readonly cause: unknown } | null {
    return this.#made.length === 0 ? this.#failed : null
  }

  /** What can be handed out, if that is all there is, or what follows is bad or long in coming. */
  take(): MessageBatch<K, V> | null {
    const made = this.#made as Message<K, V>[] // the deserializers make K and V
    if (made.length === 0 || !(this.#isDone || this.#failed !== null || this.#isLate)) return null
    const rest = this.rest
    for (const [i, origin] of this.#origins.entries()) {
      made[i] = intercepted(origin, made[i] ?? origin, this.#decoding) as Message<K, V> // as above
    }
    const { leaderEpoch = -1 } = (this.#isDone ? rest : made.at(-1)) ?? {}
    this.#made = []
    this.#origins = []
    this.#isLate = false
    this.#handedOut += made.length
    return new MessageBatch<K, V>({ ...rest, leaderEpoch }, made)
  }

  /** A call waits, until `unwatch`. */
  watch(): void {
    if (this.#timer !== null) return
    const before = this.#current
    this.#timer = this.#host.clock.setTimer(LONGEST_WAIT_MS, () => {
      this.#timer = null
      this.watch()
      if (before !== this.#current || this.#made.length === 0) return
      this.#isLate = true
      this.#host.wake()
    })
  }

  unwatch(): void {
    this.#timer?.cancel()
    this.#timer = null
  }

  /** Nobody wants it any more. */
  leave(): void {
    const { cursor } = this.#taken
    this.#isLeft = true
    this.unwatch()
    this.#job.abandon(cursor.dropped)
    cursor.undelivered = null
  }

  /** Up to what takes its time, or the end; what fails ends it, too. */
  #advance(): Promise<AnyMessage> | null {
    for (;;) {
      const { value: message } = this.#messages.next()
      if (message === undefined) {
        this.#current = null
        this.#isDone = true
        return null
      }
      this.#current = message
      try {
        const made = deserialize(message, this.#decoding)
        if (made instanceof Promise) return made
        this.#add(message, made)
      } catch (cause) {
        this.#failed = { message, cause }
        return null
      }
    }
  }

  async #goOn(first: Promise<AnyMessage>): Promise<void> {
    const { cursor } = this.#taken
    let made: Promise<AnyMessage> | null = first
    for (let message = this.#current; made !== null && message !== null; message = this.#current) {
      this.#job.begin(cursor, message.offset)
      try {
        this.#add(message, await made)
        made = this.#isLeft ? null : this.#advance()
      } catch (cause) {
        this.#failed = { message, cause }
        made = null
      }
    }
    this.#job.end()
    this.#host.wake()
  }

  #add(origin: FetchedMessage, made: AnyMessage): void {
    this.#made.push(made)
    if (this.#decoding.intercept) this.#origins.push(origin)
  }
}
