/** Compaction: of the records with one key, the last stays. */
import { BATCH_HEADER_BYTES, codecById, crc32c, type RecordBatch } from '@ottla/protocol'
import type { PartitionLog } from './log.ts'
import { open, storedBatch, type StoredBatch } from './stored-batch.ts'

export interface CompactionRules {
  /** Records younger than this stay as they are, ms. */
  readonly minLagMs: number
  /** How long a tombstone stays, ms. */
  readonly deleteRetentionMs: number
}

// Where the fields of a batch lie that change when records go.
const LENGTH_AT = 8
const CRC_AT = 17
const ATTRIBUTES_AT = 21
const COUNT_AT = 57
const LENGTH_PREFIX_BYTES = 12

/**
 * Compacts a log up to its last stable offset. Offsets stay, with gaps; aborted records, records without a key and old
 * tombstones go; a batch that is a producer's last stays, be it empty, so that its sequence is not forgotten.
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
    if (batch.producerId >= 0) lastOfProducer.set(keyOf(batch), stored.baseOffset)
    if (stored.baseOffset >= end || batch.isControl || isAborted(batch, stored.baseOffset)) continue
    const cursor = batch.records()
    while (cursor.next()) {
      const key = cursor.key()
      if (key !== null) lastOfKey.set(key.toString('latin1'), cursor.offset)
    }
  }
  const kept: StoredBatch[] = []
  for (const stored of log.batches) {
    const batch = open(stored)
    const isOld = now - stored.maxTimestamp > rules.deleteRetentionMs
    if (stored.baseOffset >= end) {
      kept.push(stored)
      continue
    }
    const isLast = lastOfProducer.get(keyOf(batch)) === stored.baseOffset
    if (batch.isControl) {
      // A marker stays with what it ended.
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
  log.replace(kept, log.startOffset, log.highWatermark)
}

// The last batch of records tells the sequence, the last marker the epoch.
function keyOf(batch: RecordBatch): string {
  return `${batch.producerId}${batch.isControl ? ' marker' : ''}`
}

function endOfCompaction(log: PartitionLog, { minLagMs }: CompactionRules, now: number): number {
  const end = log.lastStableOffset
  if (minLagMs <= 0) return end
  const young = log.batches.find(batch => batch.maxTimestamp > now - minLagMs)
  return Math.min(end, young?.baseOffset ?? end)
}

// The batch with fewer records, itself if all stay, null if none does.
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

// Records keep their distances to the batch's first offset and time, so that their bytes can be taken as they are.
function rebuilt(stored: StoredBatch, batch: RecordBatch, records: readonly Buffer[], count: number): StoredBatch {
  const plain = Buffer.concat(records)
  const body = batch.codecId === 0 || count === 0 ? plain : codecById(batch.codecId).compress(plain)
  const bytes = Buffer.concat([stored.bytes.subarray(0, BATCH_HEADER_BYTES), body])
  bytes.writeInt32BE(bytes.length - LENGTH_PREFIX_BYTES, LENGTH_AT)
  bytes.writeInt32BE(count, COUNT_AT)
  // Nothing is compressed in an empty batch.
  if (count === 0) bytes.writeInt16BE(bytes.readInt16BE(ATTRIBUTES_AT) & ~7, ATTRIBUTES_AT)
  bytes.writeUInt32BE(crc32c(bytes, ATTRIBUTES_AT, bytes.length), CRC_AT)
  return storedBatch(bytes, stored)
}
