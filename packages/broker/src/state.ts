/** What all brokers of one cluster share. */
import { ApiKey, ErrorCode } from '@ottla/protocol'
import type { Authorizer } from './security/acls.ts'
import { BrokerConfigs } from './configs/broker-configs.ts'
import { ClientMetrics } from './telemetry/client-metrics.ts'
import type { Clock, Timer } from './base/clock.ts'
import type { Faults } from './control/faults.ts'
import { Features } from './releases/features.ts'
import { FetchSessions } from './topics/fetch-sessions.ts'
import { Group, type GroupSurroundings } from './groups/group.ts'
import type { ClassicSettings, SessionLimits } from './groups/classic-member.ts'
import { GroupConfigs } from './groups/configs.ts'
import { ShareSessions } from './groups/share-sessions.ts'
import { INTERNAL_TOPIC_PARTITIONS, OFFSETS_TOPIC, TRANSACTIONS_TOPIC } from './topics/internal-topics.ts'
import { Holds } from './control/holds.ts'
import type { Keeper } from './storage/keeper.ts'
import { Observers } from './control/observers.ts'
import { ClientQuotas } from './quotas/client-quotas.ts'
import type { ProducerIds } from './options.ts'
import { randomProducerId, type Random } from './base/random.ts'
import { evict, runRetention } from './topics/retention.ts'
import type { ValidateToken } from './security/sasl/oauthbearer.ts'
import { Telemetry, type TelemetryPush } from './telemetry/telemetry.ts'
import { TokenStore } from './security/tokens.ts'
import type { Partition, Topic, TopicStore } from './topics/topics.ts'
import type { TopicPartition } from './transactions/transaction.ts'
import { writeMarker } from './transactions/markers.ts'
import { TransactionalOffsets } from './transactions/transactional-offsets.ts'
import { TransactionCoordinator } from './transactions/coordinator.ts'
import type { UserStore } from './security/users.ts'
import type { VersionRange } from './releases/versions.ts'

// log.retention.check.interval.ms of a broker.
const RETENTION_CHECK_MS = 300_000
// The version of EndTxn that came with transaction version 2 (KIP-890).
const EPOCH_BUMPING_END_TXN = 5

export interface BrokerInfo {
  readonly id: number
  readonly host: string
  port: number
  readonly rack: string | null
  up: boolean
}

/** How long a connection may be silent, and by whose time. */
export interface IdleLimit {
  readonly clock: Clock
  readonly maxMs: number
}

export interface StateOptions {
  readonly clusterId: string
  readonly brokers: BrokerInfo[]
  readonly topics: TopicStore
  readonly authorizer: Authorizer
  readonly faults: Faults
  readonly clock: Clock
  readonly autoCreateTopics: boolean
  readonly random: Random
  readonly producerIds: ProducerIds
  readonly saslMechanisms: readonly string[]
  readonly users: UserStore
  readonly validateToken: ValidateToken
  /** 0: none. */
  readonly maxReauthMs: number
  readonly versions: Map<number, VersionRange>
  readonly classicGroups: ClassicSettings
  readonly sessionLimits: SessionLimits
  readonly transactionMaxTimeoutMs: number
  /** Limit for the records of all topics together. */
  readonly maxBytes: number
  readonly idle: IdleLimit
  /** Told of metrics that clients push; null: none are wanted. */
  readonly onTelemetry: ((push: TelemetryPush) => void) | null
  /** Told of a failure inside a handler, which is a bug of the cluster's. */
  readonly onInternalError: (error: unknown) => void
}

export class ClusterState {
  readonly clusterId: string
  readonly brokers: BrokerInfo[]
  readonly topics: TopicStore
  readonly authorizer: Authorizer
  readonly faults: Faults
  readonly observers = new Observers()
  readonly holds = new Holds()
  /** Replicas that consumers are sent to on command, by `topic/partition`. */
  readonly preferredReplicas = new Map<string, number>()
  /** Bytes reserved for requests that are not whole yet. */
  claimedBytes = 0
  readonly clock: Clock
  readonly autoCreateTopics: boolean
  readonly random: Random
  readonly saslMechanisms: readonly string[]
  readonly users: UserStore
  readonly validateToken: ValidateToken
  /** 0: none. */
  readonly maxReauthMs: number
  readonly versions: Map<number, VersionRange>
  readonly onInternalError: (error: unknown) => void
  readonly groups = new Map<string, Group>()
  readonly groupConfigs = new GroupConfigs()
  readonly brokerConfigs = new BrokerConfigs()
  /** null: none is wanted. */
  readonly telemetry: Telemetry | null
  readonly clientMetrics = new ClientMetrics()
  readonly classicGroups: ClassicSettings
  readonly sessionLimits: SessionLimits
  readonly transactionMaxTimeoutMs: number
  readonly features: Features
  readonly tokens: TokenStore
  readonly quotas: ClientQuotas
  readonly transactions: TransactionCoordinator
  readonly transactionalOffsets = new TransactionalOffsets()
  /** Limit for the records of all topics together. */
  readonly maxBytes: number
  readonly idle: IdleLimit
  /** Told of what has to outlive the process. */
  keeper: Keeper | null = null
  #retention: Timer | null = null
  readonly #fetchSessions = new Map<number, FetchSessions>()
  readonly #shareSessions = new Map<number, ShareSessions>()
  readonly #logLevels = new Map<number, Map<string, string>>()
  readonly #coordinators = new Map<string, number>()
  readonly #groupSurroundings: GroupSurroundings
  #nextProducerId = 1000n
  readonly #producerIds: ProducerIds

  constructor(options: StateOptions) {
    this.clusterId = options.clusterId
    this.brokers = options.brokers
    this.topics = options.topics
    this.authorizer = options.authorizer
    this.faults = options.faults
    this.clock = options.clock
    this.autoCreateTopics = options.autoCreateTopics
    this.saslMechanisms = options.saslMechanisms
    this.random = options.random
    this.#producerIds = options.producerIds
    this.tokens = new TokenStore(options.clock, options.random)
    this.quotas = new ClientQuotas(options.clock)
    const { clock, random, onTelemetry: receive } = options
    const subscriptions = this.clientMetrics
    this.telemetry = receive === null ? null : new Telemetry({ clock, random, subscriptions, receive })
    this.users = options.users
    this.validateToken = options.validateToken
    this.maxReauthMs = options.maxReauthMs
    this.versions = options.versions
    this.features = new Features(options.versions)
    this.onInternalError = options.onInternalError
    this.maxBytes = options.maxBytes
    this.idle = options.idle
    this.classicGroups = options.classicGroups
    this.sessionLimits = options.sessionLimits
    this.transactionMaxTimeoutMs = options.transactionMaxTimeoutMs
    this.topics.brokerDefault = name => this.brokerConfigs.topicDefault(name)
    this.#groupSurroundings = {
      clock: options.clock,
      topics: options.topics,
      configs: this.groupConfigs,
      classic: options.classicGroups,
      maxSize: options.classicGroups.maxSize,
      offsetChanged: (groupId, key, offset) => this.keeper?.offsetChanged(groupId, key, offset),
    }
    this.transactions = new TransactionCoordinator({
      clock: options.clock,
      maxTimeoutMs: options.transactionMaxTimeoutMs,
      bumpsEpoch: (options.versions.get(ApiKey.EndTxn)?.max ?? 0) >= EPOCH_BUMPING_END_TXN,
      nextProducerId: () => this.nextProducerId(),
      writeMarker: (partition, marker) => writeMarker(this, partition, marker),
      changed: transaction => this.keeper?.transactionChanged(transaction),
    })
    this.#scheduleRetention()
  }

  /** Does now what brokers do every five minutes: drops what is old, forgets who has been silent. */
  runRetention(): void {
    runRetention(this.topics, this.clock.now())
    this.transactions.expire()
    this.tokens.clean()
    for (const group of this.groups.values()) {
      if (!group.expire()) continue
      group.close()
      this.groups.delete(group.id)
    }
  }

  /** Keeps the limit for all records together; what is oldest goes. */
  limitMemory(): void {
    if (this.topics.memory.used > this.maxBytes) evict(this.topics, this.topics.memory, this.maxBytes)
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
    const topic = this.#internalTopic(type === 'group' ? OFFSETS_TOPIC : TRANSACTIONS_TOPIC)
    return this.broker(topic.partitions[placeOf(key, topic.partitions.length)]?.leader ?? -1)
  }

  /** The partition of the offsets topic that a group's commits go to. */
  offsetsPartition(groupId: string): TopicPartition {
    const { partitions } = this.#internalTopic(OFFSETS_TOPIC)
    return { topic: OFFSETS_TOPIC, partition: placeOf(groupId, partitions.length) }
  }

  /** Epoch of the coordinator of a transactional id: that of its partition's leader. */
  coordinatorEpoch(transactionalId: string): number {
    const { partitions } = this.#internalTopic(TRANSACTIONS_TOPIC)
    return partitions[placeOf(transactionalId, partitions.length)]?.leaderEpoch ?? 0
  }

  setCoordinator(type: 'group' | 'transaction', key: string, brokerId: number): void {
    this.#coordinators.set(`${type}/${key}`, brokerId)
  }

  /** 0, or why this broker cannot answer for the group or transactional id. */
  checkCoordinator(brokerId: number, key: string, type: 'group' | 'transaction' = 'group'): number {
    return this.coordinator(type, key)?.id === brokerId ? ErrorCode.ERR_NO_ERROR : ErrorCode.ERR_NOT_COORDINATOR
  }

  group(id: string): Group {
    let group = this.groups.get(id)
    if (group === undefined) this.groups.set(id, (group = new Group(id, this.#groupSurroundings)))
    return group
  }

  /** With the offsets that groups have committed for it: a topic made anew has nothing to do with them. */
  deleteTopic(topic: Topic): void {
    this.topics.delete(topic)
    for (const group of this.groups.values()) {
      for (const key of group.offsets.keys()) if (key.startsWith(`${topic.name}\0`)) group.offsets.delete(key)
      group.share?.forget(topic.id)
    }
    this.transactionalOffsets.forgetTopic(topic.name)
  }

  /** The fetch sessions that a broker keeps; a restart ends them. */
  fetchSessions(brokerId: number): FetchSessions {
    let sessions = this.#fetchSessions.get(brokerId)
    if (sessions === undefined) this.#fetchSessions.set(brokerId, (sessions = new FetchSessions(this.clock)))
    return sessions
  }

  /** What members of share groups fetch from a broker; a restart ends it. */
  shareSessions(brokerId: number): ShareSessions {
    let sessions = this.#shareSessions.get(brokerId)
    if (sessions === undefined) this.#shareSessions.set(brokerId, (sessions = new ShareSessions()))
    return sessions
  }

  /** Levels of a broker's loggers, by their names. */
  logLevels(brokerId: number): Map<string, string> {
    let levels = this.#logLevels.get(brokerId)
    if (levels === undefined) this.#logLevels.set(brokerId, (levels = new Map([['root', 'INFO']])))
    return levels
  }

  nextProducerId(): bigint {
    if (typeof this.#producerIds === 'function') return BigInt.asIntN(64, this.#producerIds())
    if (this.#producerIds === 'random') return randomProducerId(this.random)
    this.keeper?.producerIdGiven(this.#nextProducerId)
    return this.#nextProducerId++
  }

  /** Producer ids from here on have not been given out. */
  restoreProducerIds(next: bigint): void {
    this.#nextProducerId = next
  }

  /** From now on, what has to outlive the process is told. */
  keepIn(keeper: Keeper): void {
    this.keeper = keeper
    this.topics.keeper = keeper
    this.transactionalOffsets.keeper = keeper
  }

  /** 0, or why this broker cannot answer for the partition at the leader epoch that the client knows (-1: none). */
  checkLeader(partition: Partition | undefined, brokerId: number, currentLeaderEpoch: number, apiKey: number): number {
    if (partition === undefined) return ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART
    const fault = this.faults.takePartition(partition.topic, partition.index, apiKey)
    if (fault !== ErrorCode.ERR_NO_ERROR) return fault
    if (partition.leader !== brokerId) return ErrorCode.ERR_NOT_LEADER_FOR_PARTITION
    if (currentLeaderEpoch < 0) return ErrorCode.ERR_NO_ERROR
    if (currentLeaderEpoch < partition.leaderEpoch) return ErrorCode.ERR_FENCED_LEADER_EPOCH
    return currentLeaderEpoch > partition.leaderEpoch ? ErrorCode.ERR_UNKNOWN_LEADER_EPOCH : ErrorCode.ERR_NO_ERROR
  }

  close(): void {
    this.holds.releaseAll()
    for (const group of this.groups.values()) group.close()
    this.transactions.close()
    this.#retention?.cancel()
  }

  #scheduleRetention(): void {
    this.#retention = this.clock.setTimer(RETENTION_CHECK_MS, () => {
      this.runRetention()
      this.#scheduleRetention()
    })
  }

  #internalTopic(name: string): Topic {
    return (
      this.topics.get(name) ??
      this.topics.create({ name, partitions: INTERNAL_TOPIC_PARTITIONS, replicationFactor: -1 }, true)
    )
  }
}

function placeOf(key: string, partitions: number): number {
  return Math.abs(hash(key)) % partitions
}

// String.hashCode of Java, by which Kafka spreads groups.
function hash(text: string): number {
  let value = 0
  for (let i = 0; i < text.length; i++) value = (Math.imul(31, value) + text.charCodeAt(i)) | 0
  return value
}
