/** One authentication exchange: the client speaks first, then answers until it has nothing to say. */
export interface SaslExchange {
  /** The first token. */
  start(): Promise<Buffer> | Buffer
  /** The answer to a broker's token, or null when the exchange is complete. Throws KafkaError ERR__AUTHENTICATION on a bad token. */
  next(challenge: Buffer): Promise<Buffer | null> | Buffer | null
}

/** A way to authenticate; makes a new exchange for each connection. */
export interface SaslMechanism {
  readonly name: string
  exchange(host: string): SaslExchange
  /** The client is closed: nothing is kept fresh any more. */
  close?(): void
}

/** What a user proves to be; read anew for each connection, so that it can be changed while running. */
export interface Credentials {
  readonly username: string
  readonly password: string
}
