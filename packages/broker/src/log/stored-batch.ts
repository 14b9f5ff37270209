/** A batch in a log, and how to find records in it. */
import { BatchReader, type RecordBatch } from '@ottla/protocol'

export interface StoredBatch {
  readonly bytes: Buffer
  readonly baseOffset: number
  readonly lastOffset: number
  /** ms since the epoch. */
  readonly maxTimestamp: number
  readonly leaderEpoch: number
  /** Counts up through all logs of the process: the oldest batches are deleted first when memory runs out. */
  readonly order: number
}

export interface TimestampedOffset {
  readonly offset: number
  readonly timestamp: number
  readonly leaderEpoch: number
}

let appended = 0

export function storedBatch(
  bytes: Buffer,
  batch: Omit<StoredBatch, 'bytes' | 'order'> & { readonly order?: number },
): StoredBatch {
  return {
    bytes,
    baseOffset: batch.baseOffset,
    lastOffset: batch.lastOffset,
    maxTimestamp: batch.maxTimestamp,
    leaderEpoch: batch.leaderEpoch,
    order: batch.order ?? appended++,
  }
}

/** The header and records of a stored batch. */
export function open(stored: StoredBatch): RecordBatch {
  const batch = new BatchReader(stored.bytes).next()
  if (batch === null) throw new Error(`the batch stored at offset ${stored.baseOffset} is incomplete`)
  return batch
}

/** The first record from an offset on whose timestamp matches, or null. */
export function findRecord(
  stored: StoredBatch,
  matches: (timestamp: number) => boolean,
  from: number,
): TimestampedOffset | null {
  const cursor = open(stored).records()
  while (cursor.next()) {
    if (cursor.offset >= from && matches(cursor.timestamp)) {
      return { offset: cursor.offset, timestamp: cursor.timestamp, leaderEpoch: stored.leaderEpoch }
    }
  }
  return null
}

/** Whether a batch's highest timestamp is later than another's; beyond 2^53 it has to read the exact ones. */
export function isLater(stored: StoredBatch, than: StoredBatch): boolean {
  if (stored.maxTimestamp !== than.maxTimestamp) return stored.maxTimestamp > than.maxTimestamp
  if (Number.isSafeInteger(stored.maxTimestamp)) return false
  return open(stored).exactMaxTimestamp() > open(than).exactMaxTimestamp()
}

/** The first record from an offset on that has the highest timestamp, or null. */
export function findLatest(stored: StoredBatch, from: number): TimestampedOffset | null {
  let latest: TimestampedOffset | null = null
  let highest = 0n
  const cursor = open(stored).records()
  while (cursor.next()) {
    if (cursor.offset < from) continue
    const time = cursor.exactTimestamp()
    if (latest !== null && time <= highest) continue
    highest = time
    latest = { offset: cursor.offset, timestamp: cursor.timestamp, leaderEpoch: stored.leaderEpoch }
  }
  return latest
}

/** Index of the first batch at or after a place in the order of all logs. */
export function indexOfOrder(batches: readonly StoredBatch[], order: number): number {
  let low = 0
  let high = batches.length
  while (low < high) {
    const middle = (low + high) >>> 1
    // middle is below the length
    if ((batches[middle] as StoredBatch).order < order) low = middle + 1
    else high = middle
  }
  return low
}

/** Index of the batch that holds an offset, or of the next one. */
export function indexOf(batches: readonly StoredBatch[], offset: number): number {
  let low = 0
  let high = batches.length
  while (low < high) {
    const middle = (low + high) >>> 1
    // middle is below the length
    if ((batches[middle] as StoredBatch).lastOffset < offset) low = middle + 1
    else high = middle
  }
  return low
}
