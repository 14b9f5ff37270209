/** What tests put into a cluster without a client, and what they see of its topics and groups. */
import { groupStatus, type GroupStatus } from './groups/status.ts'
import { committedPartitions, type CommittedPartition } from './groups/group.ts'
import type { Stores } from './handlers/stores.ts'
import { compact } from './log/compaction.ts'
import type { CreateTopicOptions } from './options.ts'
import { logsOf } from './replication/replication.ts'
import { ReplicationCommands } from './replication-commands.ts'
import { messagesOf, type StoredMessage } from './topics/messages.ts'
import type { Partition, Topic } from './topics/topics.ts'
import { write, type MessageInput } from './topics/writing.ts'

/**
 * The methods of a cluster that create, fill, read and delete topics and groups.
 * @since 0.1.0
 */
export class ContentCommands extends ReplicationCommands {
  readonly #stores: Stores

  /** @internal */
  protected constructor(stores: Stores) {
    super(stores)
    this.#stores = stores
  }

  /** Creates a topic. Throws Error if it exists or a broker would refuse to create it. */
  createTopic(name: string, options: CreateTopicOptions = {}): void {
    const request = {
      name,
      partitions: options.partitions ?? -1,
      replicationFactor: options.replicationFactor ?? -1,
      configs: new Map(Object.entries(options.configs ?? {})),
    }
    const refusal = this.#stores.topics.refusal(request)
    if (refusal !== null) throw new Error(refusal.message)
    this.#stores.topics.create(request)
  }

  /**
   * Writes messages as a producer without transactions would, in order. Without a partition of its own a message goes
   * where the key sends it in ottla and librdkafka (`partitioner=consistent_random`); those without a key go to one
   * partition after the other, from partition 0 on. An unknown topic is created if clients may do that.
   *
   * Throws Error, and writes nothing, for an unknown topic or partition and for messages that a broker would refuse;
   * TypeError for a key or value that is not bytes, a string or null.
   */
  produce(topic: string, messages: readonly MessageInput[]): void {
    const { autoCreateTopics, clock, retention, topics } = this.#stores
    if (autoCreateTopics && topics.get(topic) === undefined) this.createTopic(topic)
    write(this.#topic(topic), messages, topics, clock.now())
    retention.limitMemory()
  }

  /** The topics that clients have created or write to, without internal ones. A topic that is created again has another id. */
  topics(): { readonly name: string; readonly id: string; readonly partitions: number }[] {
    return [...this.#stores.topics.all()]
      .filter(topic => !topic.isInternal)
      .map(({ name, id, partitions }) => ({ name, id, partitions: partitions.length }))
  }

  /**
   * What a group has committed; nothing for one that does not exist. For a share group, where its partitions start: all
   * records before that are acknowledged.
   */
  committedOffsets(groupId: string): CommittedPartition[] {
    const { groups, topics } = this.#stores
    return committedPartitions(groups.get(groupId), topics)
  }

  /** The groups of all types, those without members included. */
  groups(): GroupStatus[] {
    const { groups, topics } = this.#stores
    return [...groups.all()].map(group => groupStatus(group, topics))
  }

  /** Deletes a group and what it has committed. Throws Error for an unknown group and for one that has members. */
  deleteGroup(groupId: string): void {
    const { groups } = this.#stores
    const group = groups.get(groupId)
    if (group === undefined) throw new Error(`there is no group ${groupId}`)
    if (!group.isEmpty) throw new Error(`group ${groupId} cannot be deleted: it has members`)
    groups.delete(group)
  }

  /** Deletes a topic. Throws Error for an unknown topic. */
  deleteTopic(name: string): void {
    this.#stores.topics.delete(this.#topic(name))
  }

  /**
   * The messages of a topic, one partition after the other, as a `read_committed` consumer would read them. An unknown
   * topic has none.
   * @param from the first offset of interest in each partition, 0 where it is missing
   */
  messages(topic: string, from: readonly number[] = []): StoredMessage[] {
    const found = this.#stores.topics.get(topic)
    return found === undefined ? [] : messagesOf(found, from)
  }

  /**
   * Where a partition begins, its last stable offset, up to which all transactions have ended, and its high watermark.
   * Throws Error for an unknown partition.
   */
  watermarks(
    topic: string,
    partition: number,
  ): { readonly low: number; readonly stable: number; readonly high: number } {
    const { log } = this.#partition(topic, partition)
    return { low: log.startOffset, stable: log.lastStableOffset, high: log.highWatermark }
  }

  /**
   * Cuts the tail off a partition, as an unclean election does: the batch that holds `offset` and all after it are
   * lost, and the leader epoch goes up. Throws Error for an unknown partition.
   */
  truncate(topic: string, partition: number, offset: number): void {
    const found = this.#partition(topic, partition)
    // First: simulated replicas that hear of the new epoch compare their logs with this one.
    found.log.truncateTo(offset)
    found.leaderEpoch++
    this.#stores.topics.changed(this.#topic(topic))
  }

  /**
   * Deletes what has expired: segments by `retention.ms` and `retention.bytes` (`segment.bytes` and `segment.ms` say
   * where one ends), producers idle for a day, transactional ids idle for a week. Brokers do it by themselves every
   * five minutes of the cluster's clock.
   */
  runRetention(): void {
    this.#stores.retention.run()
  }

  /**
   * Compacts a topic up to the last stable offset: the last record of each key stays. Brokers do it by
   * themselves with `compactEveryMs` only. Throws Error for an unknown topic and for one whose `cleanup.policy` does not include compact.
   */
  compact(name: string): void {
    const { topics, clock, replication } = this.#stores
    const topic = this.#topic(name)
    if (!topics.config(topic, 'cleanup.policy').includes('compact')) {
      throw new Error(`topic ${name} cannot be compacted: its cleanup.policy does not include compact`)
    }
    const rules = {
      minLagMs: Number(topics.config(topic, 'min.compaction.lag.ms')),
      deleteRetentionMs: Number(topics.config(topic, 'delete.retention.ms')),
    }
    for (const log of logsOf(topic, replication)) compact(log, rules, clock.now())
  }

  #topic(name: string): Topic {
    const found = this.#stores.topics.get(name)
    if (found === undefined) throw new Error(`there is no topic ${name}`)
    return found
  }

  #partition(topic: string, partition: number): Partition {
    const found = this.#stores.topics.partition(topic, partition)
    if (found === undefined) throw new Error(`there is no partition ${topic} [${partition}]`)
    return found
  }
}
