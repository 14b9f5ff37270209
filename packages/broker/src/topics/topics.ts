/** The topics of the cluster, which all brokers share. */
import { ErrorCode } from '@ottla/protocol'
import { PartitionLog } from '../log/log.ts'
import { LogMemory } from '../log/log-memory.ts'
import { newUuid, systemRandom, type Random } from '../base/random.ts'
import { setLeader, settleReassignment } from './reassignments.ts'
import { configProblem, topicDefaults } from '../configs/topic-configs.ts'
import type { PartitionView, TopicView, TopicsView } from './views.ts'

export interface Partition extends PartitionView {
  replicas: number[]
  /** Replicas that a reassignment adds and removes; empty without one. */
  adding: readonly number[]
  removing: readonly number[]
  /** The one that all brokers share; with simulated replication that of the leader, or of the last one. */
  log: PartitionLog
  /** Broker id, -1 while every replica is down. */
  leader: number
  leaderEpoch: number
  isr: number[]
}

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export interface Topic extends TopicView {
  readonly partitions: Partition[]
  readonly configs: Map<string, string>
}

/** Makes changes of topics durable, before they are acknowledged. */
export interface TopicPersistence {
  /** The topic was created, or its configuration, partitions or leaders have changed. */
  topicChanged(topic: Topic): void
  topicDeleted(topic: Topic): void
}

/** Simulates replication: every broker has logs of its own, and learns of changes by itself. */
export interface Replicator {
  /** What a broker knows. */
  seenBy(brokerId: number): TopicsView
  /** Whether the controller takes a broker for alive. */
  isUp(brokerId: number): boolean
  /** The topic was created, or its configuration, partitions or leaders have changed. */
  topicChanged(topic: Topic): void
  topicDeleted(topic: Topic): void
  /** Elects leaders after brokers came or went. */
  elect(): void
}

export interface TopicRequest {
  readonly name: string
  /** -1: the cluster's default. */
  readonly partitions: number
  readonly replicationFactor: number
  readonly assignment?: readonly (readonly number[])[]
  readonly configs?: ReadonlyMap<string, string | null>
}

export interface Refusal {
  readonly errorCode: number
  readonly message: string
}

const NAME_LIMIT = 249
const DEFAULT_FACTOR = 3
/** Most partitions of a topic. */
export const PARTITION_LIMIT = 10_000

export class TopicStore {
  readonly memory = new LogMemory()
  readonly random: Random
  /** Partitions of topics that are created without a number of their own. */
  readonly defaultPartitions: number
  /** Replicas of partitions that are created without a number of their own; null: 3, or as many as there are brokers. */
  defaultFactor: number | null = null
  /** The cluster-wide default of a topic setting, if one was set. */
  brokerDefault: (config: string) => string | undefined = () => undefined
  /** Where changes are stored. */
  persistence: TopicPersistence | null = null
  /** null: all brokers share one log per partition, and know of every change at once. */
  replicator: Replicator | null = null
  readonly #onDeleted: ((topic: Topic) => void)[] = []
  readonly #topics = new Map<string, Topic>()
  readonly #byId = new Map<string, Topic>()
  readonly #brokerIds: () => readonly number[]
  readonly #isUp: (brokerId: number) => boolean
  #nextReplica = 0

  constructor(
    brokerIds: () => readonly number[],
    defaultPartitions: number,
    isUp: (brokerId: number) => boolean,
    random: Random = systemRandom,
  ) {
    this.random = random
    this.#brokerIds = brokerIds
    this.defaultPartitions = defaultPartitions
    this.#isUp = isUp
  }

  /** Of partitions that are created without a number of their own. */
  get replicationFactor(): number {
    return Math.min(this.defaultFactor ?? DEFAULT_FACTOR, this.#brokerIds().length)
  }

  all(): IterableIterator<Topic> {
    return this.#topics.values()
  }

  get(name: string): Topic | undefined {
    return this.#topics.get(name)
  }

  byId(id: string): Topic | undefined {
    return this.#byId.get(id)
  }

  partition(name: string, index: number): Partition | undefined {
    return this.#topics.get(name)?.partitions[index]
  }

  /** Why the topic cannot be created, or null. */
  refusal(request: TopicRequest): Refusal | null {
    const problem = nameProblem(request.name)
    if (problem !== null) return { errorCode: ErrorCode.ERR_TOPIC_EXCEPTION, message: problem }
    if (this.#topics.has(request.name)) {
      return { errorCode: ErrorCode.ERR_TOPIC_ALREADY_EXISTS, message: `Topic '${request.name}' already exists.` }
    }
    const collision = this.#collidingTopic(request.name)
    if (collision !== undefined) {
      const message = `Topic '${request.name}' collides with existing topic: ${collision}`
      return { errorCode: ErrorCode.ERR_TOPIC_EXCEPTION, message }
    }
    if (request.partitions === 0 || request.partitions < -1 || request.partitions > PARTITION_LIMIT) {
      return {
        errorCode: ErrorCode.ERR_INVALID_PARTITIONS,
        message: 'Number of partitions was set to an invalid value.',
      }
    }
    const factor = request.replicationFactor
    if (factor === 0 || factor < -1 || factor > this.#brokerIds().length) {
      const message = `The target replication factor of ${factor} cannot be reached: ${this.#brokerIds().length} broker(s) are registered.`
      return { errorCode: ErrorCode.ERR_INVALID_REPLICATION_FACTOR, message }
    }
    const message = request.assignment === undefined ? null : this.assignmentProblem(request.assignment)
    if (message !== null) return { errorCode: ErrorCode.ERR_INVALID_REPLICA_ASSIGNMENT, message }
    for (const [name, value] of request.configs ?? []) {
      const message = configProblem(name, value)
      if (message !== null) return { errorCode: ErrorCode.ERR_INVALID_CONFIG, message }
    }
    return null
  }

  /** Why partitions cannot have these replicas, or null. */
  assignmentProblem(assignment: readonly (readonly number[])[]): string | null {
    for (const ids of assignment) {
      if (ids.length === 0) return 'The manual partition assignment includes an empty replica list.'
      if (new Set(ids).size < ids.length) return 'The manual partition assignment includes the same broker twice.'
      const unknown = ids.find(id => !this.#brokerIds().includes(id))
      if (unknown !== undefined)
        return `The manual partition assignment includes broker ${unknown}, which does not exist.`
      if (ids.length !== assignment[0]?.length) return 'The replica lists differ in length.'
    }
    return null
  }

  /** For requests that `refusal` accepts. */
  create(request: TopicRequest, isInternal = false): Topic {
    const count = request.assignment?.length ?? (request.partitions < 0 ? this.defaultPartitions : request.partitions)
    const factor = request.replicationFactor < 0 ? this.replicationFactor : request.replicationFactor
    const configs = new Map<string, string>()
    for (const [name, value] of request.configs ?? []) if (value !== null) configs.set(name, value)
    const topic: Topic = { name: request.name, id: newUuid(this.random), isInternal, partitions: [], configs }
    for (let i = 0; i < count; i++) this.#addPartition(topic, request.assignment?.[i] ?? this.#pickReplicas(factor))
    this.#topics.set(topic.name, topic)
    this.#byId.set(topic.id, topic)
    this.changed(topic)
    return topic
  }

  /** Restores a topic after a restart, with empty partitions. Replicas on brokers that no longer exist are left out. */
  restore(
    saved: Omit<Topic, 'partitions' | 'configs'> & {
      readonly configs: Readonly<Record<string, string>>
      readonly partitions: readonly { readonly replicas: readonly number[]; readonly leaderEpoch: number }[]
    },
  ): Topic {
    const { id, name, isInternal, configs } = saved
    const topic: Topic = { id, name, isInternal, partitions: [], configs: new Map(Object.entries(configs)) }
    for (const { replicas, leaderEpoch } of saved.partitions) {
      const there = replicas.filter(broker => this.#brokerIds().includes(broker))
      const partition = this.#addPartition(topic, there.length > 0 ? there : this.#pickReplicas(1))
      partition.leaderEpoch = leaderEpoch
    }
    this.#topics.set(name, topic)
    this.#byId.set(id, topic)
    return topic
  }

  /** To be called after a change of the topic's configuration or its partitions' leaders. */
  changed(topic: Topic): void {
    this.persistence?.topicChanged(topic)
    this.replicator?.topicChanged(topic)
  }

  grow(topic: Topic, count: number, assignment?: readonly (readonly number[])[]): void {
    const factor = topic.partitions[0]?.replicas.length ?? 1
    for (let i = topic.partitions.length, added = 0; i < count; i++, added++) {
      this.#addPartition(topic, assignment?.[added] ?? this.#pickReplicas(factor))
    }
    this.changed(topic)
  }

  delete(topic: Topic): void {
    this.#topics.delete(topic.name)
    this.#byId.delete(topic.id)
    if (this.replicator === null) for (const { log } of topic.partitions) log.close()
    else this.replicator.topicDeleted(topic)
    this.persistence?.topicDeleted(topic)
    for (const listener of this.#onDeleted) listener(topic)
  }

  /** Calls a listener for every deleted topic. */
  onDeleted(listener: (topic: Topic) => void): void {
    this.#onDeleted.push(listener)
  }

  /** Elects leaders after a broker went down or came up. */
  elect(): void {
    if (this.replicator !== null) {
      this.replicator.elect()
      return
    }
    for (const topic of this.#topics.values()) {
      let isMoved = false
      for (const partition of topic.partitions) {
        partition.isr = partition.replicas.filter(id => this.#isUp(id))
        if (settleReassignment(partition)) isMoved = true
        if (this.#isUp(partition.leader)) continue
        if (setLeader(partition, partition.isr[0] ?? -1)) isMoved = true
      }
      if (isMoved) this.persistence?.topicChanged(topic)
    }
  }

  /** A broker was restarted and has read its partitions again. */
  brokerRestarted(brokerId: number): void {
    for (const topic of this.#topics.values()) {
      for (const partition of topic.partitions) if (partition.leader === brokerId) partition.log.producers.restarted()
    }
  }

  /** A broker was removed: it is no replica any more. */
  brokerRemoved(brokerId: number): void {
    for (const topic of this.#topics.values()) {
      for (const partition of topic.partitions) {
        if (partition.replicas.length > 1) partition.replicas = partition.replicas.filter(id => id !== brokerId)
      }
      this.persistence?.topicChanged(topic)
    }
    this.elect()
  }

  isUp(brokerId: number): boolean {
    return this.replicator === null ? this.#isUp(brokerId) : this.replicator.isUp(brokerId)
  }

  /** The topics as a broker knows them. */
  seenBy(brokerId: number): TopicsView {
    return this.replicator === null ? this : this.replicator.seenBy(brokerId)
  }

  /** Whether a replica has all that is acknowledged; without simulated replication every live one has. */
  isInSync(partition: Partition, brokerId: number): boolean {
    return this.replicator === null ? this.#isUp(brokerId) : partition.isr.includes(brokerId)
  }

  config(topic: Pick<TopicView, 'configs'>, name: string): string {
    return topic.configs.get(name) ?? this.brokerDefault(name) ?? topicDefaults.get(name) ?? ''
  }

  // Brokers do not tell dots and underscores apart in the names of metrics.
  #collidingTopic(name: string): string | undefined {
    if (!/[._]/.test(name)) return undefined
    const plain = name.replaceAll('.', '_')
    for (const other of this.#topics.keys()) if (other.replaceAll('.', '_') === plain) return other
    return undefined
  }

  #addPartition(topic: Topic, replicas: readonly number[]): Partition {
    const live = replicas.filter(id => this.isUp(id))
    // Where none is up, all are as good, being empty: whichever returns may lead.
    const isr = live.length === 0 && this.replicator !== null ? replicas : live
    const partition: Partition = {
      topic: topic.name,
      index: topic.partitions.length,
      replicas: [...replicas],
      adding: [],
      removing: [],
      isr: [...isr],
      leader: live[0] ?? -1,
      leaderEpoch: 0,
      log: new PartitionLog(this.memory),
    }
    topic.partitions.push(partition)
    return partition
  }

  #pickReplicas(factor: number): number[] {
    const start = this.#nextReplica++
    const ids = this.#brokerIds()
    return Array.from({ length: factor }, (_, i) => ids[(start + i) % ids.length] as number) // it is in range
  }
}

/** Why a topic name is not valid, or null. */
export function nameProblem(name: string): string | null {
  if (name === '') return 'Topic name is invalid: it is empty.'
  if (name === '.' || name === '..') return `Topic name is invalid: '${name}' is not allowed.`
  if (name.length > NAME_LIMIT) return `Topic name is invalid: it is longer than ${NAME_LIMIT} characters.`
  if (!/^[a-zA-Z0-9._-]+$/.test(name)) {
    return 'Topic name is invalid: only ASCII letters, digits, dot, underscore and hyphen are allowed.'
  }
  return null
}
