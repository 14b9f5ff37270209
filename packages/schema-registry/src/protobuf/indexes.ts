/** Which message of a file it is that follows a schema's id: the index of each message around it, and its own. */
import { invalidData } from '../errors.ts'
import { varintOf } from './wire.ts'

const MAX_DEPTH = 64
const FIRST = '0'
const first = Buffer.of(0)

/** The first message of a file is a single 0. */
export function indexBytes(indexes: readonly number[]): Buffer {
  if (indexes.length === 1 && indexes[0] === 0) return first
  return Buffer.concat([indexes.length, ...indexes].map(each => varintOf(each * 2)))
}

/** The indexes as text, `0` or `1,0,2`, and where the message's bytes begin. @throws SchemaRegistryError INVALID_DATA */
export function readIndexes(bytes: Buffer, at: number): { readonly indexes: string; readonly next: number } {
  if (bytes[at] === 0) return { indexes: FIRST, next: at + 1 }
  const count = zigzag(bytes, at)
  if (count.value < 1 || count.value > MAX_DEPTH)
    throw invalidData(`it says that ${count.value} indexes name its message`)
  const indexes: number[] = []
  let { next } = count
  for (let i = 0; i < count.value; i++) {
    const index = zigzag(bytes, next)
    if (index.value < 0) throw invalidData(`it says that the index of its message is ${index.value}`)
    indexes.push(index.value)
    ;({ next } = index)
  }
  return { indexes: indexes.join(), next }
}

function zigzag(bytes: Buffer, from: number): { readonly value: number; readonly next: number } {
  let raw = 0
  for (let i = 0; i < 5; i++) {
    const byte = bytes[from + i]
    if (byte === undefined) throw invalidData('it ends within the indexes of its message')
    raw += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return { value: raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2, next: from + i + 1 }
  }
  throw invalidData('an index of its message is longer than five bytes')
}
