/** The server side of SCRAM (RFC 5802), also for delegation tokens (KIP-48). */
import { timingSafeEqual } from 'node:crypto'
import { SaslRefused, type SaslExchange, type SaslStep } from './exchange.ts'
import { digest, hmac, type ScramCredential, type ScramMechanism } from './scram-credential.ts'

/** A credential, and who logs in with it until when. */
export interface ScramAccount {
  readonly credential: ScramCredential
  /** The user's name; for a token its owner's. */
  readonly name: string
  readonly expiresAt: number | null
}

export interface ScramLookups {
  readonly user: (name: string) => ScramAccount | undefined
  /** @param id of the token */
  readonly token: (id: string) => ScramAccount | undefined
  readonly nonce: () => string
}

interface Started {
  readonly account: ScramAccount
  readonly isToken: boolean
  readonly channelBinding: string
  readonly nonce: string
  readonly firstMessages: string
}

export class ScramExchange implements SaslExchange {
  readonly #mechanism: ScramMechanism
  readonly #lookups: ScramLookups
  #started: Started | null = null

  constructor(mechanism: ScramMechanism, lookups: ScramLookups) {
    this.#mechanism = mechanism
    this.#lookups = lookups
  }

  step(token: Buffer): SaslStep {
    const message = token.toString('utf8')
    return this.#started === null ? this.#first(message) : this.#final(message, this.#started)
  }

  #first(message: string): SaslStep {
    // As in Kafka, nobody can log in with a name that is not ASCII, although such users can be created.
    const match =
      /^([ny],(?:a=([^,]*))?,)(n=((?:(?![,=])[\x01-\x7f]|=2C|=3D)+),r=([\x21-\x2b\x2d-\x7e]+)((?:,[a-zA-Z]+=[^,]+)*))$/.exec(
        message,
      )
    if (match === null) throw this.#refused()
    const [, header = '', authorizationId = '', bare = '', encodedName = '', clientNonce = '', extensions = ''] = match
    const name = decodeName(encodedName)
    const isToken = extensions.split(',').includes('tokenauth=true')
    const account = isToken ? this.#lookups.token(name) : this.#lookups.user(name)
    if (account === undefined) throw this.#refused()
    if (authorizationId !== '' && decodeName(authorizationId) !== name) {
      throw new SaslRefused(
        'Authentication failed: Client requested an authorization id that is different from username',
      )
    }
    const nonce = clientNonce + this.#lookups.nonce()
    const { salt, iterations } = account.credential
    const answer = `r=${nonce},s=${salt.toString('base64')},i=${iterations}`
    const channelBinding = Buffer.from(header).toString('base64')
    this.#started = { account, isToken, channelBinding, nonce, firstMessages: `${bare},${answer}` }
    return { answer: Buffer.from(answer), identity: null }
  }

  #final(message: string, started: Started): SaslStep {
    const match = /^(c=([^,]+),r=([^,]+)(?:,[a-zA-Z]+=[^,]+)*),p=([A-Za-z0-9+/=]+)$/.exec(message)
    if (match === null) throw this.#refused()
    const [, withoutProof = '', channelBinding, nonce, encodedProof = ''] = match
    if (channelBinding !== started.channelBinding || nonce !== started.nonce) throw this.#refused()
    const { account, isToken, firstMessages } = started
    const { storedKey, serverKey } = account.credential
    const authMessage = `${firstMessages},${withoutProof}`
    const signature = hmac(this.#mechanism, storedKey, authMessage)
    const proof = Buffer.from(encodedProof, 'base64')
    if (proof.length !== signature.length) throw this.#refused()
    for (const [i, byte] of signature.entries()) proof[i] = (proof[i] ?? 0) ^ byte
    if (!timingSafeEqual(digest(this.#mechanism, proof), storedKey)) throw this.#refused()
    const answer = `v=${hmac(this.#mechanism, serverKey, authMessage).toString('base64')}`
    const { name, expiresAt } = account
    return { answer: Buffer.from(answer), identity: { name, expiresAt, isToken } }
  }

  // The same message whatever was wrong, so that nobody learns which users exist.
  #refused(): SaslRefused {
    return new SaslRefused(
      `Authentication failed during authentication due to invalid credentials with SASL mechanism ${this.#mechanism}`,
    )
  }
}

function decodeName(encoded: string): string {
  return encoded.replaceAll('=2C', ',').replaceAll('=3D', '=')
}
