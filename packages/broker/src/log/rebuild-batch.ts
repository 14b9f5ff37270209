/** Changes the records or the compression of batches. */
import {
  BATCH_HEADER_BYTES,
  codecById,
  codecByName,
  crc32c,
  type CompressionCodec,
  type RecordBatch,
} from '@ottla/protocol'

// Positions of the header fields that change.
const LENGTH_AT = 8
const CRC_AT = 17
const ATTRIBUTES_AT = 21
const COUNT_AT = 57
const LENGTH_PREFIX_BYTES = 12
const CODEC_BITS = 7
const MAX_DECOMPRESSED_BYTES = 256 * 1024 * 1024

/**
 * A batch with the header of another. Its records keep their offset and timestamp deltas, so that their bytes can
 * stay as they are.
 * @param header the other batch, or just its header
 * @param records uncompressed
 */
export function rebuildBatch(
  header: Buffer,
  records: readonly Buffer[],
  count: number,
  codec: CompressionCodec,
): Buffer {
  const plain = Buffer.concat(records)
  // An empty batch is not compressed.
  const codecId = count === 0 ? 0 : codec.id
  const bytes = Buffer.concat([header.subarray(0, BATCH_HEADER_BYTES), codecId === 0 ? plain : codec.compress(plain)])
  bytes.writeInt32BE(bytes.length - LENGTH_PREFIX_BYTES, LENGTH_AT)
  bytes.writeInt32BE(count, COUNT_AT)
  bytes.writeInt16BE((bytes.readInt16BE(ATTRIBUTES_AT) & ~CODEC_BITS) | codecId, ATTRIBUTES_AT)
  bytes.writeUInt32BE(crc32c(bytes, ATTRIBUTES_AT, bytes.length), CRC_AT)
  return bytes
}

/** A copy of a batch's bytes, compressed as its topic demands. @param codec null: unchanged */
export function copyBatch(batch: RecordBatch, codec: CompressionCodec | null): Buffer {
  const bytes = batch.buffer.subarray(batch.start, batch.start + batch.sizeBytes)
  if (codec === null || codec.id === batch.codecId) return Buffer.from(bytes)
  const body = bytes.subarray(BATCH_HEADER_BYTES)
  const plain = batch.codecId === 0 ? body : codecById(batch.codecId).decompress(body, MAX_DECOMPRESSED_BYTES)
  return rebuildBatch(bytes, [plain], batch.recordCount, codec)
}

/** The codec of a topic's `compression.type`; null: batches stay as producers compress them. */
export function codecOf(compressionType: string): CompressionCodec | null {
  switch (compressionType) {
    case 'uncompressed':
      return codecByName('none')
    case 'gzip':
    case 'snappy':
    case 'lz4':
    case 'zstd':
      return codecByName(compressionType)
    default:
      return null
  }
}
