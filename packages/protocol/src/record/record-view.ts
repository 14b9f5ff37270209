/** A consumer's record: a small object whose key, value and headers are created on first use. */

import type { BatchHeader, TimestampType } from './batch-fields.ts'
import { checkedVarint, readHeaders, type RecordCursor, type RecordHeader, varintBytes, view } from './record-cursor.ts'

/**
 * One record, independent of its cursor. Key, value and headers are created on first use and cached. They are views of
 * the received (or decompressed) bytes of the whole batch and keep these alive: copy what you keep for long.
 *
 * @since 0.1.0
 */
export class RecordView {
  /** The batch of the record. */
  readonly batch: BatchHeader
  /** Offset of the record in its partition. */
  readonly offset: number
  /** ms since the epoch; -1 if there is none. */
  readonly timestamp: number
  /** @internal */
  readonly data: Buffer
  /** @internal position of the key's length in `data` */
  readonly fieldsStart: number
  /** @internal */
  cachedKey: Buffer | null | undefined
  /** @internal */
  cachedValue: Buffer | null | undefined
  /** @internal */
  cachedHeaders: RecordHeader[] | undefined

  /** Takes the cursor's current record. Creates no Buffer. */
  constructor(cursor: RecordCursor) {
    this.batch = cursor.batch
    this.offset = cursor.offset
    this.timestamp = cursor.timestamp
    this.data = cursor.data
    this.fieldsStart = cursor.fieldsStart
    this.cachedKey = undefined
    this.cachedValue = undefined
    this.cachedHeaders = undefined
  }

  /** The meaning of the timestamp. */
  get timestampType(): TimestampType {
    return this.batch.timestampType
  }

  /** Epoch of the partition's leader that stored the batch; -1 if unknown. */
  get leaderEpoch(): number {
    return this.batch.partitionLeaderEpoch
  }

  /** Bytes of key and value together. */
  get sizeBytes(): number {
    const keyLength = checkedVarint(this.data, this.fieldsStart)
    const valueLength = checkedVarint(this.data, valueFieldStart(this.data, this.fieldsStart))
    return Math.max(keyLength, 0) + Math.max(valueLength, 0)
  }

  /** The key, or null. */
  get key(): Buffer | null {
    let key = this.cachedKey
    if (key === undefined) {
      const at = this.fieldsStart
      key = view(this.data, at + varintBytes(this.data, at), checkedVarint(this.data, at))
      this.cachedKey = key
    }
    return key
  }

  /** The value, or null. */
  get value(): Buffer | null {
    let value = this.cachedValue
    if (value === undefined) {
      const at = valueFieldStart(this.data, this.fieldsStart)
      value = view(this.data, at + varintBytes(this.data, at), checkedVarint(this.data, at))
      this.cachedValue = value
    }
    return value
  }

  /** The headers in order, repeated keys included. */
  get headers(): RecordHeader[] {
    let headers = this.cachedHeaders
    if (headers === undefined) {
      const at = headersFieldStart(this.data, this.fieldsStart)
      headers = readHeaders(this.data, at + varintBytes(this.data, at), checkedVarint(this.data, at))
      this.cachedHeaders = headers
    }
    return headers
  }
}

// Functions, because private methods would add a hidden field to each of many objects.

/** The position of the value's length. */
function valueFieldStart(data: Buffer, fieldsStart: number): number {
  const keyLength = checkedVarint(data, fieldsStart)
  return fieldsStart + varintBytes(data, fieldsStart) + (keyLength > 0 ? keyLength : 0)
}

/** The position of the number of headers. */
function headersFieldStart(data: Buffer, fieldsStart: number): number {
  const at = valueFieldStart(data, fieldsStart)
  const valueLength = checkedVarint(data, at)
  return at + varintBytes(data, at) + (valueLength > 0 ? valueLength : 0)
}
