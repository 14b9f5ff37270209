/** The assigned partitions. */
import type { MetadataCache } from '../../cluster/metadata.ts'
import { OFFSET_INVALID, type TopicPartition, type TopicPartitionOffset } from '../../types.ts'
import { checkPartitions, invalid, notAssigned } from '../arguments.ts'
import { Cursor } from './cursor.ts'

/** What has been fetched ahead of the cursors: the fetch queue. */
export interface FetchedAhead {
  /** Call before the cursor moves. */
  forget(cursor: Cursor): void
  /** Moves past a gap, if one comes next. */
  passGaps(cursor: Cursor): void
}

/**
 * Owns the cursors. Each assignment makes new ones; whatever still arrives for the old ones (fetches, offsets to store)
 * is recognised by its cursor and dropped.
 */
export class Assignment {
  readonly #metadata: MetadataCache
  readonly #queue: FetchedAhead
  #storesOffsets: boolean
  readonly #topics = new Map<string, Map<number, Cursor>>()
  #cursors: readonly Cursor[] = []

  /** @param storesOffsets `enable.auto.offset.store` */
  constructor(metadata: MetadataCache, queue: FetchedAhead, storesOffsets: boolean) {
    this.#metadata = metadata
    this.#queue = queue
    this.#storesOffsets = storesOffsets
  }

  /** All of them; the array is replaced, never changed. */
  get cursors(): readonly Cursor[] {
    return this.#cursors
  }

  get size(): number {
    return this.#cursors.length
  }

  get(topic: string, partition: number): Cursor | undefined {
    return this.#topics.get(topic)?.get(partition)
  }

  /** Throws KafkaError ERR__STATE for a partition that is not assigned. */
  require(partitions: readonly TopicPartition[]): Cursor[] {
    return partitions.map(({ topic, partition }) => {
      const cursor = this.get(topic, partition)
      if (cursor === undefined) throw notAssigned(topic, partition)
      return cursor
    })
  }

  /** For the arguments of `call`; throws KafkaError ERR__INVALID_ARG for a partition that is not assigned. */
  named(partitions: readonly TopicPartition[], call: string): Cursor[] {
    checkPartitions(partitions, call)
    return partitions.map(({ topic, partition }) => {
      const cursor = this.get(topic, partition)
      if (cursor === undefined) throw invalid(`${call}: ${topic} [${partition}] is not assigned`)
      return cursor
    })
  }

  partitions(): TopicPartition[] {
    return this.#cursors.map(({ topic, partition }) => ({ topic, partition }))
  }

  /**
   * Adds partitions that are not assigned; each begins at its offset.
   * @param before the cursors that these replace
   */
  add(partitions: readonly TopicPartitionOffset[], before: readonly Cursor[] = []): void {
    const replaced = new Map(before.map(cursor => [cursor.name, cursor]))
    for (const { topic, partition, offset, leaderEpoch } of partitions) {
      const cursor = new Cursor(topic, partition, this.#storesOffsets)
      const earlier = replaced.get(cursor.name)
      if (earlier !== undefined) cursor.offsets.follows(earlier.offsets)
      let byNumber = this.#topics.get(topic)
      if (byNumber === undefined) {
        byNumber = new Map<number, Cursor>()
        this.#topics.set(topic, byNumber)
      }
      byNumber.set(partition, cursor)
      this.#metadata.want(topic)
      cursor.moveTo(offset, leaderEpoch)
    }
    this.#list()
  }

  /** Gives up partitions and all that was fetched for them. */
  remove(cursors: readonly Cursor[]): void {
    for (const cursor of cursors) {
      if (cursor.dropped) continue
      cursor.drop()
      this.#queue.passGaps(cursor)
      this.#queue.forget(cursor)
      cursor.stop()
      const byNumber = this.#topics.get(cursor.topic)
      byNumber?.delete(cursor.partition)
      if (byNumber?.size === 0) this.#topics.delete(cursor.topic)
      this.#metadata.unwant(cursor.topic)
    }
    this.#list()
  }

  /** Whether the client or the application stores offsets from now on. */
  storeOffsets(byClient: boolean): void {
    this.#storesOffsets = byClient
    for (const cursor of this.#cursors) cursor.offsets.isAutomatic = byClient
  }

  /** Moves to these offsets; errors are per partition. */
  seek(partitions: readonly TopicPartitionOffset[]): TopicPartitionOffset[] {
    return partitions.map(given => {
      const { topic, partition, offset, leaderEpoch } = given
      const cursor = this.get(topic, partition)
      if (cursor === undefined) return { ...given, error: notAssigned(topic, partition) }
      this.#queue.forget(cursor)
      cursor.moveTo(offset, leaderEpoch)
      return { ...given }
    })
  }

  /** Stores offsets for the next commit; errors are per partition. */
  store(offsets: readonly TopicPartitionOffset[]): TopicPartitionOffset[] {
    return offsets.map(given => {
      const { topic, partition, offset, metadata, leaderEpoch } = given
      const cursor = this.get(topic, partition)
      if (cursor === undefined) return { ...given, error: notAssigned(topic, partition) }
      cursor.offsets.store(offset, leaderEpoch ?? -1, cursor.offsets.era, metadata ?? null)
      return { ...given }
    })
  }

  /** Moves past gaps, where one comes next in these partitions. */
  passGaps(cursors: readonly Cursor[]): void {
    for (const cursor of cursors) if (!cursor.dropped) this.#queue.passGaps(cursor)
  }

  /** The next offsets to deliver; errors are per partition. */
  positions(partitions: readonly TopicPartition[]): TopicPartitionOffset[] {
    return partitions.map(({ topic, partition }) => {
      const cursor = this.get(topic, partition)
      if (cursor !== undefined) {
        this.#queue.passGaps(cursor)
        const { undelivered, position } = cursor
        return { topic, partition, offset: undelivered?.isOver === false ? undelivered.offset : position }
      }
      return { topic, partition, offset: OFFSET_INVALID, error: notAssigned(topic, partition) }
    })
  }

  #list(): void {
    this.#cursors = [...this.#topics.values()].flatMap(byNumber => [...byNumber.values()])
  }
}
