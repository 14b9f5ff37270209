/** LZ4 blocks in JavaScript: used if the native add-on does not load, for high levels and for linked blocks. */

import { ProtocolError } from '../wire/protocol-error.ts'

/** A match is at least this long, and the last bytes of a block are always literals. */
const MINIMUM_MATCH = 4
const LAST_LITERALS = 5
/** No match begins in the last twelve bytes. */
const MATCH_LIMIT = 12
const FARTHEST = 0xffff
/** Up to this size, a loop is faster than a native call. */
const SHORT_BYTES = 24

/** The largest compressed size of `length` bytes. */
export function lz4BlockBound(length: number): number {
  return length + Math.floor(length / 255) + 16
}

/**
 * Decodes one block into `target` at `position` and returns the position after it.
 *
 * @param outStart - the earliest position for matches: the block's start, or the frame's for linked blocks
 * @param outEnd - the limit of the block's output
 * @returns -1 if it needs more room than that
 * @throws ProtocolError if the block is corrupt
 */
export function lz4DecodeInto(
  source: Uint8Array,
  at: number,
  inEnd: number,
  target: Uint8Array,
  position: number,
  outStart: number,
  outEnd: number,
): number {
  // Every index below is checked against the ends before it is used: `as number` only tells the compiler so.
  while (at < inEnd) {
    const token = source[at++] as number
    let size = token >>> 4
    if (size === 15) {
      let more = 255
      while (more === 255) {
        if (at >= inEnd) throw corrupt()
        more = source[at++] as number
        size += more
      }
    }
    if (size > inEnd - at) throw corrupt()
    if (size > outEnd - position) return -1
    if (size > SHORT_BYTES) target.set(source.subarray(at, at + size), position)
    else for (let i = 0; i < size; i++) target[position + i] = source[at + i] as number
    at += size
    position += size
    if (at === inEnd) return position // the last sequence has literals only

    if (inEnd - at < 2) throw corrupt()
    const distance = (source[at] as number) | ((source[at + 1] as number) << 8)
    at += 2
    size = (token & 15) + MINIMUM_MATCH
    if (size === 15 + MINIMUM_MATCH) {
      let more = 255
      while (more === 255) {
        if (at >= inEnd) throw corrupt()
        more = source[at++] as number
        size += more
      }
    }
    if (distance === 0 || distance > position - outStart) throw corrupt()
    if (size > outEnd - position) return -1
    if (size > SHORT_BYTES && distance >= size) {
      target.copyWithin(position, position - distance, position - distance + size)
    } else if (size > SHORT_BYTES && distance === 1) {
      target.fill(target[position - 1] as number, position, position + size)
    } else {
      for (let i = 0; i < size; i++) target[position + i] = target[position + i - distance] as number
    }
    position += size
  }
  throw corrupt() // a block ends with literals, so it cannot be empty or end in a match
}

const HASH_BITS = 14
/** Where each hash was last seen; positions keep counting over all blocks, so that it is not cleared for each. */
const lastSeen = new Int32Array(1 << HASH_BITS)
/** The count of position 0 of the current block. */
let origin = 1
const ORIGIN_LIMIT = 0x4000_0000

/**
 * Compresses `source[start, end)`, at most 4 MiB, into `target` at `position` and returns the position after it; -1 if
 * it would exceed `limit`.
 */
export function lz4EncodeInto(
  source: Buffer,
  start: number,
  end: number,
  target: Buffer,
  position: number,
  limit: number,
): number {
  if (origin > ORIGIN_LIMIT) {
    lastSeen.fill(0)
    origin = 1
  }
  const base = origin - start
  origin += end - start
  const matchLimit = end - MATCH_LIMIT
  let anchor = start
  let at = start
  let misses = 1 << 6
  while (at <= matchLimit) {
    const word = read32(source, at)
    const slot = Math.imul(word, 0x9e37_79b1) >>> (32 - HASH_BITS)
    const candidate = (lastSeen[slot] as number) - base // the slot has HASH_BITS bits
    lastSeen[slot] = at + base
    if (candidate < start || at - candidate > FARTHEST || read32(source, candidate) !== word) {
      // The longer nothing matches, the larger the steps: noise is skipped quickly.
      at += misses++ >>> 6
      continue
    }
    misses = 1 << 6
    let matchStart = at
    let candidateStart = candidate
    while (matchStart > anchor && candidateStart > start && source[matchStart - 1] === source[candidateStart - 1]) {
      matchStart--
      candidateStart--
    }
    const matchEnd = extendMatch(source, candidate + MINIMUM_MATCH, at + MINIMUM_MATCH, end - LAST_LITERALS)
    position = writeSequence(
      source,
      anchor,
      matchStart,
      matchStart - candidateStart,
      matchEnd - matchStart,
      target,
      position,
      limit,
    )
    if (position < 0) return -1
    at = matchEnd
    anchor = at
    if (at <= matchLimit) {
      lastSeen[Math.imul(read32(source, at - 2), 0x9e37_79b1) >>> (32 - HASH_BITS)] = at - 2 + base
    }
  }
  return writeLiterals(source, anchor, end, target, position, limit)
}

const CHAIN_HASH_BITS = 15
const CHAIN_SLOTS = 1 << 16

/**
 * Like {@link lz4EncodeInto}, but tries up to `attempts` earlier positions for each match, and looks one byte ahead for
 * a longer one.
 */
export function lz4EncodeThoroughlyInto(
  source: Buffer,
  start: number,
  end: number,
  target: Buffer,
  position: number,
  limit: number,
  attempts: number,
): number {
  const search = new ChainSearch(source, start, end, attempts)
  const matchLimit = end - MATCH_LIMIT
  let anchor = start
  let at = start
  while (at <= matchLimit) {
    let length = search.longest(at)
    if (length < MINIMUM_MATCH) {
      at++
      continue
    }
    let candidate = search.candidate
    while (at + 1 <= matchLimit) {
      const later = search.longest(at + 1)
      if (later <= length + 1) break
      at++
      length = later
      candidate = search.candidate
    }
    position = writeSequence(source, anchor, at, at - candidate, length, target, position, limit)
    if (position < 0) return -1
    at += length
    anchor = at
  }
  return writeLiterals(source, anchor, end, target, position, limit)
}

/** Chains of positions with equal hashes. */
class ChainSearch {
  /** Where the last match begins. */
  candidate = 0
  readonly #heads = new Int32Array(1 << CHAIN_HASH_BITS).fill(-1)
  readonly #previous = new Int32Array(CHAIN_SLOTS)
  readonly #source: Buffer
  readonly #end: number
  readonly #attempts: number
  #inserted: number

  constructor(source: Buffer, start: number, end: number, attempts: number) {
    this.#source = source
    this.#end = end
    this.#attempts = attempts
    this.#inserted = start
  }

  /** Length of the longest match for the bytes at `at`; 0 if there is none. */
  longest(at: number): number {
    const source = this.#source
    const heads = this.#heads
    const previous = this.#previous
    for (; this.#inserted < at; this.#inserted++) {
      const slot = Math.imul(read32(source, this.#inserted), 0x9e37_79b1) >>> (32 - CHAIN_HASH_BITS)
      previous[this.#inserted % CHAIN_SLOTS] = heads[slot] as number // the slot has CHAIN_HASH_BITS bits
      heads[slot] = this.#inserted
    }
    const word = read32(source, at)
    const limit = this.#end - LAST_LITERALS
    let best = 0
    let candidate = heads[Math.imul(word, 0x9e37_79b1) >>> (32 - CHAIN_HASH_BITS)] as number // as above
    for (let left = this.#attempts; left > 0 && candidate >= 0 && at - candidate <= FARTHEST; left--) {
      if (source[candidate + best] === source[at + best] && read32(source, candidate) === word) {
        const length = extendMatch(source, candidate + MINIMUM_MATCH, at + MINIMUM_MATCH, limit) - at
        if (length > best) {
          best = length
          this.candidate = candidate
        }
      }
      const next = previous[candidate % CHAIN_SLOTS] as number // inside the table
      if (next >= candidate) break // a later position has overwritten the slot
      candidate = next
    }
    return best
  }
}

function extendMatch(source: Buffer, earlier: number, later: number, limit: number): number {
  while (later < limit && source[earlier] === source[later]) {
    earlier++
    later++
  }
  return later
}

function writeSequence(
  source: Buffer,
  anchor: number,
  matchStart: number,
  distance: number,
  length: number,
  target: Buffer,
  position: number,
  limit: number,
): number {
  const literals = matchStart - anchor
  const rest = length - MINIMUM_MATCH
  if (position + 1 + literals + Math.floor(literals / 255) + 1 + 2 + Math.floor(rest / 255) + 1 > limit) return -1
  target[position] = (Math.min(literals, 15) << 4) | Math.min(rest, 15)
  position = writeMore(target, position + 1, literals)
  if (literals > SHORT_BYTES) source.copy(target, position, anchor, matchStart)
  else for (let i = 0; i < literals; i++) target[position + i] = source[anchor + i] as number // inside the source
  position += literals
  target[position] = distance & 0xff
  target[position + 1] = distance >>> 8
  return writeMore(target, position + 2, rest)
}

function writeLiterals(
  source: Buffer,
  anchor: number,
  end: number,
  target: Buffer,
  position: number,
  limit: number,
): number {
  const literals = end - anchor
  if (position + 1 + literals + Math.floor(literals / 255) + 1 > limit) return -1
  target[position] = Math.min(literals, 15) << 4
  position = writeMore(target, position + 1, literals)
  source.copy(target, position, anchor, end)
  return position + literals
}

/** Writes the part of a length that does not fit in the token. */
function writeMore(target: Buffer, position: number, length: number): number {
  if (length < 15) return position
  let more = length - 15
  for (; more >= 255; more -= 255) target[position++] = 255
  target[position++] = more
  return position
}

function read32(source: Buffer, at: number): number {
  // The callers stay four bytes away from the end.
  return (
    (source[at] as number) |
    ((source[at + 1] as number) << 8) |
    ((source[at + 2] as number) << 16) |
    ((source[at + 3] as number) << 24)
  )
}

function corrupt(): ProtocolError {
  return new ProtocolError('lz4 data is corrupt')
}
