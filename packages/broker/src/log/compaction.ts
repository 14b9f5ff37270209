/** Log compaction: keeps the last record of each key. */
import { BATCH_HEADER_BYTES, codecById, type RecordBatch } from '@ottla/protocol'
import type { PartitionLog } from './log.ts'
import { rebuildBatch } from './rebuild-batch.ts'
import { open, storedBatch, type StoredBatch } from './stored-batch.ts'

export interface CompactionRules {
  /** Records younger than this are not compacted, ms. */
  readonly minLagMs: number
  /** How long tombstones are kept, ms. */
  readonly deleteRetentionMs: number
  /** Where to stop, short of the last stable offset; there by default. */
  readonly endOffset?: number
}

/**
 * Compacts a log up to its last stable offset. The offsets of records do not change. Aborted records, records without
 * a key and old tombstones are removed. A producer's last batch stays, even if it is empty, so that its sequence
 * number is not forgotten. So does the last batch of the log, so that readers reach its end (a broker does not
 * compact its active segment).
 */
export function compact(log: PartitionLog, rules: CompactionRules, now: number): void {
  const end = endOfCompaction(log, rules, now)
  const aborted = log.abortedBetween(0, end)
  const isAborted = (batch: RecordBatch, offset: number): boolean =>
    batch.isTransactional &&
    aborted.some(a => a.producerId === batch.producerId && a.firstOffset <= offset && offset < a.lastOffset)
  const lastOfKey = new Map<string, number>()
  const lastOfProducer = new Map<string, number>()
  for (const stored of log.batches) {
    const batch = open(stored)
    if (batch.producerId >= 0n) lastOfProducer.set(keyOf(batch), stored.baseOffset)
    if (stored.baseOffset >= end || batch.isControl || isAborted(batch, stored.baseOffset)) continue
    const cursor = batch.records()
    while (cursor.next()) {
      const key = cursor.key()
      if (key !== null) lastOfKey.set(key.toString('latin1'), cursor.offset)
    }
  }
  const kept: StoredBatch[] = []
  const tail = log.batches.at(-1)
  for (const stored of log.batches) {
    const batch = open(stored)
    const isOld = now - stored.maxTimestamp > rules.deleteRetentionMs
    if (stored.baseOffset >= end) {
      kept.push(stored)
      continue
    }
    const isLast = stored === tail || lastOfProducer.get(keyOf(batch)) === stored.baseOffset
    if (batch.isControl) {
      // A marker stays as long as records of its producer do.
      const rest = kept.some(each => open(each).producerId === batch.producerId && !open(each).isControl)
      if (rest || isLast || !isOld) kept.push(stored)
      continue
    }
    const gone = isAborted(batch, stored.baseOffset)
    const next = keepOnly(stored, batch, (key, offset, isTombstone) => {
      return !gone && lastOfKey.get(key) === offset && !(isTombstone && isOld)
    })
    if (next !== null) kept.push(next)
    else if (isLast) kept.push(rebuilt(stored, batch, [], 0))
  }
  log.replace(kept, log.startOffset, log.endOffset)
}

// A producer's last batch of records has its sequence number, its last marker the epoch.
function keyOf(batch: RecordBatch): string {
  return `${batch.producerId}${batch.isControl ? ' marker' : ''}`
}

/** Up to where a log can be compacted. */
export function endOfCompaction(
  log: PartitionLog,
  { minLagMs, endOffset = Infinity }: CompactionRules,
  now: number,
): number {
  const end = Math.min(log.lastStableOffset, endOffset)
  if (minLagMs <= 0) return end
  const young = log.batches.find(batch => batch.maxTimestamp > now - minLagMs)
  return Math.min(end, young?.baseOffset ?? end)
}

// The batch with the remaining records: itself if all stay, null if none does.
function keepOnly(
  stored: StoredBatch,
  batch: RecordBatch,
  stays: (key: string, offset: number, isTombstone: boolean) => boolean,
): StoredBatch | null {
  const cursor = batch.records()
  const records: Buffer[] = []
  let position = batch.codecId === 0 ? BATCH_HEADER_BYTES : 0
  while (cursor.next()) {
    const start = position
    position += cursor.sizeBytes
    const key = cursor.key()
    if (key === null || !stays(key.toString('latin1'), cursor.offset, cursor.valueLength < 0)) continue
    records.push(cursor.data.subarray(start, position))
  }
  if (records.length === 0) return null
  return records.length === batch.recordCount ? stored : rebuilt(stored, batch, records, records.length)
}

function rebuilt(stored: StoredBatch, batch: RecordBatch, records: readonly Buffer[], count: number): StoredBatch {
  return storedBatch(rebuildBatch(stored.bytes, records, count, codecById(batch.codecId)), stored)
}
