/** LoopYield what a ShareFetch brought of one partition into messages: only acquired records count. */
import { BatchReader, type RecordBatch } from '@ottla/protocol'
import type { RecordCodecs } from '../../cluster/record-codecs.ts'
import { whenReadable } from '../fetch/fetched-partition.ts'
import { acknowledgeTypes, AUTO_RELEASE } from './acknowledgements.ts'
import { LockedMessage, type ShareLot, type ShareSource } from './message.ts'

export interface AcquiredRange {
  readonly firstOffset: number
  readonly lastOffset: number
  readonly deliveryCount: number
}

export interface ReadOptions {
  /** `check.crcs` */
  readonly checkCrcs: boolean
  /** The most bytes of one decompressed batch. */
  readonly maxBatchBytes: number
}

/** Whole batches whose codecs are loaded. */
export interface ReadableBatches {
  readonly batches: readonly RecordBatch[]
  /** Why what follows the batches cannot be read; null when all can. */
  readonly error: unknown
}

/**
 * Finds the batches and waits for their codecs. Does not reject.
 * @param codecs the application's own
 */
export async function readableBatches(
  records: Buffer | null,
  codecs: RecordCodecs | null,
  options: ReadOptions,
): Promise<ReadableBatches> {
  let batches: RecordBatch[] = []
  try {
    if (records !== null) {
      const reader = new BatchReader(records)
      for (let batch = reader.next(); batch !== null; batch = reader.next()) batches.push(batch)
    }
    if (codecs !== null) batches = await codecs.uncompressed(batches, options)
    await whenReadable(batches)
    return { batches, error: null }
  } catch (error) {
    return { batches, error }
  }
}

export interface Acquired {
  readonly messages: readonly LockedMessage[]
  /** Acknowledgements to send at once: of offsets without a record, and of records that cannot be read. */
  readonly others: ReadonlyMap<number, number>
  /** Why some of them cannot be read; null when all can. */
  readonly error: unknown
}

/** Creates the messages of the ranges, in order. */
export function acquiredMessages(
  { batches, error: unreadable }: ReadableBatches,
  ranges: readonly AcquiredRange[],
  source: ShareSource,
  lot: ShareLot,
  lockedUntil: number,
  options: ReadOptions,
): Acquired {
  const messages: LockedMessage[] = []
  const others = new Map<number, number>()
  const unread: { first: number; last: number }[] = []
  let error: unknown = unreadable
  const sorted = [...ranges].sort((a, b) => a.firstOffset - b.firstOffset)
  for (const { firstOffset, lastOffset } of sorted) {
    // The type of what is not found below. If not all batches are readable, a gap cannot be told from a record.
    const type = unreadable === null ? acknowledgeTypes.gap : AUTO_RELEASE
    for (let offset = firstOffset; offset <= lastOffset; offset++) others.set(offset, type)
  }
  let at = 0
  for (const batch of batches) {
    if (batch.isControl) continue
    const start = at
    try {
      if (options.checkCrcs) batch.checkCrc()
      const records = batch.records(options.maxBatchBytes)
      while (records.next()) {
        const { offset } = records
        while (at < sorted.length && (sorted[at] as AcquiredRange).lastOffset < offset) at++ // inside the list
        const range = sorted[at]
        if (range === undefined || offset < range.firstOffset) continue
        messages.push(new LockedMessage(records, source, lot, range.deliveryCount, lockedUntil))
        others.delete(offset)
      }
    } catch (failure) {
      error ??= failure
      unread.push({ first: batch.baseOffset, last: batch.lastOffset })
      at = start
    }
  }
  for (const { first, last } of unread) {
    for (let offset = first; offset <= last; offset++) {
      if (others.has(offset)) others.set(offset, AUTO_RELEASE)
    }
  }
  return { messages, others, error }
}

/** Releases of everything in the ranges. */
export function releasesOf(ranges: readonly AcquiredRange[]): ReadonlyMap<number, number> {
  const types = new Map<number, number>()
  for (const { firstOffset, lastOffset } of ranges) {
    for (let offset = firstOffset; offset <= lastOffset; offset++) types.set(offset, AUTO_RELEASE)
  }
  return types
}

/**
 * Takes out acknowledgements that were not sent before their lock ended, of messages that are delivered again: they must
 * not count for the new delivery.
 */
export function takeOutdated({ pending }: ShareSource, ranges: readonly AcquiredRange[]): ReadonlyMap<number, number> {
  const types = new Map<number, number>()
  for (const { firstOffset, lastOffset, deliveryCount } of ranges) {
    if (deliveryCount === 1) continue
    for (let offset = firstOffset; offset <= lastOffset && pending.size > 0; offset++) {
      const type = pending.drop(offset)
      if (type !== undefined) types.set(offset, type)
    }
  }
  return types
}
