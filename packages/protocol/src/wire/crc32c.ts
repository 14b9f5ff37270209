/** CRC-32C (Castagnoli), the checksum of record batches: native if it loads, else slicing-by-8. */

import { loadNative } from './optional.ts'

/** A CRC-32C of `data`, continued from `previous`. */
type Crc32c = (data: Uint8Array, previous: number) => number

/**
 * CRC-32C of `data[start, end)`, an unsigned 32-bit number. Nothing is copied.
 *
 * @param previous - the checksum of the preceding bytes, to continue from
 * @since 0.1.0
 */
export function crc32c(data: Uint8Array, start = 0, end = data.length, previous = 0): number {
  const part = start === 0 && end === data.length ? data : data.subarray(start, end)
  return (selected ??= select())(part, previous)
}

/**
 * The implementation of CRC-32C in use: `@node-rs/crc32` or `javascript`.
 *
 * @since 0.1.0
 */
export function crc32cImplementation(): string {
  selected ??= select()
  return selected === crc32cJavaScript ? 'javascript' : '@node-rs/crc32'
}

/**
 * The native function, or null if it does not load.
 *
 * @internal
 */
export function loadNativeCrc32c(): Crc32c | null {
  const native = loadNative('@node-rs/crc32') as { crc32c?: Crc32c } | null // shape is tested on the next line
  const candidate = native?.crc32c
  // A wrong checksum would make every batch look corrupt: test it once with the standard check value.
  return typeof candidate === 'function' && candidate(Buffer.from('123456789'), 0) === 0xe306_9283 ? candidate : null
}

let selected: Crc32c | null = null

function select(): Crc32c {
  return loadNativeCrc32c() ?? crc32cJavaScript
}

let tables: Int32Array | null = null

/** Eight tables of 256 in a row: table k advances a byte by k further zero bytes. */
function makeTables(): Int32Array {
  const made = new Int32Array(8 * 256)
  for (let n = 0; n < 256; n++) {
    let crc = n
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f6_3b78 : crc >>> 1
    made[n] = crc
  }
  for (let k = 1; k < 8; k++) {
    for (let n = 0; n < 256; n++) {
      const before = made[(k - 1) * 256 + n] as number // inside the table
      made[k * 256 + n] = (before >>> 8) ^ (made[before & 0xff] as number) // inside the table
    }
  }
  return made
}

/**
 * The JavaScript implementation.
 *
 * @internal
 */
export function crc32cJavaScript(data: Uint8Array, previous: number): number {
  const table = (tables ??= makeTables())
  const length = data.length
  const whole = length - (length % 8)
  let crc = ~previous
  let i = 0
  // Every index below is inside `data` or a table: `as number` only tells the compiler so.
  for (; i < whole; i += 8) {
    crc ^=
      (data[i] as number) |
      ((data[i + 1] as number) << 8) |
      ((data[i + 2] as number) << 16) |
      ((data[i + 3] as number) << 24)
    crc =
      (table[0x700 + (crc & 0xff)] as number) ^
      (table[0x600 + ((crc >>> 8) & 0xff)] as number) ^
      (table[0x500 + ((crc >>> 16) & 0xff)] as number) ^
      (table[0x400 + (crc >>> 24)] as number) ^
      (table[0x300 + (data[i + 4] as number)] as number) ^
      (table[0x200 + (data[i + 5] as number)] as number) ^
      (table[0x100 + (data[i + 6] as number)] as number) ^
      (table[data[i + 7] as number] as number)
  }
  for (; i < length; i++) crc = (crc >>> 8) ^ (table[(crc ^ (data[i] as number)) & 0xff] as number)
  return ~crc >>> 0
}
