/** What waits to be sent to one partition, in order. */
import { Ring } from '../../base/ring.ts'
import type { KafkaError } from '../../errors.ts'
import type { Bytes } from '../../types.ts'
import { Batch, type HeldRecord, type Identity } from './batch.ts'
import type { ReportSink } from './entries.ts'
import type { PlainHeaders } from './headers.ts'
import type { AnyMessage } from './message.ts'

/** Limits of a batch, from the configuration. */
export interface BatchLimits {
  /** `batch.size`, but no more than `message.max.bytes`; bytes before compression. */
  readonly maxBytes: number
  /** `batch.num.messages` */
  readonly maxMessages: number
}

/** Hears of what happens to a queue while messages are put in. */
export interface QueueObserver {
  /** A batch was begun: its time to wait for company runs from now on. */
  onOpened(queue: PartitionQueue, batch: Batch): void
  /** A batch is full, so that it may leave. */
  onFull(queue: PartitionQueue): void
  /** Milliseconds since the epoch less the monotonic clock's milliseconds. */
  wallOffset(): number
}

/** The topic, as far as its queues have to know it. */
export interface QueueTopic {
  readonly name: string
  /** ZERO_UUID while it is not known. */
  readonly topicId: string
}

const SMALLEST_BUFFER = 4096
const none: readonly Batch[] = []

/**
 * Batches in the order of their messages: those that have to be sent again come first, then the full ones, then
 * the one that still grows. A batch that is in flight is in none of the lists and comes back through `retry`.
 * Plain fields: this is the hot path.
 */
export class PartitionQueue {
  readonly topic: QueueTopic
  /** -1 for messages whose topic is not known yet. */
  readonly partition: number
  /** Broker id, -1 while there is none. */
  leader = -1
  /** Batches in flight, and the broker they went to. */
  inFlight = 0
  inFlightTo = -1
  /** Monotonic ms; nothing leaves before. */
  retryAt = 0
  /** What it holds shall not wait for company once it has a leader. @internal */
  isEager = false
  /** Broker id of the outbox that sends its open batch as soon as no request is under way, -1 for none. @internal */
  eagerIn = -1
  /** Why nothing can be sent while the topic has no such partition any more; it may come back. */
  absence: KafkaError | null = null
  /** Broker id of the outbox it stands in, -1 for none. @internal */
  listedIn = -1
  /** The request that took a batch of it last: one request has at most one. @internal */
  takenFor: unknown = null
  /** Id that its batches are stamped with (idempotence). Sequence numbers count from the message `baseMsgid` on. */
  identity: Identity | null = null
  baseMsgid = 0
  /** The partition's leader has acknowledged a batch of this identity: it checks the numbers of the next ones. */
  isAcknowledged = false
  /** The message behind the last one that was acknowledged. */
  acknowledgedTo = 0
  /** The message behind the last one that was stamped. */
  stampedTo = 0
  /** A stamped batch was given up: the numbers have to begin anew under another id or epoch. */
  hasGap = false
  /** What was given up under this identity may be written yet. */
  hasStragglers = false
  /** Number of the next message. */
  nextMsgid = 0
  readonly #limits: BatchLimits
  readonly #observer: QueueObserver
  #open: Batch | null = null
  readonly #waiting = new Ring<Batch>()
  #again: Batch[] = []
  /** How many of those go again may be in the log. */
  #forgotten = 0
  #lastSize = SMALLEST_BUFFER

  constructor(topic: QueueTopic, partition: number, limits: BatchLimits, observer: QueueObserver) {
    this.topic = topic
    this.partition = partition
    this.#limits = limits
    this.#observer = observer
  }

  /** As errors and logs name it: `orders [3]`. */
  get name(): string {
    return this.partition < 0 ? this.topic.name : `${this.topic.name} [${this.partition}]`
  }

  /** Whether nothing waits here; what is in flight does not count. */
  get isEmpty(): boolean {
    return this.#again.length === 0 && this.#waiting.length === 0
  }

  /** The batch that is sent next, or null. */
  get head(): Batch | null {
    return this.#again[this.#firstAgain] ?? this.#waiting.peek() ?? null
  }

  /** The oldest batch that waits, or null. */
  get oldest(): Batch | null {
    return this.#again[0] ?? this.#waiting.peek() ?? null
  }

  /** Those that may be in the log stay where they are while others are tried. */
  get #firstAgain(): number {
    if (this.#forgotten === 0) return 0
    return Math.max(
      0,
      this.#again.findIndex(batch => !batch.isForgotten),
    )
  }

  /**
   * Puts a message in.
   * @param now - monotonic ms of its acceptance
   * @param size - an upper bound of the bytes that its record takes
   * @returns the bytes that its record takes
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
    // Only once a record is in it does the batch join the queue: an append that throws leaves no trace.
    const bytes = batch.writer.append(key, value, headers, timestamp)
    const { entries } = batch
    entries.add(message, sink, now)
    batch.queuedBytes += bytes
    this.nextMsgid++
    if (entries.count === 1) this.#joined(batch)
    if (entries.count >= this.#limits.maxMessages) this.#full()
    return bytes
  }

  /** The same for a message that has no partition yet. */
  hold(message: AnyMessage, sink: ReportSink, record: HeldRecord, now: number, size: number): number {
    let batch = this.#open
    if (batch === null || batch.queuedBytes + size > this.#limits.maxBytes) batch = this.#next(0)
    batch.hold(message, sink, record, now, size)
    this.nextMsgid++
    if (batch.count === 1) this.#joined(batch)
    if (batch.count >= this.#limits.maxMessages) this.#full()
    return size
  }

  /** No more messages into the batch that grows at present. */
  close(): void {
    if (this.#open === null) return
    this.#lastSize = this.#open.writer.sizeBytes
    this.#open = null
  }

  /** No more messages into the batch that is sent next. */
  closeHead(): void {
    if (this.#waiting.peek() === this.#open) this.close()
  }

  /** The batch that grows at present does not have to wait any longer. */
  endLinger(): void {
    if (this.#open !== null) this.#open.isDue = true
  }

  /** Whether the head may leave, as far as the queue itself knows: not before its time, and no retry before its turn. */
  isReady(now: number): boolean {
    const { head } = this
    if (head === null || head.isCompressing || now < this.retryAt) return false
    if (this.#again.length > 0) return this.inFlight === 0
    return head !== this.#open || head.isDue
  }

  /** Takes the head out to be sent to a broker. */
  take(brokerId: number): Batch | null {
    let batch: Batch | undefined
    if (this.#again.length > 0) [batch] = this.#again.splice(this.#firstAgain, 1)
    else {
      batch = this.#waiting.shift()
      if (batch === this.#open) this.close()
    }
    if (batch === undefined) return null
    this.inFlight++
    this.inFlightTo = brokerId
    return batch
  }

  /** A batch that was in flight is done with. */
  settle(): void {
    this.inFlight--
  }

  /** A batch that was in flight has to go again: before all younger ones. */
  retry(batch: Batch, retryAt: number): void {
    this.remember()
    this.inFlight--
    this.retryAt = Math.max(this.retryAt, retryAt)
    this.putBack([batch])
  }

  /** Puts batches to where the numbers of their messages belong, among those that go again. */
  putBack(batches: readonly Batch[]): void {
    this.#again.push(...batches)
    this.#again.sort((a, b) => a.baseMsgid - b.baseMsgid)
  }

  /** As `retry`, of one that may be in the log: those behind it are tried first, and tell. */
  forget(batch: Batch): void {
    this.inFlight--
    batch.isForgotten = true
    this.#forgotten++
    this.putBack([batch])
  }

  /** Those that may be in the log are tried again like any other, in their order. */
  remember(): void {
    if (this.#forgotten === 0) return
    this.#forgotten = 0
    for (const batch of this.#again) batch.isForgotten = false
  }

  /** Takes out those that may be in the log: one behind them has been acknowledged, and so they are. */
  takeForgotten(): readonly Batch[] {
    if (this.#forgotten === 0) return none
    this.#forgotten = 0
    const known = this.#again.filter(batch => batch.isForgotten)
    this.#again = this.#again.filter(batch => !batch.isForgotten)
    return known
  }

  /** Takes out every batch that waits, oldest first. */
  drain(): Batch[] {
    this.remember()
    const all = this.#again
    this.#again = []
    this.close()
    for (let batch = this.#waiting.shift(); batch !== undefined; batch = this.#waiting.shift()) all.push(batch)
    return all
  }

  /** Takes out the batches from the front for as long as `isOver` says so. */
  takeWhile(isOver: (batch: Batch) => boolean): Batch[] {
    const over: Batch[] = []
    for (let head = this.oldest; head !== null && isOver(head); head = this.oldest) {
      this.remember()
      over.push(head)
      if (this.#again.length > 0) this.#again.shift()
      else if (this.#waiting.shift() === this.#open) this.close()
    }
    return over
  }

  /** Whether the youngest of the batches that wait may still take messages. */
  get isGrowing(): boolean {
    return this.#open !== null
  }

  /** The batches that wait, oldest first. */
  *batches(): Generator<Batch> {
    yield* this.#again
    for (let i = 0; i < this.#waiting.length; i++) yield this.#waiting.peek(i) as Batch // i is below the length
  }

  #next(size: number): Batch {
    if (this.#open !== null) this.#full()
    // As large as the last one became: then a busy partition never copies a growing buffer.
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
