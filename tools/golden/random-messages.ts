/** Random values for every message and version, in the JSON form of Kafka's own converters. */
import { intersect, isEmpty, type Field, type Message, type Struct, type Versions } from '../codegen/spec.ts'

export type Json = null | boolean | number | bigint | string | Json[] | { [key: string]: Json }

/** Numbers in [0, 1) that a seed determines. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0 || 1
  return () => {
    state ^= state << 13
    state >>>= 0
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state / 2 ** 32
  }
}

const texts = ['', 'a', 'orders', 'grüße-漢字-😀', 'x'.repeat(130), 'two\nlines "quoted"']

const identities = [-1n, 0n, 2n ** 31n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)]

export class RandomMessages {
  readonly #random: () => number
  readonly #message: Message

  constructor(message: Message, random: () => number) {
    this.#message = message
    this.#random = random
  }

  /** A value that the version can carry. */
  make(version: number): Json {
    return this.#struct(this.#message.root, version)
  }

  /** The least that the version can carry: null, else empty, else zero; no tagged fields. */
  bare(version: number): Json {
    return this.#bareStruct(this.#message.root, version)
  }

  #bareStruct(struct: Struct, version: number): Json {
    const value: { [key: string]: Json } = {}
    for (const field of struct.fields) {
      const range = intersect(field.versions, struct.versions)
      if (isEmpty(range) || !within(version, range) || within(version, field.tagged)) continue
      value[field.name] = within(version, field.nullable) ? null : field.isArray ? [] : this.#bareValue(field, version)
    }
    return value
  }

  #bareValue({ type }: Field, version: number): Json {
    if (type.kind === 'struct') return this.#bareStruct(this.#structNamed(type.name), version)
    switch (type.name) {
      case 'bool':
        return false
      case 'uuid':
        return 'A'.repeat(22)
      case 'string':
      case 'bytes':
      case 'records':
        return ''
      case 'int8':
      case 'int16':
      case 'uint16':
      case 'int32':
      case 'uint32':
      case 'int64':
      case 'identity':
      case 'time':
      case 'float64':
        return 0
      default:
        return type satisfies never
    }
  }

  #struct(struct: Struct, version: number): Json {
    const value: { [key: string]: Json } = {}
    for (const field of struct.fields) {
      const range = intersect(field.versions, struct.versions)
      if (isEmpty(range) || !within(version, range)) continue
      if (within(version, field.tagged) && this.#random() < 0.4) continue
      value[field.name] = this.#field(field, version)
    }
    return value
  }

  #field(field: Field, version: number): Json {
    if (within(version, field.nullable) && this.#random() < 0.25) return null
    if (!field.isArray) return this.#one(field, version)
    // Now and then a length of two bytes as a varint.
    const length = field.type.kind === 'primitive' && this.#random() < 0.05 ? 130 : this.#below(4)
    return Array.from({ length }, () => this.#one(field, version))
  }

  #one({ type }: Field, version: number): Json {
    if (type.kind === 'struct') {
      return this.#struct(this.#structNamed(type.name), version)
    }
    switch (type.name) {
      case 'bool':
        return this.#random() < 0.5
      case 'int8':
        return this.#integer(2 ** 7)
      case 'int16':
        return this.#integer(2 ** 15)
      case 'uint16':
        return this.#below(2 ** 16)
      case 'int32':
        return this.#integer(2 ** 31)
      case 'uint32':
        return this.#below(2 ** 32)
      case 'int64':
        return this.#random() < 0.2 ? -1 : Math.floor((this.#random() * 2 - 1) * Number.MAX_SAFE_INTEGER)
      case 'identity':
        return this.#identity()
      case 'time':
        return this.#time()
      case 'float64':
        return this.#random() * 1e6
      case 'uuid':
        return this.#bytes(16).toString('base64url')
      case 'string':
        return texts[this.#below(texts.length)] ?? ''
      case 'bytes':
      case 'records':
        return this.#bytes(this.#random() < 0.2 ? 200 : this.#below(20)).toString('base64')
      default:
        return type satisfies never
    }
  }

  #structNamed(name: string): Struct {
    const struct = this.#message.structs.get(name)
    if (struct === undefined) throw new Error(`there is no ${name}`)
    return struct
  }

  #integer(limit: number): number {
    const pick = this.#random()
    if (pick < 0.1) return -limit
    return pick < 0.2 ? limit - 1 : Math.floor((this.#random() * 2 - 1) * limit)
  }

  // Of every size, and each of them where a double would lose digits.
  #identity(): bigint {
    const pick = this.#below(identities.length + 4)
    return identities[pick] ?? BigInt.asIntN(64, this.#bytes(8).readBigUInt64BE())
  }

  // Beyond 2^53 only what a double holds, so that reading it gives the same again.
  #time(): number | bigint {
    const pick = this.#random()
    if (pick < 0.2) return -1
    if (pick < 0.3) return 1_700_000_000_000_000_000n
    if (pick < 0.4) return BigInt(Math.floor((this.#random() * 2 - 1) * 2 ** 63))
    return Math.floor((this.#random() * 2 - 1) * Number.MAX_SAFE_INTEGER)
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  #bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.#below(256)))
  }
}

function within(version: number, range: Versions): boolean {
  return version >= range.from && version <= range.to
}
