/** The queues of one topic, and what is known of the topic. */
import { ErrorCode, ZERO_UUID } from '@ottla/protocol'
import type { TopicSnapshot } from '../cluster/snapshot.ts'
import { KafkaError } from '../errors.ts'
import type { Bytes } from '../types.ts'
import type { AnyMessage } from './message.ts'
import { PartitionQueue, type BatchLimits, type QueueObserver, type QueueTopic } from './partition-queue.ts'
import type { Chooser, PartitionView } from './partitioner.ts'

/** Whether messages can be given partitions: not before a broker has told how many there are. */
export type TopicState = 'unknown' | 'exists' | 'failed'

const moves: Record<TopicState, readonly TopicState[]> = {
  unknown: ['exists', 'failed'],
  exists: ['unknown', 'failed'],
  failed: ['exists'],
}

// Codes of a topic for which waiting is of no use.
const final = new Set<number>([
  ErrorCode.ERR_TOPIC_EXCEPTION,
  ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED,
  ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED,
])
const missing = new Set<number>([ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART, ErrorCode.ERR_UNKNOWN_TOPIC_ID])

/** What an update of the metadata asks for. */
export type TopicChange =
  | { readonly is: 'nothing' }
  /** Leaders are (perhaps) others; messages without a partition can be given one. */
  | { readonly is: 'usable'; readonly surplus: readonly PartitionQueue[] }
  | { readonly is: 'failed'; readonly error: KafkaError }

/** One topic that messages were produced to. */
export class TopicQueue implements QueueTopic, PartitionView {
  readonly name: string
  topicId = ZERO_UUID
  partitionCount = 0
  /** Messages that wait for a partition. */
  readonly unassigned: PartitionQueue
  readonly #chooser: Chooser
  readonly #limits: BatchLimits
  readonly #observer: QueueObserver
  #queues: PartitionQueue[] = []
  // Queues that a program named before it was known whether there is such a partition.
  readonly #early = new Map<number, PartitionQueue>()
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

  /** Why messages are refused, or null while they are not. */
  get failedWith(): KafkaError | null {
    return this.#state === 'failed' ? this.#error : null
  }

  isAvailable(partition: number): boolean {
    return (this.#queues[partition]?.leader ?? -1) >= 0
  }

  /**
   * The queue for a message.
   * @throws KafkaError ERR__UNKNOWN_PARTITION; the topic's own error while it has one; what the partitioner throws
   */
  queueFor(message: AnyMessage, key: Bytes | null, now: number): PartitionQueue {
    const partition = message.partition ?? -1
    switch (this.#state) {
      case 'exists': {
        const queue = this.#queues[partition >= 0 ? partition : this.#chooser.choose(this, key, message, now)]
        if (queue === undefined) throw this.#noPartition(partition)
        return queue
      }
      case 'unknown':
        return partition >= 0 ? this.#earlyQueue(partition) : this.unassigned
      case 'failed':
        throw this.#error ?? new KafkaError(ErrorCode.ERR__UNKNOWN_TOPIC, `there is no topic ${this.name}`)
      default:
        return this.#state satisfies never
    }
  }

  /** Follows what a broker has told about the topic; undefined: the cluster no longer has it. */
  update(snapshot: TopicSnapshot | undefined, now: number): TopicChange {
    const code = snapshot?.errorCode ?? ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART
    if (snapshot !== undefined && code === ErrorCode.ERR_NO_ERROR && snapshot.partitions.length > 0) {
      return { is: 'usable', surplus: this.#follow(snapshot) }
    }
    if (final.has(code)) return { is: 'failed', error: this.fail(KafkaError.of(code, `topic ${this.name}`)) }
    this.#isMissing = missing.has(code)
    if (this.#isMissing && this.#state === 'exists') {
      this.#enter('unknown')
      this.#unknownSince = now
    }
    return { is: 'nothing' }
  }

  /** Whether the topic has been missing for so long that it must be taken not to exist. */
  isGivenUp(now: number, propagationMs: number): boolean {
    return this.#state === 'unknown' && this.#isMissing && now - this.#unknownSince >= propagationMs
  }

  /** Messages to the topic are refused until the metadata speaks well of it again. */
  fail(error: KafkaError): KafkaError {
    this.#error = error
    if (this.#state !== 'failed') this.#enter('failed')
    return error
  }

  /** Every queue there is. */
  *queues(): Generator<PartitionQueue> {
    yield* this.#queues
    yield* this.#early.values()
    yield this.unassigned
  }

  #follow(snapshot: TopicSnapshot): PartitionQueue[] {
    const count = snapshot.partitions.length
    const surplus = this.#queues.splice(count)
    this.topicId = snapshot.topicId
    this.partitionCount = count
    for (let p = 0; p < count; p++) {
      let queue = this.#queues[p]
      if (queue === undefined) {
        queue = this.#early.get(p) ?? new PartitionQueue(this, p, this.#limits, this.#observer)
        this.#early.delete(p)
        this.#queues[p] = queue
      }
      queue.leader = snapshot.partitions[p]?.leader ?? -1
    }
    surplus.push(...this.#early.values())
    this.#early.clear()
    this.#error = null
    this.#isMissing = false
    if (this.#state !== 'exists') this.#enter('exists')
    return surplus
  }

  #earlyQueue(partition: number): PartitionQueue {
    const known = this.#queues[partition] ?? this.#early.get(partition)
    if (known !== undefined) return known
    const queue = new PartitionQueue(this, partition, this.#limits, this.#observer)
    this.#early.set(partition, queue)
    return queue
  }

  #enter(next: TopicState): void {
    if (!moves[this.#state].includes(next)) throw new Error(`topic ${this.#state} -> ${next} is no legal move`)
    this.#state = next
  }

  #noPartition(partition: number): KafkaError {
    const message = `there is no partition ${partition} of topic ${this.name}: it has ${this.partitionCount} partitions`
    return new KafkaError(ErrorCode.ERR__UNKNOWN_PARTITION, message)
  }
}
