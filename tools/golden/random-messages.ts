/** Random values for every message and version, in the JSON form of Kafka's own converters. */
import { intersect, isEmpty, type Field, type Message, type Struct } from '../codegen/spec.ts'

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

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

  #struct(struct: Struct, version: number): Json {
    const value: { [key: string]: Json } = {}
    for (const field of struct.fields) {
      const range = intersect(field.versions, struct.versions)
      if (isEmpty(range) || version < range.from || version > range.to) continue
      const isTagged = version >= field.tagged.from && version <= field.tagged.to
      if (isTagged && this.#random() < 0.4) continue
      value[field.name] = this.#field(field, version)
    }
    return value
  }

  #field(field: Field, version: number): Json {
    const nullable = version >= field.nullable.from && version <= field.nullable.to
    if (nullable && this.#random() < 0.25) return null
    if (!field.isArray) return this.#one(field, version)
    return Array.from({ length: this.#below(4) }, () => this.#one(field, version))
  }

  #one({ type }: Field, version: number): Json {
    if (type.kind === 'struct') {
      const struct = this.#message.structs.get(type.name)
      if (struct === undefined) throw new Error(`there is no ${type.name}`)
      return this.#struct(struct, version)
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

  #integer(limit: number): number {
    const pick = this.#random()
    if (pick < 0.1) return -limit
    return pick < 0.2 ? limit - 1 : Math.floor((this.#random() * 2 - 1) * limit)
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  #bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.#below(256)))
  }
}
