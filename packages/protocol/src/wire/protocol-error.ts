/**
 * Bytes from a peer that break Kafka's protocol: cut off, out of range, corrupt or larger than allowed.
 * The message names what was being read and where.
 *
 * @since 0.1.0
 */
export class ProtocolError extends Error {
  override readonly name: string = 'ProtocolError'
}
