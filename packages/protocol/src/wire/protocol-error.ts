/**
 * Bytes from a peer that violate Kafka's protocol: truncated, out of range, corrupt or larger than allowed.
 * The message names what was being read and where.
 *
 * @since 0.1.0
 */
export class ProtocolError extends Error {
  override readonly name: string = 'ProtocolError'
}

/**
 * A frame with a size beyond the limit, or a negative one: nearly always not Kafka's protocol at all.
 * @since 0.1.0
 */
export class FrameSizeError extends ProtocolError {
  /** The size in the frame's first four bytes, as a signed number. */
  readonly bytes: number

  constructor(bytes: number, maxFrameBytes: number) {
    super(`a frame of ${bytes} bytes, the limit is ${maxFrameBytes}`)
    this.bytes = bytes
  }
}
