/** The queues of one topic, and the state of the topic. */
import { ErrorCode, ZERO_UUID } from '@ottla/protocol'
import type { TopicSnapshot } from '../../cluster/snapshot.ts'
import { KafkaError } from '../../errors.ts'
import type { Bytes } from '../../types.ts'
import type { AnyMessage } from './message.ts'
import { PartitionQueue, type BatchLimits, type QueueObserver, type QueueTopic } from './partition-queue.ts'
import type { Chooser, PartitionView } from './partitioner.ts'

/** Whether messages can be assigned to partitions: not before the metadata says how many there are. */
export type TopicState = 'unknown' | 'exists' | 'failed'

const moves: Record<TopicState, readonly TopicState[]> = {
  unknown: ['exists', 'failed'],
  exists: ['unknown', 'failed'],
  failed: ['exists'],
}

// Topic errors for which waiting does not help.
const final = new Set<number>([
  ErrorCode.ERR_TOPIC_EXCEPTION,
  ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED,
  ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED,
])
const missing = new Set<number>([ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART, ErrorCode.ERR_UNKNOWN_TOPIC_ID])

// A broker that lags behind has usually caught up after this time.
const CONFIRM_AFTER_MS = 500

/** What a metadata update changes. */
export type TopicChange =
  | { readonly is: 'nothing' }
  /** Leaders may have changed; messages without a partition can be assigned to one. */
  | { readonly is: 'usable' }
  | { readonly is: 'failed'; readonly error: KafkaError }

/** A topic that messages were produced to. */
export class TopicQueue implements QueueTopic, PartitionView {
  readonly name: string
  topicId = ZERO_UUID
  partitionCount = 0
  /** Messages waiting for a partition. */
  readonly unassigned: PartitionQueue
  readonly #chooser: Chooser
  readonly #limits: BatchLimits
  readonly #observer: QueueObserver
  #queues: PartitionQueue[] = []
  // Queues of partitions that the application named before the metadata came.
  readonly #early = new Map<number, PartitionQueue>()
  // Queues of partitions that are gone: they may come back before their messages expire.
  readonly #absent = new Map<number, PartitionQueue>()
  // When the metadata first had fewer partitions than the early queues need.
  #tooFewSince = Infinity
  #state: TopicState = 'unknown'
  #error: KafkaError | null = null
  #unknownSince: number
  #isMissing = false

  /** @param now - monotonic ms */
  constructor(name: string, chooser: Chooser, limits: BatchLimits, observer: QueueObserver, now: number) {
    this.name = name
    this.#chooser = chooser
    this.#limits = limits
    this.#observer = observer
    this.#unknownSince = now
    this.unassigned = new PartitionQueue(this, -1, limits, observer)
  }

  get topic(): string {
    return this.name
  }

  get state(): TopicState {
    return this.#state
  }

  /** Why messages are refused, or null if they are not. */
  get failedWith(): KafkaError | null {
    return this.#state === 'failed' ? this.#error : null
  }

  isAvailable(partition: number): boolean {
    return (this.#queues[partition]?.leader ?? -1) >= 0
  }

  /**
   * The queue for a message.
   * @throws KafkaError ERR__UNKNOWN_PARTITION; the topic's own error if it has one; the partitioner's error
   */
  queueFor(message: AnyMessage, key: Bytes | null, now: number): PartitionQueue {
    const partition = message.partition ?? -1
    switch (this.#state) {
      case 'exists': {
        const queue = this.#queues[partition >= 0 ? partition : this.#chooser.choose(this, key, message, now)]
        if (queue === undefined) throw this.noPartition(partition)
        return queue
      }
      case 'unknown':
        // Behind messages without a partition, it may be in theirs.
        return partition >= 0 && this.unassigned.isEmpty ? this.#earlyQueue(partition) : this.unassigned
      case 'failed':
        throw this.#error ?? new KafkaError(ErrorCode.ERR__UNKNOWN_TOPIC, `topic ${this.name} does not exist`)
      default:
        return this.#state satisfies never
    }
  }

  /**
   * The queue for a message that waited for the metadata. A partition that is missing may only be so in an old response:
   * see `takeImpossible`.
   * @throws KafkaError the topic's own error; the partitioner's
   */
  queueForHeld(message: AnyMessage, key: Bytes | null, now: number): PartitionQueue {
    const partition = message.partition ?? -1
    return partition >= 0 && this.#state === 'exists' ? this.#earlyQueue(partition) : this.queueFor(message, key, now)
  }

  /** Applies the topic's metadata; undefined if the cluster no longer has the topic. */
  update(snapshot: TopicSnapshot | undefined, now: number): TopicChange {
    const code = snapshot?.errorCode ?? ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART
    if (snapshot !== undefined && code === ErrorCode.ERR_NO_ERROR && snapshot.partitions.length > 0) {
      this.#follow(snapshot, now)
      return { is: 'usable' }
    }
    if (final.has(code)) return { is: 'failed', error: this.fail(KafkaError.of(code, `topic ${this.name}`)) }
    this.#isMissing = missing.has(code)
    if (this.#isMissing && this.#state === 'exists') {
      this.#enter('unknown')
      this.#unknownSince = now
    }
    return { is: 'nothing' }
  }

  /** Whether the topic has been missing for so long that it counts as not existing. */
  isGivenUp(now: number, propagationMs: number): boolean {
    return this.#state === 'unknown' && this.#isMissing && now - this.#unknownSince >= propagationMs
  }

  /**
   * Removes the queues of partitions that the topic has never had, once a second response confirms that.
   * @param updatedAt - when the topic's metadata was last updated
   * @returns undefined if that response has to be requested
   */
  takeImpossible(updatedAt: number): PartitionQueue[] | undefined {
    if (this.#state !== 'exists' || this.#early.size === 0) return []
    if (updatedAt < this.#tooFewSince + CONFIRM_AFTER_MS) return undefined
    const queues = [...this.#early.values()]
    this.#early.clear()
    return queues
  }

  /** Refuses messages to the topic until the metadata has it without an error. */
  fail(error: KafkaError): KafkaError {
    this.#error = error
    if (this.#state !== 'failed') this.#enter('failed')
    return error
  }

  /** All queues of the topic. */
  *queues(): Generator<PartitionQueue> {
    yield* this.#queues
    yield* this.#early.values()
    yield* this.#absent.values()
    yield this.unassigned
  }

  /** The error of messages to a partition that the topic does not have. */
  noPartition(partition: number): KafkaError {
    const message = `topic ${this.name} has no partition ${partition}: it has ${this.partitionCount} partitions`
    return new KafkaError(ErrorCode.ERR__UNKNOWN_PARTITION, message)
  }

  #follow(snapshot: TopicSnapshot, now: number): void {
    const count = snapshot.partitions.length
    this.topicId = snapshot.topicId
    this.partitionCount = count
    for (const queue of this.#queues.splice(count)) {
      queue.leader = -1
      queue.absence = this.noPartition(queue.partition)
      this.#absent.set(queue.partition, queue)
    }
    for (let p = 0; p < count; p++) {
      let queue = this.#queues[p]
      if (queue === undefined) {
        queue = this.#absent.get(p) ?? this.#early.get(p) ?? new PartitionQueue(this, p, this.#limits, this.#observer)
        queue.absence = null
        this.#absent.delete(p)
        this.#early.delete(p)
        this.#queues[p] = queue
      }
      queue.leader = snapshot.partitions[p]?.leader ?? -1
    }
    this.#tooFewSince = this.#early.size === 0 ? Infinity : Math.min(this.#tooFewSince, now)
    this.#error = null
    this.#isMissing = false
    if (this.#state !== 'exists') this.#enter('exists')
  }

  #earlyQueue(partition: number): PartitionQueue {
    const known = this.#queues[partition] ?? this.#absent.get(partition) ?? this.#early.get(partition)
    if (known !== undefined) return known
    const queue = new PartitionQueue(this, partition, this.#limits, this.#observer)
    this.#early.set(partition, queue)
    return queue
  }

  #enter(next: TopicState): void {
    if (!moves[this.#state].includes(next)) throw new Error(`topic ${this.#state} -> ${next} is not a legal move`)
    this.#state = next
  }
}
