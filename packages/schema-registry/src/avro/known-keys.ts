/** Keys of maps, which are the same in most messages: text that was read before is taken again. */
import { shortTextReader, type ShortText } from './short-text.ts'

const SLOTS = 64

/** What a map's reader remembers: a key for each hash. */
export type KnownKeys = string[]

export function noKeys(): KnownKeys {
  return new Array<string>(SLOTS).fill('')
}

/** @returns a reader of keys of up to SHORT_TEXT bytes, all of which must be inside */
export function keyReader(): (known: KnownKeys, ...key: Parameters<ShortText>) => string {
  const shortText = shortTextReader()
  return (known, bytes, at, size) => {
    if (size === 0) return ''
    const slot = (size * 7 + (bytes[at] as number) * 5 + (bytes[at + size - 1] as number)) % SLOTS
    const key = known[slot] as string
    if (key.length === size && isAt(bytes, at, key)) return key
    const text = shortText(bytes, at, size)
    // As many characters as bytes: none of them is beyond ASCII, but those in place of what is no UTF-8.
    if (text.length === size) known[slot] = text
    return text
  }
}

function isAt(bytes: Buffer, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false
  return true
}
