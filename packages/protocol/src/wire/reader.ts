import { ProtocolError } from './protocol-error.ts'
import { asBuffer, FastBuffer } from './view.ts'

const TWO_32 = 0x1_0000_0000
/**
 * Java's Long.MAX_VALUE as the nearest double; in Kafka it means "no limit".
 * @since 0.1.0
 */
export const INT64_MAX = 2 ** 63
/**
 * The topic id for none.
 * @since 0.1.0
 */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

/**
 * A cursor over one frame. A read beyond the frame's end throws ProtocolError. Strings are copies, bytes and records
 * are views of the frame.
 * @since 0.1.0
 */
export class Reader {
  readonly buffer: Buffer
  readonly end: number
  position: number

  constructor(buffer: Uint8Array, start = 0, end: number = buffer.length) {
    this.buffer = asBuffer(buffer)
    this.position = start
    this.end = end
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.end - this.position
  }

  int8(): number {
    return (this.uint8('int8') << 24) >> 24
  }

  bool(): boolean {
    return this.uint8('bool') !== 0
  }

  int16(): number {
    return (this.uint16() << 16) >> 16
  }

  uint16(): number {
    const at = this.advance(2, 'int16')
    const b = this.buffer
    return (((b[at] as number) << 8) | (b[at + 1] as number)) >>> 0
  }

  int32(): number {
    const at = this.advance(4, 'int32')
    const b = this.buffer
    return (
      ((b[at] as number) << 24) | ((b[at + 1] as number) << 16) | ((b[at + 2] as number) << 8) | (b[at + 3] as number)
    )
  }

  uint32(): number {
    return this.int32() >>> 0
  }

  /**
   * A count. Throws ProtocolError for a value that a double cannot hold exactly, except Long.MAX_VALUE (see INT64_MAX).
   */
  int64(): number {
    const high = this.int32()
    const low = this.int32() >>> 0
    const value = high * TWO_32 + low
    if (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER) return this.#wideInt64(high, low)
    return value
  }

  /** An int64 that is an id: exact. */
  identity(): bigint {
    return this.buffer.readBigInt64BE(this.advance(8, 'int64'))
  }

  /** An int64 that is a time: rounded beyond 2^53, never an error. */
  time(): number {
    const high = this.int32()
    return high * TWO_32 + (this.int32() >>> 0)
  }

  float64(): number {
    return this.buffer.readDoubleBE(this.advance(8, 'float64'))
  }

  /** Kafka's text form: base64url without padding. */
  uuid(): string {
    const at = this.advance(16, 'uuid')
    return this.buffer.toString('base64url', at, at + 16)
  }

  uvarint(): number {
    const b = this.buffer
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      if (this.position >= this.end) throw this.truncated('varint', 1)
      const byte = b[this.position++] as number
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) {
        if (value > 0xffff_ffff) break
        return value
      }
    }
    throw new ProtocolError(`a varint of more than 32 bits before byte ${this.position}`)
  }

  string(flexible: boolean): string {
    const length = this.#stringLength(flexible)
    if (length < 0) throw this.#unexpectedNull('a string')
    return this.#text(length)
  }

  nullableString(flexible: boolean): string | null {
    const length = this.#stringLength(flexible)
    return length < 0 ? null : this.#text(length)
  }

  /** A view of the frame. */
  bytes(flexible: boolean): Buffer {
    const bytes = this.nullableBytes(flexible)
    if (bytes === null) throw this.#unexpectedNull('bytes')
    return bytes
  }

  /** A view of the frame. */
  nullableBytes(flexible: boolean): Buffer | null {
    const length = flexible ? this.uvarint() - 1 : this.int32()
    if (length < -1) throw new ProtocolError(`bytes of negative length ${length} before byte ${this.position}`)
    if (length < 0) return null
    const at = this.advance(length, 'bytes')
    return new FastBuffer(this.buffer.buffer, this.buffer.byteOffset + at, length)
  }

  /** Number of elements of an array that must not be null. */
  arrayLength(flexible: boolean): number {
    const length = this.nullableArrayLength(flexible)
    if (length < 0) throw this.#unexpectedNull('an array')
    return length
  }

  /**
   * Number of elements, -1 for null. An element takes at least one byte: a wrong number shows before anything is
   * allocated.
   */
  nullableArrayLength(flexible: boolean): number {
    const length = flexible ? this.uvarint() - 1 : this.int32()
    if (length < -1 || length > this.remaining) {
      const left = `${this.remaining} bytes are left`
      throw new ProtocolError(`an array of ${length} elements before byte ${this.position}, where ${left}`)
    }
    return length
  }

  /** Skips a section of unknown tagged fields. */
  skipTags(): void {
    for (let count = this.uvarint(); count > 0; count--) {
      this.uvarint()
      this.position = this.tagEnd()
    }
  }

  /** Reads the size of a tagged field; returns where the field ends. */
  tagEnd(): number {
    const size = this.uvarint()
    if (size > this.remaining) throw this.truncated('tagged field', size)
    return this.position + size
  }

  /** Ends a known tagged field: skips the rest of it. Throws ProtocolError if more was read. */
  endTag(end: number): void {
    if (this.position > end) throw new ProtocolError(`a tagged field runs over its size at byte ${end}`)
    this.position = end
  }

  /** @internal */
  advance(count: number, what: string): number {
    const at = this.position
    if (count > this.end - at) throw this.truncated(what, count)
    this.position = at + count
    return at
  }

  /** @internal */
  truncated(what: string, count: number): ProtocolError {
    const left = Math.max(0, this.remaining)
    return new ProtocolError(`truncated: ${what} of ${count} bytes at byte ${this.position}, where ${left} are left`)
  }

  uint8(what: string): number {
    return this.buffer[this.advance(1, what)] as number
  }

  #stringLength(flexible: boolean): number {
    const length = flexible ? this.uvarint() - 1 : this.int16()
    if (length < -1) throw new ProtocolError(`a string of negative length ${length} before byte ${this.position}`)
    return length
  }

  #text(length: number): string {
    const at = this.advance(length, 'string')
    return this.buffer.toString('utf8', at, at + length)
  }

  #wideInt64(high: number, low: number): number {
    if (high === 0x7fff_ffff && low === 0xffff_ffff) return INT64_MAX
    const value = (BigInt(high) << 32n) | BigInt(low)
    throw new ProtocolError(`int64 ${value} at byte ${this.position - 8} is beyond what a number holds exactly`)
  }

  #unexpectedNull(what: string): ProtocolError {
    return new ProtocolError(`null where ${what} must be, before byte ${this.position}`)
  }
}
