/**
 * Decoder of plain snappy blocks, used if the native add-on does not load. The npm libraries trust the lengths in the
 * data, which a peer could use to hang the process.
 */

import { ProtocolError } from '../wire/protocol-error.ts'

/** Up to this size, a loop is faster than a native call. */
const SHORT_BYTES = 24

/**
 * The decompressed length that a block claims.
 *
 * @throws ProtocolError if there is none
 */
export function snappyDecodedLength(block: Uint8Array): number {
  let length = 0
  for (let i = 0; i < 5; i++) {
    const byte = block[i]
    if (byte === undefined) break
    length += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return length
  }
  throw new ProtocolError('snappy data is corrupt: it does not begin with a length')
}

/**
 * Decodes a block into `target` at `position`; `length` is the size of its whole output.
 *
 * @throws ProtocolError if the block is corrupt or has another number of bytes
 */
export function snappyDecodeInto(block: Uint8Array, target: Uint8Array, position: number, length: number): void {
  const inEnd = block.length
  const outStart = position
  const outEnd = position + length
  let at = 0
  // Every index below is checked against the ends before it is used: `as number` only tells the compiler so.
  while ((block[at++] as number) >= 0x80);
  while (at < inEnd) {
    const tag = block[at++] as number
    let size: number
    if ((tag & 3) === 0) {
      size = (tag >>> 2) + 1
      if (size > 60) {
        const bytes = size - 60
        if (at + bytes > inEnd) throw corrupt()
        size = 1
        for (let i = 0; i < bytes; i++) size += (block[at + i] as number) * 2 ** (8 * i)
        at += bytes
      }
      if (size > inEnd - at || size > outEnd - position) throw corrupt()
      if (size > SHORT_BYTES) target.set(block.subarray(at, at + size), position)
      else for (let i = 0; i < size; i++) target[position + i] = block[at + i] as number
      at += size
      position += size
      continue
    }
    let distance: number
    if ((tag & 3) === 1) {
      if (at + 1 > inEnd) throw corrupt()
      size = ((tag >>> 2) & 7) + 4
      distance = ((tag >>> 5) << 8) | (block[at] as number)
      at += 1
    } else if ((tag & 3) === 2) {
      if (at + 2 > inEnd) throw corrupt()
      size = (tag >>> 2) + 1
      distance = (block[at] as number) | ((block[at + 1] as number) << 8)
      at += 2
    } else {
      if (at + 4 > inEnd) throw corrupt()
      size = (tag >>> 2) + 1
      distance =
        (block[at] as number) +
        (block[at + 1] as number) * 0x100 +
        (block[at + 2] as number) * 0x1_0000 +
        (block[at + 3] as number) * 0x100_0000
      at += 4
    }
    if (distance === 0 || distance > position - outStart || size > outEnd - position) throw corrupt()
    if (size > SHORT_BYTES && distance >= size) {
      target.copyWithin(position, position - distance, position - distance + size)
    } else {
      for (let i = 0; i < size; i++) target[position + i] = target[position + i - distance] as number
    }
    position += size
  }
  if (position !== outEnd) throw corrupt()
}

function corrupt(): ProtocolError {
  return new ProtocolError('snappy data is corrupt')
}
