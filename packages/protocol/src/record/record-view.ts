/** What a consumer keeps of each record: a small object whose key, value and headers are made when asked for. */

import type { BatchHeader, TimestampType } from './batch-fields.ts'
import { checkedVarint, readHeaders, type RecordCursor, type RecordHeader, varintBytes, view } from './record-cursor.ts'

/**
 * One record, apart from its cursor. Key, value and headers are made on first use and then kept; they are views of
 * the received (or decompressed) bytes of the whole batch and keep these alive, so copy what is to live long.
 *
 * @since 0.1.0
 */
export class RecordView {
  /** The batch the record came in. */
  readonly batch: BatchHeader
  /** Offset of the record in its partition. */
  readonly offset: number
  /** ms since the epoch; -1 where there is none. */
  readonly timestamp: number
  /** @internal */
  readonly data: Buffer
  /** @internal where the key's length stands in `data` */
  readonly fieldsStart: number
  /** @internal */
  cachedKey: Buffer | null | undefined
  /** @internal */
  cachedValue: Buffer | null | undefined
  /** @internal */
  cachedHeaders: RecordHeader[] | undefined

  /** Keeps the cursor's current record. No Buffer is made. */
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

  /** What the timestamp means. */
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

  /** The headers in their order, repeated keys included. */
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

// Not private methods: those would be one more hidden field in each of many objects.

/** Where the value's length stands. */
function valueFieldStart(data: Buffer, fieldsStart: number): number {
  const keyLength = checkedVarint(data, fieldsStart)
  return fieldsStart + varintBytes(data, fieldsStart) + (keyLength > 0 ? keyLength : 0)
}

/** Where the count of headers stands. */
function headersFieldStart(data: Buffer, fieldsStart: number): number {
  const at = valueFieldStart(data, fieldsStart)
  const valueLength = checkedVarint(data, at)
  return at + varintBytes(data, at) + (valueLength > 0 ? valueLength : 0)
}
