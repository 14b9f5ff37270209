/** Stores a cluster's topics, records, offsets and transactions in a folder. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { CommittedOffset } from '../groups/committed-offsets.ts'
import type { Groups } from '../groups/groups.ts'
import type { Partition, Topic, TopicStore } from '../topics/topics.ts'
import type { TransactionCoordinator } from '../transactions/coordinator.ts'
import type { ProducerIdSource } from '../transactions/producer-ids.ts'
import { partitionKey, type Transaction } from '../transactions/transaction.ts'
import type { TransactionalOffsets } from '../transactions/transactional-offsets.ts'
import { FORMAT, PRODUCER_ID_FIELDS, type Entry, type SavedTopic, type SavedTransaction } from './entries.ts'
import { FilePool } from './file-pool.ts'
import { Journal } from './journal.ts'
import type { Persistence } from './persistence.ts'
import { lock } from './lock.ts'
import { PartitionFiles, type Bounds } from './partition-files.ts'

/** The state of a cluster that is stored. */
export interface StoredState {
  readonly clusterId: string
  readonly topics: TopicStore
  readonly groups: Groups
  readonly transactions: TransactionCoordinator
  readonly transactionalOffsets: TransactionalOffsets
  readonly producerIds: ProducerIdSource
}

interface Saved {
  clusterId: string | null
  nextProducerId: bigint
  readonly topics: Map<string, SavedTopic>
  readonly bounds: Map<string, Bounds>
  readonly offsets: Map<string, Map<string, CommittedOffset>>
  readonly transactions: Map<string, SavedTransaction>
  readonly pending: Map<string, Extract<Entry, { kind: 'pending-offset' }>[]>
}

const JOURNAL = 'journal'
const LOCK = 'lock'
const TOPICS = 'topics'
// A journal is rewritten when it is larger than this, and so many times larger than after the last time.
const REWRITE_BYTES = 4 * 1024 * 1024
const REWRITE_FACTOR = 4
// Producer ids are reserved in blocks, so that not each one has to be written.
const PRODUCER_ID_BLOCK = 1000n

/** Writes nothing until `restore`. */
export class Storage implements Persistence {
  readonly #folder: string
  readonly #files: FilePool
  readonly #journal: Journal<Entry>
  readonly #unlock: () => void
  readonly #partitions = new Map<Partition, PartitionFiles>()
  readonly #bounds = new Map<string, Bounds>()
  readonly #saved: Saved
  #state: StoredState | null = null
  #reservedProducerIds = 0n
  #rewrittenBytes = 0

  /**
   * Locks and reads the folder. Throws Error if another cluster uses it, its format is unknown, or it is not
   * accessible.
   */
  constructor(folder: string, fsync: boolean) {
    this.#folder = folder
    mkdirSync(join(folder, TOPICS), { recursive: true })
    this.#unlock = lock(folder, join(folder, LOCK))
    this.#files = new FilePool(fsync)
    this.#journal = new Journal(join(folder, JOURNAL), this.#files, PRODUCER_ID_FIELDS)
    try {
      this.#saved = replay(this.#journal.read())
    } catch (error) {
      this.#unlock()
      throw error
    }
  }

  /** The id of the cluster that the folder belongs to; null if it is new. */
  get clusterId(): string | null {
    return this.#saved.clusterId
  }

  /** Restores the stored state into a new cluster, and stores all changes from now on. */
  restore(state: StoredState): void {
    const saved = this.#saved
    state.producerIds.restore(saved.nextProducerId)
    this.#reservedProducerIds = saved.nextProducerId
    for (const [key, bounds] of saved.bounds) this.#bounds.set(key, bounds)
    for (const topic of saved.topics.values()) this.#restoreTopic(state.topics, topic)
    for (const name of readdirSync(join(this.#folder, TOPICS))) {
      if (!saved.topics.has(name)) rmSync(join(this.#folder, TOPICS, name), { recursive: true, force: true })
    }
    for (const [groupId, offsets] of saved.offsets) {
      const group = state.groups.getOrCreate(groupId)
      for (const [key, offset] of offsets) group.offsets.set(key, offset)
    }
    for (const entries of saved.pending.values()) {
      for (const { producerId, group, key, offset } of entries) {
        state.transactionalOffsets.add(producerId, group, key, offset)
      }
    }
    // The journal may only be rewritten once everything is restored.
    this.#state = state
    this.#rewrite(state, saved.transactions)
    // Transactions that were about to end do so now.
    for (const [id, fields] of saved.transactions) {
      const partitions = new Map(fields.partitions.map(partition => [partitionKey(partition), partition]))
      state.transactions.restore(id, { ...fields, partitions })
    }
  }

  /** Writes the final state and unlocks the folder. */
  close(): void {
    if (this.#state !== null) this.#rewrite(this.#state, null)
    this.#state = null
    this.#files.closeAll()
    this.#unlock()
  }

  topicChanged(topic: Topic): void {
    for (const partition of topic.partitions) {
      if (!this.#partitions.has(partition)) this.#attach(topic, partition)
    }
    this.#write({ kind: 'topic', topic: savedTopic(topic) })
  }

  topicDeleted(topic: Topic): void {
    this.#write({ kind: 'topic-deleted', id: topic.id })
    for (const partition of topic.partitions) {
      this.#partitions.get(partition)?.remove()
      this.#partitions.delete(partition)
      this.#bounds.delete(boundsKey(topic.id, partition.index))
    }
    rmSync(join(this.#folder, TOPICS, topic.id), { recursive: true, force: true })
  }

  offsetChanged(group: string, key: string, offset: CommittedOffset | null): void {
    this.#write({ kind: 'offset', group, key, offset })
  }

  offsetPending(producerId: bigint, group: string, key: string, offset: CommittedOffset): void {
    this.#write({ kind: 'pending-offset', producerId, group, key, offset })
  }

  pendingEnded(producerId: bigint, group: string): void {
    this.#write({ kind: 'pending-ended', producerId, group })
  }

  transactionChanged(transaction: Transaction): void {
    const { id, fields } = transaction
    this.#write({ kind: 'transaction', id, fields: fields.state === 'Dead' ? null : savedTransaction(transaction) })
  }

  producerIdGiven(producerId: bigint): void {
    if (producerId < this.#reservedProducerIds) return
    this.#reservedProducerIds = producerId + PRODUCER_ID_BLOCK
    this.#write({ kind: 'producer-ids', next: this.#reservedProducerIds })
  }

  #write(entry: Entry): void {
    const state = this.#state
    if (state === null) return
    this.#journal.append(entry)
    const { sizeBytes } = this.#journal
    if (sizeBytes > REWRITE_BYTES && sizeBytes > REWRITE_FACTOR * this.#rewrittenBytes) this.#rewrite(state, null)
  }

  /** @param transactions stored ones that are not restored yet */
  #rewrite(state: StoredState, transactions: ReadonlyMap<string, SavedTransaction> | null): void {
    this.#journal.rewrite(this.#allEntries(state, transactions))
    this.#rewrittenBytes = this.#journal.sizeBytes
  }

  *#allEntries(
    state: StoredState,
    transactions: ReadonlyMap<string, SavedTransaction> | null,
  ): Generator<Entry, void, undefined> {
    yield { kind: 'cluster', format: FORMAT, id: state.clusterId }
    yield { kind: 'producer-ids', next: this.#reservedProducerIds }
    for (const topic of state.topics.all()) {
      yield { kind: 'topic', topic: savedTopic(topic) }
      for (const { index } of topic.partitions) {
        const bounds = this.#bounds.get(boundsKey(topic.id, index))
        if (bounds !== undefined) yield { kind: 'bounds', id: topic.id, partition: index, ...bounds }
      }
    }
    for (const group of state.groups.all()) {
      for (const [key, offset] of group.offsets) yield { kind: 'offset', group: group.id, key, offset }
    }
    for (const { producerId, groupId, key, offset } of state.transactionalOffsets.all()) {
      yield { kind: 'pending-offset', producerId, group: groupId, key, offset }
    }
    for (const [id, fields] of transactions ?? []) yield { kind: 'transaction', id, fields }
    for (const transaction of state.transactions.all()) {
      yield { kind: 'transaction', id: transaction.id, fields: savedTransaction(transaction) }
    }
  }

  #restoreTopic(topics: TopicStore, saved: SavedTopic): void {
    const topic = topics.restore(saved)
    for (const partition of topic.partitions) {
      const files = this.#attach(topic, partition)
      const bounds = this.#bounds.get(boundsKey(topic.id, partition.index)) ?? { startOffset: 0, nextOffset: 0 }
      const { batches, startOffset, nextOffset } = files.load(bounds)
      partition.log.restore(batches, startOffset, nextOffset)
      // Clients from before the restart see a new leader epoch.
      partition.leaderEpoch = Math.max(partition.leaderEpoch, batches.at(-1)?.leaderEpoch ?? 0) + 1
    }
  }

  #attach(topic: Topic, partition: Partition): PartitionFiles {
    const { index } = partition
    const files = new PartitionFiles(join(this.#folder, TOPICS, topic.id, String(index)), this.#files, bounds => {
      this.#bounds.set(boundsKey(topic.id, index), bounds)
      this.#write({ kind: 'bounds', id: topic.id, partition: index, ...bounds })
    })
    this.#partitions.set(partition, files)
    partition.log.persistTo(files)
    return files
  }
}

function replay(entries: readonly Entry[]): Saved {
  const saved: Saved = {
    clusterId: null,
    nextProducerId: PRODUCER_ID_BLOCK,
    topics: new Map(),
    bounds: new Map(),
    offsets: new Map(),
    transactions: new Map(),
    pending: new Map(),
  }
  for (const entry of entries) apply(saved, entry)
  return saved
}

function apply(saved: Saved, entry: Entry): void {
  switch (entry.kind) {
    case 'cluster':
      if (entry.format !== FORMAT)
        throw new Error(`the dataDir has format ${entry.format}, but this version can only read format ${FORMAT}`)
      saved.clusterId = entry.id
      return
    case 'producer-ids':
      saved.nextProducerId = entry.next
      return
    case 'topic':
      saved.topics.set(entry.topic.id, entry.topic)
      return
    case 'topic-deleted':
      saved.topics.delete(entry.id)
      return
    case 'bounds':
      saved.bounds.set(boundsKey(entry.id, entry.partition), entry)
      return
    case 'offset': {
      const offsets = saved.offsets.get(entry.group) ?? new Map<string, CommittedOffset>()
      saved.offsets.set(entry.group, offsets)
      if (entry.offset === null) offsets.delete(entry.key)
      else offsets.set(entry.key, entry.offset)
      if (offsets.size === 0) saved.offsets.delete(entry.group)
      return
    }
    case 'transaction':
      if (entry.fields === null) saved.transactions.delete(entry.id)
      else saved.transactions.set(entry.id, entry.fields)
      return
    case 'pending-offset': {
      const key = `${entry.producerId}/${entry.group}`
      const list = saved.pending.get(key)
      if (list === undefined) saved.pending.set(key, [entry])
      else list.push(entry)
      return
    }
    case 'pending-ended':
      saved.pending.delete(`${entry.producerId}/${entry.group}`)
      return
    default:
      entry satisfies never
  }
}

function boundsKey(topicId: string, partition: number): string {
  return `${topicId}/${partition}`
}

function savedTopic({ id, name, isInternal, configs, partitions }: Topic): SavedTopic {
  return {
    id,
    name,
    isInternal,
    configs: Object.fromEntries(configs),
    // A restart completes a reassignment, since all brokers are up then.
    partitions: partitions.map(({ replicas, removing, leaderEpoch }) => ({
      replicas: replicas.filter(id => !removing.includes(id)),
      leaderEpoch,
    })),
  }
}

function savedTransaction({ fields }: Transaction): SavedTransaction {
  return { ...fields, partitions: [...fields.partitions.values()] }
}
