/** Zigzag varints of records: sizes, and writers for the places that are not inlined by hand. */

/**
 * The size of `value` as a zigzag varint, in bytes.
 *
 * @param value - a 32-bit integer
 * @since 0.1.0
 */
export function varintSize(value: number): number {
  const zigzag = (value << 1) ^ (value >> 31)
  // Seven bits a byte, without a branch: for 32 bits, nine 64ths are close enough to a seventh.
  return (352 - Math.clz32(zigzag | 1) * 9) >>> 6
}

/**
 * The size of `value` as a zigzag varlong, in bytes.
 *
 * @param value - a safe integer
 * @since 0.1.0
 */
export function varlongSize(value: number): number {
  // Zigzag would double the value past 2^53; comparing the magnitude with halved bounds stays exact.
  let magnitude = value < 0 ? -1 - value : value
  let size = 1
  while (magnitude >= 0x40) {
    magnitude = Math.floor(magnitude / 0x80)
    size++
  }
  return size
}

/**
 * Writes `value` as a zigzag varint and returns the position after it. The caller ensures that there is room.
 *
 * @param value - a 32-bit integer
 * @since 0.1.0
 */
export function writeVarint(target: Uint8Array, position: number, value: number): number {
  let zigzag = ((value << 1) ^ (value >> 31)) >>> 0
  while (zigzag >= 0x80) {
    target[position++] = (zigzag & 0x7f) | 0x80
    zigzag >>>= 7
  }
  target[position++] = zigzag
  return position
}

/**
 * Writes `value` as a zigzag varlong and returns the position after it. The caller ensures that there is room.
 *
 * @param value - a safe integer
 * @since 0.1.0
 */
export function writeVarlong(target: Uint8Array, position: number, value: number): number {
  const negative = value < 0 ? 1 : 0
  const magnitude = negative === 1 ? -1 - value : value
  // The sign bit joins the lowest six bits, so that nothing is ever doubled past 2^53.
  let low = ((magnitude % 0x40) << 1) | negative
  let rest = Math.floor(magnitude / 0x40)
  while (rest > 0) {
    target[position++] = low | 0x80
    low = rest % 0x80
    rest = Math.floor(rest / 0x80)
  }
  target[position++] = low
  return position
}

/**
 * Like {@link varlongSize}, for values that a number cannot hold exactly.
 *
 * @since 0.1.0
 */
export function bigVarlongSize(value: bigint): number {
  let size = 1
  for (let rest = bigZigzag(value) >> 7n; rest > 0n; rest >>= 7n) size++
  return size
}

/**
 * Like {@link writeVarlong}, for values that a number cannot hold exactly.
 *
 * @since 0.1.0
 */
export function writeBigVarlong(target: Uint8Array, position: number, value: bigint): number {
  let rest = bigZigzag(value)
  while (rest >= 0x80n) {
    target[position++] = Number(rest & 0x7fn) | 0x80
    rest >>= 7n
  }
  target[position++] = Number(rest)
  return position
}

function bigZigzag(value: bigint): bigint {
  return BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
}
