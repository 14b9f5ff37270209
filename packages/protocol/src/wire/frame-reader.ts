import { FrameSizeError } from './protocol-error.ts'

/** Room for what comes before it is known how long it is: a few small answers, or the beginning of a large one. */
const LANDING_BYTES = 16 * 1024
/** Frames up to here share a slab of Node's; a larger one gets memory of its own. */
const POOLED_BYTES = 1024

/**
 * Cuts a byte stream into frames, reading into memory that it provides: the beginning of a large frame is copied, the
 * rest of it goes from the socket straight to where it stays. A frame is the receiver's own, never overwritten.
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
  // Bytes in the landing that belong to no frame yet.
  #landed = 0
  #frame: Buffer | null = null
  #filled = 0

  /** @param maxFrameBytes - a frame that claims more is refused before anything is allocated */
  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes
  }

  /** Where the next bytes have to be put; never empty. To be asked for anew after each `advance`. */
  target(): Buffer {
    if (this.#frame !== null) return this.#frame.subarray(this.#filled)
    this.#landing ??= Buffer.allocUnsafeSlow(LANDING_BYTES)
    return this.#landed === 0 ? this.#landing : this.#landing.subarray(this.#landed)
  }

  /**
   * `count` bytes were put where `target` said. Calls `onFrame` for each frame that they complete, without its size.
   * Throws FrameSizeError for a frame that is too large or of negative size; the stream is of no use afterwards.
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

  /** Takes a chunk that is somewhere else already, for sockets that cannot read into given memory. */
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
