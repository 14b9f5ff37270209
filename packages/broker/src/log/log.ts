/** One partition's log: the record batches of producers with their offsets assigned. */
import { encodeControlBatch, setBaseOffset, setLogAppendTime, setPartitionLeaderEpoch } from '@ottla/protocol'
import type { CompressionCodec, RecordBatch } from '@ottla/protocol'
import { ProducerStates } from './producer-states.ts'
import { copyBatch } from './rebuild-batch.ts'
import { LogMemory } from './log-memory.ts'
import {
  findLatest,
  findRecord,
  indexOf,
  isLater,
  open,
  storedBatch,
  type StoredBatch,
  type TimestampedOffset,
} from './stored-batch.ts'
import { checkBatch, type RecordRules, type Refusal } from './validation.ts'

/** The result of an append; a duplicate gets that of the first append. */
export interface Appended {
  readonly baseOffset: number
  /** ms since the epoch, -1 without LogAppendTime. */
  readonly logAppendTime: number
  readonly logStartOffset: number
}

export interface AppendOptions extends RecordRules {
  /** Compression of stored batches; null: unchanged. */
  readonly codec: CompressionCodec | null
  /** Transactions of version 2 start at sequence number 0 in each partition. */
  readonly strictSequences: boolean
  readonly leaderEpoch: number
}

export interface Marker {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly commit: boolean
  readonly coordinatorEpoch: number
  readonly leaderEpoch: number
  /** ms since the epoch. */
  readonly timestamp: number
}

/** An aborted transaction, whose records read_committed consumers skip. */
export interface AbortedTransaction {
  readonly producerId: bigint
  readonly firstOffset: number
  /** Offset of the marker. */
  readonly lastOffset: number
}

export interface Read {
  /** One whole batch each. */
  readonly chunks: Buffer[]
  readonly bytes: number
  /** One past the last offset read. */
  readonly endOffset: number
}

interface UnreplicatedEnd {
  readonly firstOffset: number
  /** Offset of the marker. */
  readonly lastOffset: number
}

/** Makes the changes of a log durable. */
export interface LogPersistence {
  appended(batch: StoredBatch): void
  startMoved(startOffset: number): void
  /** These batches replace all others. */
  rewritten(batches: readonly StoredBatch[], startOffset: number, nextOffset: number): void
}

/** Appends, reads and finds records. Offsets have no gaps except from compaction. */
export class PartitionLog {
  readonly producers = new ProducerStates()
  #memory: LogMemory
  #batches: StoredBatch[] = []
  #aborted: AbortedTransaction[] = []
  readonly #waiters = new Set<() => void>()
  #persistence: LogPersistence | null = null
  // One past the last record that is replicated; a log without replicas has no such limit.
  #replicated = Infinity
  // Transactions that have ended, but whose markers are not replicated.
  #unreplicatedEnds: UnreplicatedEnd[] = []
  #nextOffset = 0
  #startOffset = 0
  #bytes = 0

  constructor(memory = new LogMemory()) {
    this.#memory = memory
  }

  /** One past the last record. */
  get endOffset(): number {
    return this.#nextOffset
  }

  /** One past the last record that consumers may read: all of them, unless {@link replicatedTo} has said otherwise. */
  get highWatermark(): number {
    return Math.min(this.#replicated, this.#nextOffset)
  }

  /** The first offset of a transaction that is open, or whose end is not replicated; else the high watermark (KIP-98). */
  get lastStableOffset(): number {
    let unstable = this.producers.firstUnstableOffset ?? Infinity
    for (const { firstOffset } of this.#unreplicatedEnds) unstable = Math.min(unstable, firstOffset)
    return Math.min(this.highWatermark, Math.max(unstable, this.#startOffset))
  }

  /** The leader epoch of the last batch, -1 without one. */
  get lastEpoch(): number {
    return this.#batches.at(-1)?.leaderEpoch ?? -1
  }

  get startOffset(): number {
    return this.#startOffset
  }

  get sizeBytes(): number {
    return this.#bytes
  }

  get batches(): readonly StoredBatch[] {
    return this.#batches
  }

  /** Makes all changes durable from now on. */
  persistTo(persistence: LogPersistence): void {
    this.#persistence = persistence
  }

  /** Appends a copy of a produced batch. */
  append(batch: RecordBatch, options: AppendOptions): Appended | Refusal {
    const problem = checkBatch(batch, options)
    if (problem !== null) return problem
    if (batch.producerId >= 0n) {
      const known = this.producers.duplicate(batch)
      if (known !== null) {
        return {
          baseOffset: known.baseOffset,
          logAppendTime: known.timestamp,
          logStartOffset: this.#startOffset,
        }
      }
      const refusal = this.producers.check(batch, options.strictSequences)
      if (refusal !== null) return refusal
    }
    const bytes = copyBatch(batch, options.codec)
    const baseOffset = this.#nextOffset
    setBaseOffset(bytes, 0, baseOffset)
    setPartitionLeaderEpoch(bytes, 0, options.leaderEpoch)
    if (options.logAppendTime !== null) setLogAppendTime(bytes, 0, options.logAppendTime)
    const maxTimestamp = options.logAppendTime ?? batch.maxTimestamp
    this.#store(bytes, baseOffset, baseOffset + batch.recordCount - 1, maxTimestamp, options.leaderEpoch)
    this.producers.appended(batch, baseOffset, maxTimestamp)
    return { baseOffset, logAppendTime: options.logAppendTime ?? -1, logStartOffset: this.#startOffset }
  }

  /** Writes the marker that ends a transaction in this partition. */
  mark(marker: Marker): Refusal | null {
    const { producerId, producerEpoch, coordinatorEpoch, leaderEpoch, timestamp } = marker
    const refusal = this.producers.checkMarker(producerId, producerEpoch, coordinatorEpoch)
    if (refusal !== null) return refusal
    const offset = this.#nextOffset
    const bytes = encodeControlBatch({
      type: marker.commit ? 'commit' : 'abort',
      producerId,
      producerEpoch,
      coordinatorEpoch,
      timestamp,
      baseOffset: offset,
      partitionLeaderEpoch: leaderEpoch,
    })
    this.#store(bytes, offset, offset, timestamp, leaderEpoch)
    this.#transactionEnded(producerId, producerEpoch, coordinatorEpoch, timestamp, offset, marker.commit)
    return null
  }

  /**
   * Reads batches that start before `end`, from the one that holds `offset` on, up to `maxBytes`. The first one is read
   * even if it is larger, unless `strict`. `offset` has to lie between log start and high watermark.
   */
  read(offset: number, maxBytes: number, strict: boolean, end = this.#nextOffset): Read {
    const chunks: Buffer[] = []
    let bytes = 0
    let endOffset = offset
    for (let i = indexOf(this.#batches, offset); i < this.#batches.length; i++) {
      const batch = this.#batches[i] as StoredBatch // i is below the length
      if (batch.baseOffset >= end) break
      if (bytes + batch.bytes.length > maxBytes && (strict || chunks.length > 0)) break
      chunks.push(batch.bytes)
      bytes += batch.bytes.length
      endOffset = batch.lastOffset + 1
    }
    return { chunks, bytes, endOffset }
  }

  /** The aborted transactions that a reader of these offsets has to know. */
  abortedBetween(from: number, end: number): AbortedTransaction[] {
    return this.#aborted.filter(aborted => aborted.lastOffset >= from && aborted.firstOffset < end)
  }

  /** The first record before `end` with this timestamp or a later one, or null. */
  firstAt(timestamp: number, end = this.#nextOffset): TimestampedOffset | null {
    for (const stored of this.#batches) {
      if (stored.baseOffset >= end) break
      if (stored.maxTimestamp < timestamp) continue
      const found = findRecord(stored, time => time >= timestamp, this.#startOffset)
      if (found !== null) return found
    }
    return null
  }

  /** The record with the highest timestamp, or null for an empty log. Includes markers, as Kafka does. */
  latestTimestamp(): TimestampedOffset | null {
    let best: StoredBatch | null = null
    for (const stored of this.#batches) {
      if (best === null || isLater(stored, best)) best = stored
    }
    return best === null ? null : findLatest(best, this.#startOffset)
  }

  /**
   * Where a leader epoch ended (KIP-101): the largest epoch up to `requested`, and the offset one past its last record;
   * -1 and -1 for an epoch that is negative or later than the current one.
   */
  endOfEpoch(requested: number, currentEpoch: number): { leaderEpoch: number; endOffset: number } {
    if (requested === currentEpoch) return { leaderEpoch: requested, endOffset: this.#nextOffset }
    if (requested < 0 || requested > currentEpoch) return { leaderEpoch: -1, endOffset: -1 }
    const first = this.#batches[0]
    if (first === undefined) return { leaderEpoch: requested, endOffset: this.#nextOffset }
    if (requested < first.leaderEpoch) {
      return { leaderEpoch: requested, endOffset: Math.max(first.baseOffset, this.#startOffset) }
    }
    let low = 0
    let high = this.#batches.length
    // Epochs never go down, so the epoch ended at the first batch of a later one.
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#batches[middle] as StoredBatch).leaderEpoch <= requested)
        low = middle + 1 // middle is below the length
      else high = middle
    }
    const before = this.#batches[low - 1] ?? first
    return { leaderEpoch: before.leaderEpoch, endOffset: this.#batches[low]?.baseOffset ?? this.#nextOffset }
  }

  /** The batches from the one that holds `offset` on, up to `maxBytes`; the first one even if it is larger. */
  batchesFrom(offset: number, maxBytes: number): StoredBatch[] {
    const found: StoredBatch[] = []
    let bytes = 0
    for (let i = indexOf(this.#batches, offset); i < this.#batches.length; i++) {
      const batch = this.#batches[i] as StoredBatch // i is below the length
      bytes += batch.bytes.length
      if (bytes > maxBytes && found.length > 0) break
      found.push(batch)
    }
    return found
  }

  /** Appends a batch of the leader's log. Both logs have its bytes. */
  copy(stored: StoredBatch): void {
    this.#batches.push(stored)
    this.#nextOffset = stored.lastOffset + 1
    this.#grow(stored.bytes.length)
    this.#replay(stored)
    this.wake()
  }

  /** Consumers may read what comes before this offset. From the first call on, the log has a limit. */
  replicatedTo(offset: number): void {
    const before = this.highWatermark
    this.#replicated = Math.min(offset, this.#nextOffset)
    if (this.#unreplicatedEnds.length > 0) {
      this.#unreplicatedEnds = this.#unreplicatedEnds.filter(({ lastOffset }) => lastOffset >= this.#replicated)
    }
    if (this.highWatermark !== before) this.wake()
  }

  /** Counts the log's bytes in another place from now on. */
  countIn(memory: LogMemory): void {
    this.#memory.used -= this.#bytes
    memory.used += this.#bytes
    this.#memory = memory
  }

  /** Deletes records before an offset (DeleteRecords, retention). @returns the new log start offset */
  deleteBefore(offset: number): number {
    const start = Math.max(this.#startOffset, Math.min(offset, this.highWatermark))
    if (start === this.#startOffset) return start
    this.#startOffset = start
    const gone = this.#batches.splice(0, indexOf(this.#batches, start))
    for (const batch of gone) this.#grow(-batch.bytes.length)
    if (this.#aborted.length > 0) this.#aborted = this.#aborted.filter(({ lastOffset }) => lastOffset >= start)
    this.#persistence?.startMoved(start)
    return start
  }

  /** Cuts off the batch that holds an offset and all after it, as after an unclean election. */
  truncateTo(offset: number): void {
    if (offset >= this.#nextOffset) return
    const kept = indexOf(this.#batches, offset)
    const next = Math.min(offset, this.#batches[kept]?.baseOffset ?? offset)
    if (this.#replicated > next && this.#replicated !== Infinity) this.#replicated = next
    this.replace(this.#batches.slice(0, kept), Math.min(this.#startOffset, next), next)
    this.wake()
  }

  /** Drops everything; the log goes on at this offset. */
  startOver(offset: number): void {
    if (this.#replicated !== Infinity) this.#replicated = offset
    this.replace([], offset, offset)
    this.wake()
  }

  /** Replaces all batches, after compaction or truncation. */
  replace(batches: readonly StoredBatch[], startOffset: number, nextOffset: number): void {
    this.restore(batches, startOffset, nextOffset)
    this.#persistence?.rewritten(batches, startOffset, nextOffset)
  }

  /** As {@link replace}, for batches that are stored already. Rebuilds the producers' states from them. */
  restore(batches: readonly StoredBatch[], startOffset: number, nextOffset: number): void {
    this.#batches = [...batches]
    this.#startOffset = startOffset
    this.#nextOffset = nextOffset
    this.#grow(-this.#bytes)
    this.#aborted = []
    this.#unreplicatedEnds = []
    this.producers.clear()
    for (const stored of batches) {
      this.#grow(stored.bytes.length)
      this.#replay(stored)
    }
  }

  /** Calls back at every change that matters to a waiting fetch. @returns a function that ends this */
  onChange(callback: () => void): () => void {
    this.#waiters.add(callback)
    return () => void this.#waiters.delete(callback)
  }

  /** For a deleted partition. */
  close(): void {
    this.#grow(-this.#bytes)
    this.#batches = []
    this.#persistence = null
    this.wake()
  }

  /** To be called when data or the leader have changed, or the partition was deleted. */
  wake(): void {
    if (this.#waiters.size > 0) for (const wake of [...this.#waiters]) wake()
  }

  #grow(bytes: number): void {
    this.#bytes += bytes
    this.#memory.used += bytes
  }

  #store(bytes: Buffer, baseOffset: number, lastOffset: number, maxTimestamp: number, leaderEpoch: number): void {
    const stored = storedBatch(bytes, { baseOffset, lastOffset, maxTimestamp, leaderEpoch })
    // If it throws, nothing is appended.
    this.#persistence?.appended(stored)
    this.#batches.push(stored)
    this.#nextOffset = lastOffset + 1
    this.#grow(bytes.length)
    // The waiters read later, when the whole append is done.
    this.wake()
  }

  #replay(stored: StoredBatch): void {
    const batch = open(stored)
    if (batch.producerId < 0n) return
    if (!batch.isControl) this.#replayBatch(batch, stored)
    else this.#replayMarker(batch, stored)
  }

  // Compaction removes records, but keeps the sequence numbers and the offset range of the batch.
  #replayBatch(batch: RecordBatch, stored: StoredBatch): void {
    batch.recordCount = stored.lastOffset - stored.baseOffset + 1
    this.producers.appended(batch, stored.baseOffset, stored.maxTimestamp)
  }

  #replayMarker(batch: RecordBatch, stored: StoredBatch): void {
    const cursor = batch.records()
    if (!cursor.next()) return
    const coordinatorEpoch = cursor.value()?.readInt32BE(2) ?? -1
    const commit = batch.controlType() === 'commit'
    const { producerId, producerEpoch } = batch
    this.#transactionEnded(producerId, producerEpoch, coordinatorEpoch, stored.maxTimestamp, stored.lastOffset, commit)
  }

  #transactionEnded(
    producerId: bigint,
    epoch: number,
    coordinator: number,
    time: number,
    offset: number,
    commit: boolean,
  ): void {
    const firstOffset = this.producers.transactionEnded(producerId, epoch, coordinator, time)
    if (firstOffset < 0) return
    if (!commit) this.#aborted.push({ producerId, firstOffset, lastOffset: offset })
    if (offset >= this.highWatermark) this.#unreplicatedEnds.push({ firstOffset, lastOffset: offset })
  }
}
