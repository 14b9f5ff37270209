/** From `produce` to the report: puts messages into the queues of their partitions, and runs linger and expiry. */
import { BatchWriter, crc32cImplementation, ErrorCode } from '@ottla/protocol'
import { Alarm } from '../base/alarm.ts'
import { Deadline } from '../base/clock.ts'
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { Threads } from '../base/threads.ts'
import { Ring } from '../base/ring.ts'
import { enqueueMicrotask } from '../base/microtask.ts'
import { TurnClock } from '../base/turn-clock.ts'
import { messageOf } from '../base/unknown-error.ts'
import type { Snapshot } from '../cluster/snapshot.ts'
import { KafkaError } from '../errors.ts'
import type { ChannelClient } from '../observe/channel-payloads.ts'
import type { EventHub } from '../observe/events.ts'
import type { Logger } from '../observe/logger.ts'
import type { ClientCounters } from '../observe/statistics/counters.ts'
import type { Bytes, Partitioner } from '../types.ts'
import { Expiry } from './expiry.ts'
import type { PipelineIdentity } from './idempotence/identity.ts'
import { Accumulator } from './queue/accumulator.ts'
import { eachRecord, type Batch, type RecordTaker } from './queue/batch.ts'
import type { ReportSink } from './queue/entries.ts'
import { plainHeaders, type PlainHeaders } from './queue/headers.ts'
import { checkFields, checkTopicName, payloadBytes, type AnyMessage } from './queue/message.ts'
import type { BatchLimits, PartitionQueue, QueueObserver } from './queue/partition-queue.ts'
import { chooserFor } from './queue/partitioner.ts'
import { TopicQueue } from './queue/topic-queue.ts'
import { place } from './queue/waiting.ts'
import { Delivery } from './report/delivery.ts'
import { failure } from './report/outcomes.ts'
import type { ProduceCluster, SenderSettings } from './send/context.ts'
import { Sender } from './send/sender.ts'

/** The part of the cluster that the pipeline uses. */
export interface PipelineCluster extends ProduceCluster {
  /** Why no broker has answered a metadata request. */
  readonly metadataError?: KafkaError | null
  readonly metadata: ProduceCluster['metadata'] & {
    readonly snapshot: Snapshot
    want(topic: string): void
    unwant(topic: string): void
    onChange(listener: (changedTopics: ReadonlySet<string>) => void): () => void
    refresh(topics: readonly string[], options: { readonly deadline: Deadline }): Promise<Snapshot>
  }
}

export interface PipelineSettings {
  readonly sender: SenderSettings
  readonly batch: BatchLimits
  /** `linger.ms` */
  readonly lingerMs: number
  /** `message.max.bytes` */
  readonly maxMessageBytes: number
  /** `queue.buffering.max.messages`; 0 for no limit. */
  readonly maxMessages: number
  /** `queue.buffering.max.kbytes` in bytes. */
  readonly maxBytes: number
  /** `topic.metadata.propagation.max.ms` */
  readonly propagationMs: number
  readonly partitioner: string | Partitioner
  /** `sticky.partitioning.linger.ms` */
  readonly stickyMs: number
  /** `delivery.report.only.error` */
  readonly onlyErrors: boolean
}

/** Makes the identity, which calls `onReady` when batches that waited for it can be sent. */
export type MakeIdentity = (onReady: () => void) => PipelineIdentity

export interface PipelineContext {
  /** As channels name it. */
  readonly client: ChannelClient
  readonly clock: Clock
  readonly random: Random
  readonly threads: Threads
  readonly logger: Logger
  readonly events: EventHub
  /** Null or undefined without statistics. */
  readonly counters?: ClientCounters | null
}

interface Lingering {
  readonly queue: PartitionQueue
  readonly batch: Batch
  readonly until: number
}

// The size of a record without headers, key and value.
const PLAIN_RECORD_BYTES = BatchWriter.estimateSize(null, null, undefined)
const FIRST_REFRESH_MS = 30_000
// The two clocks are read at different moments, so only a real step of the wall clock is adopted.
const WALL_STEP_MS = 20
const WALL_CHECK_MS = 100

/** Connects the parts of a producer. */
export class Pipeline implements QueueObserver {
  readonly accumulator: Accumulator
  readonly delivery: Delivery
  readonly sender: Sender
  /** Called with every new batch. */
  onBatch: (() => void) | null = null
  readonly #cluster: PipelineCluster
  readonly #settings: PipelineSettings
  readonly #context: PipelineContext
  readonly #clock: Clock
  readonly #turnClock: TurnClock
  readonly #identity: PipelineIdentity | null
  readonly #topics = new Map<string, TopicQueue>()
  readonly #lingering = new Ring<Lingering>()
  readonly #alarm: Alarm
  readonly #expiry: Expiry
  readonly #stopListening: () => void
  #lastTopic: TopicQueue | null = null
  #newTopics: string[] = []
  #knownBrokers: Snapshot['brokers']
  #nextScan = Infinity
  #lingerSkips = 0
  #wallOffset: number
  #nextWallCheck = -Infinity

  constructor(
    cluster: PipelineCluster,
    settings: PipelineSettings,
    context: PipelineContext,
    makeIdentity: MakeIdentity | null,
  ) {
    this.#cluster = cluster
    this.#settings = settings
    this.#context = context
    this.#clock = context.clock
    this.#turnClock = new TurnClock(context.clock)
    const { clock, events, logger } = context
    this.#identity = makeIdentity === null ? null : makeIdentity(() => this.#listAll())
    this.#wallOffset = clock.wallTime() - clock.now()
    this.accumulator = new Accumulator(settings.maxMessages, settings.maxBytes)
    this.delivery = new Delivery(this.accumulator, events, logger, this.#turnClock, settings.onlyErrors)
    this.#alarm = new Alarm(clock, () => this.#tick())
    const wakeAt = (at: number): void => this.#alarm.set(at)
    this.sender = new Sender(cluster, settings.sender, context, this.delivery, this.#identity, this.#turnClock, wakeAt)
    const limits = { messageTimeoutMs: settings.sender.messageTimeoutMs, propagationMs: settings.propagationMs }
    this.#expiry = new Expiry(cluster, limits, this.#topics, this.sender, this.delivery)
    this.#knownBrokers = cluster.metadata.snapshot.brokers
    this.#stopListening = cluster.metadata.onChange(changed => this.#onMetadata(changed))
  }

  /** Null unless the producer is idempotent. */
  get identity(): PipelineIdentity | null {
    return this.#identity
  }

  /** The topics that something was produced to. */
  topics(): Iterable<TopicQueue> {
    return this.#topics.values()
  }

  /** Requests a producer id if needed, and loads the codec; batches wait until both are there. */
  prepare(): void {
    this.#identity?.start()
    // Loading native code takes milliseconds: do it before the first message.
    crc32cImplementation()
    const { codec } = this.#settings.sender
    if (codec === null) return
    const loading = codec.ready()
    if (loading === null) {
      this.sender.release()
      return
    }
    loading.then(
      () => this.sender.release(),
      (error: unknown) => {
        const why = messageOf(error)
        this.#context.logger.error('CODEC', `${codec.name} cannot be used: ${why}`)
        // Each batch will fail with this reason when it is sealed.
        this.sender.release()
      },
    )
  }

  /**
   * Accepts one message with serialized key and value.
   * @returns the queue that has it
   * @throws KafkaError like `Producer.produce`, with nothing accepted
   */
  put(
    message: AnyMessage,
    key: Bytes | null | undefined,
    value: Bytes | null | undefined,
    sink: ReportSink,
  ): PartitionQueue {
    key ??= null
    value ??= null
    const topic = message.topic === this.#lastTopic?.name ? this.#lastTopic : this.#topicOf(message.topic)
    let headers: PlainHeaders | undefined
    let size = PLAIN_RECORD_BYTES
    if (
      value instanceof Uint8Array &&
      message.headers === undefined &&
      message.partition === undefined &&
      message.timestamp === undefined &&
      (key === null || key instanceof Uint8Array)
    ) {
      size += value.length + (key === null ? 0 : key.length)
    } else {
      checkFields(message, key, value)
      headers = plainHeaders(message.topic, message.headers)
      size = BatchWriter.estimateSize(key, value, headers)
    }
    const { accumulator } = this
    if (size > this.#settings.maxMessageBytes || !accumulator.hasRoom(size))
      size = this.#checkSize(message.topic, key, value, headers, size)
    const now = this.#turnClock.now()
    const queue = topic.queueFor(message, key, now)
    const timestamp = message.timestamp ?? Math.floor(now + this.#wallOffset)
    const bytes =
      queue.partition >= 0
        ? queue.append(message, sink, key, value, headers, timestamp, now, size)
        : queue.hold(message, sink, { key, value, headers, timestamp }, now, size)
    accumulator.messages++
    accumulator.bytes += bytes
    return queue
  }

  /** An upper bound of a message's bytes in the queue, for `Accumulator.waitForRoom`. */
  sizeOf(message: AnyMessage, key: Bytes | null, value: Bytes | null): number {
    checkFields(message, key, value)
    return closeBound(key, value, plainHeaders(message.topic, message.headers))
  }

  /** Stops all linger until the returned function is called. */
  skipLinger(): () => void {
    this.#lingerSkips++
    for (const topic of this.#topics.values()) {
      for (const queue of topic.queues()) {
        queue.endLinger()
        this.sender.list(queue)
      }
    }
    let ended = false
    return () => {
      if (!ended) this.#lingerSkips--
      ended = true
    }
  }

  /**
   * Reports queued messages, those in flight, or both as purged.
   * @param cause - why, unless the application asked for it
   */
  purge(queued: boolean, inFlight: boolean, cause: KafkaError | null = null): void {
    if (queued) {
      // As in librdkafka, a request that waits for a connection is still in the queue.
      this.#discardRequests(false, queue => purgedQueue(queue, cause))
      for (const topic of this.#topics.values()) {
        for (const queue of topic.queues()) {
          const error = purgedQueue(queue, cause)
          for (const batch of queue.drain()) this.#discard(queue, batch, error)
        }
      }
    }
    if (inFlight) this.#discardRequests(true, queue => KafkaError.of(ErrorCode.ERR__PURGE_INFLIGHT, queue.name))
  }

  /** Stops the timers and releases the topics. */
  close(): void {
    this.#alarm.cancel()
    this.#identity?.close()
    this.#stopListening()
    for (const name of this.#topics.keys()) this.#cluster.metadata.unwant(name)
    this.delivery.close()
  }

  // QueueObserver

  onOpened(queue: PartitionQueue, batch: Batch): void {
    if (this.onBatch !== null) this.onBatch()
    if (this.#nextScan === Infinity) {
      this.#nextScan = batch.lastAt + this.#expiry.scanMs
      this.#alarm.set(this.#nextScan)
    }
    if (queue.partition < 0) return
    const { lingerMs } = this.#settings
    const until = batch.firstAt + lingerMs
    // Messages that waited for metadata have lingered already.
    if (lingerMs === 0 || this.#lingerSkips > 0 || until <= this.#turnClock.now()) {
      batch.isDue = true
      this.sender.list(queue)
      return
    }
    this.#lingering.push({ queue, batch, until })
    this.#alarm.set(until)
    this.sender.preconnect(queue.leader)
  }

  onFull(queue: PartitionQueue): void {
    this.sender.list(queue)
  }

  wallOffset(): number {
    const now = this.#turnClock.now()
    if (now >= this.#nextWallCheck) {
      this.#nextWallCheck = now + WALL_CHECK_MS
      const offset = this.#clock.wallTime() - this.#clock.now()
      if (Math.abs(offset - this.#wallOffset) > WALL_STEP_MS) this.#wallOffset = offset
    }
    return this.#wallOffset
  }

  // The estimate is over a limit: compute the size before refusing the message.
  #checkSize(
    topic: string,
    key: Bytes | null,
    value: Bytes | null,
    headers: PlainHeaders | undefined,
    estimate: number,
  ): number {
    const payload = payloadBytes(key, value, headers)
    const { maxMessageBytes } = this.#settings
    if (payload > maxMessageBytes) {
      const text = `a message of ${payload} bytes to ${topic} is over message.max.bytes (${maxMessageBytes})`
      throw new KafkaError(ErrorCode.ERR_MSG_SIZE_TOO_LARGE, text)
    }
    const size = Math.min(estimate, closeBound(key, value, headers))
    if (!this.accumulator.hasRoom(size)) {
      const text = `the queue is full (${this.accumulator.limits}); wait for delivery reports, or use send()`
      throw new KafkaError(ErrorCode.ERR__QUEUE_FULL, text)
    }
    return size
  }

  #topicOf(name: string): TopicQueue {
    let topic = this.#topics.get(name)
    if (topic === undefined) {
      checkTopicName(name)
      const { partitioner, stickyMs, batch } = this.#settings
      const now = this.#clock.now()
      topic = new TopicQueue(name, chooserFor(partitioner, stickyMs, this.#context.random), batch, this, now)
      this.#topics.set(name, topic)
      this.#cluster.metadata.want(name)
      if (this.#cluster.metadata.snapshot.topics.has(name)) this.#update(topic)
      else this.#requestTopic(name)
    }
    this.#lastTopic = topic
    return topic
  }

  // Requests new topics at once, all of this turn together; the cache's own refreshes come later and at intervals.
  #requestTopic(name: string): void {
    this.#newTopics.push(name)
    if (this.#newTopics.length > 1) return
    enqueueMicrotask(() => {
      const names = this.#newTopics
      this.#newTopics = []
      const deadline = Deadline.after(this.#clock, FIRST_REFRESH_MS)
      this.#cluster.metadata.refresh(names, { deadline }).catch((error: unknown) => {
        const why = messageOf(error)
        this.#context.logger.debug('topic', 'METADATA', `${names.join(', ')}: ${why}`)
      })
    })
  }

  #onMetadata(changed: ReadonlySet<string>): void {
    for (const name of changed) {
      const topic = this.#topics.get(name)
      if (topic !== undefined) this.#update(topic)
    }
    const { brokers } = this.#cluster.metadata.snapshot
    if (brokers === this.#knownBrokers) return
    this.#knownBrokers = brokers
    this.#listAll()
  }

  #listAll(): void {
    for (const topic of this.#topics.values()) for (const queue of topic.queues()) this.sender.list(queue)
  }

  #update(topic: TopicQueue): void {
    const change = topic.update(this.#cluster.metadata.snapshot.topics.get(topic.name), this.#clock.now())
    switch (change.is) {
      case 'nothing':
        return
      case 'failed':
        this.#expiry.failTopic(topic, change.error)
        return
      case 'usable': {
        const isEager = topic.unassigned.isEager
        topic.unassigned.isEager = false
        this.#assign(topic)
        for (const queue of topic.queues()) {
          if ((isEager || queue.isEager) && !queue.isEmpty) this.sender.eager(queue)
          this.sender.list(queue)
        }
        return
      }
      default:
        return change satisfies never
    }
  }

  /** Assigns messages that were accepted before the metadata came to partitions, in order. */
  #assign(topic: TopicQueue): void {
    for (const batch of topic.unassigned.drain()) {
      this.accumulator.add(0, -batch.queuedBytes)
      const refused: (() => void)[] = []
      const assign: RecordTaker = (message, sink, record, enqueuedAt) => {
        try {
          const queue = topic.queueForHeld(message, record.key, enqueuedAt)
          this.accumulator.add(0, place(queue, message, sink, record, enqueuedAt))
        } catch (error) {
          refused.push(() => this.#refuse(topic, message, sink, enqueuedAt, error))
        }
      }
      eachRecord(batch, assign, batch.reported)
      batch.isSettled = true
      batch.dispose()
      // Reported last, so that messages produced from within a report come after those accepted before.
      for (const report of refused) report()
    }
  }

  #refuse(topic: TopicQueue, message: AnyMessage, sink: ReportSink, enqueuedAt: number, error: unknown): void {
    const why = messageOf(error)
    const reported =
      error instanceof KafkaError
        ? error
        : new KafkaError(ErrorCode.ERR__FAIL, `${topic.name}: ${why}`, { cause: error })
    this.#identity?.lost(reported)
    this.delivery.refuse(topic.name, message, sink, enqueuedAt, this.#wallOffset, reported)
  }

  #discardRequests(written: boolean, errorOf: (queue: PartitionQueue) => KafkaError): void {
    for (const { shipments, isWritten } of [...this.sender.requests()]) {
      if (isWritten !== written) continue
      for (const { queue, batch } of shipments) {
        if (batch.isSettled) continue
        if (isWritten) {
          // The socket may still be writing its bytes.
          batch.isBufferShared = true
          batch.doubt = 'possibly-persisted'
        }
        this.#discard(queue, batch, errorOf(queue))
      }
    }
  }

  #discard(queue: PartitionQueue, batch: Batch, error: KafkaError): void {
    this.sender.dropped(queue, batch, null)
    this.delivery.settle(queue.topic.name, queue.partition, batch, failure(batch, error))
  }

  #tick(): void {
    const now = this.#clock.now()
    for (let first = this.#lingering.peek(); first !== undefined; first = this.#lingering.peek()) {
      const { queue, batch, until } = first
      if (!batch.isSettled && !batch.isDue && until > now) break
      this.#lingering.shift()
      if (batch.isSettled || batch.isDue) continue
      batch.isDue = true
      this.sender.list(queue)
    }
    this.sender.tick(now)
    if (now >= this.#nextScan) {
      this.#expiry.scan(now)
      this.#nextScan = this.accumulator.messages > 0 ? now + this.#expiry.scanMs : Infinity
    }
    const first = this.#lingering.peek()
    if (first !== undefined) this.#alarm.set(first.until)
    if (this.#nextScan !== Infinity) this.#alarm.set(this.#nextScan)
  }
}

function purgedQueue(queue: PartitionQueue, cause: KafkaError | null): KafkaError {
  return KafkaError.of(ErrorCode.ERR__PURGE_QUEUE, queue.name, cause?.message, { cause })
}

/** A closer upper bound of a record's bytes, with strings measured. */
function closeBound(key: Bytes | null, value: Bytes | null, headers: PlainHeaders | undefined): number {
  return BatchWriter.estimateSize(null, null, headers) + payloadBytes(key, value, undefined)
}
