/** One log-in over SASL, token by token. */

/** Who it turned out to be. */
export interface Identity {
  readonly name: string
  /** Until when the credential is good, ms since the epoch; null: no end. */
  readonly expiresAt: number | null
  /** Logged in with a delegation token (KIP-48). */
  readonly isToken: boolean
}

export interface SaslStep {
  readonly answer: Buffer
  /** null: there is more to come. */
  readonly identity: Identity | null
}

export interface SaslExchange {
  /** Throws or rejects with SaslRefused. */
  step(token: Buffer): SaslStep | Promise<SaslStep>
}

/** A log-in that failed, with what the client is told. */
export class SaslRefused extends Error {
  override readonly name = 'SaslRefused'
}
