/** The number of different values and keys; message i has number i mod POOL. */
export const POOL = 1000

const ALPHABET = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')
const TEXT = Buffer.from('the quick brown fox jumps over the lazy dog; pack my box with five dozen liquor jugs. ')
const SEED = 0x9e3779b9

/**
 * The values that every client of the side-by-side benchmark sends, byte for byte. Half of each does not compress
 * (xorshift32 over 64 letters), half does (a sentence), and byte 0 identifies the value.
 */
export function makeValues(size: number): Buffer[] {
  const values: Buffer[] = []
  let state = SEED | 0
  for (let number = 0; number < POOL; number++) {
    const value = Buffer.alloc(size)
    const half = size >> 1
    for (let at = 0; at < half; at++) {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      value[at] = ALPHABET[state & 63] ?? 0
    }
    for (let at = half; at < size; at++) value[at] = TEXT[(number * 7 + at) % TEXT.length] ?? 0
    if (size > 0) value[0] = firstByte(number)
    values.push(value)
  }
  return values
}

/** `key-000` to `key-999`. */
export function makeKeys(): Buffer[] {
  return Array.from({ length: POOL }, (_, number) => Buffer.from(`key-${String(number).padStart(3, '0')}`))
}

/** The sum of the first bytes of messages 0 to count-1. */
export function checksum(count: number): number {
  let sum = 0
  for (let number = 0; number < POOL; number++) {
    const times = Math.floor(count / POOL) + (number < count % POOL ? 1 : 0)
    sum += times * firstByte(number)
  }
  return sum
}

function firstByte(number: number): number {
  return 33 + (number % 90)
}
