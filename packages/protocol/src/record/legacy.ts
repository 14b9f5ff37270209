/**
 * Message sets from before Kafka 0.11 (magic 0 and 1). They are rewritten as records of magic 2 in a buffer of their
 * own, so that one cursor reads everything: old topics are rare and not worth a second hot path.
 */

import { codecById } from '../compression/codecs.ts'
import { crc32 } from '../wire/crc32.ts'
import { ProtocolError } from '../wire/protocol-error.ts'
import { varintSize, varlongSize, writeVarint, writeVarlong } from '../wire/varint.ts'
import { attribute, legacyField, legacySmallestBytes, LENGTH_PREFIX_BYTES, readInt64 } from './batch-header.ts'

/** The fields of a batch that are used here; not the class, whose file imports this one. */
export interface LegacyBatch {
  readonly buffer: Buffer
  readonly start: number
  readonly sizeBytes: number
  readonly magic: number
  readonly codecId: number
  readonly crc: number
  readonly lastOffset: number
  readonly baseTimestamp: number
}

/** Records in the encoding of magic 2; offsets relative to `baseOffset`, timestamps to the batch's. */
export interface TranscodedRecords {
  readonly data: Buffer
  readonly baseOffset: number
  readonly recordCount: number
}

/** Whether the CRC-32 of the message matches; a compressed message is checked as received. */
export function isLegacyCrcValid(batch: LegacyBatch): boolean {
  return crc32(batch.buffer, batch.start + legacyField.magic, batch.start + batch.sizeBytes) === batch.crc
}

/**
 * Rewrites a message, or the messages in a compressed one.
 *
 * @throws ProtocolError if the messages are corrupt, or larger than `maxBytes` when decompressed
 */
export function transcodeLegacy(batch: LegacyBatch, maxBytes: number): TranscodedRecords {
  const { buffer, start, sizeBytes } = batch
  if (batch.codecId === 0) {
    return transcode(batch, buffer.subarray(start, start + sizeBytes), 1, batch.lastOffset, 0)
  }
  const value = compressedValue(batch)
  const inner = codecById(batch.codecId).decompress(value, maxBytes)
  const { count, firstOffset, lastOffset } = survey(batch, inner)
  // In magic 1 inner offsets are relative, and the outer message has the last offset (KIP-31); in magic 0 all offsets
  // are absolute. Producers that kept absolute offsets in magic 1 come out right as well.
  const shift = batch.magic === 1 ? batch.lastOffset - lastOffset : 0
  return transcode(batch, inner, count, firstOffset + shift, shift)
}

function compressedValue(batch: LegacyBatch): Buffer {
  const { buffer, start } = batch
  const end = start + batch.sizeBytes
  const keyAt = start + keyPosition(batch.magic)
  const keyLength = buffer.readInt32BE(keyAt)
  const valueAt = keyAt + 4 + Math.max(keyLength, 0)
  if (keyLength < -1 || valueAt + 4 > end) throw corrupt(batch, `a key of ${keyLength} bytes does not fit in it`)
  const valueLength = buffer.readInt32BE(valueAt)
  if (valueLength < 0 || valueAt + 4 + valueLength !== end) {
    throw corrupt(batch, `a compressed value of ${valueLength} bytes does not fit in it`)
  }
  return buffer.subarray(valueAt + 4, end)
}

/** Counts the inner messages and checks that they fill `inner`. */
function survey(batch: LegacyBatch, inner: Buffer): { count: number; firstOffset: number; lastOffset: number } {
  const smallest = legacySmallestBytes(batch.magic)
  let count = 0
  let firstOffset = 0
  let lastOffset = 0
  for (let position = 0; position < inner.length; count++) {
    const left = inner.length - position
    const size = left < smallest ? left : LENGTH_PREFIX_BYTES + inner.readInt32BE(position + 8)
    if (size < smallest || size > left) throw corrupt(batch, `an inner message of ${size} bytes does not fit in it`)
    lastOffset = readInt64(inner, position)
    if (count === 0) firstOffset = lastOffset
    position += size
  }
  if (count === 0) throw corrupt(batch, 'a compressed message contains no messages')
  return { count, firstOffset, lastOffset }
}

function transcode(
  batch: LegacyBatch,
  messages: Buffer,
  recordCount: number,
  baseOffset: number,
  shift: number,
): TranscodedRecords {
  if (!Number.isSafeInteger(baseOffset) || baseOffset < 0) throw corrupt(batch, `a first offset of ${baseOffset}`)
  // Every record is smaller in the new encoding: at most 32 bytes besides key and value, against 34 (26 for magic 0,
  // where timestamps take one byte).
  const data = Buffer.allocUnsafe(messages.length)
  let end = 0
  let position = 0
  for (let i = 0; i < recordCount; i++) {
    const offset = readInt64(messages, position) + shift
    const next = position + LENGTH_PREFIX_BYTES + messages.readInt32BE(position + 8)
    end = transcodeOne(batch, messages, position, next, data, end, i === 0 ? 0 : offset - baseOffset)
    position = next
  }
  return { data: data.subarray(0, end), baseOffset, recordCount }
}

function transcodeOne(
  batch: LegacyBatch,
  source: Buffer,
  start: number,
  end: number,
  target: Buffer,
  position: number,
  offsetDelta: number,
): number {
  const magic = source[start + legacyField.magic] as number // inside the message
  const attributes = source[start + legacyField.attributes] as number // inside the message
  if (magic !== batch.magic) throw corrupt(batch, `an inner message has format ${magic} in one of ${batch.magic}`)
  if (messageIsNested(batch, attributes)) throw corrupt(batch, 'an inner message is compressed again')
  if (!(offsetDelta >= -0x8000_0000 && offsetDelta <= 0x7fff_ffff)) {
    throw corrupt(batch, `an inner offset is ${offsetDelta} from the first`)
  }
  const timestampDelta = magic === 0 ? 0 : readInt64(source, start + legacyField.timestamp) - batch.baseTimestamp
  const keyAt = start + keyPosition(magic)
  const keyLength = source.readInt32BE(keyAt)
  const valueAt = keyAt + 4 + Math.max(keyLength, 0)
  if (keyLength < -1 || valueAt + 4 > end) throw corrupt(batch, `a key of ${keyLength} bytes does not fit in it`)
  const valueLength = source.readInt32BE(valueAt)
  if (valueLength < -1 || valueAt + 4 + Math.max(valueLength, 0) !== end) {
    throw corrupt(batch, `a value of ${valueLength} bytes does not fit in it`)
  }

  const bodySize =
    2 + // attributes, and the count of headers: none
    varlongSize(timestampDelta) +
    varintSize(offsetDelta) +
    varintSize(keyLength) +
    Math.max(keyLength, 0) +
    varintSize(valueLength) +
    Math.max(valueLength, 0)
  position = writeVarint(target, position, bodySize)
  target[position++] = 0
  position = writeVarlong(target, position, timestampDelta)
  position = writeVarint(target, position, offsetDelta)
  position = writeVarint(target, position, keyLength)
  position += source.copy(target, position, keyAt + 4, valueAt)
  position = writeVarint(target, position, valueLength)
  position += source.copy(target, position, valueAt + 4, end)
  target[position++] = 0
  return position
}

function messageIsNested(batch: LegacyBatch, attributes: number): boolean {
  return batch.codecId !== 0 && (attributes & attribute.codec) !== 0
}

/** The position of the key's length in a message. */
function keyPosition(magic: number): number {
  return magic === 0 ? legacyField.timestamp : legacyField.timestamp + 8
}

function corrupt(batch: LegacyBatch, what: string): ProtocolError {
  return new ProtocolError(`message set of format ${batch.magic} at offset ${batch.lastOffset}: ${what}`)
}
