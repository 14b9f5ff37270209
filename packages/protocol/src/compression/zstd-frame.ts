/** Reads the outline of a Zstandard frame (RFC 8878): its length and its largest possible output. */

import { ProtocolError } from '../wire/protocol-error.ts'

/** The result of {@link readZstdFrame}. */
export interface ZstdFrame {
  /** Where the frame ends. */
  readonly end: number
  readonly isSkippable: boolean
  /** The output size that the frame claims; -1 if it does not have it. */
  readonly contentBytes: number
  /** The largest possible output of its blocks. */
  readonly mostBytes: number
}

const MAGIC = 0xfd2f_b528
const SKIPPABLE_MAGIC = 0x184d_2a50
const LARGEST_BLOCK = 128 * 1024
const BLOCK_RLE = 1
const BLOCK_COMPRESSED = 2

/**
 * Reads the outline of the frame at `start`.
 *
 * @throws ProtocolError if it is not a complete frame
 */
export function readZstdFrame(source: Buffer, start: number): ZstdFrame {
  const magic = read(source, start, 4)
  if ((magic & 0xffff_fff0) >>> 0 === SKIPPABLE_MAGIC) {
    const end = start + 8 + read(source, start + 4, 4)
    if (end > source.length) throw cutOff()
    return { end, isSkippable: true, contentBytes: 0, mostBytes: 0 }
  }
  if (magic !== MAGIC) throw new ProtocolError('zstd data is corrupt: it does not begin with a frame')
  const descriptor = read(source, start + 4, 1)
  const isSingleSegment = (descriptor & 0x20) !== 0
  const hasChecksum = (descriptor & 0x04) !== 0
  const dictionaryIdBytes = [0, 1, 2, 4][descriptor & 3] ?? 0
  const contentSizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >>> 6] ?? 0
  let at = start + 5 + (isSingleSegment ? 0 : 1) + dictionaryIdBytes
  let contentBytes = -1
  if (contentSizeBytes > 0) {
    // The two-byte form starts at 256, where the one-byte form ends.
    contentBytes = read(source, at, contentSizeBytes) + (contentSizeBytes === 2 ? 256 : 0)
    at += contentSizeBytes
  }
  let mostBytes = 0
  for (let isLast = false; !isLast;) {
    const header = read(source, at, 3)
    at += 3
    isLast = (header & 1) === 1
    const type = (header >>> 1) & 3
    const size = header >>> 3
    if (type > BLOCK_COMPRESSED || size > LARGEST_BLOCK)
      throw new ProtocolError('zstd data is corrupt: an impossible block')
    mostBytes += type === BLOCK_COMPRESSED ? LARGEST_BLOCK : size
    at += type === BLOCK_RLE ? 1 : size
    if (at > source.length) throw cutOff()
  }
  const end = at + (hasChecksum ? 4 : 0)
  if (end > source.length) throw cutOff()
  return { end, isSkippable: false, contentBytes, mostBytes }
}

/** A little-endian number of up to eight bytes, rounded above 2^53. */
function read(source: Buffer, at: number, bytes: number): number {
  if (at + bytes > source.length) throw cutOff()
  let value = 0
  for (let i = bytes - 1; i >= 0; i--) value = value * 0x100 + source.readUInt8(at + i)
  return value
}

function cutOff(): ProtocolError {
  return new ProtocolError('zstd data is truncated')
}
