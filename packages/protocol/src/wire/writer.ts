import { ProtocolError } from './protocol-error.ts'
import { INT64_MAX, ZERO_UUID } from './reader.ts'

const TWO_32 = 0x1_0000_0000
// Up to this size, a copy is cheaper than another chunk for the socket to gather.
const COPIED_BYTES = 4096

/**
 * Record data to send: referenced, unless it is small enough that a copy is cheaper.
 * @since 0.1.0
 */
export type RecordsInput = Uint8Array | readonly Uint8Array[] | null

/**
 * A growing buffer for one message. Large pieces (records) are referenced rather than copied, so the result is a list
 * of chunks for one gathered write; do not change them before they are written.
 * @since 0.1.0
 */
export class Writer {
  #buffer: Buffer
  #position = 0
  // Where the part of the buffer begins that is not in a chunk yet.
  #start = 0
  #flushed = 0
  readonly #chunks: Uint8Array[] = []

  constructor(capacity = 512) {
    this.#buffer = Buffer.allocUnsafe(capacity)
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#flushed + this.#position - this.#start
  }

  /**
   * This and the next ones, down to uint32, throw ProtocolError for values out of range and NaN; fractions are cut off.
   */
  int8(value: number): void {
    if (!(value >= -0x80 && value <= 0x7f)) throw outOfRange('int8', value)
    this.#fit(1)
    this.#buffer[this.#position++] = value
  }

  bool(value: boolean): void {
    this.int8(value ? 1 : 0)
  }

  int16(value: number): void {
    if (!(value >= -0x8000 && value <= 0x7fff)) throw outOfRange('int16', value)
    this.#put16(value)
  }

  uint16(value: number): void {
    if (!(value >= 0 && value <= 0xffff)) throw outOfRange('uint16', value)
    this.#put16(value)
  }

  int32(value: number): void {
    if (!(value >= -0x8000_0000 && value <= 0x7fff_ffff)) throw outOfRange('int32', value)
    this.#put32(value)
  }

  uint32(value: number): void {
    if (!(value >= 0 && value <= 0xffff_ffff)) throw outOfRange('uint32', value)
    this.#put32(value)
  }

  /** A count. Throws ProtocolError for anything but a safe integer or INT64_MAX. */
  int64(value: number): void {
    if (!Number.isSafeInteger(value)) {
      if (value !== INT64_MAX) throw new ProtocolError(`${value} is not an integer that a number holds exactly`)
      this.#put32(0x7fff_ffff)
      this.#put32(-1)
      return
    }
    this.#put32(Math.floor(value / TWO_32))
    this.#put32(value)
  }

  /** Throws ProtocolError for more than 64 bits. */
  identity(value: bigint): void {
    if (BigInt.asIntN(64, value) !== value) throw new ProtocolError(`${value} is not an int64`)
    this.#fit(8)
    this.#position = this.#buffer.writeBigInt64BE(value, this.#position)
  }

  /** A number out of an int64's range becomes its nearest bound. Throws ProtocolError for fractions and NaN. */
  time(value: number): void {
    if (Number.isSafeInteger(value)) {
      this.#put32(Math.floor(value / TWO_32))
      this.#put32(value)
      return
    }
    this.identity(wideTime(value))
  }

  float64(value: number): void {
    this.#fit(8)
    this.#buffer.writeDoubleBE(value, this.#position)
    this.#position += 8
  }

  uuid(value: string): void {
    this.#fit(16)
    if (value === ZERO_UUID) {
      this.#buffer.fill(0, this.#position, this.#position + 16)
    } else if (value.length !== 22 || this.#buffer.write(value, this.#position, 16, 'base64url') !== 16) {
      throw new ProtocolError(`'${value}' is not a topic id: it takes 22 characters of base64url`)
    }
    this.#position += 16
  }

  uvarint(value: number): void {
    this.#fit(5)
    let rest = value
    while (rest > 0x7f) {
      this.#buffer[this.#position++] = (rest & 0x7f) | 0x80
      rest = Math.floor(rest / 128)
    }
    this.#buffer[this.#position++] = rest
  }

  string(value: string, flexible: boolean): void {
    const length = Buffer.byteLength(value)
    if (flexible) this.uvarint(length + 1)
    else if (length > 0x7fff) throw new ProtocolError(`a string of ${length} bytes, the limit is 32767`)
    else this.int16(length)
    this.#fit(length)
    this.#buffer.write(value, this.#position, length, 'utf8')
    this.#position += length
  }

  nullableString(value: string | null, flexible: boolean): void {
    if (value !== null) this.string(value, flexible)
    else if (flexible) this.uvarint(0)
    else this.int16(-1)
  }

  bytes(value: Uint8Array, flexible: boolean): void {
    if (flexible) this.uvarint(value.length + 1)
    else this.int32(value.length)
    this.raw(value)
  }

  nullableBytes(value: Uint8Array | null, flexible: boolean): void {
    if (value !== null) this.bytes(value, flexible)
    else if (flexible) this.uvarint(0)
    else this.int32(-1)
  }

  /** Writes the length, then adds the record data as chunks of the result. */
  records(value: RecordsInput, flexible: boolean): void {
    if (value === null) {
      this.nullableBytes(null, flexible)
      return
    }
    if (value instanceof Uint8Array) {
      if (flexible) this.uvarint(value.length + 1)
      else this.int32(value.length)
      this.#reference(value)
      return
    }
    let length = 0
    for (let i = 0; i < value.length; i++) length += (value[i] as Uint8Array).length
    if (flexible) this.uvarint(length + 1)
    else this.int32(length)
    for (let i = 0; i < value.length; i++) this.#reference(value[i] as Uint8Array)
  }

  arrayLength(length: number, flexible: boolean): void {
    if (flexible) this.uvarint(length + 1)
    else this.int32(length)
  }

  /** A null array. */
  nullArray(flexible: boolean): void {
    if (flexible) this.uvarint(0)
    else this.int32(-1)
  }

  /** One tagged field, its content written to a writer of its own. */
  tag(tag: number, content: Writer): void {
    this.uvarint(tag)
    this.uvarint(content.size)
    this.append(content)
  }

  /** Appends the content of another writer, which must not be used afterwards. */
  append(content: Writer): void {
    for (const chunk of content.finish()) this.raw(chunk)
  }

  raw(bytes: Uint8Array): void {
    this.#fit(bytes.length)
    this.#buffer.set(bytes, this.#position)
    this.#position += bytes.length
  }

  /** The chunks of the message. The writer must not be used afterwards. */
  finish(): Uint8Array[] {
    this.#flush()
    return this.#chunks
  }

  /** The message in one piece, copied if necessary. */
  toBuffer(): Buffer {
    const chunks = this.finish()
    const first = chunks[0]
    if (first === undefined) return Buffer.alloc(0)
    return chunks.length === 1 ? (first as Buffer) : Buffer.concat(chunks)
  }

  #put16(value: number): void {
    this.#fit(2)
    const b = this.#buffer
    b[this.#position] = value >> 8
    b[this.#position + 1] = value
    this.#position += 2
  }

  #put32(value: number): void {
    this.#fit(4)
    const b = this.#buffer
    const at = this.#position
    b[at] = value >> 24
    b[at + 1] = value >> 16
    b[at + 2] = value >> 8
    b[at + 3] = value
    this.#position = at + 4
  }

  #reference(bytes: Uint8Array): void {
    if (bytes.length <= COPIED_BYTES) {
      this.raw(bytes)
      return
    }
    this.#flush()
    this.#chunks.push(bytes)
    this.#flushed += bytes.length
  }

  #flush(): void {
    if (this.#position === this.#start) return
    this.#chunks.push(this.#buffer.subarray(this.#start, this.#position))
    this.#flushed += this.#position - this.#start
    this.#start = this.#position
  }

  #fit(count: number): void {
    if (this.#position + count <= this.#buffer.length) return
    const pending = this.#position - this.#start
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, pending + count))
    this.#buffer.copy(grown, 0, this.#start, this.#position)
    this.#buffer = grown
    this.#start = 0
    this.#position = pending
  }
}

function outOfRange(type: string, value: number): ProtocolError {
  return new ProtocolError(`${value} is not a valid ${type}`)
}

// Every double beyond 2^53 is an integer.
function wideTime(value: number): bigint {
  if (value >= INT64_MAX) return 0x7fff_ffff_ffff_ffffn
  if (value <= -INT64_MAX) return -0x8000_0000_0000_0000n
  if (!Number.isInteger(value)) throw new ProtocolError(`${value} is not a time in whole milliseconds`)
  return BigInt(value)
}
