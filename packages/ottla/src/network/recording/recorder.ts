/** What a client calls with all that goes over the wire. */

/**
 * Records one client.
 * @since 0.1.0
 */
export interface WireRecorder {
  /**
   * A host name was resolved.
   * @param why what went wrong, if there are no addresses
   */
  resolved(host: string, addresses: readonly string[], why?: string): void
  /**
   * A connection is being opened.
   * @param broker `host:port`, as configured or advertised
   * @param address that of the host, without the port
   */
  connecting(broker: string, address: string): ConnectionRecorder
}

/**
 * Records one connection.
 * @since 0.1.0
 */
export interface ConnectionRecorder {
  /** The connection is open, with TLS if it has any. */
  opened(): void
  /** A frame with its size, before it is encrypted. The chunks are read before it returns. */
  sent(chunks: readonly Uint8Array[]): void
  /** A frame without its size, decrypted; nobody may change its bytes afterwards. */
  received(frame: Buffer): void
  /** A frame that is not a Kafka message: only its size is recorded. */
  unreadable(kind: 'request' | 'response', sizeBytes: number): void
  /** The connection is closed, or could not be opened. */
  closed(by: 'client' | 'broker', why: string): void
}
