/** Encodes record batches (magic 2) for a producer: records are encoded as they are appended. */

import type { CompressionCodec } from '../compression/codec.ts'
import { crc32c } from '../wire/crc32c.ts'
import { INT64_MAX } from '../wire/reader.ts'
import { bigVarlongSize, varintSize, varlongSize, writeBigVarlong, writeVarint, writeVarlong } from '../wire/varint.ts'
import {
  asInt64,
  attribute,
  BATCH_HEADER_BYTES,
  field,
  LENGTH_PREFIX_BYTES,
  writeInt16,
  writeInt32,
  writeInt64,
  writeTime,
} from './batch-header.ts'
import { giveBuffer, takeBuffer } from './buffer-pool.ts'

/**
 * A key, a value or a header's value. A string is written as UTF-8.
 *
 * @since 0.1.0
 */
export type RecordBytes = Uint8Array | string

/**
 * Headers to write: a list, which may repeat a key, or an object.
 *
 * @since 0.1.0
 */
export type RecordHeaders =
  | readonly { readonly key: string; readonly value?: RecordBytes | null | undefined }[]
  | Readonly<Record<string, RecordBytes | null | undefined>>

/**
 * Options of {@link BatchWriter.seal}. Omitted ones mean none: no compression, no producer id.
 *
 * @since 0.1.0
 */
export interface SealOptions {
  /** Must be ready. Default: none. */
  readonly codec?: CompressionCodec | null | undefined
  /** `compression.level`; -1, the default, is the codec's own. */
  readonly level?: number | undefined
  readonly producerId?: bigint | undefined
  readonly producerEpoch?: number | undefined
  readonly baseSequence?: number | undefined
  readonly isTransactional?: boolean | undefined
  readonly partitionLeaderEpoch?: number | undefined
}

/** A batch's length is an int32. */
const BATCH_BYTES_LIMIT = 0x7fff_ffff
/** Room for a record's length varint, and enough that a truncated string write cannot look complete. */
const SLACK_BYTES = 5 + 4
/** Timestamp deltas in this range fit a varint. */
const NEAR_FROM = -0x4000_0000
const NEAR_TO = 0x4000_0000
/** Up to this size, a loop is faster than the native call. */
const SHORT_BYTES = 8
const NOT_BYTES = 'a key, a value or a header is neither bytes nor a string nor null'

/**
 * One open batch. {@link append} writes a record's bytes at once, so the caller may reuse its buffers afterwards;
 * {@link seal} makes the batch ready to be sent.
 *
 * @since 0.1.0
 */
export class BatchWriter {
  /** Records appended so far. */
  recordCount = 0
  /** Exact size of the batch in bytes, header included; after {@link seal}, of the sealed batch. */
  sizeBytes = BATCH_HEADER_BYTES
  /** Size in bytes before compression, header included. */
  uncompressedBytes = BATCH_HEADER_BYTES
  /** The first record's timestamp, ms since the epoch; -1 while the batch is empty. */
  baseTimestamp = -1
  /** The highest timestamp, ms since the epoch; -1 while the batch is empty. */
  maxTimestamp = -1
  /** Whether {@link seal} was called. */
  isSealed = false
  /** Whether the batch takes no more records: it is sealed, or {@link compressBeside} was called. */
  isClosed = false
  /** The codec used: also 0 (none) if compression made the batch larger. */
  codecId = 0
  /** @internal */
  buffer: Buffer
  /** Pending while another thread reads the records; never rejects. */
  #compressing: Promise<void> | null = null
  #isCompressed = false

  /** @param capacity - bytes of the first buffer; a batch that outgrows it moves to one twice as large */
  constructor(capacity = 16 * 1024) {
    this.buffer = takeBuffer(Math.max(capacity, BATCH_HEADER_BYTES))
  }

  /**
   * Upper bound of what {@link append} will add to {@link sizeBytes}: for bytes, exact except for a few bytes of
   * varints; for strings, three bytes a character.
   */
  static estimateSize(
    key: RecordBytes | null | undefined,
    value: RecordBytes | null | undefined,
    headers: RecordHeaders | null | undefined,
  ): number {
    // Length, attributes, both deltas and three more lengths, each at its longest.
    let size = 5 + 1 + 8 + 5 + 5 + 5 + 5
    if (key !== null && key !== undefined) size += typeof key === 'string' ? key.length * 3 : key.length
    if (value !== null && value !== undefined) size += typeof value === 'string' ? value.length * 3 : value.length
    return headers === null || headers === undefined ? size : size + headersSize(headers)
  }

  /**
   * Writes one record into the batch and returns its size in bytes.
   *
   * @param timestamp - ms since the epoch, a whole number up to 2^63; -1 for none
   * @throws TypeError for a key, value or header that is not bytes, a string or null
   * @throws RangeError for any other timestamp, or if the batch would exceed 2 GiB
   * @throws Error if the batch is sealed
   */
  append(
    key: RecordBytes | null | undefined,
    value: RecordBytes | null | undefined,
    headers: RecordHeaders | null | undefined,
    timestamp: number,
  ): number {
    if (this.isClosed) throw new Error('a sealed record batch takes no more records')
    if (!(timestamp >= -1 && timestamp <= INT64_MAX && Math.floor(timestamp) === timestamp)) {
      throw new RangeError(`timestamp ${timestamp} is not a whole number of milliseconds since the epoch`)
    }
    const timestampDelta = this.recordCount === 0 ? 0 : timestamp - this.baseTimestamp
    // The form of nearly every record: bytes without headers, with a timestamp close to the batch's.
    let size = -1
    if (
      value instanceof Uint8Array &&
      (key === null || key === undefined || key instanceof Uint8Array) &&
      (headers === null || headers === undefined) &&
      timestampDelta >= NEAR_FROM &&
      timestampDelta < NEAR_TO &&
      timestamp < INT64_MAX
    ) {
      const keyLength = key === null || key === undefined ? -1 : key.length
      const valueLength = value.length
      const offsetDelta = this.recordCount
      const bodySize =
        2 + // attributes, number of headers
        varintSize(timestampDelta) +
        varintSize(offsetDelta) +
        varintSize(keyLength) +
        varintSize(valueLength) +
        (keyLength > 0 ? keyLength : 0) +
        valueLength
      const start = this.sizeBytes
      if (start + bodySize + SLACK_BYTES > this.buffer.length) this.#grow(start + bodySize + SLACK_BYTES)
      const buffer = this.buffer
      let position = writeVarint(buffer, start, bodySize)
      buffer[position++] = 0 // attributes: Kafka has none yet
      position = writeVarint(buffer, position, timestampDelta)
      position = writeVarint(buffer, position, offsetDelta)
      position = writeVarint(buffer, position, keyLength)
      if (key !== null && key !== undefined) {
        buffer.set(key, position)
        position += keyLength
      }
      position = writeVarint(buffer, position, valueLength)
      buffer.set(value, position)
      position += valueLength
      buffer[position++] = 0
      size = position - start
    } else {
      size = this.#putAny(key, value, headers, timestampDelta, timestamp)
    }
    if (this.recordCount === 0) {
      this.baseTimestamp = timestamp
      this.maxTimestamp = timestamp
    } else if (timestamp > this.maxTimestamp) {
      this.maxTimestamp = timestamp
    }
    this.recordCount++
    this.sizeBytes += size
    return size
  }

  #putAny(
    key: RecordBytes | null | undefined,
    value: RecordBytes | null | undefined,
    headers: RecordHeaders | null | undefined,
    timestampDelta: number,
    timestamp: number,
  ): number {
    const keyLength = key === null || key === undefined ? -1 : key.length
    const valueLength = value === null || value === undefined ? -1 : value.length
    // In plain JavaScript it may be a number: its length is undefined, and it must not become an empty value.
    if (!(keyLength >= -1 && valueLength >= -1)) throw new TypeError(NOT_BYTES)
    // Strings are assumed to be ASCII first, which saves measuring them; writing them shows whether they were.
    const size = this.#put(key, keyLength, value, valueLength, headers, timestampDelta, timestamp)
    if (size >= 0) return size
    return this.#put(key, byteLength(key), value, byteLength(value), headers, timestampDelta, timestamp)
  }

  /** Writes a record after the last one without counting it; -1 if a string needed more bytes than its length here. */
  #put(
    key: RecordBytes | null | undefined,
    keyLength: number,
    value: RecordBytes | null | undefined,
    valueLength: number,
    headers: RecordHeaders | null | undefined,
    timestampDelta: number,
    timestamp: number,
  ): number {
    const isNear = timestampDelta >= NEAR_FROM && timestampDelta < NEAR_TO && timestamp < INT64_MAX
    const exactDelta = isNear ? null : this.#exactDelta(timestampDelta, timestamp)
    const offsetDelta = this.recordCount
    let bodySize =
      1 +
      (isNear
        ? varintSize(timestampDelta)
        : exactDelta === null
          ? varlongSize(timestampDelta)
          : bigVarlongSize(exactDelta)) +
      varintSize(offsetDelta) +
      varintSize(keyLength) +
      varintSize(valueLength)
    if (keyLength > 0) bodySize += keyLength
    if (valueLength > 0) bodySize += valueLength
    bodySize += headers === null || headers === undefined ? 1 : headersSize(headers)

    const start = this.sizeBytes
    if (start + bodySize + SLACK_BYTES > this.buffer.length) this.#grow(start + bodySize + SLACK_BYTES)
    const buffer = this.buffer
    let position = writeVarint(buffer, start, bodySize)
    buffer[position++] = 0 // attributes: Kafka has none yet
    if (isNear) position = writeVarint(buffer, position, timestampDelta)
    else if (exactDelta === null) position = writeVarlong(buffer, position, timestampDelta)
    else position = writeBigVarlong(buffer, position, exactDelta)
    position = writeVarint(buffer, position, offsetDelta)
    position = writeVarint(buffer, position, keyLength)
    if (keyLength > 0 && key !== null && key !== undefined) {
      if (writeBytes(buffer, position, key) !== keyLength) return -1
      position += keyLength
    }
    position = writeVarint(buffer, position, valueLength)
    if (valueLength > 0 && value !== null && value !== undefined) {
      if (writeBytes(buffer, position, value) !== valueLength) return -1
      position += valueLength
    }
    if (headers === null || headers === undefined) buffer[position++] = 0
    else position = writeHeaders(buffer, position, headers)
    return position - start
  }

  /** Null if the delta is exact as a number. Otherwise base and delta must add up to the timestamp in the header. */
  #exactDelta(timestampDelta: number, timestamp: number): bigint | null {
    // 2^63 itself is not an int64: the header gets the largest one.
    if (timestampDelta === 0 || (Number.isSafeInteger(timestampDelta) && timestamp < INT64_MAX)) return null
    return BigInt.asIntN(64, asInt64(timestamp) - asInt64(this.baseTimestamp))
  }

  #grow(needed: number): void {
    if (needed > BATCH_BYTES_LIMIT) throw new RangeError(`a record batch of ${needed} bytes is over 2 GiB`)
    const old = this.buffer
    const larger = takeBuffer(Math.min(Math.max(needed, old.length * 2), BATCH_BYTES_LIMIT))
    old.copy(larger, 0, 0, this.sizeBytes)
    this.buffer = larger
    giveBuffer(old)
  }

  /**
   * Makes the batch ready to be sent and returns it: compressed if that makes it smaller, with header and checksum. May
   * be called again for a retry with another producer id, epoch or sequence: that rewrites only header and checksum,
   * and keeps the codec of the first call.
   *
   * @returns a view of this writer's buffer, valid until {@link release}
   * @throws Error if the batch is empty or the codec is not ready
   */
  seal(options: SealOptions): Buffer {
    if (this.recordCount === 0) throw new Error('a record batch without records cannot be sealed')
    if (!this.isSealed) {
      this.#close(options.codec ?? null, options.level ?? -1)
      this.isSealed = true
      this.isClosed = true
    }
    const buffer = this.buffer
    const size = this.sizeBytes
    const attributes = this.codecId | (options.isTransactional === true ? attribute.transactional : 0)
    writeInt64(buffer, field.baseOffset, 0)
    writeInt32(buffer, field.length, size - LENGTH_PREFIX_BYTES)
    writeInt32(buffer, field.partitionLeaderEpoch, options.partitionLeaderEpoch ?? -1)
    buffer[field.magic] = 2
    writeInt16(buffer, field.attributes, attributes)
    writeInt32(buffer, field.lastOffsetDelta, this.recordCount - 1)
    writeTime(buffer, field.baseTimestamp, this.baseTimestamp)
    writeTime(buffer, field.maxTimestamp, this.maxTimestamp)
    buffer.writeBigInt64BE(options.producerId ?? -1n, field.producerId)
    writeInt16(buffer, field.producerEpoch, options.producerEpoch ?? -1)
    writeInt32(buffer, field.baseSequence, options.baseSequence ?? -1)
    writeInt32(buffer, field.recordCount, this.recordCount)
    writeInt32(buffer, field.crc, crc32c(buffer, field.attributes, size))
    return buffer.subarray(0, size)
  }

  #close(codec: CompressionCodec | null, level: number): void {
    if (this.#isCompressed) return
    this.uncompressedBytes = this.sizeBytes
    if (codec === null || codec.id === 0) return
    // Another thread may still be reading the records: compress into another buffer.
    if (this.#compressing !== null) this.buffer = Buffer.from(this.buffer.subarray(0, this.sizeBytes))
    this.#compress(codec, level)
  }

  /**
   * Compresses the records on another thread, so that {@link seal} does not have to. Nothing can be appended from now
   * on. The batch may be sealed or released meanwhile, which discards the work. If it fails, sealing retries and throws
   * the error.
   *
   * @returns a promise that resolves when done; null if this codec works on this thread only
   */
  compressBeside(codec: CompressionCodec, level: number): Promise<void> | null {
    if (codec.compressBeside === undefined || this.isSealed || this.#isCompressed) return null
    if (this.#compressing !== null) return this.#compressing
    const records = this.buffer.subarray(BATCH_HEADER_BYTES, this.sizeBytes)
    this.isClosed = true
    this.#compressing = codec.compressBeside(records, level).then(
      body => {
        this.#compressing = null
        if (this.isSealed) return
        this.uncompressedBytes = this.sizeBytes
        this.#isCompressed = true
        this.#take(codec, body)
      },
      () => {
        this.#compressing = null
      },
    )
    return this.#compressing
  }

  #compress(codec: CompressionCodec, level: number): void {
    this.#take(codec, codec.compress(this.buffer.subarray(BATCH_HEADER_BYTES, this.sizeBytes), level))
  }

  /** Replaces the records by the smaller body, so that a sealed batch never needs a second buffer. */
  #take(codec: CompressionCodec, body: Buffer): void {
    if (body.length >= this.sizeBytes - BATCH_HEADER_BYTES) return
    body.copy(this.buffer, BATCH_HEADER_BYTES)
    this.sizeBytes = BATCH_HEADER_BYTES + body.length
    this.codecId = codec.id
  }

  /**
   * Returns the buffer to the pool. Call this only once nothing, sockets included, reads the sealed bytes any more:
   * they will be overwritten. Without this call the garbage collector frees the buffer.
   */
  release(): void {
    const buffer = this.buffer
    if (buffer.length === 0) return
    this.buffer = RELEASED
    this.isSealed = true
    this.isClosed = true
    // A buffer that is still being read is left to the garbage collector.
    if (this.#compressing === null) giveBuffer(buffer)
  }
}

const RELEASED = Buffer.alloc(0)

function byteLength(bytes: RecordBytes | null | undefined): number {
  if (bytes === null || bytes === undefined) return -1
  return typeof bytes === 'string' ? Buffer.byteLength(bytes, 'utf8') : bytes.length
}

/** Writes `bytes` and returns their number. */
function writeBytes(buffer: Buffer, position: number, bytes: RecordBytes): number {
  const length = bytes.length
  if (typeof bytes === 'string') {
    if (length > SHORT_BYTES) return buffer.write(bytes, position, 'utf8')
    for (let i = 0; i < length; i++) {
      const code = bytes.charCodeAt(i)
      if (code > 0x7f) return buffer.write(bytes, position, 'utf8')
      buffer[position + i] = code
    }
    return length
  }
  if (length > SHORT_BYTES) buffer.set(bytes, position)
  else for (let i = 0; i < length; i++) buffer[position + i] = bytes[i] as number // i < length
  return length
}

/** Bytes of the headers, their count included. */
function headersSize(headers: RecordHeaders): number {
  let size = 0
  let count = 0
  if (isHeaderList(headers)) {
    count = headers.length
    for (let i = 0; i < count; i++) {
      const header = headers[i] as (typeof headers)[number] // i < count
      size += headerSize(header.key, header.value)
    }
  } else {
    for (const key in headers) {
      size += headerSize(key, headers[key])
      count++
    }
  }
  return size + varintSize(count)
}

function headerSize(key: string, value: RecordBytes | null | undefined): number {
  const keyLength = Buffer.byteLength(key, 'utf8')
  const valueLength = byteLength(value)
  if (!(valueLength >= -1)) throw new TypeError(NOT_BYTES)
  return varintSize(keyLength) + keyLength + varintSize(valueLength) + (valueLength > 0 ? valueLength : 0)
}

function writeHeaders(buffer: Buffer, position: number, headers: RecordHeaders): number {
  if (isHeaderList(headers)) {
    const count = headers.length
    position = writeVarint(buffer, position, count)
    for (let i = 0; i < count; i++) {
      const header = headers[i] as (typeof headers)[number] // i < count
      position = writeHeader(buffer, position, header.key, header.value)
    }
    return position
  }
  let count = 0
  for (const _ in headers) count++
  position = writeVarint(buffer, position, count)
  for (const key in headers) position = writeHeader(buffer, position, key, headers[key])
  return position
}

function writeHeader(buffer: Buffer, position: number, key: string, value: RecordBytes | null | undefined): number {
  position = writeVarint(buffer, position, Buffer.byteLength(key, 'utf8'))
  position += writeBytes(buffer, position, key)
  position = writeVarint(buffer, position, byteLength(value))
  return value === null || value === undefined ? position : position + writeBytes(buffer, position, value)
}

function isHeaderList(headers: RecordHeaders): headers is Extract<RecordHeaders, readonly unknown[]> {
  return Array.isArray(headers)
}
