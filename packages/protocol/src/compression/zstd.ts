/** Zstandard: node:zlib from Node 22.15 on, else WebAssembly, which `ready()` loads. */

import { loadPackage } from '../wire/optional.ts'
import { ProtocolError } from '../wire/protocol-error.ts'
import { asBuffer } from '../wire/view.ts'
import { zlib } from '../wire/zlib.ts'
import type { CompressionCodec } from './codec.ts'
import { levelWithin } from './level.ts'
import { inflateLimited } from './zlib-limit.ts'
import { readZstdFrame, type ZstdFrame } from './zstd-frame.ts'

/** The default of zstd itself. */
const STANDARD_LEVEL = 3

/** The part of node:zlib that Node 20 lacks. */
interface ZlibZstd {
  zstdCompress(
    data: Uint8Array,
    options: { params: Record<number, number>; pledgedSrcSize: number },
    done: (error: Error | null, compressed: Buffer) => void,
  ): void
  zstdCompressSync(data: Uint8Array, options: { params: Record<number, number> }): Buffer
  zstdDecompressSync: (data: Uint8Array, options: { maxOutputLength: number }) => Buffer
  constants: { ZSTD_c_compressionLevel: number }
}

/** The part of `@bokuweb/zstd-wasm` that is used. */
export interface ZstdWasm {
  init(): Promise<void>
  compress(data: Uint8Array, level: number): Uint8Array
  /** `defaultHeapSize` is the room for the output, unless the frame has its size. */
  decompress(data: Uint8Array, options: { defaultHeapSize: number }): Uint8Array
}

/** Limit of the WebAssembly module's memory for one output. */
const WASM_LIMIT_BYTES = 512 * 1024 * 1024

let found: ZlibZstd | null | undefined

function builtIn(): ZlibZstd | null {
  // The types are those of a Node version without it.
  if (found === undefined) found = 'zstdCompressSync' in zlib() ? (zlib() as unknown as ZlibZstd) : null
  return found
}

let wasm: ZstdWasm | null = null
let loading: Promise<void> | null = null
let failure: Error | null = null

export const zstd: CompressionCodec = {
  name: 'zstd',
  id: 4,
  minLevel: 1,
  maxLevel: 22,
  ready() {
    if (builtIn() !== null || wasm !== null) return null
    return (loading ??= loadZstdWasm().then(
      loaded => {
        wasm = loaded
      },
      (error: unknown) => {
        loading = null
        failure = error as Error // of loadZstdWasm
        throw error
      },
    ))
  },
  compress(data, level = -1) {
    const allowed = levelWithin(zstd, level, STANDARD_LEVEL)
    const own = builtIn()
    if (own === null) return asBuffer(loadedWasm().compress(data, allowed))
    return own.zstdCompressSync(data, { params: { [own.constants.ZSTD_c_compressionLevel]: allowed } })
  },
  get compressBeside() {
    const own = builtIn()
    return own === null ? undefined : (data: Uint8Array, level = -1) => compressByZlib(own, data, level)
  },
  decompress(data, maxBytes) {
    const own = builtIn()
    return own === null ? decompressByWasm(loadedWasm(), data, maxBytes) : decompressByZlib(own, data, maxBytes)
  },
  implementation: () => (builtIn() === null ? '@bokuweb/zstd-wasm' : 'node:zlib'),
}

function compressByZlib(using: ZlibZstd, data: Uint8Array, level: number): Promise<Buffer> {
  const params = { [using.constants.ZSTD_c_compressionLevel]: levelWithin(zstd, level, STANDARD_LEVEL) }
  // node:zlib uses a stream, which picks parameters for an unknown length unless it gets the size.
  const options = { params, pledgedSrcSize: data.length }
  return new Promise((resolve, reject) => {
    using.zstdCompress(data, options, (error, compressed) => {
      if (error === null) resolve(compressed)
      else reject(error)
    })
  })
}

/** Loads the WebAssembly implementation. Rejects with an Error if the package is missing. */
export async function loadZstdWasm(): Promise<ZstdWasm> {
  let loaded: ZstdWasm
  try {
    loaded = loadPackage('@bokuweb/zstd-wasm') as ZstdWasm // the published interface of the package
  } catch (error) {
    const why =
      'zstd needs Node.js 22.15 or later, or the package @bokuweb/zstd-wasm, which is not there: `npm install @bokuweb/zstd-wasm` where the program runs (bundlers leave it out)'
    throw new Error(why, { cause: error })
  }
  await loaded.init()
  return loaded
}

function loadedWasm(): ZstdWasm {
  if (wasm === null) throw failure ?? new Error('zstd is not loaded yet: await its ready() first')
  return wasm
}

/** Decompresses one frame into at most `room` bytes. */
type DecompressFrame = (frame: Buffer, outline: ZstdFrame, room: number) => Buffer

/** Frame by frame: node:zlib ignores what follows the first one, and some versions accept a truncated one. */
function decompressFrames(decompress: DecompressFrame, data: Uint8Array, maxBytes: number): Buffer {
  const source = asBuffer(data)
  const parts: Buffer[] = []
  let total = 0
  for (let at = 0; at < source.length;) {
    const outline = readZstdFrame(source, at)
    const frame = source.subarray(at, outline.end)
    at = outline.end
    if (outline.isSkippable) continue
    if (outline.contentBytes > outline.mostBytes) {
      throw new ProtocolError('zstd data is corrupt: its length is not the one that it claims')
    }
    if (outline.contentBytes > maxBytes - total) throw tooLarge(maxBytes)
    const plain = decompress(frame, outline, maxBytes - total)
    total += plain.length
    parts.push(plain)
  }
  const only = parts[0]
  return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts, total)
}

/** Decompression with the WebAssembly implementation. */
export function decompressByWasm(using: ZstdWasm, data: Uint8Array, maxBytes: number): Buffer {
  const decompress: DecompressFrame = (frame, outline, room) => {
    const allowed = Math.min(room, WASM_LIMIT_BYTES)
    // A frame without its size gets room for the largest output of its blocks, within the limit.
    const heap = outline.contentBytes >= 0 ? outline.contentBytes : Math.min(outline.mostBytes, allowed)
    if (heap > allowed) throw tooLarge(allowed)
    try {
      return asBuffer(using.decompress(frame, { defaultHeapSize: heap }))
    } catch (error) {
      // -70 is zstd's "destination too small"; the package has it only in its message.
      if (heap < outline.mostBytes && String(error).includes('-70')) throw tooLarge(allowed)
      throw new ProtocolError('zstd data is corrupt', { cause: error })
    }
  }
  return decompressFrames(decompress, data, maxBytes)
}

function decompressByZlib(using: ZlibZstd, data: Uint8Array, maxBytes: number): Buffer {
  return decompressFrames(
    (frame, _, room) => inflateLimited('zstd', using.zstdDecompressSync, frame, room),
    data,
    maxBytes,
  )
}

function tooLarge(maxBytes: number): ProtocolError {
  return new ProtocolError(`zstd data decompresses to more than ${maxBytes} bytes`)
}
