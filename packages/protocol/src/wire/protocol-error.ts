/**
 * Bytes from a peer that break Kafka's protocol: cut off, out of range, corrupt or larger than allowed.
 * The message names what was being read and where.
 *
 * @since 0.1.0
 */
export class ProtocolError extends Error {
  override readonly name: string = 'ProtocolError'
}

/**
 * A frame that claims to be larger than allowed, or smaller than nothing: nearly always not Kafka's protocol at all.
 * @since 0.1.0
 */
export class FrameSizeError extends ProtocolError {
  /** What the first four bytes say, as a signed number. */
  readonly bytes: number

  constructor(bytes: number, maxFrameBytes: number) {
    super(`a frame of ${bytes} bytes, where ${maxFrameBytes} is the limit`)
    this.bytes = bytes
  }
}
