import { FrameSizeError } from './protocol-error.ts'

/** Room for bytes of frames whose size is not known yet: a few small responses, or the beginning of a large one. */
const LANDING_BYTES = 16 * 1024
/** Frames up to this size share a slab of Node's; a larger one gets memory of its own. */
const POOLED_BYTES = 1024

/**
 * Cuts a byte stream into frames, and provides the memory to read into: only the beginning of a large frame is copied,
 * the rest is read from the socket straight into the frame. Frames belong to the receiver and are never overwritten.
 *
 * ```ts
 * const room = reader.target()
 * reader.advance(read(socket, room), onFrame)
 * ```
 * @since 0.1.0
 */
export class FrameReader {
  readonly #maxFrameBytes: number
  #landing: Buffer | null = null
  // Bytes in the landing buffer that are not in a frame yet.
  #landed = 0
  #frame: Buffer | null = null
  #filled = 0

  /** @param maxFrameBytes - a larger frame is refused before anything is allocated */
  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes
  }

  /** The memory for the next bytes; never empty. Call it again after each `advance`. */
  target(): Buffer {
    if (this.#frame !== null) return this.#frame.subarray(this.#filled)
    this.#landing ??= Buffer.allocUnsafeSlow(LANDING_BYTES)
    return this.#landed === 0 ? this.#landing : this.#landing.subarray(this.#landed)
  }

  /**
   * `count` bytes were read into `target`. Calls `onFrame` for each frame that they complete, without its size field.
   * Throws FrameSizeError for a frame that is too large or of negative size; the stream cannot be used afterwards.
   */
  advance(count: number, onFrame: (frame: Buffer) => void): void {
    if (this.#frame !== null) {
      this.#filled += count
      if (this.#filled < this.#frame.length) return
      const frame = this.#frame
      this.#frame = null
      onFrame(frame)
      return
    }
    this.#landed += count
    this.#cut(onFrame)
  }

  /** Takes a chunk in memory of its own, for sockets that cannot read into `target`. */
  push(chunk: Uint8Array, onFrame: (frame: Buffer) => void): void {
    for (let at = 0; at < chunk.length;) {
      const room = this.target()
      const count = Math.min(room.length, chunk.length - at)
      room.set(at === 0 && count === chunk.length ? chunk : chunk.subarray(at, at + count))
      at += count
      this.advance(count, onFrame)
    }
  }

  #cut(onFrame: (frame: Buffer) => void): void {
    const landing = this.#landing as Buffer // bytes have landed in it
    const end = this.#landed
    let at = 0
    while (end - at >= 4) {
      const size = landing.readInt32BE(at)
      if (size < 0 || size > this.#maxFrameBytes) {
        throw new FrameSizeError(size, this.#maxFrameBytes)
      }
      at += 4
      const frame = size <= POOLED_BYTES ? Buffer.allocUnsafe(size) : Buffer.allocUnsafeSlow(size)
      const here = Math.min(size, end - at)
      landing.copy(frame, 0, at, at + here)
      at += here
      if (here < size) {
        this.#frame = frame
        this.#filled = here
        break
      }
      onFrame(frame)
    }
    this.#landed = end - at
    if (this.#landed > 0) landing.copyWithin(0, at, end)
  }
}
