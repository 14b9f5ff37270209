/** A SASL exchange, token by token. */

/** Who has logged in. */
export interface Identity {
  readonly name: string
  /** When the credential expires, ms since the epoch; null: never. */
  readonly expiresAt: number | null
  /** Whether it was with a delegation token (KIP-48). */
  readonly isToken: boolean
}

export interface SaslStep {
  readonly answer: Buffer
  /** null: the exchange continues. */
  readonly identity: Identity | null
}

export interface SaslExchange {
  /** Takes the client's next token. Throws or rejects with SaslRefused. */
  step(token: Buffer): SaslStep | Promise<SaslStep>
}

/** A failed log-in, with the message for the client. */
export class SaslRefused extends Error {
  override readonly name = 'SaslRefused'
}
