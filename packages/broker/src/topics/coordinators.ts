/** Which broker coordinates a group or transactional id: the leader of its partition of an internal topic. */
import { ErrorCode } from '@ottla/protocol'
import type { BrokerInfo, Brokers } from '../base/brokers.ts'
import { INTERNAL_TOPIC_PARTITIONS, OFFSETS_TOPIC, TRANSACTIONS_TOPIC } from './internal-topics.ts'
import type { Topic, TopicPartition, TopicStore } from './topics.ts'

export type CoordinatorType = 'group' | 'transaction'

export class Coordinators {
  readonly #topics: TopicStore
  readonly #brokers: Brokers
  readonly #chosen = new Map<string, number>()

  constructor(topics: TopicStore, brokers: Brokers) {
    this.#topics = topics
    this.#brokers = brokers
  }

  of(type: CoordinatorType, key: string): BrokerInfo | undefined {
    const chosen = this.#brokers.get(this.#chosen.get(`${type}/${key}`) ?? -1)
    if (chosen?.up === true) return chosen
    const { partitions } = this.#internalTopic(type === 'group' ? OFFSETS_TOPIC : TRANSACTIONS_TOPIC)
    return this.#brokers.get(partitions[partitionFor(key, partitions.length)]?.leader ?? -1)
  }

  /** 0, or NOT_COORDINATOR if the broker does not coordinate the group or transactional id. */
  check(brokerId: number, key: string, type: CoordinatorType = 'group'): number {
    return this.of(type, key)?.id === brokerId ? ErrorCode.ERR_NO_ERROR : ErrorCode.ERR_NOT_COORDINATOR
  }

  /** Makes a broker the coordinator, for as long as it is up. */
  set(type: CoordinatorType, key: string, brokerId: number): void {
    this.#chosen.set(`${type}/${key}`, brokerId)
  }

  /** The partition of the offsets topic that a group's commits go to. */
  offsetsPartition(groupId: string): TopicPartition {
    const { partitions } = this.#internalTopic(OFFSETS_TOPIC)
    return { topic: OFFSETS_TOPIC, partition: partitionFor(groupId, partitions.length) }
  }

  /** The coordinator epoch of a transactional id: the leader epoch of its partition. */
  epoch(transactionalId: string): number {
    const { partitions } = this.#internalTopic(TRANSACTIONS_TOPIC)
    return partitions[partitionFor(transactionalId, partitions.length)]?.leaderEpoch ?? 0
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
