/**
 * `consume`: one loop over the consumer's events, which go to the calls that wait for a number of messages, in their
 * order, or else into the flow.
 */
import { ErrorCode, type ConsumerEvent, type KafkaError } from 'ottla'
import { call } from '../translate/calling.ts'
import { toLibrdKafkaError } from '../translate/errors.ts'
import { toMessage } from '../translate/messages.ts'
import type { LibrdKafkaError } from '../types/errors.ts'
import type { EofEvent, Message } from '../types/messages.ts'

/** What reading needs of its consumer. */
export interface ReadingHost {
  /** The next event; null after the timeout, or once the consumer is closed. */
  poll(timeoutMs: number): Promise<ConsumerEvent | null>
  /** Whether there is more to read: false once `disconnect` is called. */
  readonly isOpen: boolean
  onData(message: Message): void
  onEof(end: EofEvent): void
  onWarning(error: LibrdKafkaError): void
  onError(error: LibrdKafkaError): void
}

type TakeCallback = (error: LibrdKafkaError | null, messages?: Message[]) => unknown
type FlowCallback = (error: LibrdKafkaError | null, message?: Message) => unknown

/** A call that waits for messages. */
interface Request {
  readonly count: number
  readonly messages: Message[]
  /** How long it waits for each message. */
  timeoutMs: number
  /** When it ends unless another message comes. */
  endsAt: number
  readonly callback: TakeCallback
}

/** At the end of a partition, a call that has messages takes only what is there already. */
const NO_WAIT_MS = 1

/** Errors that `consume` reports; the others are the client's affair, and events. */
const ofReading: ReadonlySet<number> = new Set([
  ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART,
  ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED,
  ErrorCode.ERR_TOPIC_EXCEPTION,
  ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED,
  ErrorCode.ERR_INVALID_GROUP_ID,
  ErrorCode.ERR_INVALID_SESSION_TIMEOUT,
  ErrorCode.ERR_INCONSISTENT_GROUP_PROTOCOL,
  ErrorCode.ERR_GROUP_MAX_SIZE_REACHED,
  ErrorCode.ERR__AUTO_OFFSET_RESET,
  ErrorCode.ERR__LOG_TRUNCATION,
  ErrorCode.ERR__MAX_POLL_EXCEEDED,
])

const warnings: ReadonlySet<number> = new Set([
  ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART,
  ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED,
])

export function isOfReading(error: KafkaError): boolean {
  return error.isFatal || ofReading.has(error.code)
}

export class Reading {
  readonly #host: ReadingHost
  readonly #requests: Request[] = []
  #flow: { readonly timeoutMs: number; readonly callback: FlowCallback } | null = null
  #isRunning = false

  constructor(host: ReadingHost) {
    this.#host = host
  }

  get isFlowing(): boolean {
    return this.#flow !== null
  }

  /** Calls back with so many messages, or with those that have come, each within the timeout of the one before. */
  take(count: number, timeoutMs: number, callback: TakeCallback): void {
    this.#requests.push({ count, messages: [], timeoutMs, endsAt: now() + timeoutMs, callback })
    this.#start()
  }

  /** Reads on and on. @param timeoutMs how long one wait takes at most */
  flow(timeoutMs: number, callback: FlowCallback): void {
    this.#flow = { timeoutMs, callback }
    this.#start()
  }

  #start(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    void this.#run()
  }

  async #run(): Promise<void> {
    while (this.#host.isOpen && (this.#flow !== null || this.#requests.length > 0)) {
      try {
        const event = await this.#host.poll(this.#waitMs())
        if (event !== null) this.#take(event)
      } catch (error) {
        // Only a consumer that cannot be read from refuses.
        this.#fail(toLibrdKafkaError(error), true)
      }
      this.#endLate()
    }
    this.#isRunning = false
    if (this.#host.isOpen) return
    this.#flow = null
    for (const request of this.#requests.splice(0)) answer(request)
  }

  #waitMs(): number {
    if (this.#requests.length === 0) return this.#flow?.timeoutMs ?? 0
    const first = this.#requests.reduce((earliest, { endsAt }) => Math.min(earliest, endsAt), Infinity)
    return Math.max(0, Math.ceil(first - now()))
  }

  #take(event: ConsumerEvent): void {
    if (event.type === 'message') this.#deliver(toMessage(event.message))
    else if (event.type === 'partition-eof') this.#end(event)
    else if (event.type === 'error' && isOfReading(event.error)) this.#fail(toLibrdKafkaError(event.error))
  }

  #deliver(message: Message): void {
    const [request] = this.#requests
    this.#host.onData(message)
    if (request === undefined) {
      const flow = this.#flow
      if (flow !== null) call(() => flow.callback(null, message))
      return
    }
    request.messages.push(message)
    request.endsAt = now() + request.timeoutMs
    if (request.messages.length >= request.count) answer(this.#remove(request))
  }

  #end({ topic, partition, offset }: EofEvent): void {
    const [request] = this.#requests
    if (request !== undefined) {
      if (request.messages.length > 0) request.timeoutMs = NO_WAIT_MS
      request.endsAt = now() + request.timeoutMs
    }
    this.#host.onEof({ topic, offset, partition })
  }

  /** @param isLast nothing can be read any more */
  #fail(error: LibrdKafkaError, isLast = error.isFatal === true): void {
    const [request] = this.#requests
    if (request !== undefined) {
      this.#remove(request)
      if (request.messages.length === 0) call(() => request.callback(error))
      else {
        this.#host.onError(error)
        answer(request)
      }
      return
    }
    const flow = this.#flow
    if (flow === null) return
    if (warnings.has(error.code)) {
      this.#host.onWarning(error)
      return
    }
    if (isLast) this.#flow = null
    this.#host.onError(error)
    call(() => flow.callback(error))
  }

  /** Ends the calls whose time is over. */
  #endLate(): void {
    if (this.#requests.length === 0) return
    const time = now()
    for (const request of this.#requests.filter(({ endsAt }) => endsAt <= time)) answer(this.#remove(request))
  }

  #remove(request: Request): Request {
    this.#requests.splice(this.#requests.indexOf(request), 1)
    return request
  }
}

function answer({ callback, messages }: Request): void {
  call(() => callback(null, messages))
}

const now = (): number => performance.now()
