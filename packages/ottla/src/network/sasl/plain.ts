import type { Credentials, SaslExchange, SaslMechanism } from './mechanism.ts'

/** SASL PLAIN (RFC 4616): user name and password in one message, in clear text unless over TLS. */
export class PlainMechanism implements SaslMechanism {
  readonly name = 'PLAIN'
  readonly #credentials: () => Credentials

  constructor(credentials: () => Credentials) {
    this.#credentials = credentials
  }

  exchange(): SaslExchange {
    return {
      start: () => {
        const { username, password } = this.#credentials()
        return Buffer.from(`\0${username}\0${password}`, 'utf8')
      },
      next: () => null,
    }
  }
}
