/** LZ4 in its frame format, with the same frames as Java's client: independent blocks of 64 KiB, no checksums. */

import { loadNative } from '../wire/optional.ts'
import { compressionRoom } from './compression-room.ts'
import { ProtocolError } from '../wire/protocol-error.ts'
import { asBuffer } from '../wire/view.ts'
import type { CompressionCodec } from './codec.ts'
import { levelWithin } from './level.ts'
import { lz4BlockBound, lz4DecodeInto, lz4EncodeInto, lz4EncodeThoroughlyInto } from './lz4-block.ts'
import { xxhash32 } from './xxhash32.ts'

/** The native add-on's functions for one block, which follows its uncompressed length in four bytes. */
export interface Lz4Native {
  compressSync(data: Buffer): Buffer
  uncompressSync(data: Buffer): Buffer
}

const MAGIC = 0x184d_2204
const SKIPPABLE_MAGIC = 0x184d_2a50
/** Version 1, independent blocks. */
const FLAGS = 0x60
/** Blocks of 64 KiB. */
const BLOCK_DESCRIPTOR = 0x40
const BLOCK_BYTES = 64 * 1024
/** The frame's checksum of the two bytes above. */
const HEADER_CHECKSUM = 0x82
const STORED_BIT = 0x8000_0000
/** No sequence yields more than this many bytes per byte. */
const HIGHEST_RATIO = 255
/** From this level on, like in LZ4's own library, compression takes time to find longer matches. */
const FIRST_THOROUGH_LEVEL = 3

/** The native add-on, or null if it does not load. */
export function loadNativeLz4(): Lz4Native | null {
  const native = loadNative('lz4-napi') as Lz4Native | null // the published interface of the package
  if (typeof native?.compressSync !== 'function' || typeof native.uncompressSync !== 'function') return null
  return native
}

let selected: Lz4Native | null | undefined

function native(): Lz4Native | null {
  if (selected === undefined) selected = loadNativeLz4()
  return selected
}

export const lz4: CompressionCodec = {
  name: 'lz4',
  id: 3,
  minLevel: 0,
  maxLevel: 12,
  ready() {
    native()
    return null
  },
  compress: (data, level = -1) => lz4Compress(native(), data, levelWithin(lz4, level, 0)),
  decompress: (data, maxBytes) => lz4Decompress(native(), data, maxBytes),
  implementation: () => (native() === null ? 'javascript' : 'lz4-napi'),
}

export function lz4Compress(using: Lz4Native | null, data: Uint8Array, level: number): Buffer {
  const plain = asBuffer(data)
  const blocks = Math.ceil(plain.length / BLOCK_BYTES)
  const target = compressionRoom(7 + plain.length + 4 * blocks + 4)
  target.writeUInt32LE(MAGIC, 0)
  target[4] = FLAGS
  target[5] = BLOCK_DESCRIPTOR
  target[6] = HEADER_CHECKSUM
  let position = 7
  for (let start = 0; start < plain.length; start += BLOCK_BYTES) {
    const end = Math.min(start + BLOCK_BYTES, plain.length)
    // A block that does not get smaller is stored uncompressed, so the output never needs more room.
    let blockEnd = compressBlock(using, plain, start, end, target, position + 4, level)
    let mark = blockEnd - position - 4
    if (blockEnd < 0) {
      blockEnd = position + 4 + plain.copy(target, position + 4, start, end)
      mark = end - start + STORED_BIT
    }
    target.writeUInt32LE(mark, position)
    position = blockEnd
  }
  position = target.writeUInt32LE(0, position)
  return target.subarray(0, position)
}

/** Writes one compressed block and returns the position after it; -1 if it is not smaller than the plain one. */
function compressBlock(
  using: Lz4Native | null,
  plain: Buffer,
  start: number,
  end: number,
  target: Buffer,
  position: number,
  level: number,
): number {
  const limit = position + end - start - 1
  if (level >= FIRST_THOROUGH_LEVEL) {
    return lz4EncodeThoroughlyInto(plain, start, end, target, position, limit, 1 << (level - 1))
  }
  if (using === null) return lz4EncodeInto(plain, start, end, target, position, limit)
  const block = using.compressSync(plain.subarray(start, end))
  if (position + block.length - 4 > limit) return -1
  return position + block.copy(target, position, 4)
}

/** One frame's header. */
interface Frame {
  readonly hasLinkedBlocks: boolean
  readonly hasBlockChecksums: boolean
  readonly hasContentChecksum: boolean
  /** -1 if the frame does not have it. */
  readonly contentBytes: number
  readonly blockBytes: number
  /** Where the first block begins. */
  readonly start: number
}

export function lz4Decompress(using: Lz4Native | null, data: Uint8Array, maxBytes: number): Buffer {
  const source = asBuffer(data)
  const bound = decodedBound(source)
  const target = Buffer.allocUnsafe(Math.min(bound, maxBytes))
  let end = 0
  for (let at = 0; at < source.length;) {
    const frame = readFrame(source, at)
    if (frame === null) {
      at = skipFrame(source, at)
      continue
    }
    const frameStart = end
    at = frame.start
    for (;;) {
      const mark = readUInt32(source, at)
      at += 4
      if (mark === 0) break
      const size = mark % STORED_BIT
      const limit = Math.min(end + frame.blockBytes, target.length)
      const blockEnd =
        mark >= STORED_BIT
          ? store(source, at, size, target, end, limit)
          : decompressBlock(using, frame, source, at, size, target, end, limit, frameStart)
      if (blockEnd < 0) {
        if (limit < end + frame.blockBytes && bound > maxBytes) {
          throw new ProtocolError(`lz4 data decompresses to more than ${maxBytes} bytes`)
        }
        throw new ProtocolError('lz4 data is corrupt: a block is larger than its frame allows')
      }
      end = blockEnd
      at += size + (frame.hasBlockChecksums ? 4 : 0)
    }
    if (frame.contentBytes >= 0 && frame.contentBytes !== end - frameStart) {
      throw new ProtocolError('lz4 data is corrupt: its length is not the one that it claims')
    }
    if (frame.hasContentChecksum) {
      if (readUInt32(source, at) !== xxhash32(target, frameStart, end)) {
        throw new ProtocolError('lz4 data is corrupt: the checksum does not match')
      }
      at += 4
    }
  }
  // Views of messages keep this memory alive: do not retain memory allocated in excess.
  return end < target.length / 2 ? Buffer.from(target.subarray(0, end)) : target.subarray(0, end)
}

/** Adds up the largest possible output of the blocks, and checks that they are complete. */
function decodedBound(source: Buffer): number {
  let bound = 0
  if (source.length === 0) throw new ProtocolError('lz4 data is truncated')
  for (let at = 0; at < source.length;) {
    const frame = readFrame(source, at)
    if (frame === null) {
      at = skipFrame(source, at)
      continue
    }
    at = frame.start
    for (;;) {
      const mark = readUInt32(source, at)
      at += 4
      if (mark === 0) break
      const size = mark % STORED_BIT
      if (size === 0 || size > source.length - at || size > frame.blockBytes) {
        throw new ProtocolError(`lz4 data is corrupt: a block of ${size} bytes does not fit in it`)
      }
      bound += mark >= STORED_BIT ? size : Math.min(frame.blockBytes, size * HIGHEST_RATIO)
      at += size + (frame.hasBlockChecksums ? 4 : 0)
    }
    if (frame.hasContentChecksum) at += 4
  }
  return bound
}

/** Null for a skippable frame. */
function readFrame(source: Buffer, start: number): Frame | null {
  const magic = readUInt32(source, start)
  if ((magic & 0xffff_fff0) >>> 0 === SKIPPABLE_MAGIC) return null
  if (magic !== MAGIC) throw new ProtocolError('lz4 data is corrupt: it does not begin with a frame')
  if (source.length - start < 7) throw new ProtocolError('lz4 data is truncated')
  const flags = source.readUInt8(start + 4)
  const descriptor = source.readUInt8(start + 5)
  if ((flags & 0xc3) !== 0x40) throw new ProtocolError(`lz4 frame with flags ${flags}, which are not supported`)
  const blockCode = (descriptor >>> 4) & 7
  if (blockCode < 4) throw new ProtocolError(`lz4 frame with block size code ${blockCode}, which is unknown`)
  const hasContentSize = (flags & 0x08) !== 0
  const checksumAt = start + 6 + (hasContentSize ? 8 : 0)
  if (checksumAt >= source.length) throw new ProtocolError('lz4 data is truncated')
  const checksum = source.readUInt8(checksumAt)
  // Kafka up to 0.9 included the magic bytes in this checksum (KAFKA-3160): old logs still have such frames.
  if (
    checksum !== ((xxhash32(source, start + 4, checksumAt) >>> 8) & 0xff) &&
    checksum !== ((xxhash32(source, start, checksumAt) >>> 8) & 0xff)
  ) {
    throw new ProtocolError("lz4 data is corrupt: the checksum of a frame's header does not match")
  }
  return {
    hasLinkedBlocks: (flags & 0x20) === 0,
    hasBlockChecksums: (flags & 0x10) !== 0,
    hasContentChecksum: (flags & 0x04) !== 0,
    contentBytes: hasContentSize
      ? source.readUInt32LE(start + 6) + source.readUInt32LE(start + 10) * 0x1_0000_0000
      : -1,
    blockBytes: 1 << (8 + 2 * blockCode),
    start: checksumAt + 1,
  }
}

function skipFrame(source: Buffer, start: number): number {
  const end = start + 8 + readUInt32(source, start + 4)
  if (end > source.length) throw new ProtocolError('lz4 data is truncated')
  return end
}

function store(source: Buffer, at: number, size: number, target: Buffer, position: number, limit: number): number {
  if (size > limit - position) return -1
  return position + source.copy(target, position, at, at + size)
}

/** Decompresses one block and returns the position after it; -1 if there is not enough room. */
function decompressBlock(
  using: Lz4Native | null,
  frame: Frame,
  source: Buffer,
  at: number,
  size: number,
  target: Buffer,
  position: number,
  limit: number,
  frameStart: number,
): number {
  const room = limit - position
  // The add-on cannot report "too large", and does not know earlier blocks.
  if (using === null || frame.hasLinkedBlocks || room < Math.min(frame.blockBytes, size * HIGHEST_RATIO)) {
    const history = frame.hasLinkedBlocks ? frameStart : position
    return lz4DecodeInto(source, at, at + size, target, position, history, limit)
  }
  return nativeBlock(using, source, at, size, target, position, room)
}

let scratch = Buffer.alloc(0)

function nativeBlock(
  using: Lz4Native,
  source: Buffer,
  at: number,
  size: number,
  target: Buffer,
  position: number,
  room: number,
): number {
  if (scratch.length < size + 4) scratch = Buffer.allocUnsafeSlow(lz4BlockBound(Math.max(size, BLOCK_BYTES)) + 4)
  scratch.writeUInt32LE(Math.min(room, size * HIGHEST_RATIO), 0)
  source.copy(scratch, 4, at, at + size)
  let plain: Buffer
  try {
    plain = using.uncompressSync(scratch.subarray(0, size + 4))
  } catch (error) {
    throw new ProtocolError('lz4 data is corrupt', { cause: error })
  }
  target.set(plain, position)
  return position + plain.length
}

function readUInt32(source: Buffer, at: number): number {
  if (at + 4 > source.length) throw new ProtocolError('lz4 data is truncated')
  return source.readUInt32LE(at)
}
