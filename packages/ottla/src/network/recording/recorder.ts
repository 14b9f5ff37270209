/** Who is told what goes over the wire. */

/**
 * Of one client.
 * @since 0.1.0
 */
export interface WireRecorder {
  /** @param why what went wrong, if there are no addresses */
  resolved(host: string, addresses: readonly string[], why?: string): void
  /**
   * A connection is being opened.
   * @param broker `host:port`, as configured or advertised
   */
  connecting(broker: string, address: string): ConnectionRecorder
}

/**
 * Of one connection.
 * @since 0.1.0
 */
export interface ConnectionRecorder {
  opened(): void
  /** A frame with its size, before it is encrypted. What it reads of the chunks it reads at once. */
  sent(chunks: readonly Uint8Array[]): void
  /** A frame without its size, which nobody changes. */
  received(frame: Buffer): void
  /** A frame that is no message of Kafka: only its size is recorded. */
  unreadable(kind: 'request' | 'response', sizeBytes: number): void
  /** The connection is closed, or could not be opened. */
  closed(by: 'client' | 'broker', why: string): void
}
