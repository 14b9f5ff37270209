/** Batches as a broker would send them, for tests. */
import { BatchReader, BatchWriter, setBaseOffset, type RecordBatch, type SealOptions } from '@ottla/protocol'

/** The bytes of one batch that holds `values` from offset `baseOffset` on. */
export function batchBytes(baseOffset: number, values: readonly string[], options: SealOptions = {}): Buffer {
  const writer = new BatchWriter()
  values.forEach((value, i) => writer.append(`key-${baseOffset + i}`, value, null, 1000 + i))
  const bytes = Buffer.from(writer.seal(options))
  setBaseOffset(bytes, 0, baseOffset)
  return bytes
}

/** One batch that holds `count` values, `v<offset>`, from offset `baseOffset` on. */
export function batch(baseOffset: number, count: number, options: SealOptions = {}): RecordBatch {
  const values = Array.from({ length: count }, (_, i) => `v${baseOffset + i}`)
  return readBatches(batchBytes(baseOffset, values, options))[0] as RecordBatch // it holds one
}

export function readBatches(bytes: Uint8Array): RecordBatch[] {
  const reader = new BatchReader(bytes)
  const batches: RecordBatch[] = []
  for (let next = reader.next(); next !== null; next = reader.next()) batches.push(next)
  return batches
}
