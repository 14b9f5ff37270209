/** Finds the batches in a `records` field. */

import { ProtocolError } from '../wire/protocol-error.ts'
import { asBuffer } from '../wire/view.ts'
import { BATCH_HEADER_BYTES, legacySmallestBytes, LENGTH_PREFIX_BYTES, readInt64 } from './batch-header.ts'
import { RecordBatch } from './record-batch.ts'

/** The end of the magic byte, which is at the same position in every format. */
const MAGIC_END = 17
/**
 * Reads the batches of a `records` field, of any format and mixed. Nothing is copied.
 *
 * @since 0.1.0
 */
export class BatchReader {
  /** Where the next batch begins, in bytes from the start of the field. */
  position = 0
  /**
   * After {@link next} has returned null: the minimum size of the truncated batch at the end, in bytes; 0 if the field
   * ended with a complete batch. If the first batch is truncated, the fetch was too small for it.
   */
  partialBytes = 0
  readonly #buffer: Buffer

  constructor(records: Uint8Array) {
    this.#buffer = asBuffer(records)
  }

  /**
   * The next batch, or null after the last complete one.
   *
   * @throws ProtocolError for an impossible length or an unknown format
   */
  next(): RecordBatch | null {
    const buffer = this.#buffer
    const start = this.position
    const left = buffer.length - start
    if (left < MAGIC_END) {
      this.partialBytes = left === 0 ? 0 : this.#claimedBytes(start, left)
      return null
    }
    const size = LENGTH_PREFIX_BYTES + buffer.readInt32BE(start + 8)
    const magic = buffer[start + 16] as number // inside the buffer
    if (magic > 2) {
      throw new ProtocolError(`record batch at offset ${readInt64(buffer, start)}: format ${magic} is unknown`)
    }
    const smallest = magic === 2 ? BATCH_HEADER_BYTES : legacySmallestBytes(magic)
    if (size < smallest) {
      throw new ProtocolError(
        `record batch at offset ${readInt64(buffer, start)}: ${size} bytes are too few for format ${magic}`,
      )
    }
    if (size > left) {
      this.partialBytes = size
      return null
    }
    this.position = start + size
    return new RecordBatch(buffer, start, size)
  }

  /** The minimum size of a batch that is truncated before its magic byte. */
  #claimedBytes(start: number, left: number): number {
    if (left < LENGTH_PREFIX_BYTES) return BATCH_HEADER_BYTES
    return Math.max(LENGTH_PREFIX_BYTES + this.#buffer.readInt32BE(start + 8), MAGIC_END)
  }
}
