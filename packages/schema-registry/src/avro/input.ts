/** Reads Avro's bytes. Hot, and for bytes of anybody: each function checks that it stays inside. */
import { invalidData } from '../errors.ts'

/** Where a reader is. `at` is written back before each call. */
export interface Input {
  bytes: Buffer
  at: number
  /** How many items without bytes (nulls, empty records) may still come: a count of them costs an attacker nothing. */
  emptyItems: number
}

export type Read = (input: Input) => unknown

const MAX_EMPTY_ITEMS = 100_000

export function inputOf(bytes: Buffer, at: number): Input {
  return { bytes, at, emptyItems: MAX_EMPTY_ITEMS }
}

const float64 = new Float64Array(1)
const float64Bytes = new Uint8Array(float64.buffer)
const float32 = new Float32Array(1)
const float32Bytes = new Uint8Array(float32.buffer)

/** What the bytes of one long were: its zigzag form in two parts of 28 and 36 bits. */
let low = 0
let high = 0

export function truncated(): never {
  throw invalidData('the data ends before its schema does')
}

/** Reads a variable-length integer into `low` and `high`. */
function varint(input: Input): void {
  const { bytes } = input
  let { at } = input
  low = 0
  high = 0
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = bytes[at++]
    if (byte === undefined) truncated()
    low |= (byte & 127) << shift
    if (byte < 128) {
      input.at = at
      return
    }
  }
  let scale = 1
  for (let i = 0; i < 6; i++) {
    const byte = bytes[at++]
    if (byte === undefined) truncated()
    high += (byte & 127) * scale
    if (byte < 128) {
      if (high > 0xf_ffff_ffff) break
      input.at = at
      return
    }
    scale *= 128
  }
  throw invalidData('an integer has more than 64 bits')
}

export function int(input: Input): number {
  varint(input)
  if (high > 15) throw invalidData('an int has more than 32 bits')
  const zigzag = (low | (high << 28)) >>> 0
  return (zigzag >>> 1) ^ -(zigzag & 1)
}

/** An integer that a number holds exactly. */
export function long(input: Input): number {
  const { bytes } = input
  let { at } = input
  // Up to eight bytes in two parts of 28 bits, which stay integers of the machine: `varint` is for what is longer.
  let first = 0
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = bytes[at++]
    if (byte === undefined) truncated()
    first |= (byte & 127) << shift
    if (byte < 128) {
      input.at = at
      return (first >>> 1) ^ -(first & 1)
    }
  }
  let second = 0
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = bytes[at++]
    if (byte === undefined) truncated()
    second |= (byte & 127) << shift
    if (byte < 128) {
      input.at = at
      return exact(first, second)
    }
  }
  varint(input)
  return exact(low, high)
}

/** @param lowBits 28 of the zigzag form, and those above them */
function exact(lowBits: number, highBits: number): number {
  const value = rounded(lowBits, highBits)
  if (Number.isSafeInteger(value)) return value
  throw invalidData("a long is beyond what a number holds exactly: read it with long: 'bigint'")
}

function rounded(lowBits: number, highBits: number): number {
  // Half of the zigzag form, exactly: 27 bits and 36 bits.
  const half = highBits * 0x800_0000 + (lowBits >>> 1)
  return (lowBits & 1) === 0 ? half : -half - 1
}

/** A long as a double, rounded where it must be, as promotions do. */
export function roundedLong(input: Input): number {
  varint(input)
  return rounded(low, high)
}

export function bigint(input: Input): bigint {
  varint(input)
  const half = high <= 0x3ff_ffff ? BigInt(high * 0x800_0000 + (low >>> 1)) : (BigInt(high) << 27n) | BigInt(low >>> 1)
  return (low & 1) === 0 ? half : -half - 1n
}

export function boolean(input: Input): boolean {
  const byte = input.bytes[input.at++]
  if (byte === 1) return true
  if (byte === 0) return false
  if (byte === undefined) truncated()
  throw invalidData('a boolean is neither 0 nor 1')
}

export function double(bytes: Buffer, at: number): number {
  if (at + 8 > bytes.length) truncated()
  float64Bytes[0] = bytes[at] as number
  float64Bytes[1] = bytes[at + 1] as number
  float64Bytes[2] = bytes[at + 2] as number
  float64Bytes[3] = bytes[at + 3] as number
  float64Bytes[4] = bytes[at + 4] as number
  float64Bytes[5] = bytes[at + 5] as number
  float64Bytes[6] = bytes[at + 6] as number
  float64Bytes[7] = bytes[at + 7] as number
  return float64[0] as number
}

export function float(bytes: Buffer, at: number): number {
  if (at + 4 > bytes.length) truncated()
  for (let i = 0; i < 4; i++) float32Bytes[i] = bytes[at + i] as number
  return float32[0] as number
}

/** The length in front of bytes and text, which must be there. */
function length(input: Input): number {
  const size = long(input)
  if (size < 0) throw invalidData('a length is negative')
  if (size > input.bytes.length - input.at) truncated()
  return size
}

export function string(input: Input): string {
  const size = length(input)
  const start = input.at
  input.at = start + size
  return input.bytes.toString('utf8', start, start + size)
}

/** A copy: the bytes of the message are not kept by it. */
export function blob(input: Input): Buffer {
  return fixed(input, length(input))
}

export function fixed(input: Input, size: number): Buffer {
  const start = input.at
  if (size > input.bytes.length - start) truncated()
  input.at = start + size
  return Buffer.from(input.bytes.subarray(start, start + size))
}

export function skip(input: Input, size: number): void {
  if (size > input.bytes.length - input.at) truncated()
  input.at += size
}

export function skipBlob(input: Input): void {
  skip(input, length(input))
}

/**
 * The next block's number of items, 0 at the end.
 * @param isEmpty whether an item may have no bytes
 */
export function blockCount(input: Input, isEmpty: boolean): number {
  let count = long(input)
  if (count < 0) {
    count = -count
    // The block's size, which only those who skip it need.
    length(input)
  }
  if (isEmpty) {
    input.emptyItems -= count
    if (input.emptyItems < 0) throw invalidData(`there are more than ${MAX_EMPTY_ITEMS} items without bytes`)
  } else if (count > input.bytes.length - input.at) truncated()
  return count
}
