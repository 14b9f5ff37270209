/** OAUTHBEARER (RFC 7628, KIP-255). */
import { SaslRefused, type SaslExchange, type SaslStep } from './exchange.ts'

/**
 * The contents of a valid bearer token.
 * @since 0.1.0
 */
export interface BearerToken {
  /** The user's name, without `User:`. */
  readonly principal: string
  /** Milliseconds since the Unix epoch; left out: the token never expires. */
  readonly expiresAt?: number
}

/**
 * Validates a token and reads its contents; throws or rejects if it is not valid.
 * @since 0.1.0
 */
export type ValidateToken = (token: string) => BearerToken | Promise<BearerToken>

const CONTINUE = '\x01'

export class OAuthBearerExchange implements SaslExchange {
  readonly #validate: ValidateToken
  #failure: string | null = null

  constructor(validate: ValidateToken) {
    this.#validate = validate
  }

  async step(bytes: Buffer): Promise<SaslStep> {
    const message = bytes.toString('utf8')
    if (this.#failure !== null) {
      throw new SaslRefused(message === CONTINUE ? this.#failure : 'Invalid OAUTHBEARER client message')
    }
    const match = /^[ny],(?:a=([^,]*))?,\x01((?:[A-Za-z]+=[^\x01]*\x01)+)\x01$/.exec(message)
    const [, authorizationId = '', pairs = ''] = match ?? []
    const auth = pairs.split(CONTINUE).find(pair => pair.startsWith('auth='))
    const token = /^auth=Bearer +([-_.~+/A-Za-z0-9=]+)$/i.exec(auth ?? '')?.[1]
    if (token === undefined) throw new SaslRefused('Invalid OAUTHBEARER client first message')
    let known: BearerToken
    try {
      known = await this.#validate(token)
    } catch {
      // The client gets the failure as data and has to confirm it.
      this.#failure = '{"status":"invalid_token"}'
      return { answer: Buffer.from(this.#failure), identity: null }
    }
    const { principal, expiresAt = null } = known
    if (authorizationId !== '' && authorizationId !== principal) {
      throw new SaslRefused(
        "Authentication failed: Client requested an authorization id that is not the token's principal",
      )
    }
    return { answer: Buffer.alloc(0), identity: { name: principal, expiresAt, isToken: false } }
  }
}

/** For development only: accepts unsigned JSON web tokens until they expire. */
export function unsecuredTokens(now: () => number): ValidateToken {
  return token => {
    const [header = '', payload = '', signature, ...rest] = token.split('.')
    if (signature !== '' || rest.length > 0 || decode(header).alg !== 'none') throw new Error('not an unsecured token')
    const { sub, exp, nbf } = decode(payload)
    if (typeof sub !== 'string' || sub === '') throw new Error('the token has no subject')
    if (typeof exp !== 'number' || exp * 1000 <= now()) throw new Error('the token has expired')
    if (typeof nbf === 'number' && nbf * 1000 > now()) throw new Error('the token is not valid yet')
    return { principal: sub, expiresAt: exp * 1000 }
  }
}

function decode(part: string): Record<string, unknown> {
  const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
  if (typeof value !== 'object' || value === null) throw new Error('not a JSON object')
  return value as Record<string, unknown> // any object is one of unknown values
}
