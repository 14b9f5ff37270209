/**
 * One authentication exchange: the client sends the first token, then answers the broker's until the exchange is
 * complete.
 * @since 0.1.0
 */
export interface SaslExchange {
  /** The first token. */
  start(): Promise<Buffer> | Buffer
  /**
   * The answer to a broker's token, or null if the exchange is complete. Throws KafkaError ERR__AUTHENTICATION on a bad
   * token.
   */
  next(challenge: Buffer): Promise<Buffer | null> | Buffer | null
}

/**
 * A way to authenticate; makes a new exchange for each connection, and for each new authentication of one.
 * @since 0.1.0
 */
export interface SaslMechanism {
  /** As brokers know it: `PLAIN`. */
  readonly name: string
  /** @param host of the broker, as it is advertised */
  exchange(host: string, port: number): SaslExchange
  /** Stops keeping tickets or tokens fresh, because the client is closed. */
  close?(): void
}

/** User name and password; read again for each connection, so that they can change at run time. */
export interface Credentials {
  readonly username: string
  readonly password: string
}
