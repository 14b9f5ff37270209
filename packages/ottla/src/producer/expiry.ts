/** Fails messages that have waited too long: for their topic, for a partition, or to be delivered. */
import { ErrorCode } from '@ottla/protocol'
import type { Snapshot } from '../cluster/snapshot.ts'
import { KafkaError } from '../errors.ts'
import { splitBatch, type Batch } from './queue/batch.ts'
import type { PartitionQueue } from './queue/partition-queue.ts'
import type { TopicQueue } from './queue/topic-queue.ts'
import { firstYoung, waitingReason } from './queue/waiting.ts'
import type { Delivery } from './report/delivery.ts'
import { expiry, failure } from './report/outcomes.ts'
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
      if (messageTimeoutMs !== Infinity) for (const queue of topic.queues()) this.#expire(queue, now)
    }
  }

  #refuseImpossible(topic: TopicQueue): void {
    const { metadata } = this.#cluster
    const queues = topic.takeImpossible(metadata.snapshot.topics.get(topic.name)?.updatedAt ?? -Infinity)
    if (queues === undefined) metadata.requestRefresh('a partition is missing', [topic.name])
    else for (const queue of queues) this.#failQueue(queue, () => topic.noPartition(queue.partition))
  }

  #expire(queue: PartitionQueue, now: number): void {
    const timeoutMs = this.#settings.messageTimeoutMs
    const over = queue.takeWhile(batch => now >= batch.lastAt + timeoutMs)
    const head = queue.oldest
    // A batch that was never sent may be split: its oldest messages should not wait for its youngest.
    if (head !== null && head.failures === 0 && now >= head.firstAt + timeoutMs + this.scanMs) {
      queue.takeWhile(batch => batch === head)
      const [old, young] = splitBatch(head, firstYoung(head, now - timeoutMs))
      over.push(old)
      queue.putBack([young])
    }
    this.#settleAll(queue, over, batch =>
      expiry(queue, timeoutMs, queue.absence ?? batch.lastError ?? waitingReason(this.#cluster, queue)),
    )
    this.#sender.list(queue)
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
