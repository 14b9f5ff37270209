/** One received batch: its header, and access to its records. */

import { codecById } from '../compression/codecs.ts'
import { crc32c } from '../wire/crc32c.ts'
import { ProtocolError } from '../wire/protocol-error.ts'
import type { BatchHeader, TimestampType } from './batch-fields.ts'
import { attribute, BATCH_HEADER_BYTES, field, legacyField, LENGTH_PREFIX_BYTES, readInt64 } from './batch-header.ts'
import { isLegacyCrcValid, transcodeLegacy } from './legacy.ts'
import { RecordCursor } from './record-cursor.ts'

/** More than any marker needs. */
const CONTROL_RECORD_BYTES = 4096

/**
 * The header of one batch: nothing is checked, decompressed or copied until a method needs it. Message sets of magic 0
 * and 1 appear as batches, too; a compressed one as the batch of its messages.
 *
 * @since 0.1.0
 */
export class RecordBatch implements BatchHeader {
  /** The received bytes; the batch is `buffer.subarray(start, start + sizeBytes)`. */
  readonly buffer: Buffer
  readonly start: number
  readonly sizeBytes: number
  readonly magic: number
  /** For a compressed message set of magic 0 or 1, correct only after {@link records}. */
  baseOffset: number
  readonly lastOffset: number
  readonly partitionLeaderEpoch: number
  readonly crc: number
  readonly codecId: number
  readonly timestampType: TimestampType
  readonly isTransactional: boolean
  readonly isControl: boolean
  readonly hasDeleteHorizon: boolean
  readonly baseTimestamp: number
  readonly maxTimestamp: number
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  /** For a compressed message set of magic 0 or 1, correct only after {@link records}. */
  recordCount: number

  /** @internal created by {@link BatchReader.next}, which has checked that the bytes are there */
  constructor(buffer: Buffer, start: number, sizeBytes: number) {
    this.buffer = buffer
    this.start = start
    this.sizeBytes = sizeBytes
    this.magic = buffer[start + field.magic] as number // inside the batch
    this.baseOffset = readOffset(buffer, start)
    if (this.magic === 2) {
      const attributes = buffer.readInt16BE(start + field.attributes)
      this.lastOffset = this.baseOffset + buffer.readInt32BE(start + field.lastOffsetDelta)
      this.partitionLeaderEpoch = buffer.readInt32BE(start + field.partitionLeaderEpoch)
      this.crc = buffer.readUInt32BE(start + field.crc)
      this.codecId = attributes & attribute.codec
      this.timestampType = (attributes & attribute.logAppendTime) !== 0 ? 'log-append-time' : 'create-time'
      this.isTransactional = (attributes & attribute.transactional) !== 0
      this.isControl = (attributes & attribute.control) !== 0
      this.hasDeleteHorizon = (attributes & attribute.deleteHorizon) !== 0
      this.baseTimestamp = readInt64(buffer, start + field.baseTimestamp)
      this.maxTimestamp = readInt64(buffer, start + field.maxTimestamp)
      this.producerId = readProducerId(buffer, start + field.producerId)
      this.producerEpoch = buffer.readInt16BE(start + field.producerEpoch)
      this.baseSequence = buffer.readInt32BE(start + field.baseSequence)
      this.recordCount = buffer.readInt32BE(start + field.recordCount)
    } else {
      const attributes = buffer[start + legacyField.attributes] as number // inside the batch
      this.lastOffset = this.baseOffset
      this.partitionLeaderEpoch = -1
      this.crc = buffer.readUInt32BE(start + legacyField.crc)
      this.codecId = attributes & attribute.codec
      this.timestampType =
        this.magic === 0
          ? 'not-available'
          : (attributes & attribute.logAppendTime) !== 0
            ? 'log-append-time'
            : 'create-time'
      this.isTransactional = false
      this.isControl = false
      this.hasDeleteHorizon = false
      this.baseTimestamp = this.magic === 0 ? -1 : readInt64(buffer, start + legacyField.timestamp)
      this.maxTimestamp = this.baseTimestamp
      this.producerId = -1n
      this.producerEpoch = -1
      this.baseSequence = -1
      this.recordCount = 1
    }
  }

  /** {@link baseTimestamp}, exact. */
  exactBaseTimestamp(): bigint {
    return this.#exactTime(field.baseTimestamp)
  }

  /** {@link maxTimestamp}, exact: as a number it is rounded beyond 2^53. */
  exactMaxTimestamp(): bigint {
    return this.#exactTime(field.maxTimestamp)
  }

  #exactTime(at: number): bigint {
    if (this.magic === 2) return this.buffer.readBigInt64BE(this.start + at)
    return this.magic === 1 ? this.buffer.readBigInt64BE(this.start + legacyField.timestamp) : -1n
  }

  /** Whether the checksum matches the bytes. */
  isCrcValid(): boolean {
    if (this.magic !== 2) return isLegacyCrcValid(this)
    return crc32c(this.buffer, this.start + field.attributes, this.start + this.sizeBytes) === this.crc
  }

  /** @throws ProtocolError that names the offset if the checksum does not match */
  checkCrc(): void {
    if (!this.isCrcValid()) {
      throw new ProtocolError(`record batch at offset ${this.baseOffset}: the checksum does not match its bytes`)
    }
  }

  /**
   * Decompresses the records, on each call, and returns a cursor before the first one. Does not check the checksum: see
   * {@link checkCrc}.
   *
   * @param maxDecompressedBytes - a larger batch is refused
   * @throws ProtocolError if the batch is corrupt or too large, or its codec is unknown
   * @throws Error if the codec is not ready
   */
  records(maxDecompressedBytes = 0x7fff_ffff): RecordCursor {
    if (this.magic !== 2) {
      const { data, baseOffset, recordCount } = transcodeLegacy(this, maxDecompressedBytes)
      this.baseOffset = baseOffset
      this.recordCount = recordCount
      return new RecordCursor(this, data, 0, data.length)
    }
    let data = this.buffer
    let start = this.start + BATCH_HEADER_BYTES
    let end = this.start + this.sizeBytes
    if (this.codecId !== 0) {
      data = codecById(this.codecId).decompress(data.subarray(start, end), maxDecompressedBytes)
      start = 0
      end = data.length
    }
    // A record takes at least seven bytes. From here on, code that allocates `recordCount` items can trust the count.
    if (this.recordCount < 0 || this.recordCount > (end - start) / 7) {
      throw new ProtocolError(
        `record batch at offset ${this.baseOffset}: ${this.recordCount} records claimed in ${end - start} bytes`,
      )
    }
    return new RecordCursor(this, data, start, end)
  }

  /**
   * The bytes of its records (magic 2), as they were received: still compressed by {@link codecId}.
   *
   * @since 0.1.0
   */
  recordBytes(): Buffer {
    return this.buffer.subarray(this.start + BATCH_HEADER_BYTES, this.start + this.sizeBytes)
  }

  /**
   * The same batch (magic 2), uncompressed: with these bytes as its records, in a buffer of its own.
   *
   * @since 0.1.0
   */
  uncompressed(records: Uint8Array): RecordBatch {
    const size = BATCH_HEADER_BYTES + records.length
    const buffer = Buffer.allocUnsafe(size)
    this.buffer.copy(buffer, 0, this.start, this.start + BATCH_HEADER_BYTES)
    buffer.set(records, BATCH_HEADER_BYTES)
    buffer.writeInt32BE(size - LENGTH_PREFIX_BYTES, field.length)
    buffer.writeInt16BE(buffer.readInt16BE(field.attributes) & ~attribute.codec, field.attributes)
    buffer.writeUInt32BE(crc32c(buffer, field.attributes, size), field.crc)
    return new RecordBatch(buffer, 0, size)
  }

  /**
   * The type of the marker in a control batch.
   *
   * @throws ProtocolError like {@link records}
   */
  controlType(): 'abort' | 'commit' | 'unknown' {
    if (!this.isControl) return 'unknown'
    const cursor = this.records(CONTROL_RECORD_BYTES)
    if (!cursor.next() || cursor.keyLength < 4) return 'unknown'
    const type = cursor.data.readInt16BE(cursor.keyStart + 2)
    return type === 0 ? 'abort' : type === 1 ? 'commit' : 'unknown'
  }
}

// Nearly every batch has no producer, or the same one as the batch before: a bigint is made only for another one.
let lastHigh = -1
let lastLow = -1
let lastProducerId = -1n

function readProducerId(buffer: Buffer, position: number): bigint {
  const high = buffer.readInt32BE(position)
  const low = buffer.readInt32BE(position + 4)
  if (high !== lastHigh || low !== lastLow) {
    lastProducerId = buffer.readBigInt64BE(position)
    lastHigh = high
    lastLow = low
  }
  return lastProducerId
}

function readOffset(buffer: Buffer, start: number): number {
  const offset = readInt64(buffer, start)
  if (!Number.isSafeInteger(offset))
    throw new ProtocolError(`record batch with offset ${offset}, which is out of range`)
  return offset
}
