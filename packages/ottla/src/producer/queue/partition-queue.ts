/** The batches that wait to be sent to one partition, in order. */
import { Ring } from '../../base/ring.ts'
import type { KafkaError } from '../../errors.ts'
import type { Bytes } from '../../types.ts'
import { Batch, type HeldRecord, type Identity } from './batch.ts'
import type { ReportSink } from './entries.ts'
import type { PlainHeaders } from './headers.ts'
import type { AnyMessage } from './message.ts'

/** Limits of a batch, from the configuration. */
export interface BatchLimits {
  /** `batch.size`, at most `message.max.bytes`; bytes before compression. */
  readonly maxBytes: number
  /** `batch.num.messages` */
  readonly maxMessages: number
}

/** Called as messages are added to a queue. */
export interface QueueObserver {
  /** A batch was opened: its linger begins. */
  onOpened(queue: PartitionQueue, batch: Batch): void
  /** A batch is full and can be sent. */
  onFull(queue: PartitionQueue): void
  /** Milliseconds since the epoch minus the monotonic clock's milliseconds. */
  wallOffset(): number
}

/** The part of the topic that its queues use. */
export interface QueueTopic {
  readonly name: string
  /** ZERO_UUID while unknown. */
  readonly topicId: string
}

const SMALLEST_BUFFER = 4096
const none: readonly Batch[] = []

/**
 * Batches in the order of their messages: those to be retried come first, then the full ones, then the open one.
 * A batch in flight is in none of the lists and comes back through `retry`. Plain fields: this is the hot path.
 */
export class PartitionQueue {
  readonly topic: QueueTopic
  /** -1 for messages whose topic is not known yet. */
  readonly partition: number
  /** Broker id, -1 if there is none. */
  leader = -1
  /** Batches in flight, and the broker they went to. */
  inFlight = 0
  inFlightTo = -1
  /** Monotonic ms; nothing is sent before. */
  retryAt = 0
  /** Its batches do not linger once it has a leader. @internal */
  isEager = false
  /** Broker id of the outbox that sends its open batch as soon as no request is in flight, -1 for none. @internal */
  eagerIn = -1
  /** The error while the topic no longer has this partition; it may come back. */
  absence: KafkaError | null = null
  /** Broker id of the outbox that lists it, -1 for none. @internal */
  listedIn = -1
  /** The last request that took a batch of it: a request has at most one. @internal */
  takenFor: unknown = null
  /** The id that its batches are stamped with (idempotence). Sequence numbers start at the message `baseMsgid`. */
  identity: Identity | null = null
  baseMsgid = 0
  /** The partition's leader has acknowledged a batch of this identity, so it checks the sequence of the next ones. */
  isAcknowledged = false
  /** The message after the last acknowledged one. */
  acknowledgedTo = 0
  /** The message after the last stamped one. */
  stampedTo = 0
  /** A stamped batch was given up: the sequence has to restart with another id or epoch. */
  hasGap = false
  /** Batches given up under this identity may still be written. */
  hasStragglers = false
  /** Number of the next message. */
  nextMsgid = 0
  readonly #limits: BatchLimits
  readonly #observer: QueueObserver
  #open: Batch | null = null
  readonly #waiting = new Ring<Batch>()
  #retries: Batch[] = []
  /** How many batches of `#retries` are set aside. */
  #setAsideCount = 0
  #lastSize = SMALLEST_BUFFER

  constructor(topic: QueueTopic, partition: number, limits: BatchLimits, observer: QueueObserver) {
    this.topic = topic
    this.partition = partition
    this.#limits = limits
    this.#observer = observer
  }

  /** The name for errors and logs: `orders [3]`. */
  get name(): string {
    return this.partition < 0 ? this.topic.name : `${this.topic.name} [${this.partition}]`
  }

  /** Whether no batch waits here; batches in flight do not count. */
  get isEmpty(): boolean {
    return this.#retries.length === 0 && this.#waiting.length === 0
  }

  /** The batch to be sent next, or null. */
  get head(): Batch | null {
    return this.#retries[this.#firstRetry] ?? this.#waiting.peek() ?? null
  }

  /** The oldest waiting batch, or null. */
  get oldest(): Batch | null {
    return this.#retries[0] ?? this.#waiting.peek() ?? null
  }

  /** Batches set aside stay where they are while others are sent. */
  get #firstRetry(): number {
    if (this.#setAsideCount === 0) return 0
    return Math.max(
      0,
      this.#retries.findIndex(batch => !batch.isSetAside),
    )
  }

  /**
   * Adds a message.
   * @param now - when it was accepted, monotonic ms
   * @param size - an upper bound of its record's bytes
   * @returns its record's bytes
   */
  append(
    message: AnyMessage,
    sink: ReportSink,
    key: Bytes | null,
    value: Bytes | null,
    headers: PlainHeaders | undefined,
    timestamp: number,
    now: number,
    size: number,
  ): number {
    let batch = this.#open
    if (batch === null || batch.writer.sizeBytes + size > this.#limits.maxBytes) batch = this.#next(size)
    // A batch joins the queue only once it has a record: an append that throws leaves no trace.
    const bytes = batch.writer.append(key, value, headers, timestamp)
    const { entries } = batch
    entries.add(message, sink, now)
    batch.queuedBytes += bytes
    this.nextMsgid++
    if (entries.count === 1) this.#joined(batch)
    if (entries.count >= this.#limits.maxMessages) this.#full()
    return bytes
  }

  /** The same for a message without a partition yet. */
  hold(message: AnyMessage, sink: ReportSink, record: HeldRecord, now: number, size: number): number {
    let batch = this.#open
    if (batch === null || batch.queuedBytes + size > this.#limits.maxBytes) batch = this.#next(0)
    batch.hold(message, sink, record, now, size)
    this.nextMsgid++
    if (batch.count === 1) this.#joined(batch)
    if (batch.count >= this.#limits.maxMessages) this.#full()
    return size
  }

  /** Closes the open batch to further messages. */
  close(): void {
    if (this.#open === null) return
    this.#lastSize = this.#open.writer.sizeBytes
    this.#open = null
  }

  /** Closes the next batch to further messages. */
  closeHead(): void {
    if (this.#waiting.peek() === this.#open) this.close()
  }

  /** Ends the linger of the open batch. */
  endLinger(): void {
    if (this.#open !== null) this.#open.isDue = true
  }

  /** Whether the head may be sent, as far as the queue knows: not before its time, and retries one at a time. */
  isReady(now: number): boolean {
    const { head } = this
    if (head === null || head.isCompressing || now < this.retryAt) return false
    if (this.#retries.length > 0) return this.inFlight === 0
    return head !== this.#open || head.isDue
  }

  /** Removes the head, to be sent to a broker. */
  take(brokerId: number): Batch | null {
    const batch = this.#shiftHead()
    if (batch === undefined) return null
    this.inFlight++
    this.inFlightTo = brokerId
    return batch
  }

  /** Puts what is left of the head in its place. */
  replaceHead(rest: Batch): void {
    this.#shiftHead()
    this.putBack([rest])
  }

  /** A batch in flight was settled. */
  settle(): void {
    this.inFlight--
  }

  /** A batch in flight has to be retried, before all younger ones. */
  retry(batch: Batch, retryAt: number): void {
    this.restore()
    this.inFlight--
    this.retryAt = Math.max(this.retryAt, retryAt)
    this.putBack([batch])
  }

  /** Inserts batches among those to be retried, in the order of their messages. */
  putBack(batches: readonly Batch[]): void {
    this.#retries.push(...batches)
    this.#retries.sort((a, b) => a.baseMsgid - b.baseMsgid)
  }

  /** Like `retry`, for a batch that may be in the log: sets it aside until the outcome of those behind it shows. */
  setAside(batch: Batch): void {
    this.inFlight--
    batch.isSetAside = true
    this.#setAsideCount++
    this.putBack([batch])
  }

  /** Batches set aside are retried like any other, in order. */
  restore(): void {
    if (this.#setAsideCount === 0) return
    this.#setAsideCount = 0
    for (const batch of this.#retries) batch.isSetAside = false
  }

  /** Removes the batches set aside: a batch behind them was acknowledged, so they are in the log. */
  takeSetAside(): readonly Batch[] {
    if (this.#setAsideCount === 0) return none
    this.#setAsideCount = 0
    const known = this.#retries.filter(batch => batch.isSetAside)
    this.#retries = this.#retries.filter(batch => !batch.isSetAside)
    return known
  }

  /** Removes all waiting batches, oldest first. */
  drain(): Batch[] {
    this.restore()
    const all = this.#retries
    this.#retries = []
    this.close()
    for (let batch = this.#waiting.shift(); batch !== undefined; batch = this.#waiting.shift()) all.push(batch)
    return all
  }

  /** Removes batches from the front while `isOver` returns true. */
  takeWhile(isOver: (batch: Batch) => boolean): Batch[] {
    const over: Batch[] = []
    for (let head = this.oldest; head !== null && isOver(head); head = this.oldest) {
      this.restore()
      over.push(head)
      if (this.#retries.length > 0) this.#retries.shift()
      else if (this.#waiting.shift() === this.#open) this.close()
    }
    return over
  }

  /** Whether the youngest waiting batch is open. */
  get isGrowing(): boolean {
    return this.#open !== null
  }

  /** The waiting batches, oldest first. */
  *batches(): Generator<Batch> {
    yield* this.#retries
    for (let i = 0; i < this.#waiting.length; i++) yield this.#waiting.peek(i) as Batch // i is below the length
  }

  #shiftHead(): Batch | undefined {
    if (this.#retries.length > 0) return this.#retries.splice(this.#firstRetry, 1)[0]
    const batch = this.#waiting.shift()
    if (batch === this.#open) this.close()
    return batch
  }

  #next(size: number): Batch {
    if (this.#open !== null) this.#full()
    // As large as the last batch: a busy partition then never copies a growing buffer.
    const capacity = Math.min(Math.max(this.#lastSize, size), this.#limits.maxBytes)
    return new Batch(capacity, this.nextMsgid, this.#observer.wallOffset())
  }

  #joined(batch: Batch): void {
    this.#open = batch
    this.#waiting.push(batch)
    this.#observer.onOpened(this, batch)
  }

  #full(): void {
    this.close()
    this.#observer.onFull(this)
  }
}
