/**
 * The hash by which kafkajs 1.x chose partitions: MurmurHash2 as it comes out if the products are floating-point numbers,
 * and if a last group of fewer than four bytes is hashed like a whole one first. Topics written by it need it for ever.
 */

const SEED = 0x9747b28c
const FACTOR = 0x5bd1e995

/** @returns 32 bits, signed */
export function legacyHash(key: Buffer): number {
  const { length } = key
  const at = (i: number): number => key[i] ?? 0
  let h = SEED ^ length
  for (let i = 0; i < length; i += 4) {
    let k = at(i) + (at(i + 1) << 8) + (at(i + 2) << 16) + (at(i + 3) << 24)
    k *= FACTOR
    k ^= k >>> 24
    k *= FACTOR
    h *= FACTOR
    h ^= k
  }
  const tail = length & ~3
  const rest = length - tail
  if (rest === 3) h ^= at(tail + 2) << 16
  if (rest >= 2) h ^= at(tail + 1) << 8
  if (rest >= 1) {
    h ^= at(tail)
    h *= FACTOR
  }
  h ^= h >>> 13
  h *= FACTOR
  h ^= h >>> 15
  return h
}
