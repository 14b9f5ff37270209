/**
 * Snappy in the framing of snappy-java ("xerial"): blocks after a header of sixteen bytes. Also reads the plain format,
 * which librdkafka and others write.
 */

import { compress as compressBlockJavaScript } from 'snappyjs'
import { loadNative } from '../wire/optional.ts'
import { compressionRoom } from './compression-room.ts'
import { ProtocolError } from '../wire/protocol-error.ts'
import { asBuffer } from '../wire/view.ts'
import type { CompressionCodec } from './codec.ts'
import { snappyDecodeInto, snappyDecodedLength } from './snappy-block.ts'

/** Compresses and decompresses one plain snappy block. */
export interface SnappyImplementation {
  readonly name: string
  compressBlock(data: Buffer): Uint8Array
  /** Decompresses `block` into `target` at `position`; `length` is the output size that the block claims. */
  decompressBlockInto(block: Buffer, target: Buffer, position: number, length: number): void
}

/** The header of the framing: magic bytes, version 1, readable by version 1. */
const HEADER = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])
const MAGIC_BYTES = 8
/** Bytes of plain data in one block, like Java's. */
const BLOCK_BYTES = 32 * 1024
/** No element of the format yields more than 64 bytes for 3. */
const HIGHEST_RATIO = 22

export const snappyJavaScript: SnappyImplementation = {
  name: 'javascript',
  compressBlock: compressBlockJavaScript,
  decompressBlockInto: snappyDecodeInto,
}

/** Copying the output is five times as fast as leaving native memory to the garbage collector. */
const COPY = { copyOutputData: true, asBuffer: true } as const

interface SnappyModule {
  compressSync(data: Uint8Array, options: typeof COPY): Buffer
  uncompressSync(data: Uint8Array, options: typeof COPY): Buffer
}

/** The native add-on, or null if it does not load. */
export function loadNativeSnappy(): SnappyImplementation | null {
  const native = loadNative('snappy') as SnappyModule | null // the published interface of the package
  if (typeof native?.compressSync !== 'function' || typeof native.uncompressSync !== 'function') return null
  return {
    name: 'snappy',
    compressBlock: data => native.compressSync(data, COPY),
    decompressBlockInto(block, target, position, length) {
      let plain: Buffer
      try {
        plain = native.uncompressSync(block, COPY)
      } catch (error) {
        throw new ProtocolError('snappy data is corrupt', { cause: error })
      }
      if (plain.length !== length)
        throw new ProtocolError('snappy data is corrupt: its length is not the one that it claims')
      target.set(plain, position)
    },
  }
}

let selected: SnappyImplementation | null = null

function implementation(): SnappyImplementation {
  return (selected ??= loadNativeSnappy() ?? snappyJavaScript)
}

export const snappy: CompressionCodec = {
  name: 'snappy',
  id: 2,
  minLevel: 0,
  maxLevel: 0,
  ready() {
    implementation()
    return null
  },
  compress: data => snappyCompress(implementation(), data),
  decompress: (data, maxBytes) => snappyDecompress(implementation(), data, maxBytes),
  implementation: () => implementation().name,
}

export function snappyCompress(using: SnappyImplementation, data: Uint8Array): Buffer {
  const plain = asBuffer(data)
  const blocks = Math.ceil(plain.length / BLOCK_BYTES)
  // An incompressible block grows by at most a sixth and 32 bytes.
  const target = compressionRoom(HEADER.length + plain.length + Math.ceil(plain.length / 6) + blocks * (4 + 32))
  let end = HEADER.copy(target)
  for (let start = 0; start < plain.length; start += BLOCK_BYTES) {
    const block = using.compressBlock(plain.subarray(start, start + BLOCK_BYTES))
    end = target.writeInt32BE(block.length, end)
    target.set(block, end)
    end += block.length
  }
  return target.subarray(0, end)
}

export function snappyDecompress(using: SnappyImplementation, data: Uint8Array, maxBytes: number): Buffer {
  const source = asBuffer(data)
  if (!isHeader(source, 0)) {
    const length = blockLength(source, maxBytes)
    const plain = Buffer.allocUnsafe(length)
    using.decompressBlockInto(source, plain, 0, length)
    return plain
  }
  // Adds up first: one allocation of the right size, and a decompression bomb is detected before it.
  let total = 0
  for (let at = nextBlock(source, 0); at < source.length; at = nextBlock(source, at + 4 + source.readInt32BE(at))) {
    total += blockLength(blockAt(source, at), maxBytes - total)
  }
  const plain = Buffer.allocUnsafe(total)
  let end = 0
  for (let at = nextBlock(source, 0); at < source.length; at = nextBlock(source, at + 4 + source.readInt32BE(at))) {
    const block = blockAt(source, at)
    const length = snappyDecodedLength(block)
    using.decompressBlockInto(block, plain, end, length)
    end += length
  }
  return plain
}

// Byte by byte: Deno's Buffer.compare mixes up the ranges of the two buffers.
function isHeader(source: Buffer, at: number): boolean {
  if (source.length - at < MAGIC_BYTES) return false
  for (let i = 0; i < MAGIC_BYTES; i++) if (source[at + i] !== HEADER[i]) return false
  return true
}

/** The position of the next block's length, after any headers: streams may be concatenated. */
function nextBlock(source: Buffer, at: number): number {
  while (isHeader(source, at)) {
    at += HEADER.length
  }
  if (at > source.length || (at < source.length && source.length - at < 4)) {
    throw new ProtocolError('snappy data is truncated')
  }
  return at
}

function blockAt(source: Buffer, at: number): Buffer {
  const length = source.readInt32BE(at)
  if (length < 1 || length > source.length - at - 4) {
    throw new ProtocolError(`snappy data is corrupt: a block of ${length} bytes does not fit in it`)
  }
  return source.subarray(at + 4, at + 4 + length)
}

/** The output size that `block` claims, if it is possible and allowed. */
function blockLength(block: Buffer, maxBytes: number): number {
  const length = snappyDecodedLength(block)
  if (length > block.length * HIGHEST_RATIO) {
    throw new ProtocolError(`snappy data is corrupt: ${block.length} bytes cannot decompress to ${length}`)
  }
  if (length > maxBytes) throw new ProtocolError(`snappy data decompresses to more than the limit allows`)
  return length
}
