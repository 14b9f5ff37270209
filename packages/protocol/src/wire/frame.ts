import type { Api, ServerApi } from '../api.ts'
import { FrameSizeError } from './protocol-error.ts'
import type { Reader } from './reader.ts'
import { Writer } from './writer.ts'

/**
 * The header of a request.
 * @since 0.1.0
 */
export interface RequestHeader {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  readonly clientId: string | null
}

/**
 * Encodes a request as chunks for a gathered write, with the frame's size first. Throws ProtocolError for values that
 * cannot be encoded.
 * @since 0.1.0
 */
export function encodeRequest<Req, Res>(
  api: Api<Req, Res>,
  version: number,
  correlationId: number,
  clientId: string | null,
  body: Req,
): Uint8Array[] {
  const w = new Writer()
  w.int32(0)
  w.int16(api.key)
  w.int16(version)
  w.int32(correlationId)
  // A string with a 16-bit length in every header version.
  w.nullableString(clientId, false)
  if (version >= api.flexibleFrom) w.uvarint(0)
  api.writeRequest(w, body, version)
  return finishFrame(w)
}

/**
 * Encodes a response as chunks for a gathered write, with the frame's size first. Throws ProtocolError for values that
 * cannot be encoded.
 * @since 0.1.0
 */
export function encodeResponse<Req, Res>(
  api: ServerApi<Req, Res>,
  version: number,
  correlationId: number,
  body: Res,
): Uint8Array[] {
  const w = new Writer()
  w.int32(0)
  w.int32(correlationId)
  if (responseHeaderVersion(api, version) >= 1) w.uvarint(0)
  api.writeResponse(w, body, version)
  return finishFrame(w)
}

/**
 * Reads a request's header; the body follows. `flexibleFrom` returns the first version of an API with tagged fields.
 * Throws ProtocolError for bytes that are not a header.
 * @since 0.1.0
 */
export function readRequestHeader(r: Reader, flexibleFrom: (apiKey: number) => number): RequestHeader {
  const apiKey = r.int16()
  const apiVersion = r.int16()
  const correlationId = r.int32()
  const clientId = r.nullableString(false)
  if (apiVersion >= flexibleFrom(apiKey)) r.skipTags()
  return { apiKey, apiVersion, correlationId, clientId }
}

/**
 * Reads a response's header and returns its correlation id. Throws ProtocolError for bytes that are not a header.
 * @since 0.1.0
 */
export function readResponseHeader(
  r: Reader,
  api: { readonly key: number; readonly flexibleFrom: number },
  version: number,
): number {
  const correlationId = r.int32()
  if (responseHeaderVersion(api, version) >= 1) r.skipTags()
  return correlationId
}

const API_VERSIONS_KEY = 18

/**
 * 1 for versions with tagged fields. Always 0 for ApiVersions, so that a client can read the answer of an older broker
 * (KIP-511).
 * @since 0.1.0
 */
export function responseHeaderVersion(
  api: { readonly key: number; readonly flexibleFrom: number },
  version: number,
): number {
  return version >= api.flexibleFrom && api.key !== API_VERSIONS_KEY ? 1 : 0
}

function finishFrame(w: Writer): Uint8Array[] {
  const size = w.size - 4
  const chunks = w.finish()
  const first = chunks[0] as Uint8Array // the header was written above
  first[0] = size >> 24
  first[1] = size >> 16
  first[2] = size >> 8
  first[3] = size
  return chunks
}

/**
 * Cuts a byte stream into frames. A frame within one chunk is a view of it; one that spans chunks is assembled in a
 * buffer of its exact size.
 * @since 0.1.0
 */
export class FrameSplitter {
  readonly #maxFrameBytes: number
  readonly #sizeBytes = Buffer.alloc(4)
  #sizeFilled = 0
  #frame: Buffer | null = null
  #filled = 0

  /** @param maxFrameBytes a larger frame is refused before anything is allocated */
  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes
  }

  /** Size of the incomplete frame; 0 between frames. */
  get claimedBytes(): number {
    return this.#frame?.length ?? 0
  }

  /** Throws FrameSizeError for a frame that is too large or of negative size; the stream cannot be used afterwards. */
  push(chunk: Buffer, onFrame: (frame: Buffer) => void): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#frame !== null) {
        at = this.#continue(this.#frame, chunk, at, onFrame)
        continue
      }
      if (this.#sizeFilled === 0 && chunk.length - at >= 4) {
        const size = this.#check(chunk.readInt32BE(at))
        at += 4
        if (chunk.length - at >= size) {
          onFrame(chunk.subarray(at, at + size))
          at += size
        } else {
          this.#begin(size)
        }
        continue
      }
      this.#sizeBytes[this.#sizeFilled++] = chunk[at++] as number
      if (this.#sizeFilled < 4) continue
      this.#sizeFilled = 0
      const size = this.#check(this.#sizeBytes.readInt32BE(0))
      if (size === 0) onFrame(Buffer.alloc(0))
      else this.#begin(size)
    }
  }

  #continue(frame: Buffer, chunk: Buffer, at: number, onFrame: (frame: Buffer) => void): number {
    const count = Math.min(frame.length - this.#filled, chunk.length - at)
    chunk.copy(frame, this.#filled, at, at + count)
    this.#filled += count
    if (this.#filled === frame.length) {
      this.#frame = null
      onFrame(frame)
    }
    return at + count
  }

  #begin(size: number): void {
    this.#frame = Buffer.allocUnsafeSlow(size)
    this.#filled = 0
  }

  #check(size: number): number {
    if (size < 0 || size > this.#maxFrameBytes) {
      throw new FrameSizeError(size, this.#maxFrameBytes)
    }
    return size
  }
}
