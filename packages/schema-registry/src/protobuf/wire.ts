/** Protobuf's wire format, as far as descriptors need it. */
import { invalidData } from '../errors.ts'

const VARINT = 0
const FIXED64 = 1
const BYTES = 2
const FIXED32 = 5

/** Fields of a message, in the order in which they are written. */
export class FieldWriter {
  readonly #parts: Buffer[] = []

  varint(number: number, value: number): this {
    this.#parts.push(varintOf(number * 8 + VARINT), varintOf(value))
    return this
  }

  text(number: number, value: string): this {
    return this.bytes(number, Buffer.from(value, 'utf8'))
  }

  bytes(number: number, value: Uint8Array): this {
    this.#parts.push(varintOf(number * 8 + BYTES), varintOf(value.length), Buffer.from(value))
    return this
  }

  double(number: number, value: number): this {
    const bytes = Buffer.alloc(8)
    bytes.writeDoubleLE(value)
    this.#parts.push(varintOf(number * 8 + FIXED64), bytes)
    return this
  }

  message(number: number, write: (fields: FieldWriter) => void): this {
    const fields = new FieldWriter()
    write(fields)
    return this.bytes(number, fields.finished())
  }

  finished(): Buffer {
    return Buffer.concat(this.#parts)
  }
}

/** A negative number takes ten bytes, as an int32 does. */
export function varintOf(value: number): Buffer {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  bytes.push(Number(rest))
  return Buffer.from(bytes)
}

/** A field as it was read: `value` of a varint or fixed number, `bytes` of what has a length. */
export interface ReadField {
  readonly number: number
  readonly value: bigint
  readonly bytes: Buffer
}

const none = Buffer.alloc(0)

/** The fields of a message. @throws SchemaRegistryError INVALID_DATA */
export function* fieldsOf(bytes: Buffer): Generator<ReadField> {
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++]
      if (byte === undefined) throw invalidData('a descriptor ends too early')
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, value)
    }
    throw invalidData('a number of a descriptor is longer than ten bytes')
  }
  const taken = (length: bigint): Buffer => {
    if (length > BigInt(bytes.length - at)) throw invalidData('a descriptor ends too early')
    at += Number(length)
    return bytes.subarray(at - Number(length), at)
  }
  while (at < bytes.length) {
    const tag = varint()
    const number = Number(tag >> 3n)
    if (number === 0) throw invalidData('a descriptor has a field without a number')
    switch (Number(tag & 7n)) {
      case VARINT:
        yield { number, value: varint(), bytes: none }
        break
      case FIXED64: {
        const fixed = taken(8n)
        yield { number, value: fixed.readBigUInt64LE(), bytes: fixed }
        break
      }
      case BYTES:
        yield { number, value: 0n, bytes: taken(varint()) }
        break
      case FIXED32: {
        const fixed = taken(4n)
        yield { number, value: BigInt(fixed.readUInt32LE()), bytes: fixed }
        break
      }
      default:
        throw invalidData('a descriptor has a field of an unknown kind')
    }
  }
}

/** As an int32 was written. */
export function signed(value: bigint): number {
  return Number(BigInt.asIntN(32, value))
}
