/** The queues of one topic, and what is known of the topic. */
import { ErrorCode, ZERO_UUID } from '@ottla/protocol'
import type { TopicSnapshot } from '../../cluster/snapshot.ts'
import { KafkaError } from '../../errors.ts'
import type { Bytes } from '../../types.ts'
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

// That long after the first: a broker that lags behind has caught up, as a rule.
const SECOND_LOOK_MS = 500

/** What an update of the metadata asks for. */
export type TopicChange =
  | { readonly is: 'nothing' }
  /** Leaders are (perhaps) others; messages without a partition can be given one. */
  | { readonly is: 'usable' }
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
  // Queues of partitions that there were once: they may come back while their messages have time.
  readonly #absent = new Map<number, PartitionQueue>()
  // When a broker first told of fewer partitions than there are early queues for.
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
        if (queue === undefined) throw this.noPartition(partition)
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

  /** Whether the topic has been missing for so long that it must be taken not to exist. */
  isGivenUp(now: number, propagationMs: number): boolean {
    return this.#state === 'unknown' && this.#isMissing && now - this.#unknownSince >= propagationMs
  }

  /**
   * Takes out the queues of partitions that the topic has never had, once a second answer has said so.
   * @param updatedAt - when a broker last told of the topic
   * @returns undefined: that answer has to be asked for
   */
  takeImpossible(updatedAt: number): PartitionQueue[] | undefined {
    if (this.#state !== 'exists' || this.#early.size === 0) return []
    if (updatedAt < this.#tooFewSince + SECOND_LOOK_MS) return undefined
    const queues = [...this.#early.values()]
    this.#early.clear()
    return queues
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
    yield* this.#absent.values()
    yield this.unassigned
  }

  /** The refusal of messages to a partition that the topic does not have. */
  noPartition(partition: number): KafkaError {
    const message = `there is no partition ${partition} of topic ${this.name}: it has ${this.partitionCount} partitions`
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
    if (!moves[this.#state].includes(next)) throw new Error(`topic ${this.#state} -> ${next} is no legal move`)
    this.#state = next
  }
}
