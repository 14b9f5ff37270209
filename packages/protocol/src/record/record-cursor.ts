/** Iterates over the records of one batch, in place. */

import { ProtocolError } from '../wire/protocol-error.ts'
import { FastBuffer } from '../wire/view.ts'
import type { BatchHeader } from './batch-fields.ts'
import { asInt64 } from './batch-header.ts'

/**
 * One header of a received record.
 *
 * @since 0.1.0
 */
export interface RecordHeader {
  key: string
  value: Buffer | null
}

/** Half of what a number holds exactly: the sum of two smaller values is exact. */
const WIDE_FROM = 2 ** 52

/** The part of the batch that a cursor uses. */
interface CursorBatch extends BatchHeader {
  exactBaseTimestamp(): bigint
}

/**
 * The records of a batch, one by one. The fields describe the current record and change with {@link next}.
 *
 * @since 0.1.0
 */
export class RecordCursor {
  /** The batch of these records. */
  readonly batch: BatchHeader
  /** The bytes that all positions refer to: the received buffer, or the decompressed one. */
  readonly data: Buffer
  /** Records left. */
  remaining: number
  /** Offset of the current record. */
  offset = -1
  /** Timestamp of the current record, ms since the epoch. */
  timestamp = -1
  /** Where the key's bytes begin. */
  keyStart = 0
  /** The key's length in bytes; -1 for null. */
  keyLength = -1
  /** Where the value's bytes begin. */
  valueStart = 0
  /** The value's length in bytes; -1 for null. */
  valueLength = -1
  /** Number of headers. */
  headerCount = 0
  /** Where the first header begins. */
  headersStart = 0
  /** Size of the record in bytes, uncompressed. */
  sizeBytes = 0
  /** Position of the key's length, which a {@link RecordView} keeps. @internal */
  fieldsStart = 0
  #position: number
  readonly #end: number
  readonly #baseOffset: number
  readonly #baseTimestamp: number
  /** The batch's time if it overrides the records' own; else null. */
  readonly #logAppendTime: number | null
  /** Whether base and delta may be too large for an exact sum. */
  #isWide: boolean
  #exactTimestamp = 0n
  readonly #batch: CursorBatch

  /** @internal created by RecordBatch.records() */
  constructor(batch: CursorBatch, data: Buffer, start: number, end: number) {
    this.batch = batch
    this.data = data
    this.remaining = batch.recordCount
    this.#position = start
    this.#end = end
    this.#baseOffset = batch.baseOffset
    this.#baseTimestamp = batch.baseTimestamp
    this.#batch = batch
    this.#logAppendTime = batch.timestampType === 'log-append-time' ? batch.maxTimestamp : null
    this.#isWide = isWide(batch.baseTimestamp)
  }

  /**
   * Moves to the next record; false after the last one.
   *
   * @throws ProtocolError if a length or a count contradicts the bytes
   */
  next(): boolean {
    const data = this.data
    const end = this.#end
    const start = this.#position
    if (this.remaining <= 0) {
      if (start !== end) throw this.#corrupt(`${end - start} bytes follow its last record`)
      return false
    }
    let position = start
    let byte = data[position++] as number // undefined past the end, which the bounds checks below detect
    let size = (byte >>> 1) ^ -(byte & 1)
    if (byte > 0x7f) {
      size = this.#varint(start)
      position = this.#position
    }
    const recordEnd = position + size
    if (size < 0 || recordEnd > end) throw this.#corrupt(`a record of ${size} bytes does not fit in it`)
    this.sizeBytes = recordEnd - start
    position++ // attributes: Kafka has none yet

    const deltaStart = position
    byte = data[position++] as number // as above
    let timestampDelta = (byte >>> 1) ^ -(byte & 1)
    if (byte > 0x7f) {
      timestampDelta = this.#varlong(position - 1)
      position = this.#position
    }
    byte = data[position++] as number // as above
    let offsetDelta = (byte >>> 1) ^ -(byte & 1)
    if (byte > 0x7f) {
      offsetDelta = this.#varint(position - 1)
      position = this.#position
    }
    this.fieldsStart = position

    byte = data[position++] as number // as above
    let keyLength = (byte >>> 1) ^ -(byte & 1)
    if (byte > 0x7f) {
      keyLength = this.#varint(position - 1)
      position = this.#position
    }
    this.keyStart = position
    if (keyLength > 0) position += keyLength
    if (keyLength < -1 || position >= recordEnd)
      throw this.#corrupt(`a key of ${keyLength} bytes does not fit in its record`)

    byte = data[position++] as number // as above
    let valueLength = (byte >>> 1) ^ -(byte & 1)
    if (byte > 0x7f) {
      valueLength = this.#varint(position - 1)
      position = this.#position
    }
    this.valueStart = position
    if (valueLength > 0) position += valueLength
    if (valueLength < -1 || position >= recordEnd) {
      throw this.#corrupt(`a value of ${valueLength} bytes does not fit in its record`)
    }

    byte = data[position++] as number // as above
    let headerCount = (byte >>> 1) ^ -(byte & 1)
    if (byte > 0x7f) {
      headerCount = this.#varint(position - 1)
      position = this.#position
    }
    this.headersStart = position
    if (headerCount !== 0) position = this.#skipHeaders(position, headerCount, recordEnd)
    if (position !== recordEnd)
      throw this.#corrupt(`a record of ${size} bytes has fields for ${position - recordEnd + size}`)

    this.offset = this.#baseOffset + offsetDelta
    this.timestamp = this.#logAppendTime ?? this.#baseTimestamp + timestampDelta
    if (this.#isWide) this.#addWide(deltaStart)
    this.keyLength = keyLength
    this.valueLength = valueLength
    this.headerCount = headerCount
    this.#position = recordEnd
    this.remaining--
    return true
  }

  /** The current record's timestamp, exact: {@link timestamp} is rounded beyond 2^53. */
  exactTimestamp(): bigint {
    return this.#isWide ? this.#exactTimestamp : BigInt(this.timestamp)
  }

  /** The current record's key, a view of {@link data}. */
  key(): Buffer | null {
    return view(this.data, this.keyStart, this.keyLength)
  }

  /** The current record's value, a view of {@link data}. */
  value(): Buffer | null {
    return view(this.data, this.valueStart, this.valueLength)
  }

  /** The current record's headers; their values are views of {@link data}. */
  headers(): RecordHeader[] {
    return readHeaders(this.data, this.headersStart, this.headerCount)
  }

  /** Checks the headers as far as reading them later requires, and returns the position after them. */
  #skipHeaders(position: number, count: number, recordEnd: number): number {
    // A header takes at least two bytes.
    if (count < 0 || count > (recordEnd - position) / 2) throw this.#corrupt(`a record claims ${count} headers`)
    for (let i = 0; i < count; i++) {
      const keyLength = this.#varint(position)
      if (keyLength < 0 || keyLength > recordEnd - this.#position) {
        throw this.#corrupt(`a header's key of ${keyLength} bytes does not fit in its record`)
      }
      position = this.#position + keyLength
      const valueLength = this.#varint(position)
      if (valueLength < -1 || valueLength > recordEnd - this.#position) {
        throw this.#corrupt(`a header's value of ${valueLength} bytes does not fit in its record`)
      }
      position = this.#position + (valueLength > 0 ? valueLength : 0)
    }
    return position
  }

  /** Reads a varint and leaves the position after it in #position, which {@link next} corrects at its end. */
  #varint(at: number): number {
    const data = this.data
    let position = at
    let zigzag = 0
    for (let shift = 0; shift < 35; shift += 7) {
      if (position >= this.#end) throw this.#corrupt('a varint is truncated')
      const byte = data[position++] as number // before the end
      zigzag |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.#position = position
        return (zigzag >>> 1) ^ -(zigzag & 1)
      }
    }
    throw this.#corrupt('a varint has more than five bytes')
  }

  /** Like {@link #varint}, for 64 bits: exact up to 2^53 and rounded beyond, since timestamps are user data. */
  #varlong(at: number): number {
    const data = this.data
    let position = at
    let low = 0
    let high = 0
    // Four groups of seven bits in `low`, the other six in `high`: 36 bits, which double arithmetic holds exactly.
    for (let group = 0; group < 10; group++) {
      if (position >= this.#end) throw this.#corrupt('a varlong is truncated')
      const byte = data[position++] as number // before the end
      if (group < 4) low |= (byte & 0x7f) << (7 * group)
      else high += (byte & 0x7f) * 2 ** (7 * (group - 4))
      if (byte < 0x80) {
        this.#position = position
        const magnitude = high * 0x800_0000 + (low >>> 1)
        if (magnitude > WIDE_FROM) this.#isWide = true
        return (low & 1) === 1 ? -1 - magnitude : magnitude
      }
    }
    throw this.#corrupt('a varlong has more than ten bytes')
  }

  /** Adds like Kafka, in 64 bits that wrap around, so that a timestamp equals the batch header's. */
  #addWide(deltaStart: number): void {
    let zigzag = 0n
    let position = deltaStart
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.data[position++] as number // next() has read it
      zigzag |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) break
    }
    const delta = (zigzag >> 1n) ^ -(zigzag & 1n)
    const base = this.#logAppendTime === null ? this.#batch.exactBaseTimestamp() + delta : asInt64(this.#logAppendTime)
    this.#exactTimestamp = BigInt.asIntN(64, base)
    this.timestamp = Number(this.#exactTimestamp)
  }

  #corrupt(what: string): ProtocolError {
    return new ProtocolError(`record batch at offset ${this.#baseOffset}: ${what}`)
  }
}

function isWide(time: number): boolean {
  return time > WIDE_FROM || time < -WIDE_FROM
}

/** A Buffer over part of `data`; null for a negative length. */
export function view(data: Buffer, start: number, length: number): Buffer | null {
  return length < 0 ? null : new FastBuffer(data.buffer, data.byteOffset + start, length)
}

/** Reads headers that {@link RecordCursor.next} has checked. */
export function readHeaders(data: Buffer, start: number, count: number): RecordHeader[] {
  const headers: RecordHeader[] = []
  let position = start
  for (let i = 0; i < count; i++) {
    const keyLength = checkedVarint(data, position)
    position += varintBytes(data, position)
    const key = headerKey(data, position, keyLength)
    position += keyLength
    const valueLength = checkedVarint(data, position)
    position += varintBytes(data, position)
    headers.push({ key, value: view(data, position, valueLength) })
    if (valueLength > 0) position += valueLength
  }
  return headers
}

const KNOWN_KEYS = 64
const KNOWN_KEY_BYTES = 64
/** Recent header keys: the same few come with every record, and comparing costs half as much as decoding. */
const knownKeys: (string | undefined)[] = new Array<string | undefined>(KNOWN_KEYS).fill(undefined)

function headerKey(data: Buffer, start: number, length: number): string {
  if (length === 0 || length > KNOWN_KEY_BYTES) return data.toString('utf8', start, start + length)
  const slot = (length * 7 + (data[start] as number) + (data[start + length - 1] as number)) % KNOWN_KEYS // length > 0
  const known = knownKeys[slot]
  if (known !== undefined && isAscii(known, data, start, length)) return known
  const key = data.toString('utf8', start, start + length)
  // Only ASCII is compared byte by byte.
  if (isAscii(key, data, start, length)) knownKeys[slot] = key
  return key
}

/** Whether the bytes are those of `text`, and all ASCII. */
function isAscii(text: string, data: Buffer, start: number, length: number): boolean {
  if (text.length !== length) return false
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7f || code !== data[start + i]) return false
  }
  return true
}

/** The varint at `position`, known to be complete. */
export function checkedVarint(data: Buffer, position: number): number {
  let byte = data[position] as number // whole
  if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1)
  let zigzag = byte & 0x7f
  for (let shift = 7; byte >= 0x80; shift += 7) {
    byte = data[++position] as number // whole
    zigzag |= (byte & 0x7f) << shift
  }
  return (zigzag >>> 1) ^ -(zigzag & 1)
}

/** The size in bytes of the varint at `position`, known to be complete. */
export function varintBytes(data: Buffer, position: number): number {
  let bytes = 1
  while ((data[position++] as number) >= 0x80) bytes++ // whole
  return bytes
}
