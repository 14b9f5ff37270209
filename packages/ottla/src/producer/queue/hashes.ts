/** The hash functions of the partitioners. Each takes the first `length` bytes of `bytes`. */

const crc32Table = new Uint32Array(256)
for (let i = 0; i < 256; i++) {
  let c = i
  for (let bit = 0; bit < 8; bit++) c = (c & 1) === 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1
  crc32Table[i] = c >>> 0
}

/** CRC-32 as in zlib (not the CRC-32C of record batches); unsigned 32 bits. */
export function crc32(bytes: Uint8Array, length: number): number {
  let c = -1
  for (let i = 0; i < length; i++) {
    // Both indexes are in range: i < length, and the table has an entry for every byte.
    c = (crc32Table[(c ^ (bytes[i] as number)) & 0xff] as number) ^ (c >>> 8)
  }
  return ~c >>> 0
}

const MURMUR_SEED = 0x9747b28c
const MURMUR_FACTOR = 0x5bd1e995

/**
 * MurmurHash2 with the seed of Kafka's Java client; signed 32 bits, as there. That client puts a key into the partition
 * `(murmur2(key, key.length) & 0x7fffffff) % partitionCount`, as `partitioner=murmur2` does.
 * @param length how many of the bytes count
 * @since 0.1.0
 */
export function murmur2(bytes: Uint8Array, length: number): number {
  let h = MURMUR_SEED ^ length
  const whole = length & ~3
  for (let i = 0; i < whole; i += 4) {
    // i + 3 < whole <= length
    let k =
      (bytes[i] as number) |
      ((bytes[i + 1] as number) << 8) |
      ((bytes[i + 2] as number) << 16) |
      ((bytes[i + 3] as number) << 24)
    k = Math.imul(k, MURMUR_FACTOR)
    k ^= k >>> 24
    k = Math.imul(k, MURMUR_FACTOR)
    h = Math.imul(h, MURMUR_FACTOR) ^ k
  }
  const rest = length - whole
  if (rest > 0) {
    // whole + rest - 1 < length
    if (rest > 2) h ^= (bytes[whole + 2] as number) << 16
    if (rest > 1) h ^= (bytes[whole + 1] as number) << 8
    h ^= bytes[whole] as number
    h = Math.imul(h, MURMUR_FACTOR)
  }
  h ^= h >>> 13
  h = Math.imul(h, MURMUR_FACTOR)
  return h ^ (h >>> 15)
}

/** FNV-1a like Sarama's default partitioner: the absolute value of the signed 32-bit hash. */
export function fnv1a(bytes: Uint8Array, length: number): number {
  let h = 0x811c9dc5 | 0
  for (let i = 0; i < length; i++) h = Math.imul(h ^ (bytes[i] as number), 0x01000193) // i < length
  return Math.abs(h)
}
