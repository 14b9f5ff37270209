/** What all brokers of one cluster share. */
import { ErrorCode } from '@ottla/protocol'
import type { Authorizer } from './acls.ts'
import type { Clock } from './clock.ts'
import type { Faults } from './faults.ts'
import { Group } from './groups.ts'
import type { Partition, Topic, TopicStore } from './topics.ts'
import type { VersionRange } from './versions.ts'

export interface BrokerInfo {
  readonly id: number
  readonly host: string
  port: number
  readonly rack: string | null
  up: boolean
}

export const OFFSETS_TOPIC = '__consumer_offsets'

export interface StateOptions {
  readonly clusterId: string
  readonly brokers: readonly BrokerInfo[]
  readonly topics: TopicStore
  readonly authorizer: Authorizer
  readonly faults: Faults
  readonly clock: Clock
  readonly autoCreateTopics: boolean
  readonly saslMechanisms: readonly string[]
  readonly users: ReadonlyMap<string, string>
  readonly versions: ReadonlyMap<number, VersionRange>
  readonly groupInitialRebalanceDelayMs: number
  /** Told of a failure inside a handler, which is a bug of the cluster's. */
  readonly onInternalError: (error: unknown) => void
}

export class ClusterState {
  readonly clusterId: string
  readonly brokers: readonly BrokerInfo[]
  readonly topics: TopicStore
  readonly authorizer: Authorizer
  readonly faults: Faults
  readonly clock: Clock
  readonly autoCreateTopics: boolean
  readonly saslMechanisms: readonly string[]
  readonly users: ReadonlyMap<string, string>
  readonly versions: ReadonlyMap<number, VersionRange>
  readonly onInternalError: (error: unknown) => void
  readonly groups = new Map<string, Group>()
  readonly #coordinators = new Map<string, number>()
  readonly #initialDelayMs: number
  #nextProducerId = 1000

  constructor(options: StateOptions) {
    this.clusterId = options.clusterId
    this.brokers = options.brokers
    this.topics = options.topics
    this.authorizer = options.authorizer
    this.faults = options.faults
    this.clock = options.clock
    this.autoCreateTopics = options.autoCreateTopics
    this.saslMechanisms = options.saslMechanisms
    this.users = options.users
    this.versions = options.versions
    this.onInternalError = options.onInternalError
    this.#initialDelayMs = options.groupInitialRebalanceDelayMs
  }

  broker(id: number): BrokerInfo | undefined {
    return this.brokers.find(broker => broker.id === id)
  }

  liveBrokers(): BrokerInfo[] {
    return this.brokers.filter(broker => broker.up)
  }

  /** The lowest live broker id, -1 if there is none. */
  controllerId(): number {
    return this.liveBrokers()[0]?.id ?? -1
  }

  /** The broker that looks after a group or transactional id. */
  coordinator(type: 'group' | 'transaction', key: string): BrokerInfo | undefined {
    const chosen = this.broker(this.#coordinators.get(`${type}/${key}`) ?? -1)
    if (chosen?.up === true) return chosen
    if (type === 'group') {
      const topic = this.#offsetsTopic()
      const partition = topic?.partitions[Math.abs(hash(key)) % topic.partitions.length]
      return this.broker(partition?.leader ?? -1)
    }
    const live = this.liveBrokers()
    return live[Math.abs(hash(key)) % Math.max(1, live.length)]
  }

  setCoordinator(type: 'group' | 'transaction', key: string, brokerId: number): void {
    this.#coordinators.set(`${type}/${key}`, brokerId)
  }

  /** 0, or why this broker cannot answer for the group. */
  checkCoordinator(brokerId: number, groupId: string): number {
    return this.coordinator('group', groupId)?.id === brokerId ? ErrorCode.ERR_NO_ERROR : ErrorCode.ERR_NOT_COORDINATOR
  }

  group(id: string): Group {
    let group = this.groups.get(id)
    if (group === undefined) this.groups.set(id, (group = new Group(id, this.clock, this.#initialDelayMs)))
    return group
  }

  /** With the offsets that groups have committed for it: a topic made anew has nothing to do with them. */
  deleteTopic(topic: Topic): void {
    this.topics.delete(topic)
    for (const group of this.groups.values()) {
      for (const key of group.offsets.keys()) if (key.startsWith(`${topic.name}\0`)) group.offsets.delete(key)
    }
  }

  nextProducerId(): number {
    return this.#nextProducerId++
  }

  /** 0, or why this broker cannot answer for the partition at the leader epoch that the client knows (-1: none). */
  checkLeader(partition: Partition | undefined, brokerId: number, currentLeaderEpoch: number): number {
    if (partition === undefined) return ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART
    if (partition.leader !== brokerId) return ErrorCode.ERR_NOT_LEADER_FOR_PARTITION
    if (currentLeaderEpoch < 0) return ErrorCode.ERR_NO_ERROR
    if (currentLeaderEpoch < partition.leaderEpoch) return ErrorCode.ERR_FENCED_LEADER_EPOCH
    return currentLeaderEpoch > partition.leaderEpoch ? ErrorCode.ERR_UNKNOWN_LEADER_EPOCH : ErrorCode.ERR_NO_ERROR
  }

  close(): void {
    for (const group of this.groups.values()) group.close()
  }

  #offsetsTopic(): ReturnType<TopicStore['get']> {
    return (
      this.topics.get(OFFSETS_TOPIC) ??
      this.topics.create({ name: OFFSETS_TOPIC, partitions: 8, replicationFactor: -1 }, true)
    )
  }
}

// String.hashCode of Java, by which Kafka spreads groups.
function hash(text: string): number {
  let value = 0
  for (let i = 0; i < text.length; i++) value = (Math.imul(31, value) + text.charCodeAt(i)) | 0
  return value
}
