/** Fails messages that have waited too long: for their topic, for a partition, or to be delivered. */
import { ErrorCode } from '@ottla/protocol'
import type { Snapshot } from '../cluster/snapshot.ts'
import { KafkaError } from '../errors.ts'
import type { Batch } from './queue/batch.ts'
import type { PartitionQueue } from './queue/partition-queue.ts'
import type { TopicQueue } from './queue/topic-queue.ts'
import { waitingReason } from './queue/waiting.ts'
import type { Delivery } from './report/delivery.ts'
import { expiry, failure } from './report/outcomes.ts'
import type { ShippedRequest } from './send/produce-request.ts'
import type { Sender } from './send/sender.ts'

const SLOWEST_SCAN_MS = 1000
const FASTEST_SCAN_MS = 10

/** The part of the cluster that expiry uses. */
export interface ExpiryCluster {
  /** Why no broker has answered a metadata request. */
  readonly metadataError?: KafkaError | null
  readonly metadata: {
    readonly snapshot: Snapshot
    requestRefresh(reason: string, topics?: readonly string[]): void
  }
}

export interface ExpirySettings {
  /** `message.timeout.ms`; Infinity for none. */
  readonly messageTimeoutMs: number
  /** `topic.metadata.propagation.max.ms` */
  readonly propagationMs: number
}

/** Scans the queues of all topics for expired messages. */
export class Expiry {
  /** How often to scan. */
  readonly scanMs: number
  readonly #cluster: ExpiryCluster
  readonly #settings: ExpirySettings
  readonly #topics: ReadonlyMap<string, TopicQueue>
  readonly #sender: Sender
  readonly #delivery: Delivery

  constructor(
    cluster: ExpiryCluster,
    settings: ExpirySettings,
    topics: ReadonlyMap<string, TopicQueue>,
    sender: Sender,
    delivery: Delivery,
  ) {
    this.#cluster = cluster
    this.#settings = settings
    this.#topics = topics
    this.#sender = sender
    this.#delivery = delivery
    const finest = Math.min(settings.messageTimeoutMs / 10, settings.propagationMs / 4)
    this.scanMs = Math.max(FASTEST_SCAN_MS, Math.min(SLOWEST_SCAN_MS, finest))
  }

  /** Fails messages that have waited too long. */
  scan(now: number): void {
    const { propagationMs, messageTimeoutMs } = this.#settings
    const before = now - messageTimeoutMs
    // Older than what waits.
    if (messageTimeoutMs !== Infinity)
      for (const request of [...this.#sender.requests()]) this.#expireSent(request, before)
    for (const topic of this.#topics.values()) {
      if (topic.isGivenUp(now, propagationMs)) {
        const text = `topic ${topic.name} does not exist, and was not created within ${propagationMs} ms`
        topic.fail(new KafkaError(ErrorCode.ERR__UNKNOWN_TOPIC, `${text} (topic.metadata.propagation.max.ms)`))
      }
      const { failedWith } = topic
      if (failedWith !== null) {
        this.failTopic(topic, failedWith)
        continue
      }
      this.#refuseImpossible(topic)
      if (messageTimeoutMs !== Infinity) for (const queue of topic.queues()) this.#expire(queue, before)
    }
  }

  #refuseImpossible(topic: TopicQueue): void {
    const { metadata } = this.#cluster
    const queues = topic.takeImpossible(metadata.snapshot.topics.get(topic.name)?.updatedAt ?? -Infinity)
    if (queues === undefined) metadata.requestRefresh('a partition is missing', [topic.name])
    else for (const queue of queues) this.#failQueue(queue, () => topic.noPartition(queue.partition))
  }

  /**
   * Each message has its own time: the oldest of a batch do not wait for its youngest.
   * @param before - the time (monotonic ms) at or before which messages were accepted whose time is over
   */
  #expire(queue: PartitionQueue, before: number): void {
    const errorOf = (batch: Batch): KafkaError =>
      this.#expiry(queue, queue.absence ?? batch.lastError ?? waitingReason(this.#cluster, queue))
    this.#settleAll(
      queue,
      queue.takeWhile(batch => batch.lastAt <= before),
      errorOf,
    )
    const head = queue.oldest
    if (head !== null) this.#expireFirst(queue, head, before, errorOf, head.unpersisted)
    this.#sender.list(queue)
  }

  // Unlike librdkafka, which closes the connection when the first message of a request runs out of time, this only
  // reports what is over: the broker may still answer the request, and nothing else becomes doubtful.
  #expireSent({ shipments, brokerId, isWritten }: ShippedRequest, before: number): void {
    for (const { queue, batch } of shipments) {
      if (batch.isSettled) continue
      const errorOf = (): KafkaError => {
        if (isWritten) return this.#expiry(queue, unanswered(brokerId))
        return this.#expiry(queue, waitingReason(this.#cluster, queue) ?? batch.lastError ?? unconnected(brokerId))
      }
      if (batch.lastAt > before) {
        this.#expireFirst(queue, batch, before, errorOf, isWritten ? 'possibly-persisted' : batch.unpersisted)
        continue
      }
      if (isWritten) {
        batch.doubt = 'possibly-persisted'
        // The socket may still be writing its bytes.
        batch.isBufferShared = true
      }
      this.#settleAll(queue, [batch], errorOf)
    }
  }

  #expireFirst(
    queue: PartitionQueue,
    batch: Batch,
    before: number,
    errorOf: (batch: Batch) => KafkaError,
    status: Batch['unpersisted'],
  ): void {
    if (batch.firstAt > before) return
    const end = batch.entries.acceptedBy(before)
    if (end <= batch.reported) return
    const error = errorOf(batch)
    this.#sender.lost(error)
    this.#delivery.settleFirst(queue.topic.name, queue.partition, batch, end, { ...failure(batch, error), status })
  }

  #expiry(queue: PartitionQueue, why: KafkaError | null): KafkaError {
    return expiry(queue, this.#settings.messageTimeoutMs, why)
  }

  /** Fails every message of the topic. */
  failTopic(topic: TopicQueue, error: KafkaError): void {
    for (const queue of topic.queues()) this.#failQueue(queue, () => error)
  }

  #failQueue(queue: PartitionQueue, errorOf: (batch: Batch) => KafkaError): void {
    this.#settleAll(queue, queue.drain(), errorOf)
  }

  #settleAll(queue: PartitionQueue, batches: readonly Batch[], errorOf: (batch: Batch) => KafkaError): void {
    for (const batch of batches) {
      const error = errorOf(batch)
      this.#sender.dropped(queue, batch, error)
      this.#delivery.settle(queue.topic.name, queue.partition, batch, failure(batch, error))
    }
  }
}

function unanswered(brokerId: number): KafkaError {
  return new KafkaError(ErrorCode.ERR__TIMED_OUT, `broker ${brokerId} has not answered the request`)
}

function unconnected(brokerId: number): KafkaError {
  return new KafkaError(ErrorCode.ERR__TIMED_OUT, `there has been no connection to broker ${brokerId} yet`)
}
