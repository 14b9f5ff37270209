/** PLAIN (RFC 4616). */
import type { UserStore } from '../users.ts'
import { SaslRefused, type SaslExchange, type SaslStep } from './exchange.ts'

export class PlainExchange implements SaslExchange {
  readonly #users: UserStore

  constructor(users: UserStore) {
    this.#users = users
  }

  step(token: Buffer): SaslStep {
    const parts = token.toString('utf8').split('\0')
    if (parts.length !== 3) {
      throw new SaslRefused(`Invalid SASL/PLAIN response: expected 3 tokens, got ${parts.length}`)
    }
    const [authorizationId = '', name = '', password = ''] = parts
    if (name === '') throw new SaslRefused('Authentication failed: username not specified')
    if (password === '') throw new SaslRefused('Authentication failed: password not specified')
    if (!this.#users.hasPassword(name, password)) {
      throw new SaslRefused('Authentication failed: Invalid username or password')
    }
    if (authorizationId !== '' && authorizationId !== name) {
      throw new SaslRefused(
        'Authentication failed: Client requested an authorization id that is different from username',
      )
    }
    return { answer: Buffer.alloc(0), identity: { name, expiresAt: null, isToken: false } }
  }
}
