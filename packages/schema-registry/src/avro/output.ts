/**
 * Bytes of Avro values. Hot: plain loops over one buffer.
 *
 * All functions take the position and return the next one. They write as if the buffer were endless: a typed array
 * ignores what is stored beyond its end. `encode` sees from the last position that it was too small, and writes again.
 */

/** Writes a value at a position, and returns the position behind it. */
export type Write = (value: unknown, bytes: Buffer, at: number) => number

const float64 = new Float64Array(1)
const float64Bytes = new Uint8Array(float64.buffer)
const float32 = new Float32Array(1)
const float32Bytes = new Uint8Array(float32.buffer)
const int64 = new BigInt64Array(1)
const int64Halves = new Uint32Array(int64.buffer)

const MIN_LONG = -(2n ** 63n)
const MAX_LONG = 2n ** 63n - 1n

/** Zigzag, then seven bits a byte. */
export function int(bytes: Buffer, value: number, at: number): number {
  let rest = ((value << 1) ^ (value >> 31)) >>> 0
  while (rest > 127) {
    bytes[at++] = (rest & 127) | 128
    rest >>>= 7
  }
  bytes[at++] = rest
  return at
}

/** @returns -1 for what is no integer of 64 bits, or a number that may have lost digits */
export function long(bytes: Buffer, value: unknown, at: number): number {
  if (typeof value === 'number' && (value | 0) === value) return int(bytes, value, at)
  if (typeof value === 'number') return Number.isSafeInteger(value) ? wide(bytes, value, at) : -1
  if (typeof value !== 'bigint' || value < MIN_LONG || value > MAX_LONG) return -1
  int64[0] = (value << 1n) ^ (value >> 63n)
  return halves(bytes, int64Halves[0] as number, int64Halves[1] as number, at)
}

/** A safe integer beyond 32 bits. */
function wide(bytes: Buffer, value: number, at: number): number {
  const isNegative = value < 0
  // Zigzag is 2n, or 2(-n - 1) + 1, which is beyond what a number holds: its last 28 bits are taken first.
  const magnitude = isNegative ? -value - 1 : value
  let rest = Math.floor(magnitude / 0x800_0000)
  const low = (magnitude - rest * 0x800_0000) * 2 + (isNegative ? 1 : 0)
  bytes[at++] = (low & 127) | 128
  bytes[at++] = ((low >>> 7) & 127) | 128
  bytes[at++] = ((low >>> 14) & 127) | 128
  bytes[at++] = ((low >>> 21) & 127) | 128
  while (rest > 127) {
    bytes[at++] = (rest & 127) | 128
    rest >>>= 7
  }
  bytes[at++] = rest
  return at
}

function halves(bytes: Buffer, lowHalf: number, highHalf: number, at: number): number {
  let low = lowHalf
  let high = highHalf
  while (high !== 0 || low > 127) {
    bytes[at++] = (low & 127) | 128
    low = ((low >>> 7) | (high << 25)) >>> 0
    high >>>= 7
  }
  bytes[at++] = low
  return at
}

export function double(bytes: Buffer, value: number, at: number): number {
  float64[0] = value
  bytes[at] = float64Bytes[0] as number
  bytes[at + 1] = float64Bytes[1] as number
  bytes[at + 2] = float64Bytes[2] as number
  bytes[at + 3] = float64Bytes[3] as number
  bytes[at + 4] = float64Bytes[4] as number
  bytes[at + 5] = float64Bytes[5] as number
  bytes[at + 6] = float64Bytes[6] as number
  bytes[at + 7] = float64Bytes[7] as number
  return at + 8
}

export function float(bytes: Buffer, value: number, at: number): number {
  float32[0] = value
  for (let i = 0; i < 4; i++) bytes[at + i] = float32Bytes[i] as number
  return at + 4
}

/** Up to here a loop is faster than the engine's UTF-8 writer. One byte holds such a length. */
const SHORT = 40

export function string(bytes: Buffer, value: string, at: number): number {
  const { length } = value
  if (length > SHORT || at + length * 3 >= bytes.length) return longString(bytes, value, at)
  let end = at + 1
  for (let i = 0; i < length; i++) {
    const code = value.charCodeAt(i)
    if (code < 0x80) {
      bytes[end++] = code
    } else if (code < 0x800) {
      bytes[end++] = 0xc0 | (code >>> 6)
      bytes[end++] = 0x80 | (code & 0x3f)
    } else if ((code & 0xf800) !== 0xd800) {
      bytes[end++] = 0xe0 | (code >>> 12)
      bytes[end++] = 0x80 | ((code >>> 6) & 0x3f)
      bytes[end++] = 0x80 | (code & 0x3f)
    } else return longString(bytes, value, at)
  }
  const size = end - at - 1
  if (size > 63) return longString(bytes, value, at)
  bytes[at] = size << 1
  return end
}

/** Also for surrogates, of which halves alone become U+FFFD. */
function longString(bytes: Buffer, value: string, at: number): number {
  const most = value.length * 3
  if (at + most + 5 > bytes.length) return at + most + 5
  // The length of ASCII text is guessed, and seldom wrong: then the text moves.
  const guess = sizeOf(value.length)
  const size = bytes.write(value, at + guess, 'utf8')
  const needed = sizeOf(size)
  if (needed !== guess) bytes.copyWithin(at + needed, at + guess, at + guess + size)
  return int(bytes, size, at) + size
}

/** Bytes of a length. */
function sizeOf(length: number): number {
  return length < 64 ? 1 : length < 8192 ? 2 : length < 1_048_576 ? 3 : length < 134_217_728 ? 4 : 5
}

/** Bytes with their length. */
export function blob(bytes: Buffer, value: Uint8Array, at: number): number {
  return raw(bytes, value, int(bytes, value.length, at))
}

/** Bytes without a length. */
export function raw(bytes: Buffer, value: Uint8Array, at: number): number {
  const end = at + value.length
  if (end <= bytes.length) bytes.set(value, at)
  return end
}

const SLAB_BYTES = 65_536
/** What is larger gets a buffer of its own, so that it keeps no slab. */
const OWN_BYTES = 16_384
const none = Buffer.alloc(0)

let slab = none
let used = 0

/** The value's bytes, behind those of `prefix`. */
export function encode(write: Write, value: unknown, prefix: Uint8Array): Buffer {
  let bytes = slab
  let start = used
  if (bytes.length - start < 1024) {
    bytes = Buffer.allocUnsafeSlow(SLAB_BYTES)
    start = 0
  }
  // A conversion of the application may encode, too.
  slab = none
  used = 0
  let end = start
  try {
    end = write(value, bytes, put(bytes, prefix, start))
    if (end - start <= OWN_BYTES && end > bytes.length) {
      bytes = Buffer.allocUnsafeSlow(SLAB_BYTES)
      start = 0
      end = write(value, bytes, put(bytes, prefix, 0))
    }
    if (end - start > OWN_BYTES) {
      const own = Buffer.allocUnsafeSlow(end - start)
      const size = write(value, own, put(own, prefix, 0))
      end = start
      return own.subarray(0, size)
    }
    return bytes.subarray(start, end)
  } catch (error) {
    end = start
    throw error
  } finally {
    slab = bytes
    used = end
  }
}

function put(bytes: Buffer, prefix: Uint8Array, at: number): number {
  for (let i = 0; i < prefix.length; i++) bytes[at++] = prefix[i] as number
  return at
}
