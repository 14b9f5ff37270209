/** A batch whose messages are being deserialized. */
import type { Timer } from '../../base/clock.ts'
import type { Message } from '../../types.ts'
import type { TakenBatch } from '../fetch/fetch-queue.ts'
import type { FetchedMessage } from '../partition/message.ts'
import { DecodingJob, type DecoderHost } from './decoder.ts'
import { deserialize, intercepted, type Decoding } from './decoding.ts'
import { fetchedMessages, MessageBatch } from './message-batch.ts'

type AnyMessage = Message<unknown, unknown>

/** How long deserialized messages wait for the next one, ms. */
const LONGEST_WAIT_MS = 500

/** Deserializes in the background, whether or not a call waits for it. */
export class BatchDecoder<K, V> {
  readonly #taken: TakenBatch
  readonly #decoding: Decoding
  readonly #host: DecoderHost
  readonly #job: DecodingJob
  readonly #messages: Iterator<FetchedMessage, undefined>
  /** Deserialized, and not delivered. */
  #made: AnyMessage[] = []
  /** The origins of these, for interceptors. */
  #origins: FetchedMessage[] = []
  /** The message that is being deserialized. */
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
    if (made !== null) void this.#continue(made)
  }

  /** The offset of the first message that is not delivered. */
  get offset(): number {
    return this.#made[0]?.offset ?? this.#current?.offset ?? this.#taken.lastOffset + 1
  }

  /** Nothing more of it will be delivered. */
  get isOver(): boolean {
    const { cursor, era } = this.#taken
    return (this.#isDone && this.#made.length === 0) || cursor.dropped || cursor.offsets.era !== era
  }

  /** What is not delivered. */
  get rest(): TakenBatch {
    return { ...this.#taken, firstOffset: this.offset, count: this.#taken.count - this.#handedOut }
  }

  get isPaused(): boolean {
    return this.#taken.cursor.paused
  }

  /** The next message, if it cannot be deserialized, and why. */
  get failed(): { readonly message: FetchedMessage; readonly cause: unknown } | null {
    return this.#made.length === 0 ? this.#failed : null
  }

  /** The deserialized messages, once they are all, or the next one has failed or takes too long. */
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

  /** The reader gives it up. */
  leave(): void {
    const { cursor } = this.#taken
    this.#isLeft = true
    this.unwatch()
    this.#job.abandon(cursor.dropped)
    cursor.undelivered = null
  }

  /** Deserializes up to the first promise, the first failure or the end. @returns the promise */
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

  async #continue(first: Promise<AnyMessage>): Promise<void> {
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
