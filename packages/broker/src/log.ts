/** One partition's log, in memory: whole record batches as producers sent them, with offsets given. */
import {
  BatchReader,
  ErrorCode,
  ProtocolError,
  setBaseOffset,
  setLogAppendTime,
  setPartitionLeaderEpoch,
  type RecordBatch,
} from '@ottla/protocol'
import type { ProducerStates } from './producer-states.ts'

interface StoredBatch {
  readonly bytes: Buffer
  readonly baseOffset: number
  readonly lastOffset: number
  readonly maxTimestamp: number
  readonly leaderEpoch: number
}

/** What becomes of an append. */
export type AppendResult =
  | {
      readonly errorCode: 0
      readonly baseOffset: number
      readonly logAppendTime: number
      readonly logStartOffset: number
    }
  | { readonly errorCode: number; readonly message: string }

export interface AppendOptions {
  readonly leaderEpoch: number
  readonly maxMessageBytes: number
  /** ms since the epoch for topics with LogAppendTime, else null. */
  readonly logAppendTime: number | null
  /** `cleanup.policy` has compact: every record needs a key. */
  readonly needsKeys: boolean
}

export interface TimestampedOffset {
  readonly offset: number
  readonly timestamp: number
  readonly leaderEpoch: number
}

/** Appends, reads and finds. Offsets count up without gaps, but for what was deleted at the front. */
export class PartitionLog {
  readonly #batches: StoredBatch[] = []
  readonly #producers: ProducerStates
  readonly #waiters = new Set<() => void>()
  #nextOffset = 0
  #startOffset = 0
  #bytes = 0

  constructor(producers: ProducerStates) {
    this.#producers = producers
  }

  /** Behind the last record. */
  get highWatermark(): number {
    return this.#nextOffset
  }

  get startOffset(): number {
    return this.#startOffset
  }

  get sizeBytes(): number {
    return this.#bytes
  }

  /** Takes the batches of a produce request; the bytes are copied. */
  append(records: Buffer | null, options: AppendOptions): AppendResult {
    const batches: RecordBatch[] = []
    try {
      const reader = new BatchReader(records ?? Buffer.alloc(0))
      for (let batch = reader.next(); batch !== null; batch = reader.next()) batches.push(batch)
      if (batches.length === 0 || reader.partialBytes > 0) return corrupt('the records are cut off')
      for (const batch of batches) {
        const problem = this.#check(batch, options)
        if (problem !== null) return problem
      }
    } catch (error) {
      if (error instanceof ProtocolError) return corrupt(error.message)
      throw error
    }
    const first = batches[0] as RecordBatch // there is one, as was checked above
    const duplicate = this.#producers.check(first)
    if (duplicate !== null) {
      if ('errorCode' in duplicate) return duplicate
      return { errorCode: 0, baseOffset: duplicate.baseOffset, logAppendTime: -1, logStartOffset: this.#startOffset }
    }
    const baseOffset = this.#nextOffset
    for (const batch of batches) this.#store(batch, options)
    this.#producers.appended(first, baseOffset)
    for (const wake of [...this.#waiters]) wake()
    return { errorCode: 0, baseOffset, logAppendTime: options.logAppendTime ?? -1, logStartOffset: this.#startOffset }
  }

  /**
   * Batches from the one that holds `offset` on, up to `maxBytes`; the first one even if it is larger, unless
   * `strict`. The caller has checked that the offset lies between start and high watermark.
   */
  read(offset: number, maxBytes: number, strict: boolean): Buffer[] {
    const chunks: Buffer[] = []
    let bytes = 0
    for (let i = this.#indexOf(offset); i < this.#batches.length; i++) {
      const batch = this.#batches[i] as StoredBatch // i is below the length
      if (bytes + batch.bytes.length > maxBytes && (strict || chunks.length > 0)) break
      chunks.push(batch.bytes)
      bytes += batch.bytes.length
    }
    return chunks
  }

  /** The first record at or after a time, or null. */
  firstAt(timestamp: number): TimestampedOffset | null {
    for (const stored of this.#batches) {
      if (stored.maxTimestamp < timestamp) continue
      const found = findRecord(stored, record => record.timestamp >= timestamp, this.#startOffset)
      if (found !== null) return found
    }
    return null
  }

  /** The record with the highest timestamp, or null for an empty log. */
  latestTimestamp(): TimestampedOffset | null {
    let best: StoredBatch | null = null
    for (const stored of this.#batches) if (best === null || stored.maxTimestamp > best.maxTimestamp) best = stored
    if (best === null) return null
    const highest = best.maxTimestamp
    return findRecord(best, record => record.timestamp === highest, this.#startOffset)
  }

  /** Where an epoch ended (KIP-101): the offset behind its last record, and the largest epoch up to it. */
  endOfEpoch(epoch: number): { leaderEpoch: number; endOffset: number } {
    let found = { leaderEpoch: -1, endOffset: -1 }
    for (const stored of this.#batches) {
      if (stored.leaderEpoch > epoch) break
      found = { leaderEpoch: stored.leaderEpoch, endOffset: stored.lastOffset + 1 }
    }
    return found
  }

  /** Drops what lies before an offset (DeleteRecords, retention). @returns the new start */
  deleteBefore(offset: number): number {
    this.#startOffset = Math.max(this.#startOffset, Math.min(offset, this.#nextOffset))
    while (this.#batches.length > 0 && (this.#batches[0] as StoredBatch).lastOffset < this.#startOffset) {
      this.#bytes -= (this.#batches.shift() as StoredBatch).bytes.length // the length was checked
    }
    return this.#startOffset
  }

  /** Calls back at every append until the returned function is called. */
  onAppend(callback: () => void): () => void {
    this.#waiters.add(callback)
    return () => void this.#waiters.delete(callback)
  }

  #check(batch: RecordBatch, options: AppendOptions): AppendResult | null {
    if (batch.magic !== 2)
      return refuse(ErrorCode.ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT, 'only batches of magic 2 are taken')
    if (batch.sizeBytes > options.maxMessageBytes) {
      const limit = `max.message.bytes of the topic is ${options.maxMessageBytes}`
      return refuse(ErrorCode.ERR_MSG_SIZE_TOO_LARGE, `a batch of ${batch.sizeBytes} bytes, where ${limit}`)
    }
    if (!batch.isCrcValid()) return corrupt('the checksum of a batch is wrong')
    if (batch.recordCount < 1 || batch.lastOffset - batch.baseOffset !== batch.recordCount - 1) {
      return refuse(ErrorCode.ERR_INVALID_RECORD, 'the number of records does not agree with their offsets')
    }
    if (batch.isControl) return refuse(ErrorCode.ERR_INVALID_RECORD, 'clients do not write control records')
    if (options.needsKeys) {
      const cursor = batch.records()
      while (cursor.next()) {
        if (cursor.keyLength < 0) return refuse(ErrorCode.ERR_INVALID_RECORD, 'records of a compacted topic need a key')
      }
    }
    return null
  }

  #store(batch: RecordBatch, options: AppendOptions): void {
    const bytes = Buffer.from(batch.buffer.subarray(batch.start, batch.start + batch.sizeBytes))
    setBaseOffset(bytes, 0, this.#nextOffset)
    setPartitionLeaderEpoch(bytes, 0, options.leaderEpoch)
    if (options.logAppendTime !== null) setLogAppendTime(bytes, 0, options.logAppendTime)
    const lastOffset = this.#nextOffset + batch.recordCount - 1
    this.#batches.push({
      bytes,
      baseOffset: this.#nextOffset,
      lastOffset,
      maxTimestamp: options.logAppendTime ?? batch.maxTimestamp,
      leaderEpoch: options.leaderEpoch,
    })
    this.#nextOffset = lastOffset + 1
    this.#bytes += bytes.length
  }

  // Index of the batch that holds the offset, by halving.
  #indexOf(offset: number): number {
    let low = 0
    let high = this.#batches.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#batches[middle] as StoredBatch).lastOffset < offset)
        low = middle + 1 // middle is below the length
      else high = middle
    }
    return low
  }
}

function findRecord(
  stored: StoredBatch,
  matches: (record: { readonly timestamp: number }) => boolean,
  from: number,
): TimestampedOffset | null {
  const batch = new BatchReader(stored.bytes).next()
  if (batch === null) return null
  const cursor = batch.records()
  while (cursor.next()) {
    if (cursor.offset >= from && matches(cursor)) {
      return { offset: cursor.offset, timestamp: cursor.timestamp, leaderEpoch: stored.leaderEpoch }
    }
  }
  return null
}

function refuse(errorCode: number, message: string): AppendResult {
  return { errorCode, message }
}

function corrupt(message: string): AppendResult {
  return refuse(ErrorCode.ERR_INVALID_MSG, message)
}
