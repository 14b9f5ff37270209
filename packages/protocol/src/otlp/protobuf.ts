/** As much of Protocol Buffers as OTLP needs: fields of a message, written and read. Metrics are few: clarity wins. */
import { ProtocolError } from '../wire/protocol-error.ts'

/** How a field is encoded. */
const VARINT = 0
const FIXED64 = 1
const BYTES = 2
const FIXED32 = 5

const MOST_VARINT_BYTES = 10

/** Collects the fields of one message. */
export class MessageWriter {
  readonly #chunks: Uint8Array[] = []

  /** A field of whole numbers, in two's complement; a safe integer. */
  int(field: number, value: number): this {
    this.#varint(BigInt((field << 3) | VARINT))
    return this.#varint(BigInt.asUintN(64, BigInt(value)))
  }

  bool(field: number, value: boolean): this {
    return this.int(field, value ? 1 : 0)
  }

  double(field: number, value: number): this {
    return this.#fixed64(field, view => view.setFloat64(0, value, true))
  }

  /** `fixed64` and `sfixed64`. */
  fixed64(field: number, value: bigint): this {
    return this.#fixed64(field, view => view.setBigInt64(0, value, true))
  }

  /** As proto3 has it: an empty text is left out. */
  text(field: number, value: string): this {
    return value === '' ? this : this.bytes(field, Buffer.from(value))
  }

  message(field: number, message: MessageWriter): this {
    return this.bytes(field, message.finish())
  }

  bytes(field: number, value: Uint8Array): this {
    this.#varint(BigInt((field << 3) | BYTES))
    this.#varint(BigInt(value.length))
    this.#chunks.push(value)
    return this
  }

  finish(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  #fixed64(field: number, write: (view: DataView) => void): this {
    this.#varint(BigInt((field << 3) | FIXED64))
    const bytes = new Uint8Array(8)
    write(new DataView(bytes.buffer))
    this.#chunks.push(bytes)
    return this
  }

  #varint(value: bigint): this {
    const bytes: number[] = []
    let rest = value
    for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
    bytes.push(Number(rest))
    this.#chunks.push(Uint8Array.from(bytes))
    return this
  }
}

/** One field of a message. */
export type Field =
  | { readonly number: number; readonly type: 'bytes'; readonly bytes: Uint8Array }
  /** A varint, or eight bytes as they are. */
  | { readonly number: number; readonly type: 'int' | 'fixed64'; readonly bits: bigint }

/**
 * The fields of a message, in the order in which they come.
 * @throws ProtocolError if it is not one
 */
export function* fieldsOf(message: Uint8Array): Iterable<Field> {
  const view = new DataView(message.buffer, message.byteOffset, message.length)
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let i = 0; i < MOST_VARINT_BYTES; i++) {
      const byte = message[at++]
      if (byte === undefined) throw new ProtocolError('a Protocol Buffers message ends within a number')
      value |= BigInt(byte & 0x7f) << BigInt(7 * i)
      if (byte < 0x80) return BigInt.asUintN(64, value)
    }
    throw new ProtocolError('a number in a Protocol Buffers message has too many bytes')
  }
  const skip = (length: number): number => {
    const from = at
    at += length
    if (at > message.length) throw new ProtocolError('a Protocol Buffers message ends within a field')
    return from
  }
  while (at < message.length) {
    const tag = Number(varint())
    const number = tag >>> 3
    switch (tag & 7) {
      case VARINT:
        yield { number, type: 'int', bits: varint() }
        break
      case FIXED64: {
        const from = skip(8)
        yield { number, type: 'fixed64', bits: view.getBigUint64(from, true) }
        break
      }
      case BYTES: {
        const length = Number(varint())
        const from = skip(length)
        yield { number, type: 'bytes', bytes: message.subarray(from, at) }
        break
      }
      case FIXED32:
        skip(4)
        break
      default:
        throw new ProtocolError(`a field of a Protocol Buffers message has the unknown type ${tag & 7}`)
    }
  }
}

/** Eight bytes as a floating-point number. */
export function doubleOf(bits: bigint): number {
  const view = new DataView(new ArrayBuffer(8))
  view.setBigUint64(0, bits)
  return view.getFloat64(0)
}
