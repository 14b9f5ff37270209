/** The layout of a record batch (magic 2), and how a broker stamps a batch that it stores. */

import { crc32c } from '../wire/crc32c.ts'

/**
 * Bytes before the first record of a batch.
 *
 * @since 0.1.0
 */
export const BATCH_HEADER_BYTES = 61

/** Byte positions in a batch of magic 2. */
export const field = {
  baseOffset: 0,
  length: 8,
  partitionLeaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
} as const

/** Bytes of the offset and length fields, which the length does not count. */
export const LENGTH_PREFIX_BYTES = 12

/** Bits of the attributes. */
export const attribute = {
  codec: 0x07,
  logAppendTime: 0x08,
  transactional: 0x10,
  control: 0x20,
  deleteHorizon: 0x40,
} as const

/** Byte positions in a message of magic 0 or 1; the rest depends on the magic. */
export const legacyField = { crc: 12, magic: 16, attributes: 17, timestamp: 18 } as const

/** Bytes of a message with null key and value, offset and size included. */
export function legacySmallestBytes(magic: number): number {
  return magic === 0 ? 26 : 34
}

/** Writes a safe integer as 64 bits. */
export function writeInt64(target: Uint8Array, position: number, value: number): void {
  writeInt32(target, position, Math.floor(value / 0x1_0000_0000))
  writeInt32(target, position + 4, value)
}

/** Writes a time as 64 bits: exact up to 2^53, the nearest int64 beyond. */
export function writeTime(target: Buffer, position: number, time: number): void {
  if (Number.isSafeInteger(time)) writeInt64(target, position, time)
  else target.writeBigInt64BE(asInt64(time), position)
}

/** The int64 nearest to a number; not for NaN. */
export function asInt64(value: number): bigint {
  if (value >= 2 ** 63) return 0x7fff_ffff_ffff_ffffn
  return value <= -(2 ** 63) ? -0x8000_0000_0000_0000n : BigInt(Math.trunc(value))
}

/** Writes the low 32 bits of a safe integer, negative ones too, without the checks of Buffer's own methods. */
export function writeInt32(target: Uint8Array, position: number, value: number): void {
  target[position] = value >>> 24
  target[position + 1] = value >>> 16
  target[position + 2] = value >>> 8
  target[position + 3] = value
}

/** The same for 16 bits. */
export function writeInt16(target: Uint8Array, position: number, value: number): void {
  target[position] = value >>> 8
  target[position + 1] = value
}

/** Reads 64 bits as a number, rounded beyond the safe range. */
export function readInt64(source: Buffer, position: number): number {
  return source.readInt32BE(position) * 0x1_0000_0000 + source.readUInt32BE(position + 4)
}

/**
 * Sets the first offset of the batch of magic 2 at `at`, in place. The checksum does not cover it.
 *
 * @since 0.1.0
 */
export function setBaseOffset(buffer: Buffer, at: number, baseOffset: number): void {
  writeInt64(buffer, at + field.baseOffset, baseOffset)
}

/**
 * Sets the partition leader epoch of the batch of magic 2 at `at`, in place. The checksum does not cover it.
 *
 * @since 0.1.0
 */
export function setPartitionLeaderEpoch(buffer: Buffer, at: number, epoch: number): void {
  buffer.writeInt32BE(epoch, at + field.partitionLeaderEpoch)
}

/**
 * Stamps the batch of magic 2 at `at` with the log's time (`message.timestamp.type=LogAppendTime`), in place, and
 * recomputes its checksum.
 *
 * @param timestamp - ms since the epoch
 * @since 0.1.0
 */
export function setLogAppendTime(buffer: Buffer, at: number, timestamp: number): void {
  const attributes = buffer.readInt16BE(at + field.attributes)
  buffer.writeInt16BE(attributes | attribute.logAppendTime, at + field.attributes)
  writeTime(buffer, at + field.maxTimestamp, timestamp)
  const end = at + LENGTH_PREFIX_BYTES + buffer.readInt32BE(at + field.length)
  buffer.writeUInt32BE(crc32c(buffer, at + field.attributes, end), at + field.crc)
}
