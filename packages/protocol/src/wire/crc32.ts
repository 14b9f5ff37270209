/** CRC-32 (zlib's), the checksum of message sets before Kafka 0.11. */

import { zlib } from './zlib.ts'

/**
 * CRC-32 of `data[start, end)`, an unsigned 32-bit number.
 *
 * @since 0.1.0
 */
export function crc32(data: Uint8Array, start: number, end: number): number {
  const part = data.subarray(start, end)
  // Node has it from 20.15 and 22.2 on; the types may lack it.
  const native = (zlib() as { crc32?: (data: Uint8Array, previous?: number) => number }).crc32
  return native === undefined ? crc32JavaScript(part) : native(part)
}

let table: Int32Array | null = null

function makeTable(): Int32Array {
  const made = new Int32Array(256)
  for (let n = 0; n < 256; n++) {
    let crc = n
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb8_8320 : crc >>> 1
    made[n] = crc
  }
  return made
}

/** @internal the fallback for Node without zlib.crc32 */
export function crc32JavaScript(data: Uint8Array): number {
  const steps = (table ??= makeTable())
  let crc = ~0
  for (const byte of data) crc = (crc >>> 8) ^ (steps[(crc ^ byte) & 0xff] as number) // inside the table
  return ~crc >>> 0
}
