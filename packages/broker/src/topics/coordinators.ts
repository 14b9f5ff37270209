/** Which broker coordinates a group or transactional id: the leader of its partition of an internal topic. */
import { ErrorCode } from '@ottla/protocol'
import type { BrokerInfo, Brokers } from '../base/brokers.ts'
import { systemClock, type Clock } from '../base/clock.ts'
import { INTERNAL_TOPIC_PARTITIONS, OFFSETS_TOPIC, TRANSACTIONS_TOPIC } from './internal-topics.ts'
import type { Topic, TopicPartition, TopicStore } from './topics.ts'
import type { TopicsView } from './views.ts'

// Only where replication is simulated.
const LOAD_MS = 50

export type CoordinatorType = 'group' | 'transaction'

export class Coordinators {
  readonly #topics: TopicStore
  readonly #brokers: Brokers
  readonly #clock: Clock
  readonly #chosen = new Map<string, number>()
  // When the new leader of a partition of an internal topic has read it, ms since the epoch.
  readonly #readAt = new Map<string, number>()

  /** How long a new coordinator reads its partition, ms. */
  loadTimeMs = LOAD_MS

  constructor(topics: TopicStore, brokers: Brokers, clock: Clock = systemClock) {
    this.#topics = topics
    this.#brokers = brokers
    this.#clock = clock
  }

  /** @param known by what some broker knows */
  of(type: CoordinatorType, key: string, known: TopicsView = this.#topics): BrokerInfo | undefined {
    const chosen = this.#chosenFor(type, key)
    if (chosen !== null) return chosen
    const { topic, partition } = this.#partitionOf(type, key)
    return this.#brokers.get(known.partition(topic, partition)?.leader ?? -1)
  }

  /**
   * 0, NOT_COORDINATOR if the broker does not coordinate the group or transactional id, or COORDINATOR_LOAD_IN_PROGRESS
   * while it reads what it has to know for that.
   */
  check(brokerId: number, key: string, type: CoordinatorType = 'group'): number {
    if (this.of(type, key)?.id !== brokerId) return ErrorCode.ERR_NOT_COORDINATOR
    if (this.#topics.replicator === null || this.#chosenFor(type, key) !== null) return ErrorCode.ERR_NO_ERROR
    const { topic, partition } = this.#partitionOf(type, key)
    // It may not have heard yet that it leads.
    const known = this.#topics.seenBy(brokerId).partition(topic, partition)
    if (known?.leader !== brokerId) return ErrorCode.ERR_NOT_COORDINATOR
    const isRead = this.#clock.now() >= (this.#readAt.get(`${topic}/${partition}`) ?? 0)
    return isRead ? ErrorCode.ERR_NO_ERROR : ErrorCode.ERR_COORDINATOR_LOAD_IN_PROGRESS
  }

  /** Another broker leads a partition of an internal topic, and has to read it before it coordinates. */
  moved(topic: string, partition: number): void {
    this.#readAt.set(`${topic}/${partition}`, this.#clock.now() + this.loadTimeMs)
  }

  /** Makes a broker the coordinator, for as long as it is up. */
  set(type: CoordinatorType, key: string, brokerId: number): void {
    this.#chosen.set(`${type}/${key}`, brokerId)
  }

  /** The partition of the offsets topic that a group's commits go to. */
  offsetsPartition(groupId: string): TopicPartition {
    return this.#partitionOf('group', groupId)
  }

  /** The coordinator epoch of a transactional id: the leader epoch of its partition. */
  epoch(transactionalId: string): number {
    const { partitions } = this.#internalTopic(TRANSACTIONS_TOPIC)
    return partitions[partitionFor(transactionalId, partitions.length)]?.leaderEpoch ?? 0
  }

  #chosenFor(type: CoordinatorType, key: string): BrokerInfo | null {
    const chosen = this.#brokers.get(this.#chosen.get(`${type}/${key}`) ?? -1)
    return chosen?.up === true ? chosen : null
  }

  #partitionOf(type: CoordinatorType, key: string): TopicPartition {
    const topic = type === 'group' ? OFFSETS_TOPIC : TRANSACTIONS_TOPIC
    return { topic, partition: partitionFor(key, this.#internalTopic(topic).partitions.length) }
  }

  #internalTopic(name: string): Topic {
    return (
      this.#topics.get(name) ??
      this.#topics.create({ name, partitions: INTERNAL_TOPIC_PARTITIONS, replicationFactor: -1 }, true)
    )
  }
}

function partitionFor(key: string, partitions: number): number {
  return Math.abs(hash(key)) % partitions
}

// Java's String.hashCode, by which Kafka distributes groups.
function hash(text: string): number {
  let value = 0
  for (let i = 0; i < text.length; i++) value = (Math.imul(31, value) + text.charCodeAt(i)) | 0
  return value
}
