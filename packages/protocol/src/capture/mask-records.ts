/** Takes the contents out of record batches, and leaves everything else as it is. */
import { codecById } from '../compression/codecs.ts'
import { BATCH_HEADER_BYTES, field, LENGTH_PREFIX_BYTES } from '../record/batch-header.ts'
import { BatchReader } from '../record/batch-reader.ts'
import type { RecordBatch } from '../record/record-batch.ts'
import { crc32c } from '../wire/crc32c.ts'

/** What stands in for each byte of a content: `x`. */
export const FILLER = 0x78
/** A batch that decompresses to more is dropped. */
const MOST_BYTES = 256 * 1024 * 1024
/** The record of a marker is smaller. */
const MARKER_BYTES = 32

/**
 * The batches with keys, values and the values of headers replaced by as many bytes of filler: counts, sizes before
 * compression, offsets, times, producer ids and sequences stay. A batch with a wrong checksum keeps its header alone.
 * Markers of transactions are no contents. Batches that cannot be decoded, or are not of magic 2, are left out, and so
 * is a truncated one.
 */
export function maskRecords(records: Buffer): Buffer {
  const masked: Buffer[] = []
  try {
    const reader = new BatchReader(Buffer.from(records))
    for (let batch = reader.next(); batch !== null; batch = reader.next()) {
      const bytes = maskBatch(batch)
      if (bytes !== null) masked.push(bytes)
    }
  } catch {
    // From here on it is not known where a batch begins.
  }
  return Buffer.concat(masked)
}

/** Of a batch in memory that may be overwritten; null if it cannot be decoded. */
function maskBatch(batch: RecordBatch): Buffer | null {
  if (batch.magic !== 2) return null
  const bytes = batch.buffer.subarray(batch.start, batch.start + batch.sizeBytes)
  try {
    if (batch.isControl) return isMarker(batch) ? bytes : null
    // Which of its bytes are contents is not certain.
    if (!batch.isCrcValid()) return sealed(bytes.fill(FILLER, BATCH_HEADER_BYTES), false)
    const data = fillRecords(batch)
    return sealed(batch.codecId === 0 ? bytes : recompressed(bytes, batch.codecId, data), true)
  } catch {
    return null
  }
}

/** Something else may hide behind the type of a marker. */
function isMarker(batch: RecordBatch): boolean {
  return batch.controlType() !== 'unknown' && batch.sizeBytes <= BATCH_HEADER_BYTES + MARKER_BYTES
}

/** @returns the records' bytes, decompressed, with their contents overwritten; throws if they are not what they claim */
function fillRecords(batch: RecordBatch): Buffer {
  const cursor = batch.records(MOST_BYTES)
  const { data } = cursor
  let bytes = 0
  let count = 0
  while (cursor.next()) {
    if (cursor.keyLength > 0) data.fill(FILLER, cursor.keyStart, cursor.keyStart + cursor.keyLength)
    if (cursor.valueLength > 0) data.fill(FILLER, cursor.valueStart, cursor.valueStart + cursor.valueLength)
    for (const { value } of cursor.headers()) value?.fill(FILLER)
    bytes += cursor.sizeBytes
    count++
  }
  const expected = batch.codecId === 0 ? batch.sizeBytes - BATCH_HEADER_BYTES : data.length
  // What is behind the last record would stay readable.
  if (count !== batch.recordCount || bytes !== expected) throw new Error('the records do not fill their batch')
  return data
}

function recompressed(bytes: Buffer, codecId: number, data: Buffer): Buffer {
  const changed = Buffer.concat([bytes.subarray(0, BATCH_HEADER_BYTES), codecById(codecId).compress(data)])
  changed.writeInt32BE(changed.length - LENGTH_PREFIX_BYTES, field.length)
  return changed
}

function sealed(bytes: Buffer, isValid: boolean): Buffer {
  const crc = crc32c(bytes, field.attributes, bytes.length)
  bytes.writeUInt32BE(isValid ? crc : (crc ^ 1) >>> 0, field.crc)
  return bytes
}
