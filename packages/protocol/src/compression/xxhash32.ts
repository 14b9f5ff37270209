/** xxHash32 with seed 0, the checksum inside LZ4 frames. */

const PRIME1 = 0x9e37_79b1 | 0
const PRIME2 = 0x85eb_ca77 | 0
const PRIME3 = 0xc2b2_ae3d | 0
const PRIME4 = 0x27d4_eb2f
const PRIME5 = 0x1656_67b1

/** The hash of `data[start, end)`, an unsigned 32-bit number. */
export function xxhash32(data: Buffer, start: number, end: number): number {
  let at = start
  let hash: number
  if (end - start >= 16) {
    let a = (PRIME1 + PRIME2) | 0
    let b = PRIME2
    let c = 0
    let d = -PRIME1 | 0
    for (; at <= end - 16; at += 16) {
      a = round(a, data.readInt32LE(at))
      b = round(b, data.readInt32LE(at + 4))
      c = round(c, data.readInt32LE(at + 8))
      d = round(d, data.readInt32LE(at + 12))
    }
    hash = (rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18)) | 0
  } else {
    hash = PRIME5
  }
  hash = (hash + (end - start)) | 0
  for (; at <= end - 4; at += 4) {
    hash = Math.imul(rotate((hash + Math.imul(data.readInt32LE(at), PRIME3)) | 0, 17), PRIME4)
  }
  for (; at < end; at++) {
    hash = Math.imul(rotate((hash + Math.imul(data.readUInt8(at), PRIME5)) | 0, 11), PRIME1)
  }
  hash = Math.imul(hash ^ (hash >>> 15), PRIME2)
  hash = Math.imul(hash ^ (hash >>> 13), PRIME3)
  return (hash ^ (hash >>> 16)) >>> 0
}

function round(lane: number, input: number): number {
  return Math.imul(rotate((lane + Math.imul(input, PRIME2)) | 0, 13), PRIME1)
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}
